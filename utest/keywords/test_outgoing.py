from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from robot.api.types import Secret

from TftpLibrary.errors import PeerError, UsageError
from TftpLibrary.keywords import outgoing
from TftpLibrary.keywords.outgoing import readable, readable_errors, readable_value
from TftpLibrary.protocol.outcome import Outcome

BAD = "gr\udcf6\ud800.bin"
GOOD = r"gr\xf6\ud800.bin"


class Pair(NamedTuple):
    name: str
    path: Path | None


def test_octet_that_is_no_text_is_shown_as_names_are() -> None:
    assert readable(BAD) == GOOD
    assert readable("größe\n\x01") == "größe\n\x01"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (BAD, GOOD),
        (Path("/x") / BAD, Path("/x") / GOOD),
        ([BAD, 1], [GOOD, 1]),
        ({BAD: BAD}, {GOOD: GOOD}),
        ((BAD, b"\xff"), (GOOD, b"\xff")),
        (Pair(BAD, Path(BAD)), Pair(GOOD, Path(GOOD))),
        ([{"a": (Pair(BAD, None),)}], [{"a": (Pair(GOOD, None),)}]),
    ],
)
def test_value_is_readable_to_its_depth(value: Any, expected: Any) -> None:
    assert readable_value(value) == expected
    assert type(readable_value(value)) is type(expected)


@pytest.mark.parametrize(
    "value", ["a", ["a", Pair("a", Path("b"))], {"a": 1}, None, Outcome.failed]
)
def test_readable_value_stays_the_same_object(value: Any) -> None:
    assert readable_value(value) is value


def test_error_and_its_causes_are_readable() -> None:
    with pytest.raises(PeerError) as error, readable_errors([]):
        raise PeerError(BAD, 1, "x") from ValueError(BAD)
    assert str(error.value) == str(error.value.__cause__) == GOOD
    assert error.value.code == 1


def test_error_of_the_system_is_told_in_words() -> None:
    with pytest.raises(UsageError) as error, readable_errors([]):
        raise PermissionError(13, "Permission denied", "/no/rights/x")
    assert str(error.value) == "Cannot use '/no/rights/x': Permission denied."
    with pytest.raises(UsageError) as error, readable_errors([]):
        raise OSError("it is odd")
    assert str(error.value) == "Cannot use a file: it is odd."


def test_text_that_is_none_is_told_in_words() -> None:
    with pytest.raises(UsageError) as error, readable_errors([]):
        BAD.encode()
    assert str(error.value) == f"'{GOOD}' cannot be written in utf-8: its character 3 is no text."


def test_interruption_passes_as_it_is() -> None:
    with pytest.raises(KeyboardInterrupt), readable_errors([]):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("argument", "text", "expected"),
    [
        (Secret("hunter2"), "hunter2 is wrong", "<secret> is wrong"),
        (
            Secret("s://me:hunter2@h/f?k=token"),
            "s://h/f k=token hunter2",
            "s://h/f <secret> <secret>",
        ),
        ("s://me:hunter2@h/f", "s://me:hunter2@h/f", "s://<secret>h/f"),
        ("s://me:hunt%65r2@h/f", "no hunter2 there", "no <secret> there"),
        ("s://me:a@h/f", "a word at s://me:a@h/f", "a word at s://<secret>h/f"),
        ("tftp://h/f", "no file at tftp://h/f", "no file at tftp://h/f"),
        ("zImage", "zImage is missing", "zImage is missing"),
    ],
)
def test_error_shows_no_secret(argument: object, text: str, expected: str) -> None:
    with pytest.raises(UsageError) as error, readable_errors([argument]):
        raise UsageError(text)
    assert str(error.value) == expected


def test_secret_in_a_cause_is_hidden_too() -> None:
    with pytest.raises(UsageError) as error, readable_errors([Secret("hunter2")]):
        raise FileNotFoundError(2, "No such file", "/hunter2")
    assert "hunter2" not in str(error.value)
    assert "hunter2" not in str(error.value.__cause__)


def test_lines_of_the_log_are_readable(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = StringIO()
    monkeypatch.setattr("sys.__stdout__", stream)
    caplog.set_level("DEBUG", "RobotFramework")
    outgoing.info(BAD)
    outgoing.warn(BAD)
    outgoing.console(BAD, "stdout")
    assert caplog.messages == [GOOD, GOOD]
    assert GOOD in stream.getvalue()
