"""How one original is kept under a hidden name beside its place, and how it is put back.

An original gets a second name: no copy, and nothing is lost if the program is killed. A file that
others changed meanwhile is left alone, and the warning says where the original lies.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import NamedTuple

from TftpLibrary.store.digests import CHUNK
from TftpLibrary.store.place import Place

Stamp = tuple[int, int, int]
"""Inode, size and time of the last change; no device, since its number may change at a boot."""

_PART = "-part"


class Change(NamedTuple):
    """A name that is not as it was.

    Attributes:
        kept: the hidden name of the original; empty when nothing lay there.
        ours: stamps of the files that the store put there; empty when it removed the file.
    """

    kept: str = ""
    ours: tuple[Stamp, ...] = ()


def stamp_of(place: Place) -> Stamp | None:
    """Returns the stamp of the file that lies there; None if there is none."""
    found = place.stat()
    return None if found is None else (found.st_ino, found.st_size, found.st_mtime_ns)


def keep(place: Place, kept: str) -> None:
    """Keeps a file that is about to be replaced under a hidden name.

    Raises:
        OSError: it cannot be kept, so it must not be replaced.
    """
    if not place.link(place.sibling(kept)):
        _copy(place, place.sibling(kept + _PART))
        # A copy gets its name only when it is complete.
        place.sibling(kept + _PART).replace(place.sibling(kept))


def put_back(place: Place, change: Change, name: str) -> str:
    """Restores a name as it was before the change. Returns a warning if that is not possible.

    Raises:
        OSError: the system refuses.
    """
    found = stamp_of(place)
    is_ours = found in change.ours
    if not change.kept:
        if is_ours:
            place.unlink()
        return "" if found is None or is_ours else _changed(name)
    kept = place.sibling(change.kept)
    if kept.stat() is None:
        return f"'{name}' cannot be put back: its original is not beside it any more."
    if found is None or is_ours:
        kept.replace(place)
    elif is_same(place, kept):
        kept.unlink()
    else:
        return f"{_changed(name)} Its original is kept beside it as '{change.kept}'."
    return ""


def clear_partial(place: Place, change: Change) -> None:
    """Removes an unfinished copy."""
    if change.kept:
        with suppress(FileNotFoundError):
            place.sibling(change.kept + _PART).unlink()


def is_same(place: Place, kept: Place) -> bool:
    """Whether the original still lies in its place: the same file, or the copy's own original."""
    here, there = place.stat(), kept.stat()
    if here is None or there is None:
        return False
    if os.path.samestat(here, there):
        return True
    if (here.st_size, here.st_mtime_ns) != (there.st_size, there.st_mtime_ns):
        return False
    return stat.S_ISREG(here.st_mode) and _have_equal_content(place, kept)


def _changed(name: str) -> str:
    return f"'{name}' was changed by another program: left as it is."


def _have_equal_content(place: Place, kept: Place) -> bool:
    with os.fdopen(place.open(), "rb") as here, os.fdopen(kept.open(), "rb") as there:
        while (data := here.read(CHUNK)) == there.read(CHUNK):
            if not data:
                return True
    return False


def _copy(place: Place, target: Place) -> None:
    """Copies a file where it cannot get a second name."""
    source = place.open()
    try:
        info = os.fstat(source)
        fd = target.create()
        try:
            while data := os.read(source, CHUNK):
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(fd, rest) :]
            if hasattr(os, "fchmod"):
                os.fchmod(fd, stat.S_IMODE(info.st_mode))
            if os.utime in os.supports_fd:
                os.utime(fd, ns=(info.st_atime_ns, info.st_mtime_ns))
        except BaseException:
            target.unlink()
            raise
        finally:
            os.close(fd)
    finally:
        os.close(source)
