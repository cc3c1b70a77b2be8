"""Writes datagrams as pcapng, which Wireshark and tshark open.

One Enhanced Packet Block for each datagram, with nanoseconds, its direction, and a comment where
there is one. The link type is LINKTYPE_RAW: a packet begins with its IP header. Both headers, IP
(RFC 791, RFC 8200) and UDP (RFC 768), are made here with good checksums, since a program sees only
what they carry: identification and hop limit are not those of the wire, and a datagram that was
cut into fragments there is in one piece here.

Datagrams that a fault kept from the wire are packets of a second interface, which is described when
the first of them comes. `frame.interface_name != "lost on purpose"` leaves them out.
"""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import Protocol

from TftpLibrary.protocol.datagrams import Datagram, Endpoint

BUFFER_SIZE = 64 * 1024
"""Octets that are collected before they are written."""
LONGEST_DELAY = 1_000_000_000
"""Nanoseconds that a datagram waits in the buffer, as long as others follow."""
LOST = "lost on purpose"
"""The name of the interface with the datagrams that were kept from the wire."""

_SECTION_HEADER = 0x0A0D0D0A
_INTERFACE_DESCRIPTION = 1
_ENHANCED_PACKET = 6
_BYTE_ORDER = 0x1A2B3C4D
_UNKNOWN_LENGTH = -1
_LINKTYPE_RAW = 101
_NANOSECONDS = 9

_OPT_COMMENT = 1
_SHB_USERAPPL = 4
_IF_NAME = 2
_IF_DESCRIPTION = 3
_IF_TSRESOL = 9
_EPB_FLAGS = 2
_INBOUND = struct.pack("<I", 1)
_OUTBOUND = struct.pack("<I", 2)
_END_OF_OPTIONS = struct.pack("<HH", 0, 0)

_BLOCK_FRAME = 12
"""Octets around the body of a block: its type, and its length at both ends."""
_PACKET_HEAD = struct.Struct("<IIIIIII")
_IPV4 = struct.Struct("!HHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_UDP = struct.Struct("!HHHH")
_IPV4_VERSION = 0x4500
"""The version, the length of the header in words, and no special service."""
_IPV6_VERSION = 6 << 28
_UDP_PROTOCOL = 17
_HOP_LIMIT = 64
_DO_NOT_FRAGMENT = 0x4000
_MODULUS = 0xFFFF
_MOST_PATHS = 1024
_WIRE, _LOST = 0, 1
"""The interfaces, by their places in the file."""
_LOST_DESCRIPTION = "Datagrams that a fault on purpose kept from the wire: nobody received them."


class File(Protocol):
    """The file of a capture: binary, without a buffer of its own."""

    def write(self, octets: memoryview, /) -> int | None:
        """Writes, perhaps only the first part; returns how much."""


class PcapWriter:
    """Writes one section to an open file, with one interface and perhaps that of lost datagrams.

    The file gets whole blocks, about `BUFFER_SIZE` octets at a time, so that one call is short: the
    caller is the engine's thread.

    Args:
        file: where to write; it is not closed here.
        application: the program that captures, for the section header.
        name: name of the interface: the server or the client.
        description: more about it.

    Raises:
        OSError: the header cannot be written.

    Attributes:
        packets: datagrams in the file, or on their way there.
        octets: octets that these datagrams carry.
        size: octets of the file that are whole blocks.
    """

    def __init__(self, file: File, application: str, name: str, description: str) -> None:
        self.packets = self.octets = self.size = 0
        self._written = (0, 0)
        self._file = file
        self._buffer = bytearray()
        self._oldest = 0
        self._paths: dict[tuple[Endpoint, Endpoint], _Path] = {}
        self._has_lost = False
        section = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH)
        self._buffer += _block(_SECTION_HEADER, section, [(_SHB_USERAPPL, application.encode())])
        self._buffer += _interface(name, description)
        self.flush()

    def write(self, datagram: Datagram) -> None:
        """Takes one datagram.

        Raises:
            OSError: the file takes no more.
        """
        path = self._paths.get(datagram[1:3])
        if path is None:
            path = self._find_path(datagram.source, datagram.destination)
        headers = path.headers(datagram.octets)
        length = len(headers) + len(datagram.octets)
        options = _FLAGS_SENT if datagram.is_sent else _FLAGS_RECEIVED
        if datagram.comment:
            options = _option(_OPT_COMMENT, datagram.comment.encode()) + options
        padding = -length % 4
        total = _PACKET_HEAD.size + length + padding + len(options) + 4
        high, low = divmod(datagram.time_ns, 1 << 32)
        buffer = self._buffer
        if not buffer:
            self._oldest = datagram.time_ns
        interface = _WIRE
        if datagram.is_lost:
            interface = _LOST
            if not self._has_lost:
                self._has_lost = True
                buffer += _interface(LOST, _LOST_DESCRIPTION)
        buffer += _PACKET_HEAD.pack(_ENHANCED_PACKET, total, interface, high, low, length, length)
        buffer += headers
        buffer += datagram.octets
        buffer += b"\0" * padding + options + struct.pack("<I", total)
        self.packets += 1
        self.octets += len(datagram.octets)
        if len(buffer) >= BUFFER_SIZE or datagram.time_ns - self._oldest > LONGEST_DELAY:
            self.flush()

    def flush(self) -> None:
        """Writes what was collected.

        Raises:
            OSError: the file takes no more; what was collected is lost.
        """
        collected, self._buffer = self._buffer, bytearray()
        view = memoryview(collected)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError:
            self.packets, self.octets = self._written
            raise
        self.size += len(collected)
        self._written = (self.packets, self.octets)

    def _find_path(self, source: Endpoint, destination: Endpoint) -> _Path:
        if len(self._paths) >= _MOST_PATHS:
            self._paths.clear()
        path = self._paths[source, destination] = _Path(source, destination)
        return path


class _Path:
    """The way from one end to the other, with the common part of its datagrams' headers."""

    def __init__(self, source: Endpoint, destination: Endpoint) -> None:
        hosts = [ip_address(end[0]) for end in (source, destination)]
        self._is_ipv4 = hosts[0].version == 4
        self._hosts = [host.packed for host in hosts]
        self._ports = (source[1], destination[1])
        self._host_sum = _sum(b"".join(self._hosts))

    def headers(self, payload: bytes) -> bytes:
        """Returns the IP and the UDP header of a datagram."""
        length = _UDP.size + len(payload)
        # The pseudo-header has both hosts, the protocol, and the length that stands in UDP's too.
        total = self._host_sum + _UDP_PROTOCOL + 2 * length + sum(self._ports) + _sum(payload)
        # The sum 0 is written as 0xFFFF: with 0 UDP says that there is none.
        udp = _UDP.pack(*self._ports, length, _MODULUS - total % _MODULUS)
        if self._is_ipv4:
            return self._ipv4(_IPV4.size + length) + udp
        return _IPV6.pack(_IPV6_VERSION, length, _UDP_PROTOCOL, _HOP_LIMIT, *self._hosts) + udp

    def _ipv4(self, length: int) -> bytes:
        words = (_IPV4_VERSION, length, _DO_NOT_FRAGMENT, _HOP_LIMIT << 8 | _UDP_PROTOCOL)
        checksum = -(sum(words) + self._host_sum) % _MODULUS
        return _IPV4.pack(
            _IPV4_VERSION,
            length,
            0,
            _DO_NOT_FRAGMENT,
            _HOP_LIMIT,
            _UDP_PROTOCOL,
            checksum,
            *self._hosts,
        )


def _sum(octets: bytes) -> int:
    """Returns the sum of the 16-bit words of ones' complement arithmetic (RFC 1071).

    2**16 is 1 modulo 65535, so one long number has the same remainder as the sum of its words.
    """
    number = int.from_bytes(octets, "big") % _MODULUS
    return number << 8 if len(octets) % 2 else number


def _interface(name: str, description: str) -> bytes:
    """The description of the next interface."""
    # A snapshot length of 0: datagrams are whole.
    body = struct.pack("<HHI", _LINKTYPE_RAW, 0, 0)
    options = [
        (_IF_NAME, name.encode()),
        (_IF_DESCRIPTION, description.encode()),
        (_IF_TSRESOL, bytes((_NANOSECONDS,))),
    ]
    return _block(_INTERFACE_DESCRIPTION, body, options)


def _block(kind: int, body: bytes, options: list[tuple[int, bytes]]) -> bytes:
    rest = body + b"".join(_option(*option) for option in options) + _END_OF_OPTIONS
    length = struct.pack("<I", _BLOCK_FRAME + len(rest))
    return struct.pack("<I", kind) + length + rest + length


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


_FLAGS_SENT = _option(_EPB_FLAGS, _OUTBOUND) + _END_OF_OPTIONS
_FLAGS_RECEIVED = _option(_EPB_FLAGS, _INBOUND) + _END_OF_OPTIONS
