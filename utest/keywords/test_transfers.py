from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from assertionengine import AssertionOperator

from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.keywords.transfers import TransferKeywords
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording.records import Transfer
from utest.support.records import completed, open_record, partial, refused, transfer

EQUAL = AssertionOperator["=="]
Record = Callable[[Transfer], None]


@pytest.fixture
def keywords(started: LibraryState) -> TransferKeywords:
    return TransferKeywords(started)


@pytest.fixture
def boot(record: Record) -> None:
    """Transfers of a board: two misses, one file, and another one that runs."""
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
    with pytest.raises(AssertionError, match=r"Transfers: '4' .* should be '0'"):
        keywords.get_transfer_count("", EQUAL, "0")


def test_the_mark_moves_to_now(keywords: TransferKeywords, record: Record) -> None:
    record(completed())
    mark = keywords.mark_transfers()
    assert keywords.get_transfer_count() == 0
    record(completed())
    assert keywords.get_transfer_count(since=mark) == 1
    assert keywords.get_transfer_count(since=0) == 2


def test_requested_files_are_named_once_in_their_order(
    keywords: TransferKeywords, record: Record
) -> None:
    for name in ("b.dtb", "a.dtb", "b.dtb", "x"):
        record(refused(name))
    assert keywords.get_requested_files() == ["b.dtb", "a.dtb", "x"]
    assert keywords.get_requested_files("*.dtb", EQUAL, ["a.dtb", "b.dtb"]) == ["b.dtb", "a.dtb"]
    with pytest.raises(AssertionError, match=r"^Requested: '\['a.dtb', 'b.dtb', 'x'\]'"):
        keywords.get_requested_files("", EQUAL, "x")


@pytest.mark.usefixtures("boot")
def test_transfers_are_logged_as_a_table(
    keywords: TransferKeywords, log: pytest.LogCaptureFixture
) -> None:
    keywords.log_transfers("*Image")
    (table,) = log.messages
    assert table.count("<rect") == 1
    assert "read request for '<bdi>zImage</bdi>'" in table


def test_what_clients_did_is_logged_too(state: LibraryState, log: pytest.LogCaptureFixture) -> None:
    open_record(state.recorder, transfer("running-config"))
    TransferKeywords(state).log_transfers()
    assert "<bdi>running-config</bdi>" in log.messages[0]


def test_a_record_that_was_full_is_told(
    keywords: TransferKeywords, record: Record, log: pytest.LogCaptureFixture
) -> None:
    keywords.state.recorder.limit = 1
    record(refused("a"))
    record(refused("b"))
    keywords.log_transfers()
    assert log.messages[1] == "Older transfers were dropped: the record was full."


def test_no_transfers_are_logged_in_words(
    keywords: TransferKeywords, log: pytest.LogCaptureFixture
) -> None:
    keywords.log_transfers(server="dut")
    assert log.messages == ["No transfers since the mark."]
