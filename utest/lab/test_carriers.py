from __future__ import annotations

import subprocess

import pytest

from TftpLibrary.errors import LabError, UsageError
from TftpLibrary.lab.carriers import open_carrier


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object, **_named: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", fail)


@pytest.mark.usefixtures("no_program")
@pytest.mark.parametrize(
    "url",
    [
        "ssh://-oProxyCommand=x",
        "ssh://host%20-x",
        "ssh://-l@host",
        "ssh://pi@",
        "ssh://",
        "ssh://host:port",
        "ssh://pi:secret@host",
        "lab1",
        "shh://lab1",
        "unix:lab.sock",
    ],
)
def test_what_is_no_lab_host_is_refused_before_a_program_is_started(url: str) -> None:
    with pytest.raises(UsageError, match=r"Expected"):
        open_carrier(url)


def test_a_misspelled_scheme_is_named() -> None:
    with pytest.raises(UsageError, match="Did you mean ssh:"):
        open_carrier("shh://lab1")


def test_a_socket_where_nobody_listens_says_how_to_start_a_lab() -> None:
    with pytest.raises(LabError, match="Start one: tftplibrary lab --listen unix:/no/such"):
        open_carrier("unix:/no/such")
