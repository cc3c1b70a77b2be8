"""Waits for sockets: with epoll where there is one, otherwise with the selectors module."""

from __future__ import annotations

import contextlib
import select
import selectors
import sys
import threading
from pathlib import Path
from typing import Protocol

_READABLE = 1
"""EPOLLIN."""
_FINE = 0.003
"""Seconds; a shorter wait is fine: epoll knows whole milliseconds only, and rounds up."""
_MOST_SELECTABLE = 1024
WRITABLE = 4
"""EPOLLOUT: a socket with this event alone takes more, and has nothing to read."""


class Handler(Protocol):
    """Something with a socket that is read on the engine's thread."""

    def ready(self) -> None:
        """The socket has a datagram, or an error."""

    def fail(self, error: BaseException) -> None:
        """An exception of our own came out of another method."""


class _Poll(Protocol):
    """The part of `select.epoll` that is used here."""

    def register(self, descriptor: int, events: int, /) -> None: ...
    def modify(self, descriptor: int, events: int, /) -> None: ...
    def unregister(self, descriptor: int, /) -> None: ...
    def poll(self, timeout: float, /) -> list[tuple[int, int]]: ...
    def close(self) -> None: ...


class _Selector:
    """Does the same with the selectors module."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.close = self._selector.close

    def register(self, descriptor: int, events: int, /) -> None:
        self._selector.register(descriptor, _for_selectors(events))

    def modify(self, descriptor: int, events: int, /) -> None:
        self._selector.modify(descriptor, _for_selectors(events))

    def unregister(self, descriptor: int, /) -> None:
        self._selector.unregister(descriptor)

    def poll(self, timeout: float, /) -> list[tuple[int, int]]:
        return [
            (key.fd, WRITABLE if mask == selectors.EVENT_WRITE else _READABLE)
            for key, mask in self._selector.select(None if timeout < 0 else timeout)
        ]


class Poller:
    """The sockets of one engine and the handler of each. Engine's thread only."""

    def __init__(self) -> None:
        self.handlers: dict[int, Handler] = {}
        self._poll, self._selectable = _new_poll()
        self._notices_closing = not isinstance(self._poll, _Selector)
        self._is_exact = False

    def add(self, descriptor: int, handler: Handler) -> None:
        """Watches a socket for datagrams."""
        self.handlers[descriptor] = handler
        try:
            self._poll.register(descriptor, _READABLE)
        except FileExistsError:
            # It was dropped, and another handler took it over before it was closed.
            self._poll.modify(descriptor, _READABLE)

    def want_write(self, descriptor: int, *, is_wanted: bool) -> None:
        """Watches a socket for room in its send buffer too, or no longer."""
        self._poll.modify(descriptor, _READABLE | (WRITABLE if is_wanted else 0))

    def remove(self, descriptor: int) -> None:
        """Stops watching a socket; before it is closed."""
        if self.handlers.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def drop(self, descriptor: int) -> None:
        """Forgets a socket that is closed next: closing is all that epoll needs."""
        if self._notices_closing:
            self.handlers.pop(descriptor, None)
        else:
            self.remove(descriptor)

    def poll(self, timeout: float | None) -> list[tuple[int, int]]:
        """Waits for events.

        Args:
            timeout: seconds; None waits without end.

        Returns:
            Descriptors and their events, as epoll has them: `WRITABLE` alone means room and
            nothing to read. Look each handler up when its turn comes: one that was closed
            meanwhile is no longer in `handlers`, and a new one with the same descriptor finds
            nothing to read.
        """
        if timeout is not None and 0 < timeout < _FINE and self._selectable is not None:
            if not self._is_exact:
                self._is_exact = True
                _wake_exactly()
            select.select((self._selectable,), (), (), timeout)
            timeout = 0.0
        return self._poll.poll(-1 if timeout is None else timeout)

    def close(self) -> None:
        """Closes the descriptor of the poller itself."""
        self.handlers.clear()
        self._poll.close()


def _new_poll() -> tuple[_Poll, int | None]:
    """Returns what waits for sockets, and its descriptor if `select` can wait for that."""
    if sys.platform == "linux" and hasattr(select, "epoll"):
        poll = select.epoll()
        return poll, poll.fileno() if poll.fileno() < _MOST_SELECTABLE else None
    return _Selector(), None


def _wake_exactly() -> None:
    """Gives up the slack of 50 microseconds with which Linux wakes this thread."""
    with contextlib.suppress(OSError):
        # Somebody may have forbidden it; then datagrams leave a little later.
        Path(f"/proc/{threading.get_native_id()}/timerslack_ns").write_text("1", "ascii")


def _for_selectors(events: int) -> int:
    write = selectors.EVENT_WRITE if events & WRITABLE else 0
    return selectors.EVENT_READ | write
