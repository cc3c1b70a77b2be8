"""The machine of a client's first exchange: the request goes out, and a new TID answers.

RFC 1350 section 4 (TIDs), RFC 2347 (an OACK, or DATA 1 / ACK 0 from a server that knows no
options, opens the transfer; an OACK that breaks the rules gets ERROR 8).

A server's first exchange needs no machine: its answer is the first packet of a `Sender` or a
`Receiver`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from TftpLibrary.errors import NegotiationError
from TftpLibrary.protocol.machine import OPENING, Event, Machine, Methods, Phase, Transitions
from TftpLibrary.protocol.options import Agreement, check
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import Ack, Data, Direction, Error, ErrorCode, Oack, Request
from TftpLibrary.protocol.retry import RetryTimer


class Opening(Machine):
    """Asks a server for a transfer, until it answers.

    Args:
        request: the RRQ or WRQ, with the options to ask for.
        retry: the timer, not yet started; its patience is how long to keep asking.
        now: monotonic seconds.

    Attributes:
        agreement: the options that the server agreed to; None before the phase is `answered`.
    """

    __slots__ = ("_request", "agreement")

    TRANSITIONS: ClassVar[Transitions] = OPENING

    def __init__(self, request: Request, retry: RetryTimer, now: float) -> None:
        super().__init__(Phase.asking, retry, [request.encode()])
        self._request = request
        self.agreement: Agreement | None = None
        retry.start(now)

    def receive(self, datagram: bytes, now: float) -> None:
        """A datagram came in answer to the request; any octets may be in it.

        When the phase is `answered` afterwards and the agreement has no OACK, an RRQ was answered
        with DATA: the session gives the same datagram to its `Receiver`.
        """
        self._receive(datagram, now)

    # One method for each kind of packet ----------------------------------------------------

    def _receive_oack(self, packet: Oack, now: float) -> None:
        try:
            agreement = check(self._request.options, packet.options)
        except NegotiationError as error:
            code = ErrorCode.option_negotiation
            self.abort(code, "Options were not agreed", reason=str(error))
        else:
            self._open(agreement)

    def _receive_error(self, packet: Error, now: float) -> None:
        # An ERROR is never answered (RFC 1350, section 7).
        end = End(Outcome.refused, packet.code, packet.text, by_peer=True)
        self._finish(Event.error_came, end)

    def _receive_data(self, packet: Data, now: float) -> None:
        is_answer = self._request.direction is Direction.read and packet.wire_block == 1
        self._receive_plain(packet, now, is_answer=is_answer)

    def _receive_ack(self, packet: Ack, now: float) -> None:
        is_answer = self._request.direction is Direction.write and packet.wire_block == 0
        self._receive_plain(packet, now, is_answer=is_answer)

    def _receive_plain(self, packet: Data | Ack, now: float, *, is_answer: bool) -> None:
        """The answer of a server without options, or a packet of an earlier transfer."""
        if is_answer:
            self._open(Agreement())
        else:
            self._receive_copy(packet, now)

    # Inside --------------------------------------------------------------------------------

    def _time_out(self, now: float) -> None:
        """Asks again, or gives up."""
        if self._retry.is_exhausted:
            # No ERROR: nobody is there to read it.
            text = f"no answer to the request, {self._retry.tries + 1} tries"
            self._finish(Event.silence, End(Outcome.timed_out, None, text))
            return
        self._retry.retry(now)
        self.retransmits += 1
        self._transmits.append(self._request.encode())

    def _open(self, agreement: Agreement) -> None:
        self.agreement = agreement
        self._follow(Event.answer)

    _RECEIVE: ClassVar[Mapping[Phase, Methods]] = {
        Phase.asking: {
            Oack: _receive_oack,
            Error: _receive_error,
            Data: _receive_data,
            Ack: _receive_ack,
            Request: Machine._receive_copy,
        },
    }
