"""The root folder of a store: the one way to the files below it, whatever the system can do.

`confined.py` has the root for systems that open relative to a folder's descriptor, `resolved.py`
the one for all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Protocol

from TftpLibrary.store.base import StoreError
from TftpLibrary.store.names import Parts
from TftpLibrary.store.place import Place


class Root(Protocol):
    """The root folder: the one way to the files below it."""

    path: Path

    def open_file(self, parts: Parts) -> int:
        """Opens for reading; the caller checks that it is a regular file.

        Raises:
            OSError: the error of the system.
            StoreError: a link leads out of the root.
        """

    def parent(self, parts: Parts, *, create: bool = False) -> AbstractContextManager[Place]:
        """A context in which the folder of a name is open; `create` makes missing folders."""

    def refresh(self) -> bool:
        """Opens the root again when another folder took its path. Returns whether it did."""

    def close(self) -> None:
        """Releases the root. Idempotent."""


def remove_folders(root: Root, made: Sequence[Parts]) -> list[Parts]:
    """Removes folders that were made, innermost first. Returns those that are not empty."""
    return [parts for parts in reversed(made) if not _remove_folder(root, parts)]


def _remove_folder(root: Root, parts: Parts) -> bool:
    try:
        with root.parent(parts) as place:
            place.rmdir()
    except FileNotFoundError:
        return True
    except (OSError, StoreError):
        return False
    return True


def missing_folders(root: Root, parts: Parts) -> tuple[Parts, ...]:
    """Returns the folders that a name needs and that are not there, outermost first.

    Folders behind a link whose target is missing are not foreseen.

    Raises:
        OSError: the error of the system.
        StoreError: a link leads out of the root.
    """
    with suppress(FileNotFoundError):
        for depth in range(1, len(parts)):
            with root.parent(parts[:depth]) as place:
                if place.stat() is None:
                    return tuple(parts[:inner] for inner in range(depth, len(parts)))
    return ()
