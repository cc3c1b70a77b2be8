"""One ended transfer as a card in log.html: what was asked, what came of it, and how it went.

A card is HTML without a script, below 10 KB whatever a peer sent. The line that is always seen
tells the outcome; failures are open, successes closed. Without its tags it reads as lines of text.
"""

from __future__ import annotations

from collections.abc import Mapping
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
_SHA256_DIGITS = 12


def card(transfer: Transfer, *, sha256: str = "", capture: str = "") -> str:
    """Returns the card of an ended transfer.

    Args:
        transfer: its record.
        sha256: checksum of the file in the store; empty where the store does not have it.
        capture: link to the packets, as it stands in the log; empty for none.
    """
    is_open = "" if transfer.outcome in CLOSED else " open"
    facts = rows(
        [
            ("Ended", _ending(transfer)),
            ("Time", text(_time(transfer))),
            ("Board", f"{text(peer_text(transfer), 60)} {_server(transfer)}"),
            ("Options", _options(transfer)),
            ("Octets", text(_octets(transfer))),
            ("File", _file(transfer, sha256)),
            ("Capture", f'<a href="{text(capture)}">{text(capture)}</a>' if capture else ""),
            ("Exception", _traceback(transfer)),
        ]
    )
    return "\n".join(
        [
            f'<details style="white-space:normal"{is_open}>',
            f'<summary style="cursor:pointer">{_summary(transfer)}</summary>',
            f'<div style="margin:.3em 0 .6em 1.2em">{facts}',
            throughput(transfer),
            "</div></details>",
        ]
    )


def _summary(transfer: Transfer) -> str:
    packet = "RRQ" if transfer.direction is Direction.read else "WRQ"
    asked = f"{packet} '{name(transfer.filename, 100)}' from {text(transfer.client, 50)}"
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


def _time(transfer: Transfer) -> str:
    started = transfer.started.strftime("%H:%M:%S.%f")[:-3]
    return f"{started}, {duration_text(transfer.duration)}"


def _server(transfer: Transfer) -> str:
    return f"with {text(transfer.server, 60)}" if transfer.server else ""


def _options(transfer: Transfer) -> str:
    """What was asked and what was granted, side by side."""
    asked, granted = transfer.requested, transfer.granted
    parts = [_option(key, value, granted) for key, value in islice(asked.items(), _MOST_OPTIONS)]
    if len(asked) > _MOST_OPTIONS:
        parts.append(f"and {len(asked) - _MOST_OPTIONS} more")
    if transfer.mode != Mode.octet.value:
        parts.append(f"mode {text(transfer.mode, 30)}")
    return "<br>\n".join(parts)


def _option(key: str, value: str, granted: Mapping[str, str]) -> str:
    asked = f"{name(f'{key}={value}', 40)}"
    if key not in granted:
        return f"{asked} → not granted"
    return f"{asked} → {text(granted[key], 20)}"


def _octets(transfer: Transfer) -> str:
    if transfer.outcome is Outcome.refused:
        return ""
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
