"""The base of all groups of keywords: the state, and the assertions of the getters."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assertionengine import AssertionOperator, verify_assertion
from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError

from TftpLibrary.errors import UsageError
from TftpLibrary.keywords.conversions import to_size
from TftpLibrary.keywords.state import LibraryState

_PABOT = "pabot_results"
"""The folder in which pabot puts the output folders of its processes."""

Operator = AssertionOperator | None
"""The type of `assertion_operator`."""

_NUMERICAL = tuple(AssertionOperator[sign] for sign in ("==", "!=", "<", "<=", ">", ">="))
_EQUALITY = (AssertionOperator["=="], AssertionOperator["!="])
_EVALUATION = (AssertionOperator["validate"], AssertionOperator["then"])
_MEMBERSHIP = (AssertionOperator["*="], AssertionOperator["not contains"])


class Keywords:
    """A group of keywords: methods over the state that all groups share."""

    def __init__(self, state: LibraryState) -> None:
        self.state = state


def verify_text(value: str, operator: Operator, expected: Any, what: str, message: str) -> Any:
    """Returns a text, after the assertion about it, if there is one.

    Args:
        value: the text.
        operator: the assertion; None for none.
        expected: what it is compared with.
        what: begins the message of a failure.
        message: takes the place of the whole message; empty keeps it.

    Raises:
        UsageError: there is nothing to compare with, or it is no regular expression.
    """
    if operator is not None:
        _require(expected, what)
    try:
        return verify_assertion(value, operator, expected, what, message)
    except re.error as error:
        raise UsageError(
            f"{_subject(what)}: {expected!r} is no regular expression: {error}."
        ) from None


def verify_number(value: float, operator: Operator, expected: Any, what: str, message: str) -> Any:
    """Returns a number, after the assertion about it, if there is one.

    Raises:
        UsageError: there is no number to compare with, or the operator compares no numbers.
    """
    if operator is None:
        return value
    _require(expected, what)
    if operator in _NUMERICAL:
        expected = _number(expected, what)
    elif operator not in _EVALUATION:
        raise UsageError(
            f"{_subject(what)}: a number has no operator '{operator.name}'. Operators: ==, !=, <, "
            "<=, >, >=, validate, evaluate."
        )
    return verify_assertion(value, operator, expected, what, message)


def verify_size(value: int, operator: Operator, expected: Any, what: str, message: str) -> Any:
    """Returns a size, after the assertion about it; a text as `expected` may have a unit."""
    if isinstance(expected, str) and operator in _NUMERICAL:
        expected = to_size(expected)
    return verify_number(value, operator, expected, what, message)


def _require(expected: Any, what: str) -> None:
    if expected is None:
        raise UsageError(f"{_subject(what)}: the expected value is missing after the operator.")


def _number(expected: Any, what: str) -> float:
    try:
        number = float(expected)
    except (TypeError, ValueError):
        raise UsageError(
            f"{_subject(what)}: expected a number to compare with, got {expected!r}."
        ) from None
    return int(number) if number.is_integer() else number


def _subject(what: str) -> str:
    return what.rstrip(":")


def verify_names(
    value: list[str], operator: Operator, expected: Any, what: str, message: str
) -> Any:
    """Returns names, after the assertion about them, if there is one.

    A text as `expected` is one name. Equality does not look at the order, and `contains` holds
    when every expected name is there.
    """
    if operator in _EQUALITY:
        verify_assertion(sorted(value), operator, sorted(_names(expected)), what, message)
        return value
    if operator in _MEMBERSHIP:
        for name in _names(expected):
            verify_assertion(value, operator, name, what, message)
        return value
    return verify_assertion(value, operator, expected, what, message)


def _names(expected: str | Sequence[str] | None) -> list[str]:
    if isinstance(expected, str):
        return [expected] if expected else []
    return list(expected or ())


def output_folder() -> Path:
    """Returns the folder with the results of the run; the current one where nothing runs."""
    try:
        return Path(BuiltIn().get_variable_value("${OUTPUT DIR}"))
    except RobotNotRunningError:
        return Path.cwd()


def log_address(path: Path) -> str:
    """Returns the URL of a file relative to log.html."""
    folder = output_folder()
    if _PABOT in folder.parts:
        # The log that people read is above the folders of the processes: as pabot merges theirs, it
        # takes `../../` away. A name that it copied as an artifact would get a prefix, but not the
        # folder of the copy: with another dot it is not found.
        top = Path(*folder.parts[: folder.parts.index(_PABOT)])
        return f"../../{_relative(path, top).replace('.pcapng', '%2Epcapng')}"
    try:
        # The log may be in another folder.
        log = str(BuiltIn().get_variable_value("${LOG FILE}"))
        folder = folder if log == "NONE" else Path(log).parent
    except RobotNotRunningError:
        pass
    try:
        return _relative(path, folder)
    except ValueError:
        # On Windows there is no relative path from one drive to another.
        return path.as_uri()


def _relative(path: Path, folder: Path) -> str:
    return quote(Path(os.path.relpath(path, folder)).as_posix())


def scope_name() -> str:
    """Returns the name of the test that runs, of the suite outside of its tests."""
    try:
        variables = BuiltIn()
        name = variables.get_variable_value("${TEST NAME}")
        return str(name or variables.get_variable_value("${SUITE NAME}"))
    except RobotNotRunningError:
        return "capture"
