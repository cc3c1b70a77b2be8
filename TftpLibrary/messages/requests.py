"""The requests that were seen, in one sentence: the last line of each failure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from TftpLibrary.messages.likeness import nearest_names
from TftpLibrary.messages.words import PYTHON, Words
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import View
from TftpLibrary.recording.wording import faults_text, outcome_text, request_text

if TYPE_CHECKING:
    from TftpLibrary.messages.probes import Probes

MOST_NAMED = 10
"""Requests that are named; of the rest only the number is given."""

_MOST_NEAR = 5


def describe_requests(view: View, near: str = "", words: Words = PYTHON) -> str:
    """Returns the requests in one sentence, oldest first, each with its number and its outcome.

    Args:
        view: what was seen.
        near: in a list that is cut, the latest requests for names like this one stay.
        words: how the message names things for its reader.
    """
    place = f" at {view.at}" if view.at else ""
    if not view.transfers:
        text = f"No request was seen{place}{words.since}."
    else:
        from TftpLibrary.messages.probes import fold  # noqa: PLC0415 - for a miss only

        listed = fold(view.transfers)
        shown = _worth_naming(listed, near)
        count = sum(map(_count, shown))
        of_all = f", {count} of {len(view.transfers):,}" if shown != listed else ""
        text = f"Requests seen{place}{of_all}: {'; '.join(map(_told, shown))}."
    return text if view.is_complete else f"{text} Older ones were dropped: the record was full."


def _told(item: Transfer | Probes) -> str:
    if isinstance(item, Transfer):
        return f"{item.id} {request_text(item)}: {outcome_text(item)}{faults_text(item)}"
    return str(item)


def _count(item: Transfer | Probes) -> int:
    return 1 if isinstance(item, Transfer) else len(item.transfers)


def _worth_naming(items: Sequence[Transfer | Probes], near: str) -> Sequence[Transfer | Probes]:
    """Returns the last requests, and the last ones for names that are near, in their order."""
    if len(items) <= MOST_NAMED:
        return items
    names = nearest_names(near, (item.filename for item in items)) if near else ()
    alike = [item for item in items if item.filename in names][-_MOST_NEAR:]
    others = [item for item in items if item.filename not in names]
    last = others[len(alike) - MOST_NAMED :]
    return sorted([*alike, *last], key=lambda item: item.id)
