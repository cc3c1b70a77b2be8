"""The cost of faults on purpose: of a plan for another file, and of a rule that never strikes."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from atest.performance.loads import Load
from atest.performance.peers import Command, Server
from atest.performance.report import Row, at_least
from atest.performance.rounds import remove_written
from atest.performance.scenarios import SCENARIOS, Scenario

_SAME = (0.97, 0.99)
"""Speed with a plan for another file, as a share of that without."""
_STRICT: dict[str, tuple[float, float]] = {"S2": (20, 25), "S4": (60, 80)}
"""Scenarios with a rule that never strikes, and the MB/s that they must reach."""


def plans(folder: Path, load: Load, rounds: int) -> list[Row]:
    """Every scenario with a plan for another file, and two with a rule for their own file."""
    names = {"without": "", "another file": "another", "its file": "*"}
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(Server(name, _command(file), folder / "root"))
            for name, file in names.items()
        }
        rows = []
        for scenario in SCENARIOS:
            speeds = _speeds(scenario, servers, load, folder / "root", max(3, rounds))
            pairs = zip(speeds["another file"], speeds["without"], strict=True)
            ratios = [with_plan / without for with_plan, without in pairs]
            rows.append(
                at_least(f"{scenario.name}, a plan for another file", "none", ratios, _SAME)
            )
            if scenario.name in _STRICT:
                what, gate = f"{scenario.name}, a rule that never strikes", _STRICT[scenario.name]
                row = at_least(what, "", speeds["its file"], gate)
                rows.append(replace(row, unit="MB/s", is_speed=False))
    return rows


def _speeds(
    scenario: Scenario, servers: dict[str, Server], load: Load, root: Path, rounds: int
) -> dict[str, list[float]]:
    """Returns the MB/s of each server, in interleaved rounds."""
    speeds: dict[str, list[float]] = {name: [] for name in servers}
    wanted = [name for name in servers if name != "its file" or scenario.name in _STRICT]
    for _ in range(rounds):
        for name in wanted:
            remove_written(root)
            result = load.run(scenario, servers[name])
            speeds[name].append(result.octets / result.seconds / 1e6)
    return speeds


def _command(file: str) -> Command:
    """Our server, with a rule for a file that strikes no packet; empty for none."""
    return partial(_words, file)


def _words(file: str, port: int, root: Path) -> list[str]:
    fault = f"server.faults.inject('drop', 'DATA 9999999', file={file!r}); " if file else ""
    program = (
        "import signal; from TftpLibrary import TftpServer; "
        f"server = TftpServer({str(root)!r}, port={port}, writable=True, overwrite=True, "
        f"keep_files=True, max_transfers=1000).start(); {fault}signal.pause()"
    )
    return [sys.executable, "-c", program]
