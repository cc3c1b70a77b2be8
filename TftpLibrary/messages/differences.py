"""The requests that were expected beside those that were seen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import zip_longest
from typing import NamedTuple

from TftpLibrary.matching import fitting_names
from TftpLibrary.messages.requests import describe_requests
from TftpLibrary.messages.words import PYTHON, Words
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Transfers, View
from TftpLibrary.recording.wording import duration_text, short_text

MOST_LINES = 60
"""Lines of a difference; of the rest only the number is given."""

_MOST_CELLS = 1_000_000
_WIDTH = 60
_LINES_BEFORE = 5


class Row(NamedTuple):
    """An expected name, and the request beside it.

    Attributes:
        name: the expected name; None where no name was expected.
        transfer: the request seen; None where no request was seen.
        fits: whether the request is the expected one.
    """

    name: str | None
    transfer: Transfer | None
    fits: bool = False

    @property
    def is_wrong(self) -> bool:
        """Whether another file was asked for than was expected."""
        return self.name is not None and self.transfer is not None and not self.fits


class Match(Enum):
    """How the requests that were seen are compared with those that were expected.

    | ``exact``    | These and no others, in this order. |
    | ``in_order`` | These in this order; others may come before, between and after them. |
    | ``subset``   | Each of these, in any order and however often; others may come too. |
    """

    exact = "exact"
    in_order = "in_order"
    subset = "subset"


class Requests(NamedTuple):
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
        missing = sum(row.transfer is None for row in rows)
        wrong = sum(row.is_wrong for row in rows)
        counts = {"missing": missing + wrong}
        if self.match is Match.exact:
            surplus = sum(row.name is None for row in rows)
            counts = {"wrong": wrong, "missing": missing, "too many": surplus}
        told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        within = "" if waited is None else f" after {duration_text(waited)}"
        table = "\n".join(_shortened(_table(rows, is_odd), is_odd.index(True)))
        return (
            f"{_HEADS[self.match]}{within}: {told}.\n{table}\n{describe_requests(own, words=words)}"
        )

    def _rows(self, seen: Transfers) -> list[Row]:
        lists = Lists(self.names, seen)
        return lists.beside() if self.match is Match.subset else lists.aligned()

    def _odd(self, rows: Sequence[Row]) -> list[bool]:
        return [_is_odd(row, self.match) for row in rows]


_HEADS = {
    Match.exact: "The requests differ from the expected ones",
    Match.in_order: "The expected requests were not all seen in their order",
    Match.subset: "The expected requests were not all seen",
}


class Lists:
    """The expected names and the requests seen, to be laid side by side.

    Each method returns rows with every expected name and every request once.

    Args:
        expected: names or globs.
        seen: the requests, oldest first.
    """

    def __init__(self, expected: Sequence[str], seen: Transfers) -> None:
        self._expected = expected
        self._seen = seen
        places: dict[str, list[int]] = {}
        for place, transfer in enumerate(seen):
            places.setdefault(transfer.filename, []).append(place)
        self._fitting = fitting_names(expected, places)
        self._places = {
            name: sorted(place for filename in fitting for place in places[filename])
            for name, fitting in self._fitting.items()
        }

    def beside(self) -> list[Row]:
        """Each name beside its first request, then the other requests."""
        rows: list[Row] = []
        for name in self._expected:
            transfer = next((self._seen[place] for place in self._places[name]), None)
            rows.append(Row(name, transfer, fits=transfer is not None))
        wanted: set[str] = set().union(*self._fitting.values())
        return rows + [Row(None, t) for t in self._seen if t.filename not in wanted]

    def aligned(self) -> list[Row]:
        """Both in their order, as many as possible beside each other."""
        shortest = min(len(self._seen), len(self._expected))
        start = 0
        while start < shortest and self._fits(start, start):
            start += 1
        rows = [self._row(place, place) for place in range(start)]
        rest = (len(self._expected) - start) * (len(self._seen) - start)
        return [*rows, *(self.in_turn(start) if rest > _MOST_CELLS else self._longest(start))]

    def in_turn(self, start: int = 0) -> Iterator[Row]:
        """Each name beside the next request for it: quick, where the best way takes too long."""
        place = start
        for name in self._expected[start:]:
            places = self._places[name]
            next_one = bisect_left(places, place)
            if next_one == len(places):
                yield Row(name, None)
                continue
            found = places[next_one]
            yield from (Row(None, transfer) for transfer in self._seen[place:found])
            yield Row(name, self._seen[found], fits=True)
            place = found + 1
        yield from (Row(None, transfer) for transfer in self._seen[place:])

    def _longest(self, start: int) -> Iterator[Row]:
        """The longest common subsequence; the rest, between its members, stands side by side."""
        height, width = len(self._expected), len(self._seen)
        same = [[self._fits(i, j) for j in range(start, width)] for i in range(start, height)]
        length = [[0] * (width - start + 1)]
        for fits in reversed(same):
            length.append(_lengths(fits, length[-1]))
        length.reverse()
        i = j = 0
        while length[i][j]:
            first, other = i, j
            while not (same[i][j] and length[i][j] == length[i + 1][j + 1] + 1):
                if length[i + 1][j] >= length[i][j + 1]:
                    i += 1
                else:
                    j += 1
            yield from self._side_by_side(start + first, start + i, start + other, start + j)
            yield self._row(start + i, start + j)
            i, j = i + 1, j + 1
        yield from self._side_by_side(start + i, height, start + j, width)

    def _fits(self, place: int, other: int) -> bool:
        return self._seen[other].filename in self._fitting[self._expected[place]]

    def _row(self, place: int, other: int) -> Row:
        return Row(self._expected[place], self._seen[other], self._fits(place, other))

    def _side_by_side(self, first: int, last: int, other: int, end: int) -> Iterator[Row]:
        """The rows between two expected requests; none of them fits."""
        for name, transfer in zip_longest(self._expected[first:last], self._seen[other:end]):
            yield Row(name, transfer)


def _lengths(fits: Sequence[bool], below: Sequence[int]) -> list[int]:
    """One row of the table of lengths, from the one below it."""
    row = [0] * len(below)
    longest = 0
    for j in range(len(fits) - 1, -1, -1):
        if fits[j]:
            longest = below[j + 1] + 1
        elif below[j] > longest:
            longest = below[j]
        row[j] = longest
    return row


def _is_odd(row: Row, match: Match) -> bool:
    return not row.fits and (row.name is not None or match is Match.exact)


def _table(rows: Sequence[Row], is_odd: Sequence[bool]) -> list[str]:
    """Two columns under a head; `!` marks a row that differs."""
    left = ["expected", *(_shown(name) for name, *_ in rows)]
    right = ["seen", *(_shown(transfer.filename if transfer else None) for _, transfer, _ in rows)]
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
