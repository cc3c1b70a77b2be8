from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.keywords.conversions import AutoStop, Scope
from TftpLibrary.keywords.state import Defaults, LibraryState
from TftpLibrary.keywords.stations import StartRequest
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ServerSettings
from TftpLibrary.station import Station
from utest.support.records import completed, open_record, transfer, write_record

ANY = StartRequest(None, ServerSettings())


def start(state: LibraryState, alias: str = "", port: int = 0) -> Station:
    return state.start(alias, StartRequest(None, ServerSettings(port=port)))[0]


def test_the_server_that_was_started_last_is_the_active_one(state: LibraryState) -> None:
    start(state, "left")
    start(state, "right")
    assert state.server().alias == "right"


def test_a_server_without_alias_gets_the_first_free_one(state: LibraryState) -> None:
    assert [start(state).alias, start(state).alias] == ["tftp-1", "tftp-2"]
    state.stop("tftp-1")
    assert start(state).alias == "tftp-1"


def test_aliases_are_compared_without_case_and_spaces(state: LibraryState) -> None:
    started = start(state, "Left Board")
    assert state.server("leftboard") is started
    assert state.server("LEFT  BOARD") is started


def test_the_same_alias_and_settings_are_the_same_server(state: LibraryState) -> None:
    first, is_first_new = state.start("dut", ANY)
    again, is_again_new = state.start("dut", ANY)
    assert again is first
    assert (is_first_new, is_again_new) == (True, False)


def test_an_alias_is_not_given_to_a_server_with_other_settings(state: LibraryState) -> None:
    url = start(state, "dut").url()
    with pytest.raises(UsageError) as caught:
        state.start("dut", StartRequest(None, ServerSettings(retries=1)))
    assert str(caught.value) == (
        f"A TFTP server 'dut' with other settings runs at {url}. "
        "Stop it first, or give the new one another alias."
    )


def test_a_server_that_cannot_start_leaves_no_alias_behind(
    state: LibraryState, tmp_path: Path
) -> None:
    file = tmp_path / "root"
    file.touch()
    with pytest.raises(UsageError, match="is a file"):
        state.start("dut", StartRequest(file, ServerSettings()))
    assert state.running() == []
    start(state, "dut")


def test_a_port_that_another_server_of_the_run_has_is_told_with_its_alias(
    state: LibraryState,
) -> None:
    port = start(state, "left").port
    with pytest.raises(UsageError, match=r"the TFTP server 'left', which runs at tftp://"):
        start(state, "right", port=port)


def test_an_interrupted_start_leaves_nothing_running(
    state: LibraryState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Robot's keyword timeout is no Exception."""
    stopped: list[str] = []
    stop = TftpServer.stop

    def interrupted(_: TftpServer) -> TftpServer:
        raise KeyboardInterrupt

    def noted(server: TftpServer, grace: float = 0.0) -> object:
        stopped.append(server.alias)
        return stop(server, grace)

    monkeypatch.setattr(TftpServer, "start", interrupted)
    monkeypatch.setattr(TftpServer, "stop", noted)
    with pytest.raises(KeyboardInterrupt):
        start(state, "dut")
    assert stopped == ["dut"]
    assert not state.is_running("dut")


def test_without_a_server_the_message_names_the_keyword_that_starts_one(
    state: LibraryState,
) -> None:
    with pytest.raises(UsageError) as caught:
        state.server()
    assert str(caught.value) == "No TFTP server is running. Start one with `Start TFTP Server`."
    with pytest.raises(UsageError) as caught:
        state.server("dut")
    assert str(caught.value) == (
        "No TFTP server 'dut'. Running: none. Start one with `Start TFTP Server`."
    )


def test_an_unknown_alias_is_told_with_those_that_run(state: LibraryState) -> None:
    start(state, "dut1")
    start(state, "dut2")
    with pytest.raises(UsageError) as caught:
        state.switch("x")
    assert str(caught.value) == "No TFTP server 'x'. Running: dut1, dut2."


def test_switch_returns_the_alias_that_was_active(state: LibraryState) -> None:
    start(state, "left")
    start(state, "right")
    assert state.switch("left") == "right"
    assert state.server().alias == "left"


def test_when_the_active_server_stops_the_one_before_it_is_active(state: LibraryState) -> None:
    start(state, "left")
    start(state, "middle")
    start(state, "right")
    state.switch("left")
    state.stop("left")
    assert state.server().alias == "right"


def test_stop_returns_what_was_stopped(state: LibraryState) -> None:
    url = start(state, "dut").url()
    stopped = state.stop()
    assert (stopped.alias, stopped.url, stopped.transfers, stopped.warnings) == ("dut", url, (), ())
    assert not state.is_running()


def test_a_warning_of_the_start_is_not_told_again_at_the_stop(
    state: LibraryState, tmp_path: Path
) -> None:
    server, _ = state.start("dut", StartRequest(tmp_path, ServerSettings()))
    server.warnings.append("An earlier run was killed.")
    server.files.upload_bytes(b"x", "new")
    (tmp_path / "new").write_bytes(b"theirs")
    (warning,) = state.stop().warnings
    assert warning.startswith("'new' was changed")


def test_the_end_of_a_test_stops_what_it_started_and_nothing_else(state: LibraryState) -> None:
    state.enter("suite")
    start(state, "suite")
    state.enter("test")
    start(state, "test")
    assert [stopped.alias for stopped in state.leave("test")] == ["test"]
    assert state.running() == ["suite"]
    assert [stopped.alias for stopped in state.leave("suite")] == ["suite"]


def test_what_a_test_switched_is_switched_back(state: LibraryState) -> None:
    state.enter("suite")
    start(state, "left")
    start(state, "right")
    state.enter("test")
    state.switch("left")
    state.leave("test")
    assert state.server().alias == "right"


def test_manual_stop_leaves_servers_running(state: LibraryState) -> None:
    state.defaults = Defaults(auto_stop=AutoStop.manual)
    state.enter("suite")
    state.enter("test")
    start(state, "dut")
    assert state.leave("test") == []
    assert state.leave("suite") == []
    assert state.server().alias == "dut"


def test_a_library_that_was_imported_in_the_middle_of_a_suite_stops_with_it(
    state: LibraryState,
) -> None:
    start(state, "from the suite setup")
    state.enter("test")
    start(state, "from the test")
    assert [stopped.alias for stopped in state.leave("test")] == ["from the test"]
    assert [stopped.alias for stopped in state.leave("suite")] == ["from the suite setup"]


def test_the_end_of_a_scope_that_is_not_the_innermost_is_not_ours(state: LibraryState) -> None:
    state.enter("suite")
    start(state, "dut")
    assert state.leave("another test") == []
    assert state.running() == ["dut"]


def test_two_suites_have_nothing_in_common(state: LibraryState) -> None:
    state.enter("first")
    server = start(state, "dut")
    open_record(state.recorder, transfer(server="dut"))
    state.leave("first")
    state.enter("second")
    with pytest.raises(UsageError, match="No TFTP server 'dut'"):
        state.watch("dut")
    start(state, "dut")
    assert state.server("dut") is not server


def test_a_watch_shows_the_transfers_of_its_server_since_the_mark(state: LibraryState) -> None:
    start(state, "left")
    start(state, "right")
    record = state.recorder
    write_record(record, completed("early", server="left"))
    state.enter("test")
    open_record(record, transfer("mine", server="left"))
    open_record(record, transfer("other", server="right"))
    open_record(record, transfer("client", server=""))

    def names(alias: str, since: int | None = None) -> list[str]:
        return [seen.filename for seen in state.watch(alias, since).look().transfers]

    assert names("left") == ["mine"]
    assert names("") == ["other"]
    assert names("left", since=0) == ["early", "mine"]
    assert [seen.filename for seen in state.watch_all().look().transfers] == [
        "mine",
        "other",
        "client",
    ]


def test_the_mark_can_be_moved_within_its_scope(state: LibraryState) -> None:
    start(state, "dut")
    state.enter("test")
    write_record(state.recorder, completed(server="dut"))
    mark = state.set_mark()
    assert mark == state.recorder.mark()
    assert state.watch().look().transfers == ()
    state.leave("test")
    assert len(state.watch().look().transfers) == 1


def test_the_transfers_of_a_stopped_server_can_be_seen(state: LibraryState) -> None:
    start(state, "dut")
    open_record(state.recorder, transfer(server="dut"))
    state.stop()
    assert len(state.watch().look().transfers) == 1
    assert len(state.watch("dut").look().transfers) == 1
    assert state.watch("dut").names() == []


def test_a_watch_of_a_stopped_server_does_not_wait(state: LibraryState) -> None:
    start(state, "dut")
    state.stop()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        state.watch().wait_for(lambda _: None, 20.0)
    assert time.monotonic() - began < 10.0


def test_a_watch_needs_a_server(state: LibraryState) -> None:
    with pytest.raises(UsageError, match="Start one with `Start TFTP Server`"):
        state.watch()


def test_the_timeout_of_a_wait_is_that_of_the_import_unless_it_is_given() -> None:
    state = LibraryState(Defaults(timeout=7.0))
    assert state.timeout(None) == 7.0
    assert state.timeout(timedelta(seconds=2)) == 2.0
    with pytest.raises(UsageError, match="timeout"):
        state.timeout(timedelta(seconds=-1))


def test_the_names_in_a_store_are_empty_where_no_server_runs(state: LibraryState) -> None:
    assert state.file_names() == []
    start(state, "dut").files.upload_bytes(b"", "zImage")
    assert state.file_names("dut") == ["zImage"]


def test_importing_starts_nothing() -> None:
    assert LibraryState().running() == []


def test_the_timeout_of_a_scope_holds_until_it_ends(state: LibraryState) -> None:
    def now() -> float:
        return state.timeout(None)

    def set_(value: float, scope: Scope) -> float:
        return state.set_timeout(timedelta(seconds=value), scope)

    state.enter("outer")
    state.enter("inner")
    assert set_(1, Scope.suite) == 0.0
    state.enter("test", is_test=True)
    assert set_(2, Scope.test) == 1.0
    assert now() == 2.0
    state.leave("test")
    assert now() == 1.0
    state.enter("test", is_test=True)
    set_(3, Scope.test)
    assert set_(4, Scope.suite) == 3.0
    assert now() == 4.0
    state.leave("test")
    assert now() == 4.0
    state.leave("inner")
    assert now() == 0.0
    state.enter("test", is_test=True)
    set_(5, Scope.test)
    assert set_(6, Scope["global"]) == 5.0
    assert now() == 6.0
    state.leave("test")
    state.leave("outer")
    assert now() == 6.0
    assert state.timeout(timedelta(seconds=9)) == 9.0


def test_a_timeout_of_a_test_needs_a_test(state: LibraryState) -> None:
    state.enter("suite")
    with pytest.raises(UsageError, match=r"scope=test needs a test\. In a suite setup or teardown"):
        state.set_timeout(timedelta(seconds=1), Scope.test)
    with pytest.raises(UsageError, match="timeout must be a time of 0 s or more, got -1 s"):
        state.set_timeout(timedelta(seconds=-1), Scope.suite)
    assert state.timeout(None) == 0.0


def test_faults_of_a_stopped_server_can_be_asked_for_until_their_scope_ends(
    state: LibraryState,
) -> None:
    faults = start(state, "left").faults
    state.injected.note([faults.add(make_rule("drop", name="lost"))], faults, "t")
    assert state.stop("left").faults == ()
    assert state.injected.ask_for("lost") is faults
    assert [each.fault.server for each in state.leave_faults("t")] == ["left"]


def test_manual_stop_ends_faults_with_their_server() -> None:
    state = LibraryState(Defaults("127.0.0.1", 0, auto_stop=AutoStop.manual))
    left, right = start(state, "left"), start(state, "right")
    for server in (left, right):
        state.injected.note([server.faults.add(make_rule("drop"))], server.faults, "")
    assert [each.fault.server for each in state.stop("left").faults] == ["left"]
    assert state.injected.places() == [right.faults]
    state.stop_all()


def test_server_that_never_had_a_fault_makes_none_when_it_stops(state: LibraryState) -> None:
    server = start(state)
    state.stop()
    assert vars(server)["_faults"] is None


def test_faults_of_our_client_are_the_same_for_all_clients(state: LibraryState) -> None:
    assert state.client_faults is state.client_faults


def test_manual_stop_keeps_faults_to_the_end() -> None:
    state = LibraryState(Defaults(auto_stop=AutoStop.manual))
    state.injected.note([state.client_faults.add(make_rule("drop"))], state.client_faults, "t")
    assert state.leave_faults("t") == []
    assert len(state.client_faults.reports()) == 1


def test_pause_of_a_test_ends_with_it(state: LibraryState) -> None:
    state.enter("s1")
    server = start(state)
    state.enter("s1-t1", is_test=True)
    server.pause("busy")
    state.injected.note_pause(server, state.scope)
    state.leave("s1-t1")
    assert "paused" not in server.bound
