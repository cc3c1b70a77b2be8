from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.boot.loaders import BootLoader
from TftpLibrary.keywords.log import timeline
from TftpLibrary.keywords.log.markup import COLOURS
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import FaultMark, Transfer
from utest.support.boots import asked, boot
from utest.support.html import Page
from utest.support.records import DROPPED, STARTED, completed, ended, partial, refused, struck

HOSTILE = "<script>alert('x')</script>&amp;"


def at(record: Transfer, seconds: float, **values: Any) -> Transfer:
    """A record of a request that came so many seconds after the first."""
    return record._replace(started=STARTED + timedelta(seconds=seconds), **values)


BOOT = (
    at(refused("zimage", server="dut"), 0.0, id=1),
    at(completed("zImage", server="dut", duration=1.5), 0.5, id=2),
    at(
        completed("board.dtb", 54_000, duration=0.1, client="192.168.1.51", server="dut"), 2.0, id=3
    ),
    at(partial("initrd", server="10.0.0.1:69", is_ours=True, duration=6.0), 4.0, id=4),
)


def bars(html: str) -> list[tuple[int, int]]:
    """Left end and width of each bar, in thousandths of the axis."""
    found = re.findall(r'<rect x="(\d+)" y="\d+" width="(\d+)"', html)
    return [(int(left), int(width)) for left, width in found]


def test_the_table_tells_which_board_fetched_what_and_when() -> None:
    page = Page(timeline.transfers_table(BOOT))
    assert not page.odd
    assert [re.sub(r" +", " ", line) for line in page.lines] == [
        "No. Server Start Request 0 s 2 s 4 s 6 s 8 s",
        "1 dut +0 ms refused read request for 'zimage' from 192.168.1.50: file not found "
        "0 s: zimage",
        "2 dut +500 ms completed read request for 'zImage' from 192.168.1.50: 7.8 MB in 1.5 s "
        "(5.2 MB/s) 500 ms to 2 s: zImage",
        "3 dut +2 s completed read request for 'board.dtb' from 192.168.1.51: 54.0 kB in 100 ms "
        "(540.0 kB/s) 2 s to 2.1 s: board.dtb",
        "4 our client +4 s running read request for 'initrd' from our client to 10.0.0.1:69: "
        "at 41 % (3.2 of 7.8 MB) "
        "4 s to 10 s: initrd",
    ]


def test_all_bars_are_on_one_time_axis() -> None:
    assert bars(timeline.transfers_table(BOOT)) == [(0, 5), (50, 150), (200, 10), (400, 600)]


def test_a_bar_at_the_end_is_seen() -> None:
    late = at(refused("late"), 10.0)
    assert bars(timeline.transfers_table([*BOOT, late]))[-1] == (995, 5)


def test_one_instant_is_an_axis_too() -> None:
    assert bars(timeline.transfers_table([refused()])) == [(0, 5)]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=5))
def test_the_grid_has_a_few_round_lines(starts: list[float]) -> None:
    axis = timeline.Axis([at(completed(duration=0.5), start) for start in starts])
    assert 3 <= len(axis.grid) <= 6
    assert f"{axis.step:e}"[0] in "125"
    assert axis.grid[-1] <= axis.span * 1.000001


def test_the_time_of_day_and_the_port_are_told_where_they_are_asked_for() -> None:
    titles = Page(timeline.transfers_table(BOOT)).of("span", "title")
    assert titles[:2] == ["10:30:00.000", "192.168.1.50:50312"]


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (
            ended("a", Outcome.probed),
            "probed read request for 'a' from 192.168.1.50: only its size was asked",
        ),
        (
            completed("a", 5, direction=Direction.write),
            "completed write request for 'a' from 192.168.1.50: 5 ",
        ),
        (
            ended("a", Outcome.timed_out, octets=5),
            "timed out read request for 'a' from 192.168.1.50: at 5 byt",
        ),
        (partial("a", size=None), "running read request for 'a' from 192.168.1.50: at 3.2 MB"),
    ],
)
def test_a_row_tells_the_outcome(record: Transfer, text: str) -> None:
    assert text in Page(timeline.transfers_table([record])).text


def test_a_row_of_a_transfer_that_faults_struck_says_so_and_shows_more_on_hovering() -> None:
    page = Page(timeline.transfers_table([completed(**struck(DROPPED)), completed()]))
    assert page.text.count("7.8 MB in 0 ms, 2 faults on purpose") == 1
    told = "drop-1 dropped DATA 3 (2 times)"
    assert [title for title in page.of("span", "title") if "drop-1" in str(title)] == [told]
    assert "purpose" not in timeline.transfers_table(BOOT)


def test_faults_of_200_transfers_make_a_table_little_larger() -> None:
    """Each transfer keeps a hundred marks; a row shows a few of them."""
    marks = [FaultMark(n / 100, f"drop-{n}", "dropped DATA 1000") for n in range(100)]
    struck_often = [completed(id=n, **struck(*marks)) for n in range(timeline.MOST_ROWS)]
    plain = timeline.transfers_table([record._replace(**struck()) for record in struck_often])
    table = timeline.transfers_table(struck_often)
    assert len(table) - len(plain) < 500 * timeline.MOST_ROWS


def test_what_a_peer_chose_is_escaped() -> None:
    marks = struck(FaultMark(0.0, HOSTILE, HOSTILE))
    names = {"server": HOSTILE, "client": HOSTILE, "mode": HOSTILE, "error_message": HOSTILE}
    record = refused(HOSTILE, error_code=2, **names, **marks)
    page = Page(timeline.transfers_table([record]))
    assert not page.odd
    assert HOSTILE in str(page.of("span", "title")[-1])
    assert page.text.count(HOSTILE) == 5


def test_of_a_long_record_the_latest_are_shown() -> None:
    count = timeline.MOST_ROWS + 1234
    records = [refused(f"name-{number}", id=number) for number in range(count)]
    page = Page(timeline.transfers_table(records))
    assert page.tags.count("tr") == timeline.MOST_ROWS + 1
    assert "name-1234'" in page.text
    assert "name-1233'" not in page.text
    assert page.lines[-1] == "1,234 earlier transfers are left out."


def test_cost_of_a_table_grows_with_its_rows_and_no_faster() -> None:
    """Each row asks the axis, which must not look at all transfers again each time."""

    class Counted(list[Transfer]):
        looks = 0

        def __iter__(self) -> Iterator[Transfer]:
            Counted.looks += 1
            return super().__iter__()

    transfers = Counted(at(completed(), second) for second in range(100))
    axis = timeline.Axis(transfers)
    for transfer in transfers:
        assert axis.start(transfer) <= axis.span
        assert axis.grid[-1] <= axis.span
    assert Counted.looks <= 4


def test_names_that_a_boot_loader_looked_for_in_vain_are_one_row_open_to_see() -> None:
    transfers = [at(t, 0.1 * n, id=n + 1) for n, t in enumerate([*boot(), completed("vmlinuz")])]
    page = Page(timeline.transfers_table(transfers))
    assert not page.odd
    assert page.tags.count("details") == 2
    assert [line for line in page.lines if "looked for" in line] == [
        "2 to 4  +100 ms searched shim from 192.168.1.50 looked for its loader: 3 names that need "
        "not exist",
        "6 to 9  +500 ms searched GRUB from 192.168.1.50 looked for its configuration: 4 names "
        "that need not exist, and then '/grub/grub.cfg'",
    ]
    assert "7 +600 ms /grub/x86_64-efi/fs.lst" in page.lines
    assert len(bars(timeline.transfers_table(transfers))) == 6


def test_search_that_failed_has_the_colour_of_a_failure() -> None:
    names = ["pxelinux.cfg/01-52-54-00-ab-cd-07", "pxelinux.cfg/default"]
    probes = [at(t, n, id=n) for n, t in enumerate(asked(names, BootLoader.pxelinux), 1)]
    html = timeline.transfers_table(probes)
    assert html.count(COLOURS[Outcome.refused]) == 2
    assert "2 names, file not found" in html


def test_names_of_a_boot_loader_are_escaped() -> None:
    probes = asked([f"{HOSTILE}/pxelinux.cfg/0A", f"{HOSTILE}/pxelinux.cfg/0"], BootLoader.pxelinux)
    page = Page(timeline.transfers_table([at(t, 0, id=n) for n, t in enumerate(probes, 1)]))
    assert not page.odd
    assert page.tags.count("details") == 1
