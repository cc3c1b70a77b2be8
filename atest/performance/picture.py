"""The picture of the benchmark: how many times as fast as others, as an SVG.

The scale is logarithmic, and a bar begins at 1: twice as fast is as long as half as fast, and a
ratio of 18 leaves room for one of 1.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from math import ceil, floor, log2
from pathlib import Path

from atest.performance.report import Row

_WIDTH = 900
_LEFT, _RIGHT = 400, 810
"""Where the scale begins and ends."""
_TOP, _ROW, _GAP = 72, 18, 8
_COLOURS = {"MISSED": "#c0392b", "must": "#2980b9", "aim": "#27ae60", "": "#999"}
_WORDS = {"aim": "aim reached", "must": "must reached", "MISSED": "must missed", "": "to compare"}


class Scale:
    """Where a ratio is on the picture.

    Args:
        ratios: all that must have a place.
    """

    def __init__(self, ratios: Iterable[float]) -> None:
        logs = [log2(ratio) for ratio in ratios]
        self.low = floor(min([-1.0, *logs]))
        self.high = ceil(max([1.0, *logs]))

    def at(self, ratio: float) -> float:
        """Returns the place of a ratio from the left, in pixels."""
        return _LEFT + (_RIGHT - _LEFT) * (log2(ratio) - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Returns the powers of two that it spans."""
        return [2.0**power for power in range(self.low, self.high + 1)]


def write_svg(path: Path, rows: Sequence[Row], headline: str) -> None:
    """Draws a bar for each ratio, its quartiles as a line, and a mark where its must is."""
    path.write_text(draw(rows, headline), "utf-8")


def draw(rows: Sequence[Row], headline: str) -> str:
    """Returns the picture."""
    speeds = [row for row in rows if row.is_speed]
    scale = Scale([ratio for row in speeds for ratio in (row.value, *_marks(row))])
    y = _TOP
    parts = []
    for what, group in groupby(speeds, key=lambda row: row.what):
        parts.append(_text(16, y + 12, what))
        for row in group:
            parts += _bar(row, y, scale)
            y += _ROW
        y += _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 22}" '
        f'width="{_WIDTH}" font-family="sans-serif" font-size="12">'
        '<rect width="100%" height="100%" fill="#fff"/>'
        f"{''.join([*_head(headline), *_grid(scale, y), *parts])}</svg>"
    )


def _marks(row: Row) -> list[float]:
    return [*(row.quartiles or ()), *([float(row.must)] if row.must else [])]


def _bar(row: Row, y: float, scale: Scale) -> list[str]:
    colour, one, end = _COLOURS[row.verdict], scale.at(1), scale.at(row.value)
    low, high = (scale.at(value) for value in row.quartiles or (row.value, row.value))
    parts = [
        _text(_LEFT - 10, y + 12, row.against, "end"),
        f'<rect x="{min(one, end):.1f}" y="{y + 2}" width="{abs(end - one):.1f}" height="12" '
        f'fill="{colour}"/>',
        f'<path d="M{low:.1f} {y + 8}H{high:.1f}" stroke="#000"/>',
        _text(_WIDTH - 16, y + 12, f"{row.value:.2f}", "end"),
    ]
    if row.must:
        parts.append(
            f'<path d="M{scale.at(float(row.must)):.1f} {y}v16" stroke="#000" stroke-width="2"/>'
        )
    return parts


def _head(headline: str) -> list[str]:
    parts = [
        f'<text x="16" y="22" font-size="15">{escape("Times as fast as others")}</text>',
        f'<text x="16" y="38" font-size="10" fill="#555">{escape(headline)}</text>',
    ]
    x = 290
    for verdict, word in _WORDS.items():
        parts.append(f'<rect x="{x}" y="12" width="10" height="10" fill="{_COLOURS[verdict]}"/>')
        parts.append(_text(x + 14, 21, word))
        x += 108
    parts.append(f'<path d="M{x} 10v14" stroke="#000" stroke-width="2"/>')
    parts.append(_text(x + 8, 21, "must; line: quartiles"))
    return parts


def _grid(scale: Scale, bottom: float) -> list[str]:
    parts = []
    for tick in scale.ticks():
        x, colour = scale.at(tick), "#888" if tick == 1 else "#e4e4e4"
        parts.append(f'<path d="M{x:.1f} {_TOP - 4}V{bottom}" stroke="{colour}"/>')
        parts += [_text(x, y, f"{tick:g}", "middle") for y in (_TOP - 10, bottom + 14)]
    return parts


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
