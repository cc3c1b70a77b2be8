from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from TftpLibrary.errors import ExpectationError, UsageError
from TftpLibrary.keywords.assertions import AssertionKeywords
from TftpLibrary.keywords.conversions import to_rate, to_size
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.messages.differences import Match
from TftpLibrary.protocol.packets import Mode
from TftpLibrary.recording.records import Transfer
from utest.support.records import completed, refused
from utest.support.views import not_downloaded

Record = Callable[[Transfer], None]
OTHER = "192.168.1.51"


@pytest.fixture
def keywords(started: LibraryState) -> AssertionKeywords:
    return AssertionKeywords(started)


def test_a_download_is_asserted(keywords: AssertionKeywords, record: Record) -> None:
    record(completed())
    keywords.file_should_have_been_downloaded("zImage", client="192.168.1.50", times=1)
    with pytest.raises(ExpectationError, match=f"^{not_downloaded('zImage')}: only 1 of 2 times"):
        keywords.file_should_have_been_downloaded("zImage", times=2)
    with pytest.raises(ExpectationError, match="only other clients asked for it"):
        keywords.file_should_have_been_downloaded("zImage", client=OTHER)


def test_a_missing_download_tells_what_the_store_has(
    keywords: AssertionKeywords, record: Record
) -> None:
    keywords.state.server().files.upload_bytes(b"", "zImage")
    record(refused("zimage"))
    with pytest.raises(ExpectationError, match="The store has 'zImage'."):
        keywords.file_should_have_been_downloaded("zimage")
    with pytest.raises(ExpectationError, match="the store has 'zImage'"):
        keywords.no_requested_file_should_be_missing()


@pytest.mark.parametrize("times", [0, -1])
def test_no_download_is_asserted_with_another_keyword(
    keywords: AssertionKeywords, times: int
) -> None:
    with pytest.raises(UsageError, match="`File Should Not Have Been Requested` is for none."):
        keywords.file_should_have_been_downloaded("zImage", times=times)


def test_an_unwanted_request_fails(keywords: AssertionKeywords, record: Record) -> None:
    record(refused("zImage"))
    keywords.file_should_not_have_been_requested("*", client=OTHER)
    with pytest.raises(ExpectationError, match="^'z\\*' was requested once, expected never."):
        keywords.file_should_not_have_been_requested("z*")


def test_requests_are_compared(keywords: AssertionKeywords, record: Record) -> None:
    record(refused("a"))
    record(completed("b", client=OTHER))
    keywords.requests_should_be("a", "b")
    keywords.requests_should_be("b", client=OTHER)
    keywords.requests_should_be("b", match=Match.in_order)
    keywords.requests_should_be("b", "a", match=Match.subset)
    with pytest.raises(ExpectationError, match="1 missing, 1 too many.\n  expected  seen\n! b    "):
        keywords.requests_should_be("b", "a")


def test_requests_without_a_name_are_none_and_not_any(
    keywords: AssertionKeywords, record: Record
) -> None:
    keywords.requests_should_be()
    record(completed("a"))
    with pytest.raises(ExpectationError, match="1 too many"):
        keywords.requests_should_be()
    for match in (Match.subset, Match.in_order):
        with pytest.raises(UsageError, match=f"match={match.name} needs the name of at least one"):
            keywords.requests_should_be(match=match)


@pytest.mark.parametrize("ignore", ["pxe*, x", ["pxe*", "x"]])
def test_missing_files_may_be_ignored(
    keywords: AssertionKeywords, record: Record, ignore: Any
) -> None:
    record(refused("pxelinux.cfg/01"))
    record(refused("x"))
    keywords.no_requested_file_should_be_missing(ignore=ignore)
    keywords.no_requested_file_should_be_missing(client=OTHER)
    with pytest.raises(ExpectationError, match="^2 requested files were missing: "):
        keywords.no_requested_file_should_be_missing()


def test_what_a_transfer_used_is_asserted(
    keywords: AssertionKeywords, record: Record, log: pytest.LogCaptureFixture
) -> None:
    record(completed(duration=2.0, granted={"blksize": "1468"}))
    found = keywords.transfer_should_have_used(
        "zImage",
        blksize=to_size("1468"),
        windowsize=1,
        mode=Mode.octet,
        max_retransmits=0,
        max_duration=timedelta(seconds=2),
        min_rate=to_rate("3.9 MB/s"),
    )
    assert found.filename == "zImage"
    assert len(log.messages) == 1
    with pytest.raises(ExpectationError, match="rate: expected 4.0 MB/s or more, was 3.9 MB/s$"):
        keywords.transfer_should_have_used("zImage", min_rate=to_rate("4 MB/s"))


def test_a_transfer_that_is_not_there_used_nothing(keywords: AssertionKeywords) -> None:
    with pytest.raises(ExpectationError, match="'zImage' was not transferred: nothing was req"):
        keywords.transfer_should_have_used("zImage", windowsize=1)


def test_an_assertion_about_nothing_is_a_mistake(keywords: AssertionKeywords) -> None:
    with pytest.raises(UsageError, match="Nothing is expected of the transfer. Give blksize="):
        keywords.transfer_should_have_used("zImage")
    with pytest.raises(UsageError, match="max_duration must be a time of 0 s or more"):
        keywords.transfer_should_have_used("zImage", max_duration=timedelta(seconds=-1))


def test_what_was_before_the_mark_does_not_count(
    keywords: AssertionKeywords, record: Record
) -> None:
    record(refused("a"))
    mark = keywords.state.set_mark()
    keywords.requests_should_be()
    keywords.file_should_not_have_been_requested("a")
    keywords.no_requested_file_should_be_missing()
    keywords.requests_should_be("a", since=0)
    keywords.requests_should_be(since=mark)


@pytest.mark.parametrize(
    "ask",
    [
        lambda keywords: keywords.file_should_have_been_downloaded("x"),
        lambda keywords: keywords.file_should_not_have_been_requested("x"),
        lambda keywords: keywords.requests_should_be("x"),
        lambda keywords: keywords.no_requested_file_should_be_missing(),
        lambda keywords: keywords.transfer_should_have_used("x", windowsize=1),
    ],
)
def test_an_assertion_needs_a_server(
    state: LibraryState, ask: Callable[[AssertionKeywords], object]
) -> None:
    with pytest.raises(UsageError, match="Start one with `Start TFTP Server`."):
        ask(AssertionKeywords(state))
