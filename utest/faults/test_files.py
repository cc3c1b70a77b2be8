"""Faults of files: damage and denial, as numbers."""

from __future__ import annotations

from typing import Any

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.files import (
    MOST_APPENDED,
    Damage,
    Damaging,
    Denial,
    ToldSize,
    parse_damaging,
)


def damage(how: str, **more: Any) -> Damage:
    return Damage("f", Damaging[how], **more)


def test_names_are_shown_as_they_are_written() -> None:
    assert [str(how) for how in Damaging] == ["flip_bit", "truncate", "append", "replace"]
    assert [str(size) for size in ToldSize] == ["damaged", "original"]


def test_a_damage_is_found_by_its_name() -> None:
    assert [parse_damaging(str(how)) for how in Damaging] == list(Damaging)
    with pytest.raises(UsageError) as caught:
        parse_damaging("flipbit")
    assert str(caught.value) == (
        "There is no damage 'flipbit'. Did you mean 'flip_bit'? Choose one of: flip_bit, truncate, "
        "append, replace."
    )


@pytest.mark.parametrize(
    ("size", "offset", "flipped"),
    [
        (10, None, 5),
        (1, None, 0),
        (10, 0, 0),
        (10, 9, 9),
        (10, 10, None),
        (0, None, None),
        (0, 0, None),
    ],
)
def test_one_bit_flips_where_the_file_has_an_octet(
    size: int, offset: int | None, flipped: int | None
) -> None:
    assert damage("flip_bit", offset=offset).flipped_at(size) == flipped


@pytest.mark.parametrize(
    ("size", "given", "kept"), [(10, None, 5), (11, None, 5), (10, 3, 3), (10, 0, 0), (10, 99, 10)]
)
def test_a_truncated_file_has_its_beginning_only(size: int, given: int | None, kept: int) -> None:
    cut = damage("truncate", size=given)
    assert cut.kept(size) == kept
    assert cut.flipped_at(size) is None
    assert cut.added == 0


@pytest.mark.parametrize(
    ("how", "more", "size", "changes"),
    [
        ("flip_bit", {}, 1, True),
        ("flip_bit", {}, 0, False),
        ("flip_bit", {"offset": 10}, 10, False),
        ("truncate", {"size": 10}, 10, False),
        ("truncate", {"size": 9}, 10, True),
        ("truncate", {}, 0, False),
        ("append", {}, 0, True),
        ("append", {"size": 0}, 10, False),
        ("replace", {"content": "other"}, 0, True),
    ],
)
def test_a_damage_knows_whether_it_changes_a_file(
    how: str, more: dict[str, Any], size: int, changes: bool
) -> None:
    assert damage(how, **more).changes(size) is changes


@pytest.mark.parametrize("how", ["flip_bit", "append", "replace"])
def test_other_damage_keeps_all_of_the_file(how: str) -> None:
    content = "other" if how == "replace" else ""
    assert damage(how, content=content).kept(10) == 10


@pytest.mark.parametrize(
    ("more", "octets"),
    [({}, b"\0"), ({"size": 3}, b"\0\0\0"), ({"size": 0}, b""), ({"content": "é!"}, b"\xc3\xa9!")],
)
def test_octets_are_added_behind_the_end(more: dict[str, Any], octets: bytes) -> None:
    added = damage("append", **more)
    assert added.added == len(octets)
    assert added.added_octets(0, 99) == octets
    assert added.added_octets(1, 1) == octets[1:2]
    assert added.added_octets(99, 5) == b""


@pytest.mark.parametrize(
    ("how", "more", "error"),
    [
        ("flip_bit", {"size": 3}, "flip_bit takes no size=; it takes offset=."),
        ("truncate", {"offset": 3}, "truncate takes no offset=; it takes size=."),
        ("truncate", {"content": "x"}, "truncate takes no content=; it takes size=."),
        ("append", {"offset": 0}, "append takes no offset=; it takes size= and content=."),
        ("flip_bit", {"offset": -1}, "offset= must be 0 bytes or more, got -1."),
        ("truncate", {"size": -5}, "size= must be 0 bytes or more, got -5."),
        (
            "append",
            {"size": MOST_APPENDED + 1},
            "size= must be at most 1073741824 bytes to append, got 1073741825.",
        ),
        ("replace", {}, "replace needs content=, the name of the file that is sent instead."),
        (
            "append",
            {"size": 1, "content": "x"},
            "append takes size= or content=, not both.",
        ),
        ("flip_bit", {"times": 0}, "times= must be 1 or more, or unlimited, got 0."),
        ("flip_bit", {"after": -1}, "after= must be 0 or more, got -1."),
        ("flip_bit", {"client": "board"}, "client='board' is neither an address nor a network."),
    ],
)
def test_damage_that_cannot_be_is_refused_with_the_reason(
    how: str, more: dict[str, Any], error: str
) -> None:
    with pytest.raises(UsageError) as caught:
        damage(how, **more)
    assert str(caught.value).startswith(error)


def test_counts_at_their_bounds_are_taken() -> None:
    assert damage("flip_bit", times=1, offset=0).times == 1
    assert damage("truncate", size=0, after=0).size == 0


def test_the_most_that_can_be_appended_is_taken() -> None:
    assert damage("append", size=MOST_APPENDED).added == MOST_APPENDED


@pytest.mark.parametrize("code", [-1, 65536])
def test_a_code_that_no_packet_can_have_is_refused(code: int) -> None:
    with pytest.raises(UsageError, match=f"^code= must be from 0 to 65535, got {code}.$"):
        Denial("f", code)


def test_every_other_code_is_taken() -> None:
    assert (Denial("f", 0).code, Denial("f", 65535).code, Denial("f").code) == (0, 65535, 2)


def test_a_fault_of_no_file_is_refused() -> None:
    for make in (lambda: Denial(""), lambda: Damage("", Damaging.truncate)):
        with pytest.raises(UsageError, match="^The name of a file is expected, or . for every"):
            make()
