"""What every plan of faults promises, over the simulated link and for any rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.rules import Rule
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.protocol.roles import Timing
from utest.support.rules import HARMLESS, links, rules
from utest.support.transfers import PATIENT, Carried, Job, carry, jobs

TIRELESS = Timing(retries=10_000)
"""More retries than any faults of these tests use up, also before the first answer, where each wait
is twice the one before."""
SIDES = pytest.mark.parametrize("side", ["S", "C"])


def day(carried: Carried) -> list[object]:
    """Returns all that can be seen of a transfer from outside."""
    link = carried.link
    return [link.transcript, link.now, carried.client.end, carried.server.end, link.strikes]


@SIDES
@given(data=st.data(), job=jobs(Timing(retries=2)), link=st.just(LinkQuality()) | links())
def test_both_ends_end_in_bounded_time_whatever_the_faults_are(
    side: str, data: st.DataObject, job: Job, link: LinkQuality
) -> None:
    faults = data.draw(st.lists(rules(side=side), min_size=1, max_size=6))
    carried = carry(job, *faults, link, side=side)
    assert carried.client.end is not None
    assert carried.server.transfer is None or carried.server.end is not None
    assert carried.link.now <= job.patience * (job.blocks + 8)


@SIDES
@given(data=st.data(), job=jobs(TIRELESS))
def test_faults_that_a_network_has_of_its_own_are_made_good(
    side: str, data: st.DataObject, job: Job
) -> None:
    """RFC 1350, section 2, also for named packets; whoever waits for the last ACK cannot know."""
    faults = data.draw(st.lists(rules(HARMLESS, side), min_size=1, max_size=4))
    carried = carry(job, *faults, side=side)
    assert carried.is_delivered
    assert carried.is_completed or carried.late_faults > 1


IDLE: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"file": "other.img"}, {"after": 10**6}, {"times": None, "every": 10**6}, {"probability": 0.0}]
)


@SIDES
@given(data=st.data(), job=jobs(Timing()))
def test_rules_that_never_strike_change_no_octet_and_no_delay(
    side: str, data: st.DataObject, job: Job
) -> None:
    def idle(rule: Rule) -> Rule:
        rule = replace(rule, every=1, probability=None)
        return replace(rule, **data.draw(IDLE))

    faults = [idle(rule) for rule in data.draw(st.lists(rules(side=side), min_size=1, max_size=6))]
    assert day(carry(job, *faults, side=side)) == day(carry(job))


@SIDES
@given(data=st.data(), job=jobs(Timing(retries=2)), link=links())
def test_the_same_seed_gives_the_same_day_again(
    side: str, data: st.DataObject, job: Job, link: LinkQuality
) -> None:
    faults = data.draw(st.lists(rules(side=side), min_size=1, max_size=6))
    first, again = (carry(job, *faults, link, side=side) for _ in range(2))
    assert day(first) == day(again)


@pytest.mark.parametrize("direction", Direction)
def test_in_lock_step_the_speed_of_the_network_changes_no_fault(direction: Direction) -> None:
    """Another latency, and another order of the rules' ids: the same packets are struck."""
    job = Job(direction, 8 * 300, timing=PATIENT)
    lost, late = LinkQuality(loss=0.05, seed=7), LinkQuality(loss=0.05, seed=7, delay=0.02)
    days = [
        [strike.words for strike in carry(job, link, latency=latency).link.strikes]
        for link, latency in ((lost, 0.001), (lost, 0.0001), (late, 0.001))
    ]
    assert days[0] == days[1] == days[2]
    assert len(days[0]) > 10
