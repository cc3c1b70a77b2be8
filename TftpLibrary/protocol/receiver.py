"""The machine of the end that receives DATA: a server's write, or a client's read.

RFC 1350 sections 2 and 6 (the short block ends the file; dallying on the last ACK), RFC 2347 (an
OACK is acknowledged with ACK 0), RFC 7440 (one ACK for a window; a gap is reported at once).

The machine does not touch the octets of the file: it says whether the payload of a datagram is
the next one, and the session writes it. Its data path is `accept`, which the session calls when
the header of the datagram equals `expected`; everything else goes through `receive`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from TftpLibrary.protocol.blocks import HIGHEST_WIRE_BLOCK, back_from_wire, from_wire, to_wire
from TftpLibrary.protocol.datagrams import kind
from TftpLibrary.protocol.machine import (
    COMPLETED,
    RECEIVER,
    Event,
    Machine,
    Methods,
    Phase,
    Transitions,
)
from TftpLibrary.protocol.options import DEFAULT_BLKSIZE, Agreement
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import (
    HEADER_SIZE,
    Ack,
    Data,
    Error,
    ErrorCode,
    Oack,
    Opcode,
    Request,
)
from TftpLibrary.protocol.retry import RetryTimer

_DATA = Opcode.data << 16
"""A header without its block number: adding the number is quicker than packing two."""
_ACK = Opcode.ack << 16
_ACK_OPCODE = Opcode.ack.to_bytes(2, "big")
_DEFAULT_SIZE = HEADER_SIZE + DEFAULT_BLKSIZE
_NOTHING = b"nothing"
"""Longer than a header, so no header equals it: nothing is expected after the last block."""
_HALF_OPEN = Phase.half_open

SENDERS_TURN = 5.4
"""Seconds of silence after some repeats: some senders, tftp-hpa's client among them, have a timer
of five seconds that each of our packets starts anew."""
_QUICK_REPEATS = 2
SHORTEST_DALLY = 6.0
"""Seconds. Shortest wait behind the last ACK: tftp-hpa and atftp send their last DATA again only
after five."""
MOST_DALLIES = 5
"""Waits behind the last ACK at most, where the peer repeats its last DATA."""
SHORTEST_DOUBT = 0.25
"""Seconds. Shortest wait for more DATA behind a lone block that may not be the last one."""


class Receiver(Machine):
    """Receives the blocks of one file.

    Two timers run, one at a time: the dally timer behind the last ACK, and before it the retry
    timer. While the file is made safe there is neither.

    Args:
        agreement: what was negotiated.
        retry: the timer, not yet started.
        now: monotonic seconds.
        invitation: the packet that invites DATA 1: an OACK or ACK 0; None when DATA 1 is here
            already, as the answer to an RRQ of a server that knows no options.

    Attributes:
        full_size: octets of a datagram with a full block.
        windowsize: blocks of a window.
        rollover: the block number after 65535.
        received: the newest block received; all blocks before it were received too.
        expected: the header of the next DATA; a datagram that has it goes to `accept`.
        is_doubtful: whether more DATA may follow the last block, see `confirm`.
    """

    __slots__ = (
        "_dally_end",
        "_dally_timer",
        "_invitation",
        "_is_gap_reported",
        "_is_restart_seen",
        "_is_size_known",
        "_window_end",
        "_window_start",
        "expected",
        "full_size",
        "is_doubtful",
        "received",
        "rollover",
        "windowsize",
    )

    TRANSITIONS: ClassVar[Transitions] = RECEIVER

    def __init__(
        self, agreement: Agreement, retry: RetryTimer, now: float, *, invitation: bytes | None
    ) -> None:
        super().__init__(Phase.half_open, retry, [] if invitation is None else [invitation])
        self._invitation = Ack(0).encode() if invitation is None else invitation
        self._is_gap_reported = False
        self._is_restart_seen = False
        self._window_start = 1
        self._window_end = agreement.windowsize
        self._dally_timer = self._dally_end = 0.0
        self.full_size = HEADER_SIZE + agreement.blksize
        self.windowsize = agreement.windowsize
        self.rollover = agreement.rollover
        self.received = 0
        self.is_doubtful = False
        # Where a size was announced it tells whether the file is complete.
        self._is_size_known = bool(agreement.tsize)
        self.expected = self._header(1)
        retry.start(now)

    # Events --------------------------------------------------------------------------------

    def accept(self, size: int, now: float) -> bytes | None:
        """A datagram of `size` octets with the `expected` header came.

        This is the data path: the session writes the payload, and sends the ACK if there is one;
        it is not among the transmits. A size below `full_size` is the last block: the machine
        is then `closing`, and the session calls `confirm` when the file is safe. A datagram over
        `full_size` goes to `receive` instead.

        Returns:
            The ACK to send now, or None.
        """
        block = self.received = self.received + 1
        number = self.expected[2:]
        following = block + 1
        if following > HIGHEST_WIRE_BLOCK:
            following = to_wire(following, self.rollover)
        self.expected = (_DATA | following).to_bytes(HEADER_SIZE, "big")
        self._is_gap_reported = False
        if block == self._window_start:
            self._retry.renew(now)
        else:
            self._retry.start(now)
        if size < self.full_size:
            self._follow(Event.last_data)
            self.expected = _NOTHING
            self.is_doubtful = block == 1 and size == _DEFAULT_SIZE and not self._is_size_known
            return None
        if self.phase is _HALF_OPEN:
            self._follow(Event.answer)
        if block < self._window_end:
            return None
        self._begin_window(block + 1)
        return _ACK_OPCODE + number

    def accept_run(self, count: int, now: float) -> bytes | None:
        """`count` full blocks came in order, at most `room` of them: `accept` for all at once.

        Returns:
            The ACK to send now, or None.
        """
        if self.received + 1 == self._window_start:
            self._retry.renew(now)
        else:
            self._retry.start(now)
        self.received += count
        self.expected = self._header(self.received + 1)
        self._is_gap_reported = False
        if self.phase is _HALF_OPEN:
            self._follow(Event.answer)
        return self._position() if self.received >= self._window_end else None

    def receive(self, datagram: bytes, now: float) -> bool:
        """A datagram came from the peer; any octets may be in it.

        Returns:
            Whether it is the next DATA, whose payload (all after the header) the session writes.
        """
        received = self.received
        self._receive(datagram, now)
        return self.received > received

    # Command -------------------------------------------------------------------------------

    def confirm(self, now: float, end: End = COMPLETED) -> None:
        """The file is safe: sends the last ACK, and stays to repeat it.

        A lone block of 512 octets where more were agreed is `is_doubtful`: some devices grant a
        block size and do not use it. There the end is set when no more DATA comes for a moment.

        Args:
            now: monotonic seconds.
            end: how the transfer ended, where something is wrong with the file.
        """
        self._follow(Event.file_safe)
        self._retry.start(now)
        self._transmits.append(self._position())
        if self.is_doubtful:
            self._dally_timer = now + max(SHORTEST_DOUBT, 4 * self._retry.round_trip)
        else:
            self._dally(now, end)

    # Outputs -------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When to call `handle_timeout`; None while closing and after the end."""
        if self.phase is Phase.dallying:
            return self._dally_timer
        return None if self.is_over or self.phase is Phase.closing else self._retry.deadline

    @property
    def room(self) -> int:
        """Blocks until the next ACK."""
        return self._window_end - self.received

    # One method for each kind of packet ----------------------------------------------------

    def _receive_data(self, packet: Data, now: float) -> None:
        block = from_wire(packet.wire_block, self.received, self.rollover)
        is_ahead = block - self.received <= self.windowsize
        if block == self.received + 1:
            self._receive_next(len(packet.payload), now)
        elif block > self.received and is_ahead:
            self._report_gap(now)
        else:
            self._receive_old(packet, now)

    def _receive_next(self, octets: int, now: float) -> None:
        size = HEADER_SIZE + octets
        if size > self.full_size:
            # RFC 2348: a block is at most blksize octets.
            text = f"DATA of {octets} octets, blksize is {self.full_size - HEADER_SIZE}"
            self.abort(ErrorCode.illegal_operation, text)
            return
        ack = self.accept(size, now)
        if ack is not None:
            self._transmits.append(ack)

    def _report_gap(self, now: float) -> None:
        """A block of the window is missing (RFC 7440 section 4): say so once, at once."""
        self.duplicates += 1
        if not self._is_gap_reported:
            self._is_gap_reported = True
            self._repeat_position(now)

    def _receive_old(self, packet: Data, now: float) -> None:
        """A block that is here already: our ACK was lost, or the network made a copy.

        Within a window a lone copy of the newest block gets no ACK: the sender would go on from
        there, and each copied block would cost a whole window.
        """
        self.duplicates += 1
        block = back_from_wire(packet.wire_block, self.received, self.rollover)
        is_acknowledged = self.received < self._window_start
        if 0 < block == self.received and (is_acknowledged or self._is_restart_seen):
            self._repeat_position(now)
        elif max(1, self._window_start - self.windowsize) <= block < self._window_start:
            # The sender went back further than our ACK: its window ends earlier than ours.
            end = block - 1 + self.windowsize
            if not self._is_restart_seen and end > self.received:
                self._window_end = min(self._window_end, end)
            self._is_restart_seen = True

    def _receive_last_again(self, packet: Data, now: float) -> None:
        """Dallying: the last DATA came again, so our last ACK was lost."""
        if self.is_doubtful and packet.wire_block == self.received + 1:
            granted = self.full_size - HEADER_SIZE
            text = f"blksize: granted {granted}, sent {DEFAULT_BLKSIZE}"
            self.abort(ErrorCode.option_negotiation, text)
            return
        self.duplicates += 1
        if packet.wire_block == to_wire(self.received, self.rollover):
            self.retransmits += 1
            self._transmits.append(Ack(packet.wire_block).encode())
            if not self.is_doubtful:
                self._dally_timer = min(now + self._dally_time, self._dally_end)

    def _receive_ack(self, packet: Ack, now: float) -> None:
        if packet.wire_block == 0 and kind(self._invitation) == Opcode.oack.packet:
            # A client owes it for the OACK of a read. In a write nothing follows from it.
            self._receive_copy(packet, now)
            self.remarks = ("ACK 0 came in answer to the OACK, which a write does not need",)
            return
        self.abort(ErrorCode.illegal_operation, "Expected DATA, got ACK")

    def _receive_error(self, packet: Error, now: float) -> None:
        # An ERROR is never answered (RFC 1350, section 7).
        end = End(Outcome.failed, packet.code, packet.text, by_peer=True)
        self._finish(Event.error_came, end)

    # Inside --------------------------------------------------------------------------------

    def _time_out(self, now: float) -> None:
        """Sends the last ACK again, ends the dallying, or gives up."""
        if self.phase is Phase.dallying and self.is_doubtful:
            self.is_doubtful = False
            self._dally(now, COMPLETED)
        elif self.phase is Phase.dallying:
            self._follow(Event.silence)
        elif self._retry.is_exhausted:
            self._give_up(
                f"DATA {self.received + 1}",
                is_at_rollover=self.received == HIGHEST_WIRE_BLOCK,
            )
        elif self._is_senders_turn:
            self._retry.retry(now, at_least=SENDERS_TURN)
            self._send_position()
        elif self.is_half_open:
            self._retry.retry_first(now)
            self._send_position()
        else:
            self._repeat_position(now)

    @property
    def _is_senders_turn(self) -> bool:
        """Whether the next repeat is the last one for a while.

        With windows the ACK of a part brings the rest, so it is repeated on.
        """
        return self.windowsize == 1 and self._retry.tries >= _QUICK_REPEATS - 1

    def _dally(self, now: float, end: End) -> None:
        self.end = end
        self._dally_timer = now + self._dally_time
        self._dally_end = now + MOST_DALLIES * self._dally_time

    @property
    def _dally_time(self) -> float:
        """RFC 1350 section 6: longer than the peer waits before it sends its last DATA again."""
        return max(2 * self._retry.timeout, SHORTEST_DALLY)

    def _repeat_position(self, now: float) -> None:
        self._retry.retry(now)
        self._send_position()

    def _send_position(self) -> None:
        self.retransmits += 1
        self._transmits.append(self._position() if self.received else self._invitation)

    def _position(self) -> bytes:
        """The ACK of the newest block; a new window begins behind it."""
        self._begin_window(self.received + 1)
        return (_ACK | to_wire(self.received, self.rollover)).to_bytes(HEADER_SIZE, "big")

    def _begin_window(self, first: int) -> None:
        self._window_start = first
        self._window_end = first + self.windowsize - 1
        self._is_restart_seen = False

    def _header(self, block: int) -> bytes:
        return (_DATA | to_wire(block, self.rollover)).to_bytes(HEADER_SIZE, "big")

    def _finish(self, event: Event, end: End) -> None:
        super()._finish(event, end)
        self.expected = _NOTHING

    _OTHERS: ClassVar[Methods] = {
        Error: _receive_error,
        Ack: _receive_ack,
        # Our first packet may have been lost; the deadline repeats it.
        Request: Machine._receive_copy,
        Oack: Machine._receive_copy,
    }
    _RECEIVE: ClassVar[Mapping[Phase, Methods]] = {
        Phase.half_open: {Data: _receive_data, **_OTHERS},
        Phase.receiving: {Data: _receive_data, **_OTHERS},
        Phase.closing: {Data: Machine._receive_copy, **_OTHERS},
        Phase.dallying: {Data: _receive_last_again, **_OTHERS},
    }
