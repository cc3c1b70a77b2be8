from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import pytest
from assertionengine import AssertionOperator
from robot.api import TypeInfo
from robot.api.types import Secret
from robot.errors import DataError

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.files import Damaging
from TftpLibrary.faults.kinds import FaultKind
from TftpLibrary.faults.scenarios import Scenario
from TftpLibrary.keywords.argument_types import (
    ArgumentType,
    Names,
    argument_types,
    check_import,
    explain_refusals,
    names_of,
    needed_of,
    shown,
)
from TftpLibrary.keywords.conversions import HashAlgorithm
from TftpLibrary.protocol.roles import Role
from TftpLibrary.store.base import StoredFile

FILE = StoredFile("zImage", 1, "", "", None)

NAMES = Names(("name", "text", "*", "only_for", "server"), frozenset({"times", "server"}))


def convert(hint: Any, value: object, name: str = "name") -> object:
    (info,) = argument_types({name: hint}, NAMES).values()
    return info.get_converter(None, None, True).convert(value, name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("True", True), ("no", False), ("OFF", False), (True, True), (1, True), (0, False)],
)
def test_words_for_a_boolean_are_taken(value: object, expected: bool) -> None:
    assert convert(bool, value) is expected
    assert convert(bool | None, value) is expected


@pytest.mark.parametrize("value", ["Flase", "noo", "2", 2, 0.5])
@pytest.mark.parametrize("hint", [bool, bool | None])
def test_anything_else_is_no_boolean(hint: Any, value: object) -> None:
    with pytest.raises(UsageError) as error:
        convert(hint, value, "writable")
    assert str(error.value) == f"writable: expected True or False, got {shown(value)}."


def test_none_is_taken_where_it_may_be() -> None:
    assert convert(bool | None, "None") is None
    assert convert(Any, None) is None
    with pytest.raises(UsageError, match="name: expected True or False, got 'None'"):
        convert(bool, "None")


@pytest.mark.parametrize(
    ("hint", "value", "text"),
    [
        (int | None, "x", "expected a whole number, got 'x'."),
        (
            timedelta | None,
            "abc",
            "expected a time such as 5s or 1 min 30 s, got 'abc'. Invalid time string.",
        ),
        (Literal[0, 1], "2", "expected 0 or 1, got '2'."),
        (Path | None, 5, "expected a path, got 5."),
        (
            HashAlgorithm,
            "==",
            "expected sha256, sha512, sha1, md5 or crc32, got '=='. The operator comes after name.",
        ),
        (str, Secret("x"), "expected a text, got a Secret."),
        (
            AssertionOperator | None,
            "contian",
            "expected ==, !=, <, <=, >, >=, contains, not contains, starts, ends, matches, "
            "validate or then, got 'contian'.",
        ),
        (set[int], "x", "expected set[int], got 'x'."),
        (Role, "board", "expected client or server, got 'board'."),
        (str, None, "expected a text, got None."),
        (str, ["a"], "expected a text, got a list."),
        (str, {"a": "b"}, "expected a text, got a dictionary."),
        (str | Sequence[str], {}, "expected a text or a list, got a dictionary."),
        (str, FILE, "expected a text, got a StoredFile. Give its attribute: ${variable.name}."),
    ],
)
def test_refusal_says_what_is_expected_and_what_came(hint: Any, value: object, text: str) -> None:
    with pytest.raises(UsageError) as error:
        convert(hint, value)
    assert str(error.value) == f"name: {text}"


@pytest.mark.parametrize(
    ("hint", "value", "text"),
    [
        (FaultKind, "dropp", "There is no fault 'dropp'. Did you mean 'drop'? Faults: drop, "),
        (FaultKind, "loss", "There is no fault 'loss'. One packet is lost with 'drop'; a share of"),
        (FaultKind, "servr=3", "There is no argument 'servr'. Did you mean server=?"),
        (FaultKind, 3, "name: expected drop, duplicate, delay,"),
        (Damaging, "flip", "There is no damage 'flip'. Did you mean 'flip_bit'?"),
        (Scenario, "lost_blok", "There is no scenario 'lost_blok'. Did you mean 'lost_block'?"),
    ],
)
def test_type_with_words_of_its_own_says_what_is_wrong(hint: Any, value: object, text: str) -> None:
    with pytest.raises(UsageError) as error:
        convert(hint, value)
    assert str(error.value).startswith(text)


@pytest.mark.parametrize("value", ["a", b"a", 5, 1.5, True, Path("a")])
def test_text_may_be_given_as_what_is_like_one(value: object) -> None:
    assert isinstance(convert(str, value), str)


@pytest.mark.parametrize("value", [["a"], ("a", "b"), "a"])
def test_list_is_taken_where_it_may_be(value: object) -> None:
    assert convert(str | Sequence[str], value) == value


def test_list_for_any_number_of_names_is_refused_with_the_way_to_give_it() -> None:
    (info,) = argument_types({"names": str}, Names(("*names", "client"))).values()
    with pytest.raises(UsageError) as error:
        info.get_converter(None, None, True).convert(["a"], "names")
    assert str(error.value) == (
        "names: expected a text, got a list. Write @{variable} to give its items."
    )


def test_argument_without_a_default_is_not_empty() -> None:
    names = Names(("name", "text", "client"), needed=frozenset({"name", "text"}))
    types = argument_types({"name": str, "text": str, "client": str}, names)
    for name in ("text", "client"):
        assert types[name].get_converter(None, None, True).convert("", name) == ""
    with pytest.raises(UsageError, match=r"name: expected a text, got ''\."):
        types["name"].get_converter(None, None, True).convert("", "name")
    assert needed_of(["name", ("text", ""), "*names"]) == {"name", "names"}


def test_refused_operator_names_the_argument_in_front_of_it() -> None:
    names = Names(("name", "assertion_operator"))
    types = argument_types({"assertion_operator": AssertionOperator | None}, names)
    with pytest.raises(UsageError, match=r"got '1'\. In front of the operator comes name\.$"):
        types["assertion_operator"].get_converter(None, None, True).convert(
            "1", "assertion_operator"
        )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\udcff", r"'a\xff'"),
        (Path("a"), "the path 'a'"),
        (None, "None"),
        (1.5, "1.5"),
        (timedelta(seconds=2), "a time of 2 s"),
        (b"x", "bytes"),
        ([1], "a list"),
        (FILE, "a StoredFile"),
        ({}, "a dictionary"),
        (Secret("x"), "a Secret"),
        (object(), "an object"),
    ],
)
def test_value_is_shown_in_words(value: object, text: str) -> None:
    assert shown(value) == text


def test_types_are_those_of_robot_framework_and_the_result_stays() -> None:
    types = argument_types({"name": str, "return": list[str]}, NAMES)
    assert isinstance(types["name"], ArgumentType)
    assert types["return"] == list[str]
    assert argument_types(None, NAMES) == {}


def test_import_refuses_with_the_one_error_that_does_not_end_the_run() -> None:
    class Library:
        def __init__(self, *, port: int = 69) -> None:
            self.port = port

    init: Any = Library.__init__
    check_import(init)
    converter = init.robot_types["port"].get_converter(None, None, True)
    assert converter.convert("70", "port") == 70
    with pytest.raises(DataError) as error:
        converter.convert("x", "port")
    assert str(error.value) == (
        "Importing TftpLibrary failed: port: expected a whole number, got 'x'."
    )


def test_names_are_read_from_a_specification() -> None:
    assert names_of(["name", ("text", ""), "*", ("server", "")]) == ("name", "text", "*", "server")


@pytest.mark.parametrize("text", ["x", "a=b", "a.b=name", "="])
def test_text_that_is_no_misspelled_argument_passes(text: str) -> None:
    NAMES.check(["f", text])
    NAMES.check([text])
    NAMES.check([Path(text), 5])


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("only_fr=x", "Did you mean only_for=?"),
        ("Only For =x", "Did you mean only_for=?"),
        ("times=x", "There are: name, text, only_for, server."),
    ],
)
def test_text_that_looks_like_a_misspelled_argument_is_refused(text: str, advice: str) -> None:
    with pytest.raises(UsageError) as error:
        NAMES.check([text])
    typed = text.partition("=")[0]
    assert str(error.value) == (
        f"There is no argument '{typed}'. {advice} For this text as a value write name={text}"
    )


@pytest.mark.parametrize("value", ["only_for=x", Path("only_for=x")])
def test_value_that_is_a_named_argument_came_out_of_a_variable(value: object) -> None:
    with pytest.raises(UsageError) as error:
        NAMES.check([value])
    assert str(error.value) == (
        "Out of a variable, or behind a backslash, 'only_for=' names no argument. Write "
        "only_for=... in the suite, or give a dictionary: &{arguments}. For this text as a value "
        "write name=only_for=x"
    )


def named(*texts: str) -> list[tuple[str, bool]]:
    return [(text, False) for text in texts]


@pytest.mark.parametrize(
    ("call", "typed"),
    [
        (named("f", "text", "xyz=1"), "xyz"),  # one value too many
        (named("f", "server=left", "xyz=1"), "xyz"),  # behind a named argument
        (named("only_fr=x", "server=left", "xyz=1"), "only_fr"),  # in the place of another one
        ([("xyz=", True)], "xyz"),  # in a dictionary
    ],
)
def test_refused_call_names_the_argument_that_is_not_there(
    call: list[tuple[str, bool]], typed: str
) -> None:
    with pytest.raises(UsageError, match=f"There is no argument '{typed}'. "):
        NAMES.check_call(call)


def test_refused_call_may_have_names_and_content_with_an_equals_sign() -> None:
    NAMES.check_call(named("a=b", "servr=10.0.0.1", "server=left", "one too many"))


class Refusing:
    """A signature of Robot Framework that refuses every call."""

    types: ClassVar = {"name": argument_types({"name": str}, NAMES)["name"]}
    maxargs = 2

    def resolve(self, *_: object) -> None:
        raise DataError("expected 2 arguments, got 3")


def test_what_robot_framework_refuses_for_something_else_keeps_its_words() -> None:
    keyword = SimpleNamespace(args=Refusing())
    explain_refusals(keyword)
    assert keyword.args.maxargs == 2
    with pytest.raises(DataError, match="expected 2 arguments, got 3"):
        keyword.args.resolve(["a", "b", 3])
    with pytest.raises(UsageError, match="There is no argument 'colour'"):
        keyword.args.resolve([], {"colour": "red"})


def test_keyword_of_another_library_stays_as_it_is() -> None:
    spec = SimpleNamespace(types={"name": TypeInfo.from_type_hint(str)})
    keyword = SimpleNamespace(args=spec)
    explain_refusals(keyword)
    assert keyword.args is spec
    explain_refusals(SimpleNamespace(args=SimpleNamespace(types=None)))


def test_content_may_be_anything() -> None:
    NAMES.check(["f", "only_fr=x"])


def test_value_of_many_is_checked_and_can_be_written_as_a_glob() -> None:
    names = Names(("*names", "match"))
    names.check(["a", "b"])
    with pytest.raises(UsageError, match=r"write matc\[=\]x$"):
        names.check(["a", "b", "matc=x"])


def test_value_that_cannot_be_converted_may_be_a_misspelled_argument() -> None:
    with pytest.raises(UsageError, match="There is no argument 'servr'. Did you mean server="):
        convert(timedelta, "servr=left")
