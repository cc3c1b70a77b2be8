"""The requests that were expected beside those that were seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest

from TftpLibrary.messages.requests import describe_requests
from TftpLibrary.messages.words import PYTHON, Words
from TftpLibrary.recording.matching import matches_name, name_test
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Transfers, View
from TftpLibrary.recording.wording import duration_text, short_text

MOST_LINES = 60
"""Lines of a difference; of the rest only the number is given."""

_MOST_CELLS = 1_000_000
_WIDTH = 60
_LINES_BEFORE = 5

Row = tuple[str | None, Transfer | None]
"""What was expected, and what was seen beside it; None where there is nothing."""


class Match(Enum):
    """How the requests that were seen are compared with those that were expected.

    | ``exact``    | These and no others, in this order. |
    | ``in_order`` | These in this order; others may come before, between and after them. |
    | ``subset``   | Each of these, in any order and however often; others may come too. |
    """

    exact = "exact"
    in_order = "in_order"
    subset = "subset"


@dataclass(frozen=True, slots=True)
class Requests:
    """Boards have asked for these files. The answer is the requests that were seen.

    Attributes:
        names: names or globs.
        client: address or network of the boards; empty for all.
        match: how they are compared.
    """

    names: Sequence[str]
    client: str = ""
    match: Match = Match.exact

    @property
    def subject(self) -> str:
        """A few words for them."""
        return "the expected requests"

    def find(self, view: View) -> Transfers | None:
        """Returns the requests, where they are as expected."""
        seen = view.select(client=self.client)
        return None if any(self._odd(self._rows(seen))) else seen

    def explain(self, view: View, waited: float | None = None, words: Words = PYTHON) -> str:
        """Returns both lists side by side."""
        own = view.of(client=self.client)
        rows = self._rows(own.transfers)
        is_odd = self._odd(rows)
        missing = sum(name is not None and transfer is None for name, transfer in rows)
        wrong = sum(_is_wrong(row) for row in rows)
        counts = {"missing": missing + wrong}
        if self.match is Match.exact:
            surplus = sum(name is None for name, _ in rows)
            counts = {"wrong": wrong, "missing": missing, "too many": surplus}
        told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        within = "" if waited is None else f" after {duration_text(waited)}"
        table = "\n".join(_shortened(_table(rows, is_odd), is_odd.index(True)))
        return (
            f"{_HEADS[self.match]}{within}: {told}.\n{table}\n{describe_requests(own, words=words)}"
        )

    def _rows(self, seen: Transfers) -> list[Row]:
        beside = _beside if self.match is Match.subset else _aligned
        return beside(seen, self.names)

    def _odd(self, rows: Sequence[Row]) -> list[bool]:
        return [_is_odd(row, self.match) for row in rows]


_HEADS = {
    Match.exact: "The requests differ from the expected ones",
    Match.in_order: "The expected requests were not all seen in their order",
    Match.subset: "The expected requests were not all seen",
}


def _is_wrong(row: Row) -> bool:
    """Whether another file was asked for than the one beside it."""
    name, transfer = row
    return name is not None and transfer is not None and not matches_name(transfer, name)


def _is_odd(row: Row, match: Match) -> bool:
    name, transfer = row
    if name is None:
        return match is Match.exact
    return transfer is None or _is_wrong(row)


def _beside(seen: Sequence[Transfer], expected: Sequence[str]) -> list[Row]:
    """Each name beside its first request, then the other requests."""
    firsts = [next((t for t in seen if matches_name(t, name)), None) for name in expected]
    others = [t for t in seen if not any(matches_name(t, name) for name in expected)]
    return [*zip(expected, firsts, strict=True), *((None, other) for other in others)]


def _aligned(seen: Sequence[Transfer], expected: Sequence[str]) -> list[Row]:
    """Both in their order, as many as possible beside each other."""
    start = 0
    shortest = min(len(seen), len(expected))
    while start < shortest and matches_name(seen[start], expected[start]):
        start += 1
    rows: list[Row] = list(zip(expected[:start], seen[:start], strict=True))
    names, transfers = expected[start:], seen[start:]
    if len(names) * len(transfers) > _MOST_CELLS:
        return [*rows, *_greedy(transfers, names)]
    return [*rows, *_longest(transfers, names)]


def _longest(seen: Sequence[Transfer], expected: Sequence[str]) -> Iterator[Row]:
    """The longest common subsequence; what lies between its members stands side by side."""
    height, width = len(expected), len(seen)
    # The same few names come again and again: each is compared once.
    filenames = {transfer.filename for transfer in seen}
    fitting = {name: set(filter(name_test(name), filenames)) for name in set(expected)}
    same = [[transfer.filename in fitting[name] for transfer in seen] for name in expected]
    length = [[0] * (width + 1) for _ in range(height + 1)]
    for i in reversed(range(height)):
        for j in reversed(range(width)):
            longer = max(length[i + 1][j], length[i][j + 1])
            length[i][j] = length[i + 1][j + 1] + 1 if same[i][j] else longer
    i = j = 0
    while length[i][j]:
        first, other = i, j
        while not (same[i][j] and length[i][j] == length[i + 1][j + 1] + 1):
            if length[i + 1][j] >= length[i][j + 1]:
                i += 1
            else:
                j += 1
        yield from zip_longest(expected[first:i], seen[other:j])
        yield expected[i], seen[j]
        i, j = i + 1, j + 1
    yield from zip_longest(expected[i:], seen[j:])


def _greedy(seen: Sequence[Transfer], expected: Sequence[str]) -> Iterator[Row]:
    """Each name beside the next request for it: quick, where the longest way takes too long."""
    start = 0
    for name in expected:
        found = next((n for n in range(start, len(seen)) if matches_name(seen[n], name)), None)
        if found is None:
            yield name, None
            continue
        yield from ((None, transfer) for transfer in seen[start:found])
        yield name, seen[found]
        start = found + 1
    yield from ((None, transfer) for transfer in seen[start:])


def _table(rows: Sequence[Row], is_odd: Sequence[bool]) -> list[str]:
    """Two columns under a head; `!` stands before what differs."""
    left = ["expected", *(_shown(name) for name, _ in rows)]
    right = ["seen", *(_shown(transfer.filename if transfer else None) for _, transfer in rows)]
    width = max(map(len, left))
    return [
        f"{'!' if odd else ' '} {name:{width}}  {other}"
        for name, other, odd in zip(left, right, [False, *is_odd], strict=True)
    ]


def _shortened(table: list[str], odd: int) -> list[str]:
    """The table from a little before the first row that differs, if it is long."""
    head, *lines = table
    start = max(0, odd - _LINES_BEFORE) if len(lines) > MOST_LINES else 0
    shown = lines[start : start + MOST_LINES]
    before = [f"  ... {start} before"] if start else []
    after = len(lines) - start - len(shown)
    return [head, *before, *shown, *([f"  ... {after} more"] if after else [])]


def _shown(name: str | None) -> str:
    return "-" if name is None else short_text(name, _WIDTH)
