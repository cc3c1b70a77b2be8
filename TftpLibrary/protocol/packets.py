"""The six packets of TFTP, decoded from and encoded to octets.

RFC 1350 section 5 (RRQ, WRQ, DATA, ACK, ERROR) and RFC 2347 (options, OACK, error 8).

The data path carries no packet objects: building one for each DATA block costs four times as
much as a header joined to a slice. `Data` is for decoding unexpected datagrams, and for tests.
"""

from __future__ import annotations

import re
import struct
import sys
from enum import Enum, IntEnum
from typing import NamedTuple

from TftpLibrary.errors import PacketError

Options = tuple[tuple[str, str], ...]
"""Option names and values in the order of the packet, spelt as the peer spelt them."""

_ESCAPE = (
    rb"\\(?!x86(?:/|\\(?!x[0-9a-f]{2})))"  # a folder of Windows loaders: boot\x86\wdsnbp.com
    rb"(?:x([0189a-f][0-9a-f]|7f)|u([0-9a-f]{4})|U([0-9a-f]{8}))"
)

HEADER_SIZE = 4
"""Octets before the payload of DATA, and the size of an ACK."""


class Opcode(IntEnum):
    """The first 16 bits of a packet."""

    rrq = 1
    wrq = 2
    data = 3
    ack = 4
    error = 5
    oack = 6

    @property
    def packet(self) -> str:
        """The name of the packet as the RFCs write it: RRQ, WRQ, DATA and so on."""
        return self.name.upper()


class ErrorCode(IntEnum):
    """The error codes of RFC 1350, section 5, and RFC 2347."""

    not_defined = 0
    file_not_found = 1
    access_violation = 2
    disk_full = 3
    illegal_operation = 4
    unknown_tid = 5
    file_exists = 6
    no_such_user = 7
    option_negotiation = 8


class Direction(str, Enum):
    """The direction of a transfer, as the RFC sees it."""

    read = "read"
    """RRQ: the server sends DATA."""
    write = "write"
    """WRQ: the client sends DATA."""

    __str__ = str.__str__

    @property
    def opcode(self) -> Opcode:
        """The opcode of the request."""
        return Opcode.rrq if self is Direction.read else Opcode.wrq

    @classmethod
    def of_opcode(cls, opcode: int) -> Direction | None:
        """Returns the direction that an opcode asks for; None if it is not that of a request."""
        return _DIRECTIONS.get(opcode)


_DIRECTIONS: dict[int, Direction] = {direction.opcode: direction for direction in Direction}


class Mode(str, Enum):
    """The transfer mode of a request (RFC 1350, section 1).

    | ``octet``    | The bytes of the file as they are. |
    | ``netascii`` | Text whose lines end with CR LF on the wire. |
    """

    octet = "octet"
    netascii = "netascii"

    __str__ = str.__str__


class Request(NamedTuple):
    """An RRQ for the direction read, a WRQ for write.

    `filename` is octets, since boards send names in any encoding. `mode` is as it came.
    """

    direction: Direction
    filename: bytes
    mode: str = "octet"
    options: Options = ()

    def encode(self) -> bytes:
        """Returns the octets of the packet."""
        opcode = struct.pack("!H", self.direction.opcode)
        head = opcode + self.filename + b"\0" + _octets(self.mode) + b"\0"
        return head + _encode_options(self.options)


class Data(NamedTuple):
    """One block of the file; a payload shorter than blksize is the last one."""

    wire_block: int
    payload: bytes

    def encode(self) -> bytes:
        """Returns the octets of the packet."""
        return struct.pack("!HH", Opcode.data, self.wire_block) + self.payload


class Ack(NamedTuple):
    """The acknowledgement of a block, and of all blocks before it."""

    wire_block: int

    def encode(self) -> bytes:
        """Returns the octets of the packet."""
        return struct.pack("!HH", Opcode.ack, self.wire_block)


class Error(NamedTuple):
    """The end of a transfer. It is never answered."""

    code: int
    text: str = ""

    def encode(self) -> bytes:
        """Returns the octets of the packet."""
        return struct.pack("!HH", Opcode.error, self.code) + _octets(self.text) + b"\0"


class Oack(NamedTuple):
    """The options that the server grants (RFC 2347)."""

    options: Options

    def encode(self) -> bytes:
        """Returns the octets of the packet."""
        return struct.pack("!H", Opcode.oack) + _encode_options(self.options)


Packet = Request | Data | Ack | Error | Oack


def decode(datagram: bytes) -> Packet:
    """Decodes one datagram.

    Raises:
        PacketError: the octets are no packet; the text says what is wrong with them, and is fit
            to be sent to the peer.
    """
    opcode = peek_opcode(datagram)
    body = datagram[2:]
    direction = _DIRECTIONS.get(opcode)
    if direction is not None:
        return _decode_request(direction, _strings(body, opcode))
    if opcode == Opcode.oack:
        return Oack(_decode_options(_strings(body, Opcode.oack)))
    if opcode not in (Opcode.data, Opcode.ack, Opcode.error):
        raise PacketError(f"Illegal opcode {opcode}")
    if len(body) < 2:
        raise PacketError(f"{Opcode(opcode).packet} without its number")
    (number,) = struct.unpack_from("!H", body)
    if opcode == Opcode.data:
        return Data(number, bytes(body[2:]))
    if opcode == Opcode.ack:
        return Ack(number)
    # Several implementations leave the final NUL out; the text is for people, so take it as it is.
    return Error(number, printable(bytes(body[2:]).split(b"\0", 1)[0]))


def peek_opcode(datagram: bytes) -> int:
    """Returns the opcode of a datagram, which may be one that TFTP does not have.

    Raises:
        PacketError: the datagram is shorter than an opcode.
    """
    if len(datagram) < 2:
        raise PacketError("Packet too short")
    return int.from_bytes(datagram[:2], "big")


def printable(octets: bytes) -> str:
    r"""Returns text for people: no lone surrogate, no control character.

    Octets that are not UTF-8 become ``\xNN``; control and direction-changing characters become
    their escape. Text that a peer chose passes through here before it reaches a log.
    """
    text = octets.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def octets_of_text(text: str) -> bytes:
    r"""Returns the octets of a name that a person wrote, or copied from where `printable` shows it.

    What `printable` escapes is meant as it was: ``\xff`` is the octet. Any other backslash stays,
    and so does that of a folder ``\x86``, in which Windows loaders look.

    Raises:
        UnicodeEncodeError: it has a surrogate that stands for no octet.
    """
    octets = text.encode("utf-8", "surrogateescape")
    return re.sub(_ESCAPE, _unescaped, octets) if b"\\" in octets else octets


def _escape(char: str) -> str:
    # Not as Python has it: \n may begin the name of a folder, and \x85 is an octet that is no text.
    code = ord(char)
    return (
        f"\\x{code:02x}"
        if code < 0x80
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def _unescaped(match: re.Match[bytes]) -> bytes:
    octet, short, long = match.groups()
    if octet is not None:
        return bytes((int(octet, 16),))
    code = int(short or long, 16)
    if code > sys.maxunicode or 0xD800 <= code <= 0xDFFF or chr(code).isprintable():
        return match[0]
    return chr(code).encode()


def _decode_request(direction: Direction, strings: list[bytes]) -> Request:
    if not strings or not strings[0]:
        raise PacketError(f"{direction.opcode.packet} without a file name")
    if len(strings) < 2 or not strings[1]:
        raise PacketError(f"{direction.opcode.packet} without a mode")
    filename, mode, *options = strings
    return Request(direction, filename, printable(mode), _decode_options(options))


def _strings(body: bytes, opcode: int) -> list[bytes]:
    if not body:
        return []
    *strings, rest = bytes(body).split(b"\0")
    if rest:
        raise PacketError(f"{Opcode(opcode).packet} without a final NUL")
    return strings


def _decode_options(strings: list[bytes]) -> Options:
    if not strings:
        return ()
    # A name without a value cannot be answered, so it is no option.
    pairs = zip(strings[::2], strings[1::2], strict=False)
    return tuple((printable(name), printable(value)) for name, value in pairs if name)


def _encode_options(options: Options) -> bytes:
    return b"".join(_octets(text) + b"\0" for pair in options for text in pair)


def _octets(text: str) -> bytes:
    """Text as octets without the NUL that would end the field early."""
    return text.encode("utf-8", "backslashreplace").replace(b"\0", b"")
