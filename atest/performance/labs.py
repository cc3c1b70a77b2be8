"""The cost of a lab: how much later a keyword goes on, and an upload of 4 GiB."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from atest.equipment.three_hosts import MissingError, ThreeHosts
from atest.performance.loads import Load
from atest.performance.peers import HERE, PROJECT
from atest.performance.report import Row, at_least, judged
from TftpLibrary import Lab, LabServer

_LATER = (2, 1)
"""Milliseconds from a board's last packet to the return of the wait."""
_SSH_LATER = (5, 3)
_RATE = (100, 200)
"""MB/s of an upload."""
_MEMORY = (80, 40)
"""MB of each half at most."""
_SIZE = 4 << 30
_STEP = 64 << 20


def labs(folder: Path, load: Load, rounds: int) -> list[Row]:  # noqa: ARG001 - as the others
    """A lab on this machine, in another process, through a socket."""
    with _half() as (half, url), Lab(url) as lab, lab.server() as server:
        there = _waits(url)
        path = folder / "4 GiB"
        try:
            _write(path)
            # The runner is this process: its peak so far is forgotten.
            Path("/proc/self/clear_refs").write_text("5", "ascii")
            seconds = [_upload(server, path) for _ in range(2)]
        finally:
            path.unlink(missing_ok=True)
        memory = [_peak(pid) / 1024 for pid in ("self", str(half))]
    return [
        judged("end of a wait through a lab, unix", "", median(there) * 1000, _LATER, "ms"),
        *_over_ssh(),
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


def _waits(url: str, runner: Sequence[str] = (), lab: Sequence[str] = ()) -> list[float]:
    """Returns the seconds from the end of each of some downloads to the return of its wait.

    Args:
        url: the lab.
        runner: the words that let a command run at the runner.
        lab: those for the lab host, where the board is.
    """
    program = [sys.executable, str(HERE / "labs_run.py")]
    words = [*runner, *program, url, *lab, *program]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=PROJECT)
    return [float(line) for line in done.stdout.split()]


def _over_ssh() -> list[Row]:
    """A runner and a lab host as two hosts; no row where this machine cannot be two."""
    try:
        with ThreeHosts() as hosts:
            os.environ["PATH"], before = hosts.environment["PATH"], os.environ["PATH"]
            try:
                waits = _waits("ssh://lab", hosts.inside(hosts.run), _at(hosts))
            finally:
                os.environ["PATH"] = before
    except MissingError as error:
        print(f"  no lab over ssh: {error}")
        return []
    return [judged("end of a wait through a lab, ssh", "", median(waits) * 1000, _SSH_LATER, "ms")]


def _at(hosts: ThreeHosts) -> list[str]:
    """The words that start the board beside the lab half, from within the runner's network."""
    return ["nsenter", f"--net=/run/netns/{hosts.lab}"]


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
