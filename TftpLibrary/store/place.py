"""A name in an open folder, and the operations on it.

Every operation acts in the folder that is open, wherever its path leads by now. On systems that
cannot do so the name is a whole path and the folder None: the same calls serve both.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NamedTuple

from TftpLibrary.store.names import Parts

_NO_HARD_LINKS = frozenset(
    (errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV)
)


def flags(*names: str) -> int:
    """Returns the flags of `os.open` that this system has, together."""
    value = 0
    for name in names:
        value |= getattr(os, name, 0)
    return value


NOFOLLOW = flags("O_NOFOLLOW")
# O_NONBLOCK: opening a FIFO must not wait for its writer. It means nothing to a regular file.
READ_FLAGS = os.O_RDONLY | flags("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY") | NOFOLLOW
_APPEND_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | flags("O_CLOEXEC", "O_BINARY") | NOFOLLOW
_CREATE_FLAGS = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | flags("O_NOCTTY", "O_CLOEXEC", "O_BINARY") | NOFOLLOW
)


class Place(NamedTuple):
    """A name in an open folder, whether or not something lies there.

    Attributes:
        folder: the folder's descriptor; None where `name` is a whole path (the fall-back).
        name: the last part, or the whole path.
        made: the folders that were made to get here, outermost first.
    """

    folder: int | None
    name: str
    made: tuple[Parts, ...] = ()

    @property
    def folder_path(self) -> int | str:
        """The folder: its descriptor, or its path."""
        return str(Path(self.name).parent) if self.folder is None else self.folder

    def sibling(self, name: str) -> Place:
        """Returns another name in the same folder."""
        if self.folder is None:
            name = str(Path(self.name).with_name(name))
        return Place(self.folder, name)

    def stat(self) -> os.stat_result | None:
        """Returns the status of the file here, of a link that of the link itself; or None."""
        try:
            return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def identity(self) -> tuple[int, int, str]:
        """Returns folder and name, equal for two places exactly if they are the same place."""
        if self.folder is not None:
            info = os.fstat(self.folder)
            return info.st_dev, info.st_ino, self.name
        path = Path(self.name)
        info = path.parent.stat()
        return info.st_dev, info.st_ino, path.name

    def open(self) -> int:
        """Opens what lies here for reading."""
        return os.open(self.name, READ_FLAGS, dir_fd=self.folder)

    def create(self) -> int:
        """Opens a new file for writing; fails when something is there."""
        return os.open(self.name, _CREATE_FLAGS, 0o666, dir_fd=self.folder)

    def append(self) -> int:
        """Opens what lies here, or a new file, for reading and for appending."""
        return os.open(self.name, _APPEND_FLAGS, 0o666, dir_fd=self.folder)

    def unlink(self) -> None:
        """Removes what lies here."""
        os.unlink(self.name, dir_fd=self.folder)

    def rmdir(self) -> None:
        """Removes the empty folder that lies here."""
        os.rmdir(self.name, dir_fd=self.folder)

    def mkdir(self) -> None:
        """Makes a folder here."""
        os.mkdir(self.name, dir_fd=self.folder)

    def replace(self, other: Place) -> None:
        """Moves what lies here over what lies at the other place, in one step."""
        os.replace(self.name, other.name, src_dir_fd=self.folder, dst_dir_fd=other.folder)
        # POSIX leaves both names when they are names of one file already.
        here, there = self.stat(), other.stat()
        if here is not None and there is not None and os.path.samestat(here, there):
            self.unlink()

    def move(self, other: Place) -> None:
        """Moves what lies here to a free place.

        Raises:
            FileExistsError: something is there; it stays as it is.
        """
        if self.link(other):
            self.unlink()
            return
        # No hard links (FAT, some network shares): only another program could come between the
        # next two lines. Windows itself refuses to rename over a file.
        if other.stat() is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        os.rename(self.name, other.name, src_dir_fd=self.folder, dst_dir_fd=other.folder)

    def link(self, other: Place) -> bool:
        """Gives the file a second name. Returns False where the file system has no hard links."""
        try:
            os.link(
                self.name,
                other.name,
                src_dir_fd=self.folder,
                dst_dir_fd=other.folder,
                follow_symlinks=os.link not in os.supports_follow_symlinks,
            )
        except (AttributeError, NotImplementedError):
            return False
        except OSError as error:
            if error.errno in _NO_HARD_LINKS:
                return False
            raise
        return True
