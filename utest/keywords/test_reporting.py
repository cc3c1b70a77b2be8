from __future__ import annotations

from html.parser import HTMLParser

import pytest

from TftpLibrary.keywords import reporting
from TftpLibrary.recording.records import Transfer
from utest.support.records import completed, partial, refused, transfer

HOSTILE = "<script>alert('x')</script>&amp;"


class Table(HTMLParser):
    """Reads the rows of a table as a browser does."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: object) -> None:  # noqa: ARG002
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def cells(record: Transfer) -> dict[str, str]:
    head, row = Table(reporting.transfers_table([record])).rows
    return {name.strip(): text.strip() for name, text in zip(head, row, strict=True)}


def test_a_row_tells_what_happened() -> None:
    record = completed(
        id=3, server="dut", octets=7_800_000, duration=2.0, granted={"blksize": "1468"}
    )
    assert cells(record) == {
        "No.": "3",
        "Time": "10:30:00.000",
        "Server": "dut",
        "Client": "192.168.1.50:50312",
        "Request": "RRQ",
        "File": "zImage",
        "Outcome": "completed, 7.8 MB",
        "Octets": "7,800,000",
        "Duration": "2 s",
        "Rate": "3.9 MB/s",
        "Options": "blksize=1468",
    }


def test_a_row_tells_of_a_miss_and_of_a_running_transfer() -> None:
    assert cells(refused())["Outcome"] == "file not found"
    assert cells(partial())["Outcome"] == "running, 41 % (3.2 of 7.8 MB)"
    assert cells(transfer(client="::1"))["Client"] == "[::1]:50312"


def test_what_a_peer_chose_is_escaped() -> None:
    record = refused(
        HOSTILE,
        server=HOSTILE,
        client=HOSTILE,
        error_message=HOSTILE,
        granted={HOSTILE: HOSTILE},
    )
    html = reporting.transfers_table([record])
    assert Table(html).tags == {"table", "tr", "th", "td"}
    assert cells(record)["File"] == HOSTILE


def test_the_table_can_be_read_without_its_tags() -> None:
    lines = reporting.transfers_table([completed(), refused("Image")]).splitlines()
    assert len([line for line in lines if line.startswith("<tr>")]) == 3
    assert "zImage</td> <td>completed" in lines[2]


def test_a_transfer_in_one_line_tells_options_and_retransmits() -> None:
    text = reporting.transfer_text(
        completed(duration=2.0, retransmits=3, granted={"blksize": "1468", "windowsize": "4"})
    )
    assert text == (
        "RRQ 'zImage', 192.168.1.50:50312: completed, 7.8 MB in 2 s (3.9 MB/s), "
        "blksize=1468 windowsize=4, 3 retransmits"
    )


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
    seconds = iter((0.0, 1.0, 5.0, 6.0))
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    progress = reporting.transfer_progress()
    for _ in range(3):
        progress(partial())
    assert len(log.messages) == 1
    assert "running, 41 % (3.2 of 7.8 MB)" in log.messages[0]
