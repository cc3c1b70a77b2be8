from __future__ import annotations

import pytest

from TftpLibrary.protocol.recovery import Recovery


@pytest.fixture
def recovery() -> Recovery:
    """Of a sender that has sent blocks 1 to 8 and went back."""
    recovery = Recovery()
    recovery.go_back(8)
    return recovery


@pytest.mark.parametrize(
    ("first", "last", "again"), [(1, 8, 8), (5, 8, 4), (7, 10, 2), (9, 12, 0), (12, 15, 0)]
)
def test_blocks_that_left_before_are_counted(
    recovery: Recovery, first: int, last: int, again: int
) -> None:
    assert recovery.count_again(first, last) == again


def test_going_back_a_little_forgets_nothing(recovery: Recovery) -> None:
    recovery.go_back(4)
    assert recovery.sent_twice == 8


def test_no_block_behind_the_end_of_the_file_has_left(recovery: Recovery) -> None:
    recovery.end_at(9)
    assert recovery.sent_twice == 8
    recovery.end_at(5)
    assert recovery.sent_twice == 5


def test_a_repeated_ack_is_believed_once() -> None:
    recovery = Recovery()
    assert recovery.believes_repeat(0)
    recovery.repeat_believed = 0
    assert not recovery.believes_repeat(0)
    assert recovery.believes_repeat(4)


def test_acks_of_a_window_that_left_twice_are_due_twice(recovery: Recovery) -> None:
    """RFC 1123, section 4.2.3.1: the second of them is no report of a gap."""
    recovery.repeat_window(6)
    assert not recovery.believes_repeat(8)
    assert recovery.believes_repeat(9)
