"""Frames the blocks of a file: header and payload of many DATA packets in one buffer.

This is the data path of reading. A buffer of about 128 KiB is framed at a time: the file is read
straight between the headers (one system call), and the block numbers are written by two strided
slice stores. A window is then one slice, which the kernel can send in one system call. A sender
that goes back finds its blocks in the buffer most times.
"""

from __future__ import annotations

from functools import cache

from TftpLibrary.protocol.blocks import last_block, to_wire
from TftpLibrary.protocol.packets import HEADER_SIZE, Opcode
from TftpLibrary.store.base import Source

BUFFER_SIZE = 128 * 1024
"""Octets framed at a time. More gains nothing, and 32 KiB lose a tenth."""

_MOST_BLOCKS = 8192


class Framer:
    """Frames one file for one transfer.

    Args:
        source: the content.
        blksize: octets of a block.
        rollover: the block number after 65535.
        size: octets of the content; None where it shows only while reading (netascii).
        buffer_size: octets to frame at a time, about.
    """

    __slots__ = (
        "_buffer",
        "_capacity",
        "_frames",
        "_last",
        "_missing",
        "_payloads",
        "_rollover",
        "_segment",
        "_size",
        "_source",
        "_start",
        "_stop",
        "_view",
        "blksize",
    )

    def __init__(
        self,
        source: Source,
        blksize: int,
        rollover: int,
        size: int | None,
        buffer_size: int = BUFFER_SIZE,
    ) -> None:
        segment = HEADER_SIZE + blksize
        capacity = min(max(1, buffer_size // segment), _MOST_BLOCKS)
        if size is not None:
            capacity = min(capacity, last_block(size, blksize))
        self._source = source
        self.blksize = blksize
        self._rollover = rollover
        self._segment = segment
        self._size = size
        self._capacity = capacity
        self._buffer = bytearray(capacity * segment)
        self._buffer[1::segment] = bytes((Opcode.data,)) * capacity
        self._view = memoryview(self._buffer)
        self._frames: list[memoryview] = []
        self._payloads = [
            self._view[at + HEADER_SIZE : at + segment]
            for at in range(0, capacity * segment, segment)
        ]
        self._start = self._stop = 0
        self._last = self._missing = 0
        if size is not None:
            self._end_at(size)

    @property
    def last_block(self) -> int | None:
        """The number of the final block; None while it is not known."""
        return None if self._size is None else last_block(self._size, self.blksize)

    @property
    def size(self) -> int | None:
        """Octets of the content; None while that is not known."""
        return self._size

    def frame(self, block: int) -> memoryview:
        """Frames one block; the data path of lock-step. See `frames`."""
        if block == self._last:
            return self.frames(block, block)[0]
        if not self._start <= block < self._stop:
            self._load(block)
        if not self._frames:
            step = self._segment
            self._frames = [self._view[at : at + step] for at in range(0, len(self._buffer), step)]
        return self._frames[block - self._start]

    def frames(self, first: int, last: int) -> tuple[memoryview, int]:
        """Frames blocks, up to `last` or fewer.

        Returns:
            The datagrams of the blocks one after the other, valid until the next call, and the
            number of the last block among them.

        Raises:
            StoreError: the content cannot be read any more.
        """
        if not self._start <= first < self._stop:
            self._load(first)
        last = min(last, self._stop - 1)
        begin = (first - self._start) * self._segment
        end = (last + 1 - self._start) * self._segment
        if last == self._last:
            end -= self._missing
        return self._view[begin:end], last

    def _load(self, first: int) -> None:
        offset = (first - 1) * self.blksize
        count = self._capacity
        if self._size is not None:
            count = min(count, last_block(self._size, self.blksize) - first + 1)
        self._start = self._stop = first
        read = self._source.read_into(self._payloads[:count], offset)
        if read < count * self.blksize and self._size is None:
            self._end_at(offset + read)
            count = read // self.blksize + 1
        high, low = wire_blocks(self._rollover)
        wire = to_wire(first, self._rollover)
        end = count * self._segment
        self._buffer[2 : end : self._segment] = high[wire : wire + count]
        self._buffer[3 : end : self._segment] = low[wire : wire + count]
        self._stop = first + count

    def _end_at(self, size: int) -> None:
        """The end of the content is known: the last block is shorter than the others."""
        self._size = size
        self._last = last_block(size, self.blksize)
        self._missing = self.blksize - size % self.blksize


@cache
def wire_blocks(rollover: int) -> tuple[bytes, bytes]:
    """The high and the low octets of the block numbers, long enough for any buffer."""
    high = b"".join(bytes((octet,)) * 256 for octet in range(256))
    low = bytes(range(256)) * 256
    more = slice(rollover, rollover + _MOST_BLOCKS)
    return high + high[more], low + low[more]
