"""The quality of a link: shares, delays, rate and queue."""

from __future__ import annotations

import re
from itertools import pairwise
from math import inf, nan, sqrt
from typing import Any

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.deliveries import Delivery
from TftpLibrary.faults.link import MOST_WAITING, LinkQuality, LinkState
from TftpLibrary.faults.tracking import Passing
from utest.support.passages import passing

COUNT = 10_000
LOOK = passing("S DATA 1 8")


def look(block: int) -> Passing:
    return LOOK._replace(block=block)


class Cable:
    """One way of a link, which counts what it did."""

    def __init__(self, **quality: Any) -> None:
        self.state = LinkState(LinkQuality(**quality))
        self.did: list[str] = []

    def carry(self, block: int, now: float = 0.0, octets: bytes = LOOK.octets) -> list[Delivery]:
        copies, strikes = self.state.carry(look(block), Delivery(octets), now)
        self.did += [strike.words for strike in strikes]
        assert all(strike.fault == "link" for strike in strikes)
        assert all(strike.is_sent for strike in strikes)
        return copies

    def arrivals(self, count: int, interval: float, octets: bytes = LOOK.octets) -> list[float]:
        """Returns when the packets arrive that are sent at equal intervals."""
        return [
            block * interval + copy.delay
            for block in range(count)
            for copy in self.carry(block, block * interval, octets)
        ]


# Shares


@pytest.mark.parametrize(
    ("what", "did"),
    [
        ("loss", "lost DATA 3"),
        ("duplicate", "duplicated DATA 3"),
        ("reorder", "reordered DATA 3"),
        ("corrupt", "corrupted DATA 3"),
    ],
)
@pytest.mark.parametrize("share", [0.01, 0.3])
def test_shares_of_all_packets_are_kept(what: str, did: str, share: float) -> None:
    """Within 3 sigma of pure chance."""
    cable = Cable(**{what: share}, seed=1)
    for block in range(COUNT):
        cable.carry(block)
    assert abs(len(cable.did) - COUNT * share) < 3 * sqrt(COUNT * share * (1 - share))
    always = Cable(**{what: 1.0})
    always.carry(3)
    assert always.did == [did]


@pytest.mark.parametrize("what", ["loss", "duplicate", "reorder", "corrupt"])
def test_the_same_seed_gives_the_same_day_and_another_seed_another(what: str) -> None:
    def day(seed: int) -> list[str]:
        cable = Cable(**{what: 0.1}, seed=seed)
        for block in range(1000):
            cable.carry(block)
        return cable.did

    assert day(1) == day(1) != day(2)


def test_what_happens_to_a_packet_has_nothing_to_do_with_what_else_happens_to_it() -> None:
    """Else every packet that comes twice would be one that is overtaken."""
    cable = Cable(duplicate=0.5, reorder=0.5)
    for block in range(COUNT):
        cable.carry(block)
    twice, overtaken = (
        {words.split()[-1] for words in cable.did if words.startswith(did)}
        for did in ("duplicated", "reordered")
    )
    assert abs(len(twice & overtaken) - COUNT / 4) < 3 * sqrt(COUNT * 3 / 16)


def test_a_lost_packet_is_kept_for_the_capture() -> None:
    copies, (strike,) = LinkState(LinkQuality(loss=1.0)).carry(look(3), Delivery(b"octets"), 0.0)
    assert copies == []
    assert strike.lost == b"octets"


def test_corruption_changes_one_bit_of_the_header_or_the_content() -> None:
    cable = Cable(corrupt=1.0)
    changed = [cable.carry(block)[0] for block in range(200)]
    assert re.fullmatch(r"link: corrupted DATA 3 \(bit \d of byte \d+\)", changed[3].remark)
    places = set()
    for copy in changed:
        (place,) = [n for n in range(12) if copy.octets[n] != LOOK.octets[n]]
        places.add(place)
        assert (copy.octets[place] ^ LOOK.octets[place]).bit_count() == 1
    assert places == set(range(12))


def test_an_empty_datagram_has_nothing_to_corrupt() -> None:
    cable = Cable(corrupt=1.0)
    assert cable.carry(1, octets=b"") == [Delivery(b"")]
    assert cable.did == []


def test_a_second_copy_says_so() -> None:
    first, second = Cable(duplicate=1.0).carry(1)
    assert (first.remark, second.remark) == ("", "link: duplicated DATA 1")
    assert first.octets == second.octets


def test_the_last_copy_of_an_overtaken_packet_waits_for_the_next_one() -> None:
    first, second = Cable(duplicate=1.0, reorder=1.0).carry(1)
    assert not first.is_late
    assert (second.overtaken_by, second.delay) == (1, 0.2)


# Time


def test_a_delay_is_added_to_each_packet() -> None:
    assert Cable(delay=0.5).arrivals(3, 1.0) == [0.5, 1.5, 2.5]


def test_a_link_without_times_delivers_at_once() -> None:
    assert all(copy.delay == 0 for block in range(100) for copy in Cable(loss=0.1).carry(block))


def test_jitter_makes_packets_late_by_more_or_less() -> None:
    arrivals = Cable(delay=1.0, jitter=0.5).arrivals(COUNT, 10.0)
    late = [at - 10.0 * block - 1.0 for block, at in enumerate(arrivals)]
    assert -1e-9 < min(late) < 0.01
    assert 0.49 < max(late) < 0.5
    # An even spread has its mean in the middle, and a deviation of a square root of a twelfth.
    assert abs(sum(late) / COUNT - 0.25) < 3 * 0.5 / sqrt(12 * COUNT)


def test_jitter_keeps_the_order() -> None:
    arrivals = Cable(jitter=0.5).arrivals(1000, 0.001)
    assert arrivals == sorted(arrivals)


@pytest.mark.parametrize("size", [12, 516, 1472])
@pytest.mark.parametrize("rate", [10e3, 1e6, 10e6])
def test_a_rate_is_exact_on_average_and_even(size: int, rate: float) -> None:
    """However many packets are sent at once."""
    arrivals = Cable(rate=rate).arrivals(500, 0.0, bytes(size))
    assert arrivals[-1] == pytest.approx(500 * size / rate)
    gaps = [later - sooner for sooner, later in pairwise(arrivals)]
    assert min(gaps) == pytest.approx(size / rate)
    assert max(gaps) == pytest.approx(size / rate)


def test_a_packet_waits_for_those_before_it_only() -> None:
    assert Cable(rate=12.0).arrivals(3, 5.0) == [1.0, 6.0, 11.0]


def test_a_full_queue_loses_what_comes() -> None:
    cable = Cable(rate=12.0, queue=8)
    arrivals = [copy.delay for block in range(10) for copy in cable.carry(block)]
    assert arrivals == [1, 2, 3, 4, 5, 6, 7, 8]
    assert cable.did == [f"lost DATA {block} in the full queue" for block in (8, 9)]


def test_a_queue_has_room_again_when_a_packet_has_left() -> None:
    cable = Cable(rate=12.0, queue=1)
    assert cable.carry(1, 0.0)
    assert not cable.carry(2, 0.5)
    assert cable.carry(3, 1.0)
    _, (strike,) = cable.state.carry(look(4), Delivery(b"octets"), 1.0)
    assert strike.lost == b"octets"


def test_a_packet_that_a_rule_made_late_waits_for_no_other() -> None:
    state = LinkState(LinkQuality(rate=12.0, delay=0.5))
    late = Delivery(LOOK.octets, 7.0)
    assert state.carry(look(1), late, 0.0)[0] == [late._replace(delay=7.5)]
    assert state.carry(look(2), Delivery(LOOK.octets), 0.0)[0][0].delay == 1.5


# Checks


def test_a_perfect_link_changes_nothing() -> None:
    assert LinkQuality(queue=8, seed=3, client="10.0.0.1").is_perfect
    for name in ("loss", "duplicate", "reorder", "corrupt", "delay", "jitter", "rate"):
        assert not LinkQuality(**{name: 0.5}).is_perfect  # type: ignore[arg-type] # by name


@pytest.mark.parametrize(
    ("quality", "error"),
    [
        ({"loss": 2.0}, "loss= must be from 0 % to 100 %, got 200 %."),
        ({"duplicate": -0.1}, "duplicate= must be from 0 % to 100 %, got -10 %."),
        ({"corrupt": nan}, "corrupt= must be from 0 % to 100 %, got nan %."),
        ({"delay": -1.0}, "delay= must be from 0 to 3600 seconds, got -1."),
        ({"jitter": inf}, "jitter= must be from 0 to 3600 seconds, got inf."),
        ({"rate": 0.0}, "rate= must be above 0 bytes per second, got 0."),
        ({"rate": inf}, "rate= must be above 0 bytes per second, got inf."),
        ({"queue": 0}, "queue= must be from 1 to 100000, got 0."),
        ({"queue": MOST_WAITING + 1}, "queue= must be from 1 to 100000, got 100001."),
        ({"client": "board"}, "client='board' is neither an address nor a network."),
    ],
)
def test_a_quality_that_cannot_be_is_refused(quality: dict[str, Any], error: str) -> None:
    with pytest.raises(UsageError) as caught:
        LinkQuality(**quality)
    assert str(caught.value).startswith(error)


def test_qualities_at_their_bounds_are_taken() -> None:
    quality = LinkQuality(1.0, 1.0, 1.0, 1.0, 3600.0, 3600.0, 1e-9, MOST_WAITING)
    assert not quality.is_perfect
