"""The last line of each failure: which requests were seen."""

from __future__ import annotations

from TftpLibrary.messages.requests import describe_requests
from TftpLibrary.messages.words import PYTHON
from utest.support.records import completed, partial, refused
from utest.support.views import seen


def test_no_request_is_said_so() -> None:
    assert describe_requests(seen()) == "No request was seen."


def test_a_reader_who_set_a_mark_is_reminded_of_it() -> None:
    words = PYTHON._replace(since=" since the mark")
    assert describe_requests(seen(), words=words) == "No request was seen since the mark."


def test_requests_are_listed_oldest_first() -> None:
    text = describe_requests(seen(refused(), completed("uImage"), partial()))
    assert text == (
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: file not found; "
        "2 RRQ 'uImage' from 192.168.1.50: completed, 7.8 MB; "
        "3 RRQ 'zImage' from 192.168.1.50: running, 41 % (3.2 of 7.8 MB)."
    )


def test_long_list_has_near_names_first_with_their_numbers() -> None:
    others = [refused(f"pxelinux.cfg/{number}") for number in range(10)]
    view = seen(*others, refused("/boot/zimage"), refused())
    assert describe_requests(view, near="zImage").startswith(
        "Requests seen: 11 RRQ '/boot/zimage' from 192.168.1.50: file not found; "
        "12 RRQ 'zImage' from 192.168.1.50: file not found; "
        "1 RRQ 'pxelinux.cfg/0' from 192.168.1.50: file not found; 2 RRQ "
    )


def test_list_that_is_not_cut_stays_in_its_order() -> None:
    view = seen(*(refused(f"pxelinux.cfg/{number}") for number in range(9)), refused("zimage"))
    assert describe_requests(view, near="zImage").startswith(
        "Requests seen: 1 RRQ 'pxelinux.cfg/0'"
    )


def test_long_list_is_cut() -> None:
    text = describe_requests(seen(*(refused(str(number)) for number in range(12))))
    assert text.endswith("10 RRQ '9' from 192.168.1.50: file not found; and 2 more.")


def test_dropped_records_are_mentioned() -> None:
    assert describe_requests(seen(is_complete=False)) == (
        "No request was seen. Older ones were dropped: the record was full."
    )


def test_long_name_is_cut_in_the_list() -> None:
    text = describe_requests(seen(refused("a" * 500)))
    assert len(text) < 200
    assert "aaa...aaa" in text
