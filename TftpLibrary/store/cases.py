"""Names that differ in upper and lower case only, which Windows loaders do not care about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from TftpLibrary.store.names import Parts, is_hidden

Entries = Callable[[Parts], Iterable[str]]
"""Returns the names in a folder; none where there is no such folder."""


def spellings(parts: Parts, entries: Entries, above: Parts = ()) -> Iterator[Parts]:
    """Yields the names that are there and are equal to a name but for their case.

    The order is always the same: at each folder the exact name first, then the others by their
    characters.
    """
    first, rest = parts[0], parts[1:]
    wanted = first.casefold()
    found = [name for name in entries(above) if name.casefold() == wanted and not is_hidden(name)]
    for name in sorted(found, key=lambda name: (name != first, name)):
        if rest:
            yield from spellings(rest, entries, (*above, name))
        else:
            yield (*above, name)
