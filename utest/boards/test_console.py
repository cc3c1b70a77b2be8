"""The serial console, with a small program in place of the emulator."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atest.boards.emulator.console import Console, ConsoleError
from utest.support.waiting import seconds, wait_until

LIMIT = seconds(10)
Start = Callable[[str], Console]


@pytest.fixture(name="start")
def start_program(tmp_path: Path) -> Iterator[Start]:
    started: list[tuple[subprocess.Popen[bytes], Console]] = []

    def start(program: str) -> Console:
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", f"import sys, time\n{program}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        started.append((process, Console(process, tmp_path / f"console{len(started)}.txt")))
        return started[-1][1]

    yield start
    for process, console in started:
        process.kill()
        process.wait()
        console.close()


def test_what_the_board_prints_is_waited_for_and_kept_in_a_file(start: Start) -> None:
    console = start("print('Net:   eth0\\r'); sys.stdin.read()")
    match = console.wait_for(r"^Net:\s+(\w+)$", LIMIT)
    assert match[1] == "eth0"
    wait_until(lambda: console.path.read_text() == "Net:   eth0\n")


def test_what_is_typed_reaches_the_board(start: Start) -> None:
    console = start("print('got', ascii(sys.stdin.buffer.readline(3))); sys.stdin.read()")
    console.type("go\n")
    assert console.wait_for("got (.*)\n", LIMIT)[1] == r"b'go\r'"


def test_wait_begins_where_it_is_told(start: Start) -> None:
    console = start("print('ready'); sys.stdin.buffer.read(1); print('ready'); sys.stdin.read()")
    console.wait_for("ready", LIMIT)
    position = console.position
    with pytest.raises(ConsoleError):
        console.wait_for("ready", 0.05, position)
    console.type("x")
    console.wait_for("ready", LIMIT, position)


def test_failure_tells_the_last_lines(start: Start) -> None:
    console = start("print('U-Boot 2023.01'); sys.stdin.read()")
    console.wait_for("U-Boot", LIMIT)
    with pytest.raises(ConsoleError, match=r"'=> ' was expected .* 0\.01 s.*\nU-Boot 2023\.01"):
        console.wait_for("=> ", 0.01)


def test_board_that_ends_is_not_waited_for(start: Start) -> None:
    console = start("print('cannot load firmware')")
    began = time.monotonic()
    with pytest.raises(ConsoleError, match=r"the board ended.*\ncannot load firmware"):
        console.wait_for("=> ", 6 * LIMIT)
    assert time.monotonic() - began < LIMIT


def test_board_that_is_off_takes_no_keys(start: Start) -> None:
    console = start("pass")
    with pytest.raises(ConsoleError):
        console.wait_for("=> ", LIMIT)

    def refusal() -> str:
        try:
            console.type("reset\n")
        except ConsoleError as error:
            return str(error)
        return ""  # Its output has ended, but it has not.

    assert wait_until(refusal) == "The board is off, so 'reset' cannot be typed."


def test_control_sequences_are_left_out_also_when_they_come_in_two_parts(start: Start) -> None:
    console = start(
        "out = sys.stdout.buffer\n"
        "out.write(b'\\x1b[2J\\x1b[01;01H\\x1b[0')\n"
        "sys.stdin.buffer.read(1)\n"
        "out.write(b'm>>Start \\x1b=PXE\\x00\\n')\n"
        "sys.stdin.read()"
    )
    wait_until(console.path.exists)
    console.type("x")
    console.wait_for("PXE\n", LIMIT)
    assert console.text() == ">>Start PXE\n"


def test_octets_that_are_no_text_are_shown_as_such(start: Start) -> None:
    console = start("sys.stdout.buffer.write(b'\\xff\\xfe ok\\n')")
    console.wait_for("ok", LIMIT)
    assert console.text() == "\\xff\\xfe ok\n"
