from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.engine.chunks import FrameCache
from TftpLibrary.engine.framer import Framer
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import StoreError
from utest.support.framing import CONTENT, Counting, datagrams, frame, read, reader, stored


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
    """A chunk that was half overwritten must not be sent."""
    source = Counting()
    framer = Framer(source, 512, 16, 0, source.size)
    frame(framer, 1, 16)
    source.error = StoreError(ErrorCode.not_defined, "File changed while it was read")
    for first in (1000, 1):
        with pytest.raises(StoreError, match="changed"):
            framer.frames(first, first)


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


def test_a_framer_that_is_closed_gives_its_buffers_back_once() -> None:
    source, cache = Counting(identity="one"), FrameCache()
    framer = reader(source, cache)
    _, last = framer.frames(1, 1000)
    framer.frame_ahead(last + 1)
    for _ in range(2):
        framer.close()
    assert [cache.spare(1432, last) is None for _ in range(3)] == [False, False, True]


def test_of_two_that_share_the_second_finds_what_the_first_has_framed() -> None:
    source, cache = Counting(identity="one"), FrameCache()
    _alone, first, second = (reader(source, cache) for _ in range(3))
    assert read(first) == read(second)
    reads = source.reads
    for framer in (first, second):
        assert frame(framer, 1, 16) == b"".join(datagrams(CONTENT, 1428)[:16])
        framer.close()
    assert source.reads == reads
    assert cache.spare(1432, 80) is None


# The next chunk, framed while an ACK is awaited


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
    # The blocks in flight can still be sent again.
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
