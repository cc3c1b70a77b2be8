"""The interface of a store: sources to read from, sinks to write to, and refusals with a code.

Every refusal that a peer can get is made here, so that each reason has one code and one text.

A store is asked by the engine's thread (`open_read`, `open_write`, the data) and by the caller's
thread (everything else). Each change is one atomic rename or one assignment; the only lock is in
`originals.py`, for a change that has to keep the file that it replaces.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from TftpLibrary.errors import TftpError
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import ErrorCode

_MISSING = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL))
_FORBIDDEN = frozenset(
    (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.ETXTBSY, errno.EISDIR)
)
# The errors of a strict opening for links, and those of devices and sockets.
_NO_FILE = frozenset((errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP))
_FULL = frozenset(
    getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name)
)


class StoreError(TftpError):
    """The store refuses. The peer gets `code` and `public`, never the text of the exception.

    Attributes:
        code: the TFTP error code (RFC 1350, section 5).
        public: a short English text without local paths, for the ERROR packet.
        cause: the reason as a value; None where it has no name.
    """

    def __init__(
        self, code: ErrorCode, public: str, detail: str = "", cause: Cause | None = None
    ) -> None:
        super().__init__(detail or public)
        self.cause = cause
        self.code = code
        self.public = public


class StoredFile(NamedTuple):
    r"""A file in the store of a TFTP server.

    Attributes:
        name: the name under which boards ask for it, with `/` as separator.
        size: bytes.
        sha256: hexadecimal digest of the content.
        crc32: eight hexadecimal digits, as U-Boot's `crc32` prints them.
        path: where it lies on this machine; None for content that is held in memory. Where the name
            has bytes that are no text, keywords return the path in a readable form, with `\xff` for
            such a byte: no other program can open that one. `Save TFTP File` copies the file.
        uploaded: False when identical content was already there and nothing was copied.
    """

    name: str
    size: int
    sha256: str
    crc32: str
    path: Path | None
    uploaded: bool = True


class Source(Protocol):
    """Content that is open for reading; it does not change once it is open."""

    @property
    def size(self) -> int:
        """Octets of the content."""

    @property
    def identity(self) -> Hashable:
        """Equal for two sources exactly if their content is the same; a key for caches."""

    def read_into(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Fills the buffers in order with the content from `offset` on.

        Returns:
            The number of octets read: fewer than the buffers hold only at the end of the content.

        Raises:
            StoreError: the content changed in place since it was opened, or cannot be read.
        """

    def close(self) -> None:
        """Releases the source. Idempotent."""


class Sink(Protocol):
    """A file that is being received; invisible until `commit`."""

    def expect(self, size: int) -> None:
        """Looks whether there is room for the whole file.

        Raises:
            StoreError: code 3 when there is none; the text has both numbers.
        """

    def write(self, buffers: Sequence[memoryview | bytes]) -> None:
        """Appends the buffers in order.

        Raises:
            StoreError: code 3 when the disk is full or the size limit is passed.
        """

    def commit(self) -> Path | None:
        """Makes the file visible under its name, in one step.

        Returns:
            Its path on this machine; None for memory.

        Raises:
            StoreError: the file cannot take its place (code 6 if another one came there meanwhile).
        """

    def discard(self) -> None:
        """Forgets what was written. Idempotent, and without effect after `commit`."""


class WritePolicy(NamedTuple):
    """The permissions of boards to write.

    Attributes:
        writable: False refuses every WRQ with ERROR 2.
        create: whether a name that does not exist may be written; else ERROR 1.
        overwrite: whether a file that exists may be replaced; else ERROR 6.
        max_upload_size: octets of one upload; None is no limit. More is ERROR 3.
    """

    writable: bool = False
    create: bool = True
    overwrite: bool = False
    max_upload_size: int | None = None


class Store(Protocol):
    """The place where a server finds files for boards, and puts files from boards.

    `name` is the octets of the request, as they came. `client` is the peer's address as text.
    """

    def open_read(self, name: bytes, client: str) -> Source:
        """Opens a file for a board.

        Raises:
            StoreError: code 1 (not found) or 2 (not allowed); 0 when this machine cannot read it
                now (an I/O error, no descriptor left). Never another exception.
        """

    def open_write(self, name: bytes, client: str, policy: WritePolicy, size: int | None) -> Sink:
        """Opens a file for a board's upload; `size` is its tsize, if it announced one.

        Raises:
            StoreError: code 1, 2, 3 or 6, and 0 as in `open_read`. Never another exception.
        """


def not_found(detail: str, cause: Cause = Cause.missing) -> StoreError:
    """The refusal of a file that is not there."""
    return StoreError(ErrorCode.file_not_found, "File not found", detail, cause)


def forbidden(detail: str, cause: Cause = Cause.forbidden) -> StoreError:
    """The refusal of a name that a peer may not use, whether or not a file is there."""
    return StoreError(ErrorCode.access_violation, "Access violation", detail, cause)


def no_file() -> StoreError:
    """The refusal of a folder, a device, a FIFO or a socket."""
    return forbidden("what lies there is not a regular file", Cause.no_file)


def exists(detail: str = "") -> StoreError:
    """The refusal of a file that would be replaced without permission."""
    return StoreError(ErrorCode.file_exists, "File already exists", detail, Cause.exists)


def too_large(limit: int) -> StoreError:
    """The refusal of more octets than an upload may have."""
    detail = f"an upload may have {limit:,} bytes at most"
    return StoreError(ErrorCode.disk_full, "Upload too large", detail, Cause.too_large)


def full(detail: str) -> StoreError:
    """The refusal of what the disk has no room for."""
    return StoreError(
        ErrorCode.disk_full, "Disk full or allocation exceeded", detail, Cause.disk_full
    )


def changed() -> StoreError:
    """The refusal to go on with a file that changed after it was opened."""
    return StoreError(ErrorCode.not_defined, "File changed while it was read")


def refusal(error: OSError) -> StoreError:
    """Returns the refusal for an error of the system."""
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    if error.errno in _MISSING:
        return not_found(reason)
    if error.errno == errno.EEXIST:
        return exists(reason)
    if error.errno in _FULL:
        return full(reason)
    if error.errno in _FORBIDDEN:
        return forbidden(reason)
    if error.errno in _NO_FILE:
        return no_file()
    return StoreError(ErrorCode.not_defined, "The server cannot use the file now", reason)
