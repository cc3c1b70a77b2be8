"""The lines that the command line prints, each with its full text."""

from __future__ import annotations

from datetime import datetime

import pytest

from TftpLibrary.commandline.lines import (
    Totals,
    progress,
    progress_line,
    result_line,
    transfer_line,
)
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from utest.support.records import completed, ended, partial, refused

# A time of this machine's zone, which is what the lines tell.
END = datetime(2024, 5, 17, 12, 30, 5).astimezone()
OPTIONS = {"blksize": "1468", "windowsize": "16"}


def test_completed_transfer_has_all_columns() -> None:
    record = completed(duration=1.5, granted=OPTIONS, retransmits=3, ended=END)
    assert transfer_line(record) == (
        "12:30:05 completed   read  192.168.1.50:50312    'zImage' "
        "7800000 bytes in 1.5 s, 5.2 MB/s, blksize=1468 windowsize=16, 3 sent again"
    )


def test_upload_of_an_ipv6_board() -> None:
    record = completed(
        "core", 512, client="fe80::1%eth0", direction=Direction.write, duration=0.001, ended=END
    )
    assert transfer_line(record) == (
        "12:30:05 completed   write [fe80::1%eth0]:50312  'core' 512 bytes in 1 ms, 512.0 kB/s"
    )


def test_miss_tells_the_error() -> None:
    assert transfer_line(refused("default", ended=END)) == (
        "12:30:05 refused     read  192.168.1.50:50312    'default' file not found (TFTP error 1)"
    )


def test_size_probe_tells_what_was_told() -> None:
    record = ended("zImage", Outcome.probed, granted={"tsize": "7800000"}, error_code=8)
    assert transfer_line(record).endswith(" 'zImage' only its size was asked, tsize=7800000")
    assert " probed      read " in transfer_line(record)


@pytest.mark.parametrize(
    ("outcome", "column", "text"),
    [
        (Outcome.failed, " failed      ", "disk full (TFTP error 3)"),
        (Outcome.timed_out, " timed out   ", "disk full (TFTP error 3)"),
        (Outcome.aborted, " aborted     ", "disk full (TFTP error 3)"),
    ],
)
def test_transfer_that_was_cut_tells_how_far_it_came_and_why(
    outcome: Outcome, column: str, text: str
) -> None:
    record = partial(outcome=outcome, error_code=3, error_message="Disk full", ended=END)
    line = transfer_line(record)
    assert column in line
    assert line.endswith(f" 'zImage' 3244280 bytes in 48 s, 67.6 kB/s, {text}")


def test_own_stop_without_a_code() -> None:
    record = partial(outcome=Outcome.aborted, error_message="Server stopped")
    assert transfer_line(record).endswith(", server stopped")


def test_running_transfer_has_the_time_of_its_request() -> None:
    assert " running     read " in transfer_line(partial())


def test_long_name_does_not_fill_the_screen() -> None:
    assert len(transfer_line(refused("a" * 500))) < 220


def test_progress_tells_part_and_rate() -> None:
    assert progress(partial()) == "41 % 3.2 of 7.8 MB 67.6 kB/s"
    assert progress(partial(size=None)) == "3.2 MB 67.6 kB/s"


def test_progress_line_has_all_running_transfers() -> None:
    assert progress_line([]) == ""
    assert progress_line([partial(), partial("a.dtb", client="10.0.0.2")]) == (
        "zImage 41 % 3.2 of 7.8 MB 67.6 kB/s from 192.168.1.50; "
        "a.dtb 41 % 3.2 of 7.8 MB 67.6 kB/s from 10.0.0.2"
    )


def test_result_of_the_client() -> None:
    assert result_line(completed(duration=1.5, granted=OPTIONS), "get") == (
        "get 'zImage': 7800000 bytes in 1.5 s, 5.2 MB/s, blksize=1468 windowsize=16"
    )


def test_summary_counts_outcomes_and_octets() -> None:
    totals = Totals()
    assert totals.summary(0.5) == (
        "stopped after 500 ms: 0 transfers, 0 bytes sent, 0 bytes received"
    )
    totals.add(completed())
    assert totals.summary(1) == (
        "stopped after 1 s: 1 transfer (1 completed), 7.8 MB sent, 0 bytes received"
    )
    totals.add(completed("core", 512, direction=Direction.write))
    totals.add(refused())
    totals.add(ended("x", Outcome.timed_out))
    totals.unseen = 2
    assert totals.count == 4
    assert totals.summary(125) == (
        "stopped after 2 min 5 s: 6 transfers (2 completed, 1 refused, 1 timed out, 2 not shown), "
        "7.8 MB sent, 512 bytes received"
    )
