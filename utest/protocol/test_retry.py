"""When to send again, and when to give up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.protocol.retry import SHORTEST_WAIT, RetryTimer


def waits(timer: RetryTimer, now: float = 100.0) -> list[float]:
    """The waits between one start and giving up, when nothing answers."""
    timer.start(now)
    found = [timer.deadline - now]
    while not timer.is_exhausted:
        now = timer.deadline
        timer.retry(now)
        found.append(timer.deadline - now)
    return found


def measured(timer: RetryTimer, *round_trips: float) -> RetryTimer:
    """The timer after exchanges that took so long."""
    now = 0.0
    for seconds in round_trips:
        timer.start(now)
        now += seconds
        timer.measure(now)
    return timer


def test_fixed_timer_waits_the_same_each_time() -> None:
    """RFC 2349: a negotiated timeout is the interval between one try and the next."""
    timer = measured(RetryTimer(2.0, 3, is_adaptive=False), 0.001, 0.001)
    assert waits(timer) == pytest.approx([2.0, 2.0, 2.0, 2.0])
    assert timer.tries == 3


def test_tries_are_told_in_words() -> None:
    timer = RetryTimer(1.0, 3)
    timer.start(0.0)
    assert timer.tries_text == "1 try"
    timer.retry(1.0)
    assert timer.tries_text == "2 tries"


def test_timer_without_retries_waits_once() -> None:
    assert waits(RetryTimer(1.5, 0)) == pytest.approx([1.5])


def test_adaptive_timer_waits_the_timeout_until_it_has_measured() -> None:
    assert waits(RetryTimer(1.0, 2)) == pytest.approx([1.0, 1.0, 1.0])


def test_adaptive_timer_backs_off_up_to_the_timeout() -> None:
    """RFC 1123, section 4.2.3.2: an adaptive timeout with exponential back-off."""
    timer = measured(RetryTimer(1.0, 2), 0.1)
    assert waits(timer) == pytest.approx([0.3, 0.6, 1.0, 1.0, 0.1])


def test_wait_follows_the_round_trip() -> None:
    """RFC 6298, section 2: the smoothed round trip and four times its deviation."""
    timer = measured(RetryTimer(9.0, 2), 0.4)
    assert timer.round_trip == pytest.approx(0.4)
    assert timer.wait == pytest.approx(0.4 + 4 * 0.2)
    measured(timer, 0.8)
    assert timer.round_trip == pytest.approx(0.45)
    assert timer.wait == pytest.approx(0.45 + 4 * (0.2 + (0.4 - 0.2) / 4))


def test_steady_round_trip_brings_the_wait_down_to_the_floor() -> None:
    timer = measured(RetryTimer(1.0, 5), *[0.01] * 50)
    assert timer.wait == SHORTEST_WAIT


def test_round_trip_longer_than_the_timeout_does_not_lengthen_the_wait() -> None:
    assert measured(RetryTimer(1.0, 5), 0.9, 0.9).wait == 1.0


def test_nothing_is_measured_after_a_retry() -> None:
    """RFC 6298, section 3 (Karn): nobody knows which try was answered; the back-off stays."""
    timer = measured(RetryTimer(1.0, 5), *[0.01] * 50)
    timer.start(10.0)
    timer.retry(10.2)
    timer.measure(10.9)
    assert timer.round_trip == pytest.approx(0.01)
    assert timer.wait == pytest.approx(2 * SHORTEST_WAIT)
    measured(timer, 0.01)
    assert timer.wait == SHORTEST_WAIT


def test_fixed_timer_knows_the_round_trip_too() -> None:
    """The sender tells with it a copied ACK from a reported gap."""
    timer = measured(RetryTimer(5.0, 5, is_adaptive=False), 0.1)
    assert timer.round_trip == pytest.approx(0.1)
    assert timer.wait == 5.0


def test_round_trip_is_zero_before_it_was_measured() -> None:
    assert RetryTimer(1.0, 5).round_trip == 0.0


def test_data_path_measures_now_and_then() -> None:
    """The round trip of every window would cost more than it tells."""
    timer = RetryTimer(1.0, 5)
    timer.start(0.0)
    timer.renew(0.1)
    assert timer.round_trip == pytest.approx(0.1)
    timer.renew(0.101)
    assert timer.round_trip == pytest.approx(0.1)
    timer.renew(0.2)
    assert timer.round_trip == pytest.approx(0.1 - 0.001 / 8)
    assert (timer.sent_at, timer.latest) == (0.2, 6.2)
    assert timer.deadline == 0.2 + timer.wait


def test_data_path_measures_the_first_window_after_a_retry() -> None:
    timer = measured(RetryTimer(1.0, 5), *[0.01] * 50)
    timer.retry(0.6)
    assert timer.wait == pytest.approx(2 * SHORTEST_WAIT)
    timer.renew(0.605)
    assert timer.wait == pytest.approx(2 * SHORTEST_WAIT)
    assert timer.tries == 0
    timer.renew(0.61)
    assert timer.wait == SHORTEST_WAIT


def test_timer_knows_when_something_was_sent_last() -> None:
    timer = RetryTimer(1.0, 5)
    timer.start(3.0)
    assert timer.sent_at == 3.0
    timer.retry(4.0)
    assert timer.sent_at == 4.0
    assert timer.latest == 9.0


def test_patience_may_be_longer_than_the_retries_take() -> None:
    timer = RetryTimer(1.0, 1, is_adaptive=False, patience=4.5)
    assert waits(timer) == pytest.approx([1.0, 1.0, 1.0, 1.0, 0.5])


def test_patience_is_never_shorter_than_the_retries_take() -> None:
    assert len(waits(RetryTimer(1.0, 3, patience=0.5))) == 4


def test_late_retry_gets_no_deadline_in_the_past() -> None:
    timer = RetryTimer(1.0, 2)
    timer.start(0.0)
    timer.retry(50.0)
    assert timer.deadline == 50.0
    assert timer.is_exhausted


def test_start_begins_anew() -> None:
    timer = RetryTimer(1.0, 1)
    waits(timer)
    timer.start(500.0)
    assert (timer.tries, timer.deadline, timer.latest) == (0, 501.0, 502.0)
    assert not timer.is_exhausted


@given(
    timeout=st.floats(0.01, 255.0),
    retries=st.integers(0, 20),
    is_adaptive=st.booleans(),
    round_trips=st.lists(st.floats(0.0, 10.0), max_size=10),
)
def test_tries_and_time_are_bounded(
    timeout: float, retries: int, is_adaptive: bool, round_trips: list[float]
) -> None:
    timer = measured(RetryTimer(timeout, retries, is_adaptive=is_adaptive), *round_trips)
    found = waits(timer)
    assert sum(found) == pytest.approx(timeout * (retries + 1))
    assert max(found) <= timeout + 1e-6
    # The back-off doubles from the floor to the timeout; then it is as for a fixed timer.
    assert len(found) <= retries + 2 + 11


def test_the_wait_begins_anew_with_the_last_part_of_what_is_in_flight() -> None:
    timer = RetryTimer(1.0, 1)
    timer.start(100.0, at_most=0.25)
    timer.extend(100.5)
    assert (timer.sent_at, timer.deadline, timer.answered_at) == (100.5, 100.75, 100.0)


def test_the_wait_does_not_double_where_less_leaves_at_once() -> None:
    timer = measured(RetryTimer(5.0, 3), *[0.001] * 50)
    timer.start(100.0)
    timer.retry(101.0, is_slower=True)
    assert (timer.tries, timer.wait) == (1, SHORTEST_WAIT)
    timer.retry(102.0)
    assert timer.wait == 2 * SHORTEST_WAIT


def test_time_in_which_this_end_stood_still_does_not_count() -> None:
    timer = RetryTimer(1.0, 1)
    timer.start(0.0)
    timer.shift(10.0)
    assert (timer.deadline, timer.latest, timer.answered_at) == (11.0, 12.0, 10.0)


def test_before_the_first_answer_the_waits_double_within_the_same_patience() -> None:
    """RFC 1123, section 4.2.3.2."""
    timer = RetryTimer(1.0, 5)
    timer.start(0.0)
    moments = [timer.deadline]
    while not timer.is_exhausted:
        timer.retry_first(timer.deadline)
        moments.append(timer.deadline)
    assert moments == [1.0, 3.0, 6.0]
    assert timer.wait == 1.0


def test_a_fixed_wait_stays_what_it_is_before_the_first_answer_too() -> None:
    timer = RetryTimer(1.0, 2, is_adaptive=False)
    timer.start(0.0)
    timer.retry_first(1.0)
    assert timer.deadline == 2.0
    timer.retry(2.0, at_least=5.0)
    assert timer.deadline == 3.0


def test_one_wait_may_be_longer_and_end_a_little_after_the_patience() -> None:
    timer = RetryTimer(1.0, 5)
    timer.start(0.0)
    timer.retry(1.0, at_least=5.4)
    assert timer.deadline == pytest.approx(6.4)
    assert timer.is_exhausted


def test_a_short_patience_has_no_room_for_a_long_wait() -> None:
    timer = RetryTimer(1.0, 2)
    timer.start(0.0)
    timer.retry(1.0, at_least=5.4)
    assert timer.deadline == 2.0


def test_the_wait_for_a_window_follows_what_the_last_one_took() -> None:
    timer = RetryTimer(1.0, 5, window_time=0.7)
    timer.start(0.0)
    timer.renew(0.01)
    assert timer.wait == 0.7
    timer.renew(0.91)
    assert timer.wait == pytest.approx(1.125)
    timer.renew(0.92)
    timer.retry(2.0)
    timer.renew(5.0)
    assert timer.wait == 3.0


def test_a_peer_that_answers_late_for_the_first_time_is_not_slow() -> None:
    timer = RetryTimer(1.0, 5, window_time=0.1)
    timer.start(0.0)
    timer.retry_first(1.0)
    timer.renew(2.5)
    assert timer.wait == 1.0


def test_before_the_first_answer_no_wait_is_longer_than_four_timeouts() -> None:
    """Else a patient server would miss a board that loses some packets first."""
    timer = RetryTimer(1.0, 15)
    timer.start(0.0)
    moments = [timer.deadline]
    while not timer.is_exhausted:
        timer.retry_first(timer.deadline)
        moments.append(timer.deadline)
    assert moments == [1.0, 3.0, 7.0, 11.0, 15.0, 16.0]
