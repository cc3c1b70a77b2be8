"""The interfaces between an engine, its sessions and their channels.

Each part can be replaced: a test gives the engine a session of its own, and any `Channel` can carry
a transfer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from TftpLibrary.engine.deadlines import Timed
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.poller import Handler
from TftpLibrary.protocol.datagrams import Observer
from TftpLibrary.recording.entry import Writer
from TftpLibrary.recording.records import Transfer

Receive = Callable[[int, int], bytes]
"""Takes one datagram, as `socket.recv` does. Arguments: the most octets to take, and flags."""
ReceiveInto = Callable[[memoryview, int], tuple[int, int]]
"""Receives into a buffer, with flags, in one call. Returns the octets received, and the octets of
each datagram among them; the last datagram may be shorter."""


class Live(Handler, Timed, Protocol):
    """A session as the engine sees it."""

    @property
    def descriptors(self) -> tuple[tuple[int, Handler], ...]:
        """The sockets to watch and who handles them; the first is the session's own."""

    def settle(self) -> None:
        """The session runs alone and was not over in its first turn: it may last."""

    def run_alone(self) -> None:
        """No other session runs: wait for the socket here, for a moment."""

    def handle_writable(self) -> None:
        """The socket's send buffer has room."""

    def handle_timeout(self, now: float) -> None:
        """The deadline passed."""

    def shift(self, seconds: float) -> None:
        """It stood still for so long."""

    def stop(self, reason: str = ...) -> Transfer | None:
        """Ends at once."""

    def sample(self, now: float) -> None:
        """Notes its progress, now and then."""

    def report(self, now: float) -> None:
        """Brings its record up to date."""


class Runner(Writer, Protocol):
    """The engine as a session sees it."""

    def add(self, session: Live) -> None:
        """Calls `ready` whenever the session's socket has a datagram."""

    def remove(self, session: Live) -> None:
        """The session is over; its sockets are about to be closed."""

    def rest(self, session: Live) -> None:
        """The session has moved its file, and stays only to repeat its last ACK."""

    def arm(self, session: Live) -> None:
        """The session's deadline may have come nearer."""

    def want_write(self, session: Live) -> None:
        """Calls `handle_writable` once the session's socket takes more."""


class Alarm(Timed, Protocol):
    """Something that the engine calls at its deadline, and that is no session."""

    def handle_timeout(self, now: float) -> None:
        """The deadline passed."""

    def fail(self, error: BaseException) -> None:
        """An exception of our own came out of another method."""


class Alarms(Protocol):
    """The engine as those see it who need the time or a socket, and are no session."""

    def set_alarm(self, alarm: Alarm) -> None:
        """Calls `handle_timeout` at the deadline, which may have come nearer."""

    def drop_alarm(self, alarm: Alarm) -> None:
        """Forgets the deadline."""

    def watch(self, descriptor: int, handler: Handler) -> None:
        """Calls `ready` whenever the socket has a datagram."""

    def forget(self, descriptor: int) -> None:
        """Stops watching a socket; to be called before it is closed."""


class Channel(Protocol):
    """The way to one peer, as a session sees it. It knows nothing of TFTP.

    `receive` and `receive_into` are called for each datagram, so they may be attributes bound
    straight to the socket. They change during a transfer: look them up again in each turn.
    Both raise `BlockingIOError` when nothing is there, `ConnectionError` when the peer closed its
    port, and another `OSError` when the network reports trouble.
    """

    @property
    def peer(self) -> Address:
        """The peer's address."""

    @property
    def local(self) -> Address:
        """This end's address."""

    @property
    def segment(self) -> int:
        """Octets of a full DATA datagram."""

    @property
    def is_open(self) -> bool:
        """Whether datagrams can still come and go."""

    @property
    def may_block(self) -> bool:
        """Whether a lone session may wait in `receive` and `receive_into` for a moment."""

    @property
    def receive(self) -> Receive:
        """Takes a control packet."""

    @property
    def receive_into(self) -> ReceiveInto:
        """Takes DATA into a buffer."""

    def deliver(self, datagram: bytes) -> None:
        """Takes a datagram of the peer that came another way; it is received next."""

    def descriptors(self, owner: Handler) -> tuple[tuple[int, Handler], ...]:
        """The sockets to watch and who handles them; the owner's comes first, if there is one."""

    def send(self, datagram: bytes) -> None:
        """Sends a control packet."""

    def send_frame(self, frame: memoryview) -> None:
        """Sends one framed DATA: the data path of lock-step."""

    def send_window(self, frames: memoryview) -> bool:
        """Sends framed DATA in one call: the data path of windows. Returns whether it left."""

    def send_frames(self, frames: memoryview) -> int:
        """Sends framed DATA, one datagram for each segment. Returns the octets that left."""

    def make_room(self) -> None:
        """A file comes this way: asks for a larger receive buffer."""

    def merge(self) -> None:
        """Only DATA comes from here on: one `receive_into` may take many datagrams."""

    def settle(self) -> list[bytes]:
        """The transfer lasts. Returns what the peer sent before this; deliver it. Idempotent."""

    def tap(self, observe: Observer | None) -> None:
        """Shows each datagram from now on to an observer; to nobody any more if it is None."""

    def close(self) -> None:
        """Releases what the channel has of its own. Idempotent."""
