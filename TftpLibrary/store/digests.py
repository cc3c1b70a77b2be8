"""Checksums of content: those that identify a file, and those that boot loaders print."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Iterable, Iterator
from contextlib import closing
from typing import NamedTuple

from TftpLibrary.errors import UsageError
from TftpLibrary.store.base import Source

CHUNK = 1024 * 1024
"""Octets that are read or copied at a time."""

MOST_HASHED = 64 * CHUNK
"""Most octets of a content that is read only for its checksum."""

MOST_CHECKSUMS = 1000
"""Most checksums that are remembered for contents that were read only for them."""

Chunks = Iterable[bytes | memoryview]
"""Content in order; a piece is valid until the next is taken."""


class Digests(NamedTuple):
    """The size and the checksums of a content.

    Attributes:
        size: octets.
        sha256: hexadecimal digest.
        crc32: eight hexadecimal digits, as U-Boot's `crc32` prints them.
    """

    size: int
    sha256: str
    crc32: str


class Digester:
    """Takes content piece by piece."""

    def __init__(self) -> None:
        from hashlib import sha256  # noqa: PLC0415 - it loads all of OpenSSL

        self._size = 0
        self._sha256 = sha256()
        self._crc32 = 0

    def update(self, data: bytes | memoryview) -> None:
        """Takes the next piece."""
        self._size += len(data)
        self._sha256.update(data)
        self._crc32 = zlib.crc32(data, self._crc32)

    def finish(self) -> Digests:
        """Returns the digests of all that came."""
        return Digests(self._size, self._sha256.hexdigest(), f"{self._crc32:08x}")


def digests_of(source: Source) -> Digests:
    """Reads a source to its end, and closes it."""
    return digests_of_all(pieces(source))


def digests_of_all(chunks: Chunks) -> Digests:
    """Reads content to its end."""
    digester = Digester()
    for chunk in chunks:
        digester.update(chunk)
    return digester.finish()


class Checksums:
    """Remembers the checksums of contents that were read for nothing else."""

    def __init__(self) -> None:
        self._known: dict[Hashable, str] = {}

    def sha256(self, source: Source) -> str:
        """Returns the checksum of a source; empty for a large one, which it does not read."""
        known = self._known.get(source.identity, "")
        if not known and source.size <= MOST_HASHED:
            if len(self._known) >= MOST_CHECKSUMS:
                self._known.clear()
            known = self._known[source.identity] = digests_of(source).sha256
        return known


def checksum(source: Source, algorithm: str) -> str:
    """Reads a source to its end, and closes it.

    Args:
        source: the content.
        algorithm: `crc32`, or a name that `hashlib` knows, in any case and with or without `-`.

    Raises:
        UsageError: there is no such algorithm.
    """
    import hashlib  # noqa: PLC0415 - as above

    with closing(source):
        wanted = algorithm.strip().lower().replace("-", "").replace("_", "")
        if wanted == "crc32":
            return digests_of(source).crc32
        known = {name.replace("_", ""): name for name in hashlib.algorithms_guaranteed}
        known = {key: name for key, name in known.items() if not key.startswith("shake")}
        if wanted not in known:
            raise UsageError(
                f"No checksum algorithm '{algorithm}'. Known: crc32, {', '.join(sorted(known))}."
            )
        digest = hashlib.new(known[wanted])
        for piece in pieces(source):
            digest.update(piece)
        return digest.hexdigest()


def pieces(source: Source) -> Iterator[memoryview]:
    """Yields the content of a source, and closes it; a piece is valid until the next is taken."""
    with closing(source):
        buffer = memoryview(bytearray(min(CHUNK, max(source.size, 1))))
        offset = 0
        while offset < source.size:
            octets = source.read_into([buffer], offset)
            yield buffer[:octets]
            offset += octets
