"""The journal: logs cards of ended transfers, and the requests of failed tests, without a keyword.

Only Robot's own thread can log, so transfers that ended meanwhile are written when a keyword of any
library ends, or when the test does.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from TftpLibrary.keywords import reporting
from TftpLibrary.keywords.base import log_address
from TftpLibrary.keywords.conversions import OnFailure
from TftpLibrary.keywords.log.cards import CLOSED, Surroundings, card, probes_card
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.messages.likeness import nearest_names
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Watch
from TftpLibrary.recording.wording import outcome_word

if TYPE_CHECKING:
    from TftpLibrary.messages.probes import Probes

MOST_AT_ONCE = 20
"""Cards that are written when a keyword ends; failures come first."""

MOST_IN_SCOPE = 200
"""Cards of a test, or of the keywords of a suite outside of its tests."""

_LONGEST_LISTING = 0.2
_MOST_RECENT = 300
"""Transfers among which the misses of a boot loader are put together."""


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
        # The ended transfers of the scope, and those of them that wait for the end of their search.
        self._recent: list[Transfer] = []
        self._waiting: frozenset[int] = frozenset()

    def begin(self) -> None:
        """A suite or a test begins: it has cards of its own."""
        self._left = MOST_IN_SCOPE
        self._recent = []
        self._waiting = frozenset()

    def write_cards(self, *, is_end: bool = False) -> None:
        """Writes a card for each transfer that ended since the last call.

        The misses of a boot loader have one card, when its search is over.

        Args:
            is_end: whether no search goes on: the test ends, or the setup of its suite.
        """
        told = self._told
        self._told, ended = self._state.recorder.ends(told)
        unseen = self._told - told - len(ended)
        items = self._items(ended, is_end=is_end)
        if not items and not unseen:
            return
        chosen = _worth_a_card(items, min(MOST_AT_ONCE, self._left))
        self._left -= len(chosen)
        names: dict[str, list[str]] = {}
        for item in chosen:
            if isinstance(item, Transfer):
                reporting.log_html(card(item, self._surroundings(item, names)))
            else:
                reporting.log_html(probes_card(item, self._advice(item, names)))
        ids = {item.id for item in chosen}
        rest: Counter[str] = Counter()
        for item in items:
            if item.id not in ids:
                rest.update(outcome_word(t.outcome) for t in _transfers(item))
        if rest or unseen:
            reporting.log_more(rest, unseen)

    def _items(self, ended: Sequence[Transfer], *, is_end: bool) -> list[Transfer | Probes]:
        """Returns what gets cards now, and keeps the misses of a search that may go on."""
        self._recent = [*self._recent, *ended][-_MOST_RECENT:]
        if not self._waiting and all(t.outcome is not Outcome.refused for t in ended):
            return list(ended)
        from TftpLibrary.messages.probes import fold, is_told_now  # noqa: PLC0415 - for a miss only

        waiting = self._waiting | {transfer.id for transfer in ended}
        kept: set[int] = set()
        items: list[Transfer | Probes] = []
        # Those that fell out of the recent ones are no part of a search.
        early = ended[: max(0, len(ended) - len(self._recent))]
        for item in [*early, *fold(sorted(self._recent, key=lambda transfer: transfer.id))]:
            own = {transfer.id for transfer in _transfers(item)} & waiting
            if not own:
                continue
            if is_end or is_told_now(item, self._recent):
                items.append(item)
            else:
                kept |= own
        self._waiting = frozenset(kept)
        return items

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
        from TftpLibrary.boot.trails import is_miss  # noqa: PLC0415 - for a miss only

        near: tuple[str, ...] = ()
        if is_miss(transfer):
            if alias not in names:
                names[alias] = self._file_names(alias)
            near = nearest_names(transfer.filename, names[alias])
        return Surroundings(near=near, capture=capture)

    def _advice(self, probes: Probes, names: dict[str, list[str]]) -> str:
        """Returns what the store has instead of the names that a loader asked for in vain."""
        alias = probes.trail.board[0]
        if not probes.is_failure or not self._state.is_running(alias):
            return ""
        from TftpLibrary.messages.probes import advice_for  # noqa: PLC0415 - for a miss only

        if alias not in names:
            names[alias] = self._file_names(alias)
        return advice_for(probes.trail, names[alias]) if self._lists_files else ""

    def _file_names(self, alias: str) -> list[str]:
        """The names in the store, unless that takes long: a log must not slow a test down."""
        if not self._lists_files:
            return []
        begun = time.monotonic()
        names = self._state.file_names(alias)
        self._lists_files = time.monotonic() - begun < _LONGEST_LISTING
        return names


def _worth_a_card(ended: Sequence[Transfer | Probes], most: int) -> Sequence[Transfer | Probes]:
    """Those that get a card, in their order: the failures first, if there are too many."""
    if len(ended) <= most:
        return ended
    by_need = sorted(ended, key=_is_closed)
    chosen = {item.id for item in by_need[:most]}
    return [item for item in ended if item.id in chosen]


def _is_closed(item: Transfer | Probes) -> bool:
    return item.outcome in CLOSED if isinstance(item, Transfer) else not item.is_failure


def _transfers(item: Transfer | Probes) -> Sequence[Transfer]:
    return (item,) if isinstance(item, Transfer) else item.transfers
