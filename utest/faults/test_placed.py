"""A fault in its place: why it leaves packets alone, and how it counts."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest

from TftpLibrary.faults.files import Damage, Damaging, Denial
from TftpLibrary.faults.placed import MOST_CLIENTS, MOST_COUNTS, MOST_HITS, Hit, Placed, Stage
from TftpLibrary.faults.rules import make_rule
from utest.support.passages import BOARD, OTHER, lines, passing


def placed(kind: str = "drop", packet: str = "", equals: int = 0, **more: Any) -> Placed:
    return Placed(make_rule(kind, packet, **more), 1, 10.0, equals)


def struck(fault: Placed, *texts: str, client: str = BOARD) -> list[str]:
    """Returns the datagrams that a fault strikes."""
    return [text for text in texts if fault.strikes(passing(text, client=client), 10.5)]


# What it is


def test_a_fault_has_an_id_of_its_kind_and_its_number_or_its_name() -> None:
    assert placed().id == "drop-1"
    assert placed(name="mine").id == "mine"
    assert Placed(Denial("f"), 2, 0.0).id == "deny-2"
    assert Placed(Damage("f", Damaging.truncate), 3, 0.0).id == "damage-3"


def test_a_fault_concerns_its_file_and_its_client() -> None:
    fault = placed(file="boot/*", client="192.168.1.0/24")
    assert fault.concerns("/boot/zImage", BOARD)
    assert not fault.concerns("zImage", BOARD)
    assert not fault.concerns("boot/zImage", "10.0.0.1")


# Stages of passing by


@pytest.mark.parametrize(
    ("fault", "text", "stage"),
    [
        (placed(direction="received"), "S DATA 3 8", Stage.way),
        (placed(direction="sent"), "C DATA 3 8", Stage.way),
        (placed("corrupt"), "C DATA 3 8", Stage.way),
        (placed(), "C ACK 3", Stage.packet),
        (placed("drop", "answer"), "C RRQ f octet", Stage.packet),
        (placed("drop", "DATA 4-9"), "S DATA 3 8", Stage.block),
        (placed("drop", "DATA last"), "S DATA 3 8", Stage.block),
        (placed("corrupt"), "S DATA 3 0", Stage.content),
        (placed("short_block"), "S DATA 3 0", Stage.content),
        (placed(after=1), "S DATA 3 8", Stage.count),
        (placed(every=2), "S DATA 3 8", Stage.count),
        (placed(probability=0.0), "S DATA 3 8", Stage.chance),
    ],
)
def test_the_first_reason_for_which_a_packet_was_left_alone_is_counted(
    fault: Placed, text: str, stage: Stage
) -> None:
    before = fault.stages[stage]
    assert not struck(fault, text)
    assert fault.stages == {stage: before + 1}
    assert fault.hits == 0


def test_requests_are_counted_and_those_of_others_are_a_stage() -> None:
    fault = placed(file="zImage", client=BOARD)
    for file, client in [("zImage", BOARD), ("/zImage", BOARD), ("zimage", BOARD)]:
        fault.note_request(file, client)
    fault.note_request("zImage", OTHER)
    assert fault.requests == 2
    assert fault.stages == {Stage.file: 1, Stage.client: 1}


def test_the_blocks_that_were_left_alone_are_remembered_by_the_lowest_and_the_highest() -> None:
    fault = placed("drop", "DATA 9")
    assert not struck(fault, *lines("S", "DATA", 3, 7), "S DATA 2 8", "S DATA 4 8", "S ? 0003")
    assert (fault.lowest, fault.highest) == (2, 7)


# Counting


@pytest.mark.parametrize(
    ("packet", "more", "blocks"),
    [
        ("DATA", {}, [1]),
        ("DATA", {"times": 3}, [1, 2, 3]),
        ("DATA", {"after": 2}, [3]),
        ("DATA", {"after": 2, "times": 2}, [3, 4]),
        ("DATA", {"every": 3}, [3, 6, 9]),
        ("DATA", {"every": 3, "times": 2}, [3, 6]),
        ("DATA", {"every": 3, "after": 4}, [7, 10]),
        ("DATA", {"times": None}, list(range(1, 11))),
        ("DATA", {"probability": 1.0, "after": 8}, [9, 10]),
        ("DATA", {"probability": 1.0, "times": 2}, [1, 2]),
        ("DATA 3", {}, [3]),
        ("DATA 3-5", {}, [3, 4, 5]),
        ("DATA 8-", {}, [8, 9, 10]),
        ("DATA 3-5", {"after": 1}, []),
    ],
)
def test_times_every_and_after_count_the_packets_as_they_come_by(
    packet: str, more: dict[str, Any], blocks: list[int]
) -> None:
    found = struck(placed("drop", packet, **more), *lines("S", "DATA", 1, 10))
    assert found == [f"S DATA {block} 8" for block in blocks]


def test_named_blocks_are_counted_each_by_itself() -> None:
    fault = placed("drop", "DATA 3-4", times=2)
    twice = [text for text in lines("S", "DATA", 3, 4) for _ in range(3)]
    assert struck(fault, *twice) == ["S DATA 3 8"] * 2 + ["S DATA 4 8"] * 2
    assert struck(placed("drop", "DATA 3-4", after=1), *twice) == ["S DATA 3 8", "S DATA 4 8"]


def test_each_client_is_counted_by_itself() -> None:
    """Two boards cannot take each other's fault away."""
    fault = placed("drop", "DATA 3")
    assert struck(fault, "S DATA 3 8", "S DATA 3 8") == ["S DATA 3 8"]
    assert struck(fault, "S DATA 3 8", "S DATA 3 8", client=OTHER) == ["S DATA 3 8"]
    assert fault.clients == {BOARD: 1, OTHER: 1}
    assert fault.hits == 2


def test_a_board_that_asks_again_is_not_struck_again() -> None:
    fault = placed("drop", "DATA 3")
    assert [fault.strikes(passing("S DATA 3 8")._replace(request=n), 10.0) for n in (1, 2)] == [
        True,
        False,
    ]


def test_it_is_the_turn_of_a_fault_of_a_file_by_transfers() -> None:
    fault = Placed(Denial("f", times=1, after=1), 1, 0.0)
    assert [fault.is_turn(BOARD) for _ in range(4)] == [False, True, False, False]
    always = Placed(Damage("f", Damaging.truncate), 1, 0.0)
    assert all(always.is_turn(BOARD) for _ in range(4))


# Chance


def strikes_by_chance(fault: Placed, count: int = 1000) -> list[int]:
    look = passing("S DATA 3 8")
    return [n for n in range(count) if fault.strikes(look._replace(block=n), 10.0)]


def test_the_share_of_struck_packets_is_the_probability() -> None:
    """Within 3 sigma of pure chance."""
    hits = len(strikes_by_chance(placed(probability=0.05), 10_000))
    assert abs(hits - 500) < 3 * sqrt(10_000 * 0.05 * 0.95)


def test_the_same_rule_strikes_the_same_packets_whatever_its_number_is() -> None:
    """A test alone meets the same day as in its suite."""
    rule = make_rule("drop", probability=0.1, seed=7)
    first, second = (strikes_by_chance(Placed(rule, number, 0.0)) for number in (1, 99))
    assert first == second
    assert first != strikes_by_chance(placed(probability=0.1, seed=8))


def test_equal_rules_strike_other_packets() -> None:
    first, second = (strikes_by_chance(placed(probability=0.1, equals=n)) for n in (0, 1))
    assert first != second


def test_boards_meet_the_same_day() -> None:
    fault = placed(probability=0.5)
    looks = [passing("S DATA 3 8", client=client) for client in (BOARD, OTHER)]
    first, second = (
        [fault.strikes(look._replace(block=n), 10.0) for n in range(100)] for look in looks
    )
    assert first == second


# Hits


def test_a_hit_has_its_time_its_client_and_its_words() -> None:
    fault = placed("drop", "DATA 3")
    assert struck(fault, "S DATA 3 8") == ["S DATA 3 8"]
    assert fault.kept == [Hit(0.5, BOARD, "dropped DATA 3")]


def test_kept_hits_are_the_first_ones_and_the_newest() -> None:
    fault = placed(times=None)
    for number in range(MOST_HITS + 50):
        fault.struck(BOARD, f"hit {number}", 10.0 + number)
    assert fault.hits == MOST_HITS + 50
    assert [hit.words for hit in fault.kept[-2:]] == [
        f"hit {MOST_HITS - 2}",
        f"hit {MOST_HITS + 49}",
    ]
    assert len(fault.kept) == MOST_HITS


# Bounds


def test_counts_are_bounded_and_the_oldest_are_forgotten_first() -> None:
    fault = Placed(Denial("f", times=1), 1, 0.0)
    assert all(fault.is_turn(f"client {n}") for n in range(MOST_COUNTS))
    assert not fault.is_turn("client 0")
    assert fault.is_turn("one more")
    assert not fault.is_turn("client 1")
    assert fault.is_turn("client 0")


def test_clients_are_bounded_and_the_oldest_are_forgotten_first() -> None:
    fault = placed(times=None)
    for n in range(MOST_CLIENTS + 2):
        fault.struck(f"client {n}", "", 10.0)
    fault.struck(f"client {MOST_CLIENTS}", "", 10.0)
    assert len(fault.clients) == MOST_CLIENTS
    assert "client 1" not in fault.clients
    assert fault.clients["client 2"] == 1
    assert fault.clients[f"client {MOST_CLIENTS}"] == 2
    assert fault.hits == MOST_CLIENTS + 3
