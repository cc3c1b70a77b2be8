"""Buffers of framed blocks, and which transfers use them.

A `Chunk` is one buffer with the headers of its blocks written and the places for their payloads
cut. `FrameCache` shares chunks between transfers of the same file, and keeps unused ones for the
next transfers: making one takes as long as filling it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from functools import cache

from TftpLibrary.protocol.blocks import to_wire
from TftpLibrary.protocol.packets import HEADER_SIZE, Opcode

CACHE_SIZE = 64 * 1024 * 1024
"""Octets of shared chunks that are kept at most."""
SPARE_SIZE = 1024 * 1024
"""Octets of unused chunks that are kept for the next transfers at most."""
MOST_BLOCKS = 1024
"""Blocks of a chunk at most: as many as one call can read."""


class FrameCache:
    """Framed chunks that transfers of the same file share. Engine's thread only.

    The first reader of a file frames for itself, in one warm buffer: that is faster as long as it
    is alone. From the second one on chunks are shared. They are dropped with the last reader.
    """

    def __init__(self, size: int = CACHE_SIZE) -> None:
        self._room = size
        self._readers: dict[Hashable, int] = {}
        self._shared: set[Hashable] = set()
        self._chunks: OrderedDict[tuple[Hashable, int], Chunk] = OrderedDict()
        self._spares: dict[tuple[int, int], list[Chunk]] = {}
        self._spare_room = SPARE_SIZE

    def join(self, key: Hashable) -> bool:
        """A reader begins. Returns whether it is not alone."""
        readers = self._readers[key] = self._readers.get(key, 0) + 1
        if readers > 1:
            self._shared.add(key)
        return readers > 1

    def leave(self, key: Hashable) -> None:
        """A reader ends."""
        readers = self._readers.pop(key) - 1
        if readers:
            self._readers[key] = readers
        elif key in self._shared:
            self._shared.remove(key)
            for place in [place for place in self._chunks if place[0] == key]:
                self._room += len(self._chunks.pop(place).octets)

    def get(self, place: tuple[Hashable, int]) -> Chunk | None:
        """Returns a chunk, if somebody framed it."""
        chunk = self._chunks.get(place)
        if chunk is not None:
            self._chunks.move_to_end(place)
        return chunk

    def put(self, place: tuple[Hashable, int], chunk: Chunk) -> None:
        """Keeps a chunk; the least recently used ones give way."""
        self._chunks[place] = chunk
        self._room -= len(chunk.octets)
        while self._room < 0 and len(self._chunks) > 1:
            self._room += len(self._chunks.popitem(last=False)[1].octets)

    def spare(self, segment: int, capacity: int) -> Chunk | None:
        """Returns a chunk that nobody uses any more."""
        spares = self._spares.get((segment, capacity))
        if not spares:
            return None
        chunk = spares.pop()
        self._spare_room += len(chunk.octets)
        return chunk

    def keep(self, chunk: Chunk) -> None:
        """Keeps a chunk for later; where there is no room, those of other sizes give way."""
        chunk.first = 0
        if self._spare_room < len(chunk.octets):
            self._spares.clear()
            self._spare_room = SPARE_SIZE
        if self._spare_room >= len(chunk.octets):
            self._spare_room -= len(chunk.octets)
            self._spares.setdefault((chunk.segment, chunk.capacity), []).append(chunk)


class Chunk:
    """A buffer of framed blocks, from block `first` on; 0 while it holds none that may be sent."""

    __slots__ = (
        "_all",
        "_frames",
        "_missing",
        "_payloads",
        "capacity",
        "count",
        "first",
        "octets",
        "segment",
        "view",
    )

    def __init__(self, segment: int, capacity: int) -> None:
        self.octets = bytearray(capacity * segment)
        self.octets[1::segment] = bytes((Opcode.data,)) * capacity
        self._all = memoryview(self.octets)
        self.segment = segment
        self.capacity = capacity
        self._missing = 0
        self._frames: list[memoryview] = []
        # The places between the headers, for the octets of the file. Made once for each buffer:
        # making them takes as long as reading into them.
        self._payloads = [
            self._all[at : at + segment - HEADER_SIZE]
            for at in range(HEADER_SIZE, len(self.octets), segment)
        ]
        self.view = self._all
        self.first = self.count = 0

    def payloads(self, count: int) -> list[memoryview]:
        """The places for the octets of the first blocks."""
        return self._payloads if count == self.capacity else self._payloads[:count]

    def number(self, first: int, count: int, rollover: int) -> None:
        """Writes the block numbers: two strided stores for all of them."""
        high, low = wire_blocks(rollover)
        wire = to_wire(first, rollover)
        end = count * self.segment
        self.octets[2 : end : self.segment] = high[wire : wire + count]
        self.octets[3 : end : self.segment] = low[wire : wire + count]

    def show(self, count: int, missing: int) -> None:
        """Sets the frames to send: `count` of them, the last one `missing` octets shorter."""
        if (count, missing) != (self.count, self._missing):
            self.count, self._missing = count, missing
            self.view = self._all[: count * self.segment - missing]
            self._frames = []

    def frames(self) -> list[memoryview]:
        """One view for each frame, made once."""
        if not self._frames:
            segment, view = self.segment, self.view
            self._frames = [view[at : at + segment] for at in range(0, len(view), segment)]
        return self._frames


@cache
def wire_blocks(rollover: int) -> tuple[bytes, bytes]:
    """The high and the low octets of the block numbers, long enough for any chunk."""
    high = b"".join(bytes((octet,)) * 256 for octet in range(256))
    low = bytes(range(256)) * 256
    more = slice(rollover, rollover + MOST_BLOCKS)
    return high + high[more], low + low[more]
