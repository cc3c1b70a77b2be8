"""The machine of a client's first exchange: the request goes out, and a new TID answers.

RFC 1350 section 4 (TIDs), RFC 2347 (an OACK, or DATA 1 / ACK 0 from a server that knows no
options, opens the transfer; an OACK that breaks the rules gets ERROR 8; a server that refuses the
options is asked once more without them).

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

_ABOUT_OPTIONS = (ErrorCode.option_negotiation, ErrorCode.illegal_operation)
"""The codes of servers that refuse a request for its options."""


class Opening(Machine):
    """Asks a server for a transfer, until it answers.

    Args:
        request: the RRQ or WRQ, with the options to ask for.
        retry: the timer, not yet started; its patience is how long to keep asking.
        now: monotonic seconds.
        rollover: the block number after 65535 where the server does not negotiate it.

    Attributes:
        agreement: the options that the server agreed to; None before the phase is `answered`.
    """

    __slots__ = ("_request", "_rollover", "_superseded", "agreement")

    TRANSITIONS: ClassVar[Transitions] = OPENING

    def __init__(
        self, request: Request, retry: RetryTimer, now: float, *, rollover: int = 0
    ) -> None:
        super().__init__(Phase.asking, retry, [request.encode()])
        self._request = request
        self._rollover = rollover
        # Requests with options that are still to be refused, after the first one was.
        self._superseded = 0
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
            agreement = check(self._request.options, packet.options, self._rollover)
        except NegotiationError as error:
            code = ErrorCode.option_negotiation
            self.abort(code, "Options were not agreed", reason=str(error))
        else:
            self.remarks += tuple(
                f"the server answered {name}={value}, which was not asked and changes nothing"
                for name, value in agreement.unasked
            )
            self._open(agreement)

    def _receive_error(self, packet: Error, now: float) -> None:
        if packet.code in _ABOUT_OPTIONS and self._request.options:
            self._ask_plainly(packet, now)
            return
        if packet.code in _ABOUT_OPTIONS and self._superseded:
            self._superseded -= 1
            self._receive_copy(packet, now)
            return
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
            self._open(Agreement(rollover=self._rollover))
        else:
            self._receive_copy(packet, now)

    # Inside --------------------------------------------------------------------------------

    def _ask_plainly(self, packet: Error, now: float) -> None:
        """Asks once more, as RFC 1350 has it: devices that know no options refuse them so."""
        said = f" ({packet.text})" if packet.text else ""
        self.remarks += (f"ERROR {packet.code}{said} to the options: asked again without any",)
        # Each copy of the request may have its own ERROR, still on its way.
        self._superseded = self._retry.tries
        self._request = self._request._replace(options=())
        self._retry.start(now)
        self._transmits.append(self._request.encode())

    def _time_out(self, now: float) -> None:
        """Asks again, or gives up."""
        if self._retry.is_exhausted:
            # No ERROR: nobody is there to read it.
            text = f"no answer to the request, {self._retry.tries_text}"
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
