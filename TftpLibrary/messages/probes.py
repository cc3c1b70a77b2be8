"""The misses of a boot loader in few words, and what the store has instead.

A loader asks for ten names until one is there. In a list such misses stand together, as `Probes`.
This module and the table are loaded when a request was refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, cast

from TftpLibrary.boot.identity import wire_order
from TftpLibrary.boot.loaders import BootLoader, Need
from TftpLibrary.boot.trails import Trail, Visit, find_trails, is_miss, steps_of
from TftpLibrary.matching import plain_name
from TftpLibrary.messages.words import BOARD
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Transfers
from TftpLibrary.recording.wording import short_text

MOST_FOLDED = 300
"""Requests in which misses are put together: the latest ones of a list."""

_MOST_NAMES = 8
_MOST_IN_STORE = 3
_MOST_BOARDS = 3
_IP = "{IP*}"
_UUIDS = ("{uuid}", "{label_uuid}")


class Probes(NamedTuple):
    """The misses of one loader that stand together in a list.

    Attributes:
        trail: everything that the loader asked for.
        transfers: the misses, two or more.
    """

    trail: Trail
    transfers: Transfers

    @property
    def id(self) -> int:
        """The number of the first of them."""
        return self.transfers[0].id

    @property
    def filename(self) -> str:
        """The name of the first of them."""
        return self.transfers[0].filename

    @property
    def is_failure(self) -> bool:
        """Whether the loader did not find what it needs."""
        return bool(self.trail.searched) and not self.trail.found

    def __str__(self) -> str:
        return f"{self.numbers} {self.asked}: {self.result}"

    @property
    def numbers(self) -> str:
        """The numbers of the first and the last one."""
        return f"{self.id} to {self.transfers[-1].id}"

    @property
    def asked(self) -> str:
        """Who looked for what."""
        title = self.trail.title
        probably = "probably " if self.trail.is_guess else ""
        return f"{probably}{title} from {self.trail.client} looked for its {self.trail.entry.seeks}"

    @property
    def word(self) -> str:
        """Whether that is a failure, in one word."""
        return "refused" if self.is_failure else "searched"

    @property
    def result(self) -> str:
        """What came of it."""
        names = len({transfer.filename for transfer in self.transfers})
        count = "1 name" if names == 1 else f"{names} names"
        if self.is_failure:
            return f"{count}, file not found"
        found = self.trail.found
        end = f", and then '{short_text(found[-1].asked.filename)}'" if found else ""
        return f"{count} that need not exist{end}"


def fold(transfers: Sequence[Transfer]) -> list[Transfer | Probes]:
    """Returns transfers in their order, with the misses of each loader in the place of the first.

    Only the latest `MOST_FOLDED` are looked at.
    """
    start = max(0, len(transfers) - MOST_FOLDED)
    folded: dict[int, Probes] = {}
    hidden: set[int] = set()
    for trail in find_trails(transfers[start:]):
        misses = [visit.asked for visit in trail.misses if visit.step.need is not Need.needed]
        if len(misses) > 1 and trail.is_convincing:
            # What was put in comes out again.
            probes = Probes(trail, cast("Transfers", tuple(misses)))
            folded[probes.id] = probes
            hidden.update(miss.id for miss in misses[1:])
    return [folded.get(t.id, t) for t in transfers if t.id not in hidden]


def may_be_probe(transfer: Transfer) -> bool:
    """Whether a transfer is a miss that a boot loader may have expected."""
    return is_miss(transfer) and bool(steps_of(transfer.filename))


def is_told_now(item: Transfer | Probes, recent: Iterable[Transfer]) -> bool:
    """Whether no more can come to what stands in one place of a list.

    Args:
        item: the transfer, or the misses.
        recent: the transfers among which it is.
    """
    if isinstance(item, Probes):
        return item.trail.is_over
    board = (item.server, item.client)
    return not may_be_probe(item) or any(
        (other.server, other.client) == board and other.id > item.id for other in recent
    )


def normal_misses(transfers: Iterable[Transfer]) -> frozenset[int]:
    """Returns the numbers of the misses that are normal for the loader that asked."""
    trails = find_trails(transfers)
    return frozenset(
        asked.id for trail in trails if trail.is_convincing for asked in trail.normal()
    )


def stuck_boards(
    transfers: Sequence[Transfer], names: Callable[[], Sequence[str]]
) -> list[tuple[str, str]]:
    """Returns for each board whose loader cannot go on what it asked, and what to do.

    Only the last boot of each board counts, of the latest requests; of many boards some are told.

    Args:
        transfers: what was seen.
        names: lists the names in the store; called only when they are needed.
    """
    last: dict[tuple[str, str], Trail] = {}
    for trail in find_trails(transfers[-MOST_FOLDED:]):
        if trail.is_convincing:
            last[trail.board] = trail
    boards = {(t.server, t.client) for t in transfers if not t.is_ours}
    told: list[tuple[str, str]] = []
    for trail in last.values():
        who = f"{BOARD} {trail.client}" if len(boards) > 1 else BOARD
        if _unasked_config(trail, names):
            told.append((_signed_text(trail, who), advice_for(trail, names())))
        elif has_failed(trail):
            told.append((failure_text(trail, who), advice_for(trail, names())))
    return told[:_MOST_BOARDS]


def has_failed(trail: Trail) -> bool:
    """Whether a loader could not go on, since a file was not there."""
    return bool(_needed(trail)) or (bool(trail.searched) and not trail.found)


def failure_text(trail: Trail, who: str) -> str:
    """Returns in one sentence what a loader asked in vain, without its full stop."""
    runs = f"{who} {'probably ' if trail.is_guess else ''}runs {trail.described}"
    needed = _needed(trail)
    if needed:
        return f"{runs} and needs {_quoted(needed[-1].asked.filename)}, which is not there"
    return f"{runs} and found no {trail.entry.seeks}: it asked {names_text(trail.searched)}"


def names_text(visits: Sequence[Visit]) -> str:
    """Returns the names of a search in a few words, the shorter and shorter ones as a number.

    `pxelinux.cfg/01-52-54-00-ab-cd-07, C0A84D33 and 7 shorter ones, default`
    """
    told: list[str] = []
    folder, shorter = "", 0
    seen: set[str] = set()
    for visit in visits:
        name = visit.asked.filename
        if name in seen:
            continue
        seen.add(name)
        is_shorter = _IP in visit.step.name
        if is_shorter and shorter:
            shorter += 1
            continue
        _close(told, shorter)
        shorter = 1 if is_shorter else 0
        told.append(short_text(name.removeprefix(folder) if told else name))
        folder = folder or name[: name.rfind("/") + 1]
    _close(told, shorter)
    more = [f"and {len(told) - _MOST_NAMES} more"] if len(told) > _MOST_NAMES else []
    return ", ".join([*told[:_MOST_NAMES], *more])


def advice_for(trail: Trail, names: Sequence[str]) -> str:
    """Returns what the store has in the place of the names that were not there, and what to do.

    Args:
        trail: of a loader that found nothing.
        names: the names in the store.
    """
    unasked = _unasked_config(trail, lambda: names)
    if unasked:
        return _signed_advice(trail, unasked)
    visits = [visit for visit in trail.misses if visit.step.need is not Need.optional]
    asked = {plain_name(visit.asked.filename): visit for visit in visits}
    by_case = {name.casefold(): name for name in map(plain_name, asked)}
    by_tail = {_tail(visit): visit for visit in visits}
    others: list[str] = []
    for name in names:
        plain = plain_name(name)
        if plain.casefold() in by_case:
            return f"The store has {_quoted(name)}: it differs in case only. {_RENAME}"
        if any(_is_swapped(plain, visit) for visit in visits):
            return f"The store has {_quoted(name)}: {_SWAPPED} {_RENAME}"
        if any(plain.endswith(f"/{tail}") or plain == tail for tail in by_tail):
            return f"The store has {_quoted(name)}: it is in another folder. {_RENAME}"
        if trail.loader in steps_of(name):
            others.append(name)
    if others:
        listed = ", ".join(map(_quoted, others[:_MOST_IN_STORE]))
        return f"The store has {listed}, which this board does not ask for. {_RENAME}"
    return f"The store has none of them. {_UPLOAD}" if len(visits) > 1 else _UPLOAD


def _needed(trail: Trail) -> list[Visit]:
    """The files that the loader cannot do without, and that were not there."""
    return [visit for visit in trail.misses if visit.step.need is Need.needed]


def _unasked_config(trail: Trail, names: Callable[[], Sequence[str]]) -> str:
    """Returns a configuration of one board in the store for which a signed GRUB never asks."""
    if trail.loader is not BootLoader.grub_signed or not trail.searched:
        return ""
    return next((name for name in names() if _is_of_one_board(name)), "")


def _is_of_one_board(name: str) -> bool:
    step = steps_of(name).get(BootLoader.grub)
    return step is not None and "grub.cfg-" in step.name


def _signed_text(trail: Trail, who: str) -> str:
    return f"{who} runs {trail.described}: it asked {names_text(trail.searched)} only"


def _signed_advice(trail: Trail, name: str) -> str:
    asked = plain_name(trail.searched[-1].asked.filename)
    return (
        f"The store has {_quoted(name)}, for which it never asks. Upload that as "
        f"{_quoted(asked)} with only_for={trail.client}."
    )


def _close(told: list[str], shorter: int) -> None:
    if shorter > 1:
        ones = "1 shorter one" if shorter == 2 else f"{shorter - 1} shorter ones"
        told[-1] += f" and {ones}"


def _tail(visit: Visit) -> str:
    """The part of a name behind the folder of the loader."""
    parts = plain_name(visit.asked.filename).split("/")
    length = visit.step.name.removeprefix("{folder}").count("/") + 1
    return "/".join(parts[-length:])


def _is_swapped(plain: str, visit: Visit) -> bool:
    if not visit.step.name.endswith(_UUIDS):
        return False
    asked = plain_name(visit.asked.filename)
    uuid = asked[-_UUID_LENGTH:]
    return plain.casefold() == f"{asked[:-_UUID_LENGTH]}{wire_order(uuid)}".casefold()


def _quoted(name: str) -> str:
    return f"'{short_text(name)}'"


_UUID_LENGTH = 36
_RENAME = "Upload it under the name that the board asks for."
_UPLOAD = "Upload the file under a name that the board asks for."
_SWAPPED = "the loader asks for its UUID with the bytes in another order."
