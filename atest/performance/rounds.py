"""The method: interleaved rounds, the ratio inside each round, medians and quartiles of it.

No absolute figure is stable on a machine that does other things too. So each round runs every
server once, one after the other, and what is compared is what ran within the same second or two.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from loads import Load, Result
from peers import OURS, Missing, Server
from scenarios import SCENARIOS, Scenario


@dataclass
class Measured:
    """What came out of one scenario.

    Attributes:
        scenario: it.
        results: those of each server, in the order of the rounds.
        faults: what went wrong, in sentences.
    """

    scenario: Scenario
    results: dict[str, list[Result]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def ratios(self, peer: str) -> list[float]:
        """Their seconds to ours, round by round."""
        pairs = zip(self.results.get(peer, []), self.results[OURS], strict=False)
        return [theirs.seconds / ours.seconds for theirs, ours in pairs]

    def rate(self, name: str) -> float:
        """The median of octets per second."""
        return median(each.octets / each.seconds for each in self.results[name])

    def steadiness(self) -> float:
        """The median of p99 / p50 of our transfers' durations."""
        return median(each.p99 / each.p50 for each in self.results[OURS])

    def retries(self) -> int:
        """How often a client of ours waited for a second in vain."""
        return sum(each.retries for each in self.results[OURS])


def spread(values: list[float]) -> tuple[float, float, float]:
    """Returns the lower quartile, the median and the upper quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


def measure(
    scenario: Scenario, servers: Mapping[str, Server], load: Load, rounds: int, folder: Path
) -> Measured:
    """Runs one scenario: first a pass that compares every octet, then the timed rounds."""
    measured = Measured(scenario)
    able = []
    for name, server in servers.items():
        if not _is_of_use(name, scenario):
            continue
        try:
            verified = load.run(scenario, server, verify=folder / scenario.file)
        except Missing as reason:
            measured.faults.append(str(reason))
            continue
        if verified.errors or not _is_stored(scenario, folder):
            measured.faults.append(f"{name}: wrong octets in {scenario.name}")
        else:
            able.append((name, server))
    for _ in range(rounds):
        for name, server in able:
            result = load.run(scenario, server)
            measured.results.setdefault(name, []).append(result)
            if result.errors:
                measured.faults.append(f"{name}: {result.errors} errors in {scenario.name}")
    return measured


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
    """Whether what was written is what was sent; it is removed."""
    if not scenario.is_write:
        return True
    # Some servers finish the file after their last ACK.
    for _ in range(50):
        written = [path.read_bytes() for path in folder.glob("written-*")]
        if written == [(folder / scenario.file).read_bytes()]:
            break
        time.sleep(0.02)
    else:
        return False
    for path in folder.glob("written-*"):
        path.unlink()
    return True


def _is_of_use(name: str, scenario: Scenario) -> bool:
    # tftpy takes minutes for what the others do in a second.
    is_slow = name == "tftpy" and scenario.name not in ("S1", "S2", "S7")
    return name == OURS or name in scenario.gates or (name == "tftpy" and not is_slow)
