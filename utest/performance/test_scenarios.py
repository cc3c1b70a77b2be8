from __future__ import annotations

import pytest

from atest.performance.scenarios import FILES, SCENARIOS, Scenario, size_of


@pytest.mark.parametrize(
    ("name", "octets"), [("1k", 1024), ("16m", 16 * 1024**2), ("4g", 4 * 1024**3)]
)
def test_the_name_of_a_file_tells_its_size(name: str, octets: int) -> None:
    assert size_of(name) == octets


def test_the_octets_of_a_scenario_are_those_of_all_transfers() -> None:
    assert Scenario("S", "", "1k", clients=3, transfers=20).octets == 20 * 1024


def test_the_load_generator_gets_the_scenario_as_arguments() -> None:
    scenario = Scenario("S", "", "1m", 1468, 16, clients=2, transfers=4, is_write=True)
    assert " ".join(scenario.words()) == "-b 1468 -k 16 -c 2 -n 4 -w"


def test_each_scenario_has_a_name_of_its_own_and_a_file_that_is_served() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    assert {scenario.file for scenario in SCENARIOS} <= set(FILES)


def test_an_aim_is_more_than_its_must() -> None:
    gates = [gate for scenario in SCENARIOS for gate in scenario.gates.values() if gate]
    assert all(must < aim for must, aim in gates)
