from __future__ import annotations

import os
from pathlib import Path

import pytest

from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store import confined
from TftpLibrary.store.directory import DirectoryStore
from TftpLibrary.store.resolved import ResolvedRoot
from utest.support.stores import (
    OVERWRITING,
    descriptors,
    names_in,
    posix_only,
    read,
    refused,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "srv"
    (root / "boot").mkdir(parents=True)
    (root / "zImage").write_bytes(b"kernel")
    (root / "boot" / "dtb").write_bytes(b"tree")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_bytes(b"secret")
    return root


@pytest.fixture
def store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> DirectoryStore:
    """A store as it is where folders have no descriptors (Windows)."""
    monkeypatch.setattr(confined, "HAS_DESCRIPTORS", False)
    store = DirectoryStore(folder)
    assert isinstance(store.root, ResolvedRoot)
    return store


@posix_only
def test_links_below_the_root_are_followed_and_others_are_not(
    store: DirectoryStore, folder: Path
) -> None:
    before = descriptors()
    (folder / "inside").symlink_to("boot/dtb")
    (folder / "outside").symlink_to("../outside")
    assert read(store, b"inside") == b"tree"
    with refused(ErrorCode.access_violation, "out of the root"):
        store.open_read(b"outside/file", "")
    with refused(ErrorCode.access_violation, "out of the root"):
        store.open_write(b"outside/x/y", "", OVERWRITING, None)
    assert descriptors() <= before
    assert names_in(folder.parent / "outside") == {"file"}


def test_folders_made_in_vain_are_removed(store: DirectoryStore, folder: Path) -> None:
    before = names_in(folder)
    parts = ("new", "folder", "x" * 300, "file")
    with pytest.raises(OSError, match="too long"), store.root.parent(parts, create=True):
        pass
    assert names_in(folder) == before


def test_folders_that_are_there_are_used(store: DirectoryStore, folder: Path) -> None:
    sink = store.open_write(b"boot/new/log", "", OVERWRITING, None)
    assert sink.made == (("boot", "new"),)
    sink.discard()
    assert (folder / "boot").is_dir()


@posix_only
def test_a_link_that_is_swapped_while_it_is_opened_is_noticed(
    store: DirectoryStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "link").symlink_to("zImage")
    before = descriptors()
    real_open = os.open

    def swap_and_open(path: Path, flags: int) -> int:
        (folder / "link").unlink()
        (folder / "link").symlink_to("boot/dtb")
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", swap_and_open)
    with refused(ErrorCode.access_violation, "led elsewhere"):
        store.open_read(b"link", "")
    assert descriptors() <= before


@posix_only
def test_links_lead_anywhere_when_the_test_chose_so(folder: Path) -> None:
    (folder / "link").symlink_to("../outside/file")
    root = ResolvedRoot(folder, follow_symlinks=True)
    fd = root.open_file(("link",))
    assert os.read(fd, 100) == b"secret"
    os.close(fd)


def test_a_root_that_moved_is_noticed(folder: Path) -> None:
    link = folder.with_name("link")
    link.symlink_to("srv")
    root = ResolvedRoot(link)
    assert not root.refresh()
    link.unlink()
    link.symlink_to("outside")
    assert root.refresh()
    os.close(root.open_file(("file",)))


def test_a_root_that_is_no_folder_is_refused(folder: Path) -> None:
    with pytest.raises(NotADirectoryError):
        ResolvedRoot(folder / "zImage")
    with pytest.raises(FileNotFoundError):
        ResolvedRoot(folder / "missing")
