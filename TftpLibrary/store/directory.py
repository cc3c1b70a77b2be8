"""A folder as a store: files are read where they lie, uploads take their place in one step."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from math import inf
from pathlib import Path

from TftpLibrary.space import lack_of_room
from TftpLibrary.store.base import (
    Source,
    StoreError,
    WritePolicy,
    changed,
    forbidden,
    full,
    no_file,
    refusal,
    too_large,
)
from TftpLibrary.store.confined import open_root
from TftpLibrary.store.memory import held
from TftpLibrary.store.names import Parts, hidden_name, safe_parts
from TftpLibrary.store.place import Place
from TftpLibrary.store.policy import check_policy, check_target
from TftpLibrary.store.root import Root, missing_folders, remove_folders

HAS_PREADV = hasattr(os, "preadv")
"""Whether the system fills several buffers from a position in one call."""
HAS_WRITEV = hasattr(os, "writev")
"""Whether the system writes several buffers in one call."""
CHECK_SIZE = 1024 * 1024
"""Octets after which a file that is being read is checked for changes."""
MAX_UNSIZED = 16 * 1024 * 1024
"""Octets that are read of a file whose size says 0, and that has content nevertheless."""
_PIECE = 64 * 1024
MAX_BUFFERS = 1024
"""Buffers in one call (IOV_MAX on Linux)."""


Prepare = Callable[[Parts, "tuple[Parts, ...]"], None]
"""Takes the name of the hidden file of an upload, and the new folders that it needs."""

Changing = Callable[[Place, Place], AbstractContextManager[object]]
"""Surrounds the step in which a file takes its place. Arguments: its place, and where it is now."""


def _as_it_comes(*_: object) -> None:
    """Lets an upload begin."""


def _as_it_is(*_: object) -> AbstractContextManager[object]:
    return nullcontext()


class DirectoryStore:
    """Serves the files of one folder, and puts uploads there.

    No name leaves the folder. By default a link is followed as long as every step of it stays
    below the folder; one that leads out is refused. With `follow_symlinks` links are followed
    wherever they lead. Either way an upload never replaces a link or writes through one.

    Only regular files are served: no folder, device, FIFO or socket.
    """

    def __init__(self, root: Path, *, follow_symlinks: bool = False) -> None:
        self.root: Root = open_root(root, follow_symlinks=follow_symlinks)

    def open_read(self, name: bytes, client: str) -> Source:  # noqa: ARG002 - one for all
        """Opens a file for a board."""
        try:
            fd = self.root.open_file(safe_parts(name))
        except OSError as error:
            raise refusal(error) from error
        try:
            source = DirectorySource(fd)
        except BaseException:
            os.close(fd)
            raise
        return source if source.size else _unsized(source, fd)

    def open_write(
        self,
        name: bytes,
        client: str,  # noqa: ARG002 - one folder for all
        policy: WritePolicy,
        size: int | None,
    ) -> DirectorySink:
        """Opens a file for a board's upload."""
        check_policy(policy, size)
        return self.open_sink(safe_parts(name), policy, size)

    def open_sink(
        self,
        parts: Parts,
        policy: WritePolicy,
        size: int | None = None,
        prepare: Prepare = _as_it_comes,
    ) -> DirectorySink:
        """Opens a file for writing; `prepare` is called before anything is made for it.

        Args:
            parts: the name.
            policy: what may be written.
            size: octets of the file, where they are known: the disk must have room for them.
            prepare: see `Prepare`.

        Raises:
            StoreError: as `open_write`.
        """
        self.root.refresh()
        hidden = hidden_name("upload")
        try:
            try:
                with self.root.parent(parts) as place:
                    _check_target(place, policy)
                    self._check_room(place, size)
                    prepare((*parts[:-1], hidden), ())
                    return DirectorySink(self.root, parts, place, policy, hidden)
            except FileNotFoundError:
                if not policy.create:
                    raise
            prepare((*parts[:-1], hidden), missing_folders(self.root, parts))
            with self.root.parent(parts, create=True) as place:
                try:
                    _check_target(place, policy)
                    self._check_room(place, size)
                    return DirectorySink(self.root, parts, place, policy, hidden)
                except BaseException:
                    remove_folders(self.root, place.made)
                    raise
        except OSError as error:
            raise refusal(error) from error

    def _check_room(self, place: Place, size: int | None) -> None:
        if lack := lack_of_room(size, place.folder_path, self.root.path):
            raise full(lack)

    def close(self) -> None:
        """Releases the folder; what is open stays open. Idempotent."""
        self.root.close()


class DirectorySource:
    """A regular file that is open for reading.

    Replacing the file does no harm: the old one stays open. A change in place shows in its size or
    its time of change, and makes reading fail: this is checked now and then while the file is read,
    and always before its end is returned.
    """

    __slots__ = ("_fd", "_stamp", "_unchecked", "identity", "size")

    def __init__(self, fd: int) -> None:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise no_file()
        self._fd = fd
        self._stamp = (info.st_mtime_ns, info.st_size)
        self._unchecked = 0.0
        self.size = info.st_size
        # With the time of the inode's change, since builds that fix st_mtime would look the same.
        self.identity = (
            info.st_dev,
            info.st_ino,
            info.st_mtime_ns,
            info.st_ctime_ns,
            info.st_size,
        )

    def read_into(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Fills the buffers in order with the content from `offset` on."""
        try:
            octets = _read(self._fd, buffers, offset)
            self._unchecked += octets
            if offset + octets >= self.size:
                # From here on each read is checked: blocks that are read again must fit the end.
                self._unchecked = inf
            if self._unchecked >= CHECK_SIZE:
                self._check()
        except OSError as error:
            raise refusal(error) from error
        if offset + octets < self.size and not _is_filled(buffers, octets):
            raise changed()
        return octets

    def close(self) -> None:
        """Releases the file. Idempotent."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _check(self) -> None:
        info = os.fstat(self._fd)
        if (info.st_mtime_ns, info.st_size) != self._stamp:
            raise changed()
        if self._unchecked != inf:
            self._unchecked = 0.0


class DirectorySink:
    """An upload: a hidden file beside its target until `commit` gives it its name.

    It holds one descriptor while octets come. The folder is walked again for `commit`, as
    strictly as the first time.
    """

    def __init__(
        self, root: Root, parts: Parts, place: Place, policy: WritePolicy, hidden: str
    ) -> None:
        self.parts = parts
        self.made = place.made
        self._root = root
        self._policy = policy
        self._hidden = hidden
        self._fd = place.sibling(self._hidden).create()
        self._written = 0
        self._is_open = True

    @property
    def file_id(self) -> tuple[int, int]:
        """Device and inode of the file, while it is written."""
        info = os.fstat(self._fd)
        return info.st_dev, info.st_ino

    def expect(self, size: int) -> None:
        """Looks whether there is room for the whole file."""
        folder = self._root.path.joinpath(*self.parts[:-1])
        if lack := lack_of_room(size, str(folder)):
            raise full(lack)

    def write(self, buffers: Sequence[memoryview | bytes]) -> None:
        """Appends the buffers in order."""
        octets = sum(map(len, buffers))
        limit = self._policy.max_upload_size
        if limit is not None and self._written + octets > limit:
            raise too_large(limit)
        try:
            _write(self._fd, buffers, octets)
        except OSError as error:
            raise refusal(error) from error
        self._written += octets

    def commit(self, changing: Changing = _as_it_is) -> Path:
        """Makes the file visible under its name, in one step, which `changing` surrounds."""
        try:
            self._close_file()
            with self._root.parent(self.parts) as place:
                fresh = place.sibling(self._hidden)
                with changing(place, fresh):
                    if self._policy.overwrite:
                        fresh.replace(place)
                    else:
                        fresh.move(place)
        except OSError as error:
            self.discard()
            raise refusal(error) from error
        except BaseException:
            self.discard()
            raise
        self._is_open = False
        return self._root.path.joinpath(*self.parts)

    def discard(self) -> None:
        """Forgets what was written, and the folders that were made for it. Idempotent."""
        with suppress(OSError):
            self._close_file()
        self.abandon()

    def abandon(self) -> None:
        """As `discard`, but leaves the descriptor to the thread that may be writing to it."""
        if not self._is_open:
            return
        self._is_open = False
        with suppress(OSError, StoreError), self._root.parent(self.parts) as place:
            place.sibling(self._hidden).unlink()
        remove_folders(self._root, self.made)

    def _close_file(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _unsized(source: DirectorySource, fd: int) -> Source:
    """Returns a source whose size is true: what the system makes up, as in `/proc`, has none."""
    data = bytearray()
    try:
        while piece := os.read(fd, _PIECE):
            data += piece
            if len(data) > MAX_UNSIZED:
                raise forbidden(f"its size says 0, and it has more than {MAX_UNSIZED} bytes")
    except BaseException as error:
        source.close()
        if isinstance(error, OSError):
            raise refusal(error) from error
        raise
    if not data:
        return source
    source.close()
    return held(bytes(data))


def _check_target(place: Place, policy: WritePolicy) -> None:
    found = place.stat()
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise no_file()
    check_target(policy, is_there=found is not None)


def _is_filled(buffers: Sequence[memoryview], octets: int) -> bool:
    # Buffers are mostly of one size, and there are many of them: the sum takes longer.
    return octets == len(buffers) * len(buffers[0]) or octets == sum(map(len, buffers))


def _read(fd: int, buffers: Sequence[memoryview], offset: int) -> int:
    if sys.platform == "win32" or not HAS_PREADV:
        return _read_one_by_one(fd, buffers, offset)
    if len(buffers) <= MAX_BUFFERS:
        return os.preadv(fd, buffers, offset)
    done = 0
    for start in range(0, len(buffers), MAX_BUFFERS):
        part = buffers[start : start + MAX_BUFFERS]
        octets = os.preadv(fd, part, offset + done)
        done += octets
        if octets < sum(map(len, part)):
            break
    return done


def _read_one_by_one(fd: int, buffers: Sequence[memoryview], offset: int) -> int:
    os.lseek(fd, offset, os.SEEK_SET)
    done = 0
    for buffer in buffers:
        piece = os.read(fd, len(buffer))
        buffer[: len(piece)] = piece
        done += len(piece)
        if len(piece) < len(buffer):
            break
    return done


def _write(fd: int, buffers: Sequence[memoryview | bytes], octets: int) -> None:
    done = 0
    if sys.platform != "win32" and HAS_WRITEV and len(buffers) <= MAX_BUFFERS:
        done = os.writev(fd, buffers)
    if done == octets:
        return
    rest = memoryview(b"".join(buffers))[done:]
    while rest:
        rest = rest[os.write(fd, rest) :]
