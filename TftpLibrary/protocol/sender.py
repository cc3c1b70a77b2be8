"""The machine of the end that sends DATA: a server's read, or a client's write.

RFC 1350 sections 2 and 6 (lock-step, retransmission), RFC 1123 section 4.2.3.1 (Sorcerer's
Apprentice), RFC 2347 (OACK and its ACK 0), RFC 7440 (windows). `pace` sets how fast a window goes
out after a time-out.

The machine does not touch the octets of the file: it says which blocks go out, and the session
frames them. Its data path is `acknowledge_window`, which the session calls when the datagram
equals `expected`; everything else goes through `receive`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from TftpLibrary.protocol.blocks import HIGHEST_WIRE_BLOCK, from_wire, to_wire
from TftpLibrary.protocol.machine import (
    COMPLETED,
    SENDER,
    Blocks,
    Event,
    Machine,
    Methods,
    Phase,
    Transitions,
    Transmit,
)
from TftpLibrary.protocol.options import Agreement
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.pace import Pace
from TftpLibrary.protocol.packets import Ack, Data, Error, ErrorCode, Oack, Opcode, Request
from TftpLibrary.protocol.recovery import Recovery
from TftpLibrary.protocol.retry import RetryTimer

QUICKEST_GAP_REPORT = 0.0002
"""Seconds. An ACK repeated sooner after its window left is a copy that the network made."""

SHORTEST_DOUBT = 0.02
"""Seconds. Shortest wait for the end of a window after an ACK within it was doubted."""

_ACK = Opcode.ack << 16
# Looked up once: an attribute of an enum takes four times as long as one of another class.
_HALF_OPEN, _SENDING = Phase.half_open, Phase.sending
_ANSWER, _LAST_ACK = Event.answer, Event.last_ack


class Sender(Machine):
    """Sends the blocks of one file.

    Two timers run, one at a time: the burst timer while a part of the window has still to leave,
    and otherwise the retry timer.

    Args:
        agreement: what was negotiated.
        retry: the timer, not yet started.
        now: monotonic seconds.
        last_block: the number of the final block; None where the size is not known yet.
        oack: the OACK that opens a server's read; None to begin with DATA.
        is_answered: whether the peer has shown itself (a client's write): then a whole window
            may leave at once.
        pace: how it slows down after a loss; None to send whole windows always.

    Attributes:
        windowsize: blocks of a window.
        last_block: the number of the final block; None where it is not known yet.
        acked: the newest acknowledged block; all blocks before it are acknowledged too.
        sent: the newest block that has left.
        expected: the ACK that goes to `acknowledge_window`; None while each ACK goes to `receive`.
    """

    __slots__ = (
        "_agreement",
        "_burst_timer",
        "_first",
        "_pace",
        "_recovery",
        "acked",
        "expected",
        "last_block",
        "sent",
        "windowsize",
    )

    TRANSITIONS: ClassVar[Transitions] = SENDER

    def __init__(
        self,
        agreement: Agreement,
        retry: RetryTimer,
        now: float,
        *,
        last_block: int | None,
        oack: bytes | None = None,
        is_answered: bool = False,
        pace: Pace | None = None,
    ) -> None:
        super().__init__(_SENDING if is_answered else _HALF_OPEN, retry, [])
        self._agreement = agreement
        self._pace = pace
        self._burst_timer: float | None = None
        self._recovery = Recovery()
        # Before the first ACK one packet only: no amplification for a spoofed address.
        self._first: Transmit = Blocks(1, 1) if oack is None else oack
        self.windowsize = agreement.windowsize
        self.last_block = last_block
        self.acked = 0
        self.sent = 0
        self.expected: bytes | None = None
        retry.start(now)
        if is_answered:
            retry.is_answered = True
            self._send_on(now)
        else:
            self.sent = 1 if oack is None else 0
            self.expected = self._ack_of(self.sent)
            self._transmits.append(self._first)

    # Events --------------------------------------------------------------------------------

    def acknowledge_window(self, now: float) -> bool:
        """The `expected` datagram came: everything sent so far has arrived.

        This is the data path. The next window, blocks `acked + 1` to `sent`, goes out at once;
        it is not among the transmits.

        Returns:
            Whether there is a next window; False when the transfer is complete.
        """
        acked = self.acked = self.sent
        last_block = self.last_block
        if acked == last_block:
            self._finish(_LAST_ACK, COMPLETED)
            return False
        if self.phase is _HALF_OPEN:
            self._follow(_ANSWER)
        self._retry.renew(now)
        sent = acked + self.windowsize
        if last_block is not None and sent > last_block:
            sent = last_block
        self.sent = sent
        number = sent if sent <= HIGHEST_WIRE_BLOCK else to_wire(sent, self._agreement.rollover)
        self.expected = (_ACK | number).to_bytes(4, "big")
        return True

    def receive(self, datagram: bytes, now: float) -> None:
        """A datagram came from the peer; any octets may be in it."""
        self._receive(datagram, now)

    # Command -------------------------------------------------------------------------------

    def set_last_block(self, block: int) -> None:
        """The session found the end of the file at `block`, which is in flight or comes next."""
        self.last_block = block
        if self.sent >= block:
            self.sent = block
            self.expected = self._ack_of(block)
            self._recovery.end_at(block)
            self._burst_timer = None

    # Outputs -------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When to call `handle_timeout`; None after the end."""
        if self.end is not None:
            return None
        return self._retry.deadline if self._burst_timer is None else self._burst_timer

    @property
    def is_paced(self) -> bool:
        """Whether windows go out in bursts: the deadline may be a moment away."""
        return self._pace is not None and self._pace.burst > 0

    # One method for each kind of packet ----------------------------------------------------

    def _receive_first_ack(self, packet: Ack, now: float) -> None:
        """The ACK of the one packet that is out; any other belongs to an earlier transfer."""
        if packet.wire_block == self.sent:
            self._receive_ack_of_all(self.sent, now)
        else:
            self._receive_copy(packet, now)

    def _receive_ack(self, packet: Ack, now: float) -> None:
        block = from_wire(packet.wire_block, self.acked, self._agreement.rollover)
        if block == self.sent or self.sent < block <= self._recovery.sent_twice:
            self._receive_ack_of_all(block, now)
        elif self.acked < block < self.sent:
            self._receive_ack_within(block, now)
        else:
            self._receive_copy(packet, now)
            if block == self.acked:
                self._receive_repeated_ack(now)

    def _receive_ack_of_all(self, block: int, now: float) -> None:
        """Everything sent is acknowledged, or even blocks of the earlier, larger burst."""
        is_slow = block > self.sent
        if self._pace is not None and self._pace.burst and self._burst_timer is None:
            self._pace.arrive(block, now)
        self.sent = block
        if self.acknowledge_window(now):
            self.sent = block
            if is_slow:
                # The peer still has to take the blocks that were sent again meanwhile, so wait for
                # the time of the next burst.
                self.expected = None
            else:
                self._send_on(now)

    def _receive_ack_within(self, block: int, now: float) -> None:
        """RFC 7440 section 4: an ACK within the window means go on from there.

        U-Boot sends one for a gap, and one for a block that comes again, and counts its window
        from there. The ACK of a block that was sent twice is no sign of a gap: only new blocks go
        out, or else each window would be sent twice from then on. If it was a gap after all, the
        rest of the window follows after some round trips.
        """
        is_doubted = block <= self._recovery.sent_twice
        self.acked = block
        self._retry.measure(now)
        if not is_doubted:
            self._retry.start(now)
            self._go_back(now)
            return
        self._retry.start(now, at_most=max(SHORTEST_DOUBT, 4 * self._retry.round_trip))
        if self._burst_timer is None and self.sent < self._window_end:
            self._send_on(now)

    def _receive_repeated_ack(self, now: float) -> None:
        """The peer repeats itself: a copy by the network, or the first block of a window is lost.

        RFC 1123 section 4.2.3.1: never resend DATA on a duplicate ACK. With windows a receiver also
        repeats its ACK to report that the first block is missing; the repeat is believed once, and
        only if it comes late enough to answer the window.
        """
        soonest = self._retry.sent_at + max(self._retry.round_trip / 2, QUICKEST_GAP_REPORT)
        is_late = self.windowsize > 1 and now >= soonest
        if is_late and self._recovery.believes_repeat(self.acked):
            self._recovery.repeat_believed = self.acked
            self._retry.retry(now)
            self._repeat_window(now)

    def _receive_first_error(self, packet: Error, now: float) -> None:
        """An ERROR answers the first packet: boards that only want the size do this."""
        is_probe = self._agreement.tsize is not None
        self._break_off(packet, Outcome.probed if is_probe else Outcome.failed)

    def _receive_error(self, packet: Error, now: float) -> None:
        self._break_off(packet, Outcome.failed)

    def _receive_data(self, packet: Data, now: float) -> None:
        self.abort(ErrorCode.illegal_operation, "Expected ACK, got DATA")

    # Inside --------------------------------------------------------------------------------

    def _time_out(self, now: float) -> None:
        """Sends the next burst, sends again, or gives up."""
        is_half_open = self.is_half_open
        if self._burst_timer is not None:
            self._send_on(now)
        elif self._retry.is_exhausted:
            self._give_up(
                "the first ACK" if is_half_open else f"ACK {self.sent}",
                is_at_rollover=self.acked <= HIGHEST_WIRE_BLOCK < self.sent,
            )
        elif is_half_open:
            self._retry.retry_first(now)
            self.retransmits += 1
            self._transmits.append(self._first)
        else:
            self._retry.retry(now, is_slower=self._slow_down(now))
            self._repeat_window(now)

    def _break_off(self, packet: Error, outcome: Outcome) -> None:
        # An ERROR is never answered (RFC 1350, section 7).
        self._finish(Event.error_came, End(outcome, packet.code, packet.text, by_peer=True))

    def _ack_of(self, block: int) -> bytes:
        return (_ACK | to_wire(block, self._agreement.rollover)).to_bytes(4, "big")

    @property
    def _window_end(self) -> int:
        """The last block of the window after `acked`."""
        end = self.acked + self.windowsize
        return end if self.last_block is None else min(end, self.last_block)

    def _send_on(self, now: float) -> None:
        """Sends the rest of the window, or its next burst."""
        first, last = self.sent + 1, self._window_end
        self._burst_timer = None
        if self._pace is None or not self._pace.burst:
            self.expected = self._ack_of(last)
        else:
            # Each ACK goes to `receive`: the data path knows no pace.
            self.expected = None
            if self._pace.burst < last - self.sent:
                last = self.sent + self._pace.burst
                self._burst_timer = now + self._pace.pause
            else:
                self._retry.extend(now)
        self.sent = last
        self.retransmits += self._recovery.count_again(first, last)
        self._transmits.append(Blocks(first, last))

    def _go_back(self, now: float) -> None:
        """Sends again, from the first block that is not acknowledged."""
        self._recovery.go_back(self.sent)
        self.sent = self.acked
        if self._pace is not None:
            self._pace.report_gap(self.acked)
        self._send_on(now)

    def _repeat_window(self, now: float) -> None:
        self._recovery.repeat_window(self.sent)
        self._go_back(now)

    def _slow_down(self, now: float) -> bool:
        """Returns whether bursts are smaller from now on."""
        waited = now - self._retry.sent_at
        return self._pace is not None and self._pace.time_out(self.acked, waited, now)

    @property
    def _is_all_out(self) -> bool:
        """Whether every block has left, to a peer that hears us: only the last ACK is missing."""
        newest = max(self.sent, self._recovery.sent_twice)
        return self.phase is Phase.sending and newest == self.last_block

    def _finish(self, event: Event, end: End) -> None:
        if event in (Event.silence, Event.peer_gone) and self._is_all_out:
            # The peer may have it all: it may have lost its power then, or its last ACK.
            end = end._replace(outcome=Outcome.unconfirmed)
        super()._finish(event, end)
        self.expected = None

    _OTHERS: ClassVar[Methods] = {
        Data: _receive_data,
        Request: Machine._receive_copy,
        Oack: Machine._receive_copy,
    }
    _RECEIVE: ClassVar[Mapping[Phase, Methods]] = {
        Phase.half_open: {Ack: _receive_first_ack, Error: _receive_first_error, **_OTHERS},
        Phase.sending: {Ack: _receive_ack, Error: _receive_error, **_OTHERS},
    }
