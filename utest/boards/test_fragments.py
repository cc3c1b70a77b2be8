"""Packets that do not fit into a frame."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from atest.boards.emulator.fragments import MTU, Reassembly, cut
from atest.boards.emulator.frames import UDP, FrameError, Packet


def packet_of(size: int, identity: int = 1) -> Packet:
    content = bytes(place * 7 % 251 for place in range(size))
    return Packet("10.0.2.2", "10.0.2.15", UDP, content, identity)


def test_packet_that_fits_is_not_cut() -> None:
    packet = packet_of(MTU - 20)
    assert list(cut(packet)) == [packet]


def test_packet_that_is_one_octet_too_long_is_cut() -> None:
    first, last = cut(packet_of(MTU - 20 + 1))
    assert (len(first.payload), first.offset, first.more) == (1480, 0, True)
    assert (len(last.payload), last.offset, last.more) == (1, 1480, False)


def test_no_fragment_is_longer_than_the_wire_allows() -> None:
    assert all(len(part.encode()) <= MTU for part in cut(packet_of(65000)))


@given(st.integers(0, 2000), st.integers(28, 1600), st.randoms(use_true_random=False))
@example(20000, 68, random.Random(1))
@example(8192 + 12, 1500, random.Random(0))
def test_fragments_in_any_order_become_the_packet_again(
    size: int, mtu: int, shuffler: random.Random
) -> None:
    packet = packet_of(size)
    parts = list(cut(packet, mtu))
    shuffler.shuffle(parts)
    reassembly = Reassembly()
    results = [reassembly.receive(part) for part in parts]
    assert results[-1] == packet
    assert results[:-1] == [None] * (len(parts) - 1)


def test_fragment_that_comes_twice_disturbs_nothing() -> None:
    packet, reassembly = packet_of(3000), Reassembly()
    first, second, last = cut(packet)
    assert [reassembly.receive(part) for part in (first, first, second)] == [None] * 3
    assert reassembly.receive(last) == packet


def test_fragments_of_two_packets_are_told_apart() -> None:
    one, two, reassembly = packet_of(2000, 1), packet_of(2000, 2), Reassembly()
    first, rest = cut(one)
    other_first, other_rest = cut(two)
    assert reassembly.receive(first) is None
    assert reassembly.receive(other_first) is None
    assert reassembly.receive(other_rest) == two
    assert reassembly.receive(rest) == one


def test_oldest_unfinished_packet_is_forgotten() -> None:
    reassembly = Reassembly()
    first, rest = cut(packet_of(2000, 1))
    reassembly.receive(first)
    for identity in range(2, 67):
        reassembly.receive(next(cut(packet_of(2000, identity))))
    assert reassembly.receive(rest) is None


def test_fragment_of_an_impossible_place_or_length_is_refused() -> None:
    reassembly = Reassembly()
    with pytest.raises(FrameError, match="beyond"):
        reassembly.receive(packet_of(1000)._replace(offset=65000))
    with pytest.raises(FrameError, match="multiple of eight"):
        reassembly.receive(packet_of(1001)._replace(more=True))


def test_empty_fragment_completes_nothing() -> None:
    assert Reassembly().receive(packet_of(0)._replace(more=True)) is None
