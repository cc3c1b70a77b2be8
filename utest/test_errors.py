"""The errors: the class says whose fault it is, and Robot Framework shows only the message."""

from __future__ import annotations

import inspect

import pytest

from TftpLibrary import errors
from TftpLibrary.errors import ExpectationError, PeerError, TftpError

ERRORS = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and value.__module__ == errors.__name__
]


@pytest.mark.parametrize("error", ERRORS)
def test_error_is_caught_with_the_others_and_shows_only_its_message(error: type) -> None:
    assert issubclass(error, TftpError)
    assert error.ROBOT_SUPPRESS_NAME is True


@pytest.mark.parametrize("error", ERRORS)
def test_error_is_drawn_in_the_hierarchy(error: type) -> None:
    assert error.__name__ in str(errors.__doc__)


def test_error_of_the_peer_keeps_what_was_received() -> None:
    error = PeerError("File not found (TFTP error 1) from 192.168.1.1:69 for 'x'", 1, "no such x")
    assert (error.code, error.text) == (1, "no such x")
    assert str(error) == "File not found (TFTP error 1) from 192.168.1.1:69 for 'x'"


def test_expectation_that_was_not_met_is_a_failure_for_pytest_too() -> None:
    assert issubclass(ExpectationError, AssertionError)
