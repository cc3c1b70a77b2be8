from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from TftpLibrary.store.confined import open_root
from TftpLibrary.store.kept import Change, clear_partial, is_same, keep, put_back, stamp_of
from TftpLibrary.store.names import HIDDEN_PREFIX
from TftpLibrary.store.place import Place
from utest.support.stores import descriptors, names_in, posix_only, small_disk, snapshot

KEPT = f"{HIDDEN_PREFIX}kept-1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "zImage").write_bytes(b"kernel")
    return tmp_path


@pytest.fixture
def place(folder: Path) -> Iterator[Place]:
    """The place of the original."""
    root = open_root(folder)
    with root.parent(("zImage",)) as place:
        yield place
    root.close()


def put(folder: Path, data: bytes) -> None:
    """Puts a file in one step, as the store does."""
    (folder / "fresh").write_bytes(data)
    (folder / "fresh").replace(folder / "zImage")


def replaced(place: Place, folder: Path, data: bytes = b"ours") -> Change:
    keep(place, KEPT)
    put(folder, data)
    stamp = stamp_of(place)
    assert stamp
    return Change(KEPT, (stamp,))


def refuse_links(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_an_original_returns_as_it_was(place: Place, folder: Path) -> None:
    before = snapshot(folder)
    change = replaced(place, folder)
    assert put_back(place, change, "zImage") == ""
    assert snapshot(folder) == before, "The same content, time and inode."


def test_what_was_added_is_removed(place: Place, folder: Path) -> None:
    stamp = stamp_of(place)
    assert stamp
    assert put_back(place, Change("", (stamp,)), "zImage") == ""
    assert put_back(place, Change("", (stamp,)), "zImage") == "", "Others may have removed it."
    assert names_in(folder) == set()


def test_an_original_returns_when_others_removed_what_replaced_it(
    place: Place, folder: Path
) -> None:
    before = snapshot(folder)
    change = replaced(place, folder)
    (folder / "zImage").unlink()
    assert put_back(place, change, "zImage") == ""
    assert snapshot(folder) == before


def test_an_original_that_was_not_replaced_stays_in_its_place(place: Place, folder: Path) -> None:
    before = snapshot(folder)
    keep(place, KEPT)
    assert put_back(place, Change(KEPT), "zImage") == ""
    assert snapshot(folder) == before


def test_what_others_added_is_left_and_told(place: Place, folder: Path) -> None:
    before = snapshot(folder)
    assert put_back(place, Change(""), "zImage") == (
        "'zImage' was changed by another program: left as it is."
    )
    assert snapshot(folder) == before


def test_an_original_is_never_lost_when_others_changed_the_file(place: Place, folder: Path) -> None:
    change = replaced(place, folder)
    put(folder, b"theirs")
    assert put_back(place, change, "zImage") == (
        "'zImage' was changed by another program: left as it is. "
        f"Its original is kept beside it as '{KEPT}'."
    )
    assert (folder / "zImage").read_bytes() == b"theirs"
    assert (folder / KEPT).read_bytes() == b"kernel"


@pytest.mark.parametrize("is_ours", [True, False])
def test_an_original_that_is_gone_is_told_and_nothing_else_is_lost(
    place: Place, folder: Path, is_ours: bool
) -> None:
    change = replaced(place, folder)
    (folder / KEPT).unlink()
    if not is_ours:
        put(folder, b"theirs")
    before = snapshot(folder)
    assert put_back(place, change, "zImage") == (
        "'zImage' cannot be put back: its original is not beside it any more."
    )
    assert snapshot(folder) == before


@posix_only
def test_a_link_returns_as_a_link(place: Place, folder: Path) -> None:
    (folder / "link").symlink_to("zImage")
    link = place.sibling("link")
    keep(link, KEPT)
    link.unlink()
    assert put_back(link, Change(KEPT), "link") == ""
    assert (folder / "link").readlink() == Path("zImage")


@pytest.mark.parametrize("has_more", [True, False])
def test_where_files_get_no_second_name_a_copy_is_kept(
    place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch, has_more: bool
) -> None:
    """FAT, some network shares, and files of others on a hardened Linux."""
    (folder / "zImage").chmod(0o640)
    info = (folder / "zImage").stat()
    monkeypatch.setattr(os, "link", refuse_links)
    if not has_more:  # Windows has neither.
        monkeypatch.delattr(os, "fchmod", raising=False)
        monkeypatch.setattr(os, "supports_fd", set())
    before = descriptors()
    change = replaced(place, folder)
    assert descriptors() == before
    assert put_back(place, change, "zImage") == ""
    back = (folder / "zImage").stat()
    assert (folder / "zImage").read_bytes() == b"kernel"
    assert names_in(folder) == {"zImage"}
    if has_more:
        assert (back.st_mode, back.st_mtime_ns) == (info.st_mode, info.st_mtime_ns)


def test_a_copy_whose_original_was_not_replaced_goes(
    place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(folder)
    monkeypatch.setattr(os, "link", refuse_links)
    keep(place, KEPT)
    assert put_back(place, Change(KEPT), "zImage") == ""
    assert snapshot(folder) == before


def test_a_file_of_others_with_size_and_time_of_the_original_is_another(
    place: Place, folder: Path
) -> None:
    """Reproducible builds give every image the same time, and often the same size."""
    stamp = (folder / "zImage").stat().st_mtime_ns
    change = replaced(place, folder)
    put(folder, b"KERNEL")
    os.utime(folder / "zImage", ns=(stamp, stamp))
    kept = place.sibling(KEPT)
    assert not is_same(place, kept)
    assert "kept beside it" in put_back(place, change, "zImage")
    (folder / "zImage").unlink()
    assert not is_same(place, kept)


def test_what_cannot_be_kept_is_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        (disk / "big").write_bytes(bytes(200 * 1024))
        root = open_root(disk)
        monkeypatch.setattr(os, "link", refuse_links)
        with (
            root.parent(("big",)) as place,
            pytest.raises(OSError, match="No space left"),
        ):
            keep(place, KEPT)
        assert names_in(disk) == {"big"}
        root.close()


def test_a_descriptor_that_is_lost_while_copying_leaves_the_original(
    place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drive that is pulled, a network share that goes: nothing half is taken for the original."""
    before = snapshot(folder)
    monkeypatch.setattr(os, "link", refuse_links)

    def lose(*_: object) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    monkeypatch.setattr(os, "write", lose)
    open_before = descriptors()
    with pytest.raises(OSError, match="Bad file descriptor"):
        keep(place, KEPT)
    assert descriptors() == open_before
    assert snapshot(folder) == before


def test_half_a_copy_of_a_killed_run_is_cleared(place: Place, folder: Path) -> None:
    (folder / f"{KEPT}-part").write_bytes(b"ker")
    clear_partial(place, Change(KEPT))
    clear_partial(place, Change(KEPT))
    clear_partial(place, Change())
    assert names_in(folder) == {"zImage"}
