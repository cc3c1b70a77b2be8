"""Names that are like another: what a board may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

from TftpLibrary.recording.matching import plain_name

LIKENESS = 0.6
"""From here on, of 1.0, a name counts as near to another."""

_IN_ANOTHER_FOLDER = 0.95

_NAME_LENGTH = 120
"""Characters of a name that are compared: a peer may send thousands."""

_NAME_COUNT = 1000
"""Names that are compared at all, the latest ones."""

_CLOSE_COUNT = 50
"""Names that are compared letter by letter, which takes a hundred times as long."""

_NO_WILDCARDS = str.maketrans("", "", "*?[]")


def nearest_names(name: str, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Returns the names that are most like a name, the nearest first.

    The same name in another case or in another folder is the nearest of all. However many names
    there are, and however long they are, it takes some hundredths of a second at most.
    """
    wanted = _comparable(name).translate(_NO_WILDCARDS)
    matcher = SequenceMatcher(None, "", wanted, autojunk=False)
    scores: dict[str, float] = {}
    bounds: dict[str, float] = {}
    for other in list(dict.fromkeys(names))[-_NAME_COUNT:]:
        found = _comparable(other)
        if found == wanted:
            scores[other] = 1.0
        elif _last_part(found) == _last_part(wanted):
            scores[other] = _IN_ANOTHER_FOLDER
        elif (bound := _upper_bound(matcher, found)) >= LIKENESS:
            bounds[other] = bound
    for other in sorted(bounds, key=lambda other: -bounds[other])[:_CLOSE_COUNT]:
        matcher.set_seq1(_comparable(other))
        if (ratio := matcher.ratio()) >= LIKENESS:
            scores[other] = ratio
    return tuple(sorted(scores, key=lambda other: -scores[other])[:limit])


def _comparable(name: str) -> str:
    return plain_name(name).lower()[-_NAME_LENGTH:]


def _last_part(name: str) -> str:
    return name.rpartition("/")[2]


def _upper_bound(matcher: SequenceMatcher[str], found: str) -> float:
    """What the likeness is at most: by the lengths, and by the letters in any order."""
    matcher.set_seq1(found)
    return matcher.quick_ratio() if matcher.real_quick_ratio() >= LIKENESS else 0.0
