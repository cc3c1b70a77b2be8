"""Arguments from Robot Framework: each is converted by its type, or refused in words.

Robot Framework asks the type of an argument for a converter, and hands on what that one returns.
An `ArgumentType` looks at each value on that way, so this is the one place for what holds for all
arguments of all keywords: a Boolean is True or False, a text is no list and not None, a failure
names the argument and says what is expected, and a misspelled `name=value` is no value of another
argument. What Robot Framework refuses before it converts anything, `Signature` explains.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from itertools import repeat, takewhile
from numbers import Number
from pathlib import Path, PurePath
from types import NoneType
from typing import Any, Literal, NamedTuple, get_type_hints

from assertionengine import AssertionOperator
from robot.api import TypeInfo
from robot.api.types import Secret
from robot.errors import DataError
from robot.variables import is_dict_variable

from TftpLibrary.boot.loaders import BootLoader, parse_loader
from TftpLibrary.errors import UsageError
from TftpLibrary.faults.files import Damaging, parse_damaging
from TftpLibrary.faults.kinds import FaultKind, parse_kind
from TftpLibrary.faults.packets import Packets, parse_packets
from TftpLibrary.faults.scenarios import Scenario, parse_scenario
from TftpLibrary.keywords.conversions import Rate, Share, Size
from TftpLibrary.keywords.outgoing import readable
from TftpLibrary.recording.wording import short_text
from TftpLibrary.spelling import nearest

LIKENESS = 0.65
"""From here on, of 1.0, a name counts as a misspelling of an argument's name."""

FREE_TEXT = frozenset({"text", "data", "assertion_expected"})
"""Arguments with the content of a file, in which lines like `name=value` are common."""

_NAMED = r"(?s)([A-Za-z][\w -]*)=(.*)"

_OPERATORS = "==, !=, <, <=, >, >=, contains, not contains, starts, ends, matches, validate or then"

_LIKE_TEXT = (str, bytes, bytearray, Number, PurePath)
"""Values that are meant when they become a text."""

_ATTRIBUTES = {
    "server": ("alias",),
    "host": ("host",),
    "name": ("filename", "name"),
    "names": ("filename", "name"),
    "client": ("client",),
}
"""The attributes of our records that people mean when they give the whole one."""

_WORDS: dict[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    str: "a text",
    bytes: "bytes, or a text of characters from 0 to 255",
    timedelta: "a time such as 5s or 1 min 30 s",
    Path: "a path",
    Size: "a size such as 1468, 512 kB or 4 MiB",
    Rate: "a rate such as 5 MB/s, 500 kB or 10 Mbit/s",
    Share: "a share with its %, such as 2 %",
    Packets: "packets such as DATA 3, ACK last or answer",
    Secret: "a Secret",
    Sequence: "a list",
    AssertionOperator: _OPERATORS,
}


_PARSERS: dict[Any, Callable[[str], object]] = {
    FaultKind: parse_kind,
    Packets: parse_packets,
    Damaging: parse_damaging,
    Scenario: parse_scenario,
    BootLoader: parse_loader,
}
"""Types whose own parser has the best words for a wrong text."""


class Names(NamedTuple):
    """The names of arguments.

    Attributes:
        own: those of the keyword, in order; the one that takes any number of values has its star.
        others: those of all keywords.
        needed: those of the keyword without a default.
    """

    own: tuple[str, ...]
    others: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()

    @property
    def plain(self) -> tuple[str, ...]:
        """Those of the keyword that may stand before a `=`."""
        return tuple(name for name in self.own if not name.startswith("*"))

    def before(self, argument: str) -> str:
        """Returns the argument of the keyword in front of one; empty if there is none."""
        return "" if argument not in self.own[1:] else self.own[self.own.index(argument) - 1]

    def _by_place(self) -> Iterator[str]:
        """Yields the argument that each value goes to; one with a star takes all that are left."""
        for name in self.own:
            yield name
            if name.startswith("*"):
                yield from repeat(name)

    def check(self, positional: Iterable[object]) -> None:
        """Checks the values that a keyword got by their place.

        Raises:
            UsageError: one looks like a `name=value`.
        """
        for value, argument in zip(positional, self._by_place(), strict=False):
            if isinstance(value, str | Path) and argument not in FREE_TEXT:
                self.check_text(str(value), argument)

    def check_text(self, text: str, argument: str) -> None:
        """Checks a text that became the value of an argument.

        Raises:
            UsageError: it looks like a misspelled `name=value`, or is one out of a variable.
        """
        match = re.fullmatch(_NAMED, text)
        if match is None:
            return
        typed, value = match.groups()
        itself = (
            # An argument for any number of values has no name; its values are globs.
            f"{typed}[=]{value}" if argument.startswith("*") else f"{argument}={text}"
        )
        as_value = f"For this text as a value write {short_text(readable(itself))}"
        if typed in self.plain:
            # Robot Framework looks for names in what the suite says, not in what variables hold.
            raise UsageError(
                f"Out of a variable, or behind a backslash, '{typed}=' names no argument. Write "
                f"{typed}=... in the suite, or give a dictionary: &{{arguments}}. {as_value}"
            )
        if self._nearest_to(typed) or _plain(typed) in self.others:
            raise UsageError(f"{self._unknown(typed)} {as_value}")

    def check_call(self, call: Iterable[tuple[str, bool]]) -> None:
        """Checks the arguments of a call that Robot Framework refused.

        Args:
            call: each text, and whether it can only be `name=value`.

        Raises:
            UsageError: there is no argument of such a name.
        """
        places = list(takewhile(lambda name: not name.startswith("*"), self.own))
        for place, (text, is_named) in enumerate(call):
            match = re.fullmatch(_NAMED, text)
            if match is None:
                continue
            if match[1] in self.plain:
                # Robot Framework takes everything behind a named argument for one.
                places.clear()
            elif is_named or place >= len(places):
                raise UsageError(self._unknown(match[1]))
            elif places[place] not in FREE_TEXT:
                self.check_text(text, places[place])

    def _nearest_to(self, typed: str) -> str:
        return nearest(_plain(typed), self.plain, LIKENESS)

    def _unknown(self, typed: str) -> str:
        near = self._nearest_to(typed)
        advice = f"Did you mean {near}=?" if near else f"There are: {', '.join(self.plain)}."
        return f"There is no argument '{typed}'. {advice}"


class Signature:
    """The arguments of a keyword, which refuse in our words where Robot Framework has its own.

    It refuses a call with too many values, or with an unknown name, before any type is asked.

    Args:
        specification: Robot Framework's own, which is not typed, hence Any.
        names: the names of the arguments that the keyword has.
    """

    def __init__(self, specification: Any, names: Names) -> None:
        self._specification = specification
        self._names = names

    def __getattr__(self, name: str) -> Any:
        return getattr(self._specification, name)

    def resolve(
        self,
        args: Sequence[Any],
        named_args: Any = None,
        variables: Any = None,
        *how: Any,
        **more: Any,
    ) -> Any:
        """Finds the value of each argument; takes and returns what Robot Framework's own does.

        Raises:
            UsageError: there is no argument of a name in this call.
            DataError: Robot Framework refuses the call for something else.
        """
        try:
            return self._specification.resolve(args, named_args, variables, *how, **more)
        except DataError:
            self._names.check_call(_texts(args, named_args or {}, variables))
            raise


def _texts(
    args: Iterable[object], named_args: Mapping[str, object], variables: Any
) -> Iterator[tuple[str, bool]]:
    """Yields the arguments of a call as texts, and whether each can only be `name=value`."""
    for arg in args:
        if variables and isinstance(arg, str) and is_dict_variable(arg):
            yield from ((f"{name}=", True) for name in variables.replace_scalar(arg))
        else:
            yield str(arg), False
    yield from ((f"{name}=", True) for name in named_args)


class ArgumentType(TypeInfo):
    """The type of one argument of a keyword, for Robot Framework and Libdoc.

    Attributes:
        names: the names of the arguments that the keyword has.
    """

    names = Names(())

    def get_converter(self, *how: Any, **more: Any) -> Checked:
        """Returns the converter of the type, with our checks and words around it.

        The arguments are those of the method in Robot Framework, and are handed on, hence Any.
        """
        return Checked(super().get_converter(*how, **more), self, self.names)


class ImportType(ArgumentType):
    """The type of one argument of the import.

    Robot Framework ends the whole run at any error of an import but its own.
    """

    def get_converter(self, *how: Any, **more: Any) -> Checked:
        """Returns the converter of the type, as that of a keyword, with another error."""
        return CheckedImport(TypeInfo.get_converter(self, *how, **more), self, self.names)


class Checked:
    """A converter of Robot Framework that refuses in our words.

    Args:
        converter: Robot Framework's own; it has no type marker, hence Any.
        info: the type.
        names: the names of the arguments that the keyword has.
    """

    def __init__(self, converter: Any, info: ArgumentType, names: Names) -> None:
        self._converter = converter
        self._info = info
        self._names = names

    def convert(self, value: object, name: str | None = None, kind: str = "Argument") -> object:
        """Converts a value.

        Raises:
            UsageError: it cannot be, or is a misspelled `name=value`.
        """
        argument = name or kind
        if not _may_be(value, self._info):
            raise self._refusal(value, argument)
        try:
            converted: object = self._converter.convert(value, name, kind)
        except ValueError:
            raise self._refusal(value, argument) from None
        if _is_flag(self._info) and not isinstance(converted, bool | None):
            # Robot Framework hands on whatever is no Boolean.
            if converted in (0, 1):
                return bool(converted)
            raise self._refusal(value, argument)
        if converted is None and not _takes_none(self._info):
            raise self._refusal(value, argument)
        is_needed = argument in self._names.needed and argument not in FREE_TEXT
        if converted == "" and is_needed:
            # An empty variable: as a name it would stand for every file.
            raise self._refusal(value, argument)
        return converted

    def _refusal(self, value: object, argument: str) -> UsageError:
        if isinstance(value, str):
            try:
                self._names.check_text(value, argument)
                for kind in _kinds(self._info) & _PARSERS.keys():
                    _PARSERS[kind](value)
            except UsageError as error:
                return error
        return UsageError(
            f"{argument}: expected {expected_words(self._info)}, got {shown(value)}."
            f"{self._reason(value, argument)}"
        )

    def _reason(self, value: object, argument: str) -> str:
        kinds = _kinds(self._info)
        if isinstance(value, str) and timedelta in kinds:
            return " Invalid time string."
        before = self._names.before(argument)
        if AssertionOperator in kinds and before:
            return f" In front of the operator comes {before}."
        is_operator = isinstance(value, str) and value in AssertionOperator.__members__
        if is_operator:
            return f" The operator comes after {argument}."
        return _advice(value, argument, takes_many=f"*{argument}" in self._names.own)


class CheckedImport(Checked):
    """A converter for an argument of the import, whose error Robot Framework reports."""

    def convert(self, value: object, name: str | None = None, kind: str = "Argument") -> object:
        """Converts a value.

        Raises:
            DataError: it cannot be.
        """
        try:
            return super().convert(value, name, kind)
        except UsageError as error:
            raise DataError(f"Importing TftpLibrary failed: {error}") from None


def argument_types(
    hints: Mapping[str, Any] | None, names: Names
) -> dict[str, Any]:  # what types are made from
    """Returns the types of a keyword's arguments; that of the result stays as it is."""
    types = dict(hints or {})
    for name, hint in types.items():
        if name != "return":
            types[name] = ArgumentType.from_type_hint(hint)
            types[name].names = names
    return types


def check_import(init: Any) -> None:
    """Lets the arguments of an import refuse in our words.

    Args:
        init: the method, which gets the attribute that Robot Framework reads types from.
    """
    hints = get_type_hints(init)
    del hints["return"]
    types = {name: ImportType.from_type_hint(hint) for name, hint in hints.items()}
    for each in types.values():
        each.names = Names(tuple(types))
    init.robot_types = types


def explain_refusals(keyword: Any) -> None:
    """Lets the arguments of a keyword refuse in our words.

    Args:
        keyword: a keyword that Robot Framework is about to call, of any library; not typed.
    """
    infos = (keyword.args.types or {}).values()
    names = next((info.names for info in infos if isinstance(info, ArgumentType)), None)
    if names is not None:
        keyword.args = Signature(keyword.args, names)


def names_of(specification: Iterable[str | tuple[str, object]]) -> tuple[str, ...]:
    """Returns the names in an argument specification of the dynamic library API."""
    return tuple(each if isinstance(each, str) else each[0] for each in specification)


def needed_of(specification: Iterable[str | tuple[str, object]]) -> frozenset[str]:
    """Returns the names of the arguments without a default in such a specification."""
    return frozenset(each.lstrip("*") for each in specification if isinstance(each, str))


def expected_words(info: TypeInfo) -> str:
    """Returns what a value of a type is, in words: `completed, refused or failed`."""
    if info.is_union:
        return " or ".join(expected_words(each) for each in info.nested if each.type != NoneType)
    if info.type is Literal:
        return _either([str(each.type) for each in info.nested])
    if info.type in _WORDS:
        return _WORDS[info.type]
    if _is_enum(info.type):
        return _either([member.name for member in info.type])
    return str(info)


def shown(value: object) -> str:
    """Returns a value as a message shows it: a text in quotes, and nothing that is secret."""
    if isinstance(value, str):
        return f"'{short_text(readable(value))}'"
    if isinstance(value, Path):
        return f"the path '{short_text(readable(str(value)))}'"
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, timedelta):
        return f"a time of {value.total_seconds():g} s"
    if hasattr(value, "_fields"):
        return f"a {type(value).__name__}"
    words = {Secret: "a Secret", bytes: "bytes", Mapping: "a dictionary", Sequence: "a list"}
    return next((text for kind, text in words.items() if isinstance(value, kind)), "an object")


def _advice(value: object, argument: str, *, takes_many: bool) -> str:
    fields = getattr(value, "_fields", ())
    attribute = next((name for name in _ATTRIBUTES.get(argument, ()) if name in fields), "")
    if attribute:
        return f" Give its attribute: ${{variable.{attribute}}}."
    is_list = isinstance(value, list | tuple) and not fields
    return " Write @{variable} to give its items." if takes_many and is_list else ""


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _kinds(info: TypeInfo) -> set[Any]:
    return {each.type for each in info.nested} if info.is_union else {info.type}


def _may_be(value: object, info: TypeInfo) -> bool:
    """Whether a value may become one of the type: Robot Framework makes a text of anything."""
    kinds = _kinds(info)
    if str not in kinds or isinstance(value, _LIKE_TEXT):
        return True
    return any(isinstance(value, kind) for kind in kinds if isinstance(kind, type))


def _is_flag(info: TypeInfo) -> bool:
    return bool in _kinds(info)


def _takes_none(info: TypeInfo) -> bool:
    return not {NoneType, Any, object, None}.isdisjoint(_kinds(info))


def _either(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if words[:-1] else words)


def _plain(typed: str) -> str:
    return typed.strip().lower().replace(" ", "_").replace("-", "_")
