"""One ended transfer as a card in log.html: the request, its outcome, and its course.

A card is HTML without a script, below 12 KB whatever a peer sent. The line that is always visible
shows the outcome; failures are open, successes closed. Without its tags it reads as lines of text.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from TftpLibrary.keywords.log.chart import throughput
from TftpLibrary.keywords.log.markup import badge, clock_text, name, peer_text, rows, text
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Mode
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

CLOSED = frozenset({Outcome.completed, Outcome.probed})
"""The outcomes whose cards are closed."""

# Most bytes of HTML for a text of a peer, or of our own.
_SHORT, _MIDDLE, _LONG = 80, 200, 1600

_MOST_OPTIONS = 8
_MOST_LINES = 5
_NEWLINE = "\n"
_SHA256_DIGITS = 12
_MOST_PROBES = 24


class Surroundings(NamedTuple):
    """The parts of a card that the record of the transfer does not have.

    Attributes:
        sha256: checksum of the file in the store; empty where the store does not have it.
        near: names in the store that are like the one that was not found.
        capture: link from the log to the packets; empty for none.
    """

    sha256: str = ""
    near: Sequence[str] = ()
    capture: str = ""


def card(transfer: Transfer, around: Surroundings | None = None) -> str:
    """Returns the card of an ended transfer."""
    around = around or Surroundings()
    is_open = "" if transfer.outcome in CLOSED else " open"
    return "\n".join(
        [
            f'<details style="white-space:normal"{is_open}>',
            f'<summary style="cursor:pointer">{_summary(transfer)}</summary>',
            f'<div style="margin:.3em 0 .6em 1.2em">{rows(_facts(transfer, around))}',
            f"{throughput(transfer)}</div></details>",
        ]
    )


def probes_card(probes: Probes, advice: str = "") -> str:
    """Returns the card of the misses of a boot loader.

    Args:
        probes: the misses.
        advice: what the store has instead.
    """
    is_open = " open" if probes.is_failure else ""
    asked = text(probes.asked, _MIDDLE)
    mark = badge(Outcome.refused if probes.is_failure else Outcome.probed, probes.word)
    told = text(probes.result, 2 * _MIDDLE)
    names = ", ".join(name(t.filename, _SHORT) for t in probes.transfers[:_MOST_PROBES])
    more = len(probes.transfers) - _MOST_PROBES
    first, server = probes.transfers[0], probes.transfers[0].server
    at_server = f", server {text(server, _SHORT)}" if server else ""
    facts = [
        ("Board", f"{text(peer_text(first), _SHORT)}{at_server}"),
        ("Asked", f"{names}, and {more} more" if more > 0 else names),
        ("Store", text(advice, 2 * _MIDDLE)),
        ("Time", clock_text(first)),
        ("Options", _options(first)),
    ]
    return "\n".join(
        [
            f'<details style="white-space:normal"{is_open}>',
            f'<summary style="cursor:pointer">{probes.numbers} {mark} {asked}: {told}</summary>',
            f'<div style="margin:.3em 0 .6em 1.2em">{rows(facts)}</div></details>',
        ]
    )


def _summary(transfer: Transfer) -> str:
    asked = f"{kind_text(transfer)} for '{name(transfer.filename, _MIDDLE)}'"
    peer = text(peer_words(transfer), _SHORT)
    told = text(result_text(transfer), _MIDDLE)
    return f"{transfer.id} {badge(transfer.outcome)} {asked} {peer}: {told}"


def _facts(transfer: Transfer, around: Surroundings) -> list[tuple[str, str]]:
    """The facts of the card, each with its label; a fact without a value is left out."""
    is_refused = transfer.outcome is Outcome.refused
    server = f", server {text(transfer.server, _SHORT)}" if transfer.server else ""
    asker = "Our client" if transfer.is_ours else "Board"
    duration = "" if is_refused else f", {duration_text(transfer.duration)}"
    return [
        (asker, f"{text(peer_text(transfer), _SHORT)}{server}"),
        ("Answer" if is_refused else "End", _ending(transfer)),
        ("Store has", ", ".join(f"'{name(near, _SHORT)}'" for near in around.near[:3])),
        ("Time", f"{clock_text(transfer)}{duration}"),
        ("On purpose", text(on_purpose_text(transfer), 2 * _MIDDLE)),
        ("Remarks", "; ".join(text(remark, _MIDDLE) for remark in transfer.remarks)),
        ("Options", _options(transfer)),
        ("Bytes", "" if is_refused else _bytes(transfer)),
        ("File", _file(transfer, around.sha256)),
        ("Packets", _link(around.capture)),
        ("Exception", _traceback(transfer)),
    ]


def _ending(transfer: Transfer) -> str:
    if transfer.outcome in CLOSED:
        return ""
    code = "" if transfer.error_code is None else f" (TFTP error {transfer.error_code})"
    return f"{text(transfer.error_message, _MIDDLE) or 'no reason was given'}{code}"


def _options(transfer: Transfer) -> str:
    """The options asked, and those granted."""
    asked = transfer.requested
    parts = [_option(transfer, key, asked[key]) for key in islice(asked, _MOST_OPTIONS)]
    if len(asked) > _MOST_OPTIONS:
        parts.append(f"and {len(asked) - _MOST_OPTIONS} more")
    if transfer.mode != Mode.octet.value:
        parts.append(f"mode {name(transfer.mode, _SHORT)}")
    return ", ".join(parts)


def _option(transfer: Transfer, key: str, value: str) -> str:
    asked = name(f"{key}={value}", _SHORT)
    is_answered = transfer.answered_by or not transfer.is_ours
    if is_answered and transfer.outcome is not Outcome.refused:
        granted = transfer.granted.get(key)
        asked += f" → {'left out' if granted is None else text(granted, _SHORT // 2)}"
    return asked


def _bytes(transfer: Transfer) -> str:
    of_size = f" of {transfer.size:,}" if transfer.size is not None else ""
    return (
        f"{transfer.octets:,}{of_size} in {transfer.blocks:,} blocks, "
        f"{transfer.retransmits:,} retransmits, {transfer.duplicates:,} duplicates"
    )


def _file(transfer: Transfer, sha256: str) -> str:
    """The name, where the summary had to cut it, and the checksum of the content."""
    html = name(transfer.filename, _LONG)
    parts = [f"'{html}'"] if html != name(transfer.filename, _MIDDLE) else []
    if sha256:
        parts.append(f"sha256 {text(sha256[:_SHA256_DIGITS])}…")
    return ", ".join(parts)


def _link(capture: str) -> str:
    shown = text(unquote(capture.rpartition("/")[2]))
    return f'<a href="{text(capture)}">{shown}</a>' if capture else ""


def _traceback(transfer: Transfer) -> str:
    if not transfer.traceback:
        return ""
    # The last lines of a traceback say most.
    lines = [text(line, _MIDDLE) for line in transfer.traceback.splitlines()[-_MOST_LINES:]]
    return f'<pre style="white-space:pre-wrap">{_NEWLINE.join(lines)}</pre>'
