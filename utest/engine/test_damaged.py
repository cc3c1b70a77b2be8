"""A damaged file: the same octets in every way of reading it, and on the wire."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.engine.damaged import DamagedSource
from TftpLibrary.faults.files import Damage, Damaging
from TftpLibrary.store.memory import MemoryStore
from utest.support.bench import QUICK, bench

CONTENT = random.Random(2).randbytes(3000)


def source_of(content: bytes, damage: Damage) -> DamagedSource:
    return DamagedSource(MemoryStore({"f": content}).open_read(b"f", ""), damage)


def flipped(content: bytes, offset: int) -> bytes:
    return content[:offset] + bytes((content[offset] ^ 1,)) + content[offset + 1 :]


def expected(content: bytes, damage: Damage) -> bytes:
    """What a damage makes of a content, as plainly as it can be written."""
    if damage.how is Damaging.truncate:
        return content[: len(content) // 2 if damage.size is None else damage.size]
    if damage.how is Damaging.append:
        return content + (
            damage.content.encode() or bytes(1 if damage.size is None else damage.size)
        )
    offset = len(content) // 2 if damage.offset is None else damage.offset
    return flipped(content, offset) if offset < len(content) else content


DAMAGES = [
    Damage("f", Damaging.flip_bit),
    Damage("f", Damaging.flip_bit, offset=0),
    Damage("f", Damaging.flip_bit, offset=2999),
    Damage("f", Damaging.flip_bit, offset=3000),
    Damage("f", Damaging.truncate),
    Damage("f", Damaging.truncate, size=0),
    Damage("f", Damaging.truncate, size=512),
    Damage("f", Damaging.truncate, size=9999),
    Damage("f", Damaging.append),
    Damage("f", Damaging.append, size=700),
    Damage("f", Damaging.append, content="grüße"),
]


@given(
    damage=st.sampled_from(DAMAGES),
    content=st.sampled_from([CONTENT, b"", b"x"]),
    sizes=st.lists(st.integers(1, 1500), min_size=1, max_size=4),
)
def test_it_reads_the_same_in_pieces_of_any_size(
    damage: Damage, content: bytes, sizes: list[int]
) -> None:
    source = source_of(content, damage)
    right = expected(content, damage)
    assert source.size == len(right)
    got = bytearray()
    while True:
        buffers = [memoryview(bytearray(size)) for size in sizes]
        count = source.read_into(buffers, len(got))
        if not count:
            break
        got += b"".join(buffers)[:count]
    assert bytes(got) == right
    source.close()


def test_it_shares_no_frames_with_the_good_file() -> None:
    store = MemoryStore({"f": CONTENT})
    good = store.open_read(b"f", "")
    damaged = [DamagedSource(store.open_read(b"f", ""), damage) for damage in DAMAGES]
    identities = [good.identity, *(each.identity for each in damaged)]
    assert len(set(identities)) == len(identities)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("options", [{}, {"blksize": 100, "windowsize": 7}, {"blksize": 1468}])
def test_a_board_gets_the_same_at_every_block_size_and_in_windows(
    damage: Damage, options: dict[str, int]
) -> None:
    with bench({"f": CONTENT}, **QUICK) as dut:
        dut.faults.add(damage)
        for _ in range(2):
            assert dut.read(**options).content == expected(CONTENT, damage)
        # A damage behind the end of the file changes nothing, and does not happen.
        hits = int(damage.changes(len(CONTENT)))
        assert [each.fault_count for each in dut.wait_for_ends(2)] == [hits, hits]
