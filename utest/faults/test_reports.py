"""What is known of a fault at one moment."""

from __future__ import annotations

import pytest

from TftpLibrary.faults.files import Denial
from TftpLibrary.faults.placed import Hit, Placed, Stage
from TftpLibrary.faults.reports import TftpFault, report_of
from TftpLibrary.faults.rules import Rule, make_rule
from utest.support.passages import BOARD, OTHER, passing


def test_a_fault_that_met_nothing_has_nothing_to_report() -> None:
    placed = Placed(make_rule("drop", "DATA 3", file="zImage", client=BOARD), 1, 10.0)
    report = report_of(placed, 12.5, "dut")
    assert report.fault == TftpFault(
        id="drop-1",
        text=f"drop DATA 3 of 'zImage' for {BOARD}",
        kind="drop",
        packet="DATA 3",
        file="zImage",
        client=BOARD,
        times=1,
        server="dut",
    )
    assert (report.age, report.requests, report.lowest, report.highest) == (2.5, 0, None, None)
    assert not report.left_alone
    assert not report.hits


def test_a_report_counts_what_happened_and_what_passed_by() -> None:
    placed = Placed(make_rule("drop", "DATA 3", times=None), 1, 10.0)
    placed.note_request("f", BOARD)
    for text in ("S DATA 2 8", "S DATA 3 8", "C ACK 3", "S DATA 4 8"):
        placed.strikes(passing(text), 11.0)
    placed.strikes(passing("S DATA 3 8", client=OTHER), 12.0)
    report = report_of(placed, 13.0, "")
    fault = report.fault
    assert (fault.hits, fault.clients, fault.passed_by) == (2, {BOARD: 1, OTHER: 1}, 3)
    assert (fault.first_at, fault.last_at) == (1.0, 2.0)
    assert report.left_alone == {Stage.block: 2, Stage.packet: 1}
    assert (report.requests, report.lowest, report.highest) == (1, 2, 4)
    assert report.hits == (Hit(1.0, BOARD, "dropped DATA 3"), Hit(2.0, OTHER, "dropped DATA 3"))


def test_a_report_stays_as_it_is_when_more_happens() -> None:
    placed = Placed(make_rule("drop", times=None), 1, 0.0)
    placed.strikes(passing("S DATA 1 8"), 1.0)
    report = report_of(placed, 1.0, "")
    placed.strikes(passing("S DATA 2 8"), 2.0)
    assert (report.fault.hits, report.fault.clients, len(report.hits)) == (1, {BOARD: 1}, 1)


def test_requests_of_others_are_no_packets_that_passed_by() -> None:
    placed = Placed(Denial("f", client=BOARD), 1, 0.0)
    placed.note_request("g", BOARD)
    placed.note_request("f", OTHER)
    report = report_of(placed, 1.0, "")
    assert (report.fault.passed_by, report.fault.packet) == (0, "")
    assert report.left_alone == {Stage.file: 1, Stage.client: 1}


@pytest.mark.parametrize(
    ("rule", "is_expected"),
    [
        (make_rule("drop"), True),
        (make_rule("drop", times=None), True),
        (make_rule("drop", every=12), False),
        (make_rule("drop", probability=0.5), False),
    ],
)
def test_a_fault_by_chance_or_now_and_then_need_not_happen(rule: Rule, is_expected: bool) -> None:
    assert report_of(Placed(rule, 1, 0.0), 1.0, "").is_expected is is_expected


def test_a_fault_of_a_file_should_happen() -> None:
    assert report_of(Placed(Denial("f"), 1, 0.0), 1.0, "").is_expected
