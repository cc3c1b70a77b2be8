"""The ledger of a folder: each change by a process, written down before it is made.

The ledger is a hidden file that the process keeps locked. The system releases the lock when the
process ends, however it ends: a ledger that nobody has locked is that of a run that was killed.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from TftpLibrary.store.names import HIDDEN_PREFIX
from TftpLibrary.store.place import Place
from TftpLibrary.store.root import Root

LEDGER = f"{HIDDEN_PREFIX}ledger"
"""The name of the ledger in the folder that is served."""

Entry = dict[str, Any]  # Any: as JSON has it.
"""A line of the ledger."""

IS_WINDOWS = os.name == "nt"

_LOCKED_AT = 1 << 30  # Far behind the end: others cannot read where Windows locks.
_CHUNK = 64 * 1024

if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> bool:
        os.lseek(fd, _LOCKED_AT, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def _lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class Held(Exception):
    """Another process changes the folder.

    Attributes:
        by: that process, in words.
    """

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by


class Ledger:
    """The ledger of one folder, locked by this process. `take` makes it."""

    def __init__(self, root: Root, fd: int) -> None:
        self._root = root
        self._fd = fd

    @property
    def is_there(self) -> bool:
        """Whether the folder still has it; it may have been removed and made anew."""
        return os.fstat(self._fd).st_nlink > 0

    def begin(self) -> None:
        """Empties it, and notes the process that has it."""
        os.ftruncate(self._fd, 0)
        self.note({"process": os.getpid(), "program": _program()})

    def note(
        self, entry: dict[str, Any], *, is_synced: bool = False
    ) -> None:  # Any: as JSON has it
        """Appends an entry.

        Args:
            entry: what will be changed.
            is_synced: whether it must be on the disk before the change is.

        Raises:
            OSError: it cannot be written.
        """
        import json  # noqa: PLC0415 - only a folder that is changed needs it

        data = json.dumps(entry).encode("ascii") + b"\n"
        if os.write(self._fd, data) < len(data):
            raise OSError(errno.ENOSPC, "the ledger was written in part")
        if is_synced:
            os.fsync(self._fd)

    def entries(self) -> Iterator[Entry]:
        """Yields the entries; a line that was cut off by the end of the process is left out."""
        import json  # noqa: PLC0415 - as above

        for line in _read(self._fd).splitlines():
            with suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict):
                    yield entry

    @property
    def by(self) -> str:
        """The process that began it, in words."""
        first = next(self.entries(), {})
        if not isinstance(first.get("process"), int):
            return "another process"
        return f"process {first['process']} ({first.get('program')})"

    def remove(self) -> None:
        """Removes it, and releases the lock."""
        with suppress(OSError), self._root.parent((LEDGER,)) as place:
            found = place.stat()
            is_ours = found is not None and os.path.samestat(found, os.fstat(self._fd))
            if IS_WINDOWS:  # An open file cannot be removed.
                self.close()
            if is_ours:
                place.unlink()
        self.close()

    def close(self) -> None:
        """Releases the lock, and leaves the file. Idempotent."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def take(root: Root, *, create: bool) -> Ledger | None:
    """Opens the ledger of a folder and locks it.

    Args:
        root: the folder.
        create: whether to make one where there is none; else None is returned.

    Raises:
        Held: another process has it.
        OSError: it cannot be made here, or not be locked.
    """
    while True:
        with root.parent((LEDGER,)) as place:
            if not create and place.stat() is None:
                return None
            fd = _open(place, create=create)
            ledger = Ledger(root, fd)
            try:
                if not _lock(fd):
                    raise Held(ledger.by)
                found = place.stat()
                if found is not None and os.path.samestat(found, os.fstat(fd)):
                    return ledger
            except BaseException:
                ledger.close()
                raise
            # It was removed between its opening and its locking.
            ledger.close()


def _open(place: Place, *, create: bool) -> int:
    try:
        return place.append()
    except PermissionError:
        if create:
            raise
        # It is of another user: it can be read and locked.
        return place.open()


def _read(fd: int) -> bytes:
    os.lseek(fd, 0, os.SEEK_SET)
    data = b""
    while piece := os.read(fd, _CHUNK):
        data += piece
    return data


def _program() -> str:
    """Returns the program of this process, without arguments: they may be secret."""
    path = Path(sys.argv[0] if sys.argv else "")
    name = (path.parent if path.stem == "__main__" else path).name
    return "python" if name in ("", "-c") else name
