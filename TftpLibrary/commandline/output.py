"""Standard output and standard error: whole lines, and one live line on a terminal.

A program that starts a server may stop reading its output, or end. The server goes on.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from typing import TextIO

_USUAL_WIDTH = 80
"""Columns of a terminal that does not know its width."""


class Output:
    """A stream that people or a program read line by line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._progress_width = 0
        self.is_terminal = stream.isatty()

    def is_ready(self) -> bool:
        """Returns whether a line can be written without waiting for the reader."""
        try:
            return bool(select.select([], [self._stream], [], 0)[1])
        except (OSError, ValueError):
            # The stream is no file, or select() takes only sockets (Windows).
            return True

    def line(self, text: str) -> None:
        """Prints a line above the live line."""
        self._write(f"{self._cleared()}{text}\n")

    def progress(self, text: str) -> None:
        """Shows the live line, on a terminal only; empty text removes it."""
        if self.is_terminal:
            shown = text[: self._width() - 1]
            cleared = self._cleared()
            self._progress_width = len(shown)
            self._write(f"{cleared}{shown}")

    def _width(self) -> int:
        """Columns of this terminal. The other standard stream may be something else."""
        with suppress(OSError, ValueError):
            return os.get_terminal_size(self._stream.fileno()).columns or _USUAL_WIDTH
        return _USUAL_WIDTH

    def _cleared(self) -> str:
        """Returns the text that removes the live line: spaces, which every terminal can show."""
        width, self._progress_width = self._progress_width, 0
        return f"\r{' ' * width}\r" if width else ""

    def _write(self, text: str) -> None:
        if not text:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._give_up()

    def _give_up(self) -> None:
        """Sends everything from now on nowhere, since the reader is gone."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def output() -> Output:
    """Returns standard output."""
    return Output(_lenient(sys.stdout))


def errors() -> Output:
    """Returns standard error."""
    return Output(_lenient(sys.stderr))


def _lenient(stream: TextIO) -> TextIO:
    """Lets a stream escape characters that its encoding does not have."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return stream
