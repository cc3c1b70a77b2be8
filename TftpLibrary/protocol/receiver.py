"""The machine of the end that receives DATA: a server's write, or a client's read.

RFC 1350 sections 2 and 6 (the short block ends the file; dallying on the last ACK), RFC 2347 (an
OACK is acknowledged with ACK 0), RFC 7440 (one ACK for a window; a gap is reported at once).

The machine does not touch the octets of the file: it says whether the payload of a datagram is
the next one, and the driver writes it. Its data path is `accept`, which the driver calls when
the header of the datagram equals `expected`; everything else goes through `receive`.
"""

from __future__ import annotations

from enum import Enum

from TftpLibrary.errors import PacketError
from TftpLibrary.protocol.blocks import HIGHEST_WIRE_BLOCK, from_wire, to_wire
from TftpLibrary.protocol.machine import Transmit
from TftpLibrary.protocol.options import Agreement
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import (
    HEADER_SIZE,
    Ack,
    Data,
    Error,
    ErrorCode,
    Opcode,
    decode,
)
from TftpLibrary.protocol.retry import RetryTimer

_DATA = Opcode.data << 16
"""A header before its block number is in: quicker than packing two numbers."""
_ACK = Opcode.ack << 16
_ACK_OPCODE = Opcode.ack.to_bytes(2, "big")
_NOTHING = b"nothing"
"""Longer than a header, so that no header equals it: after the last block none is expected."""


class Phase(Enum):
    """Where a receiver stands."""

    opening = "opening"
    """The OACK, ACK 0 or the client's ACK of an OACK is out, and no DATA has come yet."""
    receiving = "receiving"
    """DATA comes in."""
    closing = "closing"
    """The last block is here; the driver makes the file safe before it is acknowledged."""
    dallying = "dallying"
    """The last ACK is out, and is repeated if the last DATA comes again."""
    ended = "ended"
    """Nothing is sent or taken any more; `end` says why."""


class Receiver:
    """Receives the blocks of one file.

    Args:
        agreement: what was negotiated.
        retry: the timer, not yet started.
        now: monotonic seconds.
        answer: the packet that invites DATA 1: an OACK or ACK 0; None when DATA 1 is here
            already, an RFC 1350 server's answer to an RRQ.
    """

    __slots__ = (
        "_agreement",
        "_answer",
        "_dally",
        "_is_gap_reported",
        "_is_restart_seen",
        "_retry",
        "_transmits",
        "_window_end",
        "_window_start",
        "duplicates",
        "end",
        "expected",
        "full_size",
        "phase",
        "received",
        "retransmits",
        "rollover",
        "windowsize",
    )

    def __init__(
        self, agreement: Agreement, retry: RetryTimer, now: float, *, answer: bytes | None
    ) -> None:
        self._agreement = agreement
        self._retry = retry
        self._answer = answer if answer is not None else Ack(0).encode()
        self._transmits: list[Transmit] = [] if answer is None else [answer]
        self._is_gap_reported = False
        self._is_restart_seen = False
        self._window_start = 1
        self._window_end = agreement.windowsize
        self._dally = 0.0
        self.full_size = HEADER_SIZE + agreement.blksize
        self.windowsize = agreement.windowsize
        self.rollover = agreement.rollover
        self.phase = Phase.opening
        self.received = 0
        self.retransmits = 0
        self.duplicates = 0
        self.expected = self._header(1)
        self.end: End | None = None
        retry.start(now)

    # What happened -------------------------------------------------------------------------

    def accept(self, size: int, now: float) -> bytes | None:
        """A datagram of `size` octets with the header that is `expected` came.

        This is the data path: the driver writes the payload, and sends the ACK if there is one;
        it is not among the transmits. A size below `full_size` is the last block: the machine
        is then `closing`, and the driver calls `confirm` when the file is safe. The size must
        not be over `full_size`: such a datagram goes to `receive`.

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
            self.phase = Phase.closing
            self.expected = _NOTHING
            return None
        self.phase = Phase.receiving
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
        self.phase = Phase.receiving
        return self._position() if self.received >= self._window_end else None

    def receive(self, datagram: bytes, now: float) -> bool:
        """A datagram came from the peer; any octets may be in it.

        Returns:
            Whether it is the next DATA, whose payload (all after the header) the driver writes.
        """
        if self.phase is Phase.ended:
            return False
        try:
            packet = decode(datagram)
        except PacketError as error:
            self.abort(ErrorCode.illegal_operation, str(error))
            return False
        if isinstance(packet, Data):
            return self._receive_data(packet, len(datagram), now)
        if isinstance(packet, Error):
            self._receive_error(packet)
        elif isinstance(packet, Ack):
            self.abort(ErrorCode.illegal_operation, "Expected DATA, got ACK")
        else:
            # A request or an option answer that came again: our answer may have been lost, and
            # the deadline repeats it.
            self.duplicates += 1
        return False

    def handle_timeout(self, now: float) -> None:
        """The deadline passed: sends the last answer again, ends the dallying, or gives up."""
        if self.phase is Phase.dallying:
            self.phase = Phase.ended
        if self.phase in (Phase.ended, Phase.closing):
            return
        if self._retry.is_exhausted:
            self._transmits.append(Error(ErrorCode.not_defined, "Timed out").encode())
            awaited = f"DATA {self.received + 1} did not come"
            text = f"no answer: {awaited}, {self._retry.tries + 1} tries"
            self._finish(End(Outcome.timed_out, ErrorCode.not_defined, text))
            return
        self._repeat_position(now)

    # Commands ------------------------------------------------------------------------------

    def confirm(self, now: float) -> None:
        """The file is safe: sends the last ACK, and stays to repeat it."""
        self._transmits.append(self._acknowledge(now))
        self.phase = Phase.dallying
        self.end = End(Outcome.completed)
        # RFC 1350 section 6: longer than the peer waits before it sends its last DATA again.
        self._dally = now + 2 * self._retry.timeout

    def abort(self, code: int, text: str, outcome: Outcome = Outcome.failed) -> None:
        """Ends the transfer with an ERROR to the peer. Without effect when it is complete."""
        if self.phase is Phase.dallying:
            self.phase = Phase.ended
        if self.phase is not Phase.ended:
            self._transmits.append(Error(code, text).encode())
            self._finish(End(outcome, code, text))

    def lose(self, text: str) -> None:
        """The peer is gone: ends without a packet. Without effect when it is complete."""
        if self.phase is Phase.dallying:
            self.phase = Phase.ended
        if self.phase is not Phase.ended:
            self._finish(End(Outcome.failed, None, text))

    # Outputs -------------------------------------------------------------------------------

    def transmits(self) -> list[Transmit]:
        """Takes what is to be sent, in order."""
        transmits, self._transmits = self._transmits, []
        return transmits

    @property
    def deadline(self) -> float | None:
        """When to call `handle_timeout`; None while closing and after the end."""
        if self.phase is Phase.dallying:
            return self._dally
        return None if self.phase in (Phase.closing, Phase.ended) else self._retry.deadline

    @property
    def room(self) -> int:
        """Blocks until the next ACK."""
        return self._window_end - self.received

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

    # Inside --------------------------------------------------------------------------------

    def _receive_data(self, packet: Data, size: int, now: float) -> bool:
        block = from_wire(packet.wire_block, self.received, self._agreement.rollover)
        is_ahead = block - self.received <= self._agreement.windowsize
        if self.phase in (Phase.closing, Phase.dallying):
            self._repeat_last_ack(packet, now)
            return False
        if block == self.received + 1:
            if size > self.full_size:
                # RFC 2348: a block is at most blksize octets.
                text = f"DATA of {size - HEADER_SIZE} octets, blksize is {self._agreement.blksize}"
                self.abort(ErrorCode.illegal_operation, text)
                return False
            ack = self.accept(size, now)
            if ack is not None:
                self._transmits.append(ack)
            return True
        if block > self.received and is_ahead:
            self._report_gap(now)
        else:
            self._receive_old(packet, now)
        return False

    def _report_gap(self, now: float) -> None:
        """A block of the window is missing (RFC 7440 section 4): say so once, at once."""
        self.duplicates += 1
        if not self._is_gap_reported:
            self._is_gap_reported = True
            self._repeat_position(now)

    def _receive_old(self, packet: Data, now: float) -> None:
        """A block that is here already: our ACK was lost, or the network made a copy.

        Within a window a lone copy of the newest block gets no ACK: it would tell the sender to
        go on from there, and each copied block would cost a whole window.
        """
        self.duplicates += 1
        rollover = self._agreement.rollover
        behind = (to_wire(self.received, rollover) - packet.wire_block) % (65536 - rollover)
        block = self.received - behind
        is_acknowledged = self.received < self._window_start
        if behind == 0 and self.received and (is_acknowledged or self._is_restart_seen):
            self._repeat_position(now)
        elif max(1, self._window_start - self._agreement.windowsize) <= block < self._window_start:
            # The sender went back further than our ACK: its window ends earlier than ours.
            end = block - 1 + self._agreement.windowsize
            if not self._is_restart_seen and end > self.received:
                self._window_end = min(self._window_end, end)
            self._is_restart_seen = True

    def _repeat_last_ack(self, packet: Data, now: float) -> None:
        self.duplicates += 1
        if self.phase is Phase.dallying:
            is_last = packet.wire_block == to_wire(self.received, self._agreement.rollover)
            if is_last:
                self.retransmits += 1
                self._transmits.append(Ack(packet.wire_block).encode())
                # This wait begins again, within the patience that the last block has.
                longer = min(now + 2 * self._retry.timeout, self._retry.latest)
                self._dally = max(self._dally, longer)

    def _receive_error(self, packet: Error) -> None:
        if self.phase is Phase.dallying:
            self.phase = Phase.ended
        else:
            # An ERROR is never answered (RFC 1350, section 7).
            self._finish(End(Outcome.failed, packet.code, packet.text, by_peer=True))

    def _acknowledge(self, now: float) -> bytes:
        self._retry.start(now)
        return self._position()

    def _repeat_position(self, now: float) -> None:
        self._retry.retry(now)
        self.retransmits += 1
        self._transmits.append(self._position() if self.received else self._answer)

    def _position(self) -> bytes:
        """The ACK of what is here: a new window begins behind it."""
        self._begin_window(self.received + 1)
        return (_ACK | to_wire(self.received, self.rollover)).to_bytes(HEADER_SIZE, "big")

    def _begin_window(self, first: int) -> None:
        self._window_start = first
        self._window_end = first + self.windowsize - 1
        self._is_restart_seen = False

    def _header(self, block: int) -> bytes:
        return (_DATA | to_wire(block, self.rollover)).to_bytes(HEADER_SIZE, "big")

    def _finish(self, end: End) -> None:
        self.phase = Phase.ended
        self.expected = _NOTHING
        self.end = end
