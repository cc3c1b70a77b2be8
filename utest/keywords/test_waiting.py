from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from TftpLibrary.errors import ExpectationError, TftpError, UsageError
from TftpLibrary.keywords.conversions import to_size
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.keywords.waiting import WaitingKeywords
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Transfer
from utest.support.records import completed, ended, partial, refused
from utest.support.views import not_downloaded
from utest.support.waiting import seconds

LONG = timedelta(seconds=20)
"""A wait that a test would notice."""
Record = Callable[[Transfer], None]


@pytest.fixture
def keywords(started: LibraryState) -> WaitingKeywords:
    return WaitingKeywords(started)


def test_a_download_that_is_over_is_found_at_once(
    keywords: WaitingKeywords, record: Record, log: pytest.LogCaptureFixture
) -> None:
    record(completed("boot/zImage", duration=2.0))
    found = keywords.wait_until_file_is_downloaded("/boot/zImage")
    assert (found.filename, found.outcome) == ("boot/zImage", Outcome.completed)
    assert log.messages == [
        "read request for 'boot/zImage' from 192.168.1.50:50312: completed, 7.8 MB in 2 s "
        "(3.9 MB/s)"
    ]


def test_a_wait_is_ended_by_a_download(keywords: WaitingKeywords, record: Record) -> None:
    board = threading.Timer(0.05, record, [completed("zImage")])
    board.start()
    try:
        found = keywords.wait_until_file_is_downloaded("zImage", timedelta(seconds=seconds(5)))
        assert found.filename == "zImage"
    finally:
        board.join()


def test_the_last_of_several_downloads_is_returned(
    keywords: WaitingKeywords, record: Record
) -> None:
    record(completed("a.dtb"))
    record(completed("b.dtb"))
    record(completed("c.dtb"))
    assert keywords.wait_until_file_is_downloaded("*.dtb", times=2).filename == "b.dtb"


def test_only_the_client_that_is_meant_counts(keywords: WaitingKeywords, record: Record) -> None:
    record(completed(client="192.168.1.51"))
    assert keywords.wait_until_file_is_downloaded("zImage", client="192.168.1.0/24")
    with pytest.raises(ExpectationError, match="only other clients asked for it: 192.168.1.51"):
        keywords.wait_until_file_is_downloaded("zImage", client="192.168.1.50")


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        (refused(), "it was requested and refused: file not found."),
        (ended("zImage", Outcome.probed, size=7_800_000), "only its size was asked."),
        (partial(idle=12.0), "41 % (3.2 of 7.8 MB), block 2210, silent for 12 s."),
        (completed(direction=Direction.write), "the board sent it (write request)"),
    ],
)
def test_a_wait_that_fails_tells_the_nearest_miss(
    keywords: WaitingKeywords, record: Record, seen: Transfer, text: str
) -> None:
    record(seen)
    with pytest.raises(ExpectationError) as caught:
        keywords.wait_until_file_is_downloaded("zImage", client="192.168.1.50")
    message = str(caught.value)
    assert message.startswith(f"{not_downloaded('zImage', '192.168.1.50')} in 0 ms: {text}")
    assert f"\nRequests seen at {keywords.state.server().bound}: 1 " in message


def test_a_wait_that_fails_tells_which_file_of_the_store_is_like_it(
    keywords: WaitingKeywords, record: Record
) -> None:
    keywords.state.server().files.upload_bytes(b"", "zImage")
    record(refused("zimage"))
    with pytest.raises(ExpectationError, match="The store has 'zImage'."):
        keywords.wait_until_file_is_downloaded("zimage")


def test_a_wait_without_any_request_says_so(keywords: WaitingKeywords) -> None:
    with pytest.raises(
        ExpectationError, match=r"No request was seen at 127.0.0.1:\d+ since the mark."
    ):
        keywords.wait_until_file_is_downloaded("zImage")


def test_a_download_before_the_mark_does_not_count(
    keywords: WaitingKeywords, record: Record
) -> None:
    record(completed())
    mark = keywords.state.set_mark()
    with pytest.raises(ExpectationError):
        keywords.wait_until_file_is_downloaded("zImage")
    assert keywords.wait_until_file_is_downloaded("zImage", since=0)
    record(completed())
    assert keywords.wait_until_file_is_downloaded("zImage", since=mark)


def test_a_wait_names_what_came_before_the_mark(keywords: WaitingKeywords, record: Record) -> None:
    record(completed())
    keywords.state.set_mark()
    with pytest.raises(ExpectationError) as error:
        keywords.wait_until_file_is_downloaded("zImage")
    assert (
        ": it was requested before the mark only (completed, 7.8 MB). If that one counts, set the "
        "mark earlier (`Mark Transfers`, since=); if not, look at the board's power and console.\n"
    ) in str(error.value)


@pytest.mark.parametrize("since", [-1, 999])
def test_a_mark_that_was_never_set_is_refused(keywords: WaitingKeywords, since: int) -> None:
    with pytest.raises(UsageError) as error:
        keywords.wait_until_file_is_downloaded("zImage", since=since)
    assert str(error.value) == (
        "since: expected a mark that `Mark Transfers` returned, or 0 for the start of the run, got "
        f"{since}."
    )


@pytest.mark.parametrize("name", ["60s", "1.5 min", "500 ms"])
def test_a_time_among_the_names_is_refused_before_the_wait(
    keywords: WaitingKeywords, name: str
) -> None:
    with pytest.raises(UsageError) as error:
        keywords.wait_until_files_are_downloaded("zImage", name)
    assert str(error.value) == (
        f"'{name}' is a time in the place of a name. Write timeout={name}; for a file of that name "
        f"write [{name[0]}]{name[1:]}"
    )


def test_a_file_may_be_named_like_a_time(keywords: WaitingKeywords, record: Record) -> None:
    record(completed("60s"))
    assert keywords.wait_until_files_are_downloaded("[6]0s")
    assert keywords.wait_until_files_are_downloaded("60s", timeout=LONG)


def test_a_wait_for_a_server_that_was_stopped_does_not_last(
    keywords: WaitingKeywords, record: Record
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
        WaitingKeywords(state).wait_until_file_is_downloaded("zImage")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"times": 0}, "Expected times to be 1 or more, got 0."),
        ({"timeout": timedelta(seconds=-1)}, "timeout must be a time of 0 s or more"),
        ({"client": "the board"}, "client='the board' is neither an address nor a network"),
        ({"server": "x"}, "No TFTP server 'x'. Running: dut."),
    ],
)
def test_wrong_arguments_of_a_wait_fail_at_once(
    keywords: WaitingKeywords, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        keywords.wait_until_file_is_downloaded("zImage", **arguments)


def test_an_exception_of_our_own_ends_the_wait_for_its_transfer(
    keywords: WaitingKeywords, record: Record
) -> None:
    record(ended("zImage", Outcome.failed, traceback="Traceback: oops"))
    with pytest.raises(TftpError, match="ended the transfer of 'zImage'. .*\nTraceback: oops"):
        keywords.wait_until_file_is_downloaded("zImage", LONG)


def test_an_upload_is_received(keywords: WaitingKeywords, record: Record) -> None:
    record(completed("board.log", octets=10, direction=Direction.write))
    assert keywords.wait_until_file_is_received("*.log").octets == 10
    with pytest.raises(ExpectationError) as caught:
        keywords.wait_until_file_is_received("board.log", min_size=to_size("1 kB"))
    assert str(caught.value).startswith(
        "'board.log' was not received in 0 ms: it came with 10 bytes only, of at least 1.0 kB."
    )


def test_a_download_is_no_upload(keywords: WaitingKeywords, record: Record) -> None:
    record(completed("board.log"))
    with pytest.raises(ExpectationError, match="the board asked for it"):
        keywords.wait_until_file_is_received("board.log")


@pytest.mark.parametrize(
    "seen", [refused(), partial(), completed(direction=Direction.write)], ids=["no", "yes", "write"]
)
def test_a_request_counts_whatever_comes_of_it(
    keywords: WaitingKeywords, record: Record, seen: Transfer
) -> None:
    record(refused("other"))
    record(seen)
    record(completed())
    assert keywords.wait_until_file_is_requested("z*", client="192.168.1.0/24").id == 2


def test_a_wait_is_woken_by_the_request_itself(
    keywords: WaitingKeywords, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transfer runs on: the wait is not for its end."""
    monkeypatch.setattr("TftpLibrary.recording.recorder.SLICE", 30.0)
    board = threading.Timer(0.05, record, [partial()])
    begun = time.monotonic()
    board.start()
    try:
        assert keywords.wait_until_file_is_requested("zImage", LONG).is_running
        assert time.monotonic() - begun < seconds(5)
    finally:
        board.join()


def test_a_wait_for_a_request_tells_what_was_asked_instead(
    keywords: WaitingKeywords, record: Record
) -> None:
    record(refused("zimage"))
    with pytest.raises(ExpectationError) as caught:
        keywords.wait_until_file_is_requested("zImage", timedelta(0))
    assert str(caught.value) == (
        "'zImage' was not requested in 0 ms: no such name was requested, the nearest: 'zimage' "
        "(file not found). Names match exactly, with case and folders, or as a glob such as "
        "'*/zImage'.\n"
        f"Requests seen at {keywords.state.server().bound}: 1 read request for 'zimage' from "
        "192.168.1.50: file not found."
    )


@pytest.mark.parametrize("hours", [-1, 0, 1], ids=["set back", "not set", "set forward"])
def test_idle_is_measured_whatever_the_clock_was_set_to_since(
    keywords: WaitingKeywords, record: Record, hours: int
) -> None:
    """A clock that was set back an hour makes an end look an hour ahead, and the reverse."""
    record(completed(ended=datetime.now().astimezone() - timedelta(hours=hours)))
    begun = time.monotonic()
    with pytest.raises(ExpectationError, match="were not idle for 30 s in 0 ms: the last one was"):
        keywords.wait_until_transfers_are_idle(timedelta(seconds=30), timedelta(0))
    keywords.wait_until_transfers_are_idle(timedelta(seconds=0.2), LONG)
    assert time.monotonic() - begun < LONG.total_seconds() / 2
    # The time before the call counts too.
    keywords.wait_until_transfers_are_idle(timedelta(seconds=0.2), timedelta(0))


def test_idle_begins_when_the_last_transfer_ends(keywords: WaitingKeywords, record: Record) -> None:
    state = keywords.state
    record(partial())

    def finish() -> None:
        (running,) = state.recorder.transfers()
        state.recorder.ended(
            completed(id=running.id, server="dut", ended=datetime.now().astimezone())
        )

    board = threading.Timer(0.2, finish)
    begun = time.monotonic()
    board.start()
    try:
        keywords.wait_until_transfers_are_idle(timedelta(seconds=0.3), LONG)
        assert 0.5 <= time.monotonic() - begun < LONG.total_seconds() / 2
    finally:
        board.join()


def test_idle_without_any_transfer_counts_from_the_call(keywords: WaitingKeywords) -> None:
    begun = time.monotonic()
    keywords.wait_until_transfers_are_idle(timedelta(seconds=0.2), LONG)
    assert 0.2 <= time.monotonic() - begun < LONG.total_seconds() / 2


def test_a_transfer_of_another_board_does_not_count(
    keywords: WaitingKeywords, record: Record
) -> None:
    record(partial(client="192.168.1.51"))
    keywords.wait_until_transfers_are_idle(timedelta(0), timedelta(0), client="192.168.1.50")
    with pytest.raises(ExpectationError, match="'zImage' from 192.168.1.51 is running, 41 %"):
        keywords.wait_until_transfers_are_idle(timedelta(0.01), timedelta(0))


def test_a_negative_time_without_transfers_cannot_be(keywords: WaitingKeywords) -> None:
    with pytest.raises(UsageError, match="idle must be a time of 0 s or more"):
        keywords.wait_until_transfers_are_idle(timedelta(seconds=-1))


def test_a_long_wait_tells_on_a_terminal_how_far_it_is(
    keywords: WaitingKeywords, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("TftpLibrary.keywords.reporting.WAIT_PAUSE", 0.05)
    monkeypatch.setattr("TftpLibrary.keywords.reporting._terminal", lambda: "stdout")
    monkeypatch.setattr("robot.api.logger.console", lambda text, **_: told.append(text))
    record(partial())
    with pytest.raises(ExpectationError):
        keywords.wait_until_file_is_downloaded("zImage", timedelta(seconds=0.3))
    assert told[0] == "\nzImage 41 % 3.2/7.8 MB 67.6 kB/s from 192.168.1.50"


def test_several_downloads_are_returned_in_the_order_of_the_names(
    keywords: WaitingKeywords, record: Record, log: pytest.LogCaptureFixture
) -> None:
    record(completed("b.dtb"))
    record(completed("zImage"))
    found = keywords.wait_until_files_are_downloaded("zImage", "*.dtb")
    assert [transfer.filename for transfer in found] == ["zImage", "b.dtb"]
    assert len(log.messages) == 2
    with pytest.raises(ExpectationError, match=r"^2 of 3 files were not downloaded in 0 ms:"):
        keywords.wait_until_files_are_downloaded("zImage", "a", "b")
    with pytest.raises(UsageError, match="at least one file"):
        keywords.wait_until_files_are_downloaded()


def test_a_wait_ends_at_once_when_the_file_is_refused_if_that_is_asked(
    keywords: WaitingKeywords, record: Record
) -> None:
    record(refused())
    record(refused("core", direction=Direction.write))
    waits: list[Callable[[], object]] = [
        lambda: keywords.wait_until_file_is_downloaded("zImage", LONG, fail_fast=True),
        lambda: keywords.wait_until_files_are_downloaded(
            "a", "zImage", timeout=LONG, fail_fast=True
        ),
        lambda: keywords.wait_until_file_is_received("core", LONG, fail_fast=True),
    ]
    begun = time.monotonic()
    for wait in waits:
        with pytest.raises(ExpectationError) as caught:
            wait()
        assert "it was requested and refused: file not found." in str(caught.value)
        assert str(caught.value).endswith("With fail_fast=True the wait ended at once.")
    assert time.monotonic() - begun < LONG.total_seconds() / 2


def test_the_default_timeout_is_set_and_the_one_before_returned(keywords: WaitingKeywords) -> None:
    before = keywords.set_tftp_timeout(timedelta(milliseconds=20))
    assert before == timedelta(0)
    with pytest.raises(ExpectationError, match="was not requested in 20 ms"):
        keywords.wait_until_file_is_requested("zImage")
    assert keywords.set_tftp_timeout(before) == timedelta(milliseconds=20)
