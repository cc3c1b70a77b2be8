"""Content that leaves a store, or another host, for a file of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from TftpLibrary.errors import UsageError
from TftpLibrary.space import lack_of_room
from TftpLibrary.store.base import Sink, Source, StoreError, WritePolicy
from TftpLibrary.store.digests import Chunks
from TftpLibrary.store.directory import DirectoryStore
from TftpLibrary.store.names import hidden_name, readable_name

_ANY_WRITE = WritePolicy(writable=True, create=True, overwrite=True)


def saved(destination: Path, part: str, size: int | None, chunks: Chunks) -> Path:
    """Writes content to a file, in one step, and returns its path.

    Args:
        destination: a path, or an existing folder. Missing folders are made.
        part: the name in a folder, as `os.fsdecode` makes it.
        size: octets of the content, where they are known.
        chunks: the content.

    Raises:
        UsageError: the destination cannot be written.
    """
    target = destination / readable_name(os.fsencode(part)) if destination.is_dir() else destination
    partial = target.with_name(hidden_name("download"))
    try:
        if target.exists() and not target.is_file():
            raise OSError("it is a device, FIFO or socket")
        target.parent.mkdir(parents=True, exist_ok=True)
        if lack := lack_of_room(size, str(target.parent)):
            raise OSError(lack)
        with partial.open("xb") as stream:
            for chunk in chunks:
                stream.write(chunk)
        partial.replace(target)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"Cannot write '{target}': {reason}.") from error
    finally:
        with suppress(OSError):
            partial.unlink()
    return target


@contextmanager
def local_sink(path: Path) -> Iterator[Sink]:
    """Opens a file of this machine that a client is about to fetch; `commit` makes it visible.

    Raises:
        UsageError: it cannot be written.
    """
    store = DirectoryStore(_folder_of(path), follow_symlinks=True)
    try:
        try:
            sink = store.open_write(os.fsencode(path.name), "", _ANY_WRITE, None)
        except StoreError as error:
            raise UsageError(f"Cannot write '{path}': {error}.") from error
        try:
            yield sink
        finally:
            sink.discard()
    finally:
        store.close()


@contextmanager
def local_source(path: Path) -> Iterator[Source]:
    """Opens a file of this machine that a client sends.

    Raises:
        UsageError: it cannot be read.
    """
    store = DirectoryStore(_folder_of(path), follow_symlinks=True)
    try:
        try:
            source = store.open_read(os.fsencode(path.name), "")
        except StoreError as error:
            raise UsageError(f"Cannot read '{path}': {error}.") from error
        try:
            yield source
        finally:
            source.close()
    finally:
        store.close()


def _folder_of(path: Path) -> Path:
    folder = path.parent
    if not folder.is_dir():
        raise UsageError(f"There is no folder '{folder}' for '{path}'. Make it first.")
    return folder
