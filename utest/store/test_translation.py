from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpBoard.packets import to_netascii
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import Source, StoreError, WritePolicy
from TftpLibrary.store.memory import MemoryStore
from TftpLibrary.store.translation import NetasciiSink, NetasciiSource

NAME = b"startup-config"
PIECE = 64 * 1024


def stored(content: bytes) -> Source:
    return MemoryStore({NAME.decode(): content}).open_read(NAME, "")


def read(source: NetasciiSource, offset: int, *sizes: int) -> bytes:
    """Reads into buffers of those sizes."""
    buffers = [bytearray(size) for size in sizes]
    octets = source.read_into([memoryview(buffer) for buffer in buffers], offset)
    return b"".join(buffers)[:octets]


def read_forward(source: NetasciiSource, size: int) -> bytes:
    """Reads piece by piece until a piece is short, as a framer does."""
    text = b""
    for _ in range(100_000):
        piece = read(source, len(text), size, size)
        text += piece
        if len(piece) < 2 * size:
            return text
    raise AssertionError("The text has no end.")


def text_of(size: int) -> bytes:
    """Text with lines of many lengths, and a lone CR now and then."""
    return bytes(random.Random(size).choices(b"abcdefgh\n\r", k=size))


@pytest.mark.parametrize("size", [0, 1, 511, 512, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 7])
@pytest.mark.parametrize("piece", [8, 512, 60_000])
def test_text_is_translated_whatever_its_size(size: int, piece: int) -> None:
    """RFC 1350, section 1: netascii is 8 bit ASCII with the line ends of RFC 764."""
    content = text_of(size)
    assert read_forward(NetasciiSource(stored(content), keep=1024), piece) == to_netascii(content)


@given(
    st.binary(max_size=300).map(lambda octets: octets.replace(b"\0", b"\r\n")),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 60)), max_size=20),
)
def test_a_sender_may_go_back_within_what_is_kept(
    content: bytes, steps: list[tuple[int, int]]
) -> None:
    whole = to_netascii(content)
    source = NetasciiSource(stored(content), keep=40)
    position = 0
    for back, count in steps:
        offset = max(0, position - back)
        piece = read(source, offset, count)
        assert piece == whole[offset : offset + count]
        position = max(position, offset + len(piece))


def test_a_long_text_can_be_read_back_by_what_is_kept() -> None:
    content = text_of(10 * PIECE)
    whole = to_netascii(content)
    source = NetasciiSource(stored(content), keep=2000)
    for offset in range(0, len(whole), 1000):
        assert read(source, offset, 500, 500) == whole[offset : offset + 1000]
        back = max(0, offset - 2000)
        assert read(source, back, 1000) == whole[back : back + 1000]


def test_the_size_is_that_of_the_file_and_the_identity_its_own() -> None:
    plain = stored(b"a\nb\n")
    source = NetasciiSource(plain, keep=0)
    assert source.size == 4
    assert source.identity != plain.identity
    assert source.identity == NetasciiSource(plain, keep=0).identity


class Broken:
    """A file that tells what is done to it, and cannot be read."""

    size = 3
    identity = "broken"

    def __init__(self) -> None:
        self.is_closed = False

    def read_into(self, *_: object) -> int:
        raise StoreError(ErrorCode.not_defined, "File changed while it was read")

    def close(self) -> None:
        self.is_closed = True


def test_the_file_is_closed_with_the_text() -> None:
    broken = Broken()
    NetasciiSource(broken, keep=0).close()
    assert broken.is_closed


def test_a_file_that_cannot_be_read_is_told() -> None:
    with pytest.raises(StoreError, match="changed"):
        read(NetasciiSource(Broken(), keep=0), 0, 8)


def sink_into(store: MemoryStore) -> NetasciiSink:
    return NetasciiSink(store.open_write(NAME, "", WritePolicy(writable=True), None))


def content_of(store: MemoryStore) -> bytes:
    source = store.open_read(NAME, "")
    buffer = bytearray(source.size)
    source.read_into([memoryview(buffer)], 0)
    return bytes(buffer)


@given(
    st.binary(max_size=200).map(lambda octets: octets.replace(b"\0", b"\r\n")), st.integers(1, 9)
)
def test_what_is_received_is_text_of_this_machine(content: bytes, blksize: int) -> None:
    store = MemoryStore()
    sink = sink_into(store)
    wire = to_netascii(content)
    blocks = [wire[at : at + blksize] for at in range(0, len(wire), blksize)]
    for block in blocks:
        sink.write([block])
    assert sink.commit() is None
    assert content_of(store) == content


def test_a_cr_at_the_very_end_is_kept() -> None:
    """It breaks the rule of RFC 764; losing an octet would be worse."""
    store = MemoryStore()
    sink = sink_into(store)
    sink.write([b"prompt> \r"])
    sink.commit()
    assert content_of(store) == b"prompt> \r"


def test_what_is_discarded_is_not_there() -> None:
    store = MemoryStore()
    sink = sink_into(store)
    sink.write([b"half a fi"])
    sink.discard()
    assert store.names() == []
