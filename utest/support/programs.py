"""The command line as a program of its own, and datagrams to it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from TftpLibrary.protocol.packets import Direction, Request
from utest.support.waiting import seconds, wait_until

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "TftpLibrary")


def run_program(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs the command line to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=seconds(60),
        check=False,
    )


def environment() -> dict[str, str]:
    """The environment: the package is found from every folder, also where it is not installed."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


class Served:
    """A running `serve`, and its output.

    Attributes:
        root: the folder that is served.
        ready: the line on standard output.
        url, port: as in that line.
    """

    def __init__(self, process: subprocess.Popen[str], root: Path, errors: Path) -> None:
        self.process = process
        self.root = root
        self._errors = errors
        self.ready = process.stdout.readline() if process.stdout else ""
        self.url = self.ready.split()[-1] if self.ready else ""
        self.port = int((re.findall(r":(\d+)/", self.url) or ["0"])[0])

    @property
    def errors(self) -> str:
        """Its standard error so far."""
        return self._errors.read_text("utf-8")

    @property
    def lines(self) -> list[str]:
        """The lines on standard error, without their time of day."""
        return [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in self.errors.splitlines()]

    def wait_for_line(self, text: str) -> str:
        """Returns the first line that contains a text, once it is there."""
        return wait_until(lambda: next((line for line in self.lines if text in line), ""))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends a signal and returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(seconds(10))


@contextmanager
def serve(
    folder: Path, *arguments: str, prefix: Sequence[str] = (), stderr: int | None = None
) -> Iterator[Served]:
    """Runs `serve` on a free port until the block ends.

    Args:
        folder: the root; what it writes on standard error goes to a file beside it.
        arguments: more options.
        prefix: a program that starts it.
        stderr: another descriptor for standard error.
    """
    errors = folder.parent / f"{folder.name}.errors"
    with errors.open("w") as file:
        process = subprocess.Popen(
            [*prefix, *COMMAND, "serve", str(folder), "--port", "0", *arguments],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=file if stderr is None else stderr,
            text=True,
        )
        try:
            yield Served(process, folder, errors)
        finally:
            process.kill()
            process.communicate()


@contextmanager
def asking(port: int, name: str, *, options: Sequence[tuple[str, str]] = ()) -> Iterator[bytes]:
    """Asks for a file on a plain socket, yields the first answer, and answers nothing."""
    request = Request(Direction.read, name.encode(), options=tuple(options))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(seconds(5))
        sock.sendto(request.encode(), ("127.0.0.1", port))
        yield sock.recvfrom(70_000)[0]
