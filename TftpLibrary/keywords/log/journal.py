"""The journal: logs cards of ended transfers, and the requests of failed tests, without a keyword.

Only Robot's own thread can log, so transfers that ended meanwhile are written when a keyword of any
library ends, or when the test does.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import log_address
from TftpLibrary.keywords.conversions import OnFailure
from TftpLibrary.keywords.log.cards import CLOSED, Surroundings, card
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.messages.likeness import nearest_names
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction, ErrorCode
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Watch
from TftpLibrary.recording.wording import outcome_word

MOST_AT_ONCE = 20
"""Cards that are written when a keyword ends; failures come first."""

MOST_IN_SCOPE = 200
"""Cards of a test, or of the keywords of a suite outside of its tests."""

_LONGEST_LISTING = 0.2


class Journal:
    """Writes each transfer that ended, once, and the requests of a test that failed.

    Args:
        state: the servers and the record.
    """

    def __init__(self, state: LibraryState) -> None:
        self._state = state
        self._told = 0
        self._left = MOST_IN_SCOPE
        self._lists_files = True

    def begin(self) -> None:
        """A suite or a test begins: it has cards of its own."""
        self._left = MOST_IN_SCOPE

    def write_cards(self) -> None:
        """Writes a card for each transfer that ended since the last call."""
        told = self._told
        self._told, ended = self._state.recorder.ends(told)
        if self._told == told:
            return
        chosen = _worth_a_card(ended, min(MOST_AT_ONCE, self._left))
        self._left -= len(chosen)
        names: dict[str, list[str]] = {}
        for transfer in chosen:
            reporting.log_html(card(transfer, self._surroundings(transfer, names)))
        ids = {transfer.id for transfer in chosen}
        rest = Counter(transfer.outcome for transfer in ended if transfer.id not in ids)
        unseen = self._told - told - len(ended)
        if rest or unseen:
            reporting.log_more({outcome_word(key): count for key, count in rest.items()}, unseen)

    def write_failure(self, watch: Watch, *, has_server: bool) -> None:
        """Writes the requests of a test, or a suite setup, that failed.

        Args:
            watch: the transfers since it began.
            has_server: whether a server ran; then it is also logged that nothing was requested.
        """
        if self._state.defaults.on_failure is OnFailure.log_transfers:
            view = watch.look()
            if view.transfers or has_server:
                reporting.log_requests(view)

    def _surroundings(self, transfer: Transfer, names: dict[str, list[str]]) -> Surroundings:
        state, alias = self._state, transfer.server
        path = state.captures.path_of(transfer)
        capture = log_address(path) if path else ""
        if not state.is_running(alias):
            return Surroundings(capture=capture)
        if transfer.outcome is Outcome.completed:
            files = state.server(alias).files
            sha256 = files.sha256_for(transfer.filename, transfer.client)
            return Surroundings(sha256, capture=capture)
        near: tuple[str, ...] = ()
        if _is_missing(transfer):
            if alias not in names:
                names[alias] = self._file_names(alias)
            near = nearest_names(transfer.filename, names[alias])
        return Surroundings(near=near, capture=capture)

    def _file_names(self, alias: str) -> list[str]:
        """The names in the store, unless that takes long: a log must not slow a test down."""
        if not self._lists_files:
            return []
        begun = time.monotonic()
        names = self._state.file_names(alias)
        self._lists_files = time.monotonic() - begun < _LONGEST_LISTING
        return names


def _worth_a_card(ended: Sequence[Transfer], most: int) -> list[Transfer]:
    """Those that get a card, in their order: the failures first, if there are too many."""
    if len(ended) <= most:
        return list(ended)
    by_need = sorted(ended, key=lambda transfer: transfer.outcome in CLOSED)
    chosen = {transfer.id for transfer in by_need[:most]}
    return [transfer for transfer in ended if transfer.id in chosen]


def _is_missing(transfer: Transfer) -> bool:
    return (
        transfer.outcome is Outcome.refused
        and transfer.direction is Direction.read
        and transfer.error_code == ErrorCode.file_not_found
        and transfer.cause is not Cause.on_purpose
    )
