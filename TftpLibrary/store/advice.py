"""Advice for the author of a test when the store refuses: the cause, and the way out."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.packets import ErrorCode, printable
from TftpLibrary.store.base import StoreError
from TftpLibrary.store.names import Parts, text_of

SHOWN = 20
"""Names that a message lists at most."""


@contextmanager
def explained(parts: Parts) -> Iterator[None]:
    """Converts a StoreError into an error message that names the file.

    Raises:
        UsageError: the test asked for something impossible.
        StoreError: the disk is full, or fails.
    """
    name = text_of(parts)
    try:
        yield
    except StoreError as error:
        if error.code == ErrorCode.file_exists:
            raise UsageError(
                f"File '{name}' exists already. Use overwrite=True to replace it, or another name."
            ) from error
        if error.code == ErrorCode.file_not_found:
            raise UsageError(f"No file '{name}': {error}.") from error
        if error.code == ErrorCode.access_violation:
            raise UsageError(f"Cannot use '{name}': {error}.") from error
        raise StoreError(
            error.code, error.public, f"Cannot use '{name}': {error}. Nothing was changed."
        ) from error


def missing(name: str, names: Collection[str], client: str = "") -> UsageError:
    """The error of a file that is not there; it lists those that are, the nearest first."""
    shown = printable(name.encode("utf-8", "backslashreplace"))
    whose = f" for {client}" if client else ""
    if not names:
        return UsageError(f"No file '{shown}'{whose}. There are no files{whose}.")
    listed = sorted(names)
    if len(listed) > SHOWN:
        from difflib import get_close_matches  # noqa: PLC0415 - for an error only

        near = get_close_matches(name, listed, n=SHOWN, cutoff=0.5)
        listed = near + [other for other in listed if other not in set(near)]
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return UsageError(f"No file '{shown}'{whose}. Files: {', '.join(listed[:SHOWN])}{more}.")


def existing_folder(path: Path, what: str) -> Path:
    """Returns the absolute path of a folder that can be read.

    Raises:
        UsageError: it does not exist, is no folder, or cannot be read.
    """
    if not path.exists():
        raise UsageError(f"{what} '{path}' does not exist. Expected a folder: create it first.")
    if not path.is_dir():
        raise UsageError(f"{what} '{path}' is a file. Expected a folder.")
    if not os.access(path, os.R_OK | os.X_OK):
        raise UsageError(
            f"{what} '{path}' cannot be read: permission denied. Allow it to this user."
        )
    return path.absolute()
