"""A poor wire: what the faults of the library do to the packets of a board.

The fate of a packet depends on the packet, on how often it came, and on the seed: the speed of the
machine, and what else is on the wire, change nothing.
"""

from __future__ import annotations

from TftpLibrary.errors import PacketError
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.passage import Passage
from TftpLibrary.faults.plan import Plan
from TftpLibrary.protocol.datagrams import is_request
from TftpLibrary.protocol.packets import Request, decode, printable


class Disturbance:
    """Decides how many copies of each packet arrive.

    Args:
        loss: the share of the packets that get lost, from 0 to 1.
        repeat: the share that arrives twice.
        seed: chooses which.

    Raises:
        UsageError: a share cannot be.
    """

    def __init__(self, loss: float = 0.0, repeat: float = 0.0, seed: int = 0) -> None:
        self._plan = Plan()
        self._plan.set_link(LinkQuality(loss=loss, duplicate=repeat, seed=seed))
        self._passages: dict[int, tuple[bytes, Passage]] = {}

    def copies(self, port: int, payload: bytes, *, is_to_board: bool) -> int:
        """Returns how often a TFTP packet arrives: 0, 1 or 2 times.

        Args:
            port: the port of the board.
            payload: the packet.
            is_to_board: which way it goes.
        """
        if self._plan.is_empty:
            return 1
        request, passage = self._passages.get(port, (b"", None))
        if passage is None or (is_request(payload) and payload != request):
            # A request that only comes again belongs to the same transfer.
            passage = Passage(self._plan, self._plan.begin(_file(payload), ""))
            self._passages[port] = payload, passage
        arriving = passage.carry(payload, 0.0, is_sent=is_to_board)
        passage.take_strikes()
        return len(arriving)


def _file(payload: bytes) -> str:
    try:
        packet = decode(payload)
    except PacketError:
        return ""
    return printable(packet.filename) if isinstance(packet, Request) else ""
