"""A store in memory: content that a test gives as it starts a server."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from TftpLibrary.store.base import WritePolicy, exists, not_found, too_large
from TftpLibrary.store.names import Parts, local_parts, safe_parts
from TftpLibrary.store.policy import check_policy, check_target


class MemoryStore:
    """Serves octets that are held in memory.

    A source keeps the octets that it was opened with, so a file may be replaced at any time.
    """

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self._files = {local_parts(name): _Content(data) for name, data in (files or {}).items()}

    def open_read(self, name: bytes, client: str) -> MemorySource:  # noqa: ARG002 - one for all
        """Opens a file for a board."""
        content = self._files.get(safe_parts(name))
        if content is None:
            raise not_found("no such file in memory")
        return MemorySource(content)

    def open_write(
        self,
        name: bytes,
        client: str,  # noqa: ARG002 - one for all
        policy: WritePolicy,
        size: int | None,
    ) -> MemorySink:
        """Opens a file for a board's upload."""
        check_policy(policy, size)
        parts = safe_parts(name)
        check_target(policy, is_there=parts in self._files)
        return MemorySink(self._files, parts, policy)

    def names(self) -> list[Parts]:
        """Returns the names of all files."""
        return list(self._files)

    def has(self, parts: Parts) -> bool:
        """Whether there is a file of that name."""
        return parts in self._files

    def remove(self, parts: Parts) -> bool:
        """Forgets a file. Returns whether there was one."""
        return self._files.pop(parts, None) is not None


class _Content:
    """Octets that never change; the object itself is their identity."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = bytes(data)


def held(data: bytes) -> MemorySource:
    """Returns octets as a source; they are equal to no other content."""
    return MemorySource(_Content(data))


class MemorySource:
    """Content in memory that is open for reading."""

    __slots__ = ("_view", "identity", "size")

    def __init__(self, content: _Content) -> None:
        self._view = memoryview(content.data)
        self.size = len(content.data)
        self.identity: Hashable = content

    def read_into(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Fills the buffers in order with the content from `offset` on."""
        start = offset
        for buffer in buffers:
            piece = self._view[offset : offset + len(buffer)]
            buffer[: len(piece)] = piece
            offset += len(piece)
        return offset - start

    def close(self) -> None:
        """Does nothing: memory needs no release."""


class MemorySink:
    """An upload into memory."""

    def __init__(self, files: dict[Parts, _Content], parts: Parts, policy: WritePolicy) -> None:
        self._files = files
        self._parts = parts
        self._policy = policy
        self._data = bytearray()
        self._is_open = True

    def expect(self, size: int) -> None:
        """Does nothing: nobody knows how much memory there is."""

    def write(self, buffers: Sequence[memoryview | bytes]) -> None:
        """Appends the buffers in order."""
        limit = self._policy.max_upload_size
        if limit is not None and len(self._data) + sum(map(len, buffers)) > limit:
            raise too_large(limit)
        for buffer in buffers:
            self._data += buffer

    def commit(self) -> None:
        """Makes the file visible under its name, in one step."""
        if not self._is_open:
            return
        content = _Content(bytes(self._data))
        self.discard()
        if self._policy.overwrite:
            self._files[self._parts] = content
        elif self._files.setdefault(self._parts, content) is not content:
            raise exists()

    def discard(self) -> None:
        """Forgets what was written. Idempotent."""
        self._is_open = False
        self._data = bytearray()
