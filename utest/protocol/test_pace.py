"""How fast a window goes out after a time-out."""

from __future__ import annotations

import pytest

from TftpLibrary.protocol.pace import (
    BLOCK_TIME,
    CLEAN_WINDOWS,
    LONGEST_PAUSE,
    LONGEST_TRIAL,
    MOST_BURSTS,
    SHORTEST_PAUSE,
    Pace,
)

COST = 0.2
"""Seconds of each time-out."""


class Course:
    """A pace, and the time and place where a transfer with it is."""

    def __init__(self, windowsize: int = 64) -> None:
        self.pace = Pace(windowsize)
        self.now = 100.0
        self.acked = 0
        self.windowsize = windowsize

    @property
    def burst(self) -> int:
        return self.pace.burst

    def time_out(self, times: int = 1) -> bool:
        """Returns whether the last one made it slower."""
        for _ in range(times):
            self.now += COST
            is_slower = self.pace.time_out(self.acked, COST, self.now)
        return is_slower

    def arrive(self, windows: int = 1, seconds: float = 0.0) -> None:
        """Windows arrive whole; a sender without a pace does not say so."""
        for _ in range(windows):
            self.now += seconds / windows
            self.acked += self.windowsize
            if self.burst:
                self.pace.arrive(self.acked, self.now)


def test_as_long_as_nothing_is_lost_there_is_no_pace() -> None:
    assert (Pace(64).burst, Pace(64).pause) == (0, 0.0)


def test_each_time_out_halves_the_burst_down_to_a_single_block() -> None:
    course = Course()
    bursts = []
    for _ in range(8):
        is_slower = course.time_out()
        bursts.append((course.burst, is_slower))
    halved = [(burst, True) for burst in (32, 16, 8, 4, 2, 1)]
    assert bursts == [*halved, (1, False), (1, False)]


@pytest.mark.parametrize("windowsize", [2, 3, 5])
def test_small_windows_have_a_burst_too(windowsize: int) -> None:
    course = Course(windowsize)
    course.time_out()
    assert course.burst == windowsize // 2
    course.time_out(3)
    assert course.burst == 1


def test_a_large_window_leaves_in_a_second_all_the_same() -> None:
    course = Course(65535)
    course.time_out(20)
    assert course.burst == 65535 // MOST_BURSTS
    assert course.pace.pause == LONGEST_PAUSE
    assert 65535 / course.burst * course.pace.pause < 1


def test_the_pause_is_the_time_for_a_burst_within_its_bounds() -> None:
    course = Course()
    pauses = []
    for _ in range(9):
        course.time_out()
        pauses.append(course.pace.pause)
    assert pauses == pytest.approx(
        [LONGEST_PAUSE, 16 * BLOCK_TIME, *[SHORTEST_PAUSE] * 4, *[LONGEST_PAUSE] * 3]
    )


def test_where_windows_arrived_whole_the_wire_is_to_blame() -> None:
    course = Course()
    course.arrive(CLEAN_WINDOWS)
    assert not course.time_out()
    assert course.burst == 0
    course.arrive(CLEAN_WINDOWS - 1)
    assert course.time_out()
    assert course.burst == 32


def test_a_gap_that_the_peer_reports_changes_nothing() -> None:
    course = Course()
    for _ in range(20):
        course.pace.report_gap(course.acked)
    assert course.burst == 0


def test_what_arrived_between_gaps_counts_in_whole_windows() -> None:
    """A board that keeps the head of each window has had none of them, for all its gaps."""
    course = Course()
    for _ in range(20 * CLEAN_WINDOWS):
        course.acked += 9
        course.pace.report_gap(course.acked)
    assert course.time_out()
    course = Course()
    for _ in range(CLEAN_WINDOWS):
        course.acked += 64 + 9
        course.pace.report_gap(course.acked)
    assert not course.time_out()


def test_after_as_much_time_as_a_time_out_has_cost_the_burst_doubles() -> None:
    course = Course()
    course.time_out(2)
    course.arrive(seconds=0.9 * COST)
    assert course.burst == 16
    course.arrive(seconds=0.11 * COST)
    assert course.burst == 32
    course.arrive(seconds=0.9 * COST)
    assert course.burst == 32
    course.arrive(seconds=0.11 * COST)
    assert (course.burst, course.pace.pause) == (0, 0.0)


def test_the_longest_wait_of_a_row_of_time_outs_counts() -> None:
    """With a timeout of five seconds the first costs that, and the others a moment."""
    course = Course()
    course.pace.time_out(0, 5.0, course.now)
    course.time_out()
    course.arrive(seconds=4.9)
    assert course.burst == 16
    course.arrive(seconds=0.2)
    assert course.burst == 32


def test_the_pause_becomes_shorter_before_the_burst_becomes_larger() -> None:
    course = Course(4)
    course.time_out(4)
    assert (course.burst, course.pace.pause) == (1, LONGEST_PAUSE)
    course.arrive(seconds=COST)
    assert (course.burst, course.pace.pause) == (1, SHORTEST_PAUSE)
    course.arrive(seconds=COST)
    assert course.burst == 2


def test_what_failed_is_tried_again_after_twice_the_time_but_not_ever_later() -> None:
    course = Course()
    course.time_out(3)
    waits = []
    for _ in range(6):
        begun = course.now
        while course.burst == 8:
            course.arrive(seconds=0.01)
        waits.append(course.now - begun)
        course.time_out()
        assert course.burst == 8
    assert waits == pytest.approx(
        [COST, 2 * COST, 4 * COST, 8 * COST, 8 * COST, 8 * COST], abs=0.02
    )
    assert LONGEST_TRIAL == 8


def test_a_larger_burst_that_went_well_leaves_no_grudge() -> None:
    course = Course()
    course.time_out()
    for _ in range(3):
        course.arrive(seconds=9 * COST)
        course.time_out()
    course.arrive(seconds=9 * COST)
    assert course.burst == 0
    course.arrive(CLEAN_WINDOWS)
    assert not course.time_out()
    course.time_out()
    course.arrive(seconds=1.1 * COST)
    assert course.burst == 0


def test_bursts_that_went_well_for_as_long_as_a_time_out_are_not_to_blame_either() -> None:
    course = Course()
    course.time_out(2)
    course.arrive(seconds=COST)
    course.time_out()
    # The larger burst failed: it is tried again after twice the time.
    assert course.burst == 16
    course.arrive(CLEAN_WINDOWS, seconds=1.1 * COST)
    assert not course.time_out()
    assert course.burst == 16
    course.arrive(CLEAN_WINDOWS, seconds=0.9 * COST)
    assert course.time_out()
    assert course.burst == 8
