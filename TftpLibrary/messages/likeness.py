"""Names like another one: those that a board may have meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from TftpLibrary.matching import plain_name

LIKENESS = 0.6
"""From this value on a name counts as near to another; 1.0 is the same name."""

_IN_ANOTHER_FOLDER = 0.95

_NAME_LENGTH = 120
"""Characters of a name that are compared: a peer may send thousands."""

_NAME_COUNT = 1000
"""Names whose letters are counted: the latest ones."""

_CLOSE_COUNT = 20
"""Names that are compared letter by letter, which takes a hundred times as long."""

_NO_WILDCARDS = str.maketrans("", "", "*?[]")


def nearest_names(name: str, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Returns the names that are most like a name, the nearest first.

    The same name in another case or in another folder is the nearest of all. However many names
    there are, and however long they are, it takes some hundredths of a second at most.
    """
    from difflib import SequenceMatcher  # noqa: PLC0415 - for a miss only

    wanted = _comparable(name).translate(_NO_WILDCARDS)
    last_part = _last_part(wanted)
    scores: dict[str, float] = {}
    others: dict[str, str] = {}
    for other in dict.fromkeys(names):
        found = _comparable(other)
        if found == wanted:
            scores[other] = 1.0
        elif _last_part(found) == last_part:
            scores[other] = _IN_ANOTHER_FOLDER
        else:
            others[other] = found
    matcher = SequenceMatcher(None, "", wanted)
    for other in _closest(wanted, list(others.items())[-_NAME_COUNT:]):
        matcher.set_seq1(others[other])
        if (ratio := matcher.ratio()) >= LIKENESS:
            scores[other] = ratio
    return tuple(sorted(scores, key=lambda other: -scores[other])[:limit])


def _comparable(name: str) -> str:
    return plain_name(name).lower()[-_NAME_LENGTH:]


def _last_part(name: str) -> str:
    return name.rpartition("/")[2]


def _closest(wanted: str, others: Iterable[tuple[str, str]]) -> list[str]:
    """The names that may be near: counting letters in any order gives an upper bound."""
    letters = Counter(wanted)
    bounds: dict[str, float] = {}
    for other, found in others:
        common = sum(min(count, found.count(letter)) for letter, count in letters.items())
        bound = 2.0 * common / (len(wanted) + len(found))
        if bound >= LIKENESS:
            bounds[other] = bound
    return sorted(bounds, key=lambda other: -bounds[other])[:_CLOSE_COUNT]
