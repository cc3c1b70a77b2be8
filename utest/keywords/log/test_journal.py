from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from TftpLibrary.boot.identity import parse_identity
from TftpLibrary.boot.loaders import BootLoader
from TftpLibrary.boot.names import boot_file_names
from TftpLibrary.keywords.capture_files import Keep
from TftpLibrary.keywords.conversions import OnFailure
from TftpLibrary.keywords.log import journal as module
from TftpLibrary.keywords.log.journal import Journal
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.keywords.stations import StartRequest
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ServerSettings
from utest.support.boots import asked, boot
from utest.support.html import Page
from utest.support.records import completed, partial, refused, write_record

Record = Callable[[Transfer], None]
BOARD = parse_identity(mac="52:54:00:ab:cd:07", ip="192.168.77.51")
SHA256 = "2cf24dba5fb0"
"""Of `hello`."""


@pytest.fixture
def journal(started: LibraryState) -> Journal:
    return Journal(started)


def heads(log: pytest.LogCaptureFixture) -> list[str]:
    """The first line of each message."""
    return [Page(message).lines[0] for message in log.messages]


def test_each_transfer_gets_one_card_once_it_has_ended(
    journal: Journal, record: Record, log: pytest.LogCaptureFixture
) -> None:
    journal.write_cards()
    record(completed("a", 5))
    record(partial("b"))
    record(refused("c"))
    journal.write_cards()
    journal.write_cards()
    assert heads(log) == [
        "1 completed read request for 'a' from 192.168.1.50: 5 bytes in 0 ms",
        "3 refused read request for 'c' from 192.168.1.50: file not found",
    ]


def test_transfers_of_clients_get_cards_too(
    state: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    write_record(state.recorder, completed(server="10.0.0.1:69"))
    Journal(state).write_cards()
    assert "server 10.0.0.1:69" in log.messages[0]


def test_a_card_tells_the_checksum_of_what_the_store_has(
    journal: Journal, record: Record, started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    started.server().files.upload_bytes(b"hello", "greeting")
    record(completed("greeting", 5))
    record(completed("greeting", 5, direction=Direction.write))
    record(completed("gone", 5))
    journal.write_cards()
    assert [SHA256 in message for message in log.messages] == [True, True, False]


def test_a_card_of_a_miss_tells_what_the_store_has(
    journal: Journal, record: Record, started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    started.server().files.upload_bytes(b"", "zImage")
    record(refused("zimage"))
    record(refused("zimage", error_code=2))
    record(refused("zimage", cause=Cause.on_purpose))
    journal.write_cards()
    told = ["Store has: 'zImage'" in Page(text).lines for text in log.messages]
    assert told == [True, False, False]


def test_a_store_that_takes_long_to_list_is_listed_once(
    journal: Journal,
    record: Record,
    started: LibraryState,
    log: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started.server().files.upload_bytes(b"", "zImage")
    monkeypatch.setattr(module, "_LONGEST_LISTING", 0.0)
    for _ in range(2):
        record(refused("zimage"))
        journal.write_cards()
    assert ["Store has: 'zImage'" in Page(text).lines for text in log.messages] == [True, False]


def test_a_stopped_server_has_no_files_any_more(
    journal: Journal, record: Record, started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    started.server().files.upload_bytes(b"hello", "greeting")
    record(completed("greeting", 5))
    started.stop()
    journal.write_cards()
    assert SHA256 not in log.messages[0]


def test_a_card_links_to_the_capture_also_of_a_stopped_server(
    journal: Journal,
    record: Record,
    started: LibraryState,
    log: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    path = tmp_path / "boot.pcapng"
    started.captures.start(started.server(), path, Keep.always, "")
    now = datetime.now().astimezone()
    record(completed(started=now, ended=now))
    journal.write_cards()
    record(refused(started=now, ended=now))
    started.stop()
    journal.write_cards()
    assert ["boot.pcapng" in Page(text).text for text in log.messages] == [True, True]


def test_of_a_flood_the_failures_have_cards_and_the_rest_is_counted(
    journal: Journal, record: Record, log: pytest.LogCaptureFixture
) -> None:
    for number in range(module.MOST_AT_ONCE + 100):
        record(refused("bad") if number % 10 == 5 else completed(f"file-{number}"))
    journal.write_cards()
    assert len(log.messages) == module.MOST_AT_ONCE + 1
    assert sum("refused" in head for head in heads(log)) == 12
    assert heads(log)[0].startswith("1 completed read request for 'file-0'")
    assert log.messages[-1] == (
        "100 more transfers ended: 100 completed. `Log Transfers` shows the latest."
    )


def test_a_long_test_has_a_limited_number_of_cards(
    journal: Journal, record: Record, log: pytest.LogCaptureFixture
) -> None:
    for _ in range(module.MOST_IN_SCOPE // 10 + 1):
        for _ in range(10):
            record(completed())
        journal.write_cards()
    assert sum("<details" in message for message in log.messages) == module.MOST_IN_SCOPE
    assert log.messages[-1].startswith("10 more transfers ended: 10 completed.")
    journal.begin()
    record(completed())
    journal.write_cards()
    assert "<details" in log.messages[-1]


def test_what_the_record_dropped_before_is_counted(
    journal: Journal, record: Record, started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    started.recorder.limit = 1
    record(completed("a"))
    record(completed("b"))
    journal.write_cards()
    assert log.messages[-1] == (
        "1 more transfer ended: 1 dropped from the record. `Log Transfers` shows the latest."
    )


def test_a_failed_test_has_its_requests_in_the_log(
    journal: Journal, record: Record, started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    record(completed("before"))
    started.enter("s1-t1")
    record(refused("zimage"))
    started.set_mark()
    journal.write_failure(started.watch_scope(), has_server=True)
    (table,) = log.messages
    assert "zimage" in table
    assert "before" not in table


def test_a_failed_test_says_where_older_requests_were_dropped(
    journal: Journal, record: Record, started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    started.recorder.limit = 1
    record(refused("a"))
    record(refused("b"))
    journal.write_failure(started.watch_scope(), has_server=True)
    assert log.messages[1] == "Older transfers were dropped: the record was full."


def test_a_failed_test_without_requests_says_so_where_a_server_ran(
    journal: Journal, started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    journal.write_failure(started.watch_scope(), has_server=False)
    assert not log.messages
    journal.write_failure(started.watch_scope(), has_server=True)
    assert log.messages == ["No request was seen in this test."]


def test_a_failed_test_logs_nothing_where_that_is_not_wanted(
    journal: Journal, record: Record, started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    started.defaults = started.defaults._replace(on_failure=OnFailure.nothing)
    record(refused())
    journal.write_failure(started.watch_scope(), has_server=True)
    assert not log.messages


def test_a_server_of_another_name_has_other_files(
    journal: Journal, started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    started.start("left", StartRequest(None, ServerSettings()))
    started.server("left").files.upload_bytes(b"hello", "greeting")
    for alias in ("dut", "left"):
        write_record(started.recorder, completed("greeting", 5, server=alias))
    journal.write_cards()
    assert [SHA256 in message for message in log.messages] == [False, True]


def test_search_of_a_boot_loader_has_one_card_when_it_is_over(
    journal: Journal, record: Record, started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    started.server().files.upload_bytes(b"", "pxelinux.cfg/01-52-54-00-AB-CD-07")
    *names, last = boot_file_names(BootLoader.pxelinux, BOARD)[1:]
    for name in names:
        for miss in asked([name], BootLoader.pxelinux):
            record(miss)
        journal.write_cards()
    assert not log.messages
    for miss in asked([last], BootLoader.pxelinux):
        record(miss)
    journal.write_cards()
    journal.write_cards(is_end=True)
    assert heads(log) == [
        "1 to 10 refused PXELINUX from 192.168.1.50 looked for its configuration: 10 names, file "
        "not found"
    ]
    page = Page(log.messages[0])
    assert not page.odd
    assert ("details", "open", None) in page.attributes
    assert "it differs in case only" in page.text


def test_search_that_went_well_is_a_closed_card(
    journal: Journal, record: Record, log: pytest.LogCaptureFixture
) -> None:
    for transfer in (*boot(), completed("vmlinuz")):
        record(transfer)
    journal.write_cards()
    assert [head.partition(" from")[0] for head in heads(log)] == [
        "1 completed read request for 'shimx64.efi'",
        "2 to 4 searched shim",
        "5 completed read request for 'grubx64.efi'",
        "6 to 9 searched GRUB",
        "10 completed read request for '/grub/grub.cfg'",
        "11 completed read request for 'vmlinuz'",
    ]
    assert not any("open" in Page(message).of("details", "open") for message in log.messages)


def test_search_that_goes_on_when_the_test_ends_has_its_card_then(
    journal: Journal, record: Record, log: pytest.LogCaptureFixture
) -> None:
    for miss in asked(boot_file_names(BootLoader.pxelinux, BOARD)[1:4], BootLoader.pxelinux):
        record(miss)
    journal.write_cards()
    assert not log.messages
    journal.write_cards(is_end=True)
    journal.begin()
    journal.write_cards(is_end=True)
    assert len(log.messages) == 1
    assert "3 names" in log.messages[0]


def test_cards_that_are_too_many_are_counted_with_the_misses_of_a_search(
    journal: Journal, record: Record, log: pytest.LogCaptureFixture
) -> None:
    for _ in range(module.MOST_AT_ONCE):
        record(refused("bad"))
    for transfer in (*boot(), completed("vmlinuz")):
        record(transfer)
    journal.write_cards()
    assert log.messages[-1] == (
        "11 more transfers ended: 4 completed, 7 refused. `Log Transfers` shows the latest."
    )
