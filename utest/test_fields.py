"""Rows of the table of settings: checks, documentation, and what both surfaces parse."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.fields import (
    Kind,
    Setting,
    Settings,
    limit_of,
    option_names,
    parse_ports,
    setting,
    table,
    words,
)
from TftpLibrary.protocol.options import KNOWN
from TftpLibrary.sizes import parse_size


@table
class Lamp(Settings):
    """How a lamp shines."""

    timeout: float = setting(1.0, Kind.seconds, "Longest wait.")
    level: int = setting(5, Kind.number, "How bright it is.", low=0, high=9)
    name: str = setting("", Kind.address, "Name of the lamp.")


class Torch(Lamp):
    """A lamp by another name."""


def row(kind: Kind, **columns: Any) -> Setting:
    return Setting("x", kind, columns.pop("default", 0), "Does it.", **columns)


@pytest.mark.parametrize(
    ("found", "value", "text"),
    [
        (row(Kind.number, low=0, high=5), 6, "x must be from 0 to 5, got 6."),
        (row(Kind.number, low=0, high=5), -1, "x must be from 0 to 5, got -1."),
        (
            row(Kind.number, low=0, high=5, reason="RFC 0"),
            6,
            "x must be from 0 to 5, got 6 (RFC 0).",
        ),
        (row(Kind.number, low=1), "1", "x must be a whole number, got '1'."),
        (row(Kind.number), None, "x must be a whole number, got None."),
        (row(Kind.limit, low=1), 0, "x must be 1 or more, got 0."),
        (row(Kind.size_limit, low=0), -1, "x must be 0 or more, got -1."),
        (row(Kind.seconds, low=0), -0.5, "x must be 0 seconds or more, got -0.5."),
        (row(Kind.seconds, low=0, is_above=True), 0, "x must be above 0 seconds, got 0."),
        (
            row(Kind.seconds, low=0, is_above=True, high=9),
            9.5,
            "x must be above 0 and at most 9 seconds, got 9.5.",
        ),
        (row(Kind.seconds, low=0), float("nan"), "x must be 0 seconds or more, got nan."),
        (row(Kind.choice, choices=(0, 1)), 2, "x must be 0 or 1, got 2."),
        (row(Kind.flag), 1, "x must be True or False, got 1."),
        (row(Kind.address), 1, "x must be an address or a name, without a port, got 1."),
        (
            row(Kind.ports),
            (0, 5),
            "x must be two ports from 1 to 65535, the lower one first, got 0-5.",
        ),
        (
            row(Kind.ports),
            (5,),
            "x must be two ports from 1 to 65535, the lower one first, got (5,).",
        ),
        (row(Kind.options), "tsize", "x must be several names of options, got 'tsize'."),
        (
            row(Kind.options),
            ["tsize", "blocksize"],
            "x: 'blocksize' is no option that a server knows. Expected names out of blksize, "
            "blksize2, windowsize, timeout, utimeout, rollover, tsize.",
        ),
        (
            row(Kind.networks),
            ["board"],
            "x='board' is neither an address, a network nor a MAC address. Expected for example "
            "192.168.1.50, 192.168.1.0/24, fe80::/10 or 52:54:00:ab:cd:07.",
        ),
    ],
)
def test_a_value_that_cannot_be_is_refused(found: Setting, value: Any, text: str) -> None:
    with pytest.raises(UsageError) as error:
        found.check(value)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("found", "values"),
    [
        (row(Kind.number, low=0, high=5), (0, 5)),
        (row(Kind.number), (-1,)),
        (row(Kind.limit, low=1), (None, 1)),
        (row(Kind.size_limit, low=0), (None, 0)),
        (row(Kind.seconds, low=0), (0, 0.5)),
        (row(Kind.choice, choices=(0, 1)), (0, 1)),
        (row(Kind.ports), (None, (1, 1), (1, 65535))),
        (row(Kind.options), (frozenset(), ["tsize"], ["BlkSize", *KNOWN])),
        (row(Kind.networks), ((), ("::1", "10.0.0.0/8"))),
    ],
)
def test_a_value_that_can_be_passes(found: Setting, values: tuple[Any, ...]) -> None:
    for value in values:
        found.check(value)


def test_an_attribute_is_documented_with_its_unit_and_what_no_value_means() -> None:
    assert row(Kind.number).python_doc == "Does it."
    assert row(Kind.seconds, default_words="short").python_doc == (
        "Does it. In seconds. Default: short."
    )
    limit = row(Kind.limit, default=None, default_words="as many as `y`")
    assert limit.python_doc == "Does it. None: as many as `y`."
    networks = row(Kind.networks, default=(), default_words="everyone")
    assert networks.python_doc == "Does it. Empty: everyone."


# The comments for mypy show that it knows each value of a table: an unused comment is an error.


def test_a_class_of_settings_has_a_value_for_each_row() -> None:
    lamp = Lamp(level=9)
    assert (lamp.timeout, lamp.level, lamp.name) == (1.0, 9, "")
    assert [row.name for row in Lamp.rows] == ["timeout", "level", "name"]
    assert Lamp.level == 5
    assert Lamp.__doc__ == (
        "How a lamp shines.\n\nAttributes:\n    timeout: Longest wait. In seconds.\n"
        "    level: How bright it is.\n    name: Name of the lamp."
    )


def test_a_value_needs_its_right_name() -> None:
    with pytest.raises(UsageError) as error:
        Lamp(height=9)  # type: ignore[call-arg]
    assert str(error.value) == "There is no setting height. Settings: level, name, timeout."
    with pytest.raises(TypeError):
        Lamp(9)  # type: ignore[call-arg]


def test_a_value_is_checked_where_it_is_given() -> None:
    with pytest.raises(UsageError, match=r"level must be from 0 to 9, got 10\."):
        Lamp(level=10)
    with pytest.raises(UsageError, match=r"level must be a whole number, got '9'\."):
        Lamp(level="9")  # type: ignore[arg-type]


def test_settings_cannot_change() -> None:
    lamp = Lamp()
    with pytest.raises(
        AttributeError, match=r"frozen\. Expected a copy: changed\({'level': 9}\)\."
    ):
        lamp.level = 9  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen: level cannot be deleted"):
        del lamp.level
    assert lamp == Lamp()


def test_settings_are_equal_by_their_values() -> None:
    assert Lamp(level=9) == Lamp().changed({"level": 9})
    assert hash(Lamp(level=9)) == hash(Lamp().changed({"level": 9}))
    assert Lamp(level=9) != Lamp()
    assert Torch(level=9) == Torch(level=9) != Lamp(level=9)


def test_settings_are_written_as_the_call_that_makes_them() -> None:
    lamp = Lamp(name="red")
    assert repr(lamp) == "Lamp(timeout=1.0, level=5, name='red')"


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))]
)
def test_settings_can_be_copied_and_sent_to_another_process(again: Any) -> None:
    lamp = Lamp(level=9)
    assert again(lamp) == lamp


def test_words_are_a_list_or_separated_by_commas() -> None:
    assert words("10.0.0.1, 10.0.1.0/24,") == ("10.0.0.1", "10.0.1.0/24")
    assert words(["10.0.0.1", " 10.0.1.0/24"]) == ("10.0.0.1", "10.0.1.0/24")
    assert words("") == ()


def test_names_of_options_have_no_case() -> None:
    assert option_names("Blksize, tsize") == {"blksize", "tsize"}


def test_ports_are_two_numbers_or_none() -> None:
    assert parse_ports(" 6000 - 6100 ", "x") == parse_ports("6000-6100", "x") == (6000, 6100)
    assert parse_ports(" ", "x") is None
    with pytest.raises(UsageError, match="x must be two ports such as 6000-6100, got 'many'."):
        parse_ports("many", "x")


def test_a_limit_is_a_value_or_unlimited() -> None:
    assert limit_of(parse_size, "1 kB") == 1000
    assert limit_of(parse_size, " Unlimited ") is None
