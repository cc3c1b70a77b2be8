"""Emulated boards for Robot Framework suites: QEMU with real firmware, on a wire to our server.

It is a part of the test suite and knows nothing of TftpLibrary: a board finds the server at the
address that `Power On` gets, at any port, and without permission for port 69.
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import ExitStack
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import Protocol

from robot.api import Failure, SkipExecution, logger
from robot.api.deco import keyword, library
from robot.libraries.BuiltIn import BuiltIn

from atest.boards.emulator.board import Board
from atest.boards.emulator.console import ConsoleError
from atest.boards.emulator.dhcp import Offer
from atest.boards.emulator.disturbance import Disturbance
from atest.boards.emulator.machines import Kind, linux_files, machine, missing, missing_linux
from atest.boards.emulator.wire import Setup
from atest.equipment.peers import are_required

BOARD_ADDRESS, GATEWAY = "10.0.2.15", "10.0.2.2"
"""The board, and the TFTP server as it sees it; each board has a wire of its own."""

_FIRST_CLIENT = 11
_WILDCARD = "0.0.0.0"
_FACTOR = float(os.environ.get("TFTP_LIBRARY_TIMEOUT_FACTOR", "1"))


class Server(Protocol):
    """Where the TFTP server is: anything with a host and a port."""

    @property
    def host(self) -> str:
        """The address."""

    @property
    def port(self) -> int:
        """The port."""


@library(scope="GLOBAL", doc_format="ROBOT", listener="SELF")
class EmulatedBoards:
    """Boards that run their real boot loader under QEMU, each on a wire of its own.

    A board reaches the TFTP server at 10.0.2.2, port 69, wherever the server is; its own address
    is 10.0.2.15. The server sees the first board of a test at 127.0.0.11, the second at
    127.0.0.12, and so on.

    ``board=`` in the keywords is what `Power On` returned; by default it is the board that was
    switched on last. A test powers its boards on itself. They are off when it ends, also when it
    fails or is interrupted. Each console is kept in the folder ``boards`` of the output folder,
    beside the packets that went over its wire.
    """

    def __init__(self) -> None:
        self._boards: list[Board] = []
        self._powered_on = 0

    def _end_test(self, *_: object) -> None:
        self._close()

    def _close(self, *_: object) -> None:
        boards, self._boards = self._boards, []
        # Each of them goes off, also when another one cannot.
        with ExitStack() as stack:
            for board in boards:
                stack.callback(_remove, board)

    @keyword
    def require_board(self, kind: Kind) -> None:
        """Skips the test if a board cannot be emulated, and shows how to change that.

        With ``TFTP_LIBRARY_REQUIRE_PEERS`` in the environment the test fails instead.

        Args:
            kind: ``arm``, ``arm64``, ``linux``, ``pc``, ``uefi`` or ``pc_uboot``.
        """
        if text := missing(kind):
            raise (Failure if are_required() else SkipExecution)(text)

    @keyword
    def get_linux_files(self, processor: str = "arm64") -> tuple[Path, Path]:
        """Returns the kernel and the initramfs that the board ``linux`` can boot.

        Args:
            processor: ``arm64``, or ``amd64`` for what a PC can boot.
        """
        if missing_linux(processor):
            raise (Failure if are_required() else SkipExecution)(missing_linux(processor))
        return linux_files(processor)

    @keyword
    def build_grub(self, path: Path, prefix: str = "/grub") -> Path:
        """Builds an image of GRUB that looks for a configuration of its board.

        Args:
            path: The image.
            prefix: Where it looks for its files.
        """
        modules = ("normal", "efinet", "tftp", "net", "configfile", "echo", "linux")
        command = ["grub-mkimage", "-O", "x86_64-efi", "-o", str(path), "-p", prefix, *modules]
        subprocess.run(command, check=True, capture_output=True)
        return path

    @keyword
    def power_on(  # noqa: PLR0913 - each is an argument of the keyword
        self,
        kind: Kind,
        server: Server,
        *,
        boot_file: str = "",
        dhcp_options: dict[int, bytes] | None = None,
        echoes_uuid: bool = False,
        loss: float = 0.0,
        repeat: float = 0.0,
        seed: int = 0,
        timeout: timedelta = timedelta(seconds=30),
    ) -> Board:
        """Switches a fresh board on, and returns it. U-Boot waits at its prompt then.

        Args:
            kind: ``arm``, ``arm64``, ``linux``, ``pc``, ``uefi`` or ``pc_uboot``.
            server: The TFTP server that the board finds at 10.0.2.2.
            boot_file: The file that DHCP names to the board.
            dhcp_options: More options of DHCP, by their codes.
            echoes_uuid: Whether DHCP returns the board's option 97.
            loss: Share of the TFTP packets that get lost on the wire, such as 0.01.
            repeat: Share of the TFTP packets that arrive twice.
            seed: Chooses which packets these are.
            timeout: Time for U-Boot to come up.
        """
        self.require_board(kind)
        host = "127.0.0.1" if server.host == _WILDCARD else server.host
        setup = Setup(
            server=(host, server.port),
            client=f"127.0.0.{_FIRST_CLIENT + len(self._boards)}",
            offer=Offer(
                BOARD_ADDRESS,
                GATEWAY,
                boot_file=boot_file,
                options=dhcp_options or {},
                echoes_uuid=echoes_uuid,
            ),
            disturbance=Disturbance(loss, repeat, seed),
        )
        self._powered_on += 1
        board = Board(f"{_test_name()}-{self._powered_on}-{kind.value}", kind, setup, _folder())
        self._boards.append(board)
        if machine(kind).uses_uboot:
            board.stop_autoboot(_seconds(timeout))
        return board

    @keyword
    def power_off(self, board: Board | None = None) -> None:
        """Cuts the power of a board. The server hears nothing of it, as from a real board."""
        chosen = self._board(board)
        _log_files(chosen, chosen.power_off())

    @keyword
    def cut_power_in_mid_transfer(
        self,
        command: str,
        *,
        blocks: int,
        timeout: timedelta = timedelta(seconds=60),
        board: Board | None = None,
    ) -> None:
        """Runs a command that loads a file, and cuts the power after a number of blocks.

        Nothing goes over the wire after that block, however fast the board is.

        Args:
            command: One line for the board's shell.
            blocks: DATA packets that the board gets, counted since it was switched on.
            timeout: Time for these blocks to come.
            board: The board. Default: the one that was switched on last.
        """
        chosen = self._board(board)
        chosen.wire.cut_after(blocks)
        chosen.start_command(command)
        if not chosen.wire.wait_until_cut(_seconds(timeout)):
            raise ConsoleError(
                f"The board was to get {blocks} blocks in {timeout}, but it got only "
                f"{chosen.wire.exchange.blocks}. Its console:\n{chosen.console.text()[-1000:]}"
            )
        self.power_off(chosen)

    @keyword
    def run_command(
        self,
        command: str,
        *,
        timeout: timedelta = timedelta(seconds=60),
        board: Board | None = None,
    ) -> str:
        """Runs a command on the console and returns what it printed. It must go well.

        Args:
            command: One line for the board's shell.
            timeout: Time for the command to end.
            board: The board. Default: the one that was switched on last.
        """
        return self._run(command, timeout, board, goes_well=True)

    @keyword
    def run_failing_command(
        self,
        command: str,
        *,
        timeout: timedelta = timedelta(seconds=60),
        board: Board | None = None,
    ) -> str:
        """Runs a command that must fail, and returns what it printed."""
        return self._run(command, timeout, board, goes_well=False)

    @keyword
    def start_command(self, command: str, *, board: Board | None = None) -> None:
        """Types a command and returns at once; `Finish Command` waits for its end."""
        self._board(board).start_command(command)

    @keyword
    def finish_command(
        self, *, timeout: timedelta = timedelta(seconds=60), board: Board | None = None
    ) -> str:
        """Waits for the end of what was started, and returns what it printed. It must go well."""
        return _finish(self._board(board), timeout, goes_well=True)

    @keyword
    def type_on_console(self, text: str, *, board: Board | None = None) -> int:
        """Types a line, and returns where what follows begins, for `Wait For Console`."""
        chosen = self._board(board)
        start = chosen.console.position
        chosen.console.type(f"{text}\n")
        return start

    @keyword
    def wait_for_console(
        self,
        pattern: str,
        *,
        timeout: timedelta = timedelta(seconds=60),
        since: int = 0,
        board: Board | None = None,
    ) -> str:
        """Waits until the board has printed something, and returns it.

        Args:
            pattern: A regular expression. Its first group is returned, if it has one.
            timeout: Time to wait.
            since: Where to begin, see `Type On Console`. Default: the power on.
            board: The board. Default: the one that was switched on last.
        """
        chosen = self._board(board)
        match = chosen.console.wait_for(pattern, _seconds(timeout), since)
        return match[1] if match.re.groups else match[0]

    @keyword
    def use_prompt(self, prompt: str, *, board: Board | None = None) -> None:
        """Sets the prompt that the console shows after U-Boot has booted something.

        Args:
            prompt: The text at the beginning of a line.
            board: The board. Default: the one that was switched on last.
        """
        self._board(board).prompt = f"^{re.escape(prompt)}"

    def _run(
        self, command: str, timeout: timedelta, board: Board | None, *, goes_well: bool
    ) -> str:
        chosen = self._board(board)
        chosen.start_command(command)
        return _finish(chosen, timeout, goes_well=goes_well)

    def _board(self, board: Board | None) -> Board:
        if board is None and not self._boards:
            raise ConsoleError("No board is on. `Power On` switches one on.")
        chosen = board or self._boards[-1]
        if chosen.wire.failure:
            raise ConsoleError(f"The wire of the board is broken: {chosen.wire.failure!r}")
        return chosen


def _finish(board: Board, timeout: timedelta, *, goes_well: bool) -> str:
    status, output = board.finish_command(_seconds(timeout))
    logger.info(output)
    if (status == 0) != goes_well:
        ended = "failed" if goes_well else "was to fail, and went well"
        raise ConsoleError(f"The command {ended}; its status is {status}:\n{output}")
    return output


def _seconds(time: timedelta) -> float:
    return time.total_seconds() * _FACTOR


def _folder() -> Path:
    folder = Path(BuiltIn().get_variable_value("${OUTPUT DIR}"), "boards")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _test_name() -> str:
    name = BuiltIn().get_variable_value("${TEST NAME}") or BuiltIn().get_variable_value(
        "${SUITE NAME}"
    )
    return re.sub(r"[^a-z0-9]+", "-", str(name).lower()).strip("-")[:80]


def _remove(board: Board) -> None:
    was_on, paths = board.is_on, board.close()
    if was_on:
        _log_files(board, paths)


def _log_files(board: Board, paths: list[Path]) -> None:
    links = ", ".join(
        f'<a href="boards/{escape(path.name)}">{what}</a>'
        for path, what in zip(paths, ("its console", "its packets"), strict=True)
    )
    logger.info(f"The board at {board.address} is off: {links}.", html=True)
