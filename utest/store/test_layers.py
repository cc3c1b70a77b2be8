from __future__ import annotations

from pathlib import Path

import pytest

from TftpLibrary.networks import parse_network
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import WritePolicy
from TftpLibrary.store.directory import DirectoryStore
from TftpLibrary.store.layers import Layer, LayeredStore
from TftpLibrary.store.memory import MemoryStore
from utest.support.stores import BOARD, OVERWRITING, WRITABLE, read, refused, write


def test_the_first_layer_that_has_a_file_serves_it() -> None:
    top, bottom = MemoryStore({"a": b"top"}), MemoryStore({"a": b"bottom", "b": b"below"})
    store = LayeredStore([Layer(top), Layer(bottom)])
    assert read(store, b"a") == b"top"
    assert read(store, b"b") == b"below"
    with refused(ErrorCode.file_not_found):
        store.open_read(b"c", BOARD)


def test_a_refusal_other_than_not_found_is_final(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    folder = DirectoryStore(tmp_path)
    store = LayeredStore([Layer(folder), Layer(MemoryStore({"a": b"below"}))])
    with refused(ErrorCode.access_violation):
        store.open_read(b"a", BOARD)
    folder.close()


@pytest.mark.parametrize(
    ("network", "client", "is_served"),
    [
        ("192.168.1.50", "192.168.1.50", True),
        ("192.168.1.50", "192.168.1.51", False),
        ("192.168.1.0/24", "192.168.1.51", True),
        ("192.168.1.7/24", "192.168.1.51", True),
        ("192.168.1.0/24", "::ffff:192.168.1.51", True),
        ("192.168.1.0/24", "fe80::1", False),
        ("fe80::/10", "fe80::1%eth0", True),
        ("::1", "::1", True),
        ("192.168.1.0/24", "no address", False),
    ],
)
def test_a_layer_is_for_its_clients_only(network: str, client: str, is_served: bool) -> None:
    layer = Layer(MemoryStore({"a": b"private"}), (parse_network(network, "only_for"),))
    store = LayeredStore([layer, Layer(MemoryStore({"a": b"shared"}))])
    assert layer.serves(client) is is_served
    assert read(store, b"a", client) == (b"private" if is_served else b"shared")


def test_without_a_layer_for_the_client_nothing_is_found() -> None:
    store = LayeredStore([Layer(MemoryStore({"a": b""}), (parse_network("10.0.0.1", "only_for"),))])
    with refused(ErrorCode.file_not_found, "it is there for 10.0.0.1 only") as caught:
        store.open_read(b"a", BOARD)
    assert caught.value.cause is Cause.for_others
    with refused(ErrorCode.file_not_found, "no layer is for this client") as caught:
        store.open_read(b"b", BOARD)
    assert caught.value.cause is Cause.missing
    with refused(ErrorCode.access_violation, "no layer is for this client"):
        store.open_write(b"a", BOARD, WRITABLE, None)


def test_an_upload_goes_to_the_last_layer() -> None:
    top, bottom = MemoryStore(), MemoryStore()
    write(LayeredStore([Layer(top), Layer(bottom)]), b"a", b"x")
    assert (top.names(), bottom.names()) == ([], [("a",)])


def test_a_file_in_a_layer_above_exists() -> None:
    store = LayeredStore([Layer(MemoryStore({"a": b"top"})), Layer(MemoryStore())])
    with refused(ErrorCode.file_exists):
        store.open_write(b"a", BOARD, WRITABLE, None)
    with refused(ErrorCode.access_violation):
        store.open_write(b"a", BOARD, WritePolicy(), None)
    write(store, b"a", b"x", OVERWRITING)
