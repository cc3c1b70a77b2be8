"""The kind and block of a datagram by its first four octets, and whether it repeats another.

Nothing here decodes a packet in full: captures, faults and the tests' link look at every datagram,
also at octets that are no packet. `packets` decodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from TftpLibrary.protocol.packets import HEADER_SIZE, Direction, Opcode

Endpoint = tuple[str, int]
"""Address and port, as people write them: no scope, and IPv4 as IPv4 on every socket."""

MOST_CONVERSATIONS = 1024
"""Peers of one socket that are remembered; the oldest are forgotten first."""

_KINDS = {opcode.to_bytes(2, "big"): opcode.packet for opcode in Opcode}
_NUMBERED = {Opcode.data.packet, Opcode.ack.packet}
_REQUESTS = {direction.opcode.to_bytes(2, "big") for direction in Direction}
_OF_TRANSFER = set(_KINDS) - _REQUESTS
_HALF = 0x8000


LINK = "link"
"""Stands for the id of a fault where the quality of a link did something to a datagram."""
UNKNOWN = "?"
"""The kind of octets that have no opcode of TFTP."""


def kind(octets: bytes) -> str:
    """Returns RRQ, WRQ, DATA, ACK, ERROR or OACK by the opcode alone; otherwise `UNKNOWN`."""
    return _KINDS.get(octets[:2], UNKNOWN)


def is_request(octets: bytes) -> bool:
    """Returns whether the opcode is that of an RRQ or a WRQ."""
    return octets[:2] in _REQUESTS


def is_of_transfer(octets: bytes) -> bool:
    """Returns whether the opcode is one that only follows a request: DATA, ACK, ERROR or OACK."""
    return octets[:2] in _OF_TRANSFER


def wire_block(octets: bytes) -> int | None:
    """Returns the block number of DATA and ACK; None for anything else."""
    if kind(octets) in _NUMBERED and len(octets) >= HEADER_SIZE:
        return int.from_bytes(octets[2:HEADER_SIZE], "big")
    return None


class Datagram(NamedTuple):
    """One datagram.

    Attributes:
        time_ns: nanoseconds of the wall clock since 1970.
        source: where it came from.
        destination: where it went.
        octets: its payload: a packet of TFTP, or anything else that somebody sent.
        is_sent: whether this end sent it.
        comment: a note for the reader of the capture; usually empty.
        is_lost: whether it was kept from the wire on purpose.
    """

    time_ns: int
    source: Endpoint
    destination: Endpoint
    octets: bytes
    is_sent: bool
    comment: str = ""
    is_lost: bool = False


Observer = Callable[[Datagram], None]
"""Called on the engine's thread for each datagram. It must not raise, and must not take long."""


class Repeats:
    """Finds the datagrams of one socket that repeat others.

    DATA is a repeat if its block is not above the highest one in the same direction. Any other
    packet is a repeat if it equals the previous one in the same direction, DATA not counted. A new
    request starts over.
    """

    def __init__(self) -> None:
        self._ways: dict[tuple[Endpoint, bool], _Way] = {}

    def comment(self, peer: Endpoint, octets: bytes, *, is_sent: bool) -> str:
        """Returns a note on a datagram: empty unless it repeats another.

        Args:
            peer: the other end.
            octets: the datagram.
            is_sent: whether this end sent it.
        """
        way = self._ways.get((peer, is_sent))
        if way is None:
            way = self._begin(peer, is_sent)
        if not way.repeats(octets):
            if is_request(octets):
                self._begin(peer, not is_sent)
                way.highest = None
            return ""
        name = _name(octets)
        return f"retransmit: {name} was sent again" if is_sent else f"repeat: {name} came again"

    def _begin(self, peer: Endpoint, is_sent: bool) -> _Way:
        if len(self._ways) >= 2 * MOST_CONVERSATIONS:
            del self._ways[next(iter(self._ways))]
        way = self._ways[peer, is_sent] = _Way()
        return way


class _Way:
    """The datagrams that went one way between two ends."""

    __slots__ = ("highest", "last")

    def __init__(self) -> None:
        self.highest: int | None = None
        """The wire block of the newest DATA."""
        self.last: bytes | None = None
        """The newest packet that is no DATA."""

    def repeats(self, octets: bytes) -> bool:
        """Takes a datagram. Returns whether it repeats another."""
        block = wire_block(octets) if kind(octets) == Opcode.data.packet else None
        if block is None:
            is_repeated = octets == self.last
            self.last = octets
            return is_repeated
        # A block less than half of all numbers ahead is new, also across a rollover.
        if self.highest is not None and not 0 < (block - self.highest) % (2 * _HALF) < _HALF:
            return True
        self.highest = block
        return False


def _name(octets: bytes) -> str:
    name, block = kind(octets), wire_block(octets)
    if name == UNKNOWN:
        return "a datagram"
    return name if block is None else f"{name} {block}"
