"""Names that are near to another."""

from __future__ import annotations

from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.messages import likeness
from TftpLibrary.messages.likeness import nearest_names


def test_nearest_name_is_the_same_in_another_case_then_in_another_folder() -> None:
    names = ["uImage", "boot/zImage", "zimage", "ramdisk.gz"]
    assert nearest_names("zImage", names) == ("zimage", "boot/zImage", "uImage")
    assert nearest_names("zImage", names, limit=1) == ("zimage",)


def test_names_that_are_unlike_are_not_near() -> None:
    assert nearest_names("zImage", ["pxelinux.0", "x", "vmlinuz.efi"]) == ()


def test_glob_is_near_to_what_it_nearly_matches() -> None:
    assert nearest_names("*.dtb", ["am335x.dts", "x.DTB", ".dtb"]) == (".dtb", "x.DTB")


@pytest.mark.parametrize("stem", ["board", "board-0123456789/" * 30])
def test_however_many_names_there_are_few_are_compared_letter_by_letter(
    monkeypatch: pytest.MonkeyPatch, stem: str
) -> None:
    """That takes a hundred times as long as counting letters."""
    compared: list[str] = []

    def ratio(matcher: SequenceMatcher[str]) -> float:
        compared.append(matcher.a)  # type: ignore[attr-defined] # The type has only the methods.
        return 0.9

    monkeypatch.setattr(SequenceMatcher, "ratio", ratio)
    near = nearest_names(f"{stem}.dtb", [f"{stem}-{number:06}.dts" for number in range(20_000)])
    assert len(near) == 3
    assert 3 <= len(compared) <= 20
    assert max(map(len, compared)) <= 120


def test_the_same_name_is_found_among_thousands() -> None:
    names = ["ZIMAGE", *(f"board-{number:06}.dtb" for number in range(5000))]
    assert nearest_names("zImage", names) == ("ZIMAGE",)


@given(st.text("abc/", max_size=8), st.lists(st.text("abcABC/", max_size=8), max_size=8))
def test_every_near_name_is_one_of_the_names_and_comes_once(name: str, names: list[str]) -> None:
    near = nearest_names(name, names, limit=10)
    assert set(near) <= set(names)
    assert len(set(near)) == len(near)
    assert set(near) >= {other for other in names if other.lower() == name and name[:1] != "/"}


def test_the_bound_by_counting_letters_excludes_no_near_name() -> None:
    assert likeness.LIKENESS == 0.6
    # Two letters of three in each: 2 * 2 / 6 = 0.67.
    assert nearest_names("abc", ["abx", "axx"]) == ("abx",)
    # Exactly as near as it takes, and not quite.
    assert nearest_names("abcde", ["abcxy", "abcxyz"]) == ("abcxy",)
