from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from TftpLibrary.store.confined import open_root
from TftpLibrary.store.ledger import Ledger
from TftpLibrary.store.names import HIDDEN_PREFIX
from TftpLibrary.store.root import Root
from utest.support.stores import names_in, posix_only, small_disk, snapshot


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "srv"
    (root / "boot").mkdir(parents=True)
    (root / "zImage").write_bytes(b"kernel")
    (root / "boot" / "dtb").write_bytes(b"tree")
    return root


@pytest.fixture
def root(folder: Path) -> Iterator[Root]:
    root = open_root(folder)
    yield root
    root.close()


@pytest.fixture
def ledger(root: Root) -> Ledger:
    return Ledger(root)


def put(folder: Path, name: str, data: bytes) -> None:
    """Puts a file in one step, as the store does."""
    (folder / "fresh").write_bytes(data)
    (folder / "fresh").replace(folder / name)


def test_a_file_that_was_added_is_removed(ledger: Ledger, folder: Path) -> None:
    before = snapshot(folder)
    ledger.keep(("new",))
    put(folder, "new", b"x")
    ledger.placed(("new",))
    assert ledger.undo() == []
    assert snapshot(folder) == before


def test_a_file_that_was_replaced_returns_as_it_was(ledger: Ledger, folder: Path) -> None:
    before = snapshot(folder)
    for data in (b"first", b"second"):
        ledger.keep(("boot", "dtb"))
        put(folder, "boot/dtb", data)
        ledger.placed(("boot", "dtb"))
    assert ledger.undo() == []
    assert snapshot(folder) == before, "The same content, time and inode."


def test_what_is_kept_cannot_be_asked_for(ledger: Ledger, folder: Path) -> None:
    ledger.keep(("zImage",))
    (kept,) = names_in(folder) - {"zImage", "boot", "boot/dtb"}
    assert kept.startswith(HIDDEN_PREFIX)


def test_a_file_that_was_kept_and_then_not_replaced_stays(ledger: Ledger, folder: Path) -> None:
    before = snapshot(folder)
    ledger.keep(("zImage",))
    assert ledger.undo() == []
    assert snapshot(folder) == before


def test_a_file_that_was_removed_returns(ledger: Ledger, folder: Path) -> None:
    before = snapshot(folder)
    ledger.remove(("zImage",))
    assert names_in(folder) >= {"boot", "boot/dtb"}
    assert not (folder / "zImage").exists()
    assert ledger.undo() == []
    assert snapshot(folder) == before


def test_a_file_that_was_added_and_removed_stays_away(ledger: Ledger, folder: Path) -> None:
    before = snapshot(folder)
    ledger.keep(("new",))
    put(folder, "new", b"x")
    ledger.placed(("new",))
    ledger.remove(("new",))
    assert snapshot(folder) == before
    assert ledger.undo() == []
    assert snapshot(folder) == before


def test_a_file_that_was_removed_and_put_anew_returns_as_it_was(
    ledger: Ledger, folder: Path
) -> None:
    before = snapshot(folder)
    ledger.remove(("zImage",))
    ledger.keep(("zImage",))
    put(folder, "zImage", b"new")
    ledger.placed(("zImage",))
    assert ledger.undo() == []
    assert snapshot(folder) == before


def test_folders_that_were_made_are_removed_when_they_are_empty(
    ledger: Ledger, folder: Path
) -> None:
    before = snapshot(folder)
    (folder / "a" / "b").mkdir(parents=True)
    ledger.made([("a",), ("a", "b")])
    ledger.made([("a",)])
    ledger.keep(("a", "b", "new"))
    put(folder, "a/b/new", b"x")
    ledger.placed(("a", "b", "new"))
    assert ledger.undo() == []
    assert snapshot(folder) == before


def test_a_folder_with_files_of_others_is_left_and_told(ledger: Ledger, folder: Path) -> None:
    (folder / "a").mkdir()
    ledger.made([("a",)])
    (folder / "a" / "others").write_bytes(b"x")
    assert ledger.undo() == ["The folder 'a' is not empty: left."]
    assert (folder / "a" / "others").exists()


def test_a_file_that_others_changed_is_left_and_told(ledger: Ledger, folder: Path) -> None:
    ledger.keep(("new",))
    put(folder, "new", b"ours")
    ledger.placed(("new",))
    put(folder, "new", b"theirs")
    assert ledger.undo() == ["'new' was changed by another program: left as it is."]
    assert (folder / "new").read_bytes() == b"theirs"


def test_an_original_is_never_lost_when_others_changed_the_file(
    ledger: Ledger, folder: Path
) -> None:
    ledger.keep(("zImage",))
    put(folder, "zImage", b"ours")
    ledger.placed(("zImage",))
    put(folder, "zImage", b"theirs")
    (warning,) = ledger.undo()
    assert warning.startswith(
        "'zImage' was changed by another program: left as it is. "
        f"What lay there before is kept beside it as '{HIDDEN_PREFIX}kept-"
    )
    assert (folder / "zImage").read_bytes() == b"theirs"
    assert (folder / warning.split("'")[3]).read_bytes() == b"kernel"


def test_a_file_that_others_put_where_one_was_removed_is_left(ledger: Ledger, folder: Path) -> None:
    ledger.remove(("zImage",))
    put(folder, "zImage", b"theirs")
    (warning,) = ledger.undo()
    assert "changed by another program" in warning
    assert (folder / "zImage").read_bytes() == b"theirs"


def test_an_original_returns_when_others_removed_what_replaced_it(
    ledger: Ledger, folder: Path
) -> None:
    before = snapshot(folder)
    ledger.keep(("zImage",))
    put(folder, "zImage", b"ours")
    ledger.placed(("zImage",))
    (folder / "zImage").unlink()
    assert ledger.undo() == []
    assert snapshot(folder) == before


def test_a_file_that_others_removed_needs_nothing(ledger: Ledger) -> None:
    ledger.keep(("new",))
    ledger.placed(("new",))
    assert ledger.undo() == []


def test_files_whose_folder_is_gone_are_told_only_if_they_were_there_before(
    ledger: Ledger, folder: Path
) -> None:
    ledger.keep(("boot", "dtb"))
    ledger.keep(("boot", "new"))
    shutil.rmtree(folder / "boot")
    assert ledger.undo() == ["'boot/dtb' cannot be put back: No such file or directory."]


@posix_only
def test_nothing_is_put_back_through_a_link_out_of_the_root(ledger: Ledger, folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "new").write_bytes(b"not ours")
    ledger.keep(("boot", "new"))
    (folder / "boot").rename(folder / "away")
    (folder / "boot").symlink_to("../outside")
    (warning,) = ledger.undo()
    assert warning == "'boot/new' cannot be put back: a link leads out of the root."
    assert names_in(outside) == {"new"}


@posix_only
def test_a_link_that_was_removed_returns(ledger: Ledger, folder: Path) -> None:
    (folder / "link").symlink_to("zImage")
    ledger.remove(("link",))
    assert not (folder / "link").is_symlink()
    assert ledger.undo() == []
    assert (folder / "link").readlink() == Path("zImage")


def test_undoing_twice_changes_nothing_more(ledger: Ledger, folder: Path) -> None:
    ledger.remove(("zImage",))
    ledger.undo()
    put(folder, "zImage", b"later")
    assert ledger.undo() == []
    assert (folder / "zImage").read_bytes() == b"later"


def refuse_links(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.mark.parametrize("has_more", [True, False])
def test_where_files_get_no_second_name_a_copy_is_kept(
    ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch, has_more: bool
) -> None:
    """FAT, some network shares, and files of others on a hardened Linux."""
    (folder / "zImage").chmod(0o640)
    info = (folder / "zImage").stat()
    monkeypatch.setattr(os, "link", refuse_links)
    if not has_more:  # Windows has neither.
        monkeypatch.delattr(os, "fchmod", raising=False)
        monkeypatch.setattr(os, "supports_fd", set())
    ledger.keep(("zImage",))
    put(folder, "zImage", b"ours")
    ledger.placed(("zImage",))
    assert ledger.undo() == []
    back = (folder / "zImage").stat()
    assert (folder / "zImage").read_bytes() == b"kernel"
    assert names_in(folder) == {"zImage", "boot", "boot/dtb"}
    if has_more:
        assert (back.st_mode, back.st_mtime_ns) == (info.st_mode, info.st_mtime_ns)


def test_what_cannot_be_kept_is_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        (disk / "big").write_bytes(bytes(200 * 1024))
        root = open_root(disk)
        monkeypatch.setattr(os, "link", refuse_links)
        with pytest.raises(OSError, match="No space left"):
            Ledger(root).keep(("big",))
        assert names_in(disk) == {"big"}
        root.close()
