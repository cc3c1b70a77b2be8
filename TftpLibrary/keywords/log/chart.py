"""The course of one transfer as a drawing: throughput over time, and packets sent again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from TftpLibrary.keywords.log.markup import COLOURS, ODD, text
from TftpLibrary.recording.records import Sample, Transfer
from TftpLibrary.recording.wording import duration_text
from TftpLibrary.sizes import part_text, rate_text, size_text

MOST_COLUMNS = 30
"""Columns of a drawing at most; a longer course is drawn in wider ones."""

WIDTH, HEIGHT, TICK = 1000, 60, 10
"""The canvas in its own units: the columns, and below them the ticks of the retransmits."""

_FIXED = 'vector-effect="non-scaling-stroke"'


class Column(NamedTuple):
    """The course between two samples.

    Attributes:
        start: seconds since the request.
        end: seconds since the request.
        octets: of the file that arrived in that time.
        total: of the file that had arrived at its end.
        retransmits: packets that were sent again in that time.
    """

    start: float
    end: float
    octets: int
    total: int
    retransmits: int

    @property
    def rate(self) -> float:
        """Octets per second."""
        return max(0, self.octets) / (self.end - self.start)


def columns(transfer: Transfer) -> list[Column]:
    """Returns the course of a transfer; empty when it took too little time to have one."""
    if not transfer.samples:
        return []
    last = Sample(transfer.duration, transfer.octets, transfer.retransmits)
    samples = [Sample(0.0, 0, 0)]
    for sample in (*transfer.samples, last):
        if sample.seconds > samples[-1].seconds:
            samples.append(sample)
    # The first and the last one stay, whatever is left out between them.
    step = -(-(len(samples) - 1) // MOST_COLUMNS)
    kept = [*samples[:-1:step], samples[-1]]
    return [
        Column(a.seconds, b.seconds, b.octets - a.octets, b.octets, b.retransmits - a.retransmits)
        for a, b in pairwise(kept)
    ]


def throughput(transfer: Transfer) -> str:
    """Returns the drawing as HTML; empty for a transfer without a course.

    A tick below a column marks packets that were sent again. Hovering over a column shows its
    numbers, and so do the lines of the text where no drawing is shown.
    """
    course = columns(transfer)
    if not course:
        return ""
    span = transfer.duration
    peak = max(column.rate for column in course) or 1.0
    average = f"{rate_text(transfer.rate)} on average, {rate_text(peak)} at most"
    legend = "; ticks: packets sent again" if any(c.retransmits for c in course) else ""
    return "\n".join(
        [
            '<div style="max-width:50em">',
            f"<div>Throughput: {average}{legend}</div>",
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT + TICK}" preserveAspectRatio="none" role="img" '
            'style="display:block;width:100%;height:5em">',
            f'<path d="{_bars(course, span, peak)}" fill="{COLOURS[transfer.outcome]}"/>',
            '<g fill="none" pointer-events="all">',
            f'<path d="{_ticks(course, span)}" stroke="{ODD}" stroke-width="3" {_FIXED}/>',
            f'<path d="M0 {HEIGHT}H{WIDTH}" stroke="currentColor" {_FIXED}/>',
            *(_hover(column, span, transfer.size) for column in course),
            "</g></svg>",
            '<div style="display:flex;justify-content:space-between">'
            f"<span>0 s</span> <span>{duration_text(span)}</span></div>",
            "</div>",
        ]
    )


def _bars(course: Sequence[Column], span: float, peak: float) -> str:
    parts = []
    for column in course:
        left, right = _x(column.start, span), _x(column.end, span)
        if column.octets > 0:
            # Every column with octets is visible, however few they are.
            top = min(HEIGHT - 1, round(HEIGHT * (1 - column.rate / peak)))
            parts.append(f"M{left} {HEIGHT}V{top}H{right}V{HEIGHT}z")
    return "".join(parts)


def _ticks(course: Sequence[Column], span: float) -> str:
    middles = [_x((c.start + c.end) / 2, span) for c in course if c.retransmits > 0]
    return "".join(f"M{x} {HEIGHT + 2}V{HEIGHT + TICK}" for x in middles)


def _hover(column: Column, span: float, size: int | None) -> str:
    left, right = _x(column.start, span), _x(column.end, span)
    done = size_text(column.total) if size is None else part_text(column.total, size)
    again = f", {column.retransmits} sent again" if column.retransmits > 0 else ""
    told = f"at {duration_text(column.end)}: {rate_text(column.rate)}, {done}{again}"
    path = f"M{left} 0H{right}V{HEIGHT + TICK}H{left}z"
    return f'<path d="{path}"><title>{text(told)}</title></path>'


def _x(seconds: float, span: float) -> int:
    return round(WIDTH * seconds / span)
