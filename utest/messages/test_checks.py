"""Each message in full: a person must know from it what to do."""

from __future__ import annotations

from typing import Any

import pytest

from TftpLibrary.boot.identity import parse_identity
from TftpLibrary.boot.loaders import BootLoader
from TftpLibrary.boot.names import boot_file_names
from TftpLibrary.errors import UsageError
from TftpLibrary.messages.checks import NoRequest, NothingMissing, Usage
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction, Mode
from utest.support.boots import asked, boot, found
from utest.support.records import BOARD, DROPPED, completed, ended, partial, refused, struck
from utest.support.views import numbered, seen

OTHER = "192.168.1.51"
ONE = "Requests seen: 1 read request for 'zImage' from 192.168.1.50: completed, 7.8 MB"


def test_no_request_is_as_it_should_be() -> None:
    assert NoRequest("zImage").find(seen(completed("x")))
    assert NoRequest("zImage", OTHER).find(seen(completed()))
    assert NoRequest("zImage").subject == "no request for 'zImage'"


def test_an_unwanted_request_is_told_with_what_came_of_it() -> None:
    view = numbered(completed(), refused())
    assert NoRequest("zImage", BOARD).find(view) is None
    assert NoRequest("zImage", BOARD).explain(view, 2.0) == (
        "'zImage' was requested by 192.168.1.50 twice in 2 s, expected never. The last time: "
        "read request for 'zImage' from 192.168.1.50, file not found.\n"
        f"{ONE}; 2 read request for 'zImage' from 192.168.1.50: file not found."
    )


def test_only_files_that_were_not_found_are_missing() -> None:
    view = seen(
        completed(),
        refused("x", error_code=2),
        refused("y", direction=Direction.write),
        refused("pxelinux.cfg/01-52"),
        refused("late", client=OTHER),
        refused("denied", cause=Cause.on_purpose),
    )
    assert NothingMissing(BOARD, ["pxelinux.cfg/*"]).find(view)
    assert NothingMissing(BOARD).find(view) is None
    assert NothingMissing().subject == "no missing file"


def test_missing_files_are_told_with_what_the_store_has_instead() -> None:
    view = numbered(
        refused("zimage"),
        refused("zimage"),
        refused("Initrd", client=OTHER),
        completed(),
        names=["zImage", "boot.scr", "initrd"],
    )
    assert NothingMissing().explain(view) == (
        "2 requested files were missing: 'zimage' from 192.168.1.50 (2 times, the store has "
        "'zImage'), 'Initrd' from 192.168.1.51 (the store has 'initrd'). Upload "
        "under the names that the board asks for, or name what it can do without in ignore=.\n"
        "Requests seen: 1 read request for 'zimage' from 192.168.1.50: file not found; "
        "2 read request for 'zimage' from 192.168.1.50: file not found; "
        "3 read request for 'Initrd' from 192.168.1.51: file not found; "
        "4 read request for 'zImage' from 192.168.1.50: completed, 7.8 MB."
    )


def test_of_many_missing_files_some_are_told() -> None:
    assert (
        NothingMissing()
        .explain(seen(refused("x")), 2.0)
        .startswith("1 requested file was missing after 2 s: 'x' from 192.168.1.50. Upload")
    )
    view = seen(*(refused(f"file-{number}") for number in range(30)))
    text = NothingMissing().explain(view)
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
    assert Usage("zImage", **values).find(seen(FAST)) is FAST


def test_everything_that_differs_is_told() -> None:
    question = Usage("zImage", BOARD, 512, 4, Mode.netascii, 2, 1.5, 5_000_000)
    assert question.find(seen(FAST)) is None
    assert question.explain(seen(FAST)) == (
        "read request for 'zImage' from 192.168.1.50 did not go as expected:\n"
        "  blksize: expected 512, was 1468 (asked for: 65464)\n"
        "  windowsize: expected 4, was 1 (asked for: 4)\n"
        "  mode: expected netascii, was octet\n"
        "  retransmits: expected 2 or less, was 3\n"
        "  duration: expected 1.5 s or less, was 2 s\n"
        "  rate: expected 5.0 MB/s or more, was 3.9 MB/s"
    )


def test_faults_on_purpose_are_told_where_they_may_be_the_reason() -> None:
    slow = completed(retransmits=2, **struck(DROPPED))
    text = Usage("zImage", max_retransmits=0).explain(seen(slow))
    assert text.endswith(
        "\n  retransmits: expected 0 or less, was 2\n"
        "Faults on purpose: drop-1 dropped DATA 3 (2 times)."
    )


def test_an_option_that_nobody_asked_for_has_its_default() -> None:
    view = seen(completed())
    assert Usage("zImage", blksize=512, windowsize=1).find(view)
    assert (
        Usage("zImage", blksize=1468)
        .explain(view)
        .endswith("\n  blksize: expected 1468, was 512 (not asked for)")
    )


def test_the_power_of_two_of_tftp_hpa_is_a_blksize() -> None:
    record = completed(requested={"blksize2": "1468"}, granted={"blksize2": "1024"})
    assert Usage("zImage", blksize=1024).find(seen(record))


def test_a_transfer_that_took_no_time_was_not_too_slow() -> None:
    assert Usage("zImage", min_rate=1000).find(seen(completed(octets=0)))
    slow = completed(octets=100, duration=0.5)
    assert Usage("zImage", min_rate=1000).find(seen(slow)) is None


def test_something_must_be_expected() -> None:
    with pytest.raises(UsageError, match="Nothing is expected of the transfer. Give blksize="):
        Usage("zImage", BOARD).find(seen())
    assert Usage("zImage", max_retransmits=0).subject == "'zImage'"


def test_the_last_completed_transfer_counts() -> None:
    first, last = completed(id=1), completed(id=2)
    assert Usage("z*", windowsize=1).find(seen(first, last, refused(), partial())) is last
    assert Usage("zImage", windowsize=1).find(seen(refused())) is None


def test_a_transfer_that_did_not_complete_used_nothing() -> None:
    question = Usage("zImage", blksize=512)
    assert question.explain(numbered(ended("zImage", Outcome.probed))) == (
        "'zImage' was not transferred: only its size was asked. The board took the size and did "
        "not come back for the content: look at its console, the file may be too large for it.\n"
        "Requests seen: 1 read request for 'zImage' from 192.168.1.50: only its size was asked."
    )
    assert question.explain(seen(refused("zimage"))).startswith(
        "'zImage' was not transferred: no such name was requested, the nearest: 'zimage' (file "
    )


def test_misses_of_healthy_boots_are_not_missing() -> None:
    names = boot_file_names(BootLoader.u_boot, parse_identity(mac="52:54:00:12:34:0b", arch="arm"))
    u_boot = (*asked(names[:-1], BootLoader.u_boot), found(names[-1], BootLoader.u_boot))
    assert NothingMissing().find(numbered(*boot(), *u_boot, completed()))


def test_missing_kernel_of_a_healthy_boot_is_missing() -> None:
    view = numbered(*boot(), refused("vmlinuz"))
    assert NothingMissing().find(view) is None
    assert (
        NothingMissing()
        .explain(view)
        .startswith("1 requested file was missing: 'vmlinuz' from 192.168.1.50. Upload under")
    )


def test_search_that_found_nothing_is_told_in_one_sentence() -> None:
    names = boot_file_names(BootLoader.u_boot, parse_identity(mac="52:54:00:12:34:0b"))
    view = numbered(*asked(names, BootLoader.u_boot), refused("logo.bmp"))
    text, _, requests = NothingMissing().explain(view).partition("\n")
    assert text == (
        "3 requested files were missing: 'logo.bmp' from 192.168.1.50. Upload under the names "
        "that the board asks for, or name what it can do without in ignore=. The board runs "
        "U-Boot and found no configuration: it asked pxelinux.cfg/01-52-54-00-12-34-0b, default. "
        "The store has none of them. Upload the file under a name that the board asks for."
    )
    assert requests.startswith("Requests seen: 1 to 2 U-Boot from 192.168.1.50 looked for")
