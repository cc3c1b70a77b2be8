"""Frames the blocks of a file: header and payload of many DATA packets in one buffer.

This is the data path of reading. About 128 KiB are framed at a time: the file is read straight
between the headers (one system call), and the block numbers are written by two strided slice
stores. A window is then one slice, which the kernel can send in one system call. A sender that
goes back usually finds its blocks in the buffer, and one that waits for an ACK frames ahead.

`chunks` has the buffers; boards that read one file at the same time share them.
"""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from functools import lru_cache

from TftpLibrary.engine.chunks import MOST_BLOCKS, Chunk, FrameCache
from TftpLibrary.protocol.blocks import last_block
from TftpLibrary.protocol.packets import HEADER_SIZE
from TftpLibrary.store.base import Source, StoreError

CHUNK_SIZE = 128 * 1024
"""Octets framed at a time. More gains nothing, and 32 KiB lose a tenth."""
_FEWEST_BLOCKS = 4
"""Fewest blocks of a chunk, however large they are."""


class Framer:
    """Frames one file for one transfer.

    Args:
        source: the content.
        blksize: octets of a block.
        windowsize: blocks of a window; a chunk holds whole windows where it can.
        rollover: the block number after 65535.
        size: octets of the content; None where it shows only while reading (netascii).
        shared: the cache for transfers of the same file; None to share nothing.
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
        self._chunk: Chunk | None = None
        self._other: Chunk | None = None
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

        A sender calls it while the window before is on its way, when it would only wait.
        """
        if block != self._stop or not self._is_alone or block > (self.last_block or 0):
            return
        if self._other is None:
            self._other = self._new_chunk()
        if self._other.first != block:
            with suppress(StoreError):  # The error comes again when the block is needed.
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
        chunk: Chunk | None
        self._start = self._stop = 0
        if self._is_shared and self._cache is not None:
            first = block - (block - 1) % self._capacity
            chunk = self._cache.get((self._key, first))
            if chunk is None:
                chunk = self._load(Chunk(self._segment, self._capacity), first)
                self._cache.put((self._key, first), chunk)
        elif other is not None and other.first == block:
            self._other, chunk = self._chunk, other
        else:
            chunk = self._load(self._chunk or self._new_chunk(), first)
        self._chunk = chunk
        self._singles = []
        self._start, self._stop = first, first + chunk.count

    def _new_chunk(self) -> Chunk:
        spare = None
        if self._spares is not None:
            spare = self._spares.spare(self._segment, self._capacity)
        return spare or Chunk(self._segment, self._capacity)

    def _load(self, chunk: Chunk, first: int) -> Chunk:
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


@lru_cache(maxsize=64)
def _capacity(blksize: int, windowsize: int) -> int:
    """How many blocks a chunk holds: whole windows where it can."""
    capacity = min(max(_FEWEST_BLOCKS, CHUNK_SIZE // (HEADER_SIZE + blksize)), MOST_BLOCKS)
    return max(capacity - capacity % windowsize, min(windowsize, capacity))
