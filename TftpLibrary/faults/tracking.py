"""One transfer as the rules see it: its absolute blocks, its last block, and how often each came.

Everything is learned from the datagrams that pass, so that the same track serves the engine, the
simulated link of the tests and the wire of the emulated boards.
"""

from __future__ import annotations

from typing import NamedTuple

from TftpLibrary.errors import PacketError
from TftpLibrary.protocol.blocks import from_wire
from TftpLibrary.protocol.datagrams import kind, wire_block
from TftpLibrary.protocol.packets import HEADER_SIZE, Oack, decode

_USUAL_BLKSIZE = 512
_WIRE_BLOCKS = 65536
MOST_OCCURRENCES = 2048
"""Packets whose number of comings is remembered: more than two windows of 64."""
_ANSWERS = ("OACK", "ERROR")
_FIRST_BLOCKS = {"DATA": 1, "ACK": 0}


class Passing(NamedTuple):
    """One datagram as the rules see it.

    Attributes:
        file: the name as it was asked, printable.
        client: the client's address; empty for our own client.
        request: which request for that file by that client, from 1.
        is_sent: whether this end sent it.
        packet: RRQ, WRQ, DATA, ACK, ERROR, OACK, or a question mark.
        block: the absolute block of DATA and ACK; None for other packets.
        is_last: whether it is the block that ends the file, or the ACK of that block.
        is_answer: whether it is the packet that answers the request.
        occurrence: how often it has come, from 1.
        octets: the datagram.
    """

    file: str
    client: str
    request: int
    is_sent: bool
    packet: str
    block: int | None
    is_last: bool
    is_answer: bool
    occurrence: int
    octets: bytes

    @property
    def identity(self) -> tuple[object, ...]:
        """The part of a packet on which chance depends, beside the seed and the rule."""
        way = "sent" if self.is_sent else "received"
        return self.file, self.request, way, self.packet, self.block, self.occurrence

    def __str__(self) -> str:
        """The packet as people write it: `DATA 3`."""
        return self.packet if self.block is None else f"{self.packet} {self.block}"


class Track:
    """Follows the datagrams of one transfer, both ways.

    Args:
        file: the name as it was asked, printable.
        client: the client's address; empty for our own client.
        request: which request for that file by that client, from 1.
        is_server: whether this end is the server: the other end takes its answer.
        blksize: octets of a block, for a transfer that runs already.
        rollover: the block number after 65535, for such a transfer.
        highest: the highest block that has passed, for such a transfer.

    Attributes:
        blksize: octets of a block.
        last_block: the block that ends the file, once it has passed.
        is_counting: whether occurrences are counted: only chance asks for them.
    """

    def __init__(
        self,
        file: str,
        client: str,
        request: int = 1,
        *,
        is_server: bool = True,
        blksize: int = _USUAL_BLKSIZE,
        rollover: int = 0,
        highest: int = 0,
    ) -> None:
        self.file = file
        self.client = client
        self.request = request
        self.is_server = is_server
        self.blksize = blksize
        self.last_block: int | None = None
        self._rollover = rollover
        self._highest = highest
        self.is_counting = True
        self._has_oack = highest > 0
        self._occurrences: dict[tuple[object, ...], int] = {}

    def look(self, octets: bytes, *, is_sent: bool) -> Passing:
        """Returns a datagram as the rules see it, and learns from it."""
        packet, wire = kind(octets), wire_block(octets)
        block = None if wire is None else self._absolute(wire)
        if packet == "OACK":
            self._learn(octets)
        elif packet == "DATA" and block is not None:
            self._highest = max(self._highest, block)
            if len(octets) - HEADER_SIZE < self.blksize:
                self.last_block = block
        is_answer = is_sent is self.is_server and self._is_answer(packet, block)
        return Passing(
            self.file,
            self.client,
            self.request,
            is_sent,
            packet,
            block,
            block is not None and block == self.last_block,
            is_answer,
            self._count(is_sent, packet, block) if self.is_counting else 1,
            octets,
        )

    def _absolute(self, wire: int) -> int:
        """Returns the block that is nearest to the highest one."""
        base = max(0, self._highest - (_WIRE_BLOCKS - self._rollover) // 2)
        return from_wire(wire, base, self._rollover)

    def _is_answer(self, packet: str, block: int | None) -> bool:
        if packet in _ANSWERS:
            return packet == "OACK" or self._highest == 0
        return not self._has_oack and block is not None and block == _FIRST_BLOCKS.get(packet)

    def _learn(self, octets: bytes) -> None:
        self._has_oack = True
        try:
            packet = decode(octets)
        except PacketError:
            return
        assert isinstance(packet, Oack)
        for name, value in packet.options:
            if name.lower() == "blksize" and value.isascii() and value.isdigit():
                self.blksize = int(value)
            elif name.lower() == "rollover" and value in ("0", "1"):
                self._rollover = int(value)

    def _count(self, *key: object) -> int:
        count = self._occurrences.get(key, 0) + 1
        if len(self._occurrences) >= MOST_OCCURRENCES and count == 1:
            del self._occurrences[next(iter(self._occurrences))]
        self._occurrences[key] = count
        return count
