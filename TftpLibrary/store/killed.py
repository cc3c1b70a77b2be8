"""Putting a folder back as it was before a run that was killed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from TftpLibrary.store.base import StoreError
from TftpLibrary.store.kept import Change, Stamp, clear_partial, put_back, stamp_of
from TftpLibrary.store.ledger import Ledger
from TftpLibrary.store.names import Parts, is_hidden, octets_of, safe_parts, text_of
from TftpLibrary.store.place import Place
from TftpLibrary.store.root import Root, remove_folders

SHOWN = 20
"""Names that a warning lists at most."""


class _Left(NamedTuple):
    """The content of a killed run's ledger.

    Attributes:
        changes: the names that may not be as they were, the oldest first.
        uploads: the hidden files of uploads, finished or not.
        made: the folders that were made.
    """

    changes: dict[Parts, Change]
    uploads: list[Parts]
    made: set[Parts]


def recover(root: Root, ledger: Ledger) -> list[str]:
    """Undoes the changes of a killed run.

    Returns:
        Sentences for the user: which files were put back, and which were left as they are.
    """
    left = _read(ledger)
    restored: list[str] = []
    removed: list[str] = []
    warnings: list[str] = []
    for parts, change in reversed(left.changes.items()):
        name = text_of(parts)
        try:
            with root.parent(parts) as place:
                before = stamp_of(place)
                warning = _put_back(place, change, name)
                after = stamp_of(place)
        except FileNotFoundError:
            if change.kept:
                warnings.append(f"'{name}' cannot be put back: its folder is gone.")
            continue
        except (OSError, StoreError) as error:
            reason = getattr(error, "strerror", None) or error
            warnings.append(f"'{name}' cannot be put back: {reason}.")
            continue
        if warning:
            warnings.append(warning)
        elif before != after:
            (removed if after is None else restored).append(name)
    cleared = sum(_remove(root, parts) for parts in left.uploads)
    warnings += [
        f"The folder '{text_of(parts)}' is not empty: left."
        for parts in remove_folders(root, sorted(left.made))
    ]
    deeds = [
        f"{deed}: {what}."
        for deed, what in (
            ("Put back as they were", _listed(restored)),
            ("Removed what it had added", _listed(removed)),
            ("Cleared unfinished uploads", str(cleared or "")),
        )
        if what
    ]
    if deeds:
        told = f"An earlier run, {ledger.by}, was killed while it changed '{root.path}'."
        warnings.insert(0, " ".join([told, *deeds]))
    return warnings


def _put_back(place: Place, change: Change, name: str) -> str:
    clear_partial(place, change)
    found = stamp_of(place)
    was_kept = change.kept and place.sibling(change.kept).stat() is not None
    if change.kept and not was_kept and found is not None and found not in change.ours:
        return ""  # It was killed before it began, or after it had put this back.
    return put_back(place, change, name)


def _remove(root: Root, parts: Parts) -> bool:
    try:
        with root.parent(parts) as place:
            place.unlink()
    except (OSError, StoreError):
        return False
    return True


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"'{name}'" for name in sorted(names)[:SHOWN]) + more


def _read(ledger: Ledger) -> _Left:
    """Reads the ledger, which others may have written: only names below the root count."""
    left = _Left({}, [], set())
    for entry in ledger.entries():
        left.made.update(filter(None, map(_parts, _list(entry.get("made")))))
        *above, hidden = _list(entry.get("upload")) or [""]
        if _is_hidden_name(hidden) and (not above or _parts(above)):
            left.uploads.append((*above, hidden))
        parts = _parts(entry.get("name"))
        kept = entry.get("kept", "")
        if parts and (not kept or _is_hidden_name(kept)):
            old = left.changes.pop(parts, Change())
            # Every file that the run put there counts as its own.
            left.changes[parts] = Change(kept, (*old.ours, *_stamps(entry.get("ours"))))
    return left


def _list(value: object) -> list[Any]:  # Any: as JSON has it
    return value if isinstance(value, list) else []


def _parts(value: object) -> Parts | None:
    parts = tuple(_list(value))
    if not parts or not all(isinstance(part, str) for part in parts):
        return None
    try:
        return parts if safe_parts(octets_of(parts)) == parts else None
    except (StoreError, UnicodeError):
        return None


def _is_hidden_name(name: object) -> bool:
    return isinstance(name, str) and is_hidden(name) and not set(name) & set("/\\\0")


def _stamps(value: object) -> Iterable[Stamp]:
    for stamp in _list(value):
        if isinstance(stamp, list) and len(stamp) == 3 and all(isinstance(n, int) for n in stamp):
            yield stamp[0], stamp[1], stamp[2]
