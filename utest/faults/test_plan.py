"""The plan: faults in their order, links, requests, files, and packets that pass by."""

from __future__ import annotations

from itertools import count

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.files import Damage, Damaging, Denial
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.placed import MOST_CLIENTS, Stage
from TftpLibrary.faults.plan import MOST_COPIES_AT_ONCE, MOST_FAULTS, Plan
from TftpLibrary.faults.rules import Rule, make_rule
from TftpLibrary.faults.rules import Way as Direction
from utest.support.passages import BOARD, OTHER, Way, lines, passing

SLOW = LinkQuality(delay=1.0)


def planned(*faults: Denial | Damage) -> Plan:
    plan = Plan()
    for fault in faults:
        plan.add(fault, 0.0)
    return plan


# Faults


def test_faults_are_numbered_in_their_order_and_found_by_their_ids() -> None:
    plan = Plan(count(5).__next__)
    assert plan.is_empty
    ids = [plan.add(make_rule("drop"), 0.0), plan.add(Denial("f"), 0.0)]
    assert ids == ["drop-5", "deny-6"]
    assert [placed.id for placed in plan.all()] == ids
    assert plan.find("deny-6").fault == Denial("f")
    assert not plan.is_empty


@pytest.mark.parametrize(
    ("fault", "has_chance"),
    [
        (Denial("f"), False),
        (make_rule("drop"), False),
        (make_rule("drop", every=2), False),
        (make_rule("drop", probability=0.5), True),
        (make_rule("corrupt"), True),
    ],
)
def test_chance_has_a_part_where_a_seed_decides_anything(
    fault: Denial | Rule, has_chance: bool
) -> None:
    plan = Plan()
    plan.add(fault, 0.0)
    assert plan.has_chance is has_chance
    plan.set_link(SLOW)
    assert plan.has_chance is has_chance
    plan.set_link(LinkQuality(jitter=0.1))
    assert plan.has_chance


def test_faults_of_files_are_told_from_those_of_packets() -> None:
    plan = planned()
    plan.add(make_rule("drop"), 0.0)
    assert not plan.is_about_files
    denial = plan.add(Denial("f"), 0.0)
    assert plan.is_about_files
    plan.remove(denial)
    assert not plan.is_about_files


def test_a_name_is_taken_once() -> None:
    plan = Plan()
    plan.add(make_rule("drop", name="mine"), 0.0)
    with pytest.raises(UsageError, match="^There is a fault 'mine' already. Choose another name="):
        plan.add(make_rule("delay", name="mine", delay=1.0), 0.0)


def test_a_fault_that_is_not_there_has_the_nearest_name_and_all() -> None:
    plan = Plan()
    with pytest.raises(UsageError, match="^There is no fault 'drop-1'. Faults: none.$"):
        plan.find("drop-1")
    plan.add(make_rule("drop"), 0.0)
    with pytest.raises(UsageError) as caught:
        plan.find("drop1")
    assert str(caught.value) == (
        "There is no fault 'drop1'. Did you mean 'drop-1'? Faults: drop-1."
    )


def test_faults_are_bounded() -> None:
    plan = Plan()
    for _ in range(MOST_FAULTS):
        plan.add(Denial("f"), 0.0)
    with pytest.raises(UsageError) as caught:
        plan.add(Denial("f"), 0.0)
    assert str(caught.value) == (
        "There are 1000 faults already. Clear some, or let one fault strike often with times=, "
        "every= or probability=."
    )


def test_one_fault_is_removed_or_everything() -> None:
    plan = planned(Denial("f"), Denial("g"))
    plan.set_link(SLOW)
    assert [placed.id for placed in plan.remove("deny-1")] == ["deny-1"]
    assert plan.concerns("any", BOARD)
    with pytest.raises(UsageError, match="There is no fault 'deny-1'."):
        plan.remove("deny-1")
    assert [placed.id for placed in plan.remove()] == ["deny-2"]
    assert plan.is_empty
    assert not plan.concerns("any", BOARD)


def test_each_change_has_another_version() -> None:
    plan = Plan()
    versions = [plan.version]
    for change in (
        lambda: plan.add(Denial("f"), 0.0),
        lambda: plan.set_link(SLOW),
        lambda: plan.remove("deny-1"),
        plan.remove,
    ):
        change()
        versions.append(plan.version)
    assert len(set(versions)) == 5


def test_faults_in_equal_words_differ_by_chance_also_with_other_names() -> None:
    plan = Plan()
    for name in ("", "mine"):
        plan.add(make_rule("drop", probability=0.5, name=name), 0.0)
    looks = [passing("S DATA 3 8")._replace(block=block) for block in range(100)]
    first, second = (
        [placed.strikes(look, 0.0) for look in looks] for placed in plan.rules_for("f", BOARD)
    )
    assert first != second


# Requests


def test_requests_are_numbered_by_file_and_client() -> None:
    plan = Plan()
    asked = [("f", BOARD), ("f", BOARD), ("g", BOARD), ("f", OTHER), ("f", BOARD)]
    assert [plan.begin(*each).request for each in asked] == [1, 2, 1, 1, 3]


def test_each_fault_sees_the_requests() -> None:
    plan = planned(Denial("f"), Denial("g"))
    plan.begin("f", BOARD)
    assert [placed.requests for placed in plan.all()] == [1, 0]


def test_numbers_of_requests_are_bounded() -> None:
    plan = Plan()
    for n in range(MOST_CLIENTS + 1):
        plan.begin("f", f"client {n}")
    for request in (2, 3, 4):
        assert plan.begin("f", f"client {MOST_CLIENTS}").request == request
    assert plan.begin("f", "client 1").request == 2
    assert plan.begin("f", "client 0").request == 1


def test_rules_are_for_their_file_and_client() -> None:
    plan = planned(Denial("f"))
    ids = [
        plan.add(make_rule("drop", file=file, client=client), 0.0)
        for file, client in [("f", ""), ("*", OTHER), ("g", ""), ("*", "")]
    ]
    assert [placed.id for placed in plan.rules_for("f", BOARD)] == [ids[0], ids[3]]
    assert plan.concerns("f", BOARD)


def test_a_fault_of_a_file_is_none_of_its_packets() -> None:
    assert not planned(Denial("f"), Damage("f", Damaging.truncate)).concerns("f", BOARD)


def test_files_are_refused_and_damaged_by_the_first_fault_whose_turn_it_is() -> None:
    plan = planned(
        Denial("g"),
        Denial("f", 1, times=1),
        Damage("f", Damaging.truncate, client=OTHER),
        Denial("f", 3),
        Damage("f", Damaging.flip_bit),
    )
    found = [plan.denial("f", BOARD, 1.0) for _ in range(2)]
    assert found == [("deny-2", Denial("f", 1, times=1)), ("deny-4", Denial("f", 3))]
    assert plan.damage("f", BOARD, 10, 1.0) == ("damage-5", Damage("f", Damaging.flip_bit))
    assert plan.denial("h", BOARD, 1.0) is None
    assert plan.damage("h", BOARD, 10, 1.0) is None
    assert plan.find("deny-2").kept[0].words == "refused 'f'"
    assert plan.find("damage-5").kept[0].words == "damaged 'f'"


def test_a_damage_that_changes_nothing_does_not_happen() -> None:
    plan = planned(
        Damage("f", Damaging.flip_bit, offset=10), Damage("f", Damaging.truncate, size=5)
    )
    found = plan.damage("f", BOARD, 10, 1.0)
    assert found is not None
    assert found[0] == "damage-2"
    assert plan.damage("f", BOARD, 5, 1.0) is None
    beyond = plan.find("damage-1")
    assert (beyond.hits, beyond.stages[Stage.content]) == (0, 2)
    found = plan.damage("f", BOARD, 11, 1.0)
    assert found is not None
    assert found[0] == "damage-1"


# Links


def test_a_link_takes_the_place_of_the_one_before_and_gives_it_back() -> None:
    plan = Plan()
    assert plan.set_link(SLOW) == LinkQuality()
    assert plan.set_link(LinkQuality(loss=0.5)) == SLOW
    assert plan.set_link(LinkQuality(delay=2.0, client=OTHER)) == LinkQuality(client=OTHER)
    assert plan.set_link(LinkQuality()) == LinkQuality(loss=0.5)
    assert plan.set_link(LinkQuality(client=OTHER)) == LinkQuality(delay=2.0, client=OTHER)
    assert plan.is_empty


def test_all_links_are_put_back_as_they_were() -> None:
    plan = Plan()
    assert not plan.links
    plan.set_link(SLOW)
    plan.set_link(LinkQuality(loss=0.5, client=OTHER))
    before, version = plan.links, plan.version
    plan.remove()
    plan.restore_links(before)
    assert before == (SLOW, LinkQuality(loss=0.5, client=OTHER))
    assert plan.links == before
    assert plan.version > version
    way = Way(plan=plan)
    assert way.carry("S DATA 1 8") == []
    assert way.due(1.0) == ["S DATA 1 8"]


def test_a_new_quality_holds_from_the_next_packet_on() -> None:
    way = Way(SLOW)
    assert way.carry("S DATA 1 8") == []
    way.plan.set_link(LinkQuality(loss=1.0))
    assert way.carry("S DATA 2 8", now=1.0) == ["S DATA 1 8"]
    way.plan.restore_links((LinkQuality(duplicate=1.0),))
    assert way.carry("S DATA 3 8", now=2.0) == ["S DATA 3 8", "S DATA 3 8"]


def test_the_newest_link_that_fits_a_client_counts() -> None:
    plan = Plan()
    plan.set_link(LinkQuality(loss=1.0))
    plan.set_link(LinkQuality(client=OTHER, delay=1.0))
    assert Way(plan=plan).carry("S DATA 1 8") == []
    way = Way(plan=plan, client=OTHER)
    assert way.carry("S DATA 1 8") == []
    assert way.due(1.0) == ["S DATA 1 8"]


def test_a_link_may_have_faults_in_one_way_only() -> None:
    way = Way(LinkQuality(loss=1.0, direction=Direction.received))
    assert way.carry("S DATA 1 8", "C ACK 1") == ["S DATA 1 8"]
    way = Way(LinkQuality(loss=1.0, direction=Direction.sent))
    assert way.carry("S DATA 1 8", "C ACK 1") == ["C ACK 1"]


def test_each_client_and_each_way_has_a_queue_of_its_own() -> None:
    plan = Plan()
    link = LinkQuality(rate=12.0, queue=1)
    first, second = Way(link, plan=plan), Way(plan=plan, client=OTHER)
    for way in (first, second):
        assert way.carry("S DATA 1 8", "S DATA 2 8", "C ACK 1") == []
        assert way.due(5.0) == ["C ACK 1", "S DATA 1 8"]


def test_links_of_clients_are_bounded() -> None:
    plan = Plan()
    plan.set_link(LinkQuality(rate=12.0, queue=1))
    first = passing("S DATA 1 8", client="client 0")
    assert plan.pass_by((), first, 0.0)[0]
    assert not plan.pass_by((), first, 0.0)[0]
    for n in range(1, MOST_CLIENTS + 1):
        plan.pass_by((), passing("S DATA 1 8", client=f"client {n}"), 0.0)
    assert plan.pass_by((), first, 0.0)[0]


# The order of rules


def test_each_rule_takes_what_the_one_before_has_made() -> None:
    way = Way(make_rule("wrong_block"), make_rule("runt", size=3))
    ((_, delivery),) = way.deliveries("S DATA 3 8")
    assert delivery.octets == b"\0\3\0"
    assert delivery.remark == "fault wrong_block-1: gave DATA 3 another number; fault runt-2: " + (
        "cut DATA 3"
    )


def test_each_copy_meets_the_rules_by_itself() -> None:
    assert Way(make_rule("duplicate"), make_rule("drop")).carry("S DATA 3 8") == ["S DATA 3 8"]
    twice = Way(make_rule("duplicate"), make_rule("wrong_block")).carry("S DATA 3 8")
    assert twice == ["S DATA 4 8", "S DATA 3 8"]
    assert (
        Way(make_rule("duplicate", copies=2), make_rule("drop", times=3)).carry("S DATA 3 8") == []
    )


def test_nothing_passes_behind_a_drop() -> None:
    way = Way(make_rule("drop"), make_rule("duplicate"))
    assert way.carry("S DATA 3 8", "S DATA 4 8") == ["S DATA 4 8", "S DATA 4 8"]
    assert way.strikes() == ["drop-1: dropped DATA 3", "duplicate-2: duplicated DATA 4"]


def test_a_strangers_packet_meets_neither_further_rules_nor_the_link() -> None:
    way = Way(make_rule("stray"), make_rule("drop", times=2), LinkQuality(delay=1.0))
    assert way.carry("S DATA 3 8") == ["X DATA 3 8"]
    assert way.due(9.0) == []


def test_the_link_lies_outside_the_server() -> None:
    """What is sent meets the rules first, what is received the link."""
    link = LinkQuality(loss=1.0)
    way = Way(make_rule("drop", "any", times=None), link)
    assert way.carry("S DATA 3 8", "C ACK 3") == []
    assert way.strikes() == ["drop-1: dropped DATA 3", "link: lost ACK 3"]


@pytest.mark.parametrize("side", ["S", "C"])
def test_a_plan_whose_rules_do_not_strike_changes_no_octet_and_no_delay(side: str) -> None:
    way = Way(
        make_rule("drop", "DATA 99"),
        make_rule("delay", "any", delay=1.0, probability=0.0),
        make_rule("corrupt", after=1000),
        make_rule("drop", file="g"),
        make_rule("stall", client=OTHER) if side == "S" else make_rule("stall", "DATA 99"),
        side=side,
    )
    texts = ["C RRQ f octet", "S OACK blksize=8", "C ACK 0", *lines("S", "DATA", 1, 50)]
    for text in texts:
        ((_, delivery),) = way.deliveries(text)
        assert not delivery.is_late
        assert not delivery.remark
    assert way.carry(*texts) == texts
    assert way.strikes() == []


# Bounds


@pytest.mark.parametrize("number", [3, MOST_FAULTS])
def test_faults_that_duplicate_each_other_make_a_bounded_number_of_copies(number: int) -> None:
    way = Way(*[make_rule("duplicate", copies=1000) for _ in range(min(number, 20))])
    for _ in range(number - 20):
        way.plan.add(make_rule("duplicate"), 0.0)
    assert len(way.carry("S DATA 1 8")) == MOST_COPIES_AT_ONCE
    assert "duplicate-2: lost copies, since there were too many" in way.strikes()
    assert way.carry("S DATA 2 8") == ["S DATA 2 8"]
