from __future__ import annotations

import gc
import weakref

from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.engine.deadlines import Deadlines

NEVER = float("inf")


class Alarm:
    """Something with a deadline that a test moves."""

    def __init__(self, deadline: float | None) -> None:
        self.deadline = deadline
        self.armed = NEVER


def armed(*deadlines: float) -> tuple[Deadlines, list[Alarm]]:
    all_of_them, alarms = Deadlines(), [Alarm(deadline) for deadline in deadlines]
    for alarm in alarms:
        all_of_them.arm(alarm)
    return all_of_them, alarms


def test_without_a_deadline_there_is_nothing_to_wait_for() -> None:
    deadlines = Deadlines()
    deadlines.arm(Alarm(None))
    assert deadlines.next() is None
    assert deadlines.due(1e9) == []


def test_the_nearest_deadline_comes_next() -> None:
    deadlines, _ = armed(5.0, 3.0, 4.0)
    assert deadlines.next() == 3.0


def test_what_has_reached_its_deadline_is_due_once_and_in_order() -> None:
    deadlines, (late, soon, later) = armed(4.0, 3.0, 9.0)
    assert deadlines.due(2.9) == []
    assert deadlines.due(4.0) == [soon, late]
    assert deadlines.due(4.0) == []
    assert deadlines.next() == later.deadline


def test_a_deadline_that_moved_later_is_seen_later() -> None:
    deadlines, (alarm,) = armed(3.0)
    alarm.deadline = 7.0
    deadlines.arm(alarm)
    assert deadlines.due(3.0) == []
    assert deadlines.next() == 7.0
    assert deadlines.due(7.0) == [alarm]


def test_a_deadline_that_moved_nearer_is_seen_in_time() -> None:
    deadlines, (alarm,) = armed(7.0)
    alarm.deadline = 3.0
    deadlines.arm(alarm)
    assert deadlines.next() == 3.0
    assert deadlines.due(3.0) == [alarm]
    alarm.deadline = 20.0
    deadlines.arm(alarm)
    assert deadlines.due(7.0) == []
    assert deadlines.due(20.0) == [alarm]


def test_what_has_ended_is_not_due() -> None:
    deadlines, (alarm,) = armed(3.0)
    alarm.deadline = None
    assert deadlines.due(3.0) == []
    assert deadlines.next() is None


def test_what_is_due_can_be_armed_again_for_the_same_instant() -> None:
    deadlines, (alarm,) = armed(3.0)
    assert deadlines.due(3.0) == [alarm]
    deadlines.arm(alarm)
    assert deadlines.due(3.0) == [alarm]


def test_what_is_forgotten_is_not_due_and_can_be_armed_again() -> None:
    deadlines, (alarm, other) = armed(3.0, 4.0)
    deadlines.forget(alarm)
    deadlines.forget(alarm)
    assert deadlines.due(10.0) == [other]
    alarm.deadline = 11.0
    deadlines.arm(alarm)
    assert deadlines.due(11.0) == [alarm]


def test_what_is_forgotten_leaves_the_memory_at_once() -> None:
    """A client may name a timeout of 255 s, and end thousands of transfers meanwhile."""
    deadlines, (alarm,) = armed(255.0)
    reference = weakref.ref(alarm)
    deadlines.forget(alarm)
    del alarm
    gc.collect()
    assert reference() is None


def test_the_memory_is_bounded_by_what_is_alive() -> None:
    deadlines, _ = armed(1000.0)
    for number in range(10_000):
        alarm = Alarm(255.0 + number / 1000)
        deadlines.arm(alarm)
        deadlines.forget(alarm)
    # Each entry that is left over wakes the engine once for nothing.
    left = 0
    while (instant := deadlines.next()) is not None and instant < 1000.0:
        deadlines.due(instant)
        left += 1
    assert left < 100
    assert deadlines.next() == 1000.0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), max_size=40))
def test_every_deadline_is_seen_whatever_moves(moves: list[tuple[int, int]]) -> None:
    deadlines, alarms = armed(*[NEVER] * 4)
    now = 0.0
    for index, deadline in moves:
        alarm = alarms[index]
        alarm.deadline = float(deadline)
        deadlines.arm(alarm)
        nearest = min((each.deadline for each in alarms if each.deadline is not None), default=None)
        instant = deadlines.next()
        if nearest is not None and nearest < NEVER:
            assert instant is not None
            assert instant <= nearest
        now += 1
        due = deadlines.due(now)
        assert due == [each for each in due if each.deadline is not None and each.deadline <= now]
        assert not [
            each
            for each in alarms
            if each not in due and each.deadline is not None and each.deadline <= now
        ]
        for each in alarms:
            if each in due:
                each.deadline = None
