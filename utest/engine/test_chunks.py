from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.engine.chunks import SPARE_SIZE, FrameCache
from TftpLibrary.engine.framer import CHUNK_SIZE, Framer
from utest.support.framing import CONTENT, Counting, datagrams, frame, read, reader


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


def test_what_was_framed_ahead_for_one_file_is_never_sent_for_another() -> None:
    cache = FrameCache()
    for number in range(3):
        content = CONTENT[number:]
        framer = reader(Counting(content, identity=str(number)), cache)
        _, last = framer.frames(1, 1000)
        framer.frame_ahead(last + 1)
        assert frame(framer, last + 1, last + 16) == b"".join(datagrams(content, 1428)[last:][:16])
        framer.close()


def test_text_is_never_shared() -> None:
    """Its blocks are known only while it is read."""
    cache = FrameCache()
    source = Counting(identity="one")
    pair = [Framer(source, 512, 1, 0, None, shared=cache) for _ in range(2)]
    assert read_unknown(pair[0]) == read_unknown(pair[1]) == b"".join(datagrams(CONTENT, 512))


def read_unknown(framer: Framer) -> bytes:
    return frame(framer, 1, 1_000_000)
