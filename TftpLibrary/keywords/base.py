"""What every group of keywords stands on, and the listener that begins and ends the scopes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assertionengine import (
    AssertionOperator,
    float_str_verify_assertion,
    verify_assertion,
)
from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError

from TftpLibrary.keywords import reporting
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


class Scopes:
    """Tells the state when suites and tests begin and end, and logs what was stopped then.

    Robot Framework calls it, since a component with this attribute is a listener.
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, state: LibraryState) -> None:
        self.state = state

    # Robot's own classes are in the signature of a listener; only `id` is used.

    def start_suite(self, data: Any, result: Any) -> None:  # noqa: ARG002
        """Begins the scope of a suite."""
        self.state.enter(data.id)

    def start_test(self, data: Any, result: Any) -> None:  # noqa: ARG002
        """Begins the scope of a test."""
        self.state.enter(data.id)

    def end_test(self, data: Any, result: Any) -> None:  # noqa: ARG002
        """Stops what the test started."""
        reporting.log_stopped(self.state.leave(data.id))

    def end_suite(self, data: Any, result: Any) -> None:  # noqa: ARG002
        """Stops what the suite started."""
        reporting.log_stopped(self.state.leave(data.id))

    def close(self) -> None:
        """Stops everything at the end of the run; what would be logged now is lost."""
        self.state.stop_all()


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
    """Returns sorted names, after the assertion about them, if there is one.

    A text as `expected` is one name. Equality does not look at the order, and `contains` holds
    when every expected name is there.
    """
    if operator in _EQUALITY:
        expected = sorted(_names(expected))
    elif operator in _MEMBERSHIP:
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
