"""Converts arguments of keywords to the units of the layers below: sizes, times and paths.

Libdoc shows the docstrings of the converters under "Data types", so they are in Robot's doc format.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from inspect import cleandoc
from pathlib import Path
from typing import NamedTuple, TypeVar

from robot.api.types import Secret

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.packets import Packets, parse_packets
from TftpLibrary.sizes import parse_size
from TftpLibrary.spelling import nearest

T = TypeVar("T")

_HIDDEN = str(Secret(""))
"""What Robot Framework writes for a secret variable within a text."""

_CELLS = re.compile(r"\s{2,}|\t")
"""The separator of a keyword and its arguments, as in a suite."""

_BITS = "bit/s"
_SHARE = r"(\d+(?:\.\d+)?) ?%"

_ATTRIBUTE = re.compile(r" {4}(\w+): (.*)")


class AutoStop(Enum):
    """When servers are stopped automatically.

    | ``auto``   | When the test or the suite ends that started the server. |
    | ``manual`` | At the end of the run. |
    """

    auto = "auto"
    manual = "manual"


class FailureKeyword(NamedTuple):
    """A keyword of the user that runs when a test fails.

    Attributes:
        name: its name.
        arguments: its arguments, in which variables are replaced when it runs.
    """

    name: str
    arguments: tuple[str, ...] = ()


class OnFailure(Enum):
    """What is logged when a test fails.

    | ``log_transfers`` | The requests of the test, as `Log Transfers` shows them. |
    | ``nothing``       | Nothing. |
    """

    log_transfers = "log_transfers"
    nothing = "nothing"


# As a class it could have no member `global`, which is a word of Python's.
Scope = Enum("Scope", ["test", "suite", "global"])
Scope.__doc__ = """How long a setting holds; it holds in the suites and tests within, too.

| ``test``   | Until the test ends. |
| ``suite``  | Until the suite ends. |
| ``global`` | Until the run ends. |
"""


class HashAlgorithm(Enum):
    """A checksum, written in hexadecimal digits.

    | ``sha256`` | 64 digits, as ``sha256sum`` prints them. |
    | ``sha512`` | 128 digits, as ``sha512sum`` prints them. |
    | ``sha1``   | 40 digits, as ``sha1sum`` prints them. |
    | ``md5``    | 32 digits, as ``md5sum`` prints them. |
    | ``crc32``  | 8 digits, as the command ``crc32`` prints them in U-Boot. |
    """

    sha256 = "sha256"
    sha512 = "sha512"
    sha1 = "sha1"
    md5 = "md5"
    crc32 = "crc32"


class Size(int):
    """A size in bytes; see `to_size` for how it is written."""


def to_size(value: str | int) -> Size:
    """A size in bytes: a number, alone or with a unit.

    ``kB``, ``MB``, ``GB`` and ``TB`` count in thousands, ``KiB``, ``MiB``, ``GiB`` and ``TiB``
    in 1024s. Upper and lower case are the same, and there may be a space before the unit:
    ``1468``, ``512 kB``, ``4 MiB``, ``1.5GB``.
    """
    return Size(parse_size(str(value)))


class Rate(int):
    """A rate in bytes per second; see `to_rate` for how it is written."""


def to_rate(value: str | int) -> Rate:
    """A rate: bytes per second, alone or with a unit.

    It is written as a size, and ``/s`` may follow: ``500 kB``, ``5 MB/s``. Bits are written with
    ``bit/s``: ``10 Mbit/s``.
    """
    text = str(value).strip()
    size, found, _ = text.partition(_BITS)
    try:
        return Rate(to_size(size) // 8 if found else to_size(text.removesuffix("/s")))
    except UsageError:
        raise UsageError(
            f"Expected a rate such as 5 MB/s, 500 kB or 10 Mbit/s, got '{text}'."
        ) from None


# Frozen values, and no `float` and `str`: Robot Framework would fall back on the type of a default.


@dataclass(frozen=True, slots=True)
class Share:
    """A share of all packets, from 0.0 to 1.0; see `to_share` for how it is written."""

    value: float = 0.0

    def __str__(self) -> str:
        return f"{self.value * 100:g} %"


def to_share(value: str) -> Share:
    """A share of all packets, in per cent: ``2 %``, ``0.5%``.

    The ``%`` is needed: nobody should have to guess whether ``1`` means 1 % or all packets.
    """
    match = re.fullmatch(_SHARE, value.strip())
    if match is None:
        raise UsageError(f"Expected a share with its %, such as 2 %, got '{value}'.")
    return Share(float(match[1]) / 100)


def to_packets(value: str) -> Packets:
    """Converts the packets that a fault is about.

    Raises:
        UsageError: the text names none.
    """
    return parse_packets(value)


def to_on_failure(value: OnFailure | str) -> OnFailure | FailureKeyword:
    """Converts what the import says about failures: a member, or a keyword with its arguments.

    Raises:
        UsageError: a member is misspelled.
    """
    if isinstance(value, OnFailure):
        return value
    name, *arguments = _CELLS.split(value.strip())
    members = {_plain(member.name): member for member in OnFailure}
    if not name:
        return OnFailure.nothing
    if not arguments and _plain(name) in members:
        return members[_plain(name)]
    near = "" if arguments else nearest(_plain(name), members, 0.8)
    if near:
        raise UsageError(
            f"on_failure={name!r} is unknown. Did you mean {members[near].name.upper()}?"
        )
    return FailureKeyword(name, tuple(arguments))


def _plain(name: str) -> str:
    return re.sub(r"[ _]", "", name.lower())


def to_path(value: str) -> Path | None:
    """A file or folder on the machine that runs the test.

    ``/`` separates folders on every system, and ``~`` is the home folder. Relative paths of what is
    written start at the output folder of the run, with missing folders made. Relative paths of what
    is read start at the folder in which the run was started; with ``${CURDIR}/`` in front they
    start at the folder of the suite file.
    """
    try:
        return Path(value).expanduser() if value else None
    except RuntimeError:
        # A user who has no home.
        return Path(value)


def to_source(source: str | Secret) -> str | Path:
    """Converts the source of an upload: a URL stays as it is, anything else is a path.

    Raises:
        UsageError: it is empty, or a text in which Robot Framework has hidden a secret.
    """
    value = source.value if isinstance(source, Secret) else source
    if _HIDDEN in value:
        raise UsageError(
            f"source has '{_HIDDEN}' in the place of a secret variable. Make all of it a secret: "
            "VAR    ${url: secret}    https://me:${password}@host/file"
        )
    return value if "://" in value else required(to_path(value), "source")


def record_type(record: type[T]) -> Callable[[T], T]:
    """Returns the converter that makes Libdoc list a type of result, with its attributes.

    The documentation is made from the type's docstring, whose section `Attributes:` becomes a
    table with the properties at its end.
    """

    def accept(value: T) -> T:
        return value

    accept.__annotations__["value"] = record
    lines = _robot_doc(cleandoc(record.__doc__ or ""))
    accept.__doc__ = "\n".join([*lines, *_property_rows(record)])
    return accept


to_packets.__doc__ = cleandoc(Packets.__doc__ or "").partition("\n\nAttributes:")[0]


def seconds(value: timedelta, argument: str) -> float:
    """Converts a time.

    Raises:
        UsageError: it is negative, which Robot Framework's own conversion lets pass.
    """
    if value < timedelta(0):
        raise UsageError(
            f"{argument} must be a time of 0 s or more, got {value.total_seconds():g} s."
        )
    return value.total_seconds()


def given(path: Path | None) -> Path | None:
    """Returns the path of what is read; None where the argument was left out or was empty."""
    return None if path is None else path.absolute()


def required(path: Path | None, argument: str) -> Path:
    """Returns the path of what is read.

    Raises:
        UsageError: the argument was empty.
    """
    if path is None:
        raise UsageError(f"{argument} must be a path, got an empty text.")
    return path.absolute()


def _robot_doc(doc: str) -> list[str]:
    """Turns a Google docstring with attributes into Robot's doc format, with a table."""
    lines: list[str] = []
    for line in re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", doc).splitlines():
        if match := _ATTRIBUTE.fullmatch(line):
            lines.append(f"| ``{match[1]}`` | {match[2]} |")
        elif line == "Attributes:":
            lines.append("| =Attribute= | =Meaning= |")
        elif line.startswith(" ") and lines[-1].endswith(" |"):
            lines[-1] = f"{lines[-1][:-2]} {line.strip()} |"
        else:
            lines.append(line)
    return lines


def _property_rows(record: type) -> list[str]:
    properties = {key: value for key, value in vars(record).items() if isinstance(value, property)}
    docs = {name: cleandoc(value.__doc__ or "") for name, value in properties.items()}
    return [f"| ``{name}`` | {doc[:1].lower()}{doc[1:]} |" for name, doc in docs.items()]
