"""Names: turns the name of a request into safe relative parts, or refuses it.

Boards send names with a leading `/`, with backslashes (Windows loaders), in subfolders, and in
any encoding. The parts that leave here always name something below the root: no `..`, no drive
letter, no NUL, and on Windows no stream, device or trailing dot either.

Inside the store a part is `str` as `os.fsdecode` makes it, so that octets which are not UTF-8
survive. Text that leaves the store goes through `text_of`, which has no lone surrogate.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import octets_of_text, printable
from TftpLibrary.store.base import StoreError, forbidden, not_found

Parts = tuple[str, ...]
"""A name below the root, part by part: never empty, never a `..`."""

HIDDEN_PREFIX = ".tftplibrary-"
"""Prefix of the store's own files, which are never served, listed or written by name."""

MAX_NAME = 1024
"""Octets of a whole name. A longer one is not found."""
MAX_PART = 255
"""Octets of one part: what file systems hold."""
MAX_PARTS = 64
"""Parts of a name: an upload cannot make more folders than this."""

_IS_WINDOWS = sys.platform == "win32"
_WINDOWS_ILLEGAL = frozenset('<>:"|?*')
_WINDOWS_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"]
)
_SKIPPED = frozenset(("", "."))


@lru_cache(maxsize=1024)
def safe_parts(octets: bytes) -> Parts:
    """Returns the parts of a requested name. Boards ask for the same names again and again.

    Raises:
        StoreError: code 2 for a name that would leave the root or that names a folder, code 1 for
            one that no file can have.
    """
    if b"\0" in octets:
        raise forbidden("the name holds a NUL", Cause.bad_name)
    if len(octets) > MAX_NAME:
        raise not_found(f"the name has {len(octets)} bytes, more than {MAX_NAME}", Cause.bad_name)
    try:
        raw = os.fsdecode(octets).replace("\\", "/").split("/")
    except UnicodeDecodeError as error:  # On Windows every name is Unicode.
        raise not_found("the name is not UTF-8", Cause.bad_name) from error
    if raw[-1] in _SKIPPED:
        raise forbidden("the name is that of a folder, not of a file", Cause.bad_name)
    parts = tuple([part for part in raw if part not in _SKIPPED])
    _check(parts, len(octets))
    return parts


def local_parts(name: str) -> Parts:
    """Returns the parts of a name that the author of a test wrote.

    Raises:
        UsageError: no file in the store can have that name.
    """
    try:
        return safe_parts(octets_of_text(name))
    except UnicodeEncodeError as error:
        reason = f"{error.reason} at character {error.start + 1}"
    except StoreError as error:
        reason = str(error)
    raise UsageError(
        f"'{_shown(name)}' cannot be the name of a file in the store: {reason}. "
        "Expected a name below the root, such as 'zImage' or 'boot/zImage'."
    )


def fetched_path(name: str, destination: Path) -> Path:
    """Returns where a file from another server goes on this machine.

    Args:
        name: the name under which it was asked for.
        destination: the path of the file, or an existing folder, where the file gets the last part
            of its name.

    Raises:
        UsageError: the destination is a folder, and the name has no last part for the file.
    """
    try:
        is_folder = destination.is_dir()
    except OSError:
        # A path that cannot be looked at. Writing to it says why.
        is_folder = False
    if not is_folder:
        return destination
    try:
        octets = octets_of_text(name).replace(b"\\", b"/")
    except UnicodeEncodeError:
        octets = b""
    last = readable_name(octets.rpartition(b"/")[2])
    if not last.strip("."):
        raise UsageError(
            f"'{_shown(name)}' does not end with the name of a file. Give the path of the file to "
            f"write, not only the folder '{destination}'."
        )
    return destination / last


def text_of(parts: Parts) -> str:
    """Returns a name for people: `/` between the parts, and no character that breaks a log."""
    return printable(os.fsencode("/".join(parts)))


def readable_name(octets: bytes) -> str:
    r"""Returns what a file is called in a folder of this machine: always a text.

    The backslash of each ``\xNN`` would separate folders on Windows, so it becomes `_`.
    """
    return printable(octets).replace("\\", "_")


def octets_of(parts: Parts) -> bytes:
    """Returns a name as a request would carry it."""
    return os.fsencode("/".join(parts))


def is_hidden(part: str) -> bool:
    """Whether a part belongs to the store itself. Some file systems ignore case."""
    return part[:1] == "." and part.lower().startswith(HIDDEN_PREFIX)


def hidden_name(purpose: str) -> str:
    """Returns a new name that no request can reach."""
    return f"{HIDDEN_PREFIX}{purpose}-{os.urandom(8).hex()}"


def _shown(name: str) -> str:
    """Returns a name that a test wrote, for a message."""
    return printable(name.encode("utf-8", "backslashreplace"))


def _check(parts: Parts, octets: int) -> None:
    if ".." in parts:
        raise forbidden("the name holds '..'", Cause.bad_name)
    first = parts[0]
    if first[1:2] == ":" and first[0].isascii() and first[0].isalpha():
        raise forbidden("the name begins with a drive letter", Cause.bad_name)
    if len(parts) > MAX_PARTS:
        raise not_found(f"the name has {len(parts)} parts, more than {MAX_PARTS}", Cause.bad_name)
    if octets > MAX_PART and any(len(os.fsencode(part)) > MAX_PART for part in parts):
        raise not_found(f"a part of the name has more than {MAX_PART} bytes", Cause.bad_name)
    if any(map(is_hidden, parts)):
        raise not_found(f"names with '{HIDDEN_PREFIX}' belong to the store itself", Cause.bad_name)
    if _IS_WINDOWS and any(map(_is_illegal_on_windows, parts)):
        raise forbidden("Windows gives the name a meaning of its own", Cause.bad_name)


def _is_illegal_on_windows(part: str) -> bool:
    """Whether Windows would open something else: a stream, a device, a name without its dot."""
    stem = part.split(".", 1)[0].rstrip(" ").lower()
    return (
        part[-1] in ". "
        or stem in _WINDOWS_DEVICES
        or not _WINDOWS_ILLEGAL.isdisjoint(part)
        or any(char < " " for char in part)
    )
