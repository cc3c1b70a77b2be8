"""Engines that hand boards out, in environments of their own, and a bench for them.

The bench is two network namespaces, the lab host and its boards, with a cable between them. What
the guides to engines say can so run there as it is printed, port 69 included.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from atest.equipment.peers import are_required
from utest.support.waiting import seconds, wait_until

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "guides"
ENGINES = Path(os.environ.get("TFTP_LIBRARY_ENGINES") or ROOT / ".engines")
LAB_HOST = "192.168.77.1"
BOARDS = ("192.168.77.50", "192.168.77.51")
STARTS_IN = 60.0
"""Seconds that an engine may take to start, or a suite to run, on a busy machine."""


class Bench:
    """The lab host and its boards, with the programs of an engine.

    Attributes:
        folder: where programs start; short, since a socket's path is.
        temporary: the folder for what they make while they run.
    """

    def __init__(self, engine: str, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._names = {end: f"{end}{os.getpid()}" for end in ("lab", "board")}
        self._environment = {
            **os.environ,
            "PATH": f"{ENGINES / engine / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'resources'}",
            "HOME": str(folder),
            "TMPDIR": str(self.temporary),
            # A lab half of this machine is not that of the bench.
            "XDG_RUNTIME_DIR": str(folder),
        }
        self._started: list[subprocess.Popen[bytes]] = []
        self._kept: dict[str, subprocess.Popen[bytes]] = {}

    def make(self) -> None:
        """Makes the namespaces and the cable."""
        lab, board = self._names.values()
        for name in (lab, board):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", lab, "link", "add", "eth", "type", "veth", "peer", "eth", "netns", board)
        for name, addresses in ((lab, (LAB_HOST,)), (board, BOARDS)):
            for address in addresses:
                _ip("-n", name, "address", "add", f"{address}/24", "dev", "eth")
            _ip("-n", name, "link", "set", "eth", "up")

    def remove(self) -> list[str]:
        """Ends what was started, and removes the namespaces. Returns what had to be killed."""
        for process in reversed(self._started):
            process.terminate()
        for process in self._started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds(10))
        left = self._processes()
        for number, _ in left:
            _kill(number)
        for name in self._names.values():
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
        for process in self._started:
            process.wait(seconds(10))
        return [line for _, line in left]

    def _processes(self) -> list[tuple[int, str]]:
        """Returns the number and the command line of each process in the namespaces."""
        found = []
        for name in self._names.values():
            listed = subprocess.run(["ip", "netns", "pids", name], capture_output=True, check=False)
            for number in map(int, listed.stdout.split()):
                with suppress(OSError):
                    line = Path(f"/proc/{number}/cmdline").read_text("utf-8", "replace")
                    found.append((number, line.replace("\0", " ")))
        return found

    def download(self, name: str, board: str = BOARDS[0]) -> str:
        """Returns the command line that lets a board load a file."""
        command = f"curl --silent --max-time 30 --output /dev/null --interface {board}"
        return f"ip netns exec {self._names['board']} {command} tftp://{LAB_HOST}/{name}"

    def start(self, *command: str, log: str, **variables: str) -> subprocess.Popen[bytes]:
        """Starts a program at the lab host, which is ended with the bench at the latest."""
        with (self.folder / log).open("wb") as output:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self._names["lab"], *command],
                cwd=self.folder,
                env={**self._environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._started.append(process)
        return process

    def keep(self, log: str, ready: str, *command: str) -> subprocess.Popen[bytes]:
        """Starts a program, unless it runs, and returns it when it is ready."""
        process = self._kept.get(log)
        if process is None or process.poll() is not None:
            process = self._kept[log] = self.start(*command, log=log)
            self.wait_for(log, ready, process)
        return process

    def run(self, *command: str, **variables: str) -> str:
        """Runs a program at the lab host to its end, and returns what it said."""
        process = self.start(*command, log="run.log", **variables)
        self.wait_for_end(process, "run.log")
        return self.said("run.log")

    def wait_for_end(self, process: subprocess.Popen[bytes], log: str) -> None:
        """Waits until a program has ended."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds(STARTS_IN))
        assert process.returncode is not None, self.said(log)

    def wait_for(self, log: str, text: str, process: subprocess.Popen[bytes]) -> None:
        """Waits until a program said something."""
        wait_until(lambda: text in self.said(log) or process.poll() is not None, STARTS_IN)
        assert text in self.said(log), self.said(log)

    def said(self, log: str) -> str:
        """Returns what a program said so far."""
        path = self.folder / log
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def files(self) -> list[str]:
        """Returns the names of the files that programs have made and not removed."""
        found = self.temporary.rglob("*")
        return [str(path.relative_to(self.temporary)) for path in found if not path.is_dir()]

    def kill(self, text: str) -> None:
        """Kills the programs with a text in their command line, as a power failure does."""
        killed = [number for number, line in self._processes() if text in line]
        for number in killed:
            _kill(number)
        assert killed, f"Nothing runs that has '{text}' in its command line."

    def is_free(self, port: int = 69) -> bool:
        """Whether no program of the lab host has a UDP port."""
        done = subprocess.run(
            ["ip", "netns", "exec", self._names["lab"], "cat", "/proc/net/udp"],
            capture_output=True,
            text=True,
            check=True,
        )
        return f":{port:04X} " not in done.stdout


@contextmanager
def bench(engine: str) -> Iterator[Bench]:
    """Makes a bench for an engine. Skips the test where that is not possible.

    Afterwards no process and no file may be left; the test fails otherwise.
    """
    if not (ENGINES / engine / "bin" / "python").exists():
        _refuse(
            f"{engine} is not installed for the tests. Install it: python3 -m venv "
            f".engines/{engine} && .engines/{engine}/bin/pip install --editable '.[{engine}]'"
        )
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("network namespaces need root on Linux")
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        made = Bench(engine, Path(folder))
        try:
            made.make()
            yield made
        finally:
            left = made.remove()
        assert left == [], "Programs were left behind."
        assert made.files() == [], "Files were left behind."


def blocks_of(page: str, language: str) -> list[str]:
    """Returns the blocks of a guide in a language."""
    text = (GUIDES / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def _refuse(text: str) -> None:
    if are_required():
        pytest.fail(text)
    pytest.skip(text)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, check=True)


def _kill(number: int) -> None:
    subprocess.run(["kill", "-KILL", str(number)], capture_output=True, check=False)
