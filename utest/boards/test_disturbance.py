"""Packets that get lost and packets that come twice."""

from __future__ import annotations

from collections import Counter

import pytest

from atest.boards.emulator.disturbance import TO_BOARD, TO_SERVER, Disturbance

PACKETS = [b"\0\3" + number.to_bytes(2, "big") + b"data" for number in range(1, 5001)]


def fates(disturbance: Disturbance, direction: str = TO_BOARD) -> list[int]:
    return [disturbance.copies(direction, packet) for packet in PACKETS]


def test_calm_wire_carries_everything_once() -> None:
    assert set(fates(Disturbance())) == {1}


def test_shares_are_kept() -> None:
    count = Counter(fates(Disturbance(loss=0.1, repeat=0.2, seed=1)))
    assert 400 < count[0] < 600
    assert 850 < count[2] < 1150


def test_what_happened_is_counted() -> None:
    disturbance = Disturbance(loss=0.1, repeat=0.1, seed=1)
    count = Counter(fates(disturbance))
    assert (disturbance.lost, disturbance.repeated) == (count[0], count[2])


def test_same_seed_does_the_same() -> None:
    first, again = (fates(Disturbance(0.05, 0.05, seed=7)) for _ in range(2))
    assert first == again != fates(Disturbance(0.05, 0.05, seed=8))


def test_other_packets_change_nothing_for_a_packet() -> None:
    """So the speed of the machine cannot change which packets get lost."""
    alone = Disturbance(0.5, 0, seed=3).copies(TO_BOARD, PACKETS[99])
    crowded = Disturbance(0.5, 0, seed=3)
    fates(crowded, TO_SERVER)
    assert [crowded.copies(TO_BOARD, packet) for packet in PACKETS[:100]][-1] == alone


def test_packet_that_was_lost_does_not_get_lost_for_ever() -> None:
    disturbance = Disturbance(0.5, 0, seed=3)
    assert {disturbance.copies(TO_BOARD, PACKETS[0]) for _ in range(50)} == {0, 1}


@pytest.mark.parametrize(("loss", "repeat"), [(-0.1, 0), (0, 1.5), (0.6, 0.6)])
def test_impossible_share_is_refused(loss: float, repeat: float) -> None:
    with pytest.raises(ValueError, match=r"such as 0\.01"):
        Disturbance(loss, repeat)
