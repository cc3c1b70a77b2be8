"""netascii at the store's border: sources and sinks that translate as they go."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

from TftpLibrary.protocol.netascii import Decoder, Encoder
from TftpLibrary.store.base import Sink, Source

_PIECE = 64 * 1024


class NetasciiSource:
    """A file as netascii. It is read forward, and back by at most `keep` octets.

    Args:
        source: the file; closed with this.
        keep: octets that a sender may go back: its window.
    """

    def __init__(self, source: Source, keep: int) -> None:
        self._source = source
        self._keep = keep
        self._encoder = Encoder()
        self._text = bytearray()
        self._start = 0
        self._read = 0
        self._piece = memoryview(bytearray(_PIECE))

    @property
    def size(self) -> int:
        """Octets of the file as it lies here; those on the wire are known at its end only."""
        return self._source.size

    @property
    def identity(self) -> Hashable:
        """As `Source.identity`, but not equal to that of the same file in octet mode."""
        return ("netascii", self._source.identity)

    def read_into(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `Source.read_into`, with offsets on the wire."""
        end = offset + sum(len(buffer) for buffer in buffers)
        while self._start + len(self._text) < end and self._translate():
            pass
        at = begin = offset - self._start
        for buffer in buffers:
            piece = self._text[at : at + len(buffer)]
            buffer[: len(piece)] = piece
            at += len(piece)
        self._forget(offset)
        return at - begin

    def close(self) -> None:
        """Closes the file."""
        self._source.close()

    def _translate(self) -> bool:
        count = self._source.read_into([self._piece], self._read)
        self._read += count
        self._text += self._encoder.feed(self._piece[:count])
        return count > 0

    def _forget(self, offset: int) -> None:
        surplus = offset - self._keep - self._start
        if surplus > _PIECE:
            del self._text[:surplus]
            self._start += surplus


class NetasciiSink:
    """A file that is received as netascii and kept as text of this machine."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._decoder = Decoder()

    def expect(self, size: int) -> None:
        """As `Sink.expect`; text has nearly as many octets on the way as here."""
        self._sink.expect(size)

    def write(self, buffers: Sequence[memoryview | bytes]) -> None:
        """As `Sink.write`."""
        self._sink.write([self._decoder.feed(bytes(buffer)) for buffer in buffers])

    def commit(self) -> Path | None:
        """As `Sink.commit`."""
        rest = self._decoder.finish()
        if rest:
            self._sink.write([rest])
        return self._sink.commit()

    def discard(self) -> None:
        """As `Sink.discard`."""
        self._sink.discard()
