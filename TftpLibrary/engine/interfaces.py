"""The addresses of this machine, and the interfaces that have them.

Python's standard library lists interfaces, but not their addresses. Linux is asked for them; other
systems name the addresses that their own host name stands for.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from ipaddress import ip_address
from typing import NamedTuple

_PAIR = 40
"""Bytes of an answer for each address: 16 of the name, and a socket address with its padding."""
_MOST = 256
_GET_ADDRESSES = 0x8912


class Interface(NamedTuple):
    """An IPv4 address of this machine.

    Attributes:
        address: the address.
        name: the interface that has it, such as `eth1`; empty where the system does not tell.
    """

    address: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.address} ({self.name})" if self.name else self.address


def interfaces() -> list[Interface]:
    """Returns the addresses of this machine, without loopback. Empty where none is known."""
    with contextlib.suppress(OSError):
        return [each for each in _all() if not ip_address(each.address).is_loopback]
    return []


def share_an_interface(address: str, other: str) -> bool:
    """Whether one interface has both addresses: whoever reaches one of them reaches the other."""
    names = {each.address: each.name for each in interfaces()}
    return bool(names.get(address)) and names.get(address) == names.get(other)


if sys.platform == "linux":
    import array
    import fcntl

    def _all() -> list[Interface]:
        room = array.array("B", bytes(_PAIR * _MOST))
        start, size = room.buffer_info()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            answer = fcntl.ioctl(sock.fileno(), _GET_ADDRESSES, struct.pack("iP", size, start))
        (length,) = struct.unpack_from("i", answer)
        return [_of(bytes(room[at : at + _PAIR])) for at in range(0, length, _PAIR)]

    def _of(pair: bytes) -> Interface:
        # An address that was added under a label has the label: eth0:1.
        name = pair[:16].split(b"\0")[0].decode("ascii", "replace").partition(":")[0]
        return Interface(socket.inet_ntoa(pair[20:24]), name)

else:

    def _all() -> list[Interface]:
        infos = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET, socket.SOCK_DGRAM)
        return [Interface(str(info[4][0])) for info in infos]
