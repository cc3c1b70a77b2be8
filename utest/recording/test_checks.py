"""Each message in full: a person must know from it what to do."""

from __future__ import annotations

from typing import Any

import pytest

from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction, Mode
from TftpLibrary.recording.checks import (
    Expected,
    explain_downloads,
    explain_missing_files,
    explain_unwanted_requests,
    explain_usage,
    find_transfer,
)
from utest.support.records import BOARD, completed, ended, partial, refused

OTHER = "192.168.1.51"
ONE = "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: completed, 7.8 MB"


def test_a_download_is_enough() -> None:
    assert explain_downloads([refused("x"), completed()], "zImage") == ""
    assert explain_downloads([completed()], "z*", BOARD, times=1) == ""
    assert explain_downloads([completed(), completed()], "zImage") == ""


def test_a_missing_download_tells_the_nearest_miss_and_no_time() -> None:
    assert explain_downloads([refused()], "zImage", BOARD, files=["zImage.bin"]) == (
        "'zImage' was not downloaded from 192.168.1.50: it was requested and refused: file not "
        "found. The store has 'zImage.bin'. Upload the file under the name that the board asks "
        "for.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: file not found."
    )


def test_a_download_that_still_runs_is_to_be_waited_for() -> None:
    text = explain_downloads([partial(idle=0.1)], "zImage")
    assert text.startswith(
        "'zImage' was not downloaded: 41 % (3.2 of 7.8 MB), block 2210, still running. It needs "
        "about 67 s more: wait for it with `Wait Until File Is Downloaded`.\n"
    )
    text = explain_downloads([partial(size=None)], "zImage")
    assert "still running. Wait for it with `Wait Until File Is Downloaded`.\n" in text


def test_too_few_downloads_are_counted() -> None:
    assert explain_downloads([completed()], "zImage", times=2) == (
        "'zImage' was not downloaded: only 1 of 2 times. Let the board ask again, or lower "
        f"times=.\n{ONE}."
    )


def test_too_many_downloads_are_counted() -> None:
    assert explain_downloads([completed()] * 3, "zImage", "192.168.1.0/24", times=1) == (
        "'zImage' was downloaded from 192.168.1.0/24 3 times, expected once.\n"
        f"{ONE}; 2 RRQ 'zImage' from 192.168.1.50: completed, 7.8 MB; "
        "3 RRQ 'zImage' from 192.168.1.50: completed, 7.8 MB."
    )


def test_no_request_is_as_it_should_be() -> None:
    assert explain_unwanted_requests([completed("x")], "zImage") == ""
    assert explain_unwanted_requests([completed()], "zImage", OTHER) == ""


def test_an_unwanted_request_is_told_with_what_came_of_it() -> None:
    assert explain_unwanted_requests([completed(), refused()], "zImage", BOARD) == (
        "'zImage' was requested from 192.168.1.50 twice, expected never. The last time: "
        "RRQ 'zImage' from 192.168.1.50, file not found.\n"
        f"{ONE}; 2 RRQ 'zImage' from 192.168.1.50: file not found."
    )


def test_only_files_that_were_not_found_are_missing() -> None:
    seen = [
        completed(),
        refused("x", error_code=2),
        refused("y", direction=Direction.write),
        refused("pxelinux.cfg/01-52"),
        refused("late", client=OTHER),
    ]
    assert explain_missing_files(seen, BOARD, ["pxelinux.cfg/*"]) == ""


def test_missing_files_are_told_with_what_the_store_has_instead() -> None:
    seen = [refused("zimage"), refused("zimage"), refused("initrd", client=OTHER), completed()]
    assert explain_missing_files(seen, files=["zImage", "boot.scr"]) == (
        "2 requested files were missing: 'zimage' from 192.168.1.50 (2 times, the store has "
        "'zImage'), 'initrd' from 192.168.1.51. Upload under the names that the board asks for, "
        "or name what it can do without in ignore=.\n"
        "Requests seen: 1 RRQ 'zimage' from 192.168.1.50: file not found; "
        "2 RRQ 'zimage' from 192.168.1.50: file not found; "
        "3 RRQ 'initrd' from 192.168.1.51: file not found; "
        "4 RRQ 'zImage' from 192.168.1.50: completed, 7.8 MB."
    )


def test_of_many_missing_files_some_are_told() -> None:
    assert explain_missing_files([refused("x")]).startswith(
        "1 requested file was missing: 'x' from 192.168.1.50. Upload"
    )
    text = explain_missing_files([refused(f"file-{number}") for number in range(30)])
    assert text.startswith("30 requested files were missing: 'file-0' from 192.168.1.50, ")
    assert "'file-9' from 192.168.1.50, and 20 more. Upload" in text


FAST = completed(
    duration=2.0,
    retransmits=3,
    requested={"BlkSize": "65464", "windowsize": "4"},
    granted={"BlkSize": "1468"},
)


@pytest.mark.parametrize(
    "values",
    [
        {"blksize": 1468},
        {"windowsize": 1},
        {"mode": Mode.octet},
        {"max_retransmits": 3},
        {"max_duration": 2.0},
        {"min_rate": 3_900_000},
    ],
)
def test_what_was_used_is_as_expected(values: dict[str, Any]) -> None:
    expected = Expected(**values)
    assert not expected.is_empty
    assert explain_usage([FAST], "zImage", expected) == ""


def test_everything_that_differs_is_told() -> None:
    expected = Expected(512, 4, Mode.netascii, 2, 1.5, 5_000_000)
    assert explain_usage([FAST], "zImage", expected, BOARD) == (
        "RRQ 'zImage' from 192.168.1.50 did not go as expected:\n"
        "  blksize: expected 512, was 1468 (asked for: 65464)\n"
        "  windowsize: expected 4, was 1 (asked for: 4)\n"
        "  mode: expected netascii, was octet\n"
        "  retransmits: expected 2 or less, was 3\n"
        "  duration: expected 1.5 s or less, was 2 s\n"
        "  rate: expected 5.0 MB/s or more, was 3.9 MB/s"
    )


def test_an_option_that_nobody_asked_for_has_its_default() -> None:
    assert explain_usage([completed()], "zImage", Expected(blksize=512, windowsize=1)) == ""
    assert explain_usage([completed()], "zImage", Expected(blksize=1468)).endswith(
        "\n  blksize: expected 1468, was 512 (not asked for)"
    )


def test_the_power_of_two_of_tftp_hpa_is_a_blksize() -> None:
    record = completed(requested={"blksize2": "1468"}, granted={"blksize2": "1024"})
    assert explain_usage([record], "zImage", Expected(blksize=1024)) == ""


def test_a_transfer_that_took_no_time_was_not_too_slow() -> None:
    assert explain_usage([completed(octets=0)], "zImage", Expected(min_rate=1000)) == ""


def test_the_last_completed_transfer_counts() -> None:
    first, last = completed(id=1), completed(id=2)
    assert find_transfer([first, last, refused(), partial()], "z*") is last
    assert find_transfer([refused()], "zImage") is None


def test_a_transfer_that_did_not_complete_used_nothing() -> None:
    seen = [ended("zImage", Outcome.probed, direction=Direction.read)]
    assert explain_usage(seen, "zImage", Expected(blksize=512)) == (
        "'zImage' was not transferred: only its size was asked. The board took the size and did "
        "not come back for the content: look at its console, the file may be too large for it.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: only its size was asked."
    )
    assert explain_usage([refused("zimage")], "zImage", Expected(blksize=512)).startswith(
        "'zImage' was not transferred: no such name was requested, the nearest: 'zimage' (file "
    )
