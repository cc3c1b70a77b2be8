"""Names and globs, clients and networks, names that are near to another."""

from __future__ import annotations

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.matching import client_test, fitting_names, is_glob, name_test, plain_name


@pytest.mark.parametrize(
    ("filename", "pattern"),
    [
        ("zImage", "zImage"),
        ("/zImage", "zImage"),
        ("zImage", "/zImage"),
        (r"\Boot\BCD", "Boot/BCD"),
        ("Boot/BCD", r"\Boot\BCD"),
        ("pxelinux.cfg/default", "*/default"),
        ("a/b/c.img", "*.img"),
        ("zImage-1", "zImage-[0-9]"),
        ("odd[1].img", "odd[1].img"),
        ("anything", ""),
    ],
)
def test_name_matches_exactly_or_as_a_glob(filename: str, pattern: str) -> None:
    assert name_test(pattern)(filename)
    assert fitting_names([pattern], [filename]) == {pattern: {filename}}


@pytest.mark.parametrize(
    ("filename", "pattern"),
    [("zimage", "zImage"), ("boot/zImage", "zImage"), ("zImage", "zImage?"), ("zImage2", "zImage")],
)
def test_name_in_another_case_or_folder_does_not_match(filename: str, pattern: str) -> None:
    assert not name_test(pattern)(filename)
    assert fitting_names([pattern], [filename]) == {pattern: set()}


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.168.1.50", ""),
        ("192.168.1.50", "192.168.1.50"),
        ("192.168.1.50", "192.168.1.0/24"),
    ],
)
def test_client_matches_an_address_or_a_network(address: str, client: str) -> None:
    assert client_test(client)(address)


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.168.1.51", "192.168.1.50"),
        ("10.0.0.1", "192.168.1.0/24"),
    ],
)
def test_client_outside_does_not_match(address: str, client: str) -> None:
    assert not client_test(client)(address)


def test_a_client_that_is_no_address_is_refused() -> None:
    with pytest.raises(UsageError, match="neither an address nor a network"):
        client_test("10.0.0.0/33")


def test_client_test_answers_the_same_the_second_time() -> None:
    is_board = client_test("10.0.0.0/8")
    assert [is_board(address) for address in ("10.1.1.1", "11.1.1.1") * 2] == [True, False] * 2


def test_plain_name_has_no_leading_slash_and_no_backslash() -> None:
    assert plain_name(r"\\Boot\BCD") == "Boot/BCD"


def test_only_a_glob_may_match_another_name() -> None:
    assert [is_glob(pattern) for pattern in ("a", "", "*", "a?", "[ab]")] == [False] + [True] * 4


def test_a_name_that_is_written_in_two_ways_fits_in_both() -> None:
    names = ["/boot/a", r"boot\a", "boot/b"]
    assert fitting_names(["boot/a", "*b", "c"], names) == {
        "boot/a": {"/boot/a", r"boot\a"},
        "*b": {"boot/b"},
        "c": set(),
    }


def test_only_a_glob_is_tried_on_every_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of names times thousands of requests would take minutes."""
    tried: list[str] = []
    monkeypatch.setattr("TftpLibrary.matching.fnmatchcase", lambda name, _: tried.append(name))
    fitting_names([*map(str, range(1000)), "*"], map(str, range(50)))
    assert len(tried) == 50
