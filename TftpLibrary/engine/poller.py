"""Waits for sockets: with epoll where there is one, otherwise with the selectors module."""

from __future__ import annotations

import select
import selectors
from typing import Protocol

WRITABLE = 4
"""EPOLLOUT: a socket with this event alone takes more, and has nothing to read."""


class Handler(Protocol):
    """Something with a socket that is read on the engine's thread."""

    def ready(self) -> None:
        """The socket has a datagram, or an error."""

    def fail(self, error: BaseException) -> None:
        """An exception of our own came out of another method."""


class Poller:
    """The sockets of one engine and the handler of each. Engine's thread only."""

    def __init__(self) -> None:
        self.handlers: dict[int, Handler] = {}
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._selector = None if self._epoll else selectors.DefaultSelector()

    def add(self, descriptor: int, handler: Handler) -> None:
        """Watches a socket for datagrams."""
        self.handlers[descriptor] = handler
        if self._epoll is not None:
            try:
                self._epoll.register(descriptor, select.EPOLLIN)
            except FileExistsError:
                # It was dropped, and another handler took it over before it was closed.
                self._epoll.modify(descriptor, select.EPOLLIN)
        elif self._selector is not None:
            self._selector.register(descriptor, selectors.EVENT_READ)

    def want_write(self, descriptor: int, *, is_wanted: bool) -> None:
        """Watches a socket for room in its send buffer too, or no longer."""
        if self._epoll is not None:
            self._epoll.modify(descriptor, select.EPOLLIN | (select.EPOLLOUT if is_wanted else 0))
        elif self._selector is not None:
            write = selectors.EVENT_WRITE if is_wanted else 0
            self._selector.modify(descriptor, selectors.EVENT_READ | write)

    def remove(self, descriptor: int) -> None:
        """Stops watching a socket; before it is closed."""
        if self.handlers.pop(descriptor, None) is None:
            return
        if self._epoll is not None:
            self._epoll.unregister(descriptor)
        elif self._selector is not None:
            self._selector.unregister(descriptor)

    def drop(self, descriptor: int) -> None:
        """Forgets a socket that is closed next: closing is all that epoll needs."""
        if self._epoll is None:
            self.remove(descriptor)
        else:
            self.handlers.pop(descriptor, None)

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
        if self._epoll is not None:
            return self._epoll.poll(-1 if timeout is None else timeout)
        assert self._selector is not None
        return [
            (key.fd, WRITABLE if mask == selectors.EVENT_WRITE else 0)
            for key, mask in self._selector.select(timeout)
        ]

    def close(self) -> None:
        """Closes the descriptor of the poller itself."""
        self.handlers.clear()
        if self._epoll is not None:
            self._epoll.close()
        if self._selector is not None:
            self._selector.close()
