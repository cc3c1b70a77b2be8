"""The output of the benchmark: a table for people, JSON for programs."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from atest.performance.peers import OURS
from atest.performance.rounds import Measured, spread


@dataclass(frozen=True)
class Row:
    """One figure with its gates.

    Attributes:
        what: the subject of the figure.
        against: the server, or the thing, that it is compared with.
        value: the figure.
        must: the required value, as text, empty without a gate.
        aim: the value aimed at, as text.
        verdict: `aim`, `must`, `MISSED`, or empty without a gate.
        quartiles: the lower and the upper one of a ratio.
        unit: of the value.
        note: a note for the reader, such as the number of failed runs.
        is_speed: whether the value says how many times faster ours is than a peer.
    """

    what: str
    against: str
    value: float
    must: str = ""
    aim: str = ""
    verdict: str = ""
    quartiles: tuple[float, float] | None = None
    unit: str = ""
    note: str = ""
    is_speed: bool = False

    @property
    def text(self) -> str:
        """The value as people read it."""
        return f"{self.value:.3g}{self.unit and ' ' + self.unit}"


def judged(
    what: str, against: str, value: float | list[float], gate: tuple[float, float], unit: str = ""
) -> Row:
    """Returns a row whose value must be at most the gate's first, and is aimed at its second.

    Of several values it is the median.
    """
    low, middle, high = spread(value if isinstance(value, list) else [value])
    must, aim = gate
    verdict = "aim" if middle <= aim else "must" if middle <= must else "MISSED"
    quartiles = (low, high) if isinstance(value, list) else None
    return Row(what, against, middle, f"<= {must:g}", f"<= {aim:g}", verdict, quartiles, unit)


def at_least(
    what: str,
    against: str,
    values: list[float],
    gate: tuple[float, float] | None,
    note: str = "",
) -> Row:
    """Returns a row for ratios, whose median must be at least the gate's first."""
    low, middle, high = spread(values)
    row = Row(what, against, middle, quartiles=(low, high), note=note, is_speed=True)
    if gate is None:
        return row
    must, aim = gate
    verdict = "aim" if middle >= aim else "must" if middle >= must else "MISSED"
    return replace(row, must=f"{must:g}", aim=f"{aim:g}", verdict=verdict)


def rows_of(measured: Measured) -> Iterable[Row]:
    """Yields the rows of one scenario; a server that always failed has none."""
    scenario = measured.scenario
    what = f"{scenario.name} {scenario.title}"
    for peer, results in measured.results.items():
        ratios = measured.ratios(peer)
        if peer == OURS or not ratios:
            continue
        lost = len(results) - len(ratios)
        note = f"{lost} of {len(results)} rounds failed" if lost else ""
        yield at_least(what, peer, ratios, scenario.gates.get(peer), note)
    steadiness = measured.steadiness()
    if scenario.steadiness is not None and steadiness is not None:
        limit = scenario.steadiness
        yield judged(f"{scenario.name} p99 / p50", "1", steadiness, (limit, limit))


def table(rows: Sequence[Row]) -> str:
    """Returns a Markdown table."""
    lines = ["| what | against | result | quartiles | must | aim | |", "|---" * 7 + "|"]
    for row in rows:
        span = f"{row.quartiles[0]:.3g} - {row.quartiles[1]:.3g}" if row.quartiles else ""
        last = ", ".join(word for word in (row.verdict, row.note) if word)
        cells = (row.what, row.against, row.text, span, row.must, row.aim, last)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def headline(load: str, rounds: int) -> str:
    """Says when, where and how this was measured, in one sentence."""
    values = machine()
    place = f"{values['python']}, {values['system']}, {values['processor']}"
    return f"{values['date']}, {place}, one core; rounds: {rounds}; clients: {load}."


def machine() -> dict[str, str]:
    """Says where and when this was measured."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text("utf-8").splitlines() if "model name" in line]
        model = names[0].partition(":")[2].strip() if names else model
    return {
        "date": date.today().isoformat(),
        "processor": model,
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": f"{platform.python_implementation()} {sys.version.split()[0]}",
    }


def write_json(
    path: Path, rows: Sequence[Row], measured: Sequence[Measured], load: str, rounds: int
) -> None:
    """Writes every figure, and every single run; one that failed is null."""
    runs = {
        each.scenario.name: {
            name: [result and asdict(result) for result in results]
            for name, results in each.results.items()
        }
        for each in measured
    }
    content = {
        "machine": machine(),
        "load": load,
        "rounds": rounds,
        "rows": [asdict(row) for row in rows],
        "runs": runs,
        "faults": [fault for each in measured for fault in each.faults],
    }
    path.write_text(json.dumps(content, indent=1), "utf-8")
