"""Standard output and standard error: whole lines, and one live line on a terminal.

A program that starts a server may never read what it prints, or go away. Neither stops the server.
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
    """One stream to people, or to a program that reads lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._progress_width = 0
        self.is_terminal = stream.isatty()

    def is_ready(self) -> bool:
        """Returns whether a line can be written without waiting for the reader."""
        try:
            return bool(select.select([], [self._stream], [], 0)[1])
        except (OSError, ValueError):
            # No file, or no socket where select() takes nothing else (Windows).
            return True

    def line(self, text: str) -> None:
        """Prints a line, above the live line."""
        self._write(f"{self._cleared()}{text}\n")

    def progress(self, text: str) -> None:
        """Shows the live line, on a terminal only; empty text removes it."""
        if self.is_terminal:
            shown = text[: self._width() - 1]
            cleared = self._cleared()
            self._progress_width = len(shown)
            self._write(f"{cleared}{shown}")

    def _width(self) -> int:
        """Columns of this terminal; standard output may be a file while standard error is one."""
        with suppress(OSError, ValueError):
            return os.get_terminal_size(self._stream.fileno()).columns or _USUAL_WIDTH
        return _USUAL_WIDTH

    def _cleared(self) -> str:
        """What removes the live line; spaces, since not every terminal knows more."""
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
        """The reader is gone: what is still to be written goes nowhere."""
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
    """A name that the terminal's encoding does not have must not end the program."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return stream
