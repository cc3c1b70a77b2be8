from __future__ import annotations

import socket
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from robot.libdocpkg import LibraryDocumentation

from TftpLibrary.errors import UsageError
from TftpLibrary.keywords.conversions import AutoStop
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.library import TftpLibrary
from TftpLibrary.version import VERSION
from utest.support.suites import failures, messages, run_suite, run_suites
from utest.support.views import not_downloaded

IMPORT = """\
*** Settings ***
Library    TftpLibrary    host=127.0.0.1    port=0    timeout=5s
"""


def test_importing_opens_and_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("The import has a side effect.")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    TftpLibrary()


def test_the_library_tells_robot_framework_what_it_is() -> None:
    doc = LibraryDocumentation("TftpLibrary")
    assert (doc.version, doc.scope, doc.doc_format) == (VERSION, "GLOBAL", "ROBOT")
    assert {"Size", "Path", "StoredFile", "TftpServerInfo", "Transfer"} <= {
        info.name for info in doc.type_docs if info.type == "Custom"
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"port": 99999}, "port must be from 0 to 65535, got 99999"),
        ({"timeout": timedelta(seconds=-1)}, "timeout must be a time of 0 s or more"),
    ],
)
def test_a_wrong_argument_of_the_import_fails_at_the_import(
    arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        TftpLibrary(**arguments)  # type: ignore[arg-type]


def test_the_arguments_of_the_import_are_the_defaults_of_the_keywords(tmp_path: Path) -> None:
    """Seen from outside: the root, the port and the timeout."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "zImage").write_text("kernel")
    result = run_suite(
        tmp_path,
        f"""\
*** Settings ***
Library    TftpLibrary    host=127.0.0.1    port=0    root={root}    timeout=20ms

*** Test Cases ***
Defaults
    Start TFTP Server
    List Files    *    ==    zImage
    Get TFTP Server Host    ==    127.0.0.1
    Wait Until File Is Downloaded    zImage
""",
    )
    assert failures(result)["Defaults"].startswith(not_downloaded("zImage"))


def test_what_a_test_started_stops_with_the_test_and_what_a_suite_started_with_the_suite(
    tmp_path: Path,
) -> None:
    result = run_suites(
        tmp_path,
        {
            "1_first.robot": f"""{IMPORT}
Suite Setup    Start TFTP Server    alias=suite

*** Test Cases ***
Starts Another
    Start TFTP Server    alias=test
    Upload Text    hello    greeting.txt    server=suite
    Get TFTP Server    suite

Has Only That Of The Suite
    TFTP Server Should Be Running    suite
    TFTP Server Should Not Be Running    test
    TFTP File Should Exist    greeting.txt
""",
            "2_second.robot": f"""{IMPORT}
*** Test Cases ***
Has None
    TFTP Server Should Not Be Running
    Run Keyword And Expect Error
    ...    No TFTP server is running. Start one with `Start TFTP Server`.
    ...    Get Transfers    since=0
    Start TFTP Server    alias=suite
    ${{names}}=    List Files
    Should Be Empty    ${{names}}
    Get Transfer Count    *    ==    0
""",
        },
    )
    assert failures(result) == {}


def test_servers_stop_also_after_a_failure(tmp_path: Path) -> None:
    result = run_suite(
        tmp_path,
        f"""{IMPORT}
*** Test Cases ***
Fails
    Start TFTP Server
    Fail    On purpose

Finds Nothing Running
    TFTP Server Should Not Be Running
""",
    )
    assert failures(result) == {"Fails": "On purpose"}


def test_manual_stop_keeps_servers_to_the_end_of_the_run(tmp_path: Path) -> None:
    text = """\
*** Settings ***
Library    TftpLibrary    host=127.0.0.1    port=0    auto_stop=MANUAL

*** Test Cases ***
"""
    start = "Starts\n    Start TFTP Server    alias=dut\n"
    check = "Finds It Running\n    TFTP Server Should Be Running    dut\n"
    result = run_suites(tmp_path, {"1_a.robot": text + start, "2_b.robot": text + check})
    # That the end of the run stopped it is checked by the fixture that looks for threads.
    assert failures(result) == {}


def test_a_suite_setup_of_a_folder_serves_all_its_suites(tmp_path: Path) -> None:
    child = f"{IMPORT}\n*** Test Cases ***\nUses It\n    TFTP Server Should Be Running    all\n"
    result = run_suites(
        tmp_path,
        {
            "boot/__init__.robot": f"{IMPORT}Suite Setup    Start TFTP Server    alias=all\n",
            "boot/1_a.robot": child,
            "boot/2_b.robot": child,
            "other.robot": f"{IMPORT}\n*** Test Cases ***\nFinds Nothing\n"
            "    TFTP Server Should Not Be Running\n",
        },
    )
    assert failures(result) == {}


def test_a_test_begins_with_a_mark_of_its_own(tmp_path: Path) -> None:
    get = "TFTP Get    127.0.0.1    a.txt    port=${PORT}"
    result = run_suite(
        tmp_path,
        f"""{IMPORT}
Suite Setup    Boot Once
Suite Teardown    Get Transfer Count    a.txt    ==    2

*** Test Cases ***
Sees What It Did Itself
    Get Transfer Count    a.txt    ==    0
    {get}
    Wait Until File Is Downloaded    a.txt
    Get Transfer Count    a.txt    ==    1

Does Not See What The Test Before Did
    Get Transfer Count    a.txt    ==    0
    Get Transfer Count    a.txt    ==    2    since=0
    Run Keyword And Expect Error    'a.txt' *: it was requested before the mark only*
    ...    Wait Until File Is Downloaded    a.txt    0s

*** Keywords ***
Boot Once
    ${{server}}=    Start TFTP Server
    VAR    ${{PORT}}    ${{server.port}}    scope=SUITE
    Upload Text    hello    a.txt
    {get}
    Wait Until File Is Downloaded    a.txt
""",
    )
    assert failures(result) == {}
    assert result.suite.passed, result.suite.full_message
    # Without a destination a file goes to the output folder.
    assert (tmp_path / "a.txt").read_text() == "hello"


def test_a_dry_run_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("A dry run starts a server.")

    monkeypatch.setattr(LibraryState, "start", refuse)
    result = run_suite(
        tmp_path,
        f"{IMPORT}\n*** Test Cases ***\nBoots\n    Start TFTP Server    alias=dut\n"
        "    Wait Until File Is Downloaded    zImage    1h\n",
        dryrun=True,
    )
    assert failures(result) == {}


def test_wrong_arguments_say_what_would_be_right(tmp_path: Path) -> None:
    result = run_suite(
        tmp_path,
        f"""{IMPORT}
*** Test Cases ***
Port
    Start TFTP Server    port=99999
Rollover
    Start TFTP Server    rollover=2
Limit
    Start TFTP Server    max_upload_size=much
Block
    Start TFTP Server    max_blksize=big
Outcome
    Start TFTP Server
    Get Transfers    outcome=good
Content
    Start TFTP Server
    Create Test File    a.bin    1    content=noise
Size
    Start TFTP Server
    Create Test File    a.bin    much
Time
    Start TFTP Server
    Wait Until File Is Downloaded    zImage    -5s
Root
    Start TFTP Server    ${{CURDIR}}/suite.robot
""",
    )
    found = failures(result)
    assert found["Port"] == "port must be from 0 to 65535, got 99999 (0 takes a free one)."
    size = "expected a size such as 1468, 512 kB or 4 MiB"
    outcomes = "completed, refused, probed, failed, timed_out, unconfirmed or aborted"
    assert found["Rollover"] == "rollover: expected 0 or 1, got '2'."
    assert found["Limit"] == f"max_upload_size: {size} or unlimited, got 'much'."
    assert found["Block"] == f"max_blksize: {size}, got 'big'."
    assert found["Outcome"] == f"outcome: expected {outcomes}, got 'good'."
    assert found["Content"] == "content: expected random, zeros, text or count, got 'noise'."
    assert found["Size"] == f"size: {size}, got 'much'."
    assert found["Time"] == "timeout must be a time of 0 s or more, got -5 s."
    assert "suite.robot' is a file. Expected a folder." in found["Root"]


def test_arguments_are_converted(tmp_path: Path) -> None:
    result = run_suite(
        tmp_path,
        f"""{IMPORT}
*** Test Cases ***
Converts
    VAR    @{{clients}}    127.0.0.0/8    ::1
    Start TFTP Server    ${{EMPTY}}    max_upload_size=4 MiB    timeout=500ms
    ...    clients=${{clients}}    refuse_options=tsize, windowsize
    ...    rollover=1    retransmission=Fixed
    Start TFTP Server    max_upload_size=unlimited    clients=127.0.0.1
    ${{file}}=    Create Test File    a.bin    1 KiB    content=ZEROS
    Should Be Equal    ${{file.size}}    ${{1024}}
    ${{old}}=    Set TFTP Server Options    max_upload_size=1 kB    clients=${{EMPTY}}
    Should Be Equal    ${{old}}[max_upload_size]    unlimited
    Set TFTP Server Options    &{{old}}
""",
    )
    assert failures(result) == {}


def test_a_keyword_timeout_gets_through_a_wait(tmp_path: Path) -> None:
    result = run_suite(
        tmp_path,
        f"""{IMPORT}
*** Test Cases ***
Waits
    [Timeout]    300ms
    Start TFTP Server
    Wait Until File Is Downloaded    zImage    1h
""",
    )
    assert failures(result) == {"Waits": "Test timeout 300 milliseconds exceeded."}


def test_a_name_that_is_no_text_leaves_the_log_readable(tmp_path: Path) -> None:
    """A lone surrogate, or a script, must not reach the log."""
    result = run_suite(
        tmp_path,
        f"""{IMPORT}
*** Test Cases ***
Asks For Odd Names
    ${{server}}=    Start TFTP Server
    Ask    ${{server.port}}    ${{{{ b'\\\\xff\\\\x01<script>alert(1)</script>' }}}}
    Get Transfer Count    *    ==    1    outcome=refused
    Log Transfers
    Wait Until File Is Downloaded    zImage    0s

*** Keywords ***
Ask
    [Arguments]    ${{port}}    ${{name}}
    ${{request}}=    Evaluate    b'\\\\0\\\\1' + $name + b'\\\\0octet\\\\0'
    VAR    ${{sock}}    ${{{{ socket.socket(socket.AF_INET, socket.SOCK_DGRAM) }}}}
    Call Method    ${{sock}}    settimeout    ${{5}}
    Evaluate    $sock.sendto($request, ('127.0.0.1', $port))
    Evaluate    $sock.recv(600)
    Call Method    ${{sock}}    close
""",
    )
    (message,) = failures(result).values()
    assert "\\xff\\x01<script>" in message
    shown = "<bdi>\\xff\\x01&lt;script&gt;alert(1)&lt;/script&gt;</bdi>"
    # The card, the table that the test asked for, and the one of its failure.
    assert sum(shown in entry.message for entry in messages(result) if entry.html) == 3


def test_automatic_stop_is_the_default() -> None:
    assert TftpLibrary().get_keyword_names()
    assert [member.name for member in AutoStop] == ["auto", "manual"]
