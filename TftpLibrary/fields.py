"""The parts of a table of settings: rows with a kind, bounds and documentation, and checks.

`settings.py` is the table. The keywords and the command line say once for each `Kind` how a value
of it is written there; the parsers that both need are here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, NoReturn, TypeVar

from TftpLibrary.errors import UsageError
from TftpLibrary.locations import has_port
from TftpLibrary.networks import parse_client
from TftpLibrary.protocol.options import KNOWN
from TftpLibrary.protocol.roles import Timing

T = TypeVar("T")
C = TypeVar("C", bound="type[Settings]")
S = TypeVar("S", bound="Settings")

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: bool) -> Callable[[T], T]:
        """Does nothing: it is meant for type checkers, and Python has it from 3.11 on."""
        return lambda function: function


Unlimited = Literal["unlimited"]
UNLIMITED: Unlimited = "unlimited"
"""How a limit that is None is written in a suite and on the command line."""

_PORTS = r"(\d+) ?- ?(\d+)"


class Kind(Enum):
    """The kind of a setting's value; messages use the value of a member."""

    address = "an address or a name, without a port"
    flag = "True or False"
    maybe = "True or False, or None where other settings decide"
    number = "a whole number"
    limit = "a whole number, or None for no limit"
    size = "a whole number of bytes"
    size_limit = "a whole number of bytes, or None for no limit"
    seconds = "a number of seconds"
    ports = "two ports from 1 to 65535, the lower one first"
    options = "several names of options"
    networks = "several addresses, networks or MAC addresses"
    choice = "one of a few values"

    @property
    def has_none(self) -> bool:
        """Whether a value may be None or empty, which means that nothing is limited."""
        return self in _HAVE_NONE


_HAVE_NONE = {Kind.maybe, Kind.limit, Kind.size_limit, Kind.ports, Kind.options, Kind.networks}
_SEVERAL = (tuple, list, set, frozenset)
_TYPES: dict[Kind, type | tuple[type, ...]] = {
    Kind.address: str,
    Kind.flag: bool,
    Kind.maybe: bool,
    Kind.number: int,
    Kind.limit: int,
    Kind.size: int,
    Kind.size_limit: int,
    Kind.seconds: (int, float),
    Kind.ports: tuple,
    Kind.options: _SEVERAL,
    Kind.networks: _SEVERAL,
}


class Setting(NamedTuple):
    """One row of the table.

    Attributes:
        name: name of the setting, of its keyword argument, and with dashes of its option.
        kind: the kind of its value.
        default: the value where none is given.
        doc: what it does: sentences, with code in backticks.
        default_words: what the default means, where the value alone does not say it; of a kind
            that may be None or empty also what None means.
        low: the lowest value; None where there is no bound.
        high: the highest value.
        is_above: whether the value must be above `low`.
        reason: where the bounds come from.
        choices: the values of a choice: an enum, or a tuple.
        fixed: why it cannot change while the server runs; empty where it can.
        option: the name of its option where it is not `--name`; None where it has none.
        help: what its option does, for a flag; otherwise the help follows from `doc`.
        is_argument: whether it is an argument of keywords.
    """

    name: str
    kind: Kind
    default: Any
    doc: str
    default_words: str = ""
    low: float | None = None
    high: float | None = None
    is_above: bool = False
    reason: str = ""
    choices: type[Enum] | tuple[int, ...] = ()
    fixed: str = ""
    option: str | None = ""
    help: str = ""
    is_argument: bool = True

    @property
    def python_doc(self) -> str:
        """The documentation of the attribute."""
        unit = f" In {self.unit}." if self.unit else ""
        default = "None" if self.default is None else "Empty" if self.kind.has_none else "Default"
        words = f" {default}: {self.default_words}." if self.default_words else ""
        return f"{self.doc}{unit}{words}"

    @property
    def unit(self) -> str:
        """The unit of a value: empty, or `seconds`."""
        return "seconds" if self.kind is Kind.seconds else ""

    def check(self, value: Any) -> None:
        """Checks a value.

        Raises:
            UsageError: it is impossible; the text names the setting, the bounds and the value.
        """
        if value is None and self.kind.has_none:
            return
        if not self._is_possible(value):
            reason = f" ({self.reason})" if self.reason else ""
            expected, got = self._expected(value), _shown(value)
            raise UsageError(f"{self.name} must be {expected}, got {got}{reason}.")
        if self.kind is Kind.networks:
            for client in value:
                parse_client(client, self.name)
        if self.kind is Kind.options:
            for option in value:
                _check_option(option, self.name)

    def _is_possible(self, value: Any) -> bool:
        if self.kind is Kind.choice:
            is_member = not isinstance(self.choices, type) or isinstance(value, self.choices)
            return is_member and value in tuple(self.choices)
        if not _is_a(self.kind, value):
            return False
        if self.kind is Kind.address:
            return not has_port(value)
        if self.kind is Kind.ports:
            return _is_pair(value) and 1 <= value[0] <= value[1] <= 65535
        if self.low is not None and not (value > self.low if self.is_above else value >= self.low):
            return False
        return self.high is None or bool(value <= self.high)

    def _expected(self, value: Any) -> str:
        if self.kind is Kind.choice:
            # A text is no member, also where it is equal to one.
            enum = f"{self.choices.__name__}." if isinstance(self.choices, type) else ""
            return " or ".join([f"{enum}{choice}" for choice in self.choices])
        if self.low is None or not _is_a(self.kind, value):
            return str(self.kind.value)
        unit = f" {self.unit}" if self.unit else ""
        if self.is_above:
            most = "" if self.high is None else f" and at most {self.high:g}"
            return f"above {self.low:g}{most}{unit}"
        if self.high is None:
            return f"{self.low}{unit} or more"
        return f"from {self.low} to {self.high}"


def _check_option(option: str, name: str) -> None:
    if option.lower() not in KNOWN:
        raise UsageError(
            f"{name}: '{option}' is no option that a server knows. Expected names out of "
            f"{', '.join(KNOWN)}."
        )


def setting(default: T, kind: Kind, doc: str, **row: Any) -> T:  # Any: the columns of `Setting`
    """Makes the row of a setting; see `Setting` for the columns.

    Type checkers take it for the default, which `table` puts in its place.
    """
    made: Any = Setting("", kind, default, doc, **row)  # Any: it is no T
    return made  # type: ignore[no-any-return]


class Settings:
    """The base of the settings of servers and of clients: frozen values, equal by their content.

    It makes of its rows what a dataclass makes of its fields, without the import of `dataclasses`.

    Args:
        values: the values, by the names of the rows; what is left out has its default.

    Attributes:
        rows: the table, one row for each setting, in the order of the class.

    Raises:
        UsageError: there is no such setting, or a value is impossible.
    """

    rows: ClassVar[tuple[Setting, ...]]
    timeout: float
    retries: int

    def __init__(self, **values: Any) -> None:
        known = {row.name for row in self.rows}
        if unknown := sorted(set(values) - known):
            raise UsageError(
                f"There is no setting {', '.join(unknown)}. Settings: {', '.join(sorted(known))}."
            )
        for row in self.rows:
            value = values.get(row.name, row.default)
            if value is not row.default:
                row.check(value)
            # Not `self.name = value`, which is refused.
            vars(self)[row.name] = value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(
            f"Settings are frozen. Expected a copy: changed({{{name!r}: {value!r}}})."
        )

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"Settings are frozen: {name} cannot be deleted.")

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"

    def changed(self: S, values: Mapping[str, Any], *, is_running: bool = False) -> S:
        """Returns the settings with other values.

        Args:
            values: the values, by the names of the fields.
            is_running: whether the server runs; then some settings cannot change.

        Raises:
            UsageError: there is no such setting, a value is impossible, or it cannot change now.
        """
        if not values:
            return self
        new = type(self)(**{**vars(self), **values})
        for row in self.rows if is_running else ():
            if row.fixed and getattr(new, row.name) != getattr(self, row.name):
                raise UsageError(
                    f"{row.name} cannot change while the server runs: {row.fixed}. Stop the server "
                    "and start it with the other value."
                )
        return new

    @property
    def is_adaptive(self) -> bool:
        """Whether the timer follows the round trip, and windows have a pace."""
        return True

    def timing(self) -> Timing:
        """Returns how a transfer waits for its peer."""
        return Timing(self.timeout, self.retries, is_adaptive=self.is_adaptive)


@dataclass_transform(kw_only_default=True, frozen_default=True)
def table(cls: C) -> C:
    """Collects the rows of a class of settings, and documents its attributes from them.

    Each attribute of the class becomes the default. Type checkers know the class as a dataclass.
    """
    cls.rows = tuple(
        row._replace(name=name) for name, row in vars(cls).items() if isinstance(row, Setting)
    )
    for row in cls.rows:
        setattr(cls, row.name, row.default)
    lines = [f"    {row.name}: {row.python_doc}" for row in cls.rows]
    cls.__doc__ = "\n".join([f"{cls.__doc__ or ''}\n\nAttributes:", *lines])
    return cls


def words(value: str | Sequence[str]) -> tuple[str, ...]:
    """Splits a text at its commas; a list stays as it is. Empty parts are dropped."""
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(part.strip() for part in parts if part.strip())


def option_names(value: str | Sequence[str]) -> frozenset[str]:
    """Returns the names of options in a text with commas or in a list, in lower case."""
    return frozenset(word.lower() for word in words(value))


def parse_ports(text: str, argument: str) -> tuple[int, int] | None:
    """Returns the ports of `6000-6100`; None for an empty text.

    Args:
        text: the ports.
        argument: the name of the argument that has them, for the message.

    Raises:
        UsageError: it is something else.
    """
    if not text.strip():
        return None
    match = re.fullmatch(_PORTS, text.strip())
    if match is None:
        raise UsageError(f"{argument} must be two ports such as 6000-6100, got {text!r}.")
    return int(match[1]), int(match[2])


def limit_of(parse: Callable[[str], int], text: str) -> int | None:
    """Returns a limit, which may be `unlimited`."""
    return None if text.strip().lower() == UNLIMITED else parse(text)


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(number, int) for number in value)
    )


def _shown(value: Any) -> str:
    if _is_pair(value):
        return f"{value[0]}-{value[1]}"
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _is_a(kind: Kind, value: object) -> bool:
    return isinstance(value, _TYPES[kind])
