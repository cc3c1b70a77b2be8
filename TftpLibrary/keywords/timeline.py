"""Many transfers as a table in log.html, with a bar for each of them on one time axis.

It shows which board fetched what, and when; a request that was refused is a row too. Without its
tags each row reads as a line of text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, log10

from TftpLibrary.keywords.markup import COLOURS, badge, name, peer_text, text
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Outcome, Transfer
from TftpLibrary.recording.wording import (
    duration_text,
    percent_text,
    rate_text,
    reason_text,
    size_text,
)

MOST_ROWS = 200
"""Rows of a table at most: the latest transfers."""

WIDTH = 1000
"""The time axis in its own units."""

_MARK = 5
"""The least width of a bar, and the width of a request that was refused."""

_LEAST_SPAN = 0.001
_COLUMNS = ("No.", "Start", "Board", "Request", "Outcome")
_CELL = "padding:.15em .6em .15em 0;text-align:left;overflow-wrap:anywhere"
_NARROW = f"{_CELL};white-space:nowrap"


@dataclass(frozen=True, slots=True)
class Axis:
    """The time axis that all bars share.

    Attributes:
        transfers: what is drawn on it.
    """

    transfers: Sequence[Transfer]

    @property
    def span(self) -> float:
        """Seconds from the first request to the last end."""
        return max(_LEAST_SPAN, *(self.start(t) + t.duration for t in self.transfers))

    def start(self, transfer: Transfer) -> float:
        """Returns the seconds from the first request to that of a transfer."""
        first = min(other.started for other in self.transfers)
        return (transfer.started - first) / timedelta(seconds=1)

    @property
    def step(self) -> float:
        """Seconds between two lines of the grid: 1, 2 or 5 of a power of ten."""
        rough = self.span / 5
        power = 10.0 ** ceil(log10(rough) - 1)
        return next((power * n for n in (1, 2, 5) if power * n >= rough), power * 10)

    @property
    def grid(self) -> list[float]:
        """The seconds at which lines of the grid are."""
        return [n * self.step for n in range(int(self.span / self.step) + 1)]


def transfers_table(transfers: Sequence[Transfer]) -> str:
    """Returns an HTML table with one row for each transfer, in their order."""
    shown = transfers[-MOST_ROWS:]
    axis = Axis(shown)
    left_out = len(transfers) - len(shown)
    more = f"\n<p>{left_out:,} earlier transfers are left out.</p>" if left_out else ""
    head = "".join(f'<th style="{_NARROW}">{column}</th> ' for column in _COLUMNS)
    style = "white-space:normal;table-layout:auto;border-collapse:collapse;width:100%"
    return "\n".join(
        [
            f'<table style="{style};max-width:90em">',
            f'<tr>{head}<th style="width:40%;min-width:9em">{_labels(axis)}</th></tr>',
            *(_row(transfer, axis) for transfer in shown),
            f"</table>{more}",
        ]
    )


def _labels(axis: Axis) -> str:
    spans = []
    for seconds in axis.grid:
        left = 100 * seconds / axis.span
        style = f"position:absolute;left:{left:.1f}%;font-weight:normal;white-space:nowrap"
        # A label at the very end would stand beside the table.
        if left <= 92:
            spans.append(f'<span style="{style}">{_label(seconds)}</span>')
    return f'<div style="position:relative;height:1.3em">{" ".join(spans)}</div>'


def _label(seconds: float) -> str:
    return duration_text(seconds) if seconds else "0 s"


def _row(transfer: Transfer, axis: Axis) -> str:
    packet = "RRQ" if transfer.direction is Direction.read else "WRQ"
    start = f"+{duration_text(axis.start(transfer))}"
    clock = transfer.started.strftime("%H:%M:%S.%f")[:-3]
    board = f'<span title="{text(peer_text(transfer))}">{text(transfer.client, 50)}</span>'
    cells = (
        (_NARROW, str(transfer.id)),
        (_NARROW, f'<span title="{clock}">{start}</span>'),
        (_NARROW, board),
        (_CELL, f"{packet} '{name(transfer.filename, 120)}'"),
        (_CELL, f"{badge(transfer.outcome)} {text(_result(transfer), 120)}"),
        ("padding:0", _bar(transfer, axis)),
    )
    # A space between the cells keeps the row readable where the tags are not rendered.
    return f"<tr>{' '.join(_cell(style, html) for style, html in cells)}</tr>"


def _cell(style: str, html: str) -> str:
    return f'<td style="{style}">{html}</td>'


def _result(transfer: Transfer) -> str:
    if transfer.outcome is Outcome.refused:
        return reason_text(transfer)
    if transfer.outcome is Outcome.probed:
        return "its size only"
    if transfer.outcome is Outcome.completed:
        return f"{size_text(transfer.octets)} ({rate_text(transfer.rate)})"
    if transfer.size is None:
        return f"at {size_text(transfer.octets)}"
    return f"at {percent_text(transfer.octets, transfer.size)} of {size_text(transfer.size)}"


def _bar(transfer: Transfer, axis: Axis) -> str:
    scale = WIDTH / axis.span
    start = axis.start(transfer)
    width = max(_MARK, round(transfer.duration * scale))
    left = min(round(start * scale), WIDTH - width)
    grid = "".join(f"M{round(seconds * scale)} 0V16" for seconds in axis.grid)
    end = f" to {_label(start + transfer.duration)}" if transfer.duration else ""
    told = f"{_label(start)}{end}: {transfer.filename}"
    return (
        f'<svg viewBox="0 0 {WIDTH} 16" preserveAspectRatio="none" '
        'style="display:block;width:100%;height:1.5em">'
        f'<path d="{grid}" stroke="currentColor" opacity=".25" '
        'vector-effect="non-scaling-stroke"/>'
        f'<rect x="{left}" y="3" width="{width}" height="10" fill="{COLOURS[transfer.outcome]}">'
        f"<title>{text(told, 200)}</title></rect></svg>"
    )
