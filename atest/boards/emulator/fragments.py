"""Packets that are longer than the wire allows: cut into fragments, and put together again.

RFC 791 section 3.2. A board with a blksize over 1468 sends and gets its DATA in fragments.
"""

from __future__ import annotations

from collections.abc import Iterator

from atest.boards.emulator.frames import FrameError, Packet

MTU = 1500
"""Octets of an IPv4 packet that fit into one Ethernet frame."""

_HEADER = 20
_LARGEST = 65535 - _HEADER
_UNFINISHED = 64


def cut(packet: Packet, mtu: int = MTU) -> Iterator[Packet]:
    """Yields the packet, or its fragments in order when it is too long."""
    # An offset counts units of eight octets, so every fragment but the last is a multiple of it.
    step = (mtu - _HEADER) // 8 * 8
    size = len(packet.payload)
    if size <= mtu - _HEADER:
        yield packet
        return
    for start in range(0, size, step):
        part = packet.payload[start : start + step]
        yield packet._replace(payload=part, offset=start, more=start + step < size)


class Reassembly:
    """Puts fragments together, in whatever order they come.

    The oldest unfinished packet is forgotten when there are too many of them.
    """

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str, int, int], dict[int, Packet]] = {}

    def receive(self, packet: Packet) -> Packet | None:
        """Takes a packet or a fragment; returns what is complete now, or None.

        Raises:
            FrameError: the fragment lies beyond the longest packet, or its length is odd.
        """
        if not packet.is_fragment:
            return packet
        if packet.offset + len(packet.payload) > _LARGEST:
            raise FrameError("A fragment lies beyond the longest packet that there is.")
        if packet.more and len(packet.payload) % 8:
            raise FrameError("A fragment that others follow is no multiple of eight octets long.")
        key = (packet.source, packet.target, packet.protocol, packet.identity)
        parts = self._parts.setdefault(key, {})
        parts[packet.offset] = packet
        whole = _joined(parts)
        if whole is not None:
            del self._parts[key]
        elif len(self._parts) > _UNFINISHED:
            del self._parts[next(iter(self._parts))]
        return whole


def _joined(parts: dict[int, Packet]) -> Packet | None:
    """The whole packet, if every octet of it is there."""
    payload = b""
    while part := parts.get(len(payload)):
        payload += part.payload
        if not part.more:
            return part._replace(payload=payload, offset=0, more=False)
        if not part.payload:
            return None
    return None
