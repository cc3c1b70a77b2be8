"""The packets on the wire, as lines of text.

It decodes the packets itself and knows nothing of TftpLibrary, so it is a second witness beside
the server's record.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

TO_SERVER, TO_BOARD = "to server", "to board"
RRQ, WRQ, DATA, ACK, ERROR, OACK = range(1, 7)
_KINDS = {RRQ: "RRQ", WRQ: "WRQ", DATA: "DATA", ACK: "ACK", ERROR: "ERROR", OACK: "OACK"}
_LIMIT = 5000
"""Packets of a transfer that are kept, the last ones; and as many that open or end one."""

_HEAD = 600
"""Octets of a packet that are kept: every packet but DATA is shorter."""


class Entry(NamedTuple):
    """A packet on the wire; `head` is its beginning, `size` all of it."""

    moment: float
    direction: str
    board_port: int
    server_port: int
    copies: int
    size: int
    head: bytes


class Exchange:
    """Notes what goes over the wire.

    Attributes:
        blocks: DATA packets that the board got.
    """

    def __init__(self) -> None:
        self.blocks = 0
        self._opening: deque[Entry] = deque(maxlen=_LIMIT)
        self._running: deque[Entry] = deque(maxlen=_LIMIT)
        self._noted = 0
        self._began = time.monotonic()

    def note(self, direction: str, ports: tuple[int, int], copies: int, payload: bytes) -> None:
        """Notes a packet; `ports` are the board's and the server's as the board sees it."""
        kind = int.from_bytes(payload[:2], "big")
        if direction == TO_BOARD and kind == DATA:
            self.blocks += copies
        self._noted += 1
        moment = time.monotonic() - self._began
        entry = Entry(moment, direction, *ports, copies, len(payload), payload[:_HEAD])
        (self._running if kind in (DATA, ACK) else self._opening).append(entry)

    def lines(self) -> Iterator[str]:
        """Yields the packets as text, oldest first: the last DATA and ACK, and all others."""
        entries = sorted((*self._opening, *self._running), key=lambda entry: entry.moment)
        left_out = self._noted - len(entries)
        if left_out:
            yield f"{left_out} DATA and ACK of the beginning are left out."
        yield from map(_line, entries)


def _line(entry: Entry) -> str:
    arrow = "S->B" if entry.direction == TO_BOARD else "B->S"
    fate = {0: "  (lost)", 1: ""}.get(entry.copies, f"  ({entry.copies} times)")
    ports = f"{entry.board_port:>5} {entry.server_port:>5}"
    return f"{entry.moment:9.4f}  {arrow}  {ports}  {describe(entry.head, entry.size)}{fate}"


def describe(payload: bytes, size: int = 0) -> str:
    """Returns a TFTP packet as text, on one line.

    Args:
        payload: the packet, or its beginning.
        size: octets of the whole packet, where `payload` is only its beginning.
    """
    kind, number = int.from_bytes(payload[:2], "big"), int.from_bytes(payload[2:4], "big")
    name = _KINDS.get(kind)
    if name is None or len(payload) < 4:
        return f"no TFTP: {payload[:32].hex(' ')}"
    if kind in (RRQ, WRQ):
        filename, mode, *options = [*_fields(payload[2:]), "", ""]
        return _words(name, repr(filename), mode, *_pairs(_options(options)))
    if kind == OACK:
        return _words(name, *_pairs(_options(_fields(payload[2:]))))
    if kind == ERROR:
        return f"{name} {number} '{_text(payload[4:].split(bytes(1))[0])}'"
    return f"{name} {number}" + (f", {max(size, len(payload)) - 4} octets" if kind == DATA else "")


def _fields(octets: bytes) -> list[str]:
    return [_text(field) for field in octets.split(b"\0")[:-1]]


def _options(fields: list[str]) -> dict[str, str]:
    pairs = zip(fields[::2], fields[1::2], strict=False)
    return {name.lower(): value for name, value in pairs if name}


def _pairs(options: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in options.items()]


def _text(octets: bytes) -> str:
    text = octets.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def _words(*words: str) -> str:
    return " ".join(filter(None, words))
