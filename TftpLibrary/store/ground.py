"""One folder that servers of this process serve: its ledger, and the roots by which it is changed.

The ledger is taken when the first change is made, not before: processes that only serve a folder
do not disturb each other.
"""

from __future__ import annotations

import errno
from pathlib import Path

from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.store.base import forbidden
from TftpLibrary.store.confined import open_root
from TftpLibrary.store.killed import recover
from TftpLibrary.store.ledger import Entry, Held, Ledger, take
from TftpLibrary.store.root import Root

# A ledger cannot be made or locked here. The folder is changed without it: folders inside may be
# writable where this one is not.
_NO_LEDGER = frozenset(
    (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
)


class Ground:
    """A folder that is served, by one server or by several."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._real = path.resolve()
        self._roots: dict[bool, Root] = {}
        self._ledger: Ledger | None = None
        self._is_unnoted = False

    @property
    def depth(self) -> int:
        """The number of folders above it."""
        return len(self._real.parts)

    def is_at(self, path: Path) -> bool:
        """Whether this is the folder that a path leads to."""
        try:
            return path.resolve() == self._real or path.samefile(self._real)
        except OSError:
            return False

    def overlaps(self, other: Ground) -> bool:
        """Whether one of the two folders lies within the other."""
        return self._real in other._real.parents or other._real in self._real.parents

    def root(self, *, follow_symlinks: bool) -> Root:
        """Returns the root of the folder, which stays open until `close`.

        Raises:
            OSError: the folder is gone.
        """
        root = self._roots.get(follow_symlinks)
        if root is None:
            root = open_root(self.path, follow_symlinks=follow_symlinks)
            self._roots[follow_symlinks] = root
        else:
            root.refresh()
        return root

    def look(self, *, follow_symlinks: bool) -> list[str]:
        """Undoes the changes of a killed run. Returns sentences for the user."""
        try:
            root = self.root(follow_symlinks=follow_symlinks)
            ledger = take(root, create=False)
            if ledger is None:
                return []
            warnings = recover(root, ledger)
            ledger.remove()
        except Held as held:
            return [
                f"Another run, {held.by}, is changing '{self.path}'. Its files are served here "
                "too, and nothing can be changed here until it has stopped."
            ]
        except OSError:
            return []  # The ledger cannot be read: this server may serve, and nothing more.
        finally:
            self.close()
        return warnings

    def note(self, entry: Entry, *, is_synced: bool = False) -> list[str]:
        """Writes a change into the ledger before it is made.

        Args:
            entry: what will be changed.
            is_synced: whether it must be on the disk before the change is.

        Returns:
            Sentences for the user.

        Raises:
            StoreError: another process changes the folder.
            OSError: it cannot be written.
        """
        warnings: list[str] = []
        if self._ledger is None or not self._ledger.is_there:
            warnings = [] if self._is_unnoted else self._begin()
        if self._ledger is not None:
            self._ledger.note(entry, is_synced=is_synced)
        return warnings

    def close_ledger(self) -> None:
        """Removes the ledger: the folder is as it was. Idempotent."""
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            ledger.remove()

    def close(self) -> None:
        """Releases the folder. Idempotent."""
        while self._roots:
            self._roots.popitem()[1].close()

    def _begin(self) -> list[str]:
        root = self.root(follow_symlinks=False)
        try:
            ledger = take(root, create=True)
        except Held as held:
            raise forbidden(
                f"another run, {held.by}, is changing the folder '{self.path}', and nothing else "
                "can until it has stopped. Serve another folder, or a copy of this one",
                Cause.held,
            ) from held
        except OSError as error:
            if error.errno not in _NO_LEDGER:
                raise
            self._is_unnoted = True
            return []
        assert ledger is not None
        # Changes of a run that was killed after this one started.
        warnings = recover(root, ledger)
        if self._ledger is not None:
            self._ledger.close()
        self._ledger = ledger
        ledger.begin()
        return warnings
