"""The live side of a transfer: one machine, one channel, one file, one record.

A session gives each datagram to its machine, sends the machine's packets, and reports to its
`Entry` how far the transfer is and how it ended. `sending` and `receiving` hold the two kinds, each
with its data path.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from TftpLibrary.engine.contracts import Channel, Runner
from TftpLibrary.engine.poller import Handler
from TftpLibrary.protocol.machine import Transmit
from TftpLibrary.protocol.options import Agreement
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.protocol.receiver import Receiver
from TftpLibrary.protocol.sender import Sender
from TftpLibrary.recording.entry import Entry, Tally
from TftpLibrary.recording.records import Transfer
from TftpLibrary.store.base import StoreError

TURNS_ALONE = 64
"""Datagrams that a lone session takes before the engine looks for a new request."""
STOPPING = "The server was stopped"
PEER_CLOSED = "the peer closed its port"
DEFECT = "Internal error"
"""The only text that a peer gets for an exception of our own."""


class Context(NamedTuple):
    """The surroundings of a session: everything but its channel, its machine and its file.

    Attributes:
        engine: runs the session.
        entry: the record, opened.
        agreement: the options.
        max_duration: seconds until the session is cut.
        forget: called once, when the session is over: its owner drops it. None without an owner.
    """

    engine: Runner
    entry: Entry
    agreement: Agreement
    max_duration: float
    forget: Callable[[Session], None] | None


def explain_defect(error: BaseException) -> tuple[str, str]:
    """Returns what a record says of an exception of our own: a sentence, and the traceback."""
    import traceback  # noqa: PLC0415 - hopefully never needed

    lines = traceback.format_exception(error)
    return f"internal error: {error!r}, please report it", "".join(lines)


class Session(ABC):
    """The common part of both kinds of session: life, time and record.

    The transfer has ended when `entry` has an end. The session is over when `channel` is closed,
    which for a receiver is later: it stays to repeat its last ACK.
    """

    machine: Sender | Receiver

    def __init__(self, context: Context, channel: Channel) -> None:
        self.armed = float("inf")
        self.channel = channel
        self.entry = context.entry
        self._context = context
        self._latest = context.entry.begun + context.max_duration

    # For the engine ------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When `handle_timeout` is due."""
        deadline = self.machine.deadline
        return self._latest if deadline is not None and deadline > self._latest else deadline

    @property
    def descriptors(self) -> tuple[tuple[int, Handler], ...]:
        """The sockets to watch and who handles them; the first is the session's own."""
        return self.channel.descriptors(self)

    @abstractmethod
    def ready(self) -> None:
        """The channel has a datagram."""

    def take(self, datagram: bytes) -> None:
        """A datagram of the peer came, but not through a socket of the channel."""
        self.channel.deliver(datagram)
        self.catch_up()

    def reroute(self, channel: Channel) -> None:
        """Goes on through another channel, which stands before the present one."""
        self.channel = channel

    def catch_up(self) -> None:
        """Takes a datagram that may have come: a request must not overtake an ACK before it."""
        if self.channel.is_open:
            try:
                self.ready()
            except Exception as error:
                self.fail(error)

    def settle(self) -> None:
        """The session was not over soon: it may last."""
        try:
            early = self.channel.settle()
        except OSError:
            # It goes on unconnected; the deadline decides.
            return
        for datagram in early:
            self.take(datagram)

    @abstractmethod
    def run_alone(self) -> None:
        """The channel is the only one that is busy: wait for it here, for a moment."""

    @abstractmethod
    def handle_writable(self) -> None:
        """The channel takes more."""

    def handle_timeout(self, now: float) -> None:
        """The deadline passed."""
        if now >= self._latest:
            limit = self._context.max_duration
            self.machine.abort(ErrorCode.not_defined, f"Transfer took over {limit:g} s")
        else:
            self.machine.handle_timeout(now)
        self.flush(now)

    def shift(self, seconds: float) -> None:
        """It stood still for so long, see `Engine.freeze`."""
        self.machine.shift(seconds)

    def fail(self, error: BaseException) -> None:
        """An exception of our own code: ends this session, and nothing else."""
        message, traceback = explain_defect(error)
        self.machine.abort(ErrorCode.not_defined, DEFECT)
        try:
            for transmit in self.machine.transmits():
                self._send(transmit)
        finally:
            try:
                self.close()
            finally:
                end = End(Outcome.failed, ErrorCode.not_defined, message)
                self.entry.finish(end, self._tally(), monotonic(), traceback)

    # For the owner -------------------------------------------------------------------------

    def begin(self, now: float) -> None:
        """Sends the first packet, and goes on when there is an answer."""
        self._context.engine.add(self)
        self.flush(now)

    def stop(self, reason: str = STOPPING) -> Transfer | None:
        """Ends the session at once, with an ERROR to the peer.

        Returns:
            The record if a transfer was cut short; None if it had ended.
        """
        was_running = self.entry.end is None
        self.machine.abort(ErrorCode.not_defined, reason, Outcome.aborted)
        try:
            self.flush(monotonic())
            self.close()
        except Exception as error:
            # A caller that stops many sessions has to go on with the others.
            self.fail(error)
        return self.entry.transfer if was_running else None

    def lose(self, text: str) -> None:
        """Ends the session without a packet: there is nobody to send it to."""
        self.machine.lose(text)
        self.flush(monotonic())

    def vanish(self, reason: str) -> None:
        """Ends the session without a packet, on purpose."""
        self.machine.lose(reason, Outcome.aborted)
        self.flush(monotonic())
        self.close()

    def close(self) -> None:
        """Releases everything. Idempotent."""
        if self.channel.is_open:
            self._context.engine.remove(self)
            if self._context.forget is not None:
                self._context.forget(self)
            self.channel.close()
            self._release()

    @property
    def agreement(self) -> Agreement:
        """The options of the transfer."""
        return self._context.agreement

    @property
    def is_half_open(self) -> bool:
        """Whether the peer has not shown yet that it hears us."""
        return self.machine.is_half_open

    @property
    def is_silent(self) -> bool:
        """Whether two deadlines in a row have passed; a single one may be a short delay."""
        return self.machine.is_silent

    def sample(self, now: float) -> None:
        """Notes how far the transfer is, now and then."""
        self._context.engine.arm(self)
        if self.entry.is_sample_due(now):
            self.settle()
            self.entry.sample(self._tally(), now)

    def report(self, now: float) -> None:
        """Brings the record up to date."""
        self.entry.progress(self._tally(), now - self.machine.answered_at, now)

    # Inside --------------------------------------------------------------------------------

    def flush(self, now: float) -> None:
        """Does what the machine says: sends, records the end, arms the deadline."""
        machine = self.machine
        while transmits := machine.transmits():
            for transmit in transmits:
                self._send(transmit)
        is_over = machine.is_over
        try:
            if is_over:
                # Before the record ends: those who wait for it find the file released.
                self.close()
        finally:
            if machine.end is not None and self.entry.end is None:
                self.entry.remark(*machine.remarks)
                self.entry.finish(machine.end, self._tally(), now)
                self._context.engine.rest(self)
        if not is_over:
            self._context.engine.arm(self)

    def _send(self, transmit: Transmit) -> None:
        assert isinstance(transmit, bytes)
        try:
            self.channel.send(transmit)
        except ConnectionError:
            self.machine.lose(PEER_CLOSED)
        except OSError:
            # It could not leave: the same as lost on the way. The deadline repeats it.
            pass

    def _break_off(self, error: StoreError) -> None:
        """The store gave up: the peer gets its code, the record its reason."""
        self.machine.abort(error.code, error.public, reason=str(error), cause=error.cause)

    @abstractmethod
    def _tally(self) -> Tally:
        """How far the transfer is: what has arrived."""

    @abstractmethod
    def _release(self) -> None:
        """Closes the file."""
