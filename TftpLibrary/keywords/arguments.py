"""The settings of servers and clients as arguments of keywords, made from the table.

A keyword says `**settings` in its signature and in its documentation, and `takes_settings` puts the
rows of the table in their place: Robot Framework and Libdoc see each as an argument with its type,
default and description.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from inspect import Parameter, signature
from typing import Any, Literal, NamedTuple, TypeVar

from TftpLibrary.fields import (
    UNLIMITED,
    Kind,
    Setting,
    Settings,
    Unlimited,
    option_names,
    parse_ports,
    words,
)
from TftpLibrary.keywords.conversions import Size, seconds

F = TypeVar("F", bound=Callable[..., Any])

_PLACE = re.compile(r"^( *)\*\*settings: .*\n((?: {4}\1.*\n)*)", re.MULTILINE)
"""The lines of a docstring that the descriptions of the settings replace."""

_NAMES = re.compile(r"^ *(\w+): ", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")


class _Shape(NamedTuple):
    """How the values of a kind are written as an argument. Values are of many types, hence Any.

    Attributes:
        type: the type that Robot Framework converts to.
        to_field: converts a value of that type; the second argument is the name of the setting.
        to_argument: converts back, to what may be given to the keyword again.
        how: how it is written, for the documentation.
    """

    type: Any
    to_field: Callable[[Any, str], Any]
    to_argument: Callable[[Any], Any]
    how: str = ""


def takes_settings(rows: Iterable[Setting], *, all_optional: bool = False) -> Callable[[F], F]:
    """Returns the decorator that puts settings in the place of `**settings`.

    An argument of the keyword itself stays as it is. Arguments that it documents after `**settings`
    follow the settings.

    Args:
        rows: the table.
        all_optional: whether only given arguments count: then every default is None.
    """
    shown = [row for row in rows if row.is_argument]
    parameters = [_parameter(row, is_optional=all_optional) for row in shown]
    lines = {row.name: f"{row.name}: {_text(row, is_change=all_optional)}\n" for row in shown}

    def decorate(keyword: F) -> F:
        doc = keyword.__doc__ or ""
        old = signature(keyword)
        own = [kept for kept in old.parameters.values() if kept.name != "settings"]
        new = [each for each in parameters if each.name not in old.parameters]
        last = _documented_last(doc)
        first = [kept for kept in own if kept.name not in last]
        rest = [kept for kept in own if kept.name in last]
        found: Any = keyword  # a function, whose attributes may be set
        found.__signature__ = old.replace(parameters=[*first, *new, *rest])
        found.__annotations__.update({each.name: each.annotation for each in new})
        text = [lines[each.name] for each in new]
        found.__doc__ = _PLACE.sub(lambda place: "".join(place[1] + line for line in text), doc)
        return keyword

    return decorate


def to_settings(settings: type[Settings], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Converts arguments to the fields of the same names; those that are None were not given.

    Raises:
        UsageError: a value cannot be converted. The bounds are checked by the settings themselves.
    """
    rows = {row.name: row for row in settings.rows}
    return {
        name: _SHAPES[rows[name].kind].to_field(value, name)
        for name, value in arguments.items()
        if value is not None
    }


def to_arguments(settings: Settings, names: Iterable[str]) -> dict[str, Any]:
    """Converts fields back to arguments, as `to_settings` takes them."""
    rows = {row.name: row for row in settings.rows}
    return {name: _SHAPES[rows[name].kind].to_argument(getattr(settings, name)) for name in names}


def _parameter(row: Setting, *, is_optional: bool) -> Parameter:
    shape = _SHAPES[row.kind]
    kind = shape.type
    if row.kind is Kind.choice:
        kind = row.choices if isinstance(row.choices, type) else Literal[row.choices]
    default = None if is_optional else shape.to_argument(row.default)
    return Parameter(
        row.name,
        Parameter.KEYWORD_ONLY,
        default="" if default == [] else default,
        annotation=kind | None if is_optional else kind,
    )


def _documented_last(doc: str) -> set[str]:
    """The arguments that a docstring names after `**settings`, up to the end of the section."""
    place = _PLACE.search(doc)
    return set(_NAMES.findall(doc[place.end() :].split("\n\n", maxsplit=1)[0])) if place else set()


def _text(row: Setting, *, is_change: bool) -> str:
    parts = [row.doc, _SHAPES[row.kind].how]
    if row.default_words and (row.kind.has_none or not is_change):
        is_limit = row.kind in {Kind.limit, Kind.size_limit}
        word = f"`{UNLIMITED}`" if is_limit else "An empty text" if is_change else "Default"
        parts.append(f"{word}: {row.default_words}.")
    return _CODE.sub(r"``\1``", " ".join(part for part in parts if part))


def _same(value: Any) -> Any:
    return value


def _kept(value: Any, _name: str) -> Any:
    return value


def _limit(value: Any, _name: str) -> Any:
    return None if value == UNLIMITED else int(value)


_SEVERAL = str | Sequence[str]
_COMMAS = "A list, or a text with commas."
_SHAPES: dict[Kind, _Shape] = {
    Kind.address: _Shape(str, _kept, _same),
    Kind.flag: _Shape(bool, _kept, _same),
    Kind.maybe: _Shape(bool | None, _kept, _same),
    Kind.number: _Shape(int, _kept, _same),
    Kind.limit: _Shape(
        int | Unlimited, _limit, lambda value: UNLIMITED if value is None else value
    ),
    Kind.size: _Shape(Size, lambda value, _name: int(value), Size),
    Kind.size_limit: _Shape(
        Size | Unlimited, _limit, lambda value: UNLIMITED if value is None else Size(value)
    ),
    Kind.seconds: _Shape(timedelta, seconds, lambda value: timedelta(seconds=value)),
    Kind.ports: _Shape(
        str,
        parse_ports,
        lambda value: f"{value[0]}-{value[1]}" if value else "",
    ),
    Kind.options: _Shape(_SEVERAL, lambda value, _name: option_names(value), sorted, _COMMAS),
    Kind.networks: _Shape(_SEVERAL, lambda value, _name: words(value), list, _COMMAS),
    Kind.choice: _Shape(Any, _kept, _same),
}
