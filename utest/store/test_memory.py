from __future__ import annotations

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import WritePolicy
from TftpLibrary.store.memory import MemoryStore
from utest.support.stores import BOARD, OVERWRITING, WRITABLE, read, refused, write


def test_content_is_served_under_every_spelling_of_its_name() -> None:
    store = MemoryStore({"boot/zImage": b"kernel"})
    for name in (b"boot/zImage", b"/boot/zImage", b"\\boot\\zImage"):
        assert read(store, name) == b"kernel"


def test_content_is_read_across_buffers_and_from_any_offset() -> None:
    store = MemoryStore({"a": bytes(range(10))})
    source = store.open_read(b"a", BOARD)
    first, second = bytearray(4), bytearray(4)
    assert source.size == 10
    assert source.read_into([memoryview(first), memoryview(second)], 0) == 8
    assert first + second == bytes(range(8))
    assert source.read_into([memoryview(first), memoryview(second)], 8) == 2
    assert source.read_into([memoryview(first)], 10) == 0
    source.close()


def test_a_source_keeps_what_it_was_opened_with() -> None:
    store = MemoryStore({"a": b"old"})
    source = store.open_read(b"a", BOARD)
    before = source.identity
    write(store, b"a", b"new", OVERWRITING)
    buffer = bytearray(3)
    source.read_into([memoryview(buffer)], 0)
    assert buffer == b"old"
    assert read(store, b"a") == b"new"
    assert store.open_read(b"a", BOARD).identity != before
    assert store.open_read(b"a", BOARD).identity == store.open_read(b"a", BOARD).identity


def test_what_the_test_changes_afterwards_is_not_served() -> None:
    data = bytearray(b"abc")
    store = MemoryStore({"a": data})  # type: ignore[dict-item]
    data[:] = b"xyz"
    assert read(store, b"a") == b"abc"


def test_a_name_that_is_not_there_is_not_found() -> None:
    with refused(ErrorCode.file_not_found):
        MemoryStore().open_read(b"zImage", BOARD)


def test_a_bad_name_is_told_when_the_store_is_made() -> None:
    with pytest.raises(UsageError, match="cannot be the name of a file"):
        MemoryStore({"../x": b""})


def test_an_upload_is_invisible_until_it_is_complete() -> None:
    store = MemoryStore()
    sink = store.open_write(b"log.txt", BOARD, WRITABLE, None)
    sink.write([b"hello"])
    assert not store.has(("log.txt",))
    sink.commit()
    sink.discard()
    assert store.names() == [("log.txt",)]
    assert read(store, b"log.txt") == b"hello"


def test_a_discarded_upload_leaves_nothing() -> None:
    store = MemoryStore()
    sink = store.open_write(b"a", BOARD, WRITABLE, None)
    sink.write([b"x"])
    sink.discard()
    sink.discard()
    sink.commit()
    assert store.names() == []


def test_an_upload_never_replaces_a_file_without_leave() -> None:
    store = MemoryStore({"a": b"old"})
    with refused(ErrorCode.file_exists):
        store.open_write(b"a", BOARD, WRITABLE, None)
    sink = store.open_write(b"b", BOARD, WRITABLE, None)
    write(store, b"b", b"first")
    with refused(ErrorCode.file_exists):
        sink.commit()
    assert read(store, b"b") == b"first"


def test_an_upload_over_the_limit_is_cut() -> None:
    sink = MemoryStore().open_write(
        b"a", BOARD, WritePolicy(writable=True, max_upload_size=4), None
    )
    sink.write([b"ab", b"cd"])
    with refused(ErrorCode.disk_full):
        sink.write([b"e"])


def test_a_read_only_store_takes_nothing() -> None:
    with refused(ErrorCode.access_violation):
        MemoryStore().open_write(b"a", BOARD, WritePolicy(), None)


def test_a_file_can_be_removed() -> None:
    store = MemoryStore({"a": b""})
    assert store.remove(("a",))
    assert not store.remove(("a",))
    assert store.names() == []
