"""The machine of the end that sends DATA: a server's read, or a client's write.

RFC 1350 sections 2 and 6 (lock-step, retransmission), RFC 1123 section 4.2.3.1 (Sorcerer's
Apprentice), RFC 2347 (OACK and its ACK 0), RFC 7440 (windows). How fast a window goes out after a
time-out is `pace`'s.

The machine does not touch the octets of the file: it says which blocks go out, and the driver
frames them. Its data path is `acknowledge_window`, which the driver calls when the datagram
equals `expected`; everything else goes through `receive`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from TftpLibrary.errors import PacketError
from TftpLibrary.protocol.blocks import HIGHEST_WIRE_BLOCK, from_wire, to_wire
from TftpLibrary.protocol.machine import Blocks, Transmit
from TftpLibrary.protocol.options import Agreement
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.pace import Pace
from TftpLibrary.protocol.packets import (
    Ack,
    Data,
    Error,
    ErrorCode,
    Oack,
    Packet,
    Request,
    decode,
)
from TftpLibrary.protocol.retry import RetryTimer

QUICKEST_GAP_REPORT = 0.0002
"""Seconds. An ACK repeated sooner after its window left is a copy that the network made."""

SHORTEST_DOUBT = 0.02
"""Seconds. How long at least the end of a window is awaited after an ACK within it is doubted."""

_ACK = 4 << 16


class Phase(Enum):
    """Where a sender stands."""

    opening = "opening"
    """One packet is out, the OACK or DATA 1, and the peer has not shown itself yet."""
    sending = "sending"
    """A window is out, and its ACK is awaited."""
    ended = "ended"
    """Nothing is sent or taken any more; `end` says why."""


class Sender:
    """Sends the blocks of one file.

    Args:
        agreement: what was negotiated.
        retry: the timer, not yet started.
        now: monotonic seconds.
        last_block: the number of the final block; None where the size is not known yet.
        oack: the option answer that opens a server's read; None to begin with DATA.
        is_answered: whether the peer has shown itself (a client's write): then a whole window
            may leave at once.
        pace: how it slows down after a loss; None to send whole windows always.
    """

    __slots__ = (
        "_agreement",
        "_burst_at",
        "_has_oack",
        "_opening",
        "_pace",
        "_repeat_answered",
        "_repeated_to",
        "_retry",
        "_sent_twice",
        "_transmits",
        "acked",
        "duplicates",
        "end",
        "expected",
        "last_block",
        "phase",
        "retransmits",
        "sent",
        "windowsize",
    )

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
        self._agreement = agreement
        self._retry = retry
        self._pace = pace
        self._burst_at: float | None = None
        self._transmits: list[Transmit] = []
        self._has_oack = oack is not None
        self._repeat_answered = -1
        self._sent_twice = 0
        self._repeated_to = -1
        self.windowsize = agreement.windowsize
        self.last_block = last_block
        self.acked = 0
        self.sent = 0
        self.retransmits = 0
        self.duplicates = 0
        self.expected: bytes | None = b""
        self.end: End | None = None
        if is_answered:
            self.phase = Phase.sending
            retry.start(now)
            self._send_on(now)
        else:
            # Before the first ACK one packet only: no amplification for a spoofed address.
            self.phase = Phase.opening
            self._opening: Transmit = Blocks(1, 1) if oack is None else oack
            self.sent = 1 if oack is None else 0
            self.expected = self._ack_of(self.sent)
            self._transmits.append(self._opening)
            retry.start(now)

    # What happened -------------------------------------------------------------------------

    def acknowledge_window(self, now: float) -> bool:
        """The datagram that is `expected` came: everything sent so far has arrived.

        This is the data path. The next window, blocks `acked + 1` to `sent`, goes out at once;
        it is not among the transmits.

        Returns:
            Whether there is a next window; False when the transfer is complete.
        """
        acked = self.acked = self.sent
        last_block = self.last_block
        if acked == last_block:
            self._finish(End(Outcome.completed))
            return False
        self.phase = Phase.sending
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
        if self.phase is Phase.ended:
            return
        try:
            packet = decode(datagram)
        except PacketError as error:
            self.abort(ErrorCode.illegal_operation, str(error))
            return
        _RECEIVE[type(packet)](self, packet, now)

    def handle_timeout(self, now: float) -> None:
        """The deadline passed: sends again, or gives up."""
        if self.phase is Phase.ended:
            return
        if self._burst_at is not None:
            self._send_on(now)
            return
        if self._retry.is_exhausted:
            self._transmits.append(Error(ErrorCode.not_defined, "Timed out").encode())
            self._finish(End(Outcome.timed_out, ErrorCode.not_defined, self._silence()))
            return
        if self.phase is Phase.opening:
            self._retry.retry(now)
            self.retransmits += 1
            self._transmits.append(self._opening)
        else:
            self._retry.retry(now, is_slower=self._slow_down(now))
            self._repeat_window(now)

    # Commands ------------------------------------------------------------------------------

    def set_last_block(self, block: int) -> None:
        """The driver found the end of the file at `block`, which is in flight or comes next."""
        self.last_block = block
        if self.sent >= block:
            self.sent = block
            self.expected = self._ack_of(block)
            self._sent_twice = min(self._sent_twice, block)
            self._burst_at = None

    def abort(self, code: int, text: str, outcome: Outcome = Outcome.failed) -> None:
        """Ends the transfer with an ERROR to the peer. Without effect when it has ended."""
        if self.phase is not Phase.ended:
            self._transmits.append(Error(code, text).encode())
            self._finish(End(outcome, code, text))

    def lose(self, text: str) -> None:
        """The peer is gone: ends without a packet. Without effect when it has ended."""
        if self.phase is not Phase.ended:
            self._finish(End(Outcome.failed, None, text))

    # Outputs -------------------------------------------------------------------------------

    def transmits(self) -> list[Transmit]:
        """Takes what is to be sent, in order."""
        transmits, self._transmits = self._transmits, []
        return transmits

    @property
    def deadline(self) -> float | None:
        """When to call `handle_timeout`; None after the end."""
        if self.end is not None:
            return None
        return self._retry.deadline if self._burst_at is None else self._burst_at

    @property
    def is_paced(self) -> bool:
        """Whether windows go out in bursts: the deadline may be a moment away."""
        return self._pace is not None and self._pace.burst > 0

    @property
    def answered_at(self) -> float:
        """When the peer brought the transfer forward last."""
        return self._retry.answered_at

    @property
    def is_silent(self) -> bool:
        """Whether the peer has let what is in flight pass twice: one may be a busy moment."""
        return self._retry.tries > 1

    @property
    def is_half_open(self) -> bool:
        """Whether the peer has not shown yet that it hears us."""
        return self.phase is Phase.opening

    # One method for each kind of packet ----------------------------------------------------

    def _receive_ack(self, packet: Ack, now: float) -> None:
        block = from_wire(packet.wire_block, self.acked, self._agreement.rollover)
        if block == self.sent or self.sent < block <= self._sent_twice:
            self._receive_ack_of_all(block, now)
        elif self.acked < block < self.sent:
            self._receive_ack_within(block, now)
        else:
            self.duplicates += 1
            if block == self.acked:
                self._receive_repeated_ack(now)

    def _receive_ack_of_all(self, block: int, now: float) -> None:
        """What has left has arrived, or more: an ACK of what left before the pace is slow."""
        is_slow = block > self.sent
        if self._pace is not None and self._pace.burst and self._burst_at is None:
            self._pace.arrive(block, now)
        self.sent = block
        if self.acknowledge_window(now):
            self.sent = block
            if is_slow:
                # What left again meanwhile has to be taken first: the next burst has its time.
                self.expected = None
            else:
                self._send_on(now)

    def _receive_ack_within(self, block: int, now: float) -> None:
        """RFC 7440 section 4: an ACK within the window means go on from there.

        U-Boot sends one for a gap, and one for a block that comes again, and counts its window
        from there. Where the block was sent twice it is no sign of a gap: only what is new goes
        out, or else each window would be sent twice from then on. If it was a gap after all, the
        rest of the window follows after some round trips.
        """
        is_doubted = block <= self._sent_twice
        self.acked = block
        self._retry.answer(now)
        if not is_doubted:
            self._retry.start(now)
            self._go_back(now)
            return
        self._retry.start(now, at_most=max(SHORTEST_DOUBT, 4 * self._retry.round_trip))
        if self._burst_at is None and self.sent < self._window_end:
            self._send_on(now)

    def _receive_repeated_ack(self, now: float) -> None:
        """The peer repeats itself: a copy by the network, or the first block of a window is lost.

        RFC 1123 section 4.2.3.1: never resend DATA on a duplicate ACK. In a window the repeat is
        also how a receiver reports that the first block is missing; it is believed once, and
        only if it comes late enough to have seen the window.
        """
        if self.acked <= self._repeated_to:
            # The window before went out twice, so its ACK comes twice.
            return
        soonest = self._retry.sent_at + max(self._retry.round_trip / 2, QUICKEST_GAP_REPORT)
        is_window_out = self.windowsize > 1 and self.phase is Phase.sending
        if is_window_out and now >= soonest and self._repeat_answered != self.acked:
            self._repeat_answered = self.acked
            self._retry.retry(now)
            self._repeat_window(now)

    def _receive_error(self, packet: Error, now: float) -> None:
        # An ERROR is never answered (RFC 1350, section 7).
        asked_size = self._awaits_ack_zero and self._agreement.tsize is not None
        outcome = Outcome.probed if asked_size else Outcome.failed
        self._finish(End(outcome, packet.code, packet.text, by_peer=True))

    def _receive_data(self, packet: Data, now: float) -> None:
        self.abort(ErrorCode.illegal_operation, "Expected ACK, got DATA")

    def _receive_stray(self, packet: Packet, now: float) -> None:
        # A request or an option answer that the network repeated.
        self.duplicates += 1

    # Inside --------------------------------------------------------------------------------

    @property
    def _awaits_ack_zero(self) -> bool:
        return self.phase is Phase.opening and self._has_oack

    def _ack_of(self, block: int) -> bytes:
        return (_ACK | to_wire(block, self._agreement.rollover)).to_bytes(4, "big")

    @property
    def _window_end(self) -> int:
        """The last block of the window behind what was acknowledged."""
        end = self.acked + self.windowsize
        return end if self.last_block is None else min(end, self.last_block)

    def _send_on(self, now: float) -> None:
        """Sends the window behind what has left of it: all of it, or the next burst."""
        first, last = self.sent + 1, self._window_end
        self._burst_at = None
        if self._pace is None or not self._pace.burst:
            self.expected = self._ack_of(last)
        else:
            # So each ACK passes `receive`: the data path knows no pace.
            self.expected = None
            if self._pace.burst < last - self.sent:
                last = self.sent + self._pace.burst
                self._burst_at = now + self._pace.pause
            else:
                self._retry.extend(now)
        self.sent = last
        self.retransmits += max(0, min(last, self._sent_twice) - first + 1)
        self._transmits.append(Blocks(first, last))

    def _go_back(self, now: float) -> None:
        """Sends again from behind what was acknowledged."""
        self._sent_twice = max(self._sent_twice, self.sent)
        self.sent = self.acked
        if self._pace is not None:
            self._pace.report_gap(self.acked)
        self._send_on(now)

    def _repeat_window(self, now: float) -> None:
        self._repeated_to = max(self._sent_twice, self.sent)
        self._go_back(now)

    def _slow_down(self, now: float) -> bool:
        """Returns whether less leaves at once from now on."""
        waited = now - self._retry.sent_at
        return self._pace is not None and self._pace.time_out(self.acked, waited, now)

    def _silence(self) -> str:
        awaited = "the first ACK" if self.phase is Phase.opening else f"ACK {self.sent}"
        return f"no answer: {awaited} did not come, {self._retry.tries + 1} tries"

    def _finish(self, end: End) -> None:
        self.phase = Phase.ended
        self.end = end


_RECEIVE: dict[type[Packet], Callable[..., None]] = {
    Ack: Sender._receive_ack,
    Error: Sender._receive_error,
    Data: Sender._receive_data,
    Request: Sender._receive_stray,
    Oack: Sender._receive_stray,
}
