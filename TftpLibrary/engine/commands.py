"""Commands: functions that another thread has the engine run, and what wakes it for them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class WakeUp:
    """Empties the wake-up socket; the commands run at the end of the turn."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def ready(self) -> None:
        """Another thread has a command."""
        with contextlib.suppress(BlockingIOError):
            while self._sock.recv(4096):
                pass

    def fail(self, error: BaseException) -> None:
        """Cannot happen."""


class Command(Generic[T]):
    """A function that another thread waits for."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._done = threading.Event()
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Runs it; on the engine's thread."""
        try:
            self._result.append(self._function())
        except BaseException as error:
            self._error = error
        self._done.set()

    def fail(self, error: BaseException) -> None:
        """Gives an error instead of a result."""
        self._error = error
        self._done.set()

    def wait(self) -> T:
        """Waits for the result; on the thread that asked."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._result[0]
