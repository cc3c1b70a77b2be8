"""TFTP packets as a board reads and writes them.

RFC 1350 section 5, RFC 2347, 2348, 2349 and 7440. Nothing here comes from TftpLibrary: a mistake
in its codec would otherwise cancel itself out. This codec is strict where the library is lenient:
a packet that breaks the RFCs is a `BoardError`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

RRQ, WRQ, DATA, ACK, ERROR, OACK = range(1, 7)
KINDS = {RRQ: "RRQ", WRQ: "WRQ", DATA: "DATA", ACK: "ACK", ERROR: "ERROR", OACK: "OACK"}

DEFAULT_BLKSIZE = 512
LAST_WIRE_BLOCK = 65535


class BoardError(AssertionError):
    """The other end did something that a correct TFTP implementation does not do."""

    ROBOT_SUPPRESS_NAME = True


class RefusedError(BoardError):
    """The other end answered with an ERROR packet.

    Attributes:
        code: the error code as received.
        text: the error message as received.
    """

    def __init__(self, code: int, text: str, what: str) -> None:
        super().__init__(f"ERROR {code} '{text}' came in answer to {what}.")
        self.code = code
        self.text = text


class Packet(NamedTuple):
    """One decoded datagram; only the fields of its kind have a meaning.

    `number` is the block of DATA and ACK, and the code of ERROR. `text` is the message of an ERROR
    and the mode of a request.
    """

    kind: int
    number: int = 0
    payload: bytes = b""
    options: Mapping[str, str] = {}
    filename: bytes = b""
    text: str = ""

    def __str__(self) -> str:
        name = KINDS[self.kind]
        if self.kind == DATA:
            return f"DATA {self.number} of {len(self.payload)} octets"
        if self.kind == ERROR:
            return f"ERROR {self.number} '{self.text}'"
        if self.kind == OACK:
            return f"OACK {option_text(self.options)}"
        if self.kind == ACK:
            return f"ACK {self.number}"
        return f"{name} {self.filename!r} {self.text} {option_text(self.options)}".rstrip()


def option_text(options: Mapping[str, str]) -> str:
    """Returns options as `blksize=1468 tsize=0`."""
    return " ".join(f"{name}={value}" for name, value in options.items())


def parse_options(text: str) -> dict[str, str]:
    """Returns the options of a text such as `blksize=1468 tsize=0`, in their order."""
    pairs = (pair.partition("=") for pair in text.split())
    return {name: value for name, _, value in pairs}


def encode_request(
    kind: int, filename: bytes, mode: str = "octet", options: Mapping[str, str] | None = None
) -> bytes:
    """Returns the octets of an RRQ or a WRQ."""
    fields = [filename, mode.encode()]
    for name, value in (options or {}).items():
        fields += [name.encode(), value.encode()]
    return struct.pack("!H", kind) + b"".join(field + b"\0" for field in fields)


def encode_data(wire_block: int, payload: bytes) -> bytes:
    """Returns the octets of a DATA packet."""
    return struct.pack("!HH", DATA, wire_block) + payload


def encode_ack(wire_block: int) -> bytes:
    """Returns the octets of an ACK."""
    return struct.pack("!HH", ACK, wire_block)


def encode_error(code: int, text: str) -> bytes:
    """Returns the octets of an ERROR."""
    return struct.pack("!HH", ERROR, code) + text.encode() + b"\0"


def encode_oack(options: Mapping[str, str]) -> bytes:
    """Returns the octets of an OACK."""
    fields = [text.encode() for pair in options.items() for text in pair]
    return struct.pack("!H", OACK) + b"".join(field + b"\0" for field in fields)


def decode(datagram: bytes) -> Packet:
    """Decodes one datagram, strictly.

    Raises:
        BoardError: the octets are no packet, or one that breaks the RFCs.
    """
    if len(datagram) < 4:
        raise BoardError(f"A packet of at least 4 octets was expected, got {datagram!r}.")
    kind, number = struct.unpack_from("!HH", datagram)
    if kind == DATA:
        return Packet(DATA, number, datagram[4:])
    if kind == ACK:
        if len(datagram) != 4:
            raise BoardError(f"An ACK has 4 octets, this one has {len(datagram)}: {datagram!r}.")
        return Packet(ACK, number)
    if kind == ERROR:
        (text,) = _strings(datagram[4:], "ERROR", count=1)
        return Packet(ERROR, number, text=text.decode())
    if kind == OACK:
        return Packet(OACK, options=_options(_strings(datagram[2:], "OACK"), "OACK"))
    if kind in (RRQ, WRQ):
        filename, mode, *rest = _strings(datagram[2:], KINDS[kind], at_least=2)
        options = _options(rest, KINDS[kind])
        return Packet(kind, filename=filename, text=mode.decode(), options=options)
    raise BoardError(f"No packet has opcode {kind}: {datagram[:32]!r}.")


def check_answer(kind: int, asked: Mapping[str, str], granted: Mapping[str, str]) -> None:
    """Checks an OACK against the request that it answers (RFC 2347, 2348, 2349, 7440).

    Raises:
        BoardError: an option was not asked for, is spelt or placed differently, or is more than
            was asked.
    """
    order = [name for name in asked if name in granted]
    if list(granted) != order:
        raise BoardError(
            "An OACK grants options that were asked, in that order: "
            f"asked {option_text(asked)}, granted {option_text(granted)}."
        )
    for name, value in granted.items():
        if not _is_grantable(kind, name.lower(), asked[name], value):
            raise BoardError(
                f"OACK {name}={value} is no possible answer to {name}={asked[name]} in "
                f"a {KINDS[kind]}."
            )


class Terms:
    """The values that both ends hold to: those of an OACK, or the defaults of RFC 1350."""

    def __init__(self, granted: Mapping[str, str]) -> None:
        values = {name.lower(): value for name, value in granted.items()}
        self.blksize = int(values.get("blksize", values.get("blksize2", DEFAULT_BLKSIZE)))
        self.windowsize = int(values.get("windowsize", 1))
        self.rollover = int(values.get("rollover", 0))
        self.tsize = int(values["tsize"]) if "tsize" in values else None


def wire_block(block: int, rollover: int) -> int:
    """Returns the 16 bits that stand for an absolute block number."""
    if block <= LAST_WIRE_BLOCK:
        return block
    if rollover:
        return (block - 1) % LAST_WIRE_BLOCK + 1
    return block % (LAST_WIRE_BLOCK + 1)


def to_netascii(octets: bytes) -> bytes:
    """Returns local text as netascii: LF becomes CR LF, a lone CR becomes CR NUL (RFC 764)."""
    return b"".join({10: b"\r\n", 13: b"\r\0"}.get(octet, bytes([octet])) for octet in octets)


def from_netascii(octets: bytes) -> bytes:
    """Returns netascii as local text.

    Raises:
        BoardError: a CR is followed by neither LF nor NUL.
    """
    head, *parts = octets.split(b"\r")
    text = [head]
    for part in parts:
        if part[:1] not in (b"\n", b"\0"):
            raise BoardError(f"netascii has CR LF or CR NUL, got CR {part[:1]!r}.")
        text.append((b"\n" if part[:1] == b"\n" else b"\r") + part[1:])
    return b"".join(text)


def _is_grantable(kind: int, name: str, asked: str, value: str) -> bool:
    if not (value.isascii() and value.isdigit()) or value != str(int(value)):
        return False
    limit = int(asked) if asked.isascii() and asked.isdigit() else 0
    if name == "tsize":
        return kind == RRQ or value == asked
    if name in ("blksize", "blksize2"):
        return 8 <= int(value) <= min(limit, 65464)
    if name == "windowsize":
        return 1 <= int(value) <= limit
    return value == asked


def _options(strings: list[bytes], packet: str) -> dict[str, str]:
    if len(strings) % 2:
        raise BoardError(f"An option of the {packet} has no value: {strings!r}.")
    options: dict[str, str] = {}
    for name, value in zip(strings[::2], strings[1::2], strict=True):
        if name.decode() in options:
            raise BoardError(f"Option {name.decode()} stands twice in the {packet}.")
        options[name.decode()] = value.decode()
    return options


def _strings(octets: bytes, packet: str, count: int = 0, at_least: int = 0) -> list[bytes]:
    *strings, rest = octets.split(b"\0")
    if rest:
        raise BoardError(f"The {packet} has no final NUL: {octets[:80]!r}.")
    if (count and len(strings) != count) or len(strings) < at_least:
        raise BoardError(f"The {packet} has {len(strings)} strings: {octets[:80]!r}.")
    return strings
