from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.messages.differences import Lists, Match, Requests
from TftpLibrary.recording.records import Transfer
from utest.support.records import BOARD, completed, refused
from utest.support.views import numbered, seen

SEEN = (
    completed("boot.scr", 600),
    refused("zimage"),
    completed("zImage"),
    completed("/dtb/board.dtb", 54_000),
)
REQUESTS = (
    "Requests seen: 1 read request for 'boot.scr' from 192.168.1.50: completed, 600 bytes; "
    "2 read request for 'zimage' from 192.168.1.50: file not found; "
    "3 read request for 'zImage' from 192.168.1.50: completed, 7.8 MB; "
    "4 read request for '/dtb/board.dtb' from 192.168.1.50: completed, 54.0 kB."
)
NAMES = st.lists(st.sampled_from("abc"), max_size=6)


def requests(names: list[str]) -> tuple[Transfer, ...]:
    return tuple(completed(name) for name in names)


def lines(expected: list[str], match: Match, transfers: tuple[Transfer, ...] = SEEN) -> list[str]:
    return Requests(expected, match=match).explain(numbered(*transfers)).splitlines()


def is_as_expected(transfers: tuple[Transfer, ...], expected: list[str], match: Match) -> bool:
    return Requests(expected, match=match).find(seen(*transfers)) is not None


@pytest.mark.parametrize(
    ("expected", "match"),
    [
        (["boot.scr", "zimage", "zImage", "dtb/board.dtb"], Match.exact),
        (["boot.scr", "zimage", "*Image", "dtb\\*"], Match.exact),
        (["boot.scr", "zImage"], Match.in_order),
        (["*.dtb"], Match.in_order),
        (["zImage", "boot.scr"], Match.subset),
        (["zImage", "zImage"], Match.subset),
        ([], Match.in_order),
        ([], Match.subset),
    ],
)
def test_what_was_expected_is_found(expected: list[str], match: Match) -> None:
    assert Requests(expected, match=match).find(seen(*SEEN)) == SEEN


def test_only_the_requests_of_the_client_count() -> None:
    view = numbered(completed("a"), completed("b", client="192.168.1.51"))
    assert Requests(["a"], BOARD).find(view) == view.transfers[:1]
    assert Requests(["a"], BOARD).subject == "the expected requests"
    told = Requests(["b"], BOARD).explain(view).splitlines()
    assert told[0] == "The requests differ from the expected ones: 1 wrong."
    assert told[-1] == "Requests seen: 1 read request for 'a' from 192.168.1.50: completed, 7.8 MB."


def test_a_wait_is_told_with_its_time() -> None:
    text = Requests(["a"]).explain(seen(), 2.0)
    assert text.startswith("The requests differ from the expected ones after 2 s: 1 missing.\n")


def test_both_lists_stand_side_by_side() -> None:
    assert lines(["boot.scr", "zImage", "initrd", "dtb/board.dtb"], Match.exact) == [
        "The requests differ from the expected ones: 1 missing, 1 too many.",
        "  expected       seen",
        "  boot.scr       boot.scr",
        "! -              zimage",
        "  zImage         zImage",
        "! initrd         -",
        "  dtb/board.dtb  /dtb/board.dtb",
        REQUESTS,
    ]


def test_another_name_stands_beside_the_expected_one() -> None:
    assert lines(["boot.scr", "zImage"], Match.exact, SEEN[:2])[:4] == [
        "The requests differ from the expected ones: 1 wrong.",
        "  expected  seen",
        "  boot.scr  boot.scr",
        "! zImage    zimage",
    ]


def test_others_between_them_are_no_difference_in_order() -> None:
    assert lines(["zImage", "boot.scr"], Match.in_order)[:-1] == [
        "The expected requests were not all seen in their order: 1 missing.",
        "  expected  seen",
        "! zImage    -",
        "  boot.scr  boot.scr",
        "  -         zimage",
        "  -         zImage",
        "  -         /dtb/board.dtb",
    ]


def test_of_a_subset_the_missing_ones_are_marked() -> None:
    assert lines(["initrd", "*.dtb"], Match.subset)[:-1] == [
        "The expected requests were not all seen: 1 missing.",
        "  expected  seen",
        "! initrd    -",
        "  *.dtb     /dtb/board.dtb",
        "  -         boot.scr",
        "  -         zimage",
        "  -         zImage",
    ]


def test_no_request_at_all_can_be_expected() -> None:
    assert is_as_expected((), [], Match.exact)
    assert lines([], Match.exact, SEEN[:1])[:3] == [
        "The requests differ from the expected ones: 1 too many.",
        "  expected  seen",
        "! -         boot.scr",
    ]
    assert lines(["zImage"], Match.exact, ())[3:] == ["No request was seen."]


def test_a_record_that_was_full_is_told() -> None:
    text = Requests(["zImage"]).explain(seen(is_complete=False))
    assert text.endswith("Older ones were dropped: the record was full.")


@given(NAMES, NAMES)
def test_exact_holds_exactly_for_equal_lists(expected: list[str], asked: list[str]) -> None:
    assert is_as_expected(requests(asked), expected, Match.exact) is (expected == asked)


@given(NAMES, NAMES)
def test_in_order_holds_exactly_for_subsequences(expected: list[str], asked: list[str]) -> None:
    rest = iter(asked)
    is_there = all(name in rest for name in expected)
    assert is_as_expected(requests(asked), expected, Match.in_order) is is_there


@given(NAMES, NAMES)
def test_subset_holds_exactly_for_subsets(expected: list[str], asked: list[str]) -> None:
    is_there = set(expected) <= set(asked)
    assert is_as_expected(requests(asked), expected, Match.subset) is is_there


@given(NAMES, NAMES, st.sampled_from([Match.exact, Match.in_order]))
def test_long_lists_are_judged_alike(expected: list[str], asked: list[str], match: Match) -> None:
    """The quick way does not find the best alignment, but the same answer."""
    quick = [*Lists(expected, requests(asked)).in_turn()]
    assert [row.name for row in quick if row.name is not None] == expected
    assert [row.transfer.filename for row in quick if row.transfer is not None] == asked
    is_odd = any(not row.fits for row in quick if row.name or match is Match.exact)
    assert is_odd is not is_as_expected(requests(asked), expected, match)


@given(NAMES, NAMES, st.sampled_from(["aligned", "beside", "in_turn"]))
def test_every_name_has_a_row_and_fits_what_stands_beside_it_or_not(
    expected: list[str], asked: list[str], way: str
) -> None:
    rows = [*getattr(Lists(expected, requests(asked)), way)()]
    assert sorted(row.name for row in rows if row.name) == sorted(expected)
    for row in rows:
        assert row.fits is (row.transfer is not None and row.name == row.transfer.filename)


def test_long_lists_are_compared_in_no_time() -> None:
    names = [f"file-{number}" for number in range(1500)]
    text = Requests(names).explain(seen(*requests([*names[1:], "other"])))
    assert text.startswith("The requests differ from the expected ones: 1 missing, 1 too many.")


def test_of_a_long_difference_the_part_around_the_first_one_is_shown() -> None:
    names = [f"file-{number}" for number in range(200)]
    told = lines(names, Match.exact, requests([*names[:100], "other", *names[101:]]))
    assert told[1:4] == ["  expected  seen", "  ... 95 before", "  file-95   file-95"]
    assert told[8] == "! file-100  other"
    assert told[-2] == "  ... 45 more"


def test_long_names_are_cut() -> None:
    told = lines(["b" * 500], Match.exact, requests(["a" * 500]))
    assert max(map(len, told[:3])) < 130
