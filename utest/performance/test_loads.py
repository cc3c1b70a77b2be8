from __future__ import annotations

from dataclasses import replace

import pytest

from atest.performance.loads import Result
from atest.performance.scenarios import Scenario

SCENARIO = Scenario("S", "", "1k", transfers=10)
GOOD = Result(1.0, 10 * 1024, 10, 0, 0, 0.1, 0.1)


def test_a_run_without_a_flaw_counts() -> None:
    assert GOOD.flaw(SCENARIO) == ""


def test_clients_that_had_to_ask_again_are_no_flaw() -> None:
    assert replace(GOOD, retries=3).flaw(SCENARIO) == ""


@pytest.mark.parametrize(
    ("result", "flaw"),
    [
        (replace(GOOD, errors=2), "2 errors"),
        (replace(GOOD, transfers=9), "9 transfers instead of 10"),
        (replace(GOOD, octets=1), "1 octets instead of 10240"),
    ],
)
def test_a_run_with_a_flaw_says_which(result: Result, flaw: str) -> None:
    assert result.flaw(SCENARIO) == flaw
