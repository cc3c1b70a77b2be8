from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from assertionengine import AssertionOperator

from TftpLibrary.errors import ExpectationError, TftpError, UsageError
from TftpLibrary.keywords.conversions import to_size
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.keywords.transfers import TransferKeywords
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Outcome, Transfer
from utest.support.records import completed, ended, partial, refused, transfer
from utest.support.waiting import seconds

EQUAL = AssertionOperator["=="]
LONG = timedelta(seconds=20)
"""A wait that a test would notice."""
Record = Callable[[Transfer], None]


@pytest.fixture
def keywords(started: LibraryState) -> TransferKeywords:
    return TransferKeywords(started)


@pytest.fixture
def record(started: LibraryState) -> Record:
    """Writes into the record of the server as the engine does."""

    def write(seen: Transfer) -> None:
        number = started.recorder.opened(replace(seen, server="dut", outcome=None, ended=None))
        if seen.outcome is not None:
            started.recorder.ended(replace(seen, server="dut", id=number))

    return write


def test_a_download_that_is_over_is_found_at_once(
    keywords: TransferKeywords, record: Record, log: pytest.LogCaptureFixture
) -> None:
    record(completed("boot/zImage", duration=2.0))
    found = keywords.wait_until_file_is_downloaded("/boot/zImage")
    assert (found.filename, found.outcome) == ("boot/zImage", Outcome.completed)
    assert log.messages == [
        "RRQ 'boot/zImage', 192.168.1.50:50312: completed, 7.8 MB in 2 s (3.9 MB/s)"
    ]


def test_a_wait_is_ended_by_a_download(keywords: TransferKeywords, record: Record) -> None:
    board = threading.Timer(0.05, record, [completed("zImage")])
    board.start()
    try:
        found = keywords.wait_until_file_is_downloaded("zImage", timedelta(seconds=seconds(5)))
        assert found.filename == "zImage"
    finally:
        board.join()


def test_the_last_of_several_downloads_is_returned(
    keywords: TransferKeywords, record: Record
) -> None:
    record(completed("a.dtb"))
    record(completed("b.dtb"))
    record(completed("c.dtb"))
    assert keywords.wait_until_file_is_downloaded("*.dtb", times=2).filename == "b.dtb"


def test_only_the_client_that_is_meant_counts(keywords: TransferKeywords, record: Record) -> None:
    record(completed(client="192.168.1.51"))
    assert keywords.wait_until_file_is_downloaded("zImage", client="192.168.1.0/24")
    with pytest.raises(ExpectationError, match="only other clients asked for it: 192.168.1.51"):
        keywords.wait_until_file_is_downloaded("zImage", client="192.168.1.50")


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        (refused(), "it was requested and refused: file not found."),
        (ended("zImage", Outcome.probed, size=7_800_000), "only its size was asked."),
        (partial(idle=12.0), "41 % (3.2 of 7.8 MB), block 2210, idle for 12 s."),
        (completed(direction=Direction.write), "the board sent it (WRQ)"),
    ],
)
def test_a_wait_that_fails_tells_the_nearest_miss(
    keywords: TransferKeywords, record: Record, seen: Transfer, text: str
) -> None:
    record(seen)
    with pytest.raises(ExpectationError) as caught:
        keywords.wait_until_file_is_downloaded("zImage", client="192.168.1.50")
    message = str(caught.value)
    assert message.startswith(f"'zImage' was not downloaded from 192.168.1.50 in 0 ms: {text}")
    assert "\nRequests seen: 1 " in message


def test_a_wait_that_fails_tells_which_file_of_the_store_is_like_it(
    keywords: TransferKeywords, record: Record
) -> None:
    keywords.state.server().files.upload_bytes(b"", "zImage")
    record(refused("zimage"))
    with pytest.raises(ExpectationError, match="The store has 'zImage'."):
        keywords.wait_until_file_is_downloaded("zimage")


def test_a_wait_without_any_request_says_so(keywords: TransferKeywords) -> None:
    with pytest.raises(ExpectationError, match="No request was seen since the mark."):
        keywords.wait_until_file_is_downloaded("zImage")


def test_a_download_before_the_mark_does_not_count(
    keywords: TransferKeywords, record: Record
) -> None:
    record(completed())
    mark = keywords.mark_transfers()
    with pytest.raises(ExpectationError):
        keywords.wait_until_file_is_downloaded("zImage")
    assert keywords.wait_until_file_is_downloaded("zImage", since=0)
    record(completed())
    assert keywords.wait_until_file_is_downloaded("zImage", since=mark)


def test_a_wait_for_a_server_that_was_stopped_does_not_last(
    keywords: TransferKeywords, record: Record
) -> None:
    record(completed())
    keywords.state.stop()
    began = time.monotonic()
    assert keywords.wait_until_file_is_downloaded("zImage", LONG)
    with pytest.raises(ExpectationError, match="TFTP server 'dut' is stopped, so there was no"):
        keywords.wait_until_file_is_downloaded("Image", LONG)
    assert time.monotonic() - began < LONG.total_seconds() / 2


def test_a_wait_needs_a_server(state: LibraryState) -> None:
    with pytest.raises(UsageError, match="Start one with `Start TFTP Server`."):
        TransferKeywords(state).wait_until_file_is_downloaded("zImage")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"times": 0}, "Expected times to be 1 or more, got 0."),
        ({"timeout": timedelta(seconds=-1)}, "Expected timeout to be a time of 0 s or more"),
        ({"client": "the board"}, "client='the board' is neither an address nor a network"),
        ({"server": "x"}, "No TFTP server 'x'. Running: dut."),
    ],
)
def test_wrong_arguments_of_a_wait_fail_at_once(
    keywords: TransferKeywords, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        keywords.wait_until_file_is_downloaded("zImage", **arguments)


def test_an_exception_of_our_own_ends_the_wait_for_its_transfer(
    keywords: TransferKeywords, record: Record
) -> None:
    record(ended("zImage", Outcome.failed, detail="Traceback: oops"))
    with pytest.raises(TftpError, match="ended the transfer of 'zImage'. .*\nTraceback: oops"):
        keywords.wait_until_file_is_downloaded("zImage", LONG)


def test_an_upload_is_received(keywords: TransferKeywords, record: Record) -> None:
    record(completed("board.log", octets=10, direction=Direction.write))
    assert keywords.wait_until_file_is_received("*.log").octets == 10
    with pytest.raises(ExpectationError) as caught:
        keywords.wait_until_file_is_received("board.log", min_size=to_size("1 kB"))
    assert str(caught.value).startswith(
        "'board.log' was not received in 0 ms: it came with 10 octets only, of at least 1.0 kB."
    )


def test_a_download_is_no_upload(keywords: TransferKeywords, record: Record) -> None:
    record(completed("board.log"))
    with pytest.raises(ExpectationError, match="the board asked for it"):
        keywords.wait_until_file_is_received("board.log")


@pytest.fixture
def boot(record: Record) -> None:
    """What a board did: two misses, one file, and another one that runs."""
    record(refused("pxelinux.cfg/01"))
    record(refused("pxelinux.cfg/0A"))
    record(completed("zImage"))
    record(partial("initrd", client="192.168.1.51"))


@pytest.mark.usefixtures("boot")
@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({}, ["pxelinux.cfg/01", "pxelinux.cfg/0A", "zImage", "initrd"]),
        ({"name": "pxelinux.cfg/*"}, ["pxelinux.cfg/01", "pxelinux.cfg/0A"]),
        ({"outcome": Outcome.completed}, ["zImage"]),
        ({"client": "192.168.1.51"}, ["initrd"]),
        ({"name": "x"}, []),
    ],
)
def test_transfers_are_listed_and_counted(
    keywords: TransferKeywords, arguments: dict[str, Any], names: list[str]
) -> None:
    assert [seen.filename for seen in keywords.get_transfers(**arguments)] == names
    assert keywords.get_transfer_count(**arguments) == len(names)


@pytest.mark.usefixtures("boot")
def test_the_count_is_checked(keywords: TransferKeywords) -> None:
    keywords.get_transfer_count("*", EQUAL, "2", outcome=Outcome.refused)
    with pytest.raises(AssertionError, match=r"Transfers: '4' .* should be '0.0'"):
        keywords.get_transfer_count("", EQUAL, "0")


@pytest.mark.usefixtures("boot")
def test_transfers_are_logged_as_a_table(
    keywords: TransferKeywords, log: pytest.LogCaptureFixture
) -> None:
    keywords.log_transfers("*Image")
    (table,) = log.messages
    assert table.count("<tr>") == 2
    assert "<td>zImage</td> <td>completed, 7.8 MB</td>" in table


def test_what_clients_did_is_logged_too(state: LibraryState, log: pytest.LogCaptureFixture) -> None:
    state.recorder.opened(transfer("running-config"))
    TransferKeywords(state).log_transfers()
    assert "<td>running-config</td>" in log.messages[0]


def test_no_transfers_are_logged_in_words(
    keywords: TransferKeywords, log: pytest.LogCaptureFixture
) -> None:
    keywords.log_transfers(server="dut")
    assert log.messages == ["No transfers since the mark."]
