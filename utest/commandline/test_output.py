"""The streams of the command line: lines, the live line, readers that do not read."""

from __future__ import annotations

import io
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import pytest

from TftpLibrary.commandline import output as module
from TftpLibrary.commandline.output import Output
from utest.support.stores import posix_only


def open_terminal(columns: int) -> tuple[int, int]:
    """Returns the descriptors of both ends: its own, and that of what runs in it."""
    if sys.platform == "win32":
        raise NotImplementedError
    import fcntl  # noqa: PLC0415 - there are no such modules on Windows
    import termios  # noqa: PLC0415

    own, inside = os.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    return own, inside


class Terminal:
    """A pseudo-terminal.

    Attributes:
        stream: what a program writes to.
    """

    def __init__(self, columns: int) -> None:
        self._reading, writing = open_terminal(columns)
        self.stream = os.fdopen(writing, "w")

    def close(self) -> str:
        """Returns all that appeared on it."""
        self.stream.close()
        shown = b""
        # Linux tells the end by an error, other systems by nothing.
        with suppress(OSError):
            while octets := os.read(self._reading, 1000):
                shown += octets
        os.close(self._reading)
        return shown.decode().replace("\r\n", "\n")


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """The reading end, and a stream to the writing end."""
    reading, writing = os.pipe()
    stream = os.fdopen(writing, "w", encoding="ascii", errors="strict")
    yield reading, stream
    stream.close()


def fill(pipe: int) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        while True:
            os.write(pipe, b"x" * 1000)


def test_line_is_written_at_once(pipe: tuple[int, TextIO]) -> None:
    reading, stream = pipe
    Output(stream).line("serving")
    assert os.read(reading, 100) == b"serving" + os.linesep.encode()
    os.close(reading)


@posix_only
def test_live_line_is_replaced_and_removed() -> None:
    terminal = Terminal(20)
    output = Output(terminal.stream)
    output.progress("10 %")
    output.progress("9 %")
    output.line("done")
    output.progress("")
    assert terminal.close() == "10 %\r    \r9 %\r   \rdone\n"


@posix_only
@pytest.mark.parametrize(("columns", "length"), [(20, 19), (0, 79)])
def test_live_line_is_no_longer_than_the_terminal(columns: int, length: int) -> None:
    """A terminal that does not know its width has 80 columns."""
    terminal = Terminal(columns)
    Output(terminal.stream).progress("x" * 100)
    assert terminal.close() == "x" * length


def test_live_line_is_never_written_to_a_file() -> None:
    stream = io.StringIO()
    output = Output(stream)
    output.progress("10 %")
    output.line("done")
    assert stream.getvalue() == "done\n"


def test_stream_that_is_no_file_is_always_ready() -> None:
    assert Output(io.StringIO()).is_ready()


@pytest.mark.skipif(sys.platform == "win32", reason="select() knows no pipes there")
def test_pipe_that_nobody_reads_is_not_ready(pipe: tuple[int, TextIO]) -> None:
    reading, stream = pipe
    output = Output(stream)
    assert output.is_ready()
    fill(stream.fileno())
    assert not output.is_ready()
    os.close(reading)


def test_reader_that_went_away_ends_the_output_and_not_the_program(
    pipe: tuple[int, TextIO],
) -> None:
    reading, stream = pipe
    os.close(reading)
    output = Output(stream)
    output.line("nobody reads this")
    assert os.path.samestat(os.fstat(stream.fileno()), Path(os.devnull).stat())
    output.line("nor this")


def test_closed_stream_is_no_trouble() -> None:
    stream = io.StringIO()
    output = Output(stream)
    stream.close()
    assert output.is_ready()
    output.line("lost")


def test_standard_streams_take_every_character(
    monkeypatch: pytest.MonkeyPatch, pipe: tuple[int, TextIO]
) -> None:
    reading, stream = pipe
    monkeypatch.setattr(sys, "stdout", stream)
    module.output().line("\udcff \u2713")
    assert os.read(reading, 100).strip() == rb"\udcff \u2713"
    os.close(reading)


def test_standard_streams_may_be_replaced_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    module.errors().line("text")
    assert stream.getvalue() == "text\n"
