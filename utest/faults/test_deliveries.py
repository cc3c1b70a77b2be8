"""One copy of a datagram, and the note of what was done to it."""

from __future__ import annotations

import pytest

from TftpLibrary.faults.deliveries import Delivery, Strike, Then


@pytest.mark.parametrize(
    ("delivery", "is_late"),
    [
        (Delivery(b"x"), False),
        (Delivery(b"x", is_foreign=True), False),
        (Delivery(b"x", delay=0.001), True),
        (Delivery(b"x", overtaken_by=1), True),
    ],
)
def test_a_copy_is_late_that_does_not_go_at_once(delivery: Delivery, is_late: bool) -> None:
    assert delivery.is_late is is_late


def test_remarks_are_listed_in_their_order() -> None:
    copy = Delivery(b"x", 0.5).noted("fault delay-1: late")
    assert copy == Delivery(b"x", 0.5, "fault delay-1: late")
    assert copy.noted("link: second copy").remark == "fault delay-1: late; link: second copy"


def test_a_capture_and_a_record_say_what_a_fault_did() -> None:
    strike = Strike("drop-1", "dropped DATA 3", is_sent=True)
    assert (strike.remark, strike.summary) == ("fault drop-1: dropped DATA 3", "dropped DATA 3")
    assert (strike.cause, Strike("link", "", is_sent=True).cause) == ("fault drop-1", "link")


def test_what_a_link_did_has_no_fault_and_is_counted_in_a_record() -> None:
    strike = Strike("link", "lost DATA 3", is_sent=True, counted="lost packets")
    assert (strike.remark, strike.summary) == ("link: lost DATA 3", "lost packets")


def test_a_strike_changes_nothing_else_unless_it_says_so() -> None:
    strike = Strike("drop-1", "dropped DATA 3", is_sent=True)
    assert strike.then is Then.go_on
    assert not strike.lost
    assert not strike.ignored
