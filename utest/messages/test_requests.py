"""The last line of each failure: which requests were seen."""

from __future__ import annotations

import re

from TftpLibrary.messages.requests import describe_requests
from TftpLibrary.messages.words import PYTHON
from TftpLibrary.protocol.outcome import Outcome
from utest.support.records import DROPPED, STALLED, completed, partial, refused, struck
from utest.support.views import numbered, seen


def test_no_request_is_said_so() -> None:
    assert describe_requests(seen()) == "No request was seen."


def test_a_reader_who_set_a_mark_is_reminded_of_it() -> None:
    words = PYTHON._replace(since=" since the mark")
    assert describe_requests(seen(), words=words) == "No request was seen since the mark."


def test_requests_are_listed_oldest_first() -> None:
    text = describe_requests(numbered(refused(), completed("uImage"), partial()))
    assert text == (
        "Requests seen: 1 read request for 'zImage' from 192.168.1.50: file not found; "
        "2 read request for 'uImage' from 192.168.1.50: completed, 7.8 MB; "
        "3 read request for 'zImage' from 192.168.1.50: running, 41 % (3.2 of 7.8 MB)."
    )


def test_of_a_long_list_the_last_ones_and_the_near_ones_are_named_in_their_order() -> None:
    others = [refused(f"pxelinux.cfg/{number}") for number in range(1990)]
    view = numbered(refused(), *others[:1000], refused("/boot/zimage"), *others[1000:])
    text = describe_requests(view, near="zImage")
    assert text.startswith(
        "Requests seen, 10 of 1,992: "
        "1 read request for 'zImage' from 192.168.1.50: file not found; "
        "1002 read request for '/boot/zimage' from 192.168.1.50: file not found; "
        "1985 read request for 'pxelinux.cfg/1982' from 192.168.1.50: file not found; "
    )
    assert text.endswith(
        "1992 read request for 'pxelinux.cfg/1989' from 192.168.1.50: file not found."
    )


def test_of_many_near_ones_the_latest_are_named_and_leave_room_for_others() -> None:
    view = numbered(*(refused() for _ in range(100)), *(refused("x") for _ in range(100)))
    numbers = re.findall(r"(\d+) read", describe_requests(view, near="zImage"))
    assert list(map(int, numbers)) == [96, 97, 98, 99, 100, 196, 197, 198, 199, 200]


def test_a_list_without_other_names_is_as_long() -> None:
    view = numbered(*(refused() for _ in range(20)))
    numbers = re.findall(r"(\d+) read", describe_requests(view, near="zImage"))
    assert list(map(int, numbers)) == [16, 17, 18, 19, 20]


def test_list_that_is_not_cut_stays_in_its_order() -> None:
    view = numbered(*(refused(f"pxelinux.cfg/{number}") for number in range(9)), refused("zimage"))
    assert describe_requests(view, near="zImage").startswith(
        "Requests seen: 1 read request for 'pxelinux.cfg/0'"
    )


def test_of_a_long_list_without_a_name_the_last_ones_are_named() -> None:
    text = describe_requests(numbered(*(refused(str(number)) for number in range(12))))
    assert text.startswith("Requests seen, 10 of 12: 3 read request for '2' from 192.168.1.50: ")
    assert text.endswith("12 read request for '11' from 192.168.1.50: file not found.")


def test_the_number_of_a_request_is_that_of_its_record() -> None:
    assert describe_requests(seen(refused(id=4711))).startswith("Requests seen: 4711 read request")


def test_a_request_of_our_own_client_is_told_from_one_of_a_board() -> None:
    view = seen(completed(id=1, server="10.0.0.1:69", is_ours=True))
    assert describe_requests(view) == (
        "Requests seen: 1 read request for 'zImage' from our client to 10.0.0.1:69: completed, "
        "7.8 MB."
    )


def test_where_the_server_is_bound_is_said() -> None:
    words = PYTHON._replace(since=" since the mark")
    assert describe_requests(seen(at="10.0.0.1:69"), words=words) == (
        "No request was seen at 10.0.0.1:69 since the mark."
    )
    text = describe_requests(numbered(refused(), at="[fe80::1]:69"))
    assert text.startswith("Requests seen at [fe80::1]:69: 1 read request for ")


def test_dropped_records_are_mentioned() -> None:
    assert describe_requests(seen(is_complete=False)) == (
        "No request was seen. Older ones were dropped: the record was full."
    )


def test_long_name_is_cut_in_the_list() -> None:
    text = describe_requests(seen(refused("a" * 500)))
    assert len(text) < 200
    assert "aaa...aaa" in text


def test_a_request_is_listed_with_the_faults_that_struck_it() -> None:
    view = numbered(partial(outcome=Outcome.timed_out, **struck(DROPPED, STALLED)), completed())
    assert describe_requests(view) == (
        "Requests seen: 1 read request for 'zImage' from 192.168.1.50: timed out at 41 % (3.2 of "
        "7.8 MB), 3 faults on purpose: drop-1, stall-2; 2 read request for 'zImage' from "
        "192.168.1.50: completed, 7.8 MB."
    )
