"""The base of all groups of keywords: the state, and the assertions of the getters."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assertionengine import AssertionOperator, verify_assertion
from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError

from TftpLibrary.errors import TftpError, UsageError
from TftpLibrary.keywords import outgoing
from TftpLibrary.keywords.argument_types import shown
from TftpLibrary.keywords.conversions import to_size
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.matching import name_test
from TftpLibrary.recording.wording import short_text

_PABOT = "pabot_results"
"""The folder in which pabot puts the output folders of its processes."""

Operator = AssertionOperator | None
"""The type of `assertion_operator`."""

_NUMERICAL = tuple(AssertionOperator[sign] for sign in ("==", "!=", "<", "<=", ">", ">="))
_EQUALITY = (AssertionOperator["=="], AssertionOperator["!="])
_EVALUATION = (AssertionOperator["validate"], AssertionOperator["then"])
_ORDER = tuple(sign for sign in _NUMERICAL if sign not in _EQUALITY)
_PARTS = tuple(AssertionOperator[sign] for sign in ("*=", "not contains", "^=", "$=", "matches"))
_MEMBERSHIP = (AssertionOperator["*="], AssertionOperator["not contains"])

_OF_A_FORMAT = (KeyError, IndexError, ValueError, AttributeError)
"""What `str.format` raises."""

_LONGEST = 1000
"""Characters of a returned text that are logged."""


class Keywords:
    """A group of keywords: methods over the state that all groups share."""

    def __init__(self, state: LibraryState) -> None:
        self.state = state


class SizeAsTyped(int):
    """A size that messages show as the test has it: `4 MiB`."""

    def __new__(cls, octets: int, text: str) -> SizeAsTyped:
        """Takes the size, and how it was typed."""
        size = super().__new__(cls, octets)
        size._text = text
        return size

    _text: str

    def __str__(self) -> str:
        return self._text


SizeAsTyped.__name__ = "size"  # Messages of the assertion engine show it behind the value.


def verify_text(value: str, operator: Operator, expected: Any, what: str, message: str) -> Any:
    """Returns a text and logs it, after the assertion about it, if there is one.

    Args:
        value: the text.
        operator: the assertion; None for none.
        expected: what it is compared with.
        what: begins the message of a failure.
        message: takes the place of the whole message; empty keeps it.

    Raises:
        UsageError: there is nothing to compare with, it is no regular expression, or the operator
            compares no texts: the 10th version would come before the 9th.
    """
    _log(what, short_text(value, _LONGEST))
    _check_pair(operator, expected, what)
    is_evaluated = operator is None or operator in _EVALUATION
    if not is_evaluated and not isinstance(expected, str):
        raise UsageError(
            f"{_subject(what)}: expected a text to compare with, got {shown(expected)}."
        )
    if operator in _PARTS and expected == "":
        raise UsageError(
            f"{_subject(what)}: expected a text to look for, got ''. Every text contains that."
        )
    if operator is not None and operator in _ORDER:
        operators = "==, !=, contains, not contains, starts, ends, matches, validate, then"
        raise UsageError(_unfit("a text", operator, operators, what))
    return _verified(value, operator, expected, what, message)


def verify_checksum(value: str, operator: Operator, expected: Any, what: str, message: str) -> Any:
    """Returns a checksum, after the assertion about it; the case of its digits does not matter.

    Raises:
        UsageError: the expected one has another number of digits, so it can never be equal.
    """
    if isinstance(expected, str) and operator in _EQUALITY:
        digits = expected.strip().lower().removeprefix("0x")
        if not re.fullmatch(f"[0-9a-f]{{{len(value)}}}", digits):
            raise UsageError(
                f"{_subject(what)}: expected {len(value)} hexadecimal digits to compare with, got "
                f"{shown(expected)}."
            )
        expected = digits
    return verify_text(value, operator, expected, what, message)


def verify_number(value: float, operator: Operator, expected: Any, what: str, message: str) -> Any:
    """Returns a number and logs it, after the assertion about it, if there is one.

    Raises:
        UsageError: there is no number to compare with, or the operator compares no numbers.
    """
    _log(what, str(value))
    _check_pair(operator, expected, what)
    if operator in _NUMERICAL:
        expected = _number(expected, what)
    elif operator is not None and operator not in _EVALUATION:
        raise UsageError(_unfit("a number", operator, "==, !=, <, <=, >, >=, validate, then", what))
    return _verified(value, operator, expected, what, message)


def verify_size(value: int, operator: Operator, expected: Any, what: str, message: str) -> Any:
    """Returns a size, after the assertion about it; a text as `expected` may have a unit."""
    if isinstance(expected, str) and operator in _NUMERICAL:
        try:
            expected = SizeAsTyped(to_size(expected), expected.strip())
        except UsageError:
            raise UsageError(
                f"{_subject(what)}: expected a size such as 1468, 512 kB or 4 MiB to compare "
                f"with, got {shown(expected)}."
            ) from None
    return verify_number(value, operator, expected, what, message)


def verify_names(
    value: list[str],
    operator: Operator,
    expected: Any,
    what: str,
    message: str,
    spelt: Callable[[str], str] = str,
) -> Any:
    """Returns names and logs them, after the assertion about them, if there is one.

    A text as `expected` is one name. Equality does not look at the order, and `contains` holds
    when every expected name is there. There a name may be a glob. `spelt` returns an expected name
    as it stands in the value.

    Raises:
        UsageError: these are no names to compare with, or the operator compares no lists.
    """
    _log(what, "\n".join([f"{len(value)} in all", *value]))
    if operator in _EQUALITY:
        _verified(
            sorted(value), operator, sorted(map(spelt, _names(expected, what))), what, message
        )
        return value
    if operator in _MEMBERSHIP:
        names = [*map(spelt, _names(expected, what))]
        if not names:
            raise UsageError(f"{_subject(what)}: expected a name to look for, got none.")
        for name in names:
            _verified(value, operator, _found(name, value), what, message)
        return value
    _check_pair(operator, expected, what)
    if operator is not None and operator not in _EVALUATION:
        operators = "==, !=, contains, not contains, validate, then"
        raise UsageError(_unfit("a list", operator, operators, what))
    return _verified(value, operator, expected, what, message)


def _found(name: str, value: list[str]) -> str:
    """Returns the first of the names that a name or glob stands for; else itself."""
    return next(filter(name_test(name), value), name)


def _names(expected: Any, what: str) -> list[str]:
    if expected is None:
        return []
    names = [expected] if isinstance(expected, str) else expected
    if not isinstance(names, Collection) or not all(isinstance(name, str) for name in names):
        raise UsageError(
            f"{_subject(what)}: expected a name or a list of names to compare with, got "
            f"{shown(expected)}."
        )
    return list(filter(None, names))


def _verified(value: Any, operator: Operator, expected: Any, what: str, message: str) -> Any:
    try:
        if operator in _EVALUATION and not re.search(r"\bvalue\b", str(expected)):
            raise UsageError(f"{_subject(what)}: {_no_condition(expected)}")
        return verify_assertion(value, operator, expected, what, message)
    except (AssertionError, TftpError):
        raise
    except re.error as error:
        raise UsageError(
            f"{_subject(what)}: {shown(expected)} is no regular expression: {error}."
        ) from None
    except Exception as error:
        # The message of the test is a format, and Robot Framework evaluates the expression.
        if message and isinstance(error, _OF_A_FORMAT):
            raise UsageError(
                "message: expected a text in which {value}, {value_type}, {expected} and "
                f"{{expected_type}} may stand, got {shown(message)}."
            ) from error
        if operator not in _EVALUATION:
            raise
        raise UsageError(f"{_subject(what)}: {_no_condition(expected)}") from error


def _no_condition(expected: Any) -> str:
    return (
        f"{shown(expected)} cannot be evaluated as a condition. Expected an expression with "
        "'value' in it, such as value > 5."
    )


def _log(what: str, value: str) -> None:
    outgoing.info(f"{_subject(what)}: {value}")


def _check_pair(operator: Operator, expected: Any, what: str) -> None:
    if operator is None and expected is not None:
        raise UsageError(f"{_subject(what)}: the operator is missing before the expected value.")
    if operator is not None and expected is None:
        raise UsageError(f"{_subject(what)}: the expected value is missing after the operator.")


def _number(expected: Any, what: str) -> float:
    if isinstance(expected, SizeAsTyped):
        return expected
    try:
        number = float(expected)
        return int(number) if number.is_integer() else number
    except (TypeError, ValueError, OverflowError):
        raise UsageError(
            f"{_subject(what)}: expected a number to compare with, got {shown(expected)}."
        ) from None


def _unfit(kind: str, operator: AssertionOperator, operators: str, what: str) -> str:
    return f"{_subject(what)}: {kind} has no operator '{operator.name}'. Operators: {operators}."


def _subject(what: str) -> str:
    return what.rstrip(":")


def output_folder() -> Path:
    """Returns the folder with the results of the run; the current one where nothing runs."""
    try:
        return Path(BuiltIn().get_variable_value("${OUTPUT DIR}"))
    except RobotNotRunningError:
        return Path.cwd()


def output_path(path: Path | None = None) -> Path:
    """Returns where a file is written: relative paths start at the output folder of the run."""
    return output_folder() / (path or "")


def new_place(path: Path) -> Path:
    """Makes the folder of a file that is about to be written, and returns the path.

    Raises:
        UsageError: the folder cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(
            f"Cannot write '{path}': the folder cannot be made: {reason}. Expected the path of a "
            "file to write."
        ) from error
    return path


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
