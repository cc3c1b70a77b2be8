"""What was changed in a folder that was there before, so that it can be put back.

An original that is replaced or removed gets a hidden name in its own folder: no copy, and nothing
is lost if the program is killed. What others changed meanwhile is left alone, and told.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import NamedTuple

from TftpLibrary.store.base import StoreError
from TftpLibrary.store.digests import CHUNK
from TftpLibrary.store.names import Parts, hidden_name, text_of
from TftpLibrary.store.place import Place
from TftpLibrary.store.root import Root, remove_folders

_Stamp = tuple[int, int, int, int]


class _Change(NamedTuple):
    """One name that is not as it was.

    Attributes:
        kept: the hidden name of the original; empty when nothing lay there.
        ours: what the store put there; None when it removed the file.
    """

    kept: str = ""
    ours: _Stamp | None = None


class Ledger:
    """The changes in one root, by name."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._changes: dict[Parts, _Change] = {}
        self._made: set[Parts] = set()

    def keep(self, parts: Parts) -> None:
        """Keeps what lies under a name, which is about to be replaced.

        Raises:
            OSError: it cannot be kept, so it must not be replaced.
        """
        if parts in self._changes:
            return
        with self._root.parent(parts) as place:
            kept = ""
            if place.stat() is not None:
                kept = hidden_name("kept")
                if not place.link(place.sibling(kept)):
                    _copy(place, place.sibling(kept))
            self._changes[parts] = _Change(kept)

    def made(self, folders: Iterable[Parts]) -> None:
        """Notes folders that the store made."""
        self._made.update(folders)

    def placed(self, parts: Parts) -> None:
        """Notes that what lies there now is the store's, or that nothing is."""
        with self._root.parent(parts) as place:
            found = place.stat()
        change = self._changes.get(parts, _Change())
        self._changes[parts] = change._replace(ours=_stamp(found) if found else None)

    def remove(self, parts: Parts) -> None:
        """Removes a file, and keeps it if it was there before the store.

        Raises:
            OSError: the system refuses.
        """
        change = self._changes.get(parts)
        with self._root.parent(parts) as place:
            if change is None:
                change = _Change(hidden_name("kept"))
                place.replace(place.sibling(change.kept))
            else:
                place.unlink()
        self._changes[parts] = change._replace(ours=None)

    def undo(self) -> list[str]:
        """Puts everything back. Returns a sentence for each thing that was left as it is."""
        warnings = [
            warning
            for parts, change in reversed(self._changes.items())
            if (warning := self._undo(parts, change))
        ]
        self._changes.clear()
        left = remove_folders(self._root, sorted(self._made))
        self._made.clear()
        return warnings + [f"The folder '{text_of(parts)}' is not empty: left." for parts in left]

    def _undo(self, parts: Parts, change: _Change) -> str:
        try:
            with self._root.parent(parts) as place:
                return _put_back(place, change, text_of(parts))
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not change.kept:
                return ""  # Its folder is gone, and it with it.
            return f"'{text_of(parts)}' cannot be put back: {error.strerror}."
        except StoreError as error:
            return f"'{text_of(parts)}' cannot be put back: {error}."


def _put_back(place: Place, change: _Change, name: str) -> str:
    found = place.stat()
    if not change.kept:
        if found is None:
            return ""
        if _stamp(found) != change.ours:
            return f"'{name}' was changed by another program: left as it is."
        place.unlink()
        return ""
    kept = place.sibling(change.kept)
    original = kept.stat()
    is_kept_only = found and original and os.path.samestat(found, original)
    if found and _stamp(found) != change.ours and not is_kept_only:
        return (
            f"'{name}' was changed by another program: left as it is. "
            f"What lay there before is kept beside it as '{change.kept}'."
        )
    kept.replace(place)
    return ""


def _stamp(info: os.stat_result) -> _Stamp:
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns


def _copy(place: Place, kept: Place) -> None:
    """Copies a file where it cannot get a second name."""
    source = place.open()
    try:
        info = os.fstat(source)
        target = kept.create()
        try:
            while data := os.read(source, CHUNK):
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(target, rest) :]
            if hasattr(os, "fchmod"):
                os.fchmod(target, stat.S_IMODE(info.st_mode))
            if os.utime in os.supports_fd:
                os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
        except BaseException:
            kept.unlink()
            raise
        finally:
            os.close(target)
    finally:
        os.close(source)
