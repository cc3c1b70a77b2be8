"""Access to files below one root folder, and never outside of it.

Where the system can open relative to a folder's descriptor (POSIX), a name is walked part by
part, and no part may be a link: nothing can be swapped between a check and the opening, since the
opening repeats every check. A link is resolved first, into parts, and the parts are then walked in
the same strict way; a link that leads out of the root is refused.

`resolved.py` is the fall-back for systems without such descriptors. `open_root` chooses.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.store.base import forbidden, not_found
from TftpLibrary.store.names import Parts, is_hidden
from TftpLibrary.store.place import NOFOLLOW, READ_FLAGS, Place, flags
from TftpLibrary.store.root import Root, remove_folders

HAS_DESCRIPTORS = {os.open, os.stat, os.mkdir, os.rename, os.readlink} <= os.supports_dir_fd
"""Whether files can be opened relative to a folder's descriptor."""

MAX_LINKS = 16
"""Links that one name may pass through."""

# Linux says ENOTDIR for a link where a folder is wanted; some BSDs say EMLINK.
_MAYBE_LINK = frozenset((errno.ELOOP, errno.EMLINK, errno.ENOTDIR))


# O_PATH needs no permission to list the folder, only to pass through it.
_FOLDER_FLAGS = flags("O_PATH", "O_DIRECTORY", "O_CLOEXEC", "O_NOFOLLOW")


def open_root(path: Path, *, follow_symlinks: bool = False) -> Root:
    """Opens a folder as the root.

    Raises:
        OSError: it does not exist, is no folder, or cannot be opened.
    """
    if HAS_DESCRIPTORS:
        return DescriptorRoot(path, follow_symlinks=follow_symlinks)
    from TftpLibrary.store.resolved import ResolvedRoot  # noqa: PLC0415 - Windows only

    return ResolvedRoot(path, follow_symlinks=follow_symlinks)


class DescriptorRoot:
    """The root as an open folder; every name is walked from there without following a link.

    Before each request, and whenever the author of the test asks (`refresh`), the path is looked at
    again, so that a root which was made anew, or is a link that moved, is noticed. While nothing is
    at the path, as in the middle of a deployment, the root stays the folder that it was.

    With `follow_symlinks` the system follows links wherever they lead, also out of the root.
    """

    def __init__(self, path: Path, *, follow_symlinks: bool = False) -> None:
        self.path = path
        self._path_text = os.fspath(path)
        self._is_strict = not follow_symlinks
        # Every descriptor that was opened: an old one is closed only at the end, since another
        # thread may be using its number.
        self._opened: set[int] = set()
        self._fd = self._open_root()

    def open_file(self, parts: Parts) -> int:
        """Opens for reading; the caller checks that it is a regular file."""
        self.refresh()
        return self._open_file(parts)

    @contextmanager
    def parent(self, parts: Parts, *, create: bool = False) -> Iterator[Place]:
        """A context in which the folder of a name is open; `create` makes missing folders."""
        folder, made = self._enter(parts[:-1], create=create)
        try:
            yield Place(folder, parts[-1], made)
        finally:
            os.close(folder)

    def refresh(self) -> bool:
        """Opens the root again when another folder took its path. Returns whether it did."""
        if self._fd < 0:
            return False
        try:
            # One system call: each request comes through here.
            info = os.stat(self._path_text)  # noqa: PTH116 - half the time of Path.stat
            if info.st_ino == self._ino and info.st_dev == self._dev:
                return False
            self._fd = self._open_root()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Releases the root. Idempotent."""
        self._fd = -1
        while self._opened:
            os.close(self._opened.pop())

    def _open_root(self) -> int:
        # The root itself may be a link: it is the choice of the test.
        fd = os.open(self.path, _FOLDER_FLAGS & ~NOFOLLOW)
        self._opened.add(fd)
        info = os.fstat(fd)
        # The number is not given to another folder while this one is open.
        self._dev, self._ino = info.st_dev, info.st_ino
        return fd

    def _open_file(self, parts: Parts) -> int:
        if not self._is_strict:
            return os.open("/".join(parts), READ_FLAGS & ~NOFOLLOW, dir_fd=self._fd)
        try:
            return self._open_strictly(parts)
        except OSError as error:
            resolved = self._resolve_after(error, parts)
        if not resolved:
            raise forbidden("a link leads to the root folder", Cause.link)
        return self._open_strictly(resolved)

    def _open_strictly(self, parts: Parts) -> int:
        """Opens a file, in as few system calls as possible: each request comes through here."""
        root = folder = self._fd
        try:
            for part in parts[:-1]:
                inner = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
                if folder != root:
                    os.close(folder)
                folder = inner
            return os.open(parts[-1], READ_FLAGS, dir_fd=folder)
        finally:
            if folder != root:
                os.close(folder)

    def _enter(self, parts: Parts, *, create: bool) -> tuple[int, tuple[Parts, ...]]:
        """Opens a folder, and returns the folders that had to be made on the way too."""
        try:
            return self._walk(parts, create=create)
        except OSError as error:
            resolved = self._resolve_after(error, parts)
        return self._walk(resolved, create=create)

    def _walk(self, parts: Parts, *, create: bool) -> tuple[int, tuple[Parts, ...]]:
        made: list[Parts] = []
        folder = os.open(".", _FOLDER_FLAGS, dir_fd=self._fd)
        try:
            for depth, part in enumerate(parts, start=1):
                if create and self._make(folder, part):
                    made.append(parts[:depth])
                inner = self._open_folder(folder, part)
                os.close(folder)
                folder = inner
        except BaseException:
            os.close(folder)
            remove_folders(self, made)
            raise
        return folder, tuple(made)

    def _open_folder(self, folder: int, part: str) -> int:
        how = _FOLDER_FLAGS if self._is_strict else _FOLDER_FLAGS & ~NOFOLLOW
        return os.open(part, how, dir_fd=folder)

    @staticmethod
    def _make(folder: int, part: str) -> bool:
        place = Place(folder, part)
        if place.stat() is not None:
            return False
        with suppress(FileExistsError):
            place.mkdir()
            return True
        return False

    def _resolve_after(self, error: OSError, parts: Parts) -> Parts:
        """Returns the parts without links; raises the error again when no link was the cause."""
        if not self._is_strict or error.errno not in _MAYBE_LINK:
            raise error
        resolved = self._resolve(parts)
        if resolved == parts:
            raise error
        return resolved

    def _resolve(self, parts: Parts) -> Parts:
        """Replaces links by their targets, as long as these are below the root.

        This reads names only. Swapping a link meanwhile gains nothing, since the result is walked
        without following any.
        """
        todo = list(reversed(parts))
        done: list[str] = []
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                if not done:
                    raise forbidden("a link leads out of the root", Cause.link)
                done.pop()
                continue
            target = self._link_target("/".join((*done, part)))
            if target is None:
                done.append(part)
                continue
            links += 1
            if links > MAX_LINKS:
                raise forbidden("links lead to links without end", Cause.link)
            if target.startswith("/"):
                target, done = self._below_root(target), []
            todo.extend(piece for piece in reversed(target.split("/")) if piece not in ("", "."))
        if any(map(is_hidden, done)):
            raise not_found("a link leads to what belongs to the store itself", Cause.link)
        return tuple(done)

    def _link_target(self, name: str) -> str | None:
        try:
            return os.readlink(name, dir_fd=self._fd)
        except OSError:
            return None

    def _below_root(self, target: str) -> str:
        """Returns an absolute target as one that begins at the root."""
        for root in (str(self.path.absolute()), str(self.path.resolve())):
            if target.startswith(root.rstrip("/") + "/"):
                return target[len(root) :]
        raise forbidden("a link leads out of the root", Cause.link)
