from __future__ import annotations

import json
from pathlib import Path

import pytest

from atest.performance.loads import Result
from atest.performance.peers import OURS
from atest.performance.report import Row, at_least, headline, judged, rows_of, table, write_json
from atest.performance.rounds import Measured
from atest.performance.scenarios import Scenario

SCENARIO = Scenario("S", "title", "1k", gates={"x": (1.0, 2.0), "y": None}, steadiness=1.3)


def result(seconds: float) -> Result:
    return Result(seconds, 1024, 1, 0, 0, 0.1, 0.12)


def measured(**theirs: list[Result | None]) -> Measured:
    return Measured(SCENARIO, {OURS: [result(1), result(1)], **theirs}, ["x in S: 2 errors"])


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [([2.0, 2.1, 9.0], "aim"), ([0.1, 1.0, 9.0], "must"), ([0.9, 0.9, 9.0], "MISSED")],
)
def test_the_median_of_ratios_is_what_counts(ratios: list[float], verdict: str) -> None:
    assert at_least("what", "x", ratios, (1.0, 2.0)).verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [(0.1, "aim"), (1.3, "must"), (1.31, "MISSED")])
def test_a_cost_must_be_small(value: float, verdict: str) -> None:
    assert judged("what", "", value, (1.3, 1.0)).verdict == verdict


def test_of_several_costs_it_is_the_median() -> None:
    row = judged("what", "", [1.0, 1.2, 9.0], (1.3, 1.0))
    assert (row.value, row.verdict, row.quartiles) == (1.2, "must", (1.1, 5.1))


def test_a_peer_without_a_gate_is_only_shown() -> None:
    (_, row, _) = rows_of(measured(x=[result(2), result(2)], y=[result(4), result(4)]))
    assert (row.against, row.value, row.must, row.verdict) == ("y", 4, "", "")


def test_a_round_that_failed_is_told() -> None:
    row = next(iter(rows_of(measured(x=[None, result(2)]))))
    assert (row.value, row.note) == (2, "1 of 2 rounds failed")
    assert "| aim, 1 of 2 rounds failed |" in table([row])


def test_what_failed_always_has_no_row() -> None:
    assert [row.what for row in rows_of(measured(x=[None, None]))] == ["S p99 / p50"]


def test_without_a_run_of_ours_there_are_no_rows() -> None:
    assert list(rows_of(Measured(SCENARIO, {OURS: [None], "x": [result(1)]}))) == []


def test_the_table_is_markdown() -> None:
    rows = [at_least("S1", "x", [2.0, 3.0, 4.0], (1.0, 2.0)), Row("memory", "", 1.5, unit="MiB")]
    assert table(rows).splitlines() == [
        "| what | against | result | quartiles | must | aim | |",
        "|---|---|---|---|---|---|---|",
        "| S1 | x | 3 | 2.5 - 3.5 | 1 | 2 | aim |",
        "| memory |  | 1.5 MiB |  |  |  |  |",
    ]


def test_the_headline_says_how_it_was_measured() -> None:
    assert headline("load.c", 7).endswith(", one core; rounds: 7; clients: load.c.")


def test_a_run_that_failed_is_null_in_the_json(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    write_json(path, [], [measured(x=[None, result(2)])], "load.c", 2)
    content = json.loads(path.read_text("utf-8"))
    assert [run and run["seconds"] for run in content["runs"]["S"]["x"]] == [None, 2]
    assert content["faults"] == ["x in S: 2 errors"]
