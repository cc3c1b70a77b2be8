from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.recording import difference
from TftpLibrary.recording.difference import Match, explain_difference
from TftpLibrary.recording.records import Transfer
from utest.support.records import completed, refused

SEEN = (
    completed("boot.scr", 600),
    refused("zimage"),
    completed("zImage"),
    completed("/dtb/board.dtb", 54_000),
)
REQUESTS = (
    "Requests seen: 1 RRQ 'boot.scr' from 192.168.1.50: completed, 600 octets; "
    "2 RRQ 'zimage' from 192.168.1.50: file not found; "
    "3 RRQ 'zImage' from 192.168.1.50: completed, 7.8 MB; "
    "4 RRQ '/dtb/board.dtb' from 192.168.1.50: completed, 54.0 kB."
)
NAMES = st.lists(st.sampled_from("abc"), max_size=6)


def requests(names: list[str]) -> tuple[Transfer, ...]:
    return tuple(completed(name) for name in names)


def lines(expected: list[str], match: Match, seen: tuple[Transfer, ...] = SEEN) -> list[str]:
    return explain_difference(seen, expected, match).splitlines()


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
def test_what_was_expected_makes_no_words(expected: list[str], match: Match) -> None:
    assert explain_difference(SEEN, expected, match) == ""


def test_both_lists_stand_side_by_side() -> None:
    assert lines(["boot.scr", "zImage", "initrd", "dtb/board.dtb"], Match.exact) == [
        "The requests are not exactly the expected ones in their order: 1 missing, 1 too many.",
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
        "The requests are not exactly the expected ones in their order: 1 wrong.",
        "  expected  seen",
        "  boot.scr  boot.scr",
        "! zImage    zimage",
    ]


def test_others_between_them_are_no_difference_in_order() -> None:
    assert lines(["zImage", "boot.scr"], Match.in_order)[:-1] == [
        "The requests are not the expected ones in their order, with or without others between "
        "them: 1 missing.",
        "  expected  seen",
        "! zImage    -",
        "  boot.scr  boot.scr",
        "  -         zimage",
        "  -         zImage",
        "  -         /dtb/board.dtb",
    ]


def test_of_a_subset_the_missing_ones_are_marked() -> None:
    assert lines(["initrd", "*.dtb"], Match.subset)[:-1] == [
        "The requests are not the expected ones, in any order and with or without others: "
        "1 missing.",
        "  expected  seen",
        "! initrd    -",
        "  *.dtb     /dtb/board.dtb",
        "  -         boot.scr",
        "  -         zimage",
        "  -         zImage",
    ]


def test_no_request_at_all_can_be_expected() -> None:
    assert explain_difference((), [], Match.exact) == ""
    assert lines([], Match.exact, SEEN[:1])[:3] == [
        "The requests are not exactly the expected ones in their order: 1 too many.",
        "  expected  seen",
        "! -         boot.scr",
    ]
    assert lines(["zImage"], Match.exact, ())[3:] == ["No request was seen since the mark."]


def test_a_record_that_was_full_is_told() -> None:
    text = explain_difference((), ["zImage"], is_complete=False)
    assert text.endswith("Older ones were dropped: the record was full.")


@given(NAMES, NAMES)
def test_exact_holds_exactly_for_equal_lists(expected: list[str], seen: list[str]) -> None:
    assert (explain_difference(requests(seen), expected) == "") is (expected == seen)


@given(NAMES, NAMES)
def test_in_order_holds_exactly_for_subsequences(expected: list[str], seen: list[str]) -> None:
    rest = iter(seen)
    is_there = all(name in rest for name in expected)
    assert (explain_difference(requests(seen), expected, Match.in_order) == "") is is_there


@given(NAMES, NAMES)
def test_subset_holds_exactly_for_subsets(expected: list[str], seen: list[str]) -> None:
    is_there = set(expected) <= set(seen)
    assert (explain_difference(requests(seen), expected, Match.subset) == "") is is_there


@given(NAMES, NAMES, st.sampled_from([Match.exact, Match.in_order]))
def test_long_lists_are_judged_alike(expected: list[str], seen: list[str], match: Match) -> None:
    """The quick way does not find the best alignment, but the same answer."""
    quick = [*difference._greedy(requests(seen), expected)]  # noqa: SLF001
    assert [name for name, _ in quick if name is not None] == expected
    assert [t.filename for _, t in quick if t is not None] == seen
    is_odd = any(difference._is_odd(row, match) for row in quick)  # noqa: SLF001
    assert is_odd is (explain_difference(requests(seen), expected, match) != "")


def test_long_lists_are_compared_in_no_time() -> None:
    names = [f"file-{number}" for number in range(1500)]
    seen = requests([*names[1:], "other"])
    text = explain_difference(seen, names)
    assert text.startswith(
        "The requests are not exactly the expected ones in their order: 1 missing, 1 too many."
    )


def test_of_a_long_difference_the_part_around_the_first_one_is_shown() -> None:
    names = [f"file-{number}" for number in range(200)]
    seen = requests([*names[:100], "other", *names[101:]])
    told = explain_difference(seen, names).splitlines()
    assert told[1:4] == ["  expected  seen", "  ... 95 before", "  file-95   file-95"]
    assert told[8] == "! file-100  other"
    assert told[-2] == "  ... 45 more"


def test_long_names_are_cut() -> None:
    told = explain_difference(requests(["a" * 500]), ["b" * 500]).splitlines()
    assert max(map(len, told[:3])) < 130
