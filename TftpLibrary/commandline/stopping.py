"""The signals that end a command which runs until then."""

from __future__ import annotations

import signal
from types import FrameType

STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK")
"""Signals that end the server. SIGBREAK is Ctrl-Break on Windows; a parent can send it there."""


class StopFlag:
    """A flag that a signal sets while the block runs.

    The handler does nothing else, since it may run between any two steps of this thread.
    """

    def __init__(self) -> None:
        self.is_set = False
        numbers = [getattr(signal, name) for name in STOP_SIGNALS if hasattr(signal, name)]
        self._handlers = {number: signal.getsignal(number) for number in numbers}

    def __enter__(self) -> StopFlag:
        for number in self._handlers:
            signal.signal(number, self._set)
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _set(self, _number: int, _frame: FrameType | None) -> None:
        self.is_set = True
