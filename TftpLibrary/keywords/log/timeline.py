"""Many transfers as a table in log.html, with a bar for each of them on one time axis.

It shows which board fetched what, and when; a request that was refused is a row too. The names that
a boot loader looked for in vain are one row, open to see. Without its tags each row reads as a line
of text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import ceil, log10
from typing import TYPE_CHECKING

from TftpLibrary.keywords.log.markup import COLOURS, badge, clock_text, name, peer_text, text
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.wording import (
    duration_text,
    kind_text,
    on_purpose_text,
    peer_words,
    result_text,
)

if TYPE_CHECKING:
    from TftpLibrary.messages.probes import Probes

MOST_ROWS = 200
"""Rows of a table at most: the latest transfers."""

WIDTH = 1000
"""The time axis in its own units."""

_MARK = 5
"""The least width of a bar, and the width of a request that was refused."""

OURS = "our client"
"""Where other rows have the server: `TFTP Get` and `TFTP Put` ask from here."""

_LEAST_SPAN = 0.001
_NARROW = "padding:.2em .6em .2em 0;text-align:left;white-space:nowrap;vertical-align:top"
# The text about a transfer and its bar stand side by side, or below each other on a narrow page.
_PAIR = "display:flex;flex-wrap:wrap;gap:0 1em"
_TOLD = "flex:1 1 26em;overflow-wrap:anywhere"
_DRAWN = "flex:1 1 20em"


class Axis:
    """The time axis that all bars share.

    Everything is computed once: each row asks for it, and a table has hundreds.

    Args:
        transfers: the transfers on it; at least one.

    Attributes:
        span: seconds from the first request to the last end.
        step: seconds between two lines of the grid: 1, 2 or 5 times a power of ten.
        grid: the seconds at which lines of the grid are.
    """

    def __init__(self, transfers: Sequence[Transfer]) -> None:
        self._first = min(transfer.started for transfer in transfers)
        self.span = max(_LEAST_SPAN, *(self.start(t) + t.duration for t in transfers))
        rough = self.span / 5
        power = 10.0 ** ceil(log10(rough) - 1)
        self.step = next((power * n for n in (1, 2, 5) if power * n >= rough), power * 10)
        self.grid = [n * self.step for n in range(int(self.span / self.step) + 1)]

    def start(self, transfer: Transfer) -> float:
        """Returns the seconds from the first request to the request of a transfer."""
        return (transfer.started - self._first) / timedelta(seconds=1)


def transfers_table(transfers: Sequence[Transfer]) -> str:
    """Returns an HTML table with one row for each transfer, in their order."""
    from TftpLibrary.messages.probes import fold  # noqa: PLC0415 - for a table only

    shown = transfers[-MOST_ROWS:]
    axis = Axis(shown)
    left_out = len(transfers) - len(shown)
    more = f"\n<p>{left_out:,} earlier transfers are left out.</p>" if left_out else ""
    style = "white-space:normal;table-layout:auto;width:100%;max-width:90em"
    return "\n".join(
        [
            f'<div style="white-space:normal"><table style="{style}">',
            _cells("th", ("No.", "Server", "Start"), "Request", _labels(axis)),
            *(_row_of(item, axis) for item in fold(shown)),
            f"</table>{more}</div>",
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


def _row_of(item: Transfer | Probes, axis: Axis) -> str:
    return _row(item, axis) if isinstance(item, Transfer) else _probes_row(item, axis)


def _probes_row(probes: Probes, axis: Axis) -> str:
    """One row for the misses of a boot loader; open, it has a line for each of them."""
    first = probes.transfers[0]
    outcome = Outcome.refused if probes.is_failure else Outcome.probed
    asked = text(f"{probes.asked}: {probes.result}", 400)
    lines = "\n".join(
        f"<div>{t.id} +{duration_text(axis.start(t))} {name(t.filename, 200)}</div>"
        for t in probes.transfers
    )
    told = (
        f'<details><summary style="cursor:pointer">{badge(outcome, probes.word)} {asked}</summary>'
        f"\n{lines}\n</details>"
    )
    short = (probes.numbers, text(first.server, 80), _start(first, axis))
    last = probes.transfers[-1]
    end = axis.start(last) + last.duration
    drawn = first._replace(duration=end - axis.start(first), outcome=outcome)
    return _cells("td", short, told, _bar(drawn, axis))


def _start(transfer: Transfer, axis: Axis) -> str:
    return f'<span title="{clock_text(transfer)}">+{duration_text(axis.start(transfer))}</span>'


def _row(transfer: Transfer, axis: Axis) -> str:
    title = text(peer_text(transfer))
    board = f'<span title="{title}">{text(peer_words(transfer), 80)}</span>'
    asked = f"{kind_text(transfer)} for '{name(transfer.filename, 200)}' {board}"
    told = f"{badge(transfer.outcome)} {asked}: {_result(transfer)}"
    where = OURS if transfer.is_ours else text(transfer.server, 80)
    return _cells(
        "td", (str(transfer.id), where, _start(transfer, axis)), told, _bar(transfer, axis)
    )


def _result(transfer: Transfer) -> str:
    """The result; where faults struck on purpose, hovering over it shows what they did."""
    result = text(result_text(transfer), 200)
    if not transfer.faults:
        return result
    return f'<span title="{text(on_purpose_text(transfer), 400)}">{result}</span>'


def _cells(tag: str, short: Sequence[str], told: str, drawn: str) -> str:
    # A space between the cells keeps the row readable where the tags are not rendered.
    narrow = " ".join(f'<{tag} style="{_NARROW}">{html}</{tag}>' for html in short)
    pair = f'<div style="{_TOLD}">{told}</div> <div style="{_DRAWN}">{drawn}</div>'
    wide = f'<{tag} style="width:100%;text-align:left"><div style="{_PAIR}">{pair}</div></{tag}>'
    return f"<tr>{narrow} {wide}</tr>"


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
        f'<path d="{grid}" fill="none" stroke="currentColor" opacity=".25" '
        'vector-effect="non-scaling-stroke"/>'
        f'<rect x="{left}" y="3" width="{width}" height="10" fill="{COLOURS[transfer.outcome]}">'
        f"<title>{text(told, 200)}</title></rect></svg>"
    )
