"""The keywords of emulated boards, as far as they need no board."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from robot.api import Failure, SkipExecution

from atest.boards.emulator.console import ConsoleError
from atest.boards.emulator.emulation import EmulatedBoards
from atest.boards.emulator.machines import Kind


@pytest.fixture(name="boards")
def boards_without_emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> EmulatedBoards:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TFTP_LIBRARY_REQUIRE_PEERS", raising=False)
    return EmulatedBoards()


def test_test_is_skipped_where_a_board_cannot_be_emulated(boards: EmulatedBoards) -> None:
    with pytest.raises(SkipExecution, match="needs qemu-system-arm.* On Debian: apt-get install"):
        boards.require_board(Kind.arm)


def test_test_fails_in_a_run_that_promises_to_have_everything(
    boards: EmulatedBoards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFTP_LIBRARY_REQUIRE_PEERS", "1")
    with pytest.raises(Failure, match="needs qemu-system-arm"):
        boards.require_board(Kind.arm)


def test_command_without_a_board_says_what_switches_one_on(boards: EmulatedBoards) -> None:
    with pytest.raises(ConsoleError, match=r"No board is on\. `Power On` switches one on\."):
        boards.run_command("version", timeout=timedelta(seconds=1))


def test_only_moves_of_the_board_are_keywords() -> None:
    names = {name for name, value in vars(EmulatedBoards).items() if hasattr(value, "robot_name")}
    assert {"power_on", "power_off", "run_command"} <= names
    assert not {name for name in names if name.startswith("_")}
