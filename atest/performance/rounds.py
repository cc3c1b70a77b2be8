"""The method: interleaved rounds, the ratio inside each round, medians and quartiles of it.

No absolute figure is stable on a machine that does other things too. So each round runs every
server once, one after the other, and only runs within the same second or two are compared.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from atest.performance.loads import Failed, Load, Result
from atest.performance.peers import OURS, Server
from atest.performance.scenarios import SCENARIOS, Scenario


@dataclass
class Measured:
    """The results of one scenario.

    Attributes:
        scenario: the scenario.
        results: those of each server, in the order of the rounds; None is a run that failed.
        faults: sentences about failures.
    """

    scenario: Scenario
    results: dict[str, list[Result | None]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def ratios(self, peer: str) -> list[float]:
        """Their seconds to ours, of each round in which neither failed."""
        pairs = zip(self.results.get(peer, []), self.results.get(OURS, []), strict=False)
        return [theirs.seconds / ours.seconds for theirs, ours in pairs if theirs and ours]

    def good(self, name: str) -> list[Result]:
        """The runs of a server that did not fail."""
        return [result for result in self.results.get(name, []) if result]

    def steadiness(self) -> float | None:
        """The median of p99 / p50 of our transfers' durations; None without a good run."""
        values = [each.p99 / each.p50 for each in self.good(OURS)]
        return median(values) if values else None


def spread(values: list[float]) -> tuple[float, float, float]:
    """Returns the lower quartile, the median and the upper quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


def measure(
    scenario: Scenario, servers: Mapping[str, Server], load: Load, rounds: int, folder: Path
) -> Measured:
    """Runs one scenario: first a pass that compares every octet, then the timed rounds.

    A server that fails the first pass is not timed, and a run that fails has no result.
    """
    measured = Measured(scenario)
    able = []
    for name, server in servers.items():
        if not _is_of_use(name, scenario):
            continue
        verified = _run(measured, server, load, folder, verify=folder / scenario.file)
        if verified and not _is_stored(scenario, folder):
            measured.faults.append(f"{name} in {scenario.name}: it stored something else")
        elif verified:
            able.append(server)
    for _ in range(rounds):
        for server in able:
            result = _run(measured, server, load, folder)
            measured.results.setdefault(server.name, []).append(result)
    return measured


def _run(
    measured: Measured, server: Server, load: Load, folder: Path, verify: Path | None = None
) -> Result | None:
    """Runs the load once; a flaw is a fault, and its time is no result."""
    scenario = measured.scenario
    # Another server, perhaps of another user, wrote the same file before.
    remove_written(folder)
    try:
        return load.run(scenario, server, verify=verify)
    except Failed as problem:
        measured.faults.append(f"{server.name} in {scenario.name}: {problem}")
        return None


def chosen(names: str) -> list[Scenario]:
    """Returns the scenarios that are named, all of them for an empty text.

    Raises:
        ValueError: there is no scenario of that name.
    """
    wanted = [name for name in names.split(",") if name]
    known = {scenario.name: scenario for scenario in SCENARIOS}
    if unknown := sorted(set(wanted) - set(known)):
        raise ValueError(
            f"There is no scenario {', '.join(unknown)}. Scenarios: {', '.join(known)}."
        )
    return [known[name] for name in wanted] if wanted else SCENARIOS


def _is_stored(scenario: Scenario, folder: Path) -> bool:
    """Whether the file was written as it was sent."""
    if not scenario.is_write:
        return True
    # Some servers finish the file after their last ACK.
    for _ in range(50):
        written = [path.read_bytes() for path in folder.glob("written-*")]
        if written == [(folder / scenario.file).read_bytes()]:
            return True
        time.sleep(0.02)
    return False


def remove_written(folder: Path) -> None:
    """Removes the files that the clients wrote."""
    for path in folder.glob("written-*"):
        path.unlink()


def _is_of_use(name: str, scenario: Scenario) -> bool:
    if name == "tftpy":
        # It takes minutes where the others take a second.
        return scenario.name in ("S1", "S2", "S7")
    return name == OURS or name in scenario.gates
