"""The requests that were seen, in one sentence: the last line of each failure."""

from __future__ import annotations

from TftpLibrary.messages.likeness import nearest_names
from TftpLibrary.messages.words import PYTHON, Words
from TftpLibrary.recording.view import Transfers, View
from TftpLibrary.recording.wording import faults_text, outcome_text, request_text

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
        shown = _worth_naming(view.transfers, near)
        of_all = f", {len(shown)} of {len(view.transfers):,}" if view.transfers != shown else ""
        told = "; ".join(
            f"{t.id} {request_text(t)}: {outcome_text(t)}{faults_text(t)}" for t in shown
        )
        text = f"Requests seen{place}{of_all}: {told}."
    return text if view.is_complete else f"{text} Older ones were dropped: the record was full."


def _worth_naming(transfers: Transfers, near: str) -> Transfers:
    """Returns the last requests, and the last ones for names that are near, in their order."""
    if len(transfers) <= MOST_NAMED:
        return transfers
    names = nearest_names(near, (transfer.filename for transfer in transfers)) if near else ()
    alike = [transfer for transfer in transfers if transfer.filename in names][-_MOST_NEAR:]
    others = [transfer for transfer in transfers if transfer.filename not in names]
    last = others[len(alike) - MOST_NAMED :]
    return tuple(sorted([*alike, *last], key=lambda transfer: transfer.id))
