"""Values as JSON and back, by their types; pure. What does not have its type is refused."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timezone
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from TftpLibrary.errors import UsageError
from TftpLibrary.fields import Kind, Settings
from TftpLibrary.recording.records import OptionValues

# Types and JSON are of any kind.
_EPOCH = datetime.fromtimestamp(0, timezone.utc)
_LISTS = (list, frozenset, Iterable)
_SHOWN = 80


def to_json(value: Any) -> Any:
    """Returns a value as JSON; what a type cannot tell apart has the name of its class."""
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, _AS_IT_IS):
        return value
    for kind, convert in _CONVERTERS.items():
        if isinstance(value, kind):
            return convert(value)
    if names := _names(value.__class__):
        return {"is": type(value).__name__} | {n: to_json(getattr(value, n)) for n in names}
    return [to_json(each) for each in value]


def _settings_json(settings: Settings) -> Any:
    values = {row.name: (getattr(settings, row.name), row.default) for row in settings.rows}
    return {name: to_json(value) for name, (value, default) in values.items() if value != default}


_AS_IT_IS = (bool, int, float, str)
_CONVERTERS: dict[type, Callable[[Any], Any]] = {
    Path: str,
    # Clocks of two hosts differ: the moment travels beside the record.
    datetime: lambda _: None,
    Settings: _settings_json,
    Mapping: lambda value: [[to_json(key), to_json(each)] for key, each in value.items()],
}


def from_json(kind: Any, value: Any, what: str = "value") -> Any:
    """Returns the value of a type.

    Args:
        kind: a type, as an annotation has it.
        value: JSON.
        what: what the value is, for the message.

    Raises:
        UsageError: the value is not of that type, or impossible.
    """
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(arguments, value, what)
    if origin is OptionValues:
        pairs = from_json(tuple[tuple[str, str], ...], value, what)
        return OptionValues(pairs)
    if origin is Mapping:
        return dict(_tuple(arguments, each, what) for each in _checked(list, value, what))
    if origin in _LISTS:
        made = [from_json(arguments[0], each, what) for each in _checked(list, value, what)]
        return made if origin is Iterable else origin(made)
    if origin is tuple:
        return _tuple(arguments, _checked(list, value, what), what)
    return _plain(origin, value, what)


def _plain(kind: Any, value: Any, what: str) -> Any:
    if kind in _CHECKS:
        return _CHECKS[kind](value, what)
    if issubclass(kind, Path):
        return Path(_checked(str, value, what))
    if issubclass(kind, Enum):
        return _member(kind, _checked(str, value, what), what)
    given = _checked(dict, value, what)
    return _settings(kind, given) if issubclass(kind, Settings) else _fields(kind, given, what)


def _member(kind: type[Enum], name: str, what: str) -> Enum:
    if name not in kind.__members__:
        raise _unfit(", ".join(kind.__members__), name, what)
    return kind[name]


def _fields(kind: type, value: Mapping[str, Any], what: str) -> Any:
    """Returns a tuple with names, or a dataclass; what is left out has its default."""
    known = _types(kind)
    given = {name: each for name, each in value.items() if name != "is"}
    if unknown := sorted(set(given) - set(known)):
        raise _unfit(f"the fields of {kind.__name__}", unknown[0], what)
    made = {name: from_json(known[name], each, f"{what}.{name}") for name, each in given.items()}
    try:
        return kind(**made)
    except TypeError as error:
        raise _unfit(f"all fields of {kind.__name__}", list(given), what) from error


def _settings(kind: type[Settings], value: Mapping[str, Any]) -> Settings:
    rows = {row.name: row for row in kind.rows}
    made = {}
    for name, each in value.items():
        row = rows.get(name)
        if row is None or each is None:
            made[name] = each
        elif row.kind is Kind.choice and isinstance(row.choices, type):
            made[name] = from_json(row.choices, each, name)
        elif isinstance(each, list):
            made[name] = frozenset(each) if row.kind is Kind.options else tuple(each)
        else:
            made[name] = each
    return kind(**made)


def _one_of(kinds: tuple[Any, ...], value: Any, what: str) -> Any:
    """Returns a value of one of several types: of the class that it names, or that fits."""
    if value is None and type(None) in kinds:
        return None
    rest = [kind for kind in kinds if kind is not type(None)]
    if isinstance(value, dict) and len(rest) > 1:
        rest = [kind for kind in rest if getattr(kind, "__name__", "") == value.get("is")]
    for kind in rest[:-1]:
        try:
            return from_json(kind, value, what)
        except UsageError:
            continue
    if not rest:
        raise _unfit(" or ".join(str(kind) for kind in kinds), value, what)
    return from_json(rest[-1], value, what)


def _tuple(kinds: tuple[Any, ...], values: list[Any], what: str) -> tuple[Any, ...]:
    if kinds[-1] is Ellipsis:
        return tuple(from_json(kinds[0], each, what) for each in values)
    if len(values) != len(kinds):
        raise _unfit(f"{len(kinds)} values", values, what)
    pairs = zip(kinds, values, strict=True)
    return tuple(from_json(kind, each, what) for kind, each in pairs)


def _checked(kind: Any, value: Any, what: str) -> Any:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kind) or (isinstance(value, bool) and bool not in kinds):
        raise _unfit(" or ".join(each.__name__ for each in kinds), value, what)
    return value


def _unfit(expected: str, value: object, what: str) -> UsageError:
    return UsageError(f"{what}: expected {expected}, got {repr(value)[:_SHOWN]}.")


@cache
def _types(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in _names(kind)}


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """Returns the names of the fields of a tuple with names, or of a dataclass; else none."""
    if is_dataclass(kind):
        return tuple(field.name for field in fields(kind))
    return tuple(getattr(kind, "_fields", ()))


_CHECKS: dict[Any, Callable[[Any, str], Any]] = {
    object: lambda value, _: value,
    datetime: lambda *_: _EPOCH,
    float: lambda value, what: float(_checked((int, float), value, what)),
    **{kind: partial(_checked, kind) for kind in (str, int, bool, type(None))},
}
