from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from TftpLibrary.faults.reports import TftpFault
from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.capture_files import Keep, Settled
from TftpLibrary.keywords.injected import Ended
from TftpLibrary.keywords.state import LibraryState, Stopped
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording.capture import Captured
from TftpLibrary.store.base import StoredFile
from utest.support.html import Page
from utest.support.records import (
    DROPPED,
    STALLED,
    completed,
    ended,
    partial,
    refused,
    struck,
    transfer,
)
from utest.support.views import seen


def test_a_transfer_in_one_line_tells_options_and_retransmits() -> None:
    text = reporting.transfer_text(
        completed(duration=2.0, retransmits=3, granted={"blksize": "1468", "windowsize": "4"})
    )
    assert text == (
        "read request for 'zImage' from 192.168.1.50:50312: completed, 7.8 MB in 2 s (3.9 MB/s), "
        "blksize=1468 windowsize=4, 3 retransmits"
    )


def test_a_transfer_in_one_line_names_the_faults_that_struck_it() -> None:
    text = reporting.transfer_text(completed(remarks=("odd",), **struck(DROPPED, STALLED)))
    assert text.endswith(", 3 faults on purpose: drop-1, stall-2; odd")


def test_a_long_copy_is_logged_at_most_once_in_five_seconds(
    monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    seconds = iter((0.0, 1.0, 4.9, 5.0, 6.0, 9.9, 11.0, 20.0, 25.0))
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    progress = reporting.copy_progress("zImage")
    for megabytes in range(1, 7):
        progress(megabytes * 1_000_000, 20_000_000)
    progress = reporting.copy_progress("stream")
    progress(2_000_000, None)
    assert log.messages == [
        "Copying 'zImage': 3.0 MB, 15 % of 20.0 MB",
        "Copying 'zImage': 6.0 MB, 30 % of 20.0 MB",
        "Copying 'stream': 2.0 MB",
    ]


def test_a_long_transfer_is_logged_at_most_once_in_five_seconds(
    monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    seconds = iter((0.0, 0.0, 1.0, 5.0, 6.0))
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    progress = reporting.transfer_progress()
    for _ in range(3):
        progress(partial())
    assert len(log.messages) == 1
    assert "running, 41 % (3.2 of 7.8 MB)" in log.messages[0]


class Terminal(io.StringIO):
    """A stream with a person before it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """The lines that a person sees; five seconds pass between two looks."""
    terminal = Terminal()
    clock = iter(range(0, 10_000, 5))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("sys.__stdout__", terminal)
    monkeypatch.setattr("sys.__stderr__", io.StringIO())
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    return terminal


def test_a_wait_tells_on_a_terminal_how_far_it_is(screen: Terminal) -> None:
    progress = reporting.wait_progress("'zImage'", 60.0)
    progress(seen(partial()))
    progress(seen(completed("boot.scr")))
    assert screen.getvalue() == (
        "\nzImage 41 % 3.2/7.8 MB 67.6 kB/s from 192.168.1.50\n"
        "Waiting for 'zImage', 20 s of 60 s: 1 request, none is running\n"
    )


def test_our_client_tells_a_terminal_how_long_it_waits_and_then_how_far_it_is(
    screen: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    progress = reporting.transfer_progress(30.0)
    ours: dict[str, Any] = {"server": "10.0.0.1:69", "is_ours": True}
    running = partial(**ours, answered_by="10.0.0.1:4711")
    for record in (transfer(**ours, duration=12.4), running, completed(**ours)):
        now += 4.0
        progress(record)
    assert screen.getvalue() == (
        "\nWaiting for an answer from 10.0.0.1:69, 12 s of 30 s\n"
        "zImage 41 % 3.2/7.8 MB 67.6 kB/s with 10.0.0.1:69\n"
    )
    assert reporting.asking_text(transfer(**ours, duration=2.0), 0.0).endswith("10.0.0.1:69, 2 s")


def test_a_terminal_may_be_on_standard_error_only(
    screen: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.__stdout__", io.StringIO())
    monkeypatch.setattr("sys.__stderr__", screen)
    reporting.wait_progress("'zImage'", 60.0)(seen())
    assert "0 requests, none is running" in screen.getvalue()


def test_a_wait_says_nothing_where_nobody_looks(
    screen: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = io.StringIO()
    for stream in (file, None):
        monkeypatch.setattr("sys.__stdout__", stream)
        reporting.wait_progress("'zImage'", 60.0)(seen(partial()))
    assert file.getvalue() == screen.getvalue() == ""


def test_a_wait_says_nothing_in_ci(screen: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some runners pretend to be a terminal."""
    monkeypatch.setenv("CI", "true")
    reporting.wait_progress("'zImage'", 60.0)(seen(partial()))
    assert screen.getvalue() == ""


def test_a_wait_does_not_flood_a_terminal(
    screen: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    progress = reporting.wait_progress("'zImage'", 60.0)
    for _ in range(100):
        progress(seen(partial()))
    assert screen.getvalue() == ""


def test_of_many_running_transfers_the_latest_are_told() -> None:
    running = [partial(f"file-{number}") for number in range(5)]
    text = reporting.waiting_text(running, "'x'", 1.0, 60.0)
    assert [part.split()[0] for part in text.split("; ")] == ["file-2", "file-3", "file-4", "and"]
    assert text.endswith("; and 2 more")


def test_what_has_no_card_is_counted(log: pytest.LogCaptureFixture) -> None:
    reporting.log_more({"completed": 1}, 0)
    reporting.log_more({"completed": 1234, "timed out": 2}, 3)
    assert log.messages == [
        "1 more transfer ended: 1 completed. `Log Transfers` shows the latest.",
        "1,239 more transfers ended: 1,234 completed, 2 timed out, 3 dropped from the record. "
        "`Log Transfers` shows the latest.",
    ]


def test_transfers_are_logged_as_a_table(log: pytest.LogCaptureFixture) -> None:
    reporting.log_transfers(seen())
    reporting.log_transfers(seen(completed(), is_complete=False))
    assert log.messages[0] == "No transfers since the mark."
    assert not Page(log.messages[1]).odd
    assert "completed read request for 'zImage'" in Page(log.messages[1]).text
    assert log.messages[2] == "Older transfers were dropped: the record was full."


def test_the_requests_of_a_failed_test_are_a_table(log: pytest.LogCaptureFixture) -> None:
    reporting.log_requests(seen(refused()))
    page = Page(log.messages[0])
    assert not page.odd
    assert page.lines[0] == "Requests of this test:"
    assert "refused read request for 'zImage' from 192.168.1.50: file not found" in page.text


def test_a_failed_test_without_requests_says_so(log: pytest.LogCaptureFixture) -> None:
    reporting.log_requests(seen())
    reporting.log_requests(seen(refused(), is_complete=False))
    assert log.messages[0] == "No request was seen in this test."
    assert log.messages[2] == "Older transfers were dropped: the record was full."


def test_a_started_server_tells_where_it_is_and_who_may_write(
    started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    server = started.server()
    reporting.log_started(server)
    server.warnings.append("An earlier run was killed.")
    server.change(writable=False)
    reporting.log_started(server)
    reporting.warn_running(server)
    assert log.messages == [
        f"TFTP server 'dut' serves {server.root} at {server.url()} (boards may write).",
        f"TFTP server 'dut' serves {server.root} at {server.url()} (read-only).",
        "An earlier run was killed.",
        f"TFTP server 'dut' is running already at {server.url()}.",
    ]


def test_a_stopped_server_tells_what_it_cut_short(log: pytest.LogCaptureFixture) -> None:
    cut = ended("zImage", Outcome.aborted, error_message="Server is stopping")
    reporting.log_stopped([Stopped("dut", "tftp://host:69/", (cut,), ("Not cleaned up.",))])
    reporting.warn_not_running("No TFTP server is running.")
    assert log.messages == [
        "Stopped TFTP server 'dut' at tftp://host:69/.",
        "Cut short: read request for 'zImage' from 192.168.1.50:50312: stopped at 0 bytes: server "
        "is stopping in 0 ms (0 bytes/s)",
        "Not cleaned up.",
        "Nothing to stop: No TFTP server is running.",
    ]
    assert [record.levelname for record in log.records][2:] == ["WARNING", "WARNING"]


def test_a_stored_file_tells_whether_it_was_there_before(log: pytest.LogCaptureFixture) -> None:
    reporting.log_stored(
        [StoredFile("a", 5, "12ab", "0", None), StoredFile("b", 5, "12ab", "0", None, False)]
    )
    assert log.messages == [
        "Stored 'a', 5 bytes, sha256 12ab",
        "Already there, with the same content: 'b', 5 bytes, sha256 12ab",
    ]


def test_a_fetched_file_tells_where_it_is(log: pytest.LogCaptureFixture) -> None:
    reporting.log_fetched(completed("a", 5), Path("here"))
    assert log.messages == [
        "read request for 'a' from 192.168.1.50:50312: completed, 5 bytes in 0 ms (0 bytes/s), "
        "stored as here"
    ]


def test_a_capture_tells_where_it_is_and_how_to_open_it(
    started: LibraryState, log: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    path = tmp_path / "boot.pcapng"
    reporting.log_capturing(started.server(), path, Keep.failed)
    reporting.log_captured(Captured(path, 1, 512), 69)
    reporting.log_captured(Captured(path, 2, 512, "The disk is full."), 6969)
    told = [Page(message).text for message in log.messages]
    assert told[0].endswith("boot.pcapng. The file stays only if the test fails.")
    assert told[1].startswith("Captured 1 packet, 512 bytes: ")
    assert told[3:] == [
        "At port 6969 Wireshark has to be told that it is TFTP: "
        "wireshark -d udp.port==6969,tftp boot.pcapng",
        "The disk is full.",
    ]


def test_a_capture_that_is_settled_tells_what_became_of_it(
    log: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    captured = Captured(tmp_path / "boot.pcapng", 1, 512)

    def settled(*, is_kept: bool, was_open: bool, trouble: str = "") -> Settled:
        return Settled("dut", 69, captured, Keep.failed, is_kept, was_open, trouble)

    reporting.log_settled(
        [
            settled(is_kept=True, was_open=True),
            settled(is_kept=True, was_open=False),
            settled(is_kept=False, was_open=False),
            settled(is_kept=False, was_open=False, trouble="Permission denied"),
        ]
    )
    assert [Page(message).text.partition(":")[0] for message in log.messages] == [
        "Captured 1 packet, 512 bytes",
        "Removed the capture 'boot.pcapng' (keep=failed).",
        f"Cannot remove the capture '{captured.path}'",
    ]


def test_a_capture_that_cannot_be_removed_is_a_warning(log: pytest.LogCaptureFixture) -> None:
    captured = Captured(Path("x.pcapng"), 0, 0)
    reporting.log_settled(
        [
            Settled(
                "dut", 69, captured, Keep.failed, is_kept=False, was_open=True, trouble="In use"
            ),
            Settled("dut", 69, captured, Keep.never, is_kept=False, was_open=False),
            Settled("dut", 69, captured, Keep.always, is_kept=True, was_open=False),
        ]
    )
    assert log.messages == [
        'Captured 0 packets, 0 bytes: <a href="x.pcapng">x.pcapng</a>',
        "Cannot remove the capture 'x.pcapng': In use.",
        "Removed the capture 'x.pcapng' (keep=never).",
    ]
    assert [record.levelname for record in log.records] == ["INFO", "WARNING", "INFO"]


def test_more_than_was_announced_is_a_warning(log: pytest.LogCaptureFixture) -> None:
    excess = completed("core", 700, remarks=("700 bytes came, and 600 were announced",))
    excess = excess._replace(size=600)
    reporting.log_transfer(excess)
    reporting.log_fetched(excess, Path("core"))
    # Of text nobody can know whether its size is that on the wire.
    reporting.log_transfer(excess._replace(mode="netascii"))
    reporting.log_transfer(completed())
    warnings = [record.message for record in log.records if record.levelname == "WARNING"]
    assert warnings == ["'core' has 700 bytes, but 600 were announced."] * 2
    assert log.messages[0].endswith("; 700 bytes came, and 600 were announced")


def test_a_fault_in_one_line_tells_how_often_it_happened_to_whom() -> None:
    fault = TftpFault("drop-1", "drop DATA 3", "drop", "DATA 3", "*", "", 1)
    assert reporting.fault_line(fault) == "Fault drop-1 did not happen: drop DATA 3"
    once = fault._replace(hits=1, clients={"10.0.0.1": 1})
    assert reporting.fault_line(once) == "Fault drop-1 happened once (10.0.0.1 1): drop DATA 3"
    often = fault._replace(hits=1200, clients={"10.0.0.1": 1000, "10.0.0.2": 200})
    assert reporting.fault_line(often) == (
        "Fault drop-1 happened 1,200 times (10.0.0.1 1,000, 10.0.0.2 200): drop DATA 3"
    )
    ours = fault._replace(hits=2, clients={"": 2})
    assert reporting.fault_line(ours) == "Fault drop-1 happened 2 times: drop DATA 3"


def test_faults_that_ended_with_their_server_are_logged_and_those_in_vain_are_warnings(
    log: pytest.LogCaptureFixture,
) -> None:
    fault = TftpFault("drop-1", "drop DATA 3", "drop", "DATA 3", "*", "", 1)
    ended = (Ended(fault._replace(hits=1)), Ended(fault, "Fault drop-1 did not happen: why."))
    reporting.log_stopped([Stopped("dut", "tftp://10.0.0.1:69/", faults=ended)])
    assert [(record.levelname, record.message) for record in log.records[1:]] == [
        ("INFO", "Fault drop-1 happened once: drop DATA 3"),
        ("WARNING", "Fault drop-1 did not happen: why."),
    ]
