"""The requests that were seen, in one sentence: the last line of each failure."""

from __future__ import annotations

from TftpLibrary.messages.likeness import nearest_names
from TftpLibrary.messages.words import PYTHON, Words
from TftpLibrary.recording.view import View
from TftpLibrary.recording.wording import outcome_text, request_text

MOST_NAMED = 10
"""Requests that are named; of the rest only the number is given."""


def describe_requests(view: View, near: str = "", words: Words = PYTHON) -> str:
    """Returns the requests in one sentence, oldest first, each with its number and its outcome.

    Args:
        view: what was seen.
        near: in a list that is cut, names like this one come first.
        words: how the message names things for its reader.
    """
    if not view.transfers:
        text = f"No request was seen{words.since}."
    else:
        numbered = list(enumerate(view.transfers, 1))
        if len(numbered) > MOST_NAMED and near:
            names = (transfer.filename for transfer in view.transfers)
            first = set(nearest_names(near, names, MOST_NAMED))
            numbered.sort(key=lambda entry: entry[1].filename not in first)
        shown = [f"{n} {request_text(t)}: {outcome_text(t)}" for n, t in numbered[:MOST_NAMED]]
        rest = len(numbered) - len(shown)
        more = f"; and {rest} more" if rest else ""
        text = f"Requests seen: {'; '.join(shown)}{more}."
    return text if view.is_complete else f"{text} Older ones were dropped: the record was full."
