from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.board_protocol import encode_data, wire_block
from TftpLibrary.engine.framer import CHUNK_SIZE, SPARE_SIZE, FrameCache, Framer
from TftpLibrary.protocol.packets import ErrorCode
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
    """Frames all of these blocks that there are."""
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


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 5000])
@pytest.mark.parametrize("blksize", [8, 512, 1428, 65464])
@pytest.mark.parametrize("is_size_known", [True, False])
def test_a_file_is_framed_as_its_blocks_one_after_the_other(
    size: int, blksize: int, is_size_known: bool
) -> None:
    """RFC 1350, sections 5 and 6: the last block is short, if need be empty."""
    content = CONTENT[:size]
    framer = Framer(stored(content), blksize, 16, 0, size if is_size_known else None)
    assert frame(framer, 1, 10_000) == b"".join(datagrams(content, blksize))
    assert framer.last_block == size // blksize + 1
    assert framer.size == size


def test_the_end_is_not_known_before_it_was_read() -> None:
    content = CONTENT[:5000]
    framer = Framer(stored(content), 8, 4, 0, None, is_small=True)
    assert (framer.last_block, framer.size) == (None, None)
    frame(framer, 1, 4)
    assert (framer.last_block, framer.size) == (None, None)
    frame(framer, 5, 626)
    assert (framer.last_block, framer.size) == (626, 5000)


@given(
    st.integers(0, 600),
    st.sampled_from([8, 9, 64, 512]),
    st.sampled_from([1, 3, 16]),
    st.booleans(),
    st.booleans(),
    st.lists(st.tuples(st.integers(1, 80), st.integers(1, 20)), max_size=20),
)
def test_any_blocks_can_be_framed_again(
    size: int,
    blksize: int,
    windowsize: int,
    is_small: bool,
    is_size_known: bool,
    asks: list[tuple[int, int]],
) -> None:
    content = CONTENT[:size]
    whole = datagrams(content, blksize)
    known = size if is_size_known else None
    framer = Framer(stored(content), blksize, windowsize, 0, known, is_small=is_small)
    for first, count in asks:
        if first <= len(whole):
            expected = b"".join(whole[first - 1 : first - 1 + count])
            assert frame(framer, first, first + count - 1) == expected


@given(
    st.integers(0, 600),
    st.booleans(),
    st.lists(st.integers(1, 80), max_size=20),
)
def test_lock_step_frames_one_block_after_the_other(
    size: int, is_small: bool, blocks: list[int]
) -> None:
    whole = datagrams(CONTENT[:size], 8)
    framer = Framer(stored(CONTENT[:size]), 8, 1, 0, size, is_small=is_small)
    for block in blocks:
        if block <= len(whole):
            assert framer.frame(block) == whole[block - 1]


@pytest.mark.parametrize("rollover", [0, 1])
def test_block_numbers_roll_over_in_the_middle_of_a_chunk(rollover: int) -> None:
    content = bytes(8 * 200_000)
    whole = datagrams(content, 8, rollover)
    framer = Framer(stored(content), 8, 64, rollover, len(content))
    for first in (1, 65_500, 65_535, 65_536, 131_000, 131_070, 199_990):
        assert frame(framer, first, first + 100) == b"".join(whole[first - 1 : first + 100])


def test_what_is_sent_again_lies_in_the_chunk_most_times() -> None:
    source = Counting()
    framer = Framer(source, 512, 16, 0, source.size)
    for first in (1, 17, 2, 33, 1):
        frame(framer, first, first + 15)
    assert source.reads == 1


def test_one_of_many_transfers_frames_a_window_at_a_time() -> None:
    source = Counting()
    framer = Framer(source, 512, 16, 0, source.size, is_small=True)
    frames, last = framer.frames(1, 1000)
    assert last == 16
    assert isinstance(frames.obj, bytearray)
    assert len(frames.obj) == 16 * 516


def test_a_small_file_takes_a_small_buffer() -> None:
    framer = Framer(stored(b"boot"), 1428, 16, 0, 4)
    frames, _ = framer.frames(1, 1)
    assert isinstance(frames.obj, bytearray)
    assert len(frames.obj) == 1432


def test_a_file_that_cannot_be_read_leaves_nothing_of_the_chunk_before() -> None:
    """What was overwritten by half must not be sent."""
    source = Counting()
    framer = Framer(source, 512, 16, 0, source.size)
    frame(framer, 1, 16)
    source.error = StoreError(ErrorCode.not_defined, "File changed while it was read")
    for first in (1000, 1):
        with pytest.raises(StoreError, match="changed"):
            framer.frames(first, first)


# Many readers of one file


def reader(source: Counting, cache: FrameCache, **settings: int) -> Framer:
    agreed = {"blksize": 1428, "windowsize": 16, "rollover": 0, **settings}
    return Framer(source, **agreed, size=source.size, shared=cache)  # type: ignore[arg-type]


def read(framer: Framer) -> bytes:
    return frame(framer, 1, framer.last_block or 0)


def test_the_second_reader_of_a_file_shares_what_it_frames_with_the_third() -> None:
    cache, sources = FrameCache(), [Counting(identity="one") for _ in range(3)]
    readers = [reader(source, cache) for source in sources]
    whole = b"".join(datagrams(CONTENT, 1428))
    assert [read(framer) == whole for framer in readers] == [True] * 3
    assert sources[0].reads == sources[1].reads > 0
    assert sources[2].reads == 0


def test_a_reader_that_is_alone_shares_nothing() -> None:
    cache = FrameCache()
    for _ in range(2):
        source = Counting(identity="one")
        framer = reader(source, cache)
        read(framer)
        framer.close()
        framer.close()
        assert source.reads > 0


@pytest.mark.parametrize(
    "other", [{"blksize": 512}, {"windowsize": 64}, {"rollover": 1}, {"identity": "two"}]
)
def test_readers_with_other_terms_do_not_disturb_each_other(other: dict[str, object]) -> None:
    cache = FrameCache()
    identity = str(other.pop("identity", "one"))
    terms = {key: int(str(value)) for key, value in other.items()}
    ours = [reader(Counting(identity="one"), cache) for _ in range(2)]
    content = CONTENT if identity == "one" else CONTENT[::-1]
    theirs = [reader(Counting(content, identity=identity), cache, **terms) for _ in range(2)]
    mine = b"".join(datagrams(CONTENT, 1428))
    blksize = terms.get("blksize", 1428)
    foreign = b"".join(datagrams(content, blksize, terms.get("rollover", 0)))
    for one, two in zip(ours, theirs, strict=True):
        assert read(one) == mine
        assert read(two) == foreign


def test_shared_chunks_are_dropped_with_the_last_reader() -> None:
    cache = FrameCache()
    for _ in range(2):
        sources = [Counting(identity="one") for _ in range(2)]
        readers = [reader(source, cache) for source in sources]
        for framer in readers:
            read(framer)
            framer.close()
        assert all(source.reads for source in sources)


def test_shared_chunks_are_bounded() -> None:
    """Those that were used least lately give way; what is sent stays right."""
    cache = FrameCache(300_000)
    sources = [Counting(identity="one") for _ in range(3)]
    readers = [reader(source, cache) for source in sources]
    whole = b"".join(datagrams(CONTENT, 1428))
    for framer in readers:
        assert read(framer) == whole
    # The third one found nothing of the beginning any more.
    assert sources[2].reads > 0
    assert frame(readers[1], 1, 3) == b"".join(datagrams(CONTENT[: 3 * 1428], 1428)[:3])
    for framer in readers:
        framer.close()


# Chunks that nobody uses any more


def buffer_of(framer: Framer) -> object:
    """The buffer in which a framer frames: kept alive, so that its id is told from others."""
    return framer.frames(1, 1)[0].obj


def test_a_chunk_serves_the_next_reader_and_shows_nothing_of_the_last_one() -> None:
    cache = FrameCache()
    first = reader(Counting(CONTENT[:50_000], identity="long"), cache)
    buffer = buffer_of(first)
    first.close()
    first.close()
    for size in (49_000, 1428 * 32, 33 * 1428 - 1):
        content = CONTENT[::-1][:size]
        framer = reader(Counting(content, identity=str(size)), cache)
        assert buffer_of(framer) is buffer
        assert read(framer) == b"".join(datagrams(content, 1428))
        framer.close()


@given(st.lists(st.integers(0, 9000), min_size=2, max_size=6), st.sampled_from([512, 1428]))
def test_files_of_any_sizes_follow_each_other_in_one_chunk(sizes: list[int], blksize: int) -> None:
    cache = FrameCache()
    for number, size in enumerate(sizes):
        content = CONTENT[number * 9000 :][:size]
        framer = reader(Counting(content, identity=str(number)), cache, blksize=blksize)
        whole = datagrams(content, blksize)
        assert [bytes(framer.frame(block)) for block in range(1, len(whole) + 1)] == whole
        assert read(framer) == b"".join(whole)
        framer.close()


def test_two_readers_at_once_never_have_the_same_chunk() -> None:
    cache = FrameCache()
    reader(Counting(identity="before"), cache).close()
    one, two = (reader(Counting(identity=name), cache) for name in ("one", "two"))
    assert buffer_of(one) is not buffer_of(two)


def test_a_chunk_that_was_shared_serves_nobody_else() -> None:
    """Another reader of the file may be sending from it."""
    cache = FrameCache()
    pair = [reader(Counting(identity="one"), cache) for _ in range(2)]
    shared = buffer_of(pair[1])
    pair[1].close()
    other = reader(Counting(CONTENT[::-1], identity="two"), cache)
    assert buffer_of(other) is not shared
    assert read(pair[0]) == b"".join(datagrams(CONTENT, 1428))


def test_unused_chunks_are_bounded() -> None:
    cache = FrameCache()
    readers = [reader(Counting(identity=str(number)), cache) for number in range(40)]
    buffers = [buffer_of(framer) for framer in readers]
    for framer in readers:
        framer.close()
    again = [reader(Counting(identity=f"again {number}"), cache) for number in range(40)]
    found = {id(buffer_of(framer)) for framer in again} & {id(buffer) for buffer in buffers}
    assert 0 < len(found) * CHUNK_SIZE <= SPARE_SIZE


def test_unused_chunks_of_another_size_give_way() -> None:
    cache = FrameCache()
    old = [reader(Counting(identity=str(number)), cache) for number in range(8)]
    new = reader(Counting(identity="new"), cache, blksize=8000, windowsize=1)
    buffer = buffer_of(new)
    for framer in old:
        read(framer)
    for framer in (*old, new):
        framer.close()
    again = reader(Counting(identity="again"), cache, blksize=8000, windowsize=1)
    assert buffer_of(again) is buffer


def test_a_window_is_one_piece_only_within_a_chunk() -> None:
    framer = reader(Counting(identity="one"), FrameCache())
    assert framer.window(1, 16) is None
    whole = datagrams(CONTENT, 1428)
    frames, last = framer.frames(1, 1000)
    assert len(frames) == last * 1432
    assert bytes(framer.window(1, 16) or b"") == b"".join(whole[:16])
    assert bytes(framer.window(last - 3, last) or b"") == b"".join(whole[last - 4 : last])
    assert framer.window(last - 3, last + 1) is None
    framer.frames(last + 1, last + 1)
    assert framer.window(last, last + 1) is None


# What comes next, framed while an ACK is awaited


def read_ahead(framer: Framer, windowsize: int = 16) -> bytes:
    """Frames a file window by window, as a sender does, and the next chunk behind each."""
    framed, first = b"", 1
    while first <= (framer.last_block or 0):
        last = min(first + windowsize - 1, framer.last_block or 0)
        framed += frame(framer, first, last)
        framer.frame_ahead(last + 1)
        first = last + 1
    return framed


def test_the_next_chunk_is_framed_before_it_is_asked_for() -> None:
    source = Counting(identity="one")
    framer = reader(source, FrameCache())
    _, last = framer.frames(1, 1000)
    framer.frame_ahead(last)
    framer.frame_ahead(last + 2)
    assert source.reads == 1
    for _ in range(2):
        framer.frame_ahead(last + 1)
    assert source.reads == 2
    # What is in flight can still be sent again.
    assert frame(framer, last - 15, last) == b"".join(datagrams(CONTENT, 1428)[last - 16 : last])
    assert frame(framer, last + 1, last + 16) == b"".join(datagrams(CONTENT, 1428)[last:][:16])
    assert source.reads == 2


def test_each_octet_is_read_once_whether_ahead_or_not() -> None:
    ahead, behind = Counting(identity="one"), Counting(identity="two")
    assert read_ahead(reader(ahead, FrameCache())) == read(reader(behind, FrameCache()))
    assert ahead.reads == behind.reads


def test_a_sender_that_goes_back_finds_the_chunk_before() -> None:
    source = Counting(identity="one")
    framer = reader(source, FrameCache())
    whole = datagrams(CONTENT, 1428)
    _, last = framer.frames(1, 1000)
    framer.frame_ahead(last + 1)
    frame(framer, last + 1, last + 16)
    assert frame(framer, 1, 16) == b"".join(whole[:16])
    assert source.reads == 2
    # From within it a chunk begins elsewhere, and what is framed ahead of that follows.
    assert frame(framer, last - 3, last + 12) == b"".join(whole[last - 4 : last + 12])
    assert read_ahead(framer) == b"".join(whole)


def test_behind_the_last_block_nothing_is_framed() -> None:
    source = Counting(CONTENT[:1428], identity="one")
    framer = reader(source, FrameCache())
    assert read_ahead(framer) == b"".join(datagrams(CONTENT[:1428], 1428))
    assert source.reads == 1


def test_what_cannot_be_read_ahead_fails_only_where_it_is_needed() -> None:
    source = Counting(identity="one")
    framer = reader(source, FrameCache())
    _, last = framer.frames(1, 1000)
    source.error = StoreError(ErrorCode.not_defined, "File changed while it was read")
    framer.frame_ahead(last + 1)
    assert frame(framer, 1, last) == b"".join(datagrams(CONTENT, 1428)[:last])
    with pytest.raises(StoreError, match="changed"):
        framer.frames(last + 1, last + 16)
    source.error = None
    assert read_ahead(framer) == b"".join(datagrams(CONTENT, 1428))


def test_what_was_framed_ahead_for_one_file_is_never_sent_for_another() -> None:
    cache = FrameCache()
    for number in range(3):
        content = CONTENT[number:]
        framer = reader(Counting(content, identity=str(number)), cache)
        _, last = framer.frames(1, 1000)
        framer.frame_ahead(last + 1)
        assert frame(framer, last + 1, last + 16) == b"".join(datagrams(content, 1428)[last:][:16])
        framer.close()


@pytest.mark.parametrize("kind", ["shared", "small", "text"])
def test_with_many_readers_and_for_text_nothing_is_framed_ahead(kind: str) -> None:
    cache = FrameCache()
    source = Counting(identity="one")
    if kind == "shared":
        reader(source, cache)
    size = None if kind == "text" else source.size
    framer = Framer(source, 1428, 16, 0, size, shared=cache, is_small=kind == "small")
    _, last = framer.frames(1, 1000)
    reads = source.reads
    framer.frame_ahead(last + 1)
    assert source.reads == reads


def test_text_is_never_shared() -> None:
    """Its blocks are known only while it is read."""
    cache = FrameCache()
    source = Counting(identity="one")
    pair = [Framer(source, 512, 1, 0, None, shared=cache) for _ in range(2)]
    assert read_unknown(pair[0]) == read_unknown(pair[1]) == b"".join(datagrams(CONTENT, 512))


def read_unknown(framer: Framer) -> bytes:
    return frame(framer, 1, 1_000_000)
