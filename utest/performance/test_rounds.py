from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from atest.performance.loads import Failed, Load, Result
from atest.performance.peers import OURS, Server
from atest.performance.rounds import Measured, chosen, measure, spread
from atest.performance.scenarios import Scenario

SCENARIO = Scenario("S", "", "1k", gates={"other": (1.0, 2.0)})
WRITE = Scenario("W", "", "1k", is_write=True, gates={"other": None})


def result(seconds: float, p99: float = 0.1) -> Result:
    return Result(seconds, 1024, 1, 0, 0, 0.1, p99)


class FakeServer(Server):
    """Only a name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0


class FakeLoad(Load):
    """Runs that take as many seconds as they are told; None is one that fails.

    The first of each server is the pass that compares.
    """

    def __init__(self, root: Path, **seconds: Sequence[float | None]) -> None:
        self._root = root
        self._seconds = {name: list(values) for name, values in seconds.items()}
        self.calls: list[str] = []
        self.found: list[bool] = []

    def run(self, scenario: Scenario, server: Server, *, verify: Path | None = None) -> Result:
        written = self._root / "written-0"
        self.calls.append(f"{server.name}{' verified' if verify else ''}")
        self.found.append(written.exists())
        taken = self._seconds[server.name].pop(0)
        if taken is None:
            raise Failed("2 errors")
        if scenario.is_write:
            written.write_bytes((self._root / "1k").read_bytes() if taken else b"")
        return result(taken)


@pytest.fixture
def servers() -> dict[str, Server]:
    return {name: FakeServer(name) for name in (OURS, "other", "stranger")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "1k").write_bytes(bytes(1024))
    return tmp_path


def test_a_ratio_is_their_time_to_ours_in_the_same_round() -> None:
    measured = Measured(SCENARIO, {OURS: [result(1), result(2)], "x": [result(3), result(8)]})
    assert measured.ratios("x") == [3, 4]


def test_a_round_in_which_one_failed_has_no_ratio() -> None:
    ours: list[Result | None] = [result(1), None, result(4)]
    theirs: list[Result | None] = [None, result(3), result(8)]
    measured = Measured(SCENARIO, {OURS: ours, "x": theirs})
    assert measured.ratios("x") == [2]


def test_without_a_run_of_ours_there_is_no_ratio() -> None:
    measured = Measured(SCENARIO, {"x": [result(1)]})
    assert measured.ratios("x") == []
    assert measured.steadiness() is None


def test_steadiness_is_the_median_of_our_p99_to_p50() -> None:
    runs: list[Result | None] = [result(1, p99) for p99 in (0.1, 0.2, 0.4)]
    assert Measured(SCENARIO, {OURS: runs}).steadiness() == 2


def test_rounds_are_interleaved_after_a_pass_that_compares(
    servers: dict[str, Server], root: Path
) -> None:
    load = FakeLoad(root, ours=(9, 1, 1), other=(9, 2, 4))
    measured = measure(SCENARIO, servers, load, 2, root)
    assert load.calls == ["ours verified", "other verified", "ours", "other", "ours", "other"]
    assert measured.ratios("other") == [2, 4]
    assert measured.faults == []


def test_a_failed_run_is_a_fault_and_no_ratio(servers: dict[str, Server], root: Path) -> None:
    load = FakeLoad(root, ours=(9, 1, 1), other=(9, None, 4))
    measured = measure(SCENARIO, servers, load, 2, root)
    assert measured.ratios("other") == [4]
    assert measured.faults == ["other in S: 2 errors"]


def test_who_fails_the_pass_that_compares_is_not_timed(
    servers: dict[str, Server], root: Path
) -> None:
    load = FakeLoad(root, ours=(9, 1), other=(None,))
    measured = measure(SCENARIO, servers, load, 1, root)
    assert measured.ratios("other") == []
    assert list(measured.results) == [OURS]


def test_each_write_begins_without_the_file_of_the_one_before(
    servers: dict[str, Server], root: Path
) -> None:
    load = FakeLoad(root, ours=(9, 1, 1), other=(9, 2, 2))
    assert measure(WRITE, servers, load, 2, root).ratios("other") == [2, 2]
    assert load.found == [False] * 6


def test_who_stores_something_else_is_not_timed(servers: dict[str, Server], root: Path) -> None:
    load = FakeLoad(root, ours=(9, 1), other=(0,))
    measured = measure(WRITE, servers, load, 1, root)
    assert measured.faults == ["other in W: it stored something else"]
    assert list(measured.results) == [OURS]


def test_quartiles_are_among_the_values() -> None:
    assert spread([5.0]) == (5, 5, 5)
    assert spread([1.0, 2.0, 3.0, 4.0, 5.0]) == (2, 3, 4)


def test_scenarios_are_chosen_by_name() -> None:
    assert [scenario.name for scenario in chosen("S7,S1")] == ["S7", "S1"]
    with pytest.raises(ValueError, match="There is no scenario S99. Scenarios: S1,"):
        chosen("S1,S99")
