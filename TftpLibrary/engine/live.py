"""What an engine and what it runs ask of each other."""

from __future__ import annotations

from typing import Protocol

from TftpLibrary.engine.deadlines import Timed
from TftpLibrary.engine.poller import Handler
from TftpLibrary.recording.entry import Writer
from TftpLibrary.recording.records import Transfer


class Live(Handler, Timed, Protocol):
    """A session as the engine sees it."""

    @property
    def descriptors(self) -> tuple[tuple[int, Handler], ...]:
        """The sockets to watch and who handles them; the first is the session's own."""

    def settle(self) -> None:
        """It was not over in its first turn, and is the only one."""

    def run_alone(self) -> None:
        """No other session runs: wait for the socket here, for a moment."""

    def handle_writable(self) -> None:
        """The socket's send buffer has room."""

    def handle_timeout(self, now: float) -> None:
        """The deadline passed."""

    def stop(self, reason: str = ...) -> Transfer | None:
        """Ends at once."""

    def sample(self, now: float) -> None:
        """Notes how far it is, now and then."""

    def report(self, now: float) -> None:
        """Brings its record up to date."""


class Driver(Writer, Protocol):
    """The engine as a session sees it."""

    def add(self, session: Live) -> None:
        """Call `ready` whenever the session's socket has a datagram."""

    def remove(self, session: Live) -> None:
        """The session is over; its sockets are about to be closed."""

    def rest(self, session: Live) -> None:
        """The session has moved its file, and stays only to repeat its last ACK."""

    def arm(self, session: Live) -> None:
        """The session's deadline may have come nearer."""

    def want_write(self, session: Live) -> None:
        """Call `handle_writable` once the session's socket takes more."""
