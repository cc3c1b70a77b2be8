"""Files to be framed, and what their blocks must look like on the wire."""

from __future__ import annotations

import random
from collections.abc import Sequence

from TftpBoard.packets import encode_data, wire_block
from TftpLibrary.engine.chunks import FrameCache
from TftpLibrary.engine.framer import Framer
from TftpLibrary.store.base import Source, StoreError
from TftpLibrary.store.memory import MemoryStore

CONTENT = random.Random(1).randbytes(1 << 20)


def stored(content: bytes) -> Source:
    return MemoryStore({"f": content}).open_read(b"f", "")


def datagrams(content: bytes, blksize: int, rollover: int = 0) -> list[bytes]:
    """Frames a file block by block, with the board's codec. The first one is block 1."""
    return [
        encode_data(wire_block(block, rollover), content[at : at + blksize])
        for block, at in enumerate(range(0, len(content) + 1, blksize), start=1)
    ]


def frame(framer: Framer, first: int, last: int) -> bytes:
    """Frames these blocks, as far as they exist."""
    framed = b""
    while first <= last and (framer.last_block is None or first <= framer.last_block):
        frames, upto = framer.frames(first, last)
        framed += frames
        assert first <= upto <= last
        first = upto + 1
    return framed


class Counting:
    """A file that counts how often it is read."""

    def __init__(self, content: bytes = CONTENT, *, identity: str = "") -> None:
        self._source = stored(content)
        self.size = len(content)
        self.identity = identity or self._source.identity
        self.reads = 0
        self.error: StoreError | None = None

    def read_into(self, buffers: Sequence[memoryview], offset: int) -> int:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self._source.read_into(buffers, offset)

    def close(self) -> None:
        """Nothing is open."""


def reader(source: Counting, cache: FrameCache, **settings: int) -> Framer:
    agreed = {"blksize": 1428, "windowsize": 16, "rollover": 0, **settings}
    return Framer(source, **agreed, size=source.size, shared=cache)  # type: ignore[arg-type]


def read(framer: Framer) -> bytes:
    return frame(framer, 1, framer.last_block or 0)
