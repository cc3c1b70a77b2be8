"""The course of one transfer as a drawing: throughput, packets sent again, faults on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from TftpLibrary.keywords.log.markup import COLOURS, ODD, PLANNED, text
from TftpLibrary.recording.records import Sample, Transfer
from TftpLibrary.recording.wording import duration_text, on_purpose_text
from TftpLibrary.sizes import part_text, rate_text, size_text

MOST_COLUMNS = 30
"""Columns of a drawing at most; a longer course is drawn in wider ones."""

WIDTH, HEIGHT, TICK = 1000, 60, 10
"""The canvas in its own units: the columns, and below them a row of ticks of the retransmits. Where
faults struck, their ticks are another row below those."""

_EM = 14
"""Units of the canvas that are one em high."""
# Bytes of HTML for the words about faults: of a drawing, and of a column.
_ALL_WORDS, _MOST_WORDS = 1000, 150

_FIXED = 'vector-effect="non-scaling-stroke"'


class Column(NamedTuple):
    """The course between two samples.

    Attributes:
        start: seconds since the request.
        end: seconds since the request.
        octets: of the file that arrived in that time.
        total: of the file that had arrived at its end.
        retransmits: packets that were sent again in that time.
        faults: how often a fault on purpose struck in that time.
    """

    start: float
    end: float
    octets: int
    total: int
    retransmits: int
    faults: int = 0

    @property
    def rate(self) -> float:
        """Octets per second."""
        return max(0, self.octets) / (self.end - self.start)


def columns(transfer: Transfer) -> list[Column]:
    """Returns the course of a transfer; empty when it took too little time to have one."""
    if not transfer.samples:
        return []
    last = Sample(transfer.duration, transfer.octets, transfer.retransmits, transfer.fault_count)
    samples = [Sample(0.0, 0, 0)]
    for sample in (*transfer.samples, last):
        if sample.seconds > samples[-1].seconds:
            samples.append(sample)
    # The first and the last one stay, whatever is left out between them.
    step = -(-(len(samples) - 1) // MOST_COLUMNS)
    kept = [*samples[:-1:step], samples[-1]]
    return [
        Column(
            a.seconds,
            b.seconds,
            b.octets - a.octets,
            b.octets,
            b.retransmits - a.retransmits,
            b.faults - a.faults,
        )
        for a, b in pairwise(kept)
    ]


def throughput(transfer: Transfer) -> str:
    """Returns the drawing as HTML; empty for a transfer without a course.

    A tick below a column marks packets that were sent again, one in the row below a fault on
    purpose. Hovering over a column shows its numbers and the faults, and so do the lines of the
    text where no drawing is shown.
    """
    course = columns(transfer)
    if not course:
        return ""
    span = transfer.duration
    peak = max(column.rate for column in course) or 1.0
    average = f"{rate_text(transfer.rate)} on average, {rate_text(peak)} at most"
    again = [c for c in course if c.retransmits > 0]
    struck = [c for c in course if c.faults > 0]
    height = HEIGHT + (2 if struck else 1) * TICK
    limit = min(_MOST_WORDS, _ALL_WORDS // max(1, len(struck)))
    return "\n".join(
        [
            '<div style="max-width:50em">',
            f"<div>Throughput: {average}{_legend(again, struck)}</div>",
            f'<svg viewBox="0 0 {WIDTH} {height}" preserveAspectRatio="none" role="img" '
            f'style="display:block;width:100%;height:{height / _EM:.3g}em">',
            f'<path d="{_bars(course, span, peak)}" fill="{COLOURS[transfer.outcome]}"/>',
            '<g fill="none" pointer-events="all">',
            _ticks(again, span, HEIGHT, ODD),
            _ticks(struck, span, HEIGHT + TICK, PLANNED),
            f'<path d="M0 {HEIGHT}H{WIDTH}" stroke="currentColor" {_FIXED}/>',
            *(_hover(column, transfer, height, limit) for column in course),
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


def _legend(again: Sequence[Column], struck: Sequence[Column]) -> str:
    kinds = [(again, ODD, "packets sent again"), (struck, PLANNED, "faults on purpose")]
    told = [f'<span style="color:{ink}">{words}</span>' for found, ink, words in kinds if found]
    return f"; ticks: {', and below them '.join(told)}" if told else ""


def _ticks(course: Sequence[Column], span: float, top: int, colour: str) -> str:
    middles = [_x((column.start + column.end) / 2, span) for column in course]
    path = "".join(f"M{x} {top + 2}V{top + TICK}" for x in middles)
    return f'<path d="{path}" stroke="{colour}" stroke-width="3" {_FIXED}/>'


def _hover(column: Column, transfer: Transfer, height: int, limit: int) -> str:
    left, right = (_x(seconds, transfer.duration) for seconds in (column.start, column.end))
    size = transfer.size
    done = size_text(column.total) if size is None else part_text(column.total, size)
    again = f", {column.retransmits} sent again" if column.retransmits > 0 else ""
    told = f"at {duration_text(column.end)}: {rate_text(column.rate)}, {done}{again}"
    path = f"M{left} 0H{right}V{height}H{left}z"
    return f'<path d="{path}"><title>{text(told)}{_faults(column, transfer, limit)}</title></path>'


def _faults(column: Column, transfer: Transfer, limit: int) -> str:
    """The faults in the time of a column; what one did often is told where it began."""
    if column.faults <= 0:
        return ""
    began = tuple(
        mark._replace(times=min(mark.times, column.faults))
        for mark in transfer.faults
        if column.start <= mark.seconds <= column.end
    )
    words = on_purpose_text(transfer._replace(faults=began, fault_count=column.faults))
    told = f": {text(words, limit)}" if began else ""
    return f", {column.faults:,} on purpose{told}"


def _x(seconds: float, span: float) -> int:
    return round(WIDTH * seconds / span)
