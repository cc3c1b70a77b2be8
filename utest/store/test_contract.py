"""The contract of every store: reading, writing, refusals and their codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store import confined
from TftpLibrary.store.base import Store, WritePolicy
from TftpLibrary.store.directory import DirectoryStore
from TftpLibrary.store.files import FileStore
from TftpLibrary.store.folder import Folder
from TftpLibrary.store.layers import Layer, LayeredStore
from TftpLibrary.store.memory import MemoryStore
from TftpLibrary.store.names import HIDDEN_PREFIX
from utest.support.stores import (
    BOARD,
    OVERWRITING,
    WRITABLE,
    content_of,
    descriptors,
    names_in,
    posix_only,
    read,
    refused,
    write,
)

FILES = {"zImage": b"kernel" * 1000, "boot/dtb": b"tree", "empty": b""}


class Stand(NamedTuple):
    """A store with `FILES`, and the folder that it serves; None for memory alone."""

    store: Store
    folder: Path | None


Builder = Callable[[Path, ExitStack, pytest.MonkeyPatch], Stand]


def filled(folder: Path) -> Path:
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def directory(folder: Path, stack: ExitStack, _: pytest.MonkeyPatch) -> Stand:
    store = DirectoryStore(filled(folder))
    stack.callback(store.close)
    return Stand(store, folder)


def directory_and_links(folder: Path, stack: ExitStack, _: pytest.MonkeyPatch) -> Stand:
    store = DirectoryStore(filled(folder), follow_symlinks=True)
    stack.callback(store.close)
    return Stand(store, folder)


def directory_by_paths(folder: Path, stack: ExitStack, patch: pytest.MonkeyPatch) -> Stand:
    patch.setattr(confined, "HAS_DESCRIPTORS", False)  # As on Windows.
    return directory(folder, stack, patch)


def given_folder(folder: Path, stack: ExitStack, _: pytest.MonkeyPatch) -> Stand:
    store = Folder(filled(folder), MemoryStore())
    stack.callback(store.close)
    return Stand(store, folder)


def private_folder(folder: Path, stack: ExitStack, _: pytest.MonkeyPatch) -> Stand:
    store = Folder(filled(folder), MemoryStore(), restores=False)
    stack.callback(store.close)
    return Stand(store, folder)


def memory(*_: object) -> Stand:
    return Stand(MemoryStore(FILES), None)


def memory_above_a_folder(folder: Path, stack: ExitStack, _: pytest.MonkeyPatch) -> Stand:
    above = {"zImage": FILES["zImage"]}
    (folder / "boot").mkdir(parents=True)
    for name in ("boot/dtb", "empty"):
        (folder / name).write_bytes(FILES[name])
    store = Folder(folder, MemoryStore(above))
    stack.callback(store.close)
    return Stand(store, folder)


def layers(folder: Path, stack: ExitStack, patch: pytest.MonkeyPatch) -> Stand:
    below = directory(folder, stack, patch)
    return Stand(LayeredStore([Layer(MemoryStore({"a": b""})), Layer(below.store)]), folder)


def files_of_a_server(folder: Path, stack: ExitStack, _: pytest.MonkeyPatch) -> Stand:
    return Stand(stack.enter_context(FileStore(filled(folder))), folder)


BUILDERS: tuple[Builder, ...] = (
    directory,
    directory_and_links,
    directory_by_paths,
    given_folder,
    private_folder,
    memory,
    memory_above_a_folder,
    layers,
    files_of_a_server,
)
LINK_BUILDERS = (directory, directory_by_paths, given_folder, layers, files_of_a_server)


@pytest.fixture(params=BUILDERS, ids=lambda builder: builder.__name__)
def stand(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stand]:
    before = descriptors()
    (tmp_path / "srv").mkdir()
    with ExitStack() as stack:
        yield request.param(tmp_path / "srv", stack, monkeypatch)
    assert descriptors() <= before, "The test left descriptors open."


@pytest.fixture
def store(stand: Stand) -> Store:
    return stand.store


def visible_in(stand: Stand) -> set[str]:
    found = names_in(stand.folder) if stand.folder else set()
    return {name for name in found if HIDDEN_PREFIX not in name}


# Reading


@pytest.mark.parametrize("name", [b"boot/dtb", b"/boot/dtb", b"\\boot\\dtb", b"//boot/./dtb"])
def test_a_file_is_served_under_the_names_that_boards_send(store: Store, name: bytes) -> None:
    assert read(store, name) == b"tree"


@pytest.mark.parametrize("piece", [1, 511, 512, 5997, 6000, 10_000])
def test_a_file_is_read_to_its_end_in_pieces_of_any_size(store: Store, piece: int) -> None:
    source = store.open_read(b"zImage", BOARD)
    assert source.size == 6000
    assert content_of(source, piece=piece) == FILES["zImage"]


def test_an_empty_file_is_served(store: Store) -> None:
    source = store.open_read(b"empty", BOARD)
    assert source.size == 0
    assert source.read_into([memoryview(bytearray(8))], 0) == 0
    source.close()


def test_buffers_are_filled_in_order_from_any_offset_to_the_end(store: Store) -> None:
    source = store.open_read(b"zImage", BOARD)
    buffers = [memoryview(bytearray(size)) for size in (1, 5, 6)]
    assert source.read_into(buffers, 3) == 12
    assert b"".join(buffers) == b"nelkernelker"
    assert source.read_into(buffers, 5995) == 5
    assert source.read_into(buffers, 6000) == 0
    source.close()
    source.close()


@pytest.mark.parametrize("name", [b"x", b"boot/x", b"x/y", b"zImage/x", b"a" * 300, b"a" * 2000])
def test_what_is_missing_is_not_found(store: Store, name: bytes) -> None:
    with refused(ErrorCode.file_not_found) as caught:
        store.open_read(name, BOARD)
    assert caught.value.public == "File not found"


@pytest.mark.parametrize(
    "name", [b"../secret", b"boot/../../secret", b"boot/", b"", b"C:/x", b"\0"]
)
def test_what_leaves_the_root_or_names_a_folder_is_forbidden(store: Store, name: bytes) -> None:
    with refused(ErrorCode.access_violation) as caught:
        store.open_read(name, BOARD)
    assert caught.value.public == "Access violation"
    with refused(ErrorCode.access_violation):
        store.open_write(name, BOARD, OVERWRITING, None)


@pytest.mark.parametrize("name", ["x", "boot/X", "x/y"])
def test_what_the_store_keeps_for_itself_is_not_found(store: Store, name: str) -> None:
    hidden = (HIDDEN_PREFIX + name).encode()
    for attempt in (hidden, b"./" + hidden, hidden.upper(), b"boot/" + hidden):
        with refused(ErrorCode.file_not_found):
            store.open_read(attempt, BOARD)
        with refused(ErrorCode.file_not_found):
            store.open_write(attempt, BOARD, OVERWRITING, None)


def test_a_source_keeps_what_it_was_opened_with(store: Store) -> None:
    source, again = (store.open_read(b"boot/dtb", BOARD) for _ in range(2))
    assert source.identity == again.identity
    write(store, b"boot/dtb", b"newer tree", OVERWRITING)
    newer = store.open_read(b"boot/dtb", BOARD)
    assert newer.identity != source.identity
    assert (source.size, newer.size) == (4, 10)
    assert [content_of(each) for each in (source, again, newer)] == [
        b"tree",
        b"tree",
        b"newer tree",
    ]


# Writing


@pytest.mark.parametrize("name", [b"new", b"boot/new", b"logs/today/1", b"\\logs\\1"])
@pytest.mark.parametrize("data", [b"", b"x", b"hello" * 1000])
def test_an_upload_appears_complete_under_its_name(stand: Stand, name: bytes, data: bytes) -> None:
    before = visible_in(stand)
    sink = stand.store.open_write(name, BOARD, WRITABLE, len(data))
    sink.write([data[:3], memoryview(data)[3:]])
    sink.write([])
    with refused(ErrorCode.file_not_found):
        stand.store.open_read(name, BOARD)
    path = sink.commit()
    sink.discard()
    assert read(stand.store, name) == data
    assert (path is None) == (stand.folder is None)
    if path:
        assert path.read_bytes() == data
        assert visible_in(stand) > before


def test_a_discarded_upload_leaves_nothing(stand: Stand) -> None:
    before = visible_in(stand)
    sink = stand.store.open_write(b"new/folders/log", BOARD, WRITABLE, None)
    sink.write([b"x"])
    sink.discard()
    sink.discard()
    assert visible_in(stand) == before
    with refused(ErrorCode.file_not_found):
        stand.store.open_read(b"new/folders/log", BOARD)


@pytest.mark.parametrize("name", [b"boot/dtb", b"zImage", b"empty"])
def test_an_upload_replaces_a_file_only_with_permission(store: Store, name: bytes) -> None:
    with refused(ErrorCode.file_exists) as caught:
        store.open_write(name, BOARD, WRITABLE, None)
    assert caught.value.public == "File already exists"
    assert read(store, name) == FILES[name.decode()]
    write(store, name, b"new", OVERWRITING)
    assert read(store, name) == b"new"


def test_a_file_that_came_while_the_upload_ran_is_not_replaced(store: Store) -> None:
    sink = store.open_write(b"new", BOARD, WRITABLE, None)
    sink.write([b"second"])
    write(store, b"new", b"first")
    with refused(ErrorCode.file_exists):
        sink.commit()
    sink.discard()
    assert read(store, b"new") == b"first"


def test_the_last_of_two_uploads_that_may_overwrite_counts(store: Store) -> None:
    sinks = [store.open_write(b"new", BOARD, OVERWRITING, None) for _ in range(2)]
    for number, sink in enumerate(sinks):
        sink.write([b"%d" % number])
    for sink in reversed(sinks):
        sink.commit()
        sink.discard()
    assert read(store, b"new") == b"0"


def test_a_new_file_is_refused_when_none_may_be_made(stand: Stand) -> None:
    policy = WritePolicy(writable=True, create=False, overwrite=True)
    before = visible_in(stand)
    for name in (b"new", b"new/folder/x"):
        with refused(ErrorCode.file_not_found):
            stand.store.open_write(name, BOARD, policy, None)
    assert visible_in(stand) == before
    write(stand.store, b"boot/dtb", b"x", policy)
    assert read(stand.store, b"boot/dtb") == b"x"


@pytest.mark.parametrize("name", [b"new", b"boot/dtb", b"../x", b"", b"zImage/x"])
def test_a_store_that_is_read_only_takes_nothing_whatever_the_name(
    store: Store, name: bytes
) -> None:
    with refused(ErrorCode.access_violation, "read-only"):
        store.open_write(name, BOARD, WritePolicy(), None)


def test_tsize_over_the_limit_is_refused_at_once(stand: Stand) -> None:
    before = visible_in(stand)
    policy = WritePolicy(writable=True, max_upload_size=10)
    with refused(ErrorCode.disk_full) as caught:
        stand.store.open_write(b"new/x", BOARD, policy, 11)
    assert caught.value.public == "Upload too large"
    assert visible_in(stand) == before


def test_an_upload_is_cut_at_the_limit_whatever_tsize_told(stand: Stand) -> None:
    before = visible_in(stand)
    policy = WritePolicy(writable=True, max_upload_size=10)
    sink = stand.store.open_write(b"new", BOARD, policy, 10)
    sink.write([b"12345", b"67890"])
    with refused(ErrorCode.disk_full):
        sink.write([b"1"])
    sink.discard()
    assert visible_in(stand) == before


# Links


def behind_a_link(
    builder: Builder, stack: ExitStack, tmp_path: Path, patch: pytest.MonkeyPatch
) -> Store:
    """A store whose folder has links that lead out of it."""
    (tmp_path / "srv").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    for name, target in {
        "file": "../outside/secret",
        "folder": "../outside",
        "missing": "../outside/missing",
    }.items():
        (tmp_path / "srv" / name).symlink_to(target)
    return builder(tmp_path / "srv", stack, patch).store


@posix_only
@pytest.mark.parametrize("builder", LINK_BUILDERS, ids=lambda builder: builder.__name__)
def test_nothing_goes_through_a_link_out_of_the_root(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        store = behind_a_link(builder, stack, tmp_path, monkeypatch)
        for name in (b"file", b"folder/secret", b"folder/x", b"missing", b"missing/x"):
            with refused(ErrorCode.access_violation):
                store.open_read(name, BOARD)
            with refused(ErrorCode.access_violation):
                store.open_write(name, BOARD, OVERWRITING, None)
        assert names_in(tmp_path / "outside") == {"secret"}


@posix_only
def test_links_lead_out_of_the_root_when_the_test_chose_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        store = behind_a_link(directory_and_links, stack, tmp_path, monkeypatch)
        assert read(store, b"file") == read(store, b"folder/secret") == b"secret"
        write(store, b"folder/new/x", b"x")
        # No upload makes the folder that a link leads to, nor replaces the link.
        for name, code in {
            b"missing/x": ErrorCode.file_not_found,
            b"file": ErrorCode.access_violation,
            b"missing": ErrorCode.access_violation,
        }.items():
            with refused(code):
                store.open_write(name, BOARD, OVERWRITING, None)
        assert names_in(tmp_path / "outside") == {"secret", "new", "new/x"}
