"""A listener that has the stories pass through a lab: servers and clients are in another process.

`python3 run.py atest --lab unix` and `--lab ssh` name it. The lab half is started here, and the
environment variable names it to each suite, as a tester would do it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from robot.api.interfaces import ListenerV3

from atest.equipment.board_network import enter
from atest.equipment.peers import are_required
from atest.equipment.three_hosts import BOARD_ADDRESS, ROOT, MissingError, ThreeHosts

# Any: what robot knows of suites and keywords.
BOARDS = ("board", "emulation", "other_programs", "TftpBoard.library.BoardLibrary")
"""The libraries whose keywords are moves of boards."""
_ENDS_IN = 10.0
_HERE = Path("/proc/self/ns/net")


class BoardsElsewhere(ListenerV3):
    """Has the sockets and threads that keywords of boards open at another host than robot.

    Args:
        namespace: the network namespace of the boards; empty where they are at this host.
    """

    def __init__(self, namespace: str = "") -> None:
        self._stack = ExitStack()
        self._places: list[BinaryIO] = []
        if namespace:
            self._put_boards(namespace)

    def _put_boards(self, namespace: str) -> None:
        places = (_HERE, Path("/run/netns", namespace))
        self._here, self._there = (self._stack.enter_context(each.open("rb")) for each in places)
        self._places = [self._here]

    def start_library_keyword(self, data: Any, implementation: Any, result: Any) -> None:  # noqa: ARG002
        """Goes where the keyword belongs."""
        if self._places:
            is_board = implementation.owner.name in BOARDS
            self._places.append(self._there if is_board else self._here)
            enter(self._places[-1])

    def end_library_keyword(self, data: Any, implementation: Any, result: Any) -> None:  # noqa: ARG002
        """Goes back."""
        if self._places:
            self._places.pop()
            enter(self._places[-1])

    def close(self) -> None:
        """Closes what is open."""
        self._stack.close()


class ThroughLab(BoardsElsewhere):
    """Starts the lab half before the first suite, and ends it after the last.

    Args:
        carrier: `unix`, or `ssh` with runner, lab host and boards as three hosts.
        roots: a folder of which stories serve folders of their own.
    """

    def __init__(self, carrier: str, roots: str = "results") -> None:
        super().__init__()
        self._missing = ""
        if carrier not in ("unix", "ssh"):
            raise ValueError(f"Expected --lab unix or --lab ssh, got --lab {carrier}.")
        if carrier == "unix":
            folder = self._stack.enter_context(TemporaryDirectory(prefix="lab-"))
            os.environ["TFTPLIBRARY_LAB"] = self._start_half(Path(folder), roots)
            return
        try:
            hosts = self._stack.enter_context(ThreeHosts())
        except MissingError as error:
            self._missing = str(error)
            return
        self._start_half(hosts.folder / "service", roots, *hosts.inside(hosts.lab))
        self._move(hosts)

    def start_suite(self, data: Any, result: Any) -> None:  # noqa: ARG002
        """Skips everything where the other hosts cannot be made."""
        if self._missing and data.parent is None:
            name = "Fail" if are_required() else "Skip"
            data.setup.config(name=name, args=[self._missing])

    def _start_half(self, folder: Path, roots: str, *words: str) -> str:
        """Starts a lab half, and returns its URL."""
        url = f"unix:{folder}/tftplibrary-lab.sock"
        words += (sys.executable, "-m", "TftpLibrary", "lab", "--listen", url)
        words += ("--allow-root", str(Path(roots).absolute()))
        # Ctrl-C is for the run, which still needs its lab to end well.
        half = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True)
        self._stack.callback(half.wait, _ENDS_IN)
        self._stack.callback(half.terminate)
        assert half.stdout is not None
        self._stack.enter_context(half.stdout).readline()
        return url

    def _move(self, hosts: ThreeHosts) -> None:
        """Makes this process the runner, and lets suites that it starts find their boards."""
        os.environ.update(hosts.environment)
        os.environ["TFTPLIBRARY_LAB"] = "ssh://lab"
        os.environ["TFTP_LIBRARY_BOARD_ADDRESS"] = BOARD_ADDRESS
        listener = f"{BoardsElsewhere.__module__}.{BoardsElsewhere.__name__}:{hosts.board}"
        os.environ["ROBOT_OPTIONS"] = f"--listener {listener}"
        self._stack.callback(enter, self._stack.enter_context(_HERE.open("rb")))
        with Path("/run/netns", hosts.run).open("rb") as runner:
            enter(runner)
        self._put_boards(hosts.board)
