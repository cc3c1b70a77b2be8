"""The requests of a server's transfers: a copy of one, and a new one that looks the same."""

from __future__ import annotations

from time import monotonic, time

from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.session import Session

_MOST_ENDED = 1000
"""Requests of ended transfers that are remembered while more requests wait."""


class Requests:
    """The requests of running transfers, and of those that ended just now. Engine's thread only."""

    def __init__(self) -> None:
        self._running: dict[Address, bytes] = {}
        self._ended: dict[tuple[Address, bytes], float] = {}

    def begin(self, peer: Address, request: bytes) -> None:
        """A transfer began."""
        self._running[peer] = request

    def end(self, peer: Address, session: Session) -> None:
        """The session with a peer is over."""
        if peer not in self._running:
            return
        if len(self._ended) >= _MOST_ENDED:
            self._ended.clear()
        # A copy of the request comes early in the transfer. A later one may be a new request from
        # the same port: the peer is done before its last ACK is read here, but not before its last
        # DATA has left.
        now, begun = monotonic(), session.entry.begun
        early = min((begun + now) / 2, session.machine.answered_at)
        self._ended[peer, self._running.pop(peer)] = time() - (now - early)

    def is_running(self, peer: Address, request: bytes) -> bool:
        """Whether this is the request of the running transfer of a peer."""
        return self._running.get(peer) == request

    def forget_ended(self) -> None:
        """No more requests wait: none of them can be a copy."""
        self._ended.clear()

    def has_ended(self, peer: Address, request: bytes, came: float) -> bool:
        """Whether it is a copy that lay here while its transfer ran; a lone one may be over by now.

        Args:
            peer: who asks.
            request: the datagram.
            came: when it came, in seconds of the wall clock.
        """
        return came <= self._ended.get((peer, request), 0.0)

    def is_repeated(self, session: Session, peer: Address, request: bytes, came: float) -> bool:
        """Whether the peer only repeats its request (RFC 1350 section 4: not a second transfer).

        A peer that asks again after a silence, or asks for something else, has started anew; then
        its session ends.

        Args:
            session: the present one of the peer.
            peer: who asks.
            request: the datagram.
            came: when it came, in seconds of the wall clock.
        """
        # Its last ACK may still lie in its own socket: some boards soon use a port again.
        session.catch_up()
        if not session.channel.is_open:
            # Over just now: a copy that came early in the transfer lay here longer than its ACK.
            return self.has_ended(peer, request, came)
        is_same = self.is_running(peer, request)
        is_running = session.is_half_open or not session.is_silent
        if is_same and session.entry.end is None and is_running:
            return True
        # Without an ERROR: the peer would take it for the answer to its new request.
        session.lose("a new request came from the same port")
        return False
