"""Shared by the tests of stores: reading to the end, looking at folders, a small disk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import Sink, Source, Store, StoreError, WritePolicy

WRITABLE = WritePolicy(writable=True)
OVERWRITING = WritePolicy(writable=True, overwrite=True)

BOARD = "192.168.1.50"

ordinary_user = pytest.mark.ordinary_user
"""Marks a test of permissions. Root, who may do everything, becomes `nobody` for it."""

posix_only = pytest.mark.skipif(os.name != "posix", reason="needs descriptors of folders")


def content_of(source: Source, *, piece: int = 1000) -> bytes:
    """Reads a source to its end, and closes it."""
    with closing(source):
        data = b""
        while True:
            buffers = [bytearray(piece), bytearray(3)]
            octets = source.read_into([memoryview(buffer) for buffer in buffers], len(data))
            data += b"".join(buffers)[:octets]
            if octets < piece + 3:
                return data


def read(store: Store, name: bytes, client: str = BOARD) -> bytes:
    """Reads a file as a board does."""
    return content_of(store.open_read(name, client))


def write(store: Store, name: bytes, data: bytes, policy: WritePolicy = WRITABLE) -> Path | None:
    """Uploads a file as a board does."""
    sink: Sink = store.open_write(name, BOARD, policy, len(data))
    try:
        sink.write([data[:1], memoryview(data)[1:]])
        return sink.commit()
    finally:
        sink.discard()


@contextmanager
def refused(code: ErrorCode, detail: str = "") -> Iterator[pytest.ExceptionInfo[StoreError]]:
    """Expects a refusal with that code, whose detail matches."""
    with pytest.raises(StoreError, match=detail or None) as caught:
        yield caught
    assert caught.value.code is code


def snapshot(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Returns all that lies below a folder, hidden files too: content, time, inode."""
    return {
        path.relative_to(folder).as_posix(): (
            path.read_bytes() if path.is_file() else b"",
            path.lstat().st_mtime_ns if path.is_file() else 0,
            path.lstat().st_ino,
        )
        for path in folder.rglob("*")
    }


def names_in(folder: Path) -> set[str]:
    """Returns the relative names of all that lies below a folder, hidden files too."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def descriptors() -> set[tuple[int, int, int]]:
    """Returns the open descriptors of this process, each with device and inode."""
    found = set()
    listing = Path("/dev/fd")  # Linux and macOS have it.
    for path in listing.iterdir() if listing.is_dir() else ():
        with suppress(OSError):  # The descriptor of the listing itself, which is closed by now.
            info = os.fstat(int(path.name))
            found.add((int(path.name), info.st_dev, info.st_ino))
    return found


@contextmanager
def small_disk(folder: Path, size: int = 256 * 1024) -> Iterator[Path]:
    """A file system of that size, which only root can mount; else the test is skipped."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    with suppress(FileNotFoundError):
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            try:
                yield folder
            finally:
                subprocess.run(["umount", "-l", str(folder)], check=True)
            return
    pytest.skip("a small file system cannot be mounted here")


def make_fifo(path: Path) -> None:
    """Makes a FIFO, in a test that is for POSIX only."""
    if sys.platform == "win32":
        raise NotImplementedError
    os.mkfifo(path)
