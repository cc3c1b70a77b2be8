"""Pieces of HTML for Robot Framework's log: escaped, without scripts, readable in both themes.

A message in log.html cannot have a style sheet of its own, since a `<style>` element would apply
to the whole page; every style is an attribute. The colours are those of the page's theme, so they
have contrast on its background, and what has none of them takes that of the text around it.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from TftpLibrary.recording.records import Outcome, Transfer
from TftpLibrary.recording.wording import short_text

GOOD = "var(--pass-link-color,currentColor)"
ODD = "var(--warn-link-color,currentColor)"
BAD = "var(--fail-link-color,currentColor)"
PLAIN = "currentColor"

COLOURS: dict[Outcome | None, str] = {
    Outcome.completed: GOOD,
    Outcome.probed: PLAIN,
    Outcome.refused: BAD,
    Outcome.failed: BAD,
    Outcome.timed_out: BAD,
    Outcome.aborted: ODD,
    None: ODD,
}
"""The colour of each outcome; None is a transfer that still runs."""


def text(value: str, limit: int = 0) -> str:
    """Returns text as HTML: nothing in it is a tag, a script, or unfit for output.xml.

    Args:
        value: any text, also what a peer chose.
        limit: characters from which on it is cut in the middle; 0 for none.
    """
    cut = short_text(value, limit) if limit else value
    if not cut.isprintable():
        cut = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in cut)
    return escape(cut)


def name(value: str, limit: int = 0) -> str:
    """Returns what a peer chose, as HTML that cannot turn the direction of what follows."""
    return f"<bdi>{text(value, limit)}</bdi>"


def badge(outcome: Outcome | None) -> str:
    """Returns the word and the colour of an outcome."""
    style = f"color:{COLOURS[outcome]};border:1px solid;border-radius:3px;padding:0 .4em"
    return f'<b style="{style}">{outcome_word(outcome)}</b>'


def outcome_word(outcome: Outcome | None) -> str:
    """Returns an outcome as one word or two: `completed`, `timed out`, `running`."""
    return "running" if outcome is None else outcome.value.replace("_", " ")


def rows(cells: Iterable[tuple[str, str]]) -> str:
    """Returns names and values in two columns, one pair on a line.

    Args:
        cells: a word, and HTML; pairs without a value are left out.
    """
    style = "padding:0 1em 0 0;text-align:left;font-weight:normal;opacity:.8;white-space:nowrap"
    lines = [
        f'<tr><th style="{style}">{text(word)}:</th> <td>{value}</td></tr>'
        for word, value in cells
        if value
    ]
    return "\n".join(['<table style="table-layout:auto">', *lines, "</table>"])


def options_text(options: Iterable[tuple[str, str]], limit: int = 0) -> str:
    """Returns options as `blksize=1468 windowsize=4`, not escaped."""
    return " ".join(short_text(f"{key}={value}", limit or 10_000) for key, value in options)


def peer_text(transfer: Transfer) -> str:
    """Returns the client's address and port, not escaped."""
    host = f"[{transfer.client}]" if ":" in transfer.client else transfer.client
    return f"{host}:{transfer.client_port}"
