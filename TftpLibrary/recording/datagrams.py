"""One datagram as this end sent or received it, and whether it was on the wire before."""

from __future__ import annotations

from typing import NamedTuple

from TftpLibrary.protocol.packets import HEADER_SIZE, Opcode

Endpoint = tuple[str, int]
"""Address and port, as people write them: no scope, and IPv4 as IPv4 on every socket."""

MOST_CONVERSATIONS = 1024
"""Peers of one socket that are remembered; those that came first are forgotten first."""

_DATA = Opcode.data.to_bytes(2, "big")
_REQUESTS = (Opcode.rrq.to_bytes(2, "big"), Opcode.wrq.to_bytes(2, "big"))
_NAMES = {opcode.to_bytes(2, "big"): opcode.name.upper() for opcode in Opcode}
_NUMBERED = (_DATA, Opcode.ack.to_bytes(2, "big"))
_HALF = 0x8000


class Datagram(NamedTuple):
    """One datagram.

    Attributes:
        time_ns: nanoseconds of the wall clock since 1970.
        source: where it came from.
        destination: where it went.
        octets: what it carries: a packet of TFTP, or what somebody sent instead.
        is_sent: whether this end sent it.
        comment: what a reader of the capture should know; empty most times.
    """

    time_ns: int
    source: Endpoint
    destination: Endpoint
    octets: bytes
    is_sent: bool
    comment: str = ""


class Repeats:
    """Tells which datagrams of one socket repeat others.

    DATA repeats if its block is not beyond the highest one that went the same way. Any other
    packet repeats if it equals the one before it that went the same way and is no DATA. A new
    request begins anew.
    """

    def __init__(self) -> None:
        self._ways: dict[tuple[Endpoint, bool], _Way] = {}

    def comment(self, peer: Endpoint, octets: bytes, *, is_sent: bool) -> str:
        """Returns what to say about a datagram: empty unless it repeats one.

        Args:
            peer: the other end.
            octets: the datagram.
            is_sent: whether this end sent it.
        """
        way = self._ways.get((peer, is_sent))
        if way is None:
            way = self._begin(peer, is_sent)
        if not way.repeats(octets):
            if octets[:2] in _REQUESTS:
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
    """What went one way between two ends."""

    __slots__ = ("highest", "last")

    def __init__(self) -> None:
        self.highest: int | None = None
        """The wire block of the newest DATA."""
        self.last: bytes | None = None
        """The newest packet that is no DATA."""

    def repeats(self, octets: bytes) -> bool:
        """Takes a datagram. Returns whether it repeats another."""
        if octets[:2] != _DATA:
            is_repeated = octets == self.last
            self.last = octets
            return is_repeated
        block = int.from_bytes(octets[2:HEADER_SIZE], "big")
        # Less than half of all numbers ahead is new, also behind 65535 and with each rollover.
        if self.highest is not None and not 0 < (block - self.highest) % (2 * _HALF) < _HALF:
            return True
        self.highest = block
        return False


def _name(octets: bytes) -> str:
    opcode = octets[:2]
    name = _NAMES.get(opcode, "a datagram")
    if opcode in _NUMBERED and len(octets) >= HEADER_SIZE:
        return f"{name} {int.from_bytes(octets[2:HEADER_SIZE], 'big')}"
    return name
