"""The admission of requests: the limits of one server, and its refusals."""

from __future__ import annotations

from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.session import Session
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.settings import ServerSettings

_HALF_OPEN_GRACE = 0.02
"""Seconds for which an unanswered request keeps its place, even if newer ones need it."""


class Refusal(Exception):
    """A request is answered with ERROR.

    Attributes:
        code: the error code.
        public: the text for the peer.
        reason: the text for the record.
        cause: the reason as a value; None where it has no name.
        traceback: that of an exception of our own, where it is the reason.
    """

    def __init__(
        self,
        code: int,
        public: str,
        reason: str = "",
        cause: Cause | None = None,
        traceback: str = "",
    ) -> None:
        super().__init__(public)
        self.cause = cause
        self.code = code
        self.public = public
        self.reason = reason or public
        self.traceback = traceback


class Admission:
    """The sessions of one server, counted against its limits. Engine's thread only."""

    def __init__(self) -> None:
        self._sessions: dict[Address, Session] = {}
        self._half_open: dict[Session, None] = {}
        self._per_client: dict[str, int] = {}

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Every session, in the order of the requests."""
        return tuple(self._sessions.values())

    def __len__(self) -> int:
        """The number of sessions."""
        return len(self._sessions)

    def find(self, peer: Address) -> Session | None:
        """Returns the session with a peer."""
        return self._sessions.get(peer)

    def check(self, client: str, settings: ServerSettings, now: float) -> None:
        """Refuses a request over the limits.

        When all places are taken, sessions that only wait give way: those that stay to repeat
        their last ACK, and the oldest one whose peer has not answered (it may be spoofed).

        Raises:
            Refusal: with the limit in its reason.
        """
        if settings.max_transfers_per_client is not None:
            self._check_client(client, settings.max_transfers_per_client)
        half_open = settings.max_half_open or settings.max_transfers
        if len(self._half_open) < half_open and len(self._sessions) < settings.max_transfers:
            return
        self._sweep(client, now)
        if len(self._half_open) >= half_open:
            raise _busy(
                f"the limit of {half_open} unanswered requests at once is reached", Cause.half_open
            )
        if len(self._sessions) >= settings.max_transfers:
            reason = f"the limit of {settings.max_transfers} transfers at once is reached"
            raise _busy(reason, Cause.transfers)

    def add(self, peer: Address, client: str, session: Session) -> None:
        """A session began."""
        self._sessions[peer] = session
        self._half_open[session] = None
        self._per_client[client] = self._per_client.get(client, 0) + 1

    def forget(self, peer: Address, client: str, session: Session) -> None:
        """A session is over."""
        self._half_open.pop(session, None)
        if self._sessions.get(peer) is session:
            del self._sessions[peer]
        left = self._per_client.pop(client) - 1
        if left:
            self._per_client[client] = left

    def _check_client(self, client: str, limit: int) -> None:
        if self._per_client.get(client, 0) >= limit:
            self._close_ended(client)
        if self._per_client.get(client, 0) >= limit:
            reason = f"the limit of {limit} transfers at once for one client is reached"
            raise _busy(reason, Cause.transfers_of_client)

    def _close_ended(self, client: str) -> None:
        """Drops a client's sessions that only wait, or that a datagram already here ends."""
        for session in self.sessions:
            if session.entry.transfer.client == client:
                session.catch_up()
            if session.entry.end is not None:
                session.close()

    def _sweep(self, client: str, now: float) -> None:
        self._close_ended(client)
        for session in tuple(self._half_open):
            if not session.is_half_open:
                del self._half_open[session]
        oldest = next(iter(self._half_open), None)
        if oldest is not None and now - oldest.entry.begun > _HALF_OPEN_GRACE:
            oldest.lose("no answer yet, and newer requests needed the place")


def _busy(reason: str, cause: Cause) -> Refusal:
    return Refusal(ErrorCode.not_defined, "Server busy, try again later", reason, cause)
