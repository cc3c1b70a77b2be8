"""The way of one transfer's datagrams: at once, later, or never."""

from __future__ import annotations

import pytest

from TftpLibrary.faults.deliveries import Delivery
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.passage import (
    MOST_LATE,
    MOST_LATE_OCTETS,
    MOST_LATE_OCTETS_OF_ALL,
    MOST_STRIKES,
    Passage,
)
from TftpLibrary.faults.plan import Plan
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.faults.tracking import Track
from TftpLibrary.protocol.packets import Direction, Request
from utest.support.passages import BOARD, Way, lines

LATE = make_rule("delay", "DATA 1", delay=0.5)


# Late


def test_a_late_datagram_is_due_at_its_time() -> None:
    way = Way(LATE)
    assert way.passage.deadline is None
    assert way.carry("S DATA 1 8", "S DATA 2 8", now=10.0) == ["S DATA 2 8"]
    assert way.passage.deadline == 10.5
    assert way.due(10.49) == []
    assert way.due(10.5) == ["S DATA 1 8"]
    assert way.passage.deadline is None


def test_late_datagrams_come_in_the_order_of_their_times_then_of_their_coming() -> None:
    way = Way(
        LATE,
        make_rule("delay", "DATA 2", delay=0.3),
        make_rule("delay", "ACK", delay=0.5, direction="received"),
    )
    assert way.carry("S DATA 1 8", "S DATA 2 8", "C ACK 1") == []
    assert way.due(1.0) == ["S DATA 2 8", "S DATA 1 8", "C ACK 1"]


def test_copies_come_when_they_are_due() -> None:
    way = Way(make_rule("duplicate", "DATA 1", copies=2, delay=0.5))
    assert way.carry("S DATA 1 8") == ["S DATA 1 8"]
    assert way.due(0.5) == ["S DATA 1 8", "S DATA 1 8"]


def test_a_late_datagram_that_nobody_asked_for_in_time_is_not_overtaken_by_that() -> None:
    """Jitter keeps the order also on a machine that wakes up late."""
    way = Way(LATE, make_rule("delay", "ACK", delay=0.5))
    assert way.carry("S DATA 1 8", "C ACK 0") == []
    assert way.carry("S DATA 2 8", now=0.6) == ["S DATA 1 8", "S DATA 2 8"]
    assert way.due(0.6) == ["C ACK 0"]


def test_what_has_no_room_comes_back_later() -> None:
    way = Way()
    ((_, delivery),) = way.deliveries("S DATA 1 8")
    way.passage.postpone(delivery, 2.0)
    assert way.passage.deadline == 2.0
    assert way.due(2.0) == ["S DATA 1 8"]


def test_each_delivery_has_the_place_of_its_datagram() -> None:
    way = Way(make_rule("delay", "DATA 1", delay=0.5))
    octets = [b"\0\3\0\1" + bytes(8), b"\0\3\0\2" + bytes(8)]
    late, now = [
        way.passage.carry(each, 0.0, is_sent=True, place=place)
        for each, place in zip(octets, ("here", "there"), strict=True)
    ]
    assert not late
    assert [delivery.place for delivery in now] == ["there"]
    assert [delivery.place for _, delivery in way.passage.due(0.5)] == ["here"]


def test_nothing_is_late_any_more_when_this_end_stops() -> None:
    way = Way(LATE, make_rule("reorder", "DATA 2"))
    way.carry("S DATA 1 8", "S DATA 2 8")
    way.passage.forget_late()
    assert way.passage.deadline is None
    assert way.due(99.0) == []


def test_late_datagrams_are_bounded_by_their_number() -> None:
    way = Way(make_rule("duplicate", copies=1000, delay=1.0, times=None))
    way.carry(*lines("S", "DATA", 1, 3))
    assert len(way.due(1.0)) == MOST_LATE
    lost = [strike for strike in way.passage.take_strikes() if strike.fault == "link"]
    assert len(lost) == 3000 - MOST_LATE
    assert lost[0].words == "lost packets, since too many were late"
    assert lost[0].lost


def test_late_datagrams_are_bounded_by_their_octets() -> None:
    plan = Plan()
    plan.add(make_rule("duplicate", copies=1000, delay=1.0), 0.0)
    passage = Passage(plan, Track("f", BOARD))
    passage.carry(bytes(40_000), 0.0, is_sent=True)
    plan.remove()
    octets = b"\0\3\0\1" + bytes(65464)
    plan.add(make_rule("duplicate", copies=1000, delay=1.0), 0.0)
    passage.carry(octets, 0.0, is_sent=True)
    assert len(passage.due(1.0)) == MOST_LATE_OCTETS // len(octets)


def test_datagrams_that_have_arrived_make_room_for_others() -> None:
    """However much passes late in the course of a long transfer."""
    way = Way(
        make_rule("delay", "DATA", delay=0.5, times=None),
        make_rule("reorder", "ACK", number=1, times=None),
    )
    octets = b"\0\3\0\1" + bytes(65464)
    for second in range(MOST_LATE_OCTETS // len(octets) + 10):
        assert way.passage.carry(octets, float(second), is_sent=True) == []
        ((_, delivery),) = way.passage.due(second + 0.5)
        way.passage.postpone(delivery, second + 0.6)
        assert len(way.passage.due(second + 0.6)) == 1
        # An overtaken one leaves by another way.
        way.passage.carry(b"\0\4\0\1" + bytes(65000), float(second), is_sent=True)
        assert way.passage.due(second + 0.9)
    assert all(strike.fault != "link" for strike in way.passage.take_strikes())


def test_late_datagrams_of_all_transfers_are_bounded_by_their_octets() -> None:
    plan = Plan()
    plan.add(make_rule("delay", delay=1.0, times=None), 0.0)
    passages = [Passage(plan, Track("f", BOARD, number)) for number in range(6)]
    octets = b"\0\3\0\1" + bytes(65464)
    for passage in passages:
        for _ in range(MOST_LATE_OCTETS // len(octets)):
            passage.carry(octets, 0.0, is_sent=True)
    kept = sum(passage.late_count for passage in passages)
    assert kept == plan.late_octets // len(octets) == MOST_LATE_OCTETS_OF_ALL // len(octets)
    # Room for the others again: they arrived, or their transfer is over.
    assert passages[0].due(1.0)
    passages[1].forget_late()
    passages[5].take_strikes()
    passages[5].carry(octets, 2.0, is_sent=True)
    assert passages[5].take_strikes()[-1].words == "delayed DATA 1 by 1 s"
    for passage in passages:
        passage.due(10.0)
    assert plan.late_octets == 0


def test_faults_that_nobody_takes_are_bounded() -> None:
    way = Way(make_rule("delay", "ACK", delay=1.0, times=None))
    for _ in range(MOST_STRIKES):
        way.carry("C ACK 1", "C ACK 2")
    assert len(way.strikes()) == MOST_STRIKES


def test_a_passage_loses_what_is_late_where_too_many_have_something() -> None:
    way = Way(make_rule("delay", "RRQ", delay=1.0), make_rule("reorder", "ACK 3"))
    way.carry("C RRQ f octet", "C ACK 3")
    way.strikes()
    way.passage.lose_late()
    assert way.strikes() == ["link: lost packets, since too many were late"] * 2
    assert way.passage.deadline is None
    assert way.plan.late_octets == 0


# Overtaken


def test_the_next_packet_that_goes_the_same_way_overtakes() -> None:
    way = Way(make_rule("reorder", "DATA 1"))
    assert way.carry("S DATA 1 8", "C ACK 0") == ["C ACK 0"]
    assert way.carry("S DATA 2 8", "S DATA 3 8") == ["S DATA 2 8", "S DATA 1 8", "S DATA 3 8"]
    assert way.passage.deadline is None


def test_several_packets_may_overtake() -> None:
    way = Way(make_rule("reorder", "DATA 1", number=2))
    assert way.carry(*lines("S", "DATA", 1, 4)) == [
        "S DATA 2 8",
        "S DATA 3 8",
        "S DATA 1 8",
        "S DATA 4 8",
    ]


def test_a_packet_that_nothing_overtakes_comes_all_the_same() -> None:
    way = Way(make_rule("reorder", "DATA 1"))
    assert way.carry("S DATA 1 8") == []
    assert way.passage.deadline == 0.2
    assert way.due(0.2) == ["S DATA 1 8"]


def test_a_late_packet_overtakes_those_before_it_only() -> None:
    way = Way(make_rule("delay", "DATA 1, 3", delay=0.1), make_rule("reorder", "DATA 2", delay=0.5))
    assert way.carry(*lines("S", "DATA", 1, 3)) == []
    assert way.due(0.1) == ["S DATA 1 8", "S DATA 3 8", "S DATA 2 8"]


def test_packets_that_are_all_overtaken_come_in_pairs() -> None:
    way = Way(make_rule("reorder", every=2))
    assert way.carry(*lines("S", "DATA", 1, 5)) == [
        "S DATA 1 8",
        "S DATA 3 8",
        "S DATA 2 8",
        "S DATA 5 8",
        "S DATA 4 8",
    ]


# Stalled, and ended


def test_a_stall_lets_nothing_pass_either_way_until_it_is_over() -> None:
    way = Way(make_rule("stall", "DATA 2", duration=5.0))
    assert way.carry("S DATA 1 8", "S DATA 2 8", "C ACK 1", now=1.0) == ["S DATA 1 8"]
    assert way.carry("S DATA 2 8", now=5.9) == []
    assert way.carry("S DATA 2 8", "C ACK 2", now=6.0) == ["S DATA 2 8", "C ACK 2"]
    held_up = "stall-1: let nothing pass"
    assert way.strikes() == [f"{held_up} from DATA 2 onwards", held_up, held_up]


def test_a_stall_without_a_duration_ends_with_its_fault() -> None:
    """A test that clears it has a server as if there had been none."""
    way = Way(make_rule("stall", "DATA 2"), make_rule("drop", "DATA 99"))
    assert way.carry("S DATA 2 8", now=1.0) == []
    way.plan.remove("drop-2")
    assert way.carry("S DATA 2 8", now=1e6) == []
    way.plan.remove("stall-1")
    assert way.carry("S DATA 2 8", now=1e6) == ["S DATA 2 8"]


def test_the_fault_that_lets_nothing_pass_has_a_name() -> None:
    way = Way(make_rule("stall", "DATA 2", duration=5.0))
    assert way.passage.stalled_by(0.0) == ""
    way.carry("S DATA 2 8", now=1.0)
    assert [way.passage.stalled_by(now) for now in (1.0, 5.9, 6.0)] == ["stall-1", "stall-1", ""]
    way.plan.remove("stall-1")
    assert way.passage.stalled_by(1.0) == ""


@pytest.mark.parametrize(("kind", "left"), [("vanish", []), ("error", ["S ERROR 7 Oh"])])
def test_an_end_is_over_without_another_packet(kind: str, left: list[str]) -> None:
    more = {"code": 7, "message": "Oh"} if kind == "error" else {}
    way = Way(make_rule(kind, "DATA 2", **more))
    assert way.carry("S DATA 2 8") == left
    assert way.passage.is_ended
    assert way.passage.is_closed is (kind == "vanish")
    assert way.carry("S DATA 3 8", "C ACK 2") == []
    way.plan.remove()
    assert way.carry("S DATA 3 8") == []


@pytest.mark.parametrize("kind", ["stall", "vanish"])
def test_what_was_late_before_is_on_the_wire_and_arrives(kind: str) -> None:
    way = Way(LATE, make_rule(kind, "DATA 2"))
    assert way.carry("S DATA 1 8", "S DATA 2 8", "S DATA 3 8") == []
    assert way.due(1.0) == ["S DATA 1 8"]


# Rules come and go


def test_rules_that_are_injected_or_cleared_hold_from_the_next_packet_on() -> None:
    way = Way()
    assert way.carry("S DATA 1 8") == ["S DATA 1 8"]
    lost = way.plan.add(make_rule("drop", times=None), 0.0)
    assert way.carry("S DATA 2 8") == []
    way.plan.remove(lost)
    assert way.carry("S DATA 3 8") == ["S DATA 3 8"]


def test_what_is_late_arrives_also_when_its_fault_is_cleared() -> None:
    way = Way(LATE)
    assert way.carry("S DATA 1 8") == []
    way.plan.remove()
    assert way.due(0.5) == ["S DATA 1 8"]


def test_strikes_are_taken_once() -> None:
    way = Way(make_rule("drop", "DATA 1"))
    assert not way.passage.has_struck
    way.carry("S DATA 1 8")
    assert way.passage.has_struck
    assert [strike.words for strike in way.passage.strikes] == ["dropped DATA 1"]
    assert way.strikes() == ["drop-1: dropped DATA 1"]
    assert way.strikes() == []


def test_a_link_and_rules_work_together() -> None:
    way = Way(LinkQuality(delay=1.0), LATE)
    assert way.carry("S DATA 1 8", "S DATA 2 8") == []
    assert way.due(1.0) == ["S DATA 2 8"]
    assert way.due(1.5) == ["S DATA 1 8"]


def test_packets_are_counted_only_where_chance_asks_for_it() -> None:
    way = Way(make_rule("drop", "DATA 99"))
    way.carry("S DATA 1 8")
    assert not way.passage.track.is_counting
    for fault in (make_rule("drop", probability=0.5), make_rule("corrupt")):
        way.plan.remove()
        way.plan.add(fault, 0.0)
        way.carry("S DATA 1 8")
        assert way.passage.track.is_counting


# Options


@pytest.mark.parametrize(
    ("options", "known"),
    [("", ()), ("blksize", (("TSIZE", "0"),)), ("x", (("Blksize", "8"), ("TSIZE", "0")))],
)
def test_ignored_options_are_left_out_of_the_request(
    options: str, known: tuple[tuple[str, str], ...]
) -> None:
    way = Way(make_rule("ignore_options", options=options))
    request = Request(Direction.read, b"f", "octet", (("Blksize", "8"), ("TSIZE", "0")))
    assert way.passage.known_options(request) == request
    assert way.carry("C RRQ f octet Blksize=8 TSIZE=0") == ["C RRQ f octet Blksize=8 TSIZE=0"]
    assert way.passage.known_options(request) == request._replace(options=known)


def test_our_client_has_faults_of_what_it_sends_and_receives() -> None:
    way = Way(make_rule("drop", "RRQ"), make_rule("duplicate", "DATA"), side="C", client="")
    assert way.carry("C RRQ f octet", "S DATA 1 8") == ["S DATA 1 8", "S DATA 1 8"]


def test_a_delivery_at_once_is_the_datagram_itself() -> None:
    way = Way(make_rule("drop", "DATA 99"))
    ((_, delivery),) = way.deliveries("S DATA 1 8")
    assert delivery == Delivery(b"\0\3\0\1" + b"\1" * 8)


# Chance


def test_a_block_that_comes_again_is_changed_at_another_place() -> None:
    way = Way(make_rule("corrupt", times=None))
    assert len({each.octets for _, each in way.deliveries(*["S DATA 3 8"] * 20)}) > 10


def test_chance_that_a_test_asks_for_later_counts_from_then_on() -> None:
    way = Way(make_rule("drop", "DATA 999"))
    assert way.carry("S DATA 3 8") == ["S DATA 3 8"]
    way.plan.set_link(LinkQuality(loss=0.5, seed=4))
    later = Way(LinkQuality(loss=0.5, seed=4))
    again = ["S DATA 3 8"] * 30
    assert way.carry(*again) == later.carry(*again)
    assert 0 < len(later.carry(*again)) < 30
