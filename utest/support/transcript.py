"""Packets as lines, and exchanges written as such lines.

A line has the sender (`C` or `S`), the packet, and its content:

    C  RRQ    boot.img octet blksize=1428
    S  OACK   blksize=1428
    C  ACK    0
    S  DATA   1 1428
    S  ERROR  1 File not found
    C  ?      0007

`Player` performs such a script with one end, and shows the difference when the end does something
else.
"""

from __future__ import annotations

import difflib
import textwrap
from typing import Protocol

from TftpLibrary.errors import PacketError
from TftpLibrary.protocol.datagrams import UNKNOWN, kind
from TftpLibrary.protocol.outcome import End
from TftpLibrary.protocol.packets import (
    Ack,
    Data,
    Direction,
    Error,
    Oack,
    Opcode,
    Options,
    Packet,
    Request,
    decode,
    printable,
)

COPY = "(copy)"


class Endpoint(Protocol):
    """One end of a transfer: a machine, and a session that carries its octets."""

    side: str

    @property
    def deadline(self) -> float | None: ...

    @property
    def end(self) -> End | None: ...

    def receive(self, datagram: bytes, now: float) -> None: ...

    def handle_timeout(self, now: float) -> None: ...

    def take(self, now: float) -> list[bytes]: ...


def line(side: str, datagram: bytes) -> str:
    """Returns the line of a datagram."""
    try:
        name, details = kind(datagram), _details(decode(datagram))
    except PacketError:
        name, details = UNKNOWN, datagram.hex()
    return f"{side}  {name:<5}  {details}".rstrip()


def datagram(text: str) -> bytes:
    """Returns a datagram for a line; the payload of DATA is filled with its block number."""
    _, name, *words = text.split()
    if name == UNKNOWN:
        return bytes.fromhex("".join(words))
    return _packet(name, words).encode()


def options(words: list[str]) -> Options:
    """Returns options for words such as `blksize=1428`."""
    return tuple((name, value) for name, _, value in (word.partition("=") for word in words))


def ending(end: End) -> str:
    """Returns the line of an end."""
    words = [f"=> {end.outcome}", "by the peer" if end.by_peer else ""]
    words += ["" if end.code is None else f"{int(end.code)}", end.message]
    return " ".join(word for word in words if word)


class Player:
    """Performs scripts with one end.

    Lines of the other side are given to the end, each 10 ms after the one before; one that is
    marked `(copy)` comes at the same instant. `wait 1.5` lets time pass. Lines of the end's own
    side, and `=>` with its ending, must come out where they stand.
    """

    LATENCY = 0.01

    def __init__(self, end: Endpoint, now: float = 0.0) -> None:
        self.end = end
        self.now = now
        self._is_ended = False

    def play(self, script: str) -> None:
        """Performs a script, and compares the result with it."""
        expected = [text for text in textwrap.dedent(script).splitlines() if text.strip()]
        actual = self._sent()
        for text in expected:
            if text.startswith("wait"):
                actual += [text, *self._wait(float(text.split()[1]))]
            elif not text.startswith((self.end.side, "=>")):
                self.now += 0.0 if text.endswith(COPY) else self.LATENCY
                self.end.receive(datagram(text.removesuffix(COPY)), self.now)
                actual += [text, *self._sent()]
        if actual != expected:
            difference = "\n".join(difflib.ndiff(expected, actual))
            raise AssertionError(f"Expected (-) and what happened (+):\n{difference}")

    def _wait(self, seconds: float) -> list[str]:
        until = self.now + seconds
        happened: list[str] = []
        while self.end.deadline is not None and self.end.deadline <= until:
            self.now = self.end.deadline
            self.end.handle_timeout(self.now)
            happened += self._sent()
        self.now = until
        return happened

    def _sent(self) -> list[str]:
        lines = [line(self.end.side, octets) for octets in self.end.take(self.now)]
        if self.end.end is not None and not self._is_ended:
            self._is_ended = True
            lines.append(ending(self.end.end))
        return lines


def _details(packet: Packet) -> str:
    if isinstance(packet, Request):
        return " ".join([printable(packet.filename), packet.mode, *_pairs(packet.options)])
    if isinstance(packet, Data):
        return f"{packet.wire_block} {len(packet.payload)}"
    if isinstance(packet, Ack):
        return str(packet.wire_block)
    if isinstance(packet, Error):
        return f"{packet.code} {packet.text}"
    return " ".join(_pairs(packet.options))


def _packet(name: str, words: list[str]) -> Packet:
    direction = Direction.of_opcode(Opcode[name.lower()])
    if direction is not None:
        return Request(direction, words[0].encode(), words[1], options(words[2:]))
    if name == "OACK":
        return Oack(options(words))
    number = int(words[0])
    if name == "DATA":
        return Data(number, bytes([number % 256]) * int(words[1]))
    return Ack(number) if name == "ACK" else Error(number, " ".join(words[1:]))


def _pairs(options: Options) -> list[str]:
    return [f"{name}={value}" for name, value in options]
