"""Suites of Robot Framework that have their servers at a lab."""

from __future__ import annotations

import copy
import pickle
import socket
from pathlib import Path

import pytest
from robot.libdocpkg import LibraryDocumentation

from TftpLibrary import Download, Lab
from utest.support.labs import running_service
from utest.support.suites import failures, messages, run_suite

ROUNDS = 200
BOARD = '''
import socket

def load(port, name="zImage"):
    """Reads a file of one packet, and is gone with its last ACK."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as board:
        board.settimeout(5)
        board.sendto(b"\\0\\1" + name.encode() + b"\\0octet\\0", ("127.0.0.1", int(port)))
        _, peer = board.recvfrom(600)
        board.sendto(b"\\0\\4\\0\\1", peer)
'''


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """A library with a board."""
    path = tmp_path / "boards.py"
    path.write_text(BOARD, "utf-8")
    return path


def test_a_library_with_a_lab_opens_nothing_before_the_first_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = "*** Settings ***\nLibrary    TftpLibrary    lab=ssh://lab1\n*** Test Cases ***\n"
    start = "One\n    Start TFTP Server    alias=dut\n"

    def refuse(*_given: object) -> None:
        raise AssertionError("A way to a lab was opened.")

    monkeypatch.setattr("TftpLibrary.lab.runner.open_carrier", refuse)
    monkeypatch.setenv("TFTPLIBRARY_LAB", "ssh://lab2")
    assert not failures(run_suite(tmp_path / "dry", suite + start, dryrun=True))
    assert not failures(run_suite(tmp_path / "idle", f"{suite}One\n    No Operation\n"))
    assert LibraryDocumentation("TftpLibrary::lab=ssh://lab1").keywords
    assert "A way to a lab was opened" in str(failures(run_suite(tmp_path / "wet", suite + start)))


def test_a_download_before_the_test_never_counts_and_one_before_the_wait_always_does(
    board: Path, tmp_path: Path
) -> None:
    """Each test ends right after a download, and its wait begins right after another one."""
    tests = "".join(
        f"""
{number}
    File Should Not Have Been Requested    zImage
    Load    ${{server.port}}
    Wait Until File Is Downloaded    zImage    5s
    Load    ${{server.port}}
"""
        for number in range(ROUNDS)
    )
    with running_service() as (_, url):
        result = run_suite(
            tmp_path / "run",
            f"""
*** Settings ***
Library    TftpLibrary    host=127.0.0.1    port=0    lab={url}
Library    {board}
Suite Setup    Start
*** Keywords ***
Start
    ${{server}}    Start TFTP Server
    Upload Text    kernel    zImage
    VAR    ${{server}}    ${{server}}    scope=SUITE
*** Test Cases ***{tests}""",
        )
    assert failures(result) == {}
    assert result.statistics.total.passed == ROUNDS


def test_a_suite_has_servers_at_two_labs_on_one_time_axis(board: Path, tmp_path: Path) -> None:
    with running_service() as (_, one), running_service() as (_, other):
        result = run_suite(
            tmp_path / "run",
            f"""
*** Settings ***
Library    TftpLibrary    host=127.0.0.1    port=0    lab={one}
Library    {board}
*** Test Cases ***
Both
    ${{left}}    Start TFTP Server    alias=left
    Run Keyword And Expect Error    *'left'*
    ...    Start TFTP Server    alias=left    lab={other}    port=1
    ${{right}}    Start TFTP Server    alias=right    lab={other}
    FOR    ${{server}}    IN    ${{left}}    ${{right}}
        Upload Text    for the ${{server.alias}} board    zImage    server=${{server.alias}}
        Load    ${{server.port}}
        Wait Until File Is Downloaded    zImage    5s    server=${{server.alias}}
    END
    Should Be Equal    ${{left.lab}} ${{right.lab}}    {one} {other}
    Log Transfers
""",
        )
    assert failures(result) == {}
    tables = [each.message for each in messages(result) if each.message.count("zImage") > 1]
    assert any("left" in table and "right" in table for table in tables)


def test_results_are_those_of_this_machine() -> None:
    with running_service() as (_, url), Lab(url) as lab, lab.server() as server:
        stored = server.files.create("zImage", 300)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.sendto(b"\0\1zImage\0octet\0tsize\0000\0", (server.host, server.port))
            _, peer = asking.recvfrom(600)
            asking.sendto(b"\0\4\0\0", peer)
            asking.recv(600)
            asking.sendto(b"\0\4\0\1", peer)
        transfer = server.wait_until(Download("zImage"), timeout=5)
        results = (stored, transfer, server.settings, server.files.get("zImage"))
    assert stored.path is None
    assert type(transfer.granted).__name__ == "OptionValues"
    for result in results:
        assert pickle.loads(pickle.dumps(result)) == result
        assert copy.deepcopy(result) == result
