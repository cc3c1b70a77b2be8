"""One ended transfer as a card in log.html: what was asked, what came of it, and how it went.

A card is HTML without a script, below 10 KB whatever a peer sent. The line that is always seen
tells the outcome; failures are open, successes closed. Without its tags it reads as lines of text.
"""

from __future__ import annotations

from itertools import islice

from TftpLibrary.keywords.chart import throughput
from TftpLibrary.keywords.markup import badge, name, peer_text, rows, text
from TftpLibrary.protocol.packets import Direction, Mode
from TftpLibrary.recording.records import Outcome, Transfer
from TftpLibrary.recording.wording import (
    duration_text,
    progress_text,
    rate_text,
    reason_text,
    size_text,
)

MOST_OCTETS = 10_000
"""What a card has at most."""

CLOSED = frozenset({Outcome.completed, Outcome.probed})
"""The outcomes whose cards are closed."""

_MOST_OPTIONS = 8
_SHORT_NAME = 100
_SHA256_DIGITS = 12


def card(transfer: Transfer, *, sha256: str = "", capture: str = "") -> str:
    """Returns the card of an ended transfer.

    Args:
        transfer: its record.
        sha256: checksum of the file in the store; empty where the store does not have it.
        capture: link to the packets, as it stands in the log; empty for none.
    """
    is_open = "" if transfer.outcome in CLOSED else " open"
    facts = _refusal_facts if transfer.outcome is Outcome.refused else _facts
    table = rows(
        [
            ("Board", f"{text(peer_text(transfer), 60)}{_server(transfer)}"),
            *facts(transfer, sha256),
            ("Capture", f'<a href="{text(capture)}">{text(capture)}</a>' if capture else ""),
            ("Exception", _traceback(transfer)),
        ]
    )
    return "\n".join(
        [
            f'<details style="white-space:normal"{is_open}>',
            f'<summary style="cursor:pointer">{_summary(transfer)}</summary>',
            f'<div style="margin:.3em 0 .6em 1.2em">{table}',
            f"{throughput(transfer)}</div></details>",
        ]
    )


def _facts(transfer: Transfer, sha256: str) -> list[tuple[str, str]]:
    return [
        ("Ended", _ending(transfer)),
        ("Time", text(f"{_clock(transfer)}, {duration_text(transfer.duration)}")),
        ("Options", _options(transfer)),
        ("Octets", text(_octets(transfer))),
        ("File", _file(transfer, sha256)),
    ]


def _refusal_facts(transfer: Transfer, _sha256: str) -> list[tuple[str, str]]:
    is_short = len(transfer.filename) <= _SHORT_NAME
    return [
        ("Answer", _ending(transfer)),
        ("Time", _clock(transfer)),
        ("Options", _options(transfer)),
        ("File", "" if is_short else _file(transfer, "")),
    ]


def _summary(transfer: Transfer) -> str:
    packet = "RRQ" if transfer.direction is Direction.read else "WRQ"
    asked = f"{packet} '{name(transfer.filename, _SHORT_NAME)}' from {text(transfer.client, 50)}"
    return f"{badge(transfer.outcome)} {asked}: {text(_result(transfer), 160)}"


def _result(transfer: Transfer) -> str:
    """What came of it, in a few words; the badge before it has the outcome."""
    if transfer.outcome is Outcome.refused:
        return reason_text(transfer)
    if transfer.outcome is Outcome.probed:
        return "only its size was asked"
    if transfer.outcome is Outcome.completed:
        rate = f" ({rate_text(transfer.rate)})" if transfer.duration > 0 else ""
        return f"{size_text(transfer.octets)} in {duration_text(transfer.duration)}{rate}"
    return f"at {progress_text(transfer)}, {reason_text(transfer)}"


def _ending(transfer: Transfer) -> str:
    if transfer.outcome in CLOSED:
        return ""
    code = "" if transfer.error_code is None else f" (TFTP error {transfer.error_code})"
    return f"{text(transfer.error_message, 200) or 'no reason was given'}{code}"


def _clock(transfer: Transfer) -> str:
    return transfer.started.strftime("%H:%M:%S.%f")[:-3]


def _server(transfer: Transfer) -> str:
    return f", server {text(transfer.server, 60)}" if transfer.server else ""


def _options(transfer: Transfer) -> str:
    """What was asked and what was granted."""
    asked = transfer.requested
    parts = [_option(transfer, key, asked[key]) for key in islice(asked, _MOST_OPTIONS)]
    if len(asked) > _MOST_OPTIONS:
        parts.append(f"and {len(asked) - _MOST_OPTIONS} more")
    if transfer.mode != Mode.octet.value:
        parts.append(f"mode {name(transfer.mode, 30)}")
    return ", ".join(parts)


def _option(transfer: Transfer, key: str, value: str) -> str:
    asked = f'<span style="white-space:nowrap">{name(f"{key}={value}", 40)}'
    if transfer.outcome is Outcome.refused:
        return f"{asked}</span>"
    granted = transfer.granted.get(key)
    return f"{asked} → {'left out' if granted is None else text(granted, 20)}</span>"


def _octets(transfer: Transfer) -> str:
    of_size = f" of {transfer.size:,}" if transfer.size is not None else ""
    return (
        f"{transfer.octets:,}{of_size} in {transfer.blocks:,} blocks, "
        f"{transfer.retransmits:,} retransmits, {transfer.duplicates:,} duplicates"
    )


def _file(transfer: Transfer, sha256: str) -> str:
    digest = f" sha256 {text(sha256[:_SHA256_DIGITS])}…" if sha256 else ""
    return f"'{name(transfer.filename, 500)}'{digest}"


def _traceback(transfer: Transfer) -> str:
    if not transfer.detail:
        return ""
    # The last lines of a traceback tell most.
    return f'<pre style="white-space:pre-wrap">{text(transfer.detail[-1500:])}</pre>'
