"""The words by which messages name keywords and their arguments for a suite."""

from __future__ import annotations

from TftpLibrary.messages.words import Words

IN_A_SUITE = Words(
    download="Wait Until File Is Downloaded",
    upload="Wait Until File Is Received",
    setting="{}",
    since=" since the mark",
    before="If that one counts, set the mark earlier (`Mark Transfers`, since=); if not, look at "
    "the board's power and console.",
)
"""The words for a suite."""
