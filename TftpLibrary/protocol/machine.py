"""The base of the three machines: the tables of their phases, and how a machine ends.

A machine is one end of a transfer as arithmetic. Datagrams and `now` go in; packets to send, a
deadline and an end come out. The rules of the house:

- Each machine stands on a table below: phase, event, the phase that follows. Only `_follow` changes
  `phase`, and it refuses an event that the table does not have. Each machine has a second table,
  `_RECEIVE`: which method takes which packet in which phase.
- After each event the session asks in this order: `transmits()`, then `end`, then `deadline`. A
  machine never calls its session.
- `end` is set once and stays. A receiver that is dallying has its end already.
- The tables are not on the data path: it looks at `phase` only, and follows an event when the phase
  changes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, ClassVar, NamedTuple

from TftpLibrary.errors import PacketError
from TftpLibrary.protocol.blocks import HIGHEST_WIRE_BLOCK
from TftpLibrary.protocol.outcome import Cause, End, Outcome
from TftpLibrary.protocol.packets import Error, ErrorCode, Packet, decode
from TftpLibrary.protocol.retry import RetryTimer


class Phase(Enum):
    """Where a machine stands."""

    # By identity, which is quick: the tables are used a few times in each transfer.
    __hash__ = object.__hash__

    asking = "asking"
    """A client's request is out."""
    answered = "answered"
    """The server agreed: the transfer begins, with another machine."""
    half_open = "half_open"
    """The first packet is out, and the peer has not shown yet that it hears us."""
    sending = "sending"
    """A window is out, and its ACK is awaited."""
    receiving = "receiving"
    """DATA comes in."""
    closing = "closing"
    """The last block is here; the session makes the file safe before it is acknowledged."""
    dallying = "dallying"
    """The last ACK is out, and is repeated if the last DATA comes again."""
    ended = "ended"
    """Nothing is sent or taken any more; `end` says why."""


class Event(Enum):
    """An event that changes the phase of a machine."""

    __hash__ = object.__hash__

    answer = "answer"
    """The peer shows that it hears us: a request is agreed to, the first ACK or DATA comes."""
    last_ack = "last ACK"
    """The ACK of the last block came."""
    last_data = "last DATA"
    """The last block came."""
    file_safe = "file safe"
    """The session has made the received file safe."""
    error_came = "ERROR came"
    """The peer sent an ERROR."""
    error_sent = "ERROR sent"
    """This end gave up: the peer broke the rules, or the session aborted."""
    silence = "silence"
    """The deadline passed and nothing is tried again."""
    peer_gone = "peer gone"
    """There is nobody to send to any more."""


Transitions = Mapping[Phase, Mapping[Event, Phase]]
"""For each phase of a machine the events that change it, and the phase that follows."""

_BROKEN_OFF: Mapping[Event, Phase] = {
    Event.error_came: Phase.ended,
    Event.error_sent: Phase.ended,
    Event.peer_gone: Phase.ended,
}

OPENING: Transitions = {
    Phase.asking: {Event.answer: Phase.answered, Event.silence: Phase.ended, **_BROKEN_OFF},
    Phase.answered: {},
    Phase.ended: {},
}
"""A client asks; after the answer a `Sender` or a `Receiver` goes on."""

SENDER: Transitions = {
    Phase.half_open: {
        Event.answer: Phase.sending,
        Event.last_ack: Phase.ended,
        Event.silence: Phase.ended,
        **_BROKEN_OFF,
    },
    Phase.sending: {Event.last_ack: Phase.ended, Event.silence: Phase.ended, **_BROKEN_OFF},
    Phase.ended: {},
}
"""The end that sends DATA; a client's write begins as `sending`, since the server has answered."""

RECEIVER: Transitions = {
    Phase.half_open: {
        Event.answer: Phase.receiving,
        Event.last_data: Phase.closing,
        Event.silence: Phase.ended,
        **_BROKEN_OFF,
    },
    Phase.receiving: {Event.last_data: Phase.closing, Event.silence: Phase.ended, **_BROKEN_OFF},
    # No deadline: the file takes as long as it takes.
    Phase.closing: {Event.file_safe: Phase.dallying, **_BROKEN_OFF},
    # The transfer is complete, whatever comes.
    Phase.dallying: {Event.silence: Phase.ended, **_BROKEN_OFF},
    Phase.ended: {},
}
"""The end that receives DATA."""

OVER = (Phase.answered, Phase.ended)
"""The phases that no event changes."""

COMPLETED = End(Outcome.completed)

_AT_ROLLOVER = (
    f"the other end stopped at block {HIGHEST_WIRE_BLOCK}, the highest number of a block: raise "
    "blksize=, or try the other rollover="
)


class Blocks(NamedTuple):
    """DATA blocks to send, `first` to `last` inclusive, absolute numbers.

    The machine does not hold the file: the session frames the blocks, which is the data path.
    """

    first: int
    last: int


Transmit = bytes | Blocks
"""A control packet as octets, or blocks of the file."""

# The first argument is the machine itself, of the class that has the table: hence Any.
Receive = Callable[[Any, Any, float], None]
"""A method that takes one kind of packet, and `now`."""

Methods = Mapping[type[Packet], Receive]
"""The method for each kind of packet, in one phase."""


class Machine(ABC):
    """The base of opening, sender and receiver: phase, end, packets to send and retry timer.

    Args:
        phase: the first phase.
        retry: the timer, not yet started.
        transmits: the packets to send at once.

    Attributes:
        phase: where the machine stands.
        end: how it ended; None before.
        retransmits: packets that were sent again.
        duplicates: packets that came again, and were ignored.
        remarks: where the peer bent the rules without harm, for the record.
    """

    __slots__ = ("_retry", "_transmits", "duplicates", "end", "phase", "remarks", "retransmits")

    TRANSITIONS: ClassVar[Transitions]
    _RECEIVE: ClassVar[Mapping[Phase, Methods]]

    def __init__(self, phase: Phase, retry: RetryTimer, transmits: list[Transmit]) -> None:
        self.phase = phase
        self.end: End | None = None
        self.retransmits = 0
        self.duplicates = 0
        self.remarks: tuple[str, ...] = ()
        self._retry = retry
        self._transmits = transmits

    # Events --------------------------------------------------------------------------------

    def handle_timeout(self, now: float) -> None:
        """The deadline passed: sends again, or gives up. Without effect if there is none."""
        if self.deadline is not None:
            self._time_out(now)

    # Commands ------------------------------------------------------------------------------

    def abort(
        self,
        code: int,
        text: str,
        outcome: Outcome = Outcome.failed,
        *,
        reason: str = "",
        cause: Cause | None = None,
    ) -> None:
        """Ends the machine, with an ERROR to the peer. Without effect after the end.

        Args:
            code: of the ERROR.
            text: of the ERROR; what the peer may know.
            outcome: failed, or aborted.
            reason: the message of the end, if it says more than the text.
            cause: the same as a value, where there is one.
        """
        if self.end is None and not self.is_over:
            self._transmits.append(Error(code, text).encode())
        self._finish(Event.error_sent, End(outcome, code, reason or text, cause=cause))

    def shift(self, seconds: float) -> None:
        """This end stood still for so long: the peer gets that time, too."""
        self._retry.shift(seconds)

    def lose(self, text: str, outcome: Outcome = Outcome.failed) -> None:
        """The peer is gone: ends the machine without a packet. Without effect after the end."""
        self._finish(Event.peer_gone, End(outcome, None, text))

    # Outputs -------------------------------------------------------------------------------

    def transmits(self) -> list[Transmit]:
        """Returns the packets to send, in order, and forgets them."""
        transmits, self._transmits = self._transmits, []
        return transmits

    @property
    def deadline(self) -> float | None:
        """When to call `handle_timeout`; None if there is nothing to wait for."""
        return None if self.is_over else self._retry.deadline

    @property
    def is_over(self) -> bool:
        """Whether nothing is sent or taken any more."""
        return self.phase in OVER

    @property
    def is_half_open(self) -> bool:
        """Whether the peer has not shown yet that it hears us."""
        return self.phase is Phase.half_open

    @property
    def is_silent(self) -> bool:
        """Whether two deadlines in a row have passed; a single one may be a short delay."""
        return self._retry.tries > 1

    @property
    def answered_at(self) -> float:
        """When the peer last brought the transfer forward."""
        return self._retry.answered_at

    # For the machines ----------------------------------------------------------------------

    @abstractmethod
    def _time_out(self, now: float) -> None:
        """The deadline passed."""

    def _receive(self, datagram: bytes, now: float) -> None:
        """Gives a datagram to the method that the table has for its packet and the phase."""
        if self.is_over:
            return
        try:
            packet = decode(datagram)
        except PacketError as error:
            self.abort(ErrorCode.illegal_operation, str(error))
            return
        self._RECEIVE[self.phase][type(packet)](self, packet, now)

    def _receive_copy(self, packet: Packet, now: float) -> None:
        """Counts a packet that the network copied or delayed, and ignores it."""
        self.duplicates += 1

    def _give_up(self, awaited: str, *, is_at_rollover: bool = False) -> None:
        """The last try was in vain. The peer may hear without being heard, so it gets an ERROR.

        A peer that has never answered gets none: its address may be a false one.
        """
        code = None if self.is_half_open else ErrorCode.not_defined
        if code is not None:
            self._transmits.append(Error(code, "Timed out").encode())
        text = f"no answer: {awaited} did not come, {self._retry.tries_text}"
        if is_at_rollover:
            text = f"{text}; {_AT_ROLLOVER}"
        self._finish(Event.silence, End(Outcome.timed_out, code, text))

    def _follow(self, event: Event) -> None:
        """Goes to the phase that the table has for an event.

        Raises:
            RuntimeError: the table has none: a mistake of our own.
        """
        phase = self.TRANSITIONS[self.phase].get(event)
        if phase is None:
            raise RuntimeError(f"{type(self).__name__}: no {event.value!r} while {self.phase.name}")
        self.phase = phase

    def _finish(self, event: Event, end: End) -> None:
        """Ends the machine, unless it is over; keeps an end that it already has."""
        if self.phase not in OVER:
            self._follow(event)
            if self.end is None:
                self.end = end
