"""The answer to a board that looks for an IPv6 router: there is none that it could use.

RFC 4861 section 4.1 and 4.2. Without it iPXE asks again and again, for 16 seconds, before it goes
on with the IPv4 address that it has.
"""

from __future__ import annotations

import socket
import struct

from atest.boards.emulator.frames import FrameError, checksum

ETHERTYPE_IPV6 = 0x86DD
ROUTER = "fe80::2"
"""The address of the router; link-local, as RFC 4861 wants it."""

_ICMPV6, _SOLICITATION, _ADVERTISEMENT = 58, 133, 134
_HOPS = 255
_HEADER = struct.Struct("!IHBB16s16s")
_VERSION = 6 << 28


def advertise(octets: bytes) -> bytes | None:
    """Returns the answer to a router solicitation, or None for another packet.

    Args:
        octets: the payload of a frame with `ETHERTYPE_IPV6`.
    """
    if len(octets) < _HEADER.size:
        raise FrameError(f"An IPv6 packet has 40 octets or more, got {len(octets)}.")
    _, size, following, _, board, _ = _HEADER.unpack_from(octets)
    message = octets[_HEADER.size : _HEADER.size + size]
    if following != _ICMPV6 or message[:1] != bytes((_SOLICITATION,)):
        return None
    source = socket.inet_pton(socket.AF_INET6, ROUTER)
    # Lifetime 0: no router for anything. No prefix and no flag: no address and no DHCPv6 either.
    answer = struct.pack("!BBHBBHII", _ADVERTISEMENT, 0, 0, 64, 0, 0, 0, 0)
    pseudo = source + board + struct.pack("!II", len(answer), _ICMPV6)
    answer = answer[:2] + checksum(pseudo + answer).to_bytes(2, "big") + answer[4:]
    return _HEADER.pack(_VERSION, len(answer), _ICMPV6, _HOPS, source, board) + answer
