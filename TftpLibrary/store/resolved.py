"""The fall-back for systems that cannot open relative to a folder's descriptor (Windows).

A name is resolved, compared with the root, opened, and compared again with what was opened, so
that a link which was swapped in between is noticed before a single octet is read.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.store.base import forbidden
from TftpLibrary.store.names import Parts
from TftpLibrary.store.place import NOFOLLOW, READ_FLAGS, Place
from TftpLibrary.store.root import remove_folders


class ResolvedRoot:
    """The root as a path; see `Root` for what the methods promise."""

    def __init__(self, path: Path, *, follow_symlinks: bool = False) -> None:
        self.path = path
        self._is_strict = not follow_symlinks
        self._real = path.resolve(strict=True)
        if not self._real.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))

    def open_file(self, parts: Parts) -> int:
        """Opens for reading; the caller checks that it is a regular file."""
        self.refresh()
        path = self._confine(self.path.joinpath(*parts))
        fd = os.open(path, READ_FLAGS & ~NOFOLLOW)
        try:
            # The name still leads to the file that was opened, and that is still below the root.
            now = self._confine(self.path.joinpath(*parts)).stat()
            if self._is_strict and not os.path.samestat(now, os.fstat(fd)):
                raise forbidden("the name led elsewhere while it was opened", Cause.link)
        except BaseException:
            os.close(fd)
            raise
        return fd

    @contextmanager
    def parent(self, parts: Parts, *, create: bool = False) -> Iterator[Place]:
        """A context in which the folder of a name is known; `create` makes missing folders."""
        folder = self.path.joinpath(*parts[:-1])
        made: list[Parts] = []
        try:
            for depth in range(1, len(parts)) if create else ():
                inner = self._confine(self.path.joinpath(*parts[:depth]))
                if not inner.exists():
                    inner.mkdir()
                    made.append(parts[:depth])
            folder = self._confine(folder)
            if not folder.is_dir():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        except BaseException:
            remove_folders(self, made)
            raise
        yield Place(None, str(folder / parts[-1]), tuple(made))

    def refresh(self) -> bool:
        """Looks where the path of the root leads now. Returns whether it is another folder."""
        before, self._real = self._real, self.path.resolve()
        return before != self._real

    def close(self) -> None:
        """Does nothing: no descriptor is held."""

    def _confine(self, path: Path) -> Path:
        """Returns the target of a path, if it is below the root."""
        real = path.resolve()
        if self._is_strict and real != self._real and self._real not in real.parents:
            raise forbidden("a link leads out of the root", Cause.link)
        return real
