"""A source whose content is another one on its way out, the same at every block size."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from TftpLibrary.faults.files import Damage
from TftpLibrary.store.base import Source


class DamagedSource:
    """A `Source` around another one, with the change that a `Damage` describes.

    Args:
        source: the good file; closed with this one.
        damage: what changes.
    """

    def __init__(self, source: Source, damage: Damage) -> None:
        self._source = source
        self._damage = damage
        self._kept = damage.kept(source.size)
        self._flipped_at = damage.flipped_at(source.size)

    @property
    def size(self) -> int:
        """Octets of the content as it is sent."""
        return self._kept + self._damage.added

    @property
    def identity(self) -> Hashable:
        """Other than that of the good file: they share no frames."""
        return self._source.identity, self._damage

    def read_into(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Fills the buffers in order with the changed content from `offset` on."""
        count = 0
        if offset < self._kept:
            count = min(self._source.read_into(buffers, offset), self._kept - offset)
        at = offset + count
        if at >= self._kept:
            count += self._add(_rest(buffers, count), at - self._kept)
        if self._flipped_at is not None and offset <= self._flipped_at < offset + count:
            _flip(buffers, self._flipped_at - offset)
        return count

    def close(self) -> None:
        """Releases the good file. Idempotent."""
        self._source.close()

    def _add(self, buffers: Sequence[memoryview], offset: int) -> int:
        count = 0
        for buffer in buffers:
            octets = self._damage.added_octets(offset + count, len(buffer))
            buffer[: len(octets)] = octets
            count += len(octets)
        return count


def _rest(buffers: Sequence[memoryview], count: int) -> list[memoryview]:
    """Returns the buffers without their first octets."""
    rest: list[memoryview] = []
    for buffer in buffers:
        if count < len(buffer):
            rest.append(buffer[count:])
        count = max(0, count - len(buffer))
    return rest


def _flip(buffers: Sequence[memoryview], offset: int) -> None:
    for buffer in buffers:
        if offset < len(buffer):
            buffer[offset] ^= 1
            return
        offset -= len(buffer)
