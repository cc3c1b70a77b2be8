from __future__ import annotations

import errno
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store import directory
from TftpLibrary.store.directory import CHECK_SIZE, DirectorySource, DirectoryStore
from TftpLibrary.store.names import HIDDEN_PREFIX
from utest.support.stores import (
    BOARD,
    OVERWRITING,
    WRITABLE,
    content_of,
    descriptors,
    make_fifo,
    names_in,
    ordinary_user,
    posix_only,
    read,
    refused,
    small_disk,
    write,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "srv"
    (root / "boot").mkdir(parents=True)
    (root / "zImage").write_bytes(b"kernel" * 1000)
    (root / "boot" / "dtb").write_bytes(b"tree")
    return root


@pytest.fixture
def store(folder: Path) -> Iterator[DirectoryStore]:
    before = descriptors()
    store = DirectoryStore(folder)
    yield store
    store.close()
    assert descriptors() <= before, "The test left descriptors open."


# Reading


def test_names_that_are_no_utf8_are_served(store: DirectoryStore, folder: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system knows no names but Unicode")
    assert read(store, b"caf\xe9") == b"x"


@posix_only
def test_a_fifo_is_refused_without_waiting_for_its_writer(
    store: DirectoryStore, folder: Path
) -> None:
    make_fifo(folder / "fifo")
    with refused(ErrorCode.access_violation, "not a regular file"):
        store.open_read(b"fifo", BOARD)


@posix_only
def test_a_socket_is_refused(
    store: DirectoryStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    monkeypatch.chdir(folder)  # The path of a socket must be short.
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("socket")
        with refused(ErrorCode.access_violation, "not a regular file"):
            store.open_read(b"socket", BOARD)


@posix_only
def test_a_device_is_refused(store: DirectoryStore, folder: Path) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    try:
        os.mknod(folder / "null", 0o666 | 0o020000, os.makedev(1, 3))
    except (PermissionError, AttributeError):
        pytest.skip("devices can be made by root only")
    with refused(ErrorCode.access_violation):
        store.open_read(b"null", BOARD)


@posix_only
def test_a_device_behind_a_link_is_refused_even_when_links_lead_anywhere(folder: Path) -> None:
    (folder / "zero").symlink_to("/dev/zero")
    store = DirectoryStore(folder, follow_symlinks=True)
    with refused(ErrorCode.access_violation, "not a regular file"):
        store.open_read(b"zero", BOARD)
    store.close()


@ordinary_user
def test_a_file_that_may_not_be_read_is_forbidden(store: DirectoryStore, folder: Path) -> None:
    (folder / "zImage").chmod(0)
    with refused(ErrorCode.access_violation):
        store.open_read(b"zImage", BOARD)


def test_without_a_descriptor_left_the_board_is_not_told_that_the_file_is_missing(
    store: DirectoryStore,
) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4, hard))
    try:
        with refused(ErrorCode.not_defined, "Too many open files"):
            store.open_read(b"zImage", BOARD)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_file_that_is_replaced_while_it_is_read_stays_what_it_was(
    store: DirectoryStore, folder: Path
) -> None:
    source = store.open_read(b"boot/dtb", BOARD)
    (folder / "new").write_bytes(b"newer tree")
    (folder / "new").replace(folder / "boot" / "dtb")
    assert source.size == 4
    assert content_of(source) == b"tree"
    assert read(store, b"boot/dtb") == b"newer tree"


def test_a_file_that_is_removed_while_it_is_read_stays_readable(
    store: DirectoryStore, folder: Path
) -> None:
    source = store.open_read(b"boot/dtb", BOARD)
    shutil.rmtree(folder / "boot")
    assert content_of(source) == b"tree"


@pytest.mark.parametrize("change", ["longer", "shorter", "same size"])
def test_a_file_that_is_changed_in_place_is_never_a_mix(
    store: DirectoryStore, folder: Path, change: str
) -> None:
    source = store.open_read(b"zImage", BOARD)
    buffer = memoryview(bytearray(512))
    assert source.read_into([buffer], 0) == 512
    with (folder / "zImage").open("r+b") as stream:
        if change == "shorter":
            stream.truncate(600)
        elif change == "longer":
            stream.seek(0, os.SEEK_END)
            stream.write(b"more")
        else:
            stream.seek(3000)
            stream.write(b"patch")
    touch(folder / "zImage")
    with refused(ErrorCode.not_defined, "File changed while it was read"):
        for offset in range(512, source.size, 512):
            source.read_into([buffer], offset)
    source.close()


def touch(path: Path) -> None:
    """Changes the time of a file's change. Clocks of file systems are coarse."""
    later = time.time_ns() + 1_000_000_000
    os.utime(path, ns=(later, later))


def test_a_change_of_a_long_file_is_noticed_long_before_its_end(
    store: DirectoryStore, folder: Path
) -> None:
    (folder / "image").write_bytes(bytes(4 * CHECK_SIZE))
    source = store.open_read(b"image", BOARD)
    step = 100_000
    buffer = memoryview(bytearray(step))
    for offset in range(0, 2 * CHECK_SIZE, step):
        assert source.read_into([buffer], offset) == step
    touch(folder / "image")
    with refused(ErrorCode.not_defined, "File changed while it was read"):
        for offset in range(2 * CHECK_SIZE, 3 * CHECK_SIZE + step, step):
            source.read_into([buffer], offset)
    source.close()


def test_what_is_read_again_after_the_end_fits_to_it(store: DirectoryStore, folder: Path) -> None:
    """A board that lost a block near the end."""
    source = store.open_read(b"zImage", BOARD)
    buffer = memoryview(bytearray(512))
    source.read_into([buffer], source.size - 100)
    assert source.read_into([buffer], 0) == 512
    touch(folder / "zImage")
    with refused(ErrorCode.not_defined, "File changed while it was read"):
        source.read_into([buffer], 0)
    source.close()


def test_a_file_that_ends_early_is_never_a_mix(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut and made long again, within one tick of the file system's clock."""
    source = store.open_read(b"zImage", BOARD)
    monkeypatch.setattr(directory, "_read", lambda *_: 100)
    with refused(ErrorCode.not_defined, "File changed"):
        source.read_into([memoryview(bytearray(512))] * 2, 0)
    source.close()


def test_identity_is_equal_exactly_for_the_same_content(
    store: DirectoryStore, folder: Path
) -> None:
    first, again = store.open_read(b"zImage", BOARD), store.open_read(b"zImage", BOARD)
    assert first.identity == again.identity
    stamp = (folder / "zImage").stat().st_mtime_ns
    (folder / "new").write_bytes(b"KERNEL" * 1000)
    os.utime(folder / "new", ns=(stamp, stamp))
    (folder / "new").replace(folder / "zImage")
    other = store.open_read(b"zImage", BOARD)
    assert other.identity != first.identity
    for source in (first, again, other):
        source.close()
        source.close()


def test_identity_tells_a_file_whose_times_were_put_back(
    store: DirectoryStore, folder: Path
) -> None:
    """Reproducible builds give every image the same time, and often the same size."""
    before = store.open_read(b"zImage", BOARD)
    assert isinstance(before, DirectorySource)
    stamp = (folder / "zImage").stat().st_mtime_ns
    deadline = time.monotonic() + 5
    while (folder / "zImage").stat().st_ctime_ns == before.identity[3]:  # A coarse clock.
        with (folder / "zImage").open("r+b") as stream:
            stream.write(b"KERNEL")
        os.utime(folder / "zImage", ns=(stamp, stamp))
        assert time.monotonic() < deadline
    after = store.open_read(b"zImage", BOARD)
    assert after.identity != before.identity
    before.close()
    after.close()


def test_a_source_that_is_closed_cannot_be_read(store: DirectoryStore) -> None:
    source = store.open_read(b"zImage", BOARD)
    source.close()
    with refused(ErrorCode.not_defined, "Bad file descriptor"):
        source.read_into([memoryview(bytearray(1))], 0)


def test_thousands_of_buffers_are_filled(store: DirectoryStore, folder: Path) -> None:
    """One call of the system takes 1024."""
    data = os.urandom(5000)
    (folder / "random").write_bytes(data)
    source = store.open_read(b"random", BOARD)
    for count, size in ((2000, 2), (1024, 2), (1025, 4), (3000, 3)):
        whole = bytearray(count * size)
        view = memoryview(whole)
        buffers = [view[start : start + size] for start in range(0, count * size, size)]
        octets = source.read_into(buffers, 7)
        assert octets == min(count * size, 4993)
        assert whole[:octets] == data[7 : 7 + octets]
    source.close()


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(0, 120))
def test_reading_without_preadv_gives_the_same_octets(sizes: list[int], offset: int) -> None:
    data = bytes(range(100))
    results = []
    for has_preadv in (directory.HAS_PREADV, False):
        with pytest.MonkeyPatch.context() as patch, TemporaryFile(buffering=0) as file:
            patch.setattr(directory, "HAS_PREADV", has_preadv)
            file.write(data)
            buffers = [memoryview(bytearray(size)) for size in sizes]
            octets = DirectorySource(file.fileno()).read_into(buffers, offset)
            results.append((octets, b"".join(buffers)))
    assert results[0] == results[1]
    assert results[0][0] == max(0, min(sum(sizes), 100 - offset))


def test_a_request_never_lists_the_folder(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many files lie there, a request looks at its own only."""

    def fail(*_: object) -> None:
        raise AssertionError("A request listed the folder.")

    for name in ("scandir", "listdir", "walk"):
        monkeypatch.setattr(os, name, fail)
    opened, missing = read(store, b"boot/dtb"), b"boot/missing"
    with refused(ErrorCode.file_not_found):
        store.open_read(missing, BOARD)
    monkeypatch.undo()
    assert opened == b"tree"


def test_a_folder_is_no_file(store: DirectoryStore) -> None:
    with refused(ErrorCode.access_violation, "not a regular file"):
        store.open_read(b"boot", BOARD)


# Writing


def test_an_unfinished_upload_cannot_be_asked_for(store: DirectoryStore, folder: Path) -> None:
    sink = store.open_write(b"new", BOARD, WRITABLE, None)
    sink.write([b"part"])
    (hidden,) = names_in(folder) - {"zImage", "boot", "boot/dtb"}
    assert hidden.startswith(HIDDEN_PREFIX)
    for attempt in (hidden.encode(), b"./" + hidden.encode(), hidden.upper().encode()):
        with refused(ErrorCode.file_not_found):
            store.open_read(attempt, BOARD)
        with refused(ErrorCode.file_not_found):
            store.open_write(attempt, BOARD, OVERWRITING, None)
    sink.commit()
    assert names_in(folder) == {"zImage", "boot", "boot/dtb", "new"}


def test_a_folder_that_another_upload_needs_is_left(store: DirectoryStore, folder: Path) -> None:
    first = store.open_write(b"new/a", BOARD, WRITABLE, None)
    second = store.open_write(b"new/b", BOARD, WRITABLE, None)
    first.discard()
    assert second.commit() == folder / "new" / "b"


def test_a_file_that_comes_while_the_upload_runs_is_not_replaced(
    store: DirectoryStore, folder: Path
) -> None:
    sink = store.open_write(b"new", BOARD, WRITABLE, None)
    sink.write([b"board"])
    (folder / "new").write_bytes(b"somebody")
    with refused(ErrorCode.file_exists):
        sink.commit()
    assert (folder / "new").read_bytes() == b"somebody"
    assert names_in(folder) == {"zImage", "boot", "boot/dtb", "new"}


@pytest.mark.parametrize("name", [b"boot", b"boot/", b"../x", b"zImage/x"])
def test_nothing_is_written_over_folders_or_out_of_the_root(
    store: DirectoryStore, folder: Path, name: bytes
) -> None:
    before = names_in(folder.parent)
    code = ErrorCode.file_not_found if name == b"zImage/x" else ErrorCode.access_violation
    with refused(code):
        store.open_write(name, BOARD, OVERWRITING, None)
    assert names_in(folder.parent) == before


@posix_only
@pytest.mark.parametrize("follow_symlinks", [False, True])
@pytest.mark.parametrize("target", ["zImage", "../secret", "nowhere"])
def test_an_upload_never_goes_through_a_link(
    folder: Path, target: str, follow_symlinks: bool
) -> None:
    (folder.parent / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(target)
    store = DirectoryStore(folder, follow_symlinks=follow_symlinks)
    with refused(ErrorCode.access_violation):
        store.open_write(b"link", BOARD, OVERWRITING, None)
    assert (folder / "link").is_symlink()
    assert (folder.parent / "secret").read_bytes() == b"secret"
    store.close()


@posix_only
def test_a_folder_that_became_a_link_during_the_upload_gets_nothing(
    store: DirectoryStore, folder: Path
) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    sink = store.open_write(b"boot/new", BOARD, WRITABLE, None)
    (folder / "boot").rename(folder / "away")
    (folder / "boot").symlink_to("../outside")
    with refused(ErrorCode.access_violation, "out of the root"):
        sink.commit()
    assert names_in(outside) == set()


def test_an_upload_whose_folder_is_gone_is_refused(store: DirectoryStore, folder: Path) -> None:
    sink = store.open_write(b"boot/new", BOARD, WRITABLE, None)
    shutil.rmtree(folder / "boot")
    with refused(ErrorCode.file_not_found):
        sink.commit()
    sink.discard()
    assert names_in(folder) == {"zImage"}


def test_an_upload_goes_to_a_root_that_was_made_anew(store: DirectoryStore, folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    assert write(store, b"new", b"x") == folder / "new"
    assert (folder / "new").read_bytes() == b"x"


def test_a_full_disk_is_told_and_the_old_file_stays(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        (disk / "a").write_bytes(b"old")
        store = DirectoryStore(disk)
        sink = store.open_write(b"a", BOARD, OVERWRITING, None)
        with refused(ErrorCode.disk_full, os.strerror(errno.ENOSPC)):
            for _ in range(100):
                sink.write([bytes(1000)] * 8)
        sink.discard()
        assert {path.name: path.read_bytes() for path in disk.iterdir()} == {"a": b"old"}
        store.close()


def test_a_file_that_may_not_grow_is_a_full_disk(store: DirectoryStore, folder: Path) -> None:
    resource = pytest.importorskip("resource")
    sink = store.open_write(b"new", BOARD, WRITABLE, None)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with refused(ErrorCode.disk_full, os.strerror(errno.EFBIG)):
            for _ in range(100):
                sink.write([bytes(3000), bytes(5000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    sink.discard()
    assert names_in(folder) == {"zImage", "boot", "boot/dtb"}


@ordinary_user
def test_a_folder_that_may_not_be_written_is_forbidden(store: DirectoryStore, folder: Path) -> None:
    folder.chmod(0o555)
    with refused(ErrorCode.access_violation):
        store.open_write(b"new", BOARD, WRITABLE, None)
    folder.chmod(0o755)


@pytest.mark.parametrize("has_writev", [True, False])
@pytest.mark.parametrize("count", [1, 1024, 1025, 3000])
def test_any_number_of_buffers_is_written(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, has_writev: bool, count: int
) -> None:
    monkeypatch.setattr(directory, "HAS_WRITEV", has_writev and directory.HAS_WRITEV)
    buffers = [bytes([number % 251]) * 3 for number in range(count)]
    sink = store.open_write(b"new", BOARD, WRITABLE, None)
    sink.write(buffers)
    sink.write([b"end"])
    sink.commit()
    assert read(store, b"new") == b"".join(buffers) + b"end"


def test_buffers_that_the_system_takes_in_part_are_written_whole(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "writev", lambda fd, buffers: os.write(fd, bytes(buffers[0])[:2]))
    sink = store.open_write(b"new", BOARD, WRITABLE, None)
    sink.write([b"hello", b" world"])
    sink.commit()
    assert read(store, b"new") == b"hello world"


def test_a_sink_knows_its_file_while_it_is_written(store: DirectoryStore, folder: Path) -> None:
    sink = store.open_write(b"new", BOARD, WRITABLE, None)
    file_id = sink.file_id
    sink.commit()
    info = (folder / "new").stat()
    assert file_id == (info.st_dev, info.st_ino)
