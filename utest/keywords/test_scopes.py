from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from TftpLibrary.faults.rules import make_rule
from TftpLibrary.keywords.conversions import FailureKeyword
from TftpLibrary.keywords.scopes import Scopes
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.keywords.stations import StartRequest
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ServerSettings
from utest.support.html import Page
from utest.support.records import completed, refused, write_record

Record = Callable[[Transfer], None]
SUITE = SimpleNamespace(suites=[])


def node(key: str) -> Any:
    """What Robot Framework gives a listener as data."""
    return SimpleNamespace(id=key)


def outcome(*, failed: bool, kind: str = "KEYWORD", parent: object = None) -> Any:
    """What Robot Framework gives a listener as result."""
    return SimpleNamespace(failed=failed, type=kind, parent=parent)


PASSED, FAILED = outcome(failed=False), outcome(failed=True)


@pytest.fixture
def scopes(state: LibraryState) -> Scopes:
    return Scopes(state)


def test_what_a_test_started_stops_with_it(
    state: LibraryState, scopes: Scopes, log: pytest.LogCaptureFixture
) -> None:
    scopes.start_suite(node("s1"), None)
    state.start("suite", StartRequest(None, ServerSettings()))
    scopes.start_test(node("s1-t1"), None)
    url = state.start("test", StartRequest(None, ServerSettings()))[0].url()
    scopes.end_test(node("s1-t1"), PASSED)
    assert state.running() == ["suite"]
    assert log.messages == [f"Stopped TFTP server 'test' at {url}."]
    scopes.end_suite(node("s1"), PASSED)
    assert state.running() == []


def test_faults_of_a_test_end_with_it_while_its_server_still_runs(
    state: LibraryState, scopes: Scopes, log: pytest.LogCaptureFixture
) -> None:
    scopes.start_suite(node("s1"), None)
    scopes.start_test(node("s1-t1"), None)
    server, _ = state.start("dut", StartRequest(None, ServerSettings()))
    for place in (server.faults, state.client_faults):
        state.injected.note([place.add(make_rule("drop"))], place, state.scope)
    scopes.end_test(node("s1-t1"), PASSED)
    levels = [record.levelname for record in log.records]
    assert levels == ["WARNING", "WARNING", "INFO"]
    assert log.messages[-1].startswith("Stopped TFTP server 'dut'")


def test_the_end_of_the_run_stops_everything(started: LibraryState) -> None:
    Scopes(started).close()
    assert started.running() == []


def test_cards_are_written_when_a_keyword_ends(
    scopes: Scopes, started: LibraryState, record: Record, log: pytest.LogCaptureFixture
) -> None:
    scopes.start_test(node("t"), None)
    record(completed("a"))
    assert not log.messages
    scopes.end_keyword(node("k"), PASSED)
    scopes.end_keyword(node("k"), FAILED)
    assert ["<details" in message for message in log.messages] == [True]
    assert started.is_running()


def test_cards_are_written_at_the_latest_when_the_test_ends(
    scopes: Scopes, started: LibraryState, record: Record, log: pytest.LogCaptureFixture
) -> None:
    """While the files are still there: the card tells the checksum."""
    scopes.start_test(node("t"), None)
    started.start("in test", StartRequest(None, ServerSettings()))
    started.server("dut").files.upload_bytes(b"hello", "a")
    record(completed("a"))
    scopes.end_test(node("t"), PASSED)
    assert "sha256 2cf24dba5fb0" in log.messages[0]
    assert log.messages[1].startswith("Stopped TFTP server 'in test'")


def test_a_failed_test_has_its_requests_in_the_log(
    scopes: Scopes, record: Record, log: pytest.LogCaptureFixture
) -> None:
    scopes.start_test(node("t"), None)
    record(refused())
    scopes.end_keyword(node("k"), FAILED)
    assert len(log.messages) == 1
    scopes.end_test(node("t"), FAILED)
    assert Page(log.messages[-1]).lines[0] == "Requests of this test:"


def test_a_failed_test_knows_that_nothing_was_requested(
    scopes: Scopes, state: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    scopes.start_test(node("t"), None)
    state.start("dut", StartRequest(None, ServerSettings()))
    scopes.end_keyword(node("k"), FAILED)
    scopes.end_test(node("t"), FAILED)
    assert log.messages[-1] == "No request was seen in this test."


@pytest.mark.usefixtures("started")
def test_a_test_that_was_not_run_has_nothing_to_tell(
    scopes: Scopes, log: pytest.LogCaptureFixture
) -> None:
    """Robot Framework lets it begin and end all the same when the setup of its suite failed."""
    scopes.end_keyword(node("k"), FAILED)
    scopes.start_test(node("t"), None)
    scopes.end_test(node("t"), FAILED)
    assert not log.messages


def test_a_failure_without_a_server_is_none_of_our_business(
    scopes: Scopes, log: pytest.LogCaptureFixture
) -> None:
    scopes.start_test(node("t"), None)
    scopes.end_keyword(node("k"), FAILED)
    scopes.end_test(node("t"), FAILED)
    assert not log.messages


@pytest.mark.parametrize("kind", ["SETUP", "TEARDOWN"])
def test_a_suite_whose_setup_failed_has_its_requests_in_the_log(
    scopes: Scopes, record: Record, log: pytest.LogCaptureFixture, kind: str
) -> None:
    scopes.start_suite(node("s1"), None)
    record(refused())
    scopes.end_keyword(node("k"), outcome(failed=True, kind=kind, parent=SUITE))
    assert Page(log.messages[-1]).lines[0] == "Requests of this test:"
    del log.records[:]
    scopes.end_keyword(node("k"), outcome(failed=True, kind=kind, parent=SimpleNamespace()))
    scopes.end_keyword(node("k"), outcome(failed=False, kind=kind, parent=SUITE))
    assert not log.messages


def test_what_was_cut_when_the_test_ended_has_a_card(
    scopes: Scopes, state: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    scopes.start_test(node("t"), None)
    server, _ = state.start("dut", StartRequest(None, ServerSettings()))
    server.files.upload_bytes(b"hello" * 1000, "greeting")
    stop = server.stop

    def cut(grace: float = 0.0) -> list[Transfer]:
        """Ends a transfer as a server does that stops."""
        write_record(state.recorder, completed("greeting", server="dut"))
        return stop(grace)

    server.stop = cut  # type: ignore[method-assign]
    scopes.end_test(node("t"), PASSED)
    assert ["<details" in message for message in log.messages] == [False, True]


def test_a_keyword_that_cannot_run_when_a_test_fails_is_a_warning(
    started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    started.defaults = started.defaults._replace(on_failure=FailureKeyword("Look"))
    scopes = Scopes(started)
    scopes.start_test(node("t1"), None)
    scopes.end_keyword(node("k1"), PASSED)
    scopes.end_test(node("t1"), PASSED)
    assert "Look" not in log.text
    scopes.start_test(node("t2"), None)
    scopes.end_keyword(node("k1"), FAILED)
    scopes.end_test(node("t2"), FAILED)
    assert "The keyword 'Look' of on_failure= failed: Cannot access execution context" in log.text
