from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from TftpLibrary.client import TftpClient
from TftpLibrary.errors import ExpectationError, UsageError
from TftpLibrary.faults.kinds import FaultKind
from TftpLibrary.faults.packets import parse_packets
from TftpLibrary.keywords.conversions import Share
from TftpLibrary.keywords.fault_checks import FaultCheckKeywords
from TftpLibrary.keywords.faults import FaultKeywords
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.keywords.stations import StartRequest
from TftpLibrary.protocol.roles import Role
from TftpLibrary.settings import ServerSettings
from utest.support.suites import failures, messages, run_suite

DATA_3 = parse_packets("DATA 3")


@pytest.fixture
def checks(started: LibraryState) -> FaultCheckKeywords:
    started.server().files.upload_bytes(bytes(5000), "zImage")
    return FaultCheckKeywords(started)


@pytest.fixture
def faults(started: LibraryState) -> FaultKeywords:
    return FaultKeywords(started)


def boot(state: LibraryState, server: str = "") -> None:
    at = state.server(server)
    with TftpClient(at.host, at.port, windowsize=1, blksize=512) as board:
        board.get_bytes("zImage")


def test_fault_that_happened_is_returned_and_logged(
    checks: FaultCheckKeywords, faults: FaultKeywords, log: pytest.LogCaptureFixture
) -> None:
    lost = faults.inject_tftp_fault(FaultKind.drop, DATA_3)
    boot(checks.state)
    fault = checks.tftp_fault_should_have_happened(lost, times=1, client="127.0.0.0/8")
    assert (fault.id, fault.hits, fault.clients) == (lost, 1, {"127.0.0.1": 1})
    assert log.messages[-1] == f"1 fault\nFault {lost} happened once (127.0.0.1 1): drop DATA 3"


def test_fault_that_did_not_happen_fails_with_the_nearest_miss(
    checks: FaultCheckKeywords, faults: FaultKeywords
) -> None:
    never = faults.inject_tftp_fault(FaultKind.drop, parse_packets("DATA 30"), file="zImage")
    boot(checks.state)
    with pytest.raises(ExpectationError) as error:
        checks.tftp_fault_should_have_happened(never)
    head, passed, left, *_ = str(error.value).splitlines()
    assert head == f"Fault {never} did not happen: drop DATA 30 of 'zImage'."
    assert "1 transfer passed by it: read request for 'zImage'" in passed
    assert "The file has no block 30" in left
    assert checks.tftp_fault_should_have_happened(never, times=0).hits == 0


def test_fault_that_happened_too_often_or_elsewhere_fails(
    checks: FaultCheckKeywords, faults: FaultKeywords
) -> None:
    lost = faults.inject_tftp_fault(FaultKind.drop, times=2)
    boot(checks.state)
    with pytest.raises(ExpectationError, match=f"Fault {lost} happened 2 times, expected 1"):
        checks.tftp_fault_should_have_happened(lost, times=1)
    with pytest.raises(ExpectationError, match=r"did not happen to 10\.0\.0\.1.*\n.*127\.0\.0\.1"):
        checks.tftp_fault_should_have_happened(lost, client="10.0.0.1")
    with pytest.raises(UsageError, match="neither an address nor a network"):
        checks.tftp_fault_should_have_happened(lost, client="board")


def test_fault_is_found_at_whichever_server_it_is(
    checks: FaultCheckKeywords, faults: FaultKeywords
) -> None:
    lost = faults.inject_tftp_fault(FaultKind.drop, DATA_3)
    ours = faults.inject_tftp_fault(FaultKind.drop, DATA_3, role=Role.client)
    checks.state.start("other", StartRequest(None, ServerSettings()))
    boot(checks.state, "dut")
    assert checks.tftp_fault_should_have_happened(lost).server == "dut"
    assert checks.tftp_fault_should_have_happened(ours, times=0).server == ""
    with pytest.raises(UsageError, match=f"There is no fault '{lost}'. Faults: none."):
        checks.tftp_fault_should_have_happened(lost, server="other")


def test_all_faults_should_have_happened_at_every_server_and_those_by_chance_need_not(
    checks: FaultCheckKeywords, faults: FaultKeywords
) -> None:
    lost = faults.inject_tftp_fault(FaultKind.drop, DATA_3)
    faults.inject_tftp_fault(FaultKind.drop, probability=Share(0.0))
    faults.inject_tftp_fault(FaultKind.drop, every=1000)
    boot(checks.state)
    assert checks.all_tftp_faults_should_have_happened()[0].id == lost
    checks.state.start("other", StartRequest(None, ServerSettings()))
    never = faults.inject_tftp_fault(FaultKind.drop, DATA_3)
    more = faults.deny_file("nope")
    with pytest.raises(ExpectationError) as error:
        checks.all_tftp_faults_should_have_happened()
    heads = [line for line in str(error.value).splitlines() if line.startswith("Fault")]
    assert heads == [
        f"Fault {never} did not happen: drop DATA 3.",
        f"Fault {more} did not happen: error 2 in answer to requests for 'nope'.",
    ]
    assert len(checks.all_tftp_faults_should_have_happened(server="dut")) == 3


def test_without_faults_all_have_happened(checks: FaultCheckKeywords) -> None:
    """It is a teardown of tests that inject none, too."""
    assert checks.all_tftp_faults_should_have_happened() == []


def test_wait_ends_when_the_fault_has_happened(
    checks: FaultCheckKeywords, faults: FaultKeywords
) -> None:
    lost = faults.inject_tftp_fault(FaultKind.drop, times=2)
    with pytest.raises(ExpectationError, match=f"Fault {lost} did not happen"):
        checks.wait_until_tftp_fault_has_happened(lost, timedelta(0))
    boot(checks.state)
    assert checks.wait_until_tftp_fault_has_happened(lost, timedelta(0), times=2).hits == 2
    with pytest.raises(ExpectationError, match="happened 2 times, expected 3"):
        checks.wait_until_tftp_fault_has_happened(lost, times=3)
    with pytest.raises(UsageError, match="times= must be 1 or more, got 0"):
        checks.wait_until_tftp_fault_has_happened(lost, times=0)


def test_faults_are_listed_for_all_servers_or_one(
    checks: FaultCheckKeywords, faults: FaultKeywords, log: pytest.LogCaptureFixture
) -> None:
    first = faults.inject_tftp_fault(FaultKind.drop, DATA_3)
    ours = faults.inject_tftp_fault(FaultKind.drop, role=Role.client)
    assert [each.id for each in checks.get_tftp_faults()] == [first, ours]
    assert log.messages[-1].splitlines()[0] == "2 faults"
    assert [each.id for each in checks.get_tftp_faults(server="dut")] == [first]


def test_clearing_ends_one_fault_or_all_and_warns_of_what_did_not_happen(
    checks: FaultCheckKeywords, faults: FaultKeywords, log: pytest.LogCaptureFixture
) -> None:
    first = faults.inject_tftp_fault(FaultKind.drop, DATA_3)
    faults.inject_tftp_fault(FaultKind.drop, role=Role.client, name="ours")
    faults.set_tftp_link_quality(loss=Share(0.5))
    boot_free = faults.deny_file("nope", times=1)
    assert checks.clear_tftp_faults(boot_free) == 1
    assert log.records[-1].levelname == "WARNING"
    assert log.messages[-1].startswith(f"Fault {boot_free} did not happen")
    assert checks.clear_tftp_faults() == 2
    assert checks.state.server().faults.links == ()
    assert checks.get_tftp_faults() == []
    with pytest.raises(UsageError, match=f"Fault {first} has ended"):
        checks.clear_tftp_faults(first)


SUITE = """
*** Settings ***
Library    TftpLibrary    host=127.0.0.1    port=0    timeout=0s    auto_stop=AUTO
Suite Setup    Begin

*** Test Cases ***
Forgets Two
    Inject TFTP Fault    drop    DATA 3    file=zImage    name=lost
    Inject TFTP Fault    drop    DATA 3    file=zimage    name=misspelled
    TFTP Get    ${SERVER.url}zImage    blksize=512
    @{faults}    Get TFTP Faults
    Length Should Be    ${faults}    3

Finds That Of The Suite
    TFTP Get    ${SERVER.url}zImage    blksize=512
    TFTP Fault Should Have Happened    of_suite    times=2
    @{faults}    Get TFTP Faults
    Length Should Be    ${faults}    1

*** Keywords ***
Begin
    ${SERVER}    Start TFTP Server
    VAR    ${SERVER}    ${SERVER}    scope=SUITE
    Create Test File    zImage    5000
    Inject TFTP Fault    duplicate    ACK last    name=of_suite    times=2
"""


def test_faults_end_with_the_test_and_warn_after_they_were_cleared(tmp_path: Path) -> None:
    result = run_suite(tmp_path, SUITE)
    assert failures(result) == {}
    told = [each.message for each in messages(result)]
    assert "Fault lost happened once (127.0.0.1 1): drop DATA 3 of 'zImage'" in told
    (warning,) = [each.message for each in result.errors]
    assert warning.startswith("Fault misspelled did not happen: drop DATA 3 of 'zimage'.\n")
    assert "Nearest: 'zImage' (completed, 5.0 kB)" in warning


def test_manual_stop_keeps_faults_until_they_are_cleared(tmp_path: Path) -> None:
    result = run_suite(tmp_path, SUITE.replace("AUTO", "MANUAL"))
    (message,) = failures(result).values()
    assert message.endswith("should be 1 but is 3.")
    assert not [*result.errors]
