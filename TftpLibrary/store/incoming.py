"""The sources of uploads: paths on this machine, and URLs.

A `file://` URL is a path too; `web.py` opens the others, and is only imported for them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from TftpLibrary.errors import UsageError
from TftpLibrary.store.advice import existing_folder
from TftpLibrary.store.digests import CHUNK, Digests, digests_of_all
from TftpLibrary.store.names import is_hidden, local_parts

IS_WINDOWS = os.name == "nt"

Progress = Callable[[int, "int | None"], None]
"""Called with the octets so far, and with the size of the file if it is known."""


class Incoming(Protocol):
    """A file that is about to be uploaded.

    Attributes:
        label: its name in messages, without a password.
        name: the last part of its path or URL.
        size: octets, where they are known beforehand.
    """

    label: str
    name: str
    size: int | None

    def chunks(self) -> Iterator[bytes]:
        """Yields the content in order.

        Raises:
            UsageError: it broke off, or was changed while it was read.
        """

    def digests(self) -> Digests | None:
        """Returns the checksums of the content; None where it cannot be read twice."""

    def close(self) -> None:
        """Releases it. Idempotent."""


def open_source(source: str | Path) -> Incoming:
    """Opens the source of an upload.

    Raises:
        UsageError: it is not there, is no regular file, or its URL was refused.
    """
    if isinstance(source, Path) or "://" not in source:
        return LocalFile(Path(source))
    if source[:7].lower() == "file://":
        return LocalFile(_path_of(source))
    # Loading the web's modules takes longer than all the rest of the library.
    from TftpLibrary.store.web import open_url  # noqa: PLC0415

    return open_url(source)


def name_for(incoming: Incoming, name: str) -> str:
    """Returns the name for boards: the one that was given, or that of the source.

    Raises:
        UsageError: there is neither.
    """
    if not (name or incoming.name):
        raise UsageError(f"{incoming.label} has no file name. Give a name.")
    return name or incoming.name


def chosen_below(source: str | Path, name: str, pattern: str) -> list[tuple[Path, str]]:
    """Returns the files below a folder whose relative names match, with their names in the store.

    Args:
        source: the folder.
        name: the folder in the store; its root by default.
        pattern: a glob; `*` also matches `/`.

    Raises:
        UsageError: there is no such folder, or no file in it matches.
    """
    folder = existing_folder(Path(source), "The source")
    names = {path: path.relative_to(folder).as_posix() for path in files_below(folder)}
    prefix = "/".join(local_parts(name)) + "/" if name else ""
    chosen = [(path, prefix + own) for path, own in names.items() if fnmatchcase(own, pattern)]
    if not chosen:
        raise UsageError(f"No file in '{folder}' matches '{pattern}'. Files there: {len(names)}.")
    return chosen


def files_below(folder: Path) -> list[Path]:
    """Returns the regular files below a folder, sorted, through links too, but not in circles.

    Raises:
        UsageError: a folder cannot be read.
    """
    return list(_files_below(folder, ()))


def _files_below(folder: Path, above: tuple[os.stat_result, ...]) -> Iterator[Path]:
    try:
        here = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(f"The folder '{folder}' cannot be read: {error.strerror}.") from error
    if any(os.path.samestat(here, info) for info in above):
        return
    for entry in entries:
        if is_hidden(entry.name):
            continue
        if entry.is_dir():
            yield from _files_below(Path(entry.path), (*above, here))
        elif entry.is_file():
            yield Path(entry.path)


def counted(incoming: Incoming, progress: Progress | None) -> Iterator[bytes]:
    """Yields the content, and reports each piece after it was taken."""
    octets = 0
    for chunk in incoming.chunks():
        yield chunk
        octets += len(chunk)
        if progress is not None:
            progress(octets, incoming.size)


class LocalFile:
    """A regular file on this machine."""

    def __init__(self, path: Path) -> None:
        self.label = f"'{path}'"
        self.name = path.name
        self._path = path
        try:
            self._stamp = self._check(path.stat())
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error
        self.size: int | None = self._stamp[1]

    def chunks(self) -> Iterator[bytes]:
        """Yields the content in order."""
        try:
            stream = self._path.open("rb", buffering=0)
        except OSError as error:
            raise self._unreadable(error) from error
        with stream:
            stamps = {self._stamp, self._check(os.fstat(stream.fileno()))}
            while chunk := self._read(stream.read):
                yield chunk
            stamps.add(self._check(os.fstat(stream.fileno())))
        if len(stamps) > 1:
            raise UsageError(
                f"{self.label} changed while it was read. Upload it when it is complete."
            )

    def digests(self) -> Digests:
        """Reads the file for its checksums."""
        return digests_of_all(self.chunks())

    def close(self) -> None:
        """Does nothing: the file is open only while it is read."""

    def _read(self, read: Callable[[int], bytes]) -> bytes:
        try:
            return read(CHUNK)
        except OSError as error:
            raise self._unreadable(error) from error

    def _check(self, info: os.stat_result) -> tuple[int, int]:
        if stat.S_ISDIR(info.st_mode):
            raise UsageError(
                f"{self.label} is a folder. Expected a file. To upload all files in it: "
                f"Upload Folder    {self._path}"
            )
        if not stat.S_ISREG(info.st_mode):
            raise UsageError(f"{self.label} is a device, FIFO or socket. Expected a regular file.")
        return info.st_mtime_ns, info.st_size

    def _unreadable(self, error: Exception) -> UsageError:
        if isinstance(error, FileNotFoundError):
            where = "" if self._path.is_absolute() else f" in '{Path.cwd()}'"
            what = _several(self._path) or "Expected a file or URL to upload."
            return UsageError(f"No file {self.label}{where}. {what}")
        reason = getattr(error, "strerror", None) or error
        return UsageError(f"{self.label} cannot be read: {reason}.")


def _several(path: Path) -> str:
    """Returns what to write where a path looks like a glob for several files."""
    parts = path.parts
    first = next((place for place, part in enumerate(parts) if {*"*?"} & {*part}), None)
    if first is None:
        return ""
    pattern = "/".join(parts[first:])
    return (
        "Expected one file, got a pattern. To upload all files that match: "
        f"Upload Folder    {Path(*parts[:first])}    pattern={pattern}"
    )


def _path_of(url: str) -> Path:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise UsageError(
            f"'{url}' names the host '{parts.netloc}'. Expected file:///path on this machine."
        )
    path = unquote(parts.path)
    # file:///C:/x is C:/x on Windows.
    return Path(path[1:] if IS_WINDOWS else path)
