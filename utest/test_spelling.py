"""The nearest name to a misspelled one."""

from __future__ import annotations

import pytest

from TftpLibrary.spelling import nearest, unknown

NAMES = ("drop", "duplicate", "delay", "port", "root")


@pytest.mark.parametrize(
    ("word", "name"),
    [("dropp", "drop"), ("delayy", "delay"), ("prot", "port"), ("rot", "root")],
)
def test_a_misspelled_word_has_the_name_most_like_it(word: str, name: str) -> None:
    assert nearest(word, NAMES) == name


def test_letters_in_the_wrong_order_count_more_than_likeness() -> None:
    assert nearest("prot", ("root", "port")) == "port"


def test_a_word_like_no_name_has_none() -> None:
    assert nearest("loss", NAMES) == nearest("drop", ()) == ""


def test_the_likeness_that_is_asked_for_decides() -> None:
    assert nearest("duplex", NAMES, 0.9) == ""
    assert nearest("duplex", NAMES, 0.5) == "duplicate"


def test_a_name_that_there_is_not_is_told_with_the_nearest_one_and_all() -> None:
    assert unknown("fault", "dropp", ("drop", "delay")) == (
        "There is no fault 'dropp'. Did you mean 'drop'? Faults: drop, delay."
    )
    assert unknown("day", "DROP", ("drop",), "Choose") == (
        "There is no day 'DROP'. Did you mean 'drop'? Choose: drop."
    )
    assert unknown("fault", "x", ()) == "There is no fault 'x'. Faults: none."
