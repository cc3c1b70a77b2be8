"""The serial console of an emulated board: it is read at once, kept in a file, and waited for."""

from __future__ import annotations

import codecs
import re
import subprocess
import threading
import time
from pathlib import Path

SLICE = 0.1
"""Seconds of one wait, so that Robot's time-outs and Ctrl-C get through."""

_LAST_LINES = 25
_CHUNK = 4096
# Sequences that move the cursor and colour the text: firmware draws with them.
_CONTROL_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][0-9A-Za-z]|\x1b[=>]|[\x00\x07\x0f]"
)


class ConsoleError(AssertionError):
    """The console did not show what was expected; the text has its last lines."""

    ROBOT_SUPPRESS_NAME = True


class Console:
    """The console of one board.

    Args:
        emulator: its output is what the board prints, its input what is typed; both unbuffered.
        path: the file that keeps all of it.
    """

    def __init__(self, emulator: subprocess.Popen[bytes], path: Path) -> None:
        assert emulator.stdin
        assert emulator.stdout
        self.path = path
        self._output, self._keys = emulator.stdout, emulator.stdin
        self._file = path.open("w", encoding="utf-8")
        self._text = ""
        self._has_ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, name="console", daemon=True)
        self._thread.start()

    @property
    def position(self) -> int:
        """How much the board has printed so far; waits may begin there."""
        return len(self._text)

    def text(self, since: int = 0) -> str:
        """Returns what the board printed, without control sequences."""
        return self._text[since:]

    def type(self, text: str) -> None:
        """Types text; a newline is the Enter key.

        Raises:
            ConsoleError: the board is off.
        """
        try:
            self._keys.write(text.replace("\n", "\r").encode())
            self._keys.flush()
        except (OSError, ValueError):
            raise ConsoleError(f"The board is off, so '{text.strip()}' cannot be typed.") from None

    def wait_for(self, pattern: str, timeout: float, since: int = 0) -> re.Match[str]:
        """Waits until the board has printed something and returns the match.

        Args:
            pattern: a regular expression; `^` is the beginning of a line, `$` its end, or that of
                what has come so far.
            timeout: seconds.
            since: where to begin, see `position`.

        Raises:
            ConsoleError: it did not come, or the board ended before.
        """
        expression = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + timeout
        with self._changed:
            while not (match := expression.search(self._text, since)):
                left = deadline - time.monotonic()
                if self._has_ended or left <= 0:
                    raise self._missing(pattern, timeout)
                self._changed.wait(min(left, SLICE))
        return match

    def close(self) -> None:
        """Waits until everything is read; the board's process must have ended."""
        self._thread.join(5)
        for end in (self._output, self._keys):
            try:
                end.close()
            except OSError:
                continue  # The last text could not be written: the board was off.

    def _missing(self, pattern: str, timeout: float) -> ConsoleError:
        why = "the board ended" if self._has_ended else f"it did not come in {timeout:g} s"
        lines = self._text.splitlines()[-_LAST_LINES:]
        last = "\n".join(lines) if lines else "nothing at all"
        return ConsoleError(
            f"'{pattern}' was expected on the console, but {why}. The last it printed:\n{last}"
        )

    def _read(self) -> None:
        decode = codecs.getincrementaldecoder("utf-8")("backslashreplace").decode
        rest = ""
        with self._file as file:
            while octets := self._output.read(_CHUNK):
                # A control sequence may be cut in two: the second half comes with the next octets.
                whole, rest = _whole_sequences(rest + decode(octets))
                file.write(self._add(whole))
                file.flush()
            file.write(self._add(rest))
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _add(self, text: str) -> str:
        clean = _CONTROL_SEQUENCE.sub("", text).replace("\r", "")
        with self._changed:
            self._text += clean
            self._changed.notify_all()
        return clean


def _whole_sequences(text: str) -> tuple[str, str]:
    start = text.rfind("\x1b", -12 if len(text) > 12 else 0)
    if start >= 0 and not _CONTROL_SEQUENCE.match(text, start):
        return text[:start], text[start:]
    return text, ""
