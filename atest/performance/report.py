"""What the benchmark tells: a table for people, JSON for programs, and one picture."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from rounds import Measured, spread

_BAR = 260
_ROW = 18
_LABEL = 250


@dataclass(frozen=True)
class Row:
    """One figure with its gates.

    Attributes:
        what: was measured.
        against: what, or whom.
        value: the figure.
        must: what it must reach, as text, empty without a gate.
        aim: what is aimed at, as text.
        verdict: `aim`, `must`, `MISSED`, or empty without a gate.
        quartiles: the lower and the upper one of a ratio.
        unit: of the value.
    """

    what: str
    against: str
    value: float
    must: str = ""
    aim: str = ""
    verdict: str = ""
    quartiles: tuple[float, float] | None = None
    unit: str = ""

    @property
    def text(self) -> str:
        """The value as people read it."""
        return f"{self.value:.3g}{self.unit and ' ' + self.unit}"


def judged(what: str, against: str, value: float, gate: tuple[float, float], unit: str = "") -> Row:
    """Returns a row whose value must be at most the gate's first, and is aimed at its second."""
    must, aim = gate
    verdict = "aim" if value <= aim else "must" if value <= must else "MISSED"
    return Row(what, against, value, f"<= {must:g}", f"<= {aim:g}", verdict, unit=unit)


def at_least(
    what: str,
    against: str,
    values: list[float],
    gate: tuple[float, float] | None,
) -> Row:
    """Returns a row for ratios, whose median must be at least the gate's first."""
    low, middle, high = spread(values)
    if gate is None:
        return Row(what, against, middle, quartiles=(low, high))
    must, aim = gate
    verdict = "aim" if middle >= aim else "must" if middle >= must else "MISSED"
    return Row(what, against, middle, f"{must:g}", f"{aim:g}", verdict, (low, high))


def rows_of(measured: Measured) -> Iterable[Row]:
    """Yields the rows of one scenario."""
    scenario = measured.scenario
    what = f"{scenario.name} {scenario.title}"
    for peer in measured.results:
        ratios = measured.ratios(peer)
        if peer != "ours" and ratios:
            yield at_least(what, peer, ratios, scenario.gates.get(peer))
    if scenario.steadiness is not None:
        limit = scenario.steadiness
        yield judged(f"{scenario.name} p99 / p50", "1", measured.steadiness(), (limit, limit))


def table(rows: Sequence[Row]) -> str:
    """Returns a Markdown table."""
    lines = ["| what | against | result | quartiles | must | aim | |", "|---" * 7 + "|"]
    for row in rows:
        span = f"{row.quartiles[0]:.3g} - {row.quartiles[1]:.3g}" if row.quartiles else ""
        cells = (row.what, row.against, row.text, span, row.must, row.aim, row.verdict)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


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
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {sys.version.split()[0]}",
    }


def write_json(path: Path, rows: Sequence[Row], measured: Sequence[Measured], load: str) -> None:
    """Writes every figure, and every single run."""
    runs = {
        each.scenario.name: {
            name: [asdict(result) for result in results] for name, results in each.results.items()
        }
        for each in measured
    }
    content = {
        "machine": machine(),
        "load": load,
        "rows": [asdict(row) for row in rows],
        "runs": runs,
        "faults": [fault for each in measured for fault in each.faults],
    }
    path.write_text(json.dumps(content, indent=1), "utf-8")


def write_svg(path: Path, rows: Sequence[Row]) -> None:
    """Draws the ratios: a bar for each, its quartiles as a line, and where 1 and the must are."""
    ratios = [row for row in rows if row.quartiles]
    most = max((row.value for row in ratios), default=1.0)
    lines = []
    for number, row in enumerate(ratios):
        y = 40 + number * _ROW
        length = _BAR * row.value / most
        colour = {"MISSED": "#c0392b", "must": "#2980b9", "aim": "#27ae60"}.get(row.verdict, "#888")
        label = f"{row.what.split()[0]} / {row.against}"
        lines.append(f'<text x="{_LABEL - 8}" y="{y + 11}" text-anchor="end">{label}</text>')
        lines.append(
            f'<rect x="{_LABEL}" y="{y}" width="{length:.1f}" height="12" fill="{colour}"/>'
        )
        low, high = row.quartiles or (row.value, row.value)
        span = [_LABEL + _BAR * value / most for value in (low, high)]
        lines.append(f'<path d="M{span[0]:.1f} {y + 6}H{span[1]:.1f}" stroke="#000" fill="none"/>')
        lines.append(f'<text x="{span[1] + 6:.1f}" y="{y + 11}">{row.value:.2f}</text>')
        if row.must:
            at = _LABEL + _BAR * float(row.must) / most
            lines.append(f'<path d="M{at:.1f} {y - 2}v16" stroke="#c0392b" stroke-width="2"/>')
    one = _LABEL + _BAR / most
    height = 60 + len(ratios) * _ROW
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LABEL + _BAR + 80} {height}" '
        'font-family="sans-serif" font-size="11">'
        '<rect width="100%" height="100%" fill="#fff"/>'
        '<text x="10" y="20" font-size="13">Times as fast as others; red mark: must</text>'
        f'<path d="M{one:.1f} 30V{height - 20}" stroke="#aaa" stroke-dasharray="3 3"/>'
        f"{''.join(lines)}</svg>",
        "utf-8",
    )
