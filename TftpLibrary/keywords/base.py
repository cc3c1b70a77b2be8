"""The base of all groups of keywords: the state, and the assertions of the getters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assertionengine import (
    AssertionOperator,
    float_str_verify_assertion,
    verify_assertion,
)
from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError

from TftpLibrary.keywords.conversions import to_size
from TftpLibrary.keywords.state import LibraryState

Operator = AssertionOperator | None
"""The type of `assertion_operator`."""

_NUMERICAL = tuple(AssertionOperator[sign] for sign in ("==", "!=", "<", "<=", ">", ">="))
_EQUALITY = (AssertionOperator["=="], AssertionOperator["!="])
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
    """
    return verify_assertion(value, operator, expected, what, message)


def verify_number(value: float, operator: Operator, expected: Any, what: str, message: str) -> Any:
    """Returns a number, after the assertion about it, if there is one."""
    return float_str_verify_assertion(value, operator, expected, what, message)


def verify_size(value: int, operator: Operator, expected: Any, what: str, message: str) -> Any:
    """Returns a size, after the assertion about it; a text as `expected` may have a unit."""
    if isinstance(expected, str) and operator in _NUMERICAL:
        expected = to_size(expected)
    return verify_number(value, operator, expected, what, message)


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
    try:
        # The log may be in another folder.
        log = str(BuiltIn().get_variable_value("${LOG FILE}"))
        folder = folder if log == "NONE" else Path(log).parent
    except RobotNotRunningError:
        pass
    try:
        return quote(Path(os.path.relpath(path, folder)).as_posix())
    except ValueError:
        # On Windows there is no relative path from one drive to another.
        return path.as_uri()


def scope_name() -> str:
    """Returns the name of the test that runs, of the suite outside of its tests."""
    try:
        variables = BuiltIn()
        name = variables.get_variable_value("${TEST NAME}")
        return str(name or variables.get_variable_value("${SUITE NAME}"))
    except RobotNotRunningError:
        return "capture"
