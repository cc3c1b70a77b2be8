"""Pieces of HTML for Robot Framework's log: escaped, without scripts, readable in both themes.

A message in log.html cannot have a style sheet of its own, since a `<style>` element would apply
to the whole page; every style is an attribute. The colours are those of the page's theme, so they
have contrast on its background; everything else has the colour of the text around it.
"""

from __future__ import annotations

from collections.abc import Iterable

from TftpLibrary.engine.hosts import url_host
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.wording import outcome_word, short_text

GOOD = "var(--pass-link-color,currentColor)"
ODD = "var(--warn-link-color,currentColor)"
BAD = "var(--fail-link-color,currentColor)"
PLAIN = "currentColor"
PLANNED = "var(--link-hover-color,currentColor)"
"""The colour of what a test did on purpose; no outcome has it."""

COLOURS: dict[Outcome | None, str] = {
    Outcome.completed: GOOD,
    Outcome.probed: PLAIN,
    Outcome.refused: BAD,
    Outcome.failed: BAD,
    Outcome.timed_out: BAD,
    Outcome.unconfirmed: ODD,
    Outcome.aborted: ODD,
    None: ODD,
}
"""The colour of each outcome; None is a transfer that still runs."""

_LEAST_KEPT = 10
# As `html.escape` does it; importing `html` loads the names of 2,231 characters, in 0.4 MB.
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


def text(value: str, limit: int = 0) -> str:
    """Returns text as HTML: nothing in it is a tag, a script, or unfit for output.xml.

    Args:
        value: any text, also what a peer chose.
        limit: most bytes of HTML; a longer text is cut in the middle. 0 for no limit.
    """
    html = _escaped(value)
    kept = len(value)
    while limit and len(html.encode()) > limit:
        kept = min(kept - 1, kept * limit // len(html.encode()))
        html = _escaped(short_text(value, max(kept, _LEAST_KEPT)))
        if kept <= _LEAST_KEPT:
            break
    return html


def name(value: str, limit: int = 0) -> str:
    """Returns a peer's text as HTML that cannot turn the direction of the text behind it."""
    return f"<bdi>{text(value, limit)}</bdi>"


def badge(outcome: Outcome | None, word: str = "") -> str:
    """Returns the word and the colour of an outcome.

    Args:
        outcome: the outcome.
        word: takes the place of its own word.
    """
    style = f"color:{COLOURS[outcome]};border:1px solid;border-radius:3px;padding:0 .4em"
    return f'<b style="{style}">{word or outcome_word(outcome)}</b>'


def rows(cells: Iterable[tuple[str, str]]) -> str:
    """Returns names and values in two columns, one pair on a line.

    Args:
        cells: a word, and HTML; pairs without a value are left out.
    """
    style = "padding-right:1em;white-space:nowrap"
    lines = [
        f'<tr><td style="{style}">{text(word)}:</td> <td>{value}</td></tr>'
        for word, value in cells
        if value
    ]
    return "\n".join(
        ['<table style="table-layout:auto;overflow-wrap:anywhere">', *lines, "</table>"]
    )


def peer_text(transfer: Transfer) -> str:
    """Returns the client's address and port, not escaped."""
    return f"{url_host(transfer.client)}:{transfer.client_port}"


def clock_text(transfer: Transfer) -> str:
    """Returns the time of day of the request."""
    return transfer.started.strftime("%H:%M:%S.%f")[:-3]


def _escaped(value: str) -> str:
    if not value.isprintable():
        value = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in value)
    return value.translate(_ENTITIES)
