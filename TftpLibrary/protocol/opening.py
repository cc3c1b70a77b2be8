"""The first exchange of a client: the request goes out, the server answers from a new TID.

RFC 1350 section 4 (TIDs), RFC 2347 (an OACK, or DATA 1 / ACK 0 from a server that knows no
options, opens the transfer; an option answer that breaks the rules gets ERROR 8).

The server's first exchange needs no machine: its answer is the first packet of a `Sender` or a
`Receiver`.
"""

from __future__ import annotations

from enum import Enum

from TftpLibrary.errors import NegotiationError, PacketError
from TftpLibrary.protocol.machine import Transmit
from TftpLibrary.protocol.options import Agreement, check
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import (
    Ack,
    Data,
    Direction,
    Error,
    ErrorCode,
    Oack,
    Packet,
    Request,
    decode,
)
from TftpLibrary.protocol.retry import RetryTimer


class Phase(Enum):
    """Where the opening stands."""

    asking = "asking"
    """The request is out."""
    answered = "answered"
    """The server agreed; `agreement` says to what, and the transfer begins."""
    ended = "ended"
    """There will be no transfer; `end` says why."""


class Opening:
    """Asks a server for a transfer, until it answers.

    Args:
        request: the RRQ or WRQ, with the options that are asked.
        retry: the timer, not yet started; its patience is how long to keep asking.
        now: monotonic seconds.
    """

    __slots__ = (
        "_request",
        "_retry",
        "_transmits",
        "agreement",
        "duplicates",
        "end",
        "phase",
        "retransmits",
    )

    def __init__(self, request: Request, retry: RetryTimer, now: float) -> None:
        self._request = request
        self._retry = retry
        self._transmits: list[Transmit] = [request.encode()]
        self.phase = Phase.asking
        self.agreement: Agreement | None = None
        self.retransmits = 0
        self.duplicates = 0
        self.end: End | None = None
        retry.start(now)

    def receive(self, datagram: bytes, now: float) -> None:
        """A datagram came in answer to the request; any octets may be in it.

        When the phase is `answered` afterwards and the agreement has no OACK, an RRQ was answered
        with DATA: the driver gives the same datagram to its `Receiver`.
        """
        if self.phase is not Phase.asking:
            return
        try:
            packet = decode(datagram)
        except PacketError as error:
            self.abort(ErrorCode.illegal_operation, str(error))
            return
        if isinstance(packet, Oack):
            self._receive_oack(packet)
        elif isinstance(packet, Error):
            self._finish(End(Outcome.refused, packet.code, packet.text, by_peer=True))
        elif self._is_plain_answer(packet):
            self._open(Agreement())
        else:
            # An ACK or DATA of an earlier transfer to the same port.
            self.duplicates += 1

    def handle_timeout(self, now: float) -> None:
        """The deadline passed: asks again, or gives up."""
        if self.phase is not Phase.asking:
            return
        if self._retry.is_exhausted:
            text = f"no answer to the request, {self._retry.tries + 1} tries"
            self._finish(End(Outcome.timed_out, None, text))
            return
        self._retry.retry(now)
        self.retransmits += 1
        self._transmits.append(self._request.encode())

    def abort(self, code: int, text: str, outcome: Outcome = Outcome.failed) -> None:
        """Ends the opening with an ERROR to the peer. Without effect when it is over."""
        if self.phase is Phase.asking:
            self._transmits.append(Error(code, text).encode())
            self._finish(End(outcome, code, text))

    def lose(self, text: str) -> None:
        """The peer is gone: ends without a packet. Without effect when it is over."""
        if self.phase is Phase.asking:
            self._finish(End(Outcome.failed, None, text))

    def transmits(self) -> list[Transmit]:
        """Takes what is to be sent, in order."""
        transmits, self._transmits = self._transmits, []
        return transmits

    @property
    def deadline(self) -> float | None:
        """When to call `handle_timeout`; None when the opening is over."""
        return self._retry.deadline if self.phase is Phase.asking else None

    def _receive_oack(self, packet: Oack) -> None:
        try:
            agreement = check(self._request.options, packet.options)
        except NegotiationError as error:
            code = ErrorCode.option_negotiation
            self._transmits.append(Error(code, "Options were not agreed").encode())
            self._finish(End(Outcome.failed, code, str(error)))
            return
        self._open(agreement)

    def _is_plain_answer(self, packet: Packet) -> bool:
        if self._request.direction is Direction.read:
            return isinstance(packet, Data) and packet.wire_block == 1
        return isinstance(packet, Ack) and packet.wire_block == 0

    def _open(self, agreement: Agreement) -> None:
        self.agreement = agreement
        self.phase = Phase.answered

    def _finish(self, end: End) -> None:
        self.phase = Phase.ended
        self.end = end
