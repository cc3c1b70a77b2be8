"""The one owner of the originals in the folders that servers change.

Boards change a folder on the engine's thread, the test on its own, and several servers may serve
one folder. Each change is one step here, under one lock: it is noted in the folder, the original
is kept, and the new file takes its place. When the last server of a folder has stopped, the folder
is put back as it was before the first one started.

Nested folders are put back together. Another process that would change a folder meanwhile is
refused (decision 14).
"""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from TftpLibrary.store.base import StoreError, forbidden
from TftpLibrary.store.directory import DirectorySink, Prepare
from TftpLibrary.store.ground import Ground
from TftpLibrary.store.kept import Change, Stamp, keep, put_back, stamp_of
from TftpLibrary.store.names import Parts, hidden_name, text_of
from TftpLibrary.store.place import Place
from TftpLibrary.store.root import Root, missing_folders, remove_folders

_Key = tuple[int, int, str]


class _Noted(NamedTuple):
    """A change, and how it is reached.

    Attributes:
        ground: the folder whose ledger has it.
        root: the root below which the name was changed.
        parts: the name.
        change: what changed.
    """

    ground: Ground
    root: Root
    parts: Parts
    change: Change

    def note(self, *, is_first: bool) -> list[str]:
        """Writes it down before it is made; the note is on the disk before an original moves."""
        entry = {"name": self.parts, "kept": self.change.kept, "ours": self.change.ours}
        return self.ground.note(entry, is_synced=is_first and bool(self.change.kept))


class _Estate:
    """Folders that overlap, and what was changed in them."""

    def __init__(self) -> None:
        self.holdings: set[Holding] = set()
        self.grounds: list[Ground] = []
        self.changes: dict[_Key, _Noted] = {}
        self.made: set[tuple[Root, Parts]] = set()

    def absorb(self, other: _Estate) -> None:
        """Takes over another estate: a folder came that overlaps with both."""
        for holding in other.holdings:
            holding.estate = self
        self.holdings |= other.holdings
        self.grounds += other.grounds
        self.changes.update(other.changes)
        self.made |= other.made

    def undo(self) -> list[str]:
        """Puts everything back. Returns a sentence for each thing that was left as it is."""
        warnings = list(filter(None, map(_undo, reversed(self.changes.values()))))
        # Before the ledgers go, so that none is forgotten, and again for folders that held one.
        self._remove_folders()
        for ground in sorted(self.grounds, key=lambda ground: -ground.depth):
            ground.close_ledger()
        left = self._remove_folders()
        for ground in self.grounds:
            ground.close()
        return warnings + [f"The folder '{text_of(parts)}' is not empty: left." for parts in left]

    def _remove_folders(self) -> list[Parts]:
        depths = {entry: len(entry[0].path.parts) + len(entry[1]) for entry in self.made}
        made = sorted(self.made, key=lambda entry: (-depths[entry], entry[1]))
        return [left for root, parts in made for left in remove_folders(root, [parts])]


class Originals:
    """The owner for all folders of a process; `ORIGINALS` is the one that servers share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._estates: list[_Estate] = []

    def look(self, path: Path, *, follow_symlinks: bool = False) -> list[str]:
        """Undoes the changes of a killed run in a folder. Returns sentences for the user."""
        with self._lock:
            if any(ground.is_at(path) for ground in self._grounds()):
                return []
            return Ground(path).look(follow_symlinks=follow_symlinks)

    def hold(self, root: Root, *, follow_symlinks: bool = False, restores: bool = True) -> Holding:
        """Returns the hold of one server on a folder: the server changes the folder only by it.

        Args:
            root: the server's root.
            follow_symlinks: how the root was opened.
            restores: whether the folder is put back; else changes stay.
        """
        with self._lock:
            estate, ground = self._admit(root.path) if restores else (None, None)
            holding = Holding(self._lock, root, estate, ground, follow_symlinks=follow_symlinks)
            if estate is not None:
                estate.holdings.add(holding)
            return holding

    def _grounds(self) -> list[Ground]:
        self._estates = [estate for estate in self._estates if estate.holdings]
        return [ground for estate in self._estates for ground in estate.grounds]

    def _admit(self, path: Path) -> tuple[_Estate, Ground]:
        known = [ground for ground in self._grounds() if ground.is_at(path)]
        ground = known[0] if known else Ground(path)
        touched = [
            estate
            for estate in self._estates
            if any(each is ground or each.overlaps(ground) for each in estate.grounds)
        ]
        estate = touched[0] if touched else _Estate()
        for other in touched[1:]:
            estate.absorb(other)
        self._estates = [estate, *(each for each in self._estates if each not in touched)]
        if not known:
            estate.grounds.append(ground)
        return estate, ground


class Holding:
    """The hold of one server on a folder. `Originals.hold` makes it.

    Without an estate nothing is kept: changes stay.
    """

    def __init__(
        self,
        lock: threading.Lock,
        root: Root,
        estate: _Estate | None,
        ground: Ground | None,
        *,
        follow_symlinks: bool,
    ) -> None:
        self.estate = estate
        self._ground = ground
        self._lock = lock
        self._root = root
        self._follow_symlinks = follow_symlinks
        self._sinks: set[DirectorySink] = set()
        self._warnings: list[str] = []
        self._is_open = True

    def open(self, opener: Callable[[Prepare], DirectorySink]) -> DirectorySink:
        """Opens an upload; `opener` calls its argument, and then makes the hidden file.

        Raises:
            StoreError: as `opener`, or another process changes the folder.
        """
        with self._lock:
            self._check()
            sink = opener(self._prepare)
            self._note_folders(sink.made)
            self._sinks.add(sink)
            return sink

    def replace(self, sink: DirectorySink) -> Path:
        """Gives an upload its name, and keeps the original.

        Raises:
            StoreError: it cannot take its place, or the server has stopped.
        """
        with self._lock:
            self._check()
            self._sinks.discard(sink)
            return sink.commit(partial(self._placing, sink.parts))

    def discard(self, sink: DirectorySink) -> None:
        """Forgets an upload. Idempotent."""
        with self._lock:
            self._sinks.discard(sink)
            sink.discard()

    def remove(self, parts: Parts) -> bool:
        """Removes a file. Returns whether there was one.

        Raises:
            OSError: the system refuses.
            StoreError: another process changes the folder, or the server has stopped.
        """
        with self._lock, self._root.parent(parts) as place:
            self._check()
            found = place.stat()
            if found is None or stat.S_ISDIR(found.st_mode):
                return False
            with self._changing(parts, place, None, is_moved=True) as kept:
                if kept:
                    # Moving is enough: no copy is needed where a file can have only one name.
                    place.replace(place.sibling(kept))
                else:
                    place.unlink()
            return True

    def rename(self, old: Parts, new: Parts, *, overwrite: bool) -> None:
        """Gives a file another name, in one step.

        Raises:
            OSError: the system refuses.
            StoreError: another process changes the folder, or the server has stopped.
        """
        with self._lock:
            self._check()
            self._prepare((), missing_folders(self._root, new))
            with (
                self._root.parent(old) as source,
                self._root.parent(new, create=True) as target,
                self._without_folders(target),
                self._changing(old, source, None),
                self._placing(new, target, source),
            ):
                self._note_folders(target.made)
                if overwrite:
                    source.replace(target)
                else:
                    source.move(target)

    def release(self) -> list[str]:
        """Ends the hold, and puts the folder back if it was the last one. Idempotent.

        Returns:
            A sentence for each file or folder that was left as others have changed it.
        """
        with self._lock:
            self._is_open = False
            while self._sinks:
                self._sinks.pop().abandon()
            estate, self.estate = self.estate, None
            warnings, self._warnings = self._warnings, []
            if estate is not None:
                estate.holdings.discard(self)
                if not estate.holdings:
                    warnings += estate.undo()
            return warnings

    def _check(self) -> None:
        if not self._is_open:
            raise forbidden("the server has stopped")

    def _prepare(self, hidden: Parts, missing: tuple[Parts, ...]) -> None:
        """Notes the hidden file of an upload, and new folders, before they are made."""
        if self.estate is None or self._ground is None or not (hidden or missing):
            return
        self._warnings += self._ground.note({"made": missing, "upload": hidden})
        if missing:
            root = self._ground.root(follow_symlinks=self._follow_symlinks)
            self.estate.made.update((root, parts) for parts in missing)

    def _note_folders(self, made: tuple[Parts, ...]) -> None:
        """Notes folders that were not foreseen: those made through a link, for instance."""
        foreseen = {parts for _, parts in self.estate.made} if self.estate else set()
        if not foreseen.issuperset(made):
            self._prepare((), made)

    def _placing(self, parts: Parts, place: Place, fresh: Place) -> AbstractContextManager[object]:
        return self._changing(parts, place, stamp_of(fresh))

    @contextmanager
    def _without_folders(self, place: Place) -> Iterator[None]:
        """Removes the folders again that were made for a change that failed."""
        try:
            yield
        except BaseException:
            remove_folders(self._root, place.made)
            raise

    @contextmanager
    def _changing(
        self, parts: Parts, place: Place, ours: Stamp | None, *, is_moved: bool = False
    ) -> Iterator[str]:
        """Keeps the file at a place while the caller puts `ours` there, or removes it.

        Yields the hidden name of the original if this change is the first; with `is_moved` the
        caller moves it there.
        """
        if self.estate is None or self._ground is None:
            yield ""
            return
        changes, key = self.estate.changes, place.identity()
        stamps = () if ours is None else (ours,)
        before = changes.get(key)
        kept = hidden_name("kept") if before is None and place.stat() is not None else ""
        if before is None:
            root = self._ground.root(follow_symlinks=self._follow_symlinks)
            noted = _Noted(self._ground, root, parts, Change(kept, stamps))
        else:
            noted = before._replace(change=before.change._replace(ours=stamps))
        self._warnings += noted.note(is_first=before is None)
        changes[key] = noted
        try:
            if kept and not is_moved:
                keep(place, kept)
            yield kept
        except BaseException:
            if stamp_of(place) == ours:
                raise  # It failed after the step that counts.
            if before is not None:
                changes[key] = before
            else:
                del changes[key]
                if kept:
                    with suppress(OSError):
                        place.sibling(kept).unlink()
            raise


ORIGINALS = Originals()
"""The owner that all servers of this process share."""


def _undo(noted: _Noted) -> str:
    name = text_of(noted.parts)
    try:
        noted.root.refresh()
        with noted.root.parent(noted.parts) as place:
            return put_back(place, noted.change, name)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not noted.change.kept:
            return ""  # Its folder is gone, and it with it.
        return f"'{name}' cannot be put back: {error.strerror}."
    except StoreError as error:
        return f"'{name}' cannot be put back: {error}."
