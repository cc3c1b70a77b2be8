from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from TftpLibrary.store.confined import open_root
from TftpLibrary.store.root import Root, missing_folders, remove_folders
from utest.support.stores import posix_only


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "srv").mkdir()
    return tmp_path / "srv"


@pytest.fixture
def root(folder: Path) -> Iterator[Root]:
    root = open_root(folder)
    yield root
    root.close()


def test_folders_that_are_not_empty_are_left_and_told(root: Root, folder: Path) -> None:
    made = [("a",), ("a", "b"), ("a", "c"), ("gone",)]
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "c").mkdir()
    (folder / "a" / "c" / "file").write_bytes(b"")
    assert remove_folders(root, made) == [("a", "c"), ("a",)]
    assert not (folder / "a" / "b").exists()


@posix_only
def test_folders_behind_a_link_that_leads_out_now_are_left(root: Root, folder: Path) -> None:
    (folder.parent / "outside" / "empty").mkdir()
    (folder / "a").symlink_to("../outside")
    assert remove_folders(root, [("a", "empty")]) == [("a", "empty")]
    assert (folder.parent / "outside" / "empty").is_dir()


def test_the_folders_that_a_name_needs_anew_are_told(root: Root, folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    assert missing_folders(root, ("file",)) == ()
    assert missing_folders(root, ("a", "b", "file")) == ()
    assert missing_folders(root, ("a", "c", "d", "file")) == (("a", "c"), ("a", "c", "d"))


@posix_only
def test_folders_behind_a_link_to_nowhere_are_not_foreseen(root: Root, folder: Path) -> None:
    (folder / "link").symlink_to("nowhere")
    assert missing_folders(root, ("link", "a", "file")) == ()
