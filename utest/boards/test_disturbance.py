"""Packets that get lost and packets that come twice."""

from __future__ import annotations

from collections import Counter

import pytest

from atest.boards.emulator.disturbance import Disturbance
from TftpLibrary.errors import UsageError

PORT = 1353
RRQ = b"\0\1zImage\0octet\0"
PACKETS = [b"\0\3" + number.to_bytes(2, "big") + b"data" for number in range(1, 5001)]


def fates(disturbance: Disturbance, *, is_to_board: bool = True, request: bytes = RRQ) -> list[int]:
    disturbance.copies(PORT, request, is_to_board=False)
    return [disturbance.copies(PORT, packet, is_to_board=is_to_board) for packet in PACKETS]


def test_calm_wire_carries_everything_once() -> None:
    assert set(fates(Disturbance())) == {1}


def test_shares_are_kept() -> None:
    count = Counter(fates(Disturbance(loss=0.1, repeat=0.2, seed=1)))
    assert 400 < count[0] < 600
    assert 800 < count[2] < 1050


def test_same_seed_does_the_same() -> None:
    first, again = (fates(Disturbance(0.05, 0.05, seed=7)) for _ in range(2))
    assert first == again != fates(Disturbance(0.05, 0.05, seed=8))


def test_other_packets_change_nothing_for_a_packet() -> None:
    """So the speed of the machine cannot change which packets get lost."""
    alone, crowded = Disturbance(0.5, 0, seed=3), Disturbance(0.5, 0, seed=3)
    alone.copies(PORT, RRQ, is_to_board=False)
    fate = alone.copies(PORT, PACKETS[99], is_to_board=True)
    fates(crowded, is_to_board=False)
    crowded.copies(2000, PACKETS[99], is_to_board=True)
    assert crowded.copies(PORT, PACKETS[99], is_to_board=True) == fate


def test_packet_that_was_lost_does_not_get_lost_for_ever() -> None:
    disturbance = Disturbance(0.5, 0, seed=3)
    seen = {disturbance.copies(PORT, PACKETS[0], is_to_board=True) for _ in range(50)}
    assert seen == {0, 1}


def test_request_that_comes_again_is_not_lost_for_ever_and_begins_nothing_new() -> None:
    disturbance = Disturbance(0.5, 0, seed=3)
    assert {disturbance.copies(PORT, RRQ, is_to_board=False) for _ in range(50)} == {0, 1}
    assert fates(Disturbance(0.1, 0)) == fates(Disturbance(0.1, 0))


def test_next_transfer_from_the_same_port_has_fates_of_its_own() -> None:
    disturbance = Disturbance(0.1, 0)
    first = fates(disturbance)
    assert first != fates(disturbance, request=RRQ.replace(b"zImage", b"x.dtb"))


def test_octets_that_are_no_packet_are_disturbed_too() -> None:
    for payload in (b"", b"hello", b"\0\1no request"):
        assert Disturbance(1.0).copies(PORT, payload, is_to_board=False) == 0


@pytest.mark.parametrize(("loss", "repeat"), [(-0.1, 0), (0, 1.5)])
def test_impossible_share_is_refused(loss: float, repeat: float) -> None:
    with pytest.raises(UsageError, match="must be from 0 % to 100 %"):
        Disturbance(loss, repeat)
