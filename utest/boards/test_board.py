"""A board under QEMU with its own U-Boot; half a second each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from atest.boards.emulator.board import Board
from atest.boards.emulator.console import ConsoleError
from atest.boards.emulator.dhcp import Offer
from atest.boards.emulator.disturbance import Disturbance
from atest.boards.emulator.machines import Kind, missing
from atest.boards.emulator.wire import Setup
from atest.equipment.peers import are_required
from utest.support.waiting import seconds, wait_until

ROOT = Path(__file__).parents[2]
LIMIT = seconds(30)
NETWORK = "setenv ipaddr 10.0.2.15; setenv netmask 255.255.255.0; setenv netretry no"

# A program that switches a board on and tells the number of its process; then it is killed.
SWITCH_ON = """
import sys
from pathlib import Path
from utest.boards.test_board import switch_on
board = switch_on(Path(sys.argv[1]))
# At its prompt U-Boot prints nothing more, so that the closed pipe alone does not end it.
board.stop_autoboot(30)
print(board._process.pid, flush=True)
sys.stdin.read()
"""


def switch_on(folder: Path) -> Board:
    nobody = ("127.0.0.1", 9)
    offer = Offer("10.0.2.15", "10.0.2.2")
    return Board("board", Kind.arm, Setup(nobody, "127.0.0.11", offer, Disturbance()), folder)


@pytest.fixture(name="board")
def board_that_is_on(tmp_path: Path) -> Iterator[Board]:
    if text := missing(Kind.arm):
        (pytest.fail if are_required() else pytest.skip)(text)
    board = switch_on(tmp_path)
    try:
        board.stop_autoboot(LIMIT)
        yield board
    finally:
        board.close()


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # It may be dead and wait for somebody to hear of it.
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_command_tells_its_status_and_what_it_printed(board: Board) -> None:
    board.start_command("echo Hello board")
    assert board.finish_command(LIMIT) == (0, "Hello board")
    board.start_command("crc32")
    status, output = board.finish_command(LIMIT)
    assert status == 1
    assert output.startswith("crc32 - checksum calculation")


def test_board_reaches_the_gateway(board: Board) -> None:
    board.start_command(f"{NETWORK}; ping 10.0.2.2")
    status, output = board.finish_command(LIMIT)
    assert (status, output.splitlines()[-1]) == (0, "host 10.0.2.2 is alive")


def test_power_off_ends_the_emulator_and_keeps_what_happened(board: Board) -> None:
    console, packets = board.power_off()
    assert not board.is_on
    assert "Hit any key to stop autoboot" in console.read_text()
    assert packets.read_text() == ""
    assert board.power_off() == [console, packets]
    with pytest.raises(ConsoleError, match="The board is off"):
        board.start_command("reset")


def test_board_does_not_outlive_a_process_that_is_killed(board: Board, tmp_path: Path) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    board.close()
    folder = tmp_path / "other"
    folder.mkdir()
    command = [sys.executable, "-c", SWITCH_ON, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout
        emulator = int(program.stdout.readline())
        assert is_alive(emulator)
        program.send_signal(signal.SIGKILL)
        program.wait(LIMIT)
    try:
        wait_until(lambda: not is_alive(emulator), 10.0)
    finally:
        with suppress(ProcessLookupError):
            os.kill(emulator, signal.SIGKILL)


def test_wire_is_closed_when_the_emulator_cannot_be_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConsoleError, match="cannot be started"):
        switch_on(tmp_path)
