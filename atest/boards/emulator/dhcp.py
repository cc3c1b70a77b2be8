"""DHCP as a lab's server answers it: always the same address, and what to boot.

RFC 2131 and 2132, and the older BOOTP of RFC 951 in the same packets. There is one board on the
wire, so nothing is ever taken, and no lease ends.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from atest.boards.emulator.frames import FrameError

SERVER_PORT, CLIENT_PORT = 67, 68
DISCOVER, OFFER, REQUEST, ACK, NAK, INFORM = 1, 2, 3, 5, 6, 8

NETMASK, ROUTER, REQUESTED_ADDRESS, LEASE, KIND = 1, 3, 50, 51, 53
SERVER_NAME, TFTP_SERVER, BOOT_FILE, UUID, ETHERBOOT = 54, 66, 67, 97, 175
_PAD, _END = 0, 255
_ASK, _ANSWER = 1, 2
_COOKIE = b"\x63\x82\x53\x63"
_LEASE_SECONDS = 86400
_LONGEST_NAME = 127
# iPXE waits for seconds whether another server has more to tell, unless it is told that none has.
_NO_PROXY = bytes((176, 1, 1))

# op, htype, hlen, hops, xid, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr, sname, file
_HEAD = struct.Struct("!BBBB4sHH4s4s4s4s16s64s128s")
_LEAST = 300
"""Octets that a BOOTP packet has at least."""


class Question(NamedTuple):
    """A request of a board. `kind` is 0 for BOOTP, which has no kinds."""

    kind: int
    transaction: bytes
    card: bytes
    flags: int = 0
    address: str = "0.0.0.0"
    options: Mapping[int, bytes] = {}

    @classmethod
    def decode(cls, octets: bytes) -> Question:
        """Reads the payload of a datagram to port 67."""
        if len(octets) < _HEAD.size:
            raise FrameError(f"A DHCP packet has 236 octets or more, got {len(octets)}.")
        head = _HEAD.unpack_from(octets)
        if head[:3] != (_ASK, 1, 6):
            raise FrameError(
                "A DHCP packet that asks nothing, or for something else than Ethernet."
            )
        options = _decode_options(octets[_HEAD.size :])
        kind = options.get(KIND, b"\0")[:1]
        card, address = head[11][:6], socket.inet_ntoa(head[7])
        return cls(kind[0] if kind else 0, head[4], card, head[6], address, options)


@dataclass(frozen=True)
class Offer:
    """The lab's answers for a board.

    Attributes:
        address: the board's.
        server: the address of the TFTP server, which is the gateway and the DHCP server as well.
        netmask: that of the board's network.
        boot_file: the file to load; empty for none.
        options: more options, by their codes.
        echoes_uuid: whether the board gets its own option 97 back, as PXE asks for.
    """

    address: str
    server: str
    netmask: str = "255.255.255.0"
    boot_file: str = ""
    options: Mapping[int, bytes] = field(default_factory=dict)
    echoes_uuid: bool = False

    def __post_init__(self) -> None:
        if len(self.boot_file.encode()) > _LONGEST_NAME:
            raise ValueError(
                f"DHCP has room for a boot file of {_LONGEST_NAME} octets: {self.boot_file}"
            )

    def answer(self, question: Question) -> bytes | None:
        """Returns the answer, or None where the board wants none."""
        kinds = {0: 0, DISCOVER: OFFER, REQUEST: ACK, INFORM: ACK}
        if question.kind not in kinds:
            return None
        wanted = question.options.get(REQUESTED_ADDRESS)
        if question.kind == REQUEST and wanted not in (None, socket.inet_aton(self.address)):
            return self._encode(question, NAK, {})
        return self._encode(question, kinds[question.kind], self._options(question))

    def _options(self, question: Question) -> dict[int, bytes]:
        asked = question.kind
        server, boot_file = self.server.encode(), self.boot_file.encode()
        options = {
            NETMASK: socket.inet_aton(self.netmask),
            ROUTER: socket.inet_aton(self.server),
            LEASE: b"" if asked == INFORM else _LEASE_SECONDS.to_bytes(4, "big"),
            TFTP_SERVER: server if boot_file else b"",
            BOOT_FILE: boot_file,
            ETHERBOOT: _NO_PROXY if boot_file else b"",
        }
        uuid = question.options.get(UUID, b"") if self.echoes_uuid else b""
        # EDK2 writes a 0 behind the texts of 66 and 67, and so over the code of the next option:
        # a program that it starts finds nothing behind them.
        options = {UUID: uuid, **self.options, **options}
        return {code: value for code, value in options.items() if value}

    def _encode(self, question: Question, kind: int, more: Mapping[int, bytes]) -> bytes:
        server = socket.inet_aton(self.server)
        own = {KIND: bytes((kind,)), SERVER_NAME: server} if kind else {}
        nothing = bytes(4)
        is_given = kind != NAK
        head = _HEAD.pack(
            *(_ANSWER, 1, 6, 0, question.transaction, 0, question.flags),
            socket.inet_aton(question.address) if is_given else nothing,
            socket.inet_aton(self.address) if is_given else nothing,
            server if is_given else nothing,
            nothing,
            question.card,
            b"",
            self.boot_file.encode() if is_given else b"",
        )
        return (head + _encode_options({**own, **more})).ljust(_LEAST, b"\0")


def _decode_options(octets: bytes) -> dict[int, bytes]:
    """Reads as far as it can: what comes after a broken option is left."""
    options: dict[int, bytes] = {}
    if octets[:4] != _COOKIE:
        return options
    position = 4
    while position < len(octets) and octets[position] != _END:
        code = octets[position]
        position += 1
        if code != _PAD and position < len(octets):
            size = octets[position]
            options[code] = octets[position + 1 : position + 1 + size]
            position += 1 + size
    return options


def _encode_options(options: Mapping[int, bytes]) -> bytes:
    pairs = (bytes((code, len(value))) + value for code, value in options.items())
    return _COOKIE + b"".join(pairs) + bytes((_END,))
