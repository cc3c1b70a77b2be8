"""The table read backwards: which loader asked, from the names, options and order of requests.

A trail is what one loader asked for in one go. It is found again in the requests of a board: each
of them fits a step of the table, and the steps follow each other. The options of the requests show
which of the loaders with the same names it is; where they do not, it is a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import NamedTuple, Protocol

from TftpLibrary.boot.loaders import BootLoader, Entry, Need, Step
from TftpLibrary.boot.table import TABLE
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction, ErrorCode

_REMEMBERED = 4096
_LONGEST = 255
_LEAST_STEM = 3
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_FIELDS = {
    "folder": r"(?P<folder>(?:.*[/\\])?)",
    "prefix": r"(?:[^/]+/)?",
    "found": r"(?:[^/]+/)?",
    "uuid": _UUID,
    "label_uuid": _UUID,
    "mac": r"[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}",
    "MAC": r"[0-9A-Fa-f]{12}",
    "IP": r"[0-9A-F]{8}",
    "IP*": r"(?P<digits>[0-9A-F]{1,8})",
    "hostname8": r"[^/]{1,8}",
    "efi": "[a-z0-9]+",
    "any": ".+",
    "digit": r"\w?",
    "variant": r"\w*",
    "stub": "[^/]*",
    "cpu": "[^/-]+",
}
_ANY_PART = r"[^/]+"
_STRONG = ("{IP}", "{MAC}")
_A_FOLDER = re.compile(r"^\{(?:folder|prefix|found)\}")
_ALL_DIGITS = 8
_CONVINCING = 3
_SOME_PI = "Raspberry Pi"
_PIS = (BootLoader.raspberry_pi_3, BootLoader.raspberry_pi_4, BootLoader.raspberry_pi_5)


class Asked(Protocol):
    """A request, as a record has it."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def server(self) -> str:
        """The server that was asked."""

    @property
    def client(self) -> str:
        """The address of the board."""

    @property
    def is_ours(self) -> bool:
        """Whether our client asked."""

    @property
    def direction(self) -> Direction:
        """Which way the file goes."""

    @property
    def filename(self) -> str:
        """The name that was asked for."""

    @property
    def requested(self) -> Mapping[str, str]:
        """The options, in their order."""

    @property
    def outcome(self) -> Outcome | None:
        """How it ended."""

    @property
    def error_code(self) -> int | None:
        """The code of its refusal."""

    @property
    def cause(self) -> Cause | None:
        """The reason of its refusal."""


class Visit(NamedTuple):
    """A request, and the step of the table that it is."""

    asked: Asked
    step: Step


class Trail(NamedTuple):
    """What one loader asked for in one go.

    Attributes:
        loader: the loader.
        is_guess: whether other loaders may ask like that too.
        visits: its requests, in their order.
        last: the number of the last request of the same board, in this trail or after it.
    """

    loader: BootLoader
    is_guess: bool
    visits: tuple[Visit, ...]
    last: int = 0

    @property
    def entry(self) -> Entry:
        """What is known of the loader."""
        return TABLE[self.loader]

    @property
    def client(self) -> str:
        """The address of the board."""
        return self.visits[0].asked.client

    @property
    def board(self) -> tuple[str, str]:
        """The server that was asked, and the address of the board."""
        return self.visits[0].asked.server, self.client

    @property
    def title(self) -> str:
        """The name of the loader, as far as it is known."""
        return _SOME_PI if self._is_some_pi else self.entry.title

    @property
    def described(self) -> str:
        """The loader in a sentence, as far as it is known."""
        if self._is_some_pi:
            return f"the firmware of a {_SOME_PI}"
        return self.entry.described or self.entry.title

    @property
    def _is_some_pi(self) -> bool:
        return self.is_guess and self.loader in _PIS

    @property
    def is_convincing(self) -> bool:
        """Whether the requests are those of a loader, even where it may be one of several."""
        names = {visit.asked.filename for visit in self.visits}
        return not self.is_guess or len(names) >= _CONVINCING

    @property
    def misses(self) -> tuple[Visit, ...]:
        """The files that were not there."""
        return tuple(visit for visit in self.visits if is_miss(visit.asked))

    @property
    def searched(self) -> tuple[Visit, ...]:
        """The files of its searches, of each of which one is enough."""
        return tuple(visit for visit in self.visits if visit.step.need is Need.one_of)

    @property
    def found(self) -> tuple[Visit, ...]:
        """The files of its searches that were there."""
        return tuple(visit for visit in self.searched if not is_miss(visit.asked))

    @property
    def is_over(self) -> bool:
        """Whether no more can come: it was the last name, or the board asked for another file."""
        is_last = self.entry.is_ordered and self.visits[-1].step is self.entry.steps[-1]
        return is_last or self.last > self.visits[-1].asked.id

    def normal(self) -> Iterable[Asked]:
        """Yields the misses that are no fault: what the loader can do without.

        Those are what it goes on without, and the names before the one of a search that was there.
        """
        found = {visit.step.search for visit in self.found}
        for visit in self.misses:
            need = visit.step.need
            if need is Need.optional or (need is Need.one_of and visit.step.search in found):
                yield visit.asked


def is_miss(asked: Asked) -> bool:
    """Whether a file was asked for that is not there."""
    return (
        asked.outcome is Outcome.refused
        and asked.direction is Direction.read
        and asked.error_code == ErrorCode.file_not_found
        and asked.cause is not Cause.on_purpose
    )


def find_trails(requests: Iterable[Asked]) -> list[Trail]:
    """Returns the trails in requests, in the order in which they began.

    Args:
        requests: in the order in which they came, of any board at any server.
    """
    begun: list[_Open] = []
    current: dict[tuple[str, str], _Open] = {}
    latest: dict[tuple[str, str], int] = {}
    for asked in requests:
        if asked.direction is not Direction.read or asked.is_ours:
            continue
        board = (asked.server, asked.client)
        latest[board] = asked.id
        places = _places(asked.filename)
        trail = current.get(board)
        if trail is not None and trail.takes(asked, places):
            continue
        places = {loader: place for loader, place in places.items() if place.is_beginning}
        if places:
            current[board] = _Open(asked, places)
            begun.append(current[board])
        elif trail is not None and not trail.may_go_on:
            del current[board]
    return [trail.closed(latest) for trail in begun]


def steps_of(name: str) -> Mapping[BootLoader, Step]:
    """Returns the step that a name is of each loader that may ask for it."""
    return {loader: place.step for loader, place in _places(name).items()}


def loader_of_options(requested: Mapping[str, str]) -> frozenset[BootLoader]:
    """Returns the loaders that are known to ask with these options, in this order."""
    return _loaders_of(" ".join(f"{name}={value}" for name, value in requested.items()).lower())


class _Place(NamedTuple):
    """Where a name stands in the steps of a loader.

    Attributes:
        step: the step.
        order: grows along the steps, and for each digit less of an address.
        folder: the folder of the name.
        digits: those of the address, where the name has only some of them.
        is_beginning: whether a trail may begin here: the name alone says something.
    """

    step: Step
    order: int
    folder: str
    digits: str
    is_beginning: bool


class _Open:
    """A trail to which requests may be added, and the loaders that it may be of."""

    def __init__(self, asked: Asked, places: Mapping[BootLoader, _Place]) -> None:
        self.requests = [asked]
        self.places = {loader: [place] for loader, place in places.items()}

    @property
    def may_go_on(self) -> bool:
        """Whether other names may come between: no order is known of a loader."""
        return any(not TABLE[loader].is_ordered for loader in self.places)

    def takes(self, asked: Asked, places: Mapping[BootLoader, _Place]) -> bool:
        """Adds a request, if it follows the last one in the steps of a loader."""
        kept = {
            loader: [*before, places[loader]]
            for loader, before in self.places.items()
            if loader in places and _follows(TABLE[loader], before[-1], places[loader])
        }
        if not kept:
            return False
        self.requests.append(asked)
        self.places = kept
        return True

    def closed(self, latest: Mapping[tuple[str, str], int]) -> Trail:
        first = self.requests[0]
        known = [loader_of_options(asked.requested) for asked in self.requests]
        by_options = list(filter(frozenset.intersection(*known).__contains__, self.places))
        candidates = by_options or list(self.places)
        chosen = _chosen(candidates, self.requests)
        names = {asked.filename for asked in self.requests}
        is_guess = not by_options and (len(candidates) > 1 or len(names) == 1)
        visits = zip(self.requests, self.places[chosen], strict=True)
        return Trail(
            chosen,
            is_guess,
            tuple(Visit(asked, place.step) for asked, place in visits),
            latest[first.server, first.client],
        )


def _chosen(candidates: Sequence[BootLoader], requests: Sequence[Asked]) -> BootLoader:
    if BootLoader.grub_signed in candidates:
        looked = any("grub.cfg-" in asked.filename for asked in requests)
        return BootLoader.grub if looked else BootLoader.grub_signed
    return candidates[0]


def _follows(entry: Entry, before: _Place, place: _Place) -> bool:
    if not entry.is_ordered:
        return True
    is_same = place.step is not before.step or before.digits.startswith(place.digits)
    return is_same and place.folder == before.folder and place.order >= before.order


@lru_cache(maxsize=_REMEMBERED)
def _places(name: str) -> Mapping[BootLoader, _Place]:
    """Returns where a name stands in the steps of each loader that asks for such a name."""
    found: dict[BootLoader, _Place] = {}
    if len(name) > _LONGEST:
        return found
    for pattern in _fitting(name):
        if pattern.loader in found:
            continue
        # Only what the folder leaves is compared by the expression, which is fast then.
        start = name.rfind(pattern.first) if pattern.first else 0
        if start > 0 and name[start - 1] not in "/\\":
            continue
        match = _compiled(pattern.expression).fullmatch(name, start)
        if match is not None:
            groups = match.groupdict()
            digits = groups.get("digits", "")
            order = pattern.number * _ALL_DIGITS + (_ALL_DIGITS - len(digits) if digits else 0)
            folder = groups.get("folder", name[:start])
            place = _Place(pattern.step, order, folder, digits, pattern.is_strong)
            found[pattern.loader] = place
    return found


class _Pattern(NamedTuple):
    """A step as an expression.

    Attributes:
        loader: its loader.
        number: its place among the steps.
        step: the step.
        literal: a text that each such name has.
        first: the text behind the folder; empty where the name has none, or a part follows it.
        expression: what such a name is, behind the folder where there is a `first`.
        is_strong: whether such a name alone says something.
    """

    loader: BootLoader
    number: int
    step: Step
    literal: str
    first: str
    expression: str
    is_strong: bool


def _fitting(name: str) -> Iterator[_Pattern]:
    """Yields the patterns that a name may fit, the exact ones first, then in their order."""
    exact, others = _patterns()
    yield from exact.get(name.replace("\\", "/").rpartition("/")[2], ())
    for literal, patterns in others.items():
        if literal in name:
            yield from patterns


@cache
def _patterns() -> tuple[dict[str, list[_Pattern]], dict[str, list[_Pattern]]]:
    """The steps of all loaders: by the whole last part of a name, and by another text in it."""
    exact: dict[str, list[_Pattern]] = {}
    others: dict[str, list[_Pattern]] = {}
    for loader, entry in TABLE.items():
        for number, step in enumerate(entry.steps):
            pattern = _pattern(loader, number, step)
            if pattern is None:
                continue
            # `{found}config.txt` is in a folder, too.
            last = _A_FOLDER.sub("", step.name).rpartition("/")[2]
            index, key = (others, pattern.literal) if "{" in last else (exact, last)
            index.setdefault(key, []).append(pattern)
    return exact, others


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL)


def _pattern(loader: BootLoader, number: int, step: Step) -> _Pattern | None:
    pieces = re.split(r"\{([^}]+)\}", step.name)
    literals, fields = pieces[::2], pieces[1::2]
    longest = max(literals, key=len)
    if not longest:
        # The name of a boot file may be anything.
        return None
    first = literals[1] if step.name.startswith("{folder}") else ""
    if first:
        literals, fields = literals[1:], fields[1:]
    expression = re.escape(literals[0])
    for field, literal in zip(fields, literals[1:], strict=True):
        expression += f"{_FIELDS.get(field, _ANY_PART)}{re.escape(literal)}"
    whole = "".join(literals)
    stem = whole.rpartition(".")[0] if "." in whole else whole
    is_strong = len(stem) >= _LEAST_STEM or any(each in step.name for each in _STRONG)
    return _Pattern(loader, number, step, longest, first, expression, is_strong)


@lru_cache(maxsize=_REMEMBERED)
def _loaders_of(options: str) -> frozenset[BootLoader]:
    return frozenset(
        loader
        for loader, entry in TABLE.items()
        if any(fnmatchcase(options, known) for known in entry.options)
    )
