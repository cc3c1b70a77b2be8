"""Block numbers: absolute inside, 16 bits on the wire, with either rollover."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from TftpLibrary.protocol.blocks import back_from_wire, from_wire, last_block, to_wire

_blocks = st.integers(0, 70_000) | st.integers(0, 10**9)
_rollovers = st.integers(0, 1)


@pytest.mark.parametrize(
    ("block", "rollover", "wire_block"),
    [
        (0, 0, 0),
        (1, 0, 1),
        (65535, 0, 65535),
        (65536, 0, 0),
        (65537, 0, 1),
        (131072, 0, 0),
        (0, 1, 0),
        (1, 1, 1),
        (65535, 1, 65535),
        (65536, 1, 1),
        (131070, 1, 65535),
        (131071, 1, 1),
    ],
)
def test_number_after_65535_is_0_or_1(block: int, rollover: int, wire_block: int) -> None:
    """RFC 1350, section 5: numbers have 16 bits. A file may have more blocks than that."""
    assert to_wire(block, rollover) == wire_block


def test_rollover_is_0_where_none_is_given() -> None:
    assert to_wire(65536) == 0
    assert from_wire(0, 65000) == 65536


@given(base=_blocks, ahead=st.integers(0, 65534), rollover=_rollovers)
@example(base=0, ahead=65535, rollover=1)
@example(base=0, ahead=65535, rollover=0)
@example(base=65535, ahead=1, rollover=1)
@example(base=1, ahead=65534, rollover=1)
def test_wire_block_gives_back_its_block(base: int, ahead: int, rollover: int) -> None:
    assert from_wire(to_wire(base + ahead, rollover), base, rollover) == base + ahead


@given(wire_block=st.integers(0, 65535), base=_blocks, rollover=_rollovers)
def test_wire_block_is_the_next_one_of_its_number_or_none(
    wire_block: int, base: int, rollover: int
) -> None:
    block = from_wire(wire_block, base, rollover)
    if block < base:
        assert (wire_block, rollover) == (0, 1)
    else:
        assert to_wire(block, rollover) == wire_block
        assert block - base < 65536


@given(wire_block=st.integers(0, 65535), newest=_blocks, rollover=_rollovers)
@example(wire_block=0, newest=65535, rollover=1)
@example(wire_block=0, newest=65536, rollover=0)
@example(wire_block=65535, newest=0, rollover=1)
@example(wire_block=65535, newest=3, rollover=1)
@example(wire_block=65535, newest=65536, rollover=1)
def test_a_number_gives_the_last_block_that_had_it_or_none(
    wire_block: int, newest: int, rollover: int
) -> None:
    block = back_from_wire(wire_block, newest, rollover)
    first = wire_block or 65536
    if wire_block < rollover or first > newest:
        assert block == 0
    else:
        assert to_wire(block, rollover) == wire_block
        assert newest - 65536 < block <= newest


@pytest.mark.parametrize(
    ("size", "blksize", "block"),
    [(0, 512, 1), (1, 512, 1), (511, 512, 1), (512, 512, 2), (513, 512, 2), (40 << 20, 512, 81921)],
)
def test_last_block_is_shorter_than_blksize(size: int, blksize: int, block: int) -> None:
    """RFC 1350, section 6: a block of fewer octets ends the file, if need be an empty one."""
    assert last_block(size, blksize) == block
