"""The name that somebody meant who misspelled it."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, names: Iterable[str], likeness: float = 0.6) -> str:
    """Returns the name most like a word.

    Args:
        word: as it was written.
        names: the names that there are.
        likeness: how like it must be, from 0 to 1.

    Returns:
        The name; empty where none is like the word.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - for a mistake only

    listed = list(names)
    # Letters in the wrong order are the commonest mistake, and `prot` is no more like `port` than
    # like `root` to the function.
    swapped = [name for name in listed if sorted(name) == sorted(word)]
    near = swapped or get_close_matches(word, listed, n=1, cutoff=likeness)
    return near[0] if near else ""


def unknown(what: str, word: str, names: Iterable[str], head: str = "") -> str:
    """Returns the message about a name that there is not, with the nearest one and all of them.

    Args:
        what: what was named, such as `fault`.
        word: as it was written.
        names: the names that there are.
        head: stands before the names; by default `Faults`.
    """
    there = list(names)
    near = nearest(word, there) or nearest(word.lower(), there)
    meant = f" Did you mean '{near}'?" if near else ""
    head = head or f"{what.capitalize()}s"
    return f"There is no {what} '{word}'.{meant} {head}: {', '.join(there) or 'none'}."
