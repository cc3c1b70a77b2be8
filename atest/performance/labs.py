"""The cost of a lab: how much later a keyword goes on, and an upload of 4 GiB."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from atest.performance.loads import Load
from atest.performance.report import Row, at_least, judged
from TftpLibrary import Download, Lab, LabServer, TftpClient, TftpServer

_LATER = (2, 1)
"""Milliseconds from a board's last packet to the return of the wait, beyond those without a lab."""
_RATE = (100, 200)
"""MB/s of an upload."""
_MEMORY = (80, 40)
"""MB of each half at most."""
_SIZE = 4 << 30
_BOARDS = 40
_STEP = 64 << 20


def labs(folder: Path, load: Load, rounds: int) -> list[Row]:  # noqa: ARG001 - as the others
    """A lab on this machine, in another process, through a socket."""
    with TftpServer() as server:
        here = _waits(server)
    with _half() as (half, url), Lab(url) as lab, lab.server() as server:
        there = _waits(server)
        path = folder / "4 GiB"
        try:
            _write(path)
            # The runner is this process: its peak so far is forgotten.
            Path("/proc/self/clear_refs").write_text("5", "ascii")
            seconds = [_upload(server, path) for _ in range(2)]
        finally:
            path.unlink(missing_ok=True)
        memory = [_peak(pid) / 1024 for pid in ("self", str(half))]
    later = (median(there) - median(here)) * 1000
    return [
        judged("end of a wait through a lab", "no lab", later, _LATER, "ms"),
        at_least("upload of 4 GiB to a lab, MB/s", "", [_SIZE / seconds[0] / 1e6], _RATE),
        judged("the same again, which is not sent", "", seconds[1], (20, 10), "s"),
        judged("memory of the larger half", "", max(memory), _MEMORY, "MiB"),
    ]


@contextmanager
def _half() -> Iterator[tuple[int, str]]:
    """Runs a lab half, and yields its process and its URL."""
    with TemporaryDirectory(prefix="lab-") as folder:
        url = f"unix:{folder}/lab.sock"
        words = [sys.executable, "-m", "TftpLibrary", "lab", "--listen", url]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as half:
            assert half.stdout is not None
            half.stdout.readline()
            try:
                yield half.pid, url
            finally:
                half.terminate()


def _waits(server: TftpServer | LabServer) -> list[float]:
    """Returns the seconds from the end of each of some downloads to the return of its wait."""
    server.files.create("f", 1000)
    found = []
    for _ in range(_BOARDS):
        mark, done = server.recorder.mark(), list[float]()
        board = threading.Thread(target=_download, args=(server.host, server.port, done))
        board.start()
        server.wait_until(Download("f"), 5, mark)
        returned = time.perf_counter()
        board.join()
        found.append(returned - done[0])
    return found


def _download(host: str, port: int, done: list[float]) -> None:
    with TftpClient(host, port) as board:
        board.get_bytes("f")
        done.append(time.perf_counter())


def _write(path: Path) -> None:
    with path.open("wb") as file:
        for start in range(0, _SIZE, _STEP):
            file.seek(start)
            file.write(os.urandom(1 << 20))
        file.truncate(_SIZE)


def _upload(server: LabServer, path: Path) -> float:
    begun = time.perf_counter()
    server.files.upload(path)
    return time.perf_counter() - begun


def _peak(pid: str) -> int:
    """Returns the most kB of memory that a process had."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
