from __future__ import annotations

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.store.memory import MemoryStore
from utest.support.stores import BOARD, WRITABLE, read


def test_what_the_test_changes_afterwards_is_not_served() -> None:
    data = bytearray(b"abc")
    store = MemoryStore({"a": data})  # type: ignore[dict-item]
    data[:] = b"xyz"
    assert read(store, b"a") == b"abc"


def test_a_bad_name_is_told_when_the_store_is_made() -> None:
    with pytest.raises(UsageError, match="cannot be the name of a file"):
        MemoryStore({"../x": b""})


def test_a_discarded_upload_leaves_nothing() -> None:
    store = MemoryStore()
    sink = store.open_write(b"a", BOARD, WRITABLE, None)
    sink.write([b"x"])
    sink.discard()
    sink.discard()
    sink.commit()
    assert store.names() == []


def test_a_file_can_be_removed() -> None:
    store = MemoryStore({"a": b""})
    assert store.remove(("a",))
    assert not store.remove(("a",))
    assert store.names() == []
