"""Makes the machine that one end of a transfer needs, ready for its first packet.

Only this module knows who sends DATA, how each role begins (RFC 1350 section 4, RFC 2347), what a
negotiated timeout changes (RFC 2349), and which waits and pace a transfer gets. The engine and the
simulated link of the tests both make their machines here:

| role | direction | machine | begins with |
| --- | --- | --- | --- |
| client | either | `Opening` | the request; then one of the next two |
| client | read | `Receiver` | ACK 0 after an OACK; after DATA 1 with nothing |
| client | write | `Sender` | a whole window: the server has answered |
| server | read | `Sender` | the OACK if an option was granted, otherwise DATA 1 |
| server | write | `Receiver` | the OACK if an option was granted, otherwise ACK 0 |
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from TftpLibrary.protocol.blocks import last_block
from TftpLibrary.protocol.opening import Opening
from TftpLibrary.protocol.options import Agreement
from TftpLibrary.protocol.pace import Pace
from TftpLibrary.protocol.packets import Ack, Oack, Request
from TftpLibrary.protocol.receiver import Receiver
from TftpLibrary.protocol.retry import RetryTimer
from TftpLibrary.protocol.sender import Sender

SLOWEST_LINK = 16_000
"""Octets each second that a link carries at least, as long as no window was measured."""


class Role(Enum):
    """Which end of a transfer this is.

    | ``client`` | The end that asks. |
    | ``server`` | The end that is asked. |
    """

    client = "client"
    server = "server"


class Timing(NamedTuple):
    """How an end waits for its peer; one value for all transfers with the same settings.

    Attributes:
        timeout: seconds; the longest wait before a packet is sent again.
        retries: how often to send again without an answer before giving up.
        is_adaptive: whether the waits follow the measured round trip.
        is_paced: whether an adaptive sender slows its windows down after a time-out.
    """

    timeout: float = 1.0
    retries: int = 5
    is_adaptive: bool = True
    is_paced: bool = True

    def timer(self, agreement: Agreement) -> RetryTimer:
        """Returns the timer of one transfer; a negotiated timeout is honoured as asked."""
        if agreement.timeout is not None:
            return RetryTimer(agreement.timeout, self.retries, is_adaptive=False)
        window = agreement.windowsize * agreement.blksize if agreement.windowsize > 1 else 0
        return RetryTimer(
            self.timeout,
            self.retries,
            is_adaptive=self.is_adaptive,
            window_time=window / SLOWEST_LINK,
        )

    def pace(self, agreement: Agreement) -> Pace | None:
        """Returns the pace of one transfer; None in lock-step and without adaptive waits."""
        if self.is_adaptive and self.is_paced and agreement.windowsize > 1:
            return Pace(agreement.windowsize)
        return None


def make_opening(
    request: Request, timing: Timing, now: float, *, patience: float = 0.0, rollover: int = 0
) -> Opening:
    """Makes the machine that asks a server.

    Args:
        request: the RRQ or WRQ.
        timing: how to wait; every wait for the first answer is the whole timeout.
        now: monotonic seconds.
        patience: minimum number of seconds to keep asking, even if all retries are used.
        rollover: the block number after 65535 where the server does not negotiate it.
    """
    timer = RetryTimer(timing.timeout, timing.retries, is_adaptive=False, patience=patience)
    return Opening(request, timer, now, rollover=rollover)


def make_sender(
    role: Role, agreement: Agreement, timing: Timing, now: float, *, size: int | None
) -> Sender:
    """Makes the machine of the end that sends DATA.

    Args:
        role: the server of a read, or the client of a write.
        agreement: what was negotiated.
        timing: how to wait where no timeout was negotiated.
        now: monotonic seconds.
        size: octets of the file as they are transferred; None where the end of the file shows
            only while it is read, as with netascii.
    """
    is_server = role is Role.server
    return Sender(
        agreement,
        timing.timer(agreement),
        now,
        last_block=None if size is None else last_block(size, agreement.blksize),
        oack=Oack(agreement.granted).encode() if is_server and agreement.has_oack else None,
        is_answered=not is_server,
        pace=timing.pace(agreement),
    )


def make_receiver(role: Role, agreement: Agreement, timing: Timing, now: float) -> Receiver:
    """Makes the machine of the end that receives DATA.

    A client whose RRQ was answered with DATA 1 gives that datagram to the machine at once.

    Args:
        role: the server of a write, or the client of a read.
        agreement: what was negotiated.
        timing: how to wait where no timeout was negotiated.
        now: monotonic seconds.
    """
    invitation: bytes | None = Ack(0).encode()
    if role is Role.server and agreement.has_oack:
        invitation = Oack(agreement.granted).encode()
    elif role is Role.client and not agreement.has_oack:
        invitation = None
    return Receiver(agreement, timing.timer(agreement), now, invitation=invitation)
