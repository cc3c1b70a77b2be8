"""Frames the blocks of a file: header and payload of many DATA packets in one buffer.

This is the data path of reading. About 128 KiB are framed at a time: the file is read straight
between the headers (one system call), and the block numbers are written by two strided slice
stores. A window is then one slice, which the kernel can send in one system call. A sender that
goes back finds its blocks in the buffer most times.

Many boards that read one file at the same time share the framed chunks (`FrameCache`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from contextlib import suppress
from functools import cache, lru_cache

from TftpLibrary.protocol.blocks import last_block, to_wire
from TftpLibrary.protocol.packets import HEADER_SIZE, Opcode
from TftpLibrary.store.base import Source, StoreError

CHUNK_SIZE = 128 * 1024
"""Octets framed at a time. More gains nothing, and 32 KiB lose a tenth."""
CACHE_SIZE = 64 * 1024 * 1024
"""Octets of shared chunks that are kept at most."""
SPARE_SIZE = 1024 * 1024
"""Octets of unused chunks that are kept for the next transfers at most."""

_FEWEST_BLOCKS = 4
"""Blocks of a chunk at least, however large they are."""
_MOST_BLOCKS = 1024
"""Blocks of a chunk at most: as many as one call can read."""


class Framer:
    """Frames one file for one transfer.

    Args:
        source: the content.
        blksize: octets of a block.
        windowsize: blocks of a window; a chunk holds whole windows where it can.
        rollover: the block number after 65535.
        size: octets of the content; None where it shows only while reading (netascii).
        shared: where transfers of the same file find each other; None to stay alone.
        is_small: whether to frame no more than a window at a time, to bound the memory.

    Attributes:
        blksize: as given.
        size: as given, or as found at the end.
        last_block: the number of the final block; None while it is not known.
    """

    def __init__(
        self,
        source: Source,
        blksize: int,
        windowsize: int,
        rollover: int,
        size: int | None,
        *,
        shared: FrameCache | None = None,
        is_small: bool = False,
    ) -> None:
        self._source = source
        self.blksize = blksize
        self.size = size
        self._rollover = rollover
        self._segment = HEADER_SIZE + blksize
        capacity = _capacity(blksize, windowsize)
        self._is_shared = False
        self._spares = shared
        self._cache = shared if size is not None else None
        self._key: Hashable = None
        if self._cache is not None:
            self._key = (source.identity, blksize, rollover, capacity)
            self._is_shared = self._cache.join(self._key)
        if is_small and not self._is_shared:
            capacity = min(capacity, windowsize)
        self.last_block: int | None = None
        if size is not None:
            end = self.last_block = last_block(size, blksize)
            if end < capacity:
                # Rounded up, so that files of about one size have chunks of one size.
                capacity = min(capacity, 1 << (end - 1).bit_length())
        self._capacity = capacity
        self._is_alone = not (is_small or self._is_shared)
        self._chunk: _Chunk | None = None
        self._other: _Chunk | None = None
        self._singles: list[memoryview] = []
        self._start = self._stop = 0

    def frame(self, block: int) -> memoryview:
        """Frames one block: the data path of lock-step. See `frames`."""
        if not self._start <= block < self._stop:
            self._find(block)
        if not self._singles and self._chunk is not None:
            self._singles = self._chunk.frames()
        return self._singles[block - self._start]

    def window(self, first: int, last: int) -> memoryview | None:
        """Frames a window: the data path of windows. None where it spans chunks; see `frames`."""
        start, chunk = self._start, self._chunk
        if chunk is None or first < start or last >= self._stop:
            return None
        segment = self._segment
        return chunk.view[(first - start) * segment : (last + 1 - start) * segment]

    def frame_ahead(self, block: int) -> None:
        """Frames the chunk that begins with `block`, if it is the next one.

        A sender calls it when the window before is on its way: it would only wait meanwhile.
        """
        if block != self._stop or not self._is_alone or block > (self.last_block or 0):
            return
        if self._other is None:
            self._other = self._new_chunk()
        if self._other.first != block:
            with suppress(StoreError):  # It comes again where the block is needed.
                self._load(self._other, block)

    def frames(self, first: int, last: int) -> tuple[memoryview, int]:
        """Frames blocks, up to `last` or fewer.

        Returns:
            The datagrams of the blocks one after the other, valid until the next call, and the
            number of the last block among them.

        Raises:
            StoreError: the content cannot be read any more.
        """
        if not self._start <= first < self._stop:
            self._find(first)
        start, segment = self._start, self._segment
        if last >= self._stop:
            last = self._stop - 1
        assert self._chunk is not None
        # Behind the last block, which is shorter, the view ends by itself.
        return self._chunk.view[(first - start) * segment : (last + 1 - start) * segment], last

    def close(self) -> None:
        """Gives the chunks back. Idempotent."""
        chunks = (self._chunk, self._other)
        self._chunk = self._other = None
        self._start = self._stop = 0
        if self._cache is not None:
            self._cache.leave(self._key)
            self._cache = None
        if self._spares is not None and not self._is_shared:
            for chunk in chunks:
                if chunk is not None:
                    self._spares.keep(chunk)

    def _find(self, block: int) -> None:
        """Makes the chunk current that holds a block."""
        first, other = block, self._other
        chunk: _Chunk | None
        self._start = self._stop = 0
        if self._is_shared and self._cache is not None:
            first = block - (block - 1) % self._capacity
            chunk = self._cache.get((self._key, first))
            if chunk is None:
                chunk = self._load(_Chunk(self._segment, self._capacity), first)
                self._cache.put((self._key, first), chunk)
        elif other is not None and other.first == block:
            self._other, chunk = self._chunk, other
        else:
            chunk = self._load(self._chunk or self._new_chunk(), first)
        self._chunk = chunk
        self._singles = []
        self._start, self._stop = first, first + chunk.count

    def _new_chunk(self) -> _Chunk:
        spare = None
        if self._spares is not None:
            spare = self._spares.spare(self._segment, self._capacity)
        return spare or _Chunk(self._segment, self._capacity)

    def _load(self, chunk: _Chunk, first: int) -> _Chunk:
        chunk.first = 0
        offset = (first - 1) * self.blksize
        count = self._capacity
        if self.last_block is not None:
            count = min(count, self.last_block - first + 1)
        read = self._source.read_into(chunk.payloads(count), offset)
        if self.size is None and read < count * self.blksize:
            self.size = offset + read
            self.last_block = last_block(self.size, self.blksize)
            count = self.last_block - first + 1
        chunk.number(first, count, self._rollover)
        missing = 0
        if self.size is not None and first + count - 1 == self.last_block:
            missing = self.blksize - self.size % self.blksize
        chunk.show(count, missing)
        chunk.first = first
        return chunk


class FrameCache:
    """Framed chunks that transfers of the same file share. Engine's thread only.

    The first reader of a file frames for itself, in one warm buffer: that is faster as long as it
    is alone. From the second one on chunks are shared. They are dropped with the last reader.
    """

    def __init__(self, size: int = CACHE_SIZE) -> None:
        self._room = size
        self._readers: dict[Hashable, int] = {}
        self._shared: set[Hashable] = set()
        self._chunks: OrderedDict[tuple[Hashable, int], _Chunk] = OrderedDict()
        self._spares: dict[tuple[int, int], list[_Chunk]] = {}
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

    def get(self, place: tuple[Hashable, int]) -> _Chunk | None:
        """Returns a chunk, if somebody framed it."""
        chunk = self._chunks.get(place)
        if chunk is not None:
            self._chunks.move_to_end(place)
        return chunk

    def put(self, place: tuple[Hashable, int], chunk: _Chunk) -> None:
        """Keeps a chunk; those that were used least lately give way."""
        self._chunks[place] = chunk
        self._room -= len(chunk.octets)
        while self._room < 0 and len(self._chunks) > 1:
            self._room += len(self._chunks.popitem(last=False)[1].octets)

    def spare(self, segment: int, capacity: int) -> _Chunk | None:
        """Returns a chunk that nobody uses any more; to make one takes as long as to fill it."""
        spares = self._spares.get((segment, capacity))
        if not spares:
            return None
        chunk = spares.pop()
        self._spare_room += len(chunk.octets)
        return chunk

    def keep(self, chunk: _Chunk) -> None:
        """Keeps a chunk for later; where there is no room, those of other sizes give way."""
        chunk.first = 0
        if self._spare_room < len(chunk.octets):
            self._spares.clear()
            self._spare_room = SPARE_SIZE
        if self._spare_room >= len(chunk.octets):
            self._spare_room -= len(chunk.octets)
            self._spares.setdefault((chunk.segment, chunk.capacity), []).append(chunk)


class _Chunk:
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
        """Sets what is to be sent: `count` frames, the last one short of `missing` octets."""
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


@lru_cache(maxsize=64)
def _capacity(blksize: int, windowsize: int) -> int:
    """How many blocks a chunk holds: whole windows where it can."""
    capacity = min(max(_FEWEST_BLOCKS, CHUNK_SIZE // (HEADER_SIZE + blksize)), _MOST_BLOCKS)
    return max(capacity - capacity % windowsize, min(windowsize, capacity))


@cache
def wire_blocks(rollover: int) -> tuple[bytes, bytes]:
    """The high and the low octets of the block numbers, long enough for any chunk."""
    high = b"".join(bytes((octet,)) * 256 for octet in range(256))
    low = bytes(range(256)) * 256
    more = slice(rollover, rollover + _MOST_BLOCKS)
    return high + high[more], low + low[more]
