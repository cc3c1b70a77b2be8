"""An emulated board: QEMU, its serial console and its wire, from power on to power off."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from atest.boards.emulator.console import Console, ConsoleError
from atest.boards.emulator.machines import Kind, machine
from atest.boards.emulator.wire import Setup, Wire

UBOOT_PROMPT = r"^=> "
_AUTOBOOT = r"Hit any key to stop autoboot"


class Board:
    """One board that is on. A fresh one is a new object.

    Attributes:
        name: of the board, as it stands in the names of its files.
        mac: its MAC address.
        uuid: its UUID, as its label shows it.
        kind: what it is.
        address: where the server sees it.
        wire: its network.
        console: its serial console.
        prompt: what the console shows when it takes a command.
    """

    def __init__(self, name: str, kind: Kind, setup: Setup, folder: Path) -> None:
        self.name, self.kind = name, kind
        self.address = setup.client
        number = int(setup.client.rpartition(".")[2]) % 256
        self.mac = f"52:54:00:12:34:{number:02x}"
        self.uuid = f"11223344-5566-7788-99aa-bbccddeeff{number:02x}"
        self.prompt = UBOOT_PROMPT
        self.wire = Wire(setup)
        self._folder = folder
        self._command_start = 0
        try:
            self._process = self._start()
        except BaseException:
            self.wire.close()
            raise
        try:
            self.console = Console(self._process, folder / f"{name}.console.txt")
        except BaseException:
            self._process.kill()
            self.wire.close()
            raise

    @property
    def is_on(self) -> bool:
        """Whether QEMU runs."""
        return self._process.poll() is None

    def stop_autoboot(self, timeout: float) -> None:
        """Waits for U-Boot and brings it to its prompt."""
        self.console.wait_for(_AUTOBOOT, timeout)
        start = self.console.position
        self.console.type("\n")
        self.console.wait_for(self.prompt, timeout, start)

    def start_command(self, command: str) -> None:
        """Types a command and returns at once."""
        self._command_start = self.console.position
        self.console.type(f"{command}; echo Status: $?\n")

    def finish_command(self, timeout: float) -> tuple[int, str]:
        """Waits for the end of the command; returns its status and what it printed."""
        start = self._command_start
        match = self.console.wait_for(rf"^Status: (\d+)\n{self.prompt}", timeout, start)
        # The first line is the command itself, as the console echoes it.
        _, _, output = self.console.text(start)[: match.start() - start].partition("\n")
        return int(match[1]), output.strip()

    def power_off(self) -> list[Path]:
        """Cuts the power and returns the files that show what happened. Idempotent.

        The server hears nothing of it, as from a real board: the wire stays until `close`.
        """
        self.wire.pull()
        self._process.kill()
        self._process.wait(10)
        self.console.close()
        path = self._folder / f"{self.name}.wire.txt"
        path.write_text("".join(f"{line}\n" for line in self.wire.exchange.lines()), "utf-8")
        return [self.console.path, path]

    def close(self) -> list[Path]:
        """Cuts the power and takes the wire away."""
        try:
            return self.power_off()
        finally:
            self.wire.close()

    def _start(self) -> subprocess.Popen[bytes]:
        made_of = machine(self.kind)
        card = f"{made_of.card},netdev=n0,mac={self.mac}"
        end = self.wire.board_end
        network = ("-netdev", f"socket,id=n0,fd={end.fileno()}", "-device", card)
        known = ("-uuid", self.uuid)
        try:
            return subprocess.Popen(
                [*_dies_with_us(), made_of.program, *made_of.arguments, *known, *network],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                pass_fds=(end.fileno(),),
                # Ctrl-C is for Robot Framework, which then ends the boards in order.
                start_new_session=True,
            )
        except OSError as problem:
            raise ConsoleError(f"{made_of.program} cannot be started: {problem}") from None
        finally:
            end.close()


def _dies_with_us() -> tuple[str, ...]:
    """Linux ends the emulator when this process is killed and can end nothing any more.

    The shell looks whether that has happened before Linux was told.
    """
    program = shutil.which("setpriv")
    still_here = f'test $PPID = {os.getpid()} && exec "$@"'
    return (program, "--pdeathsig", "KILL", "sh", "-c", still_here, "sh") if program else ()
