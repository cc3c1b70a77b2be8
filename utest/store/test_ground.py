from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store import ground as ground_module
from TftpLibrary.store.ground import Ground
from TftpLibrary.store.ledger import LEDGER
from TftpLibrary.store.names import HIDDEN_PREFIX
from utest.support.stores import descriptors, names_in, posix_only, refused

UPLOAD = f"{HIDDEN_PREFIX}upload-1"


def test_folders_overlap_when_one_lies_in_the_other(tmp_path: Path) -> None:
    for name in ("srv/boot/arm", "srv-2"):
        (tmp_path / name).mkdir(parents=True)
    srv, boot, arm, other = (
        Ground(tmp_path / name) for name in ("srv", "srv/boot", "srv/boot/arm", "srv-2")
    )
    assert srv.overlaps(arm)
    assert arm.overlaps(srv)
    assert not srv.overlaps(other)
    assert (boot.depth, arm.depth) == (srv.depth + 1, srv.depth + 2)


@posix_only
def test_a_folder_is_known_by_whichever_path(tmp_path: Path) -> None:
    (tmp_path / "srv").mkdir()
    (tmp_path / "link").symlink_to("srv")
    ground = Ground(tmp_path / "srv")
    assert ground.is_at(tmp_path / "link")
    assert not ground.is_at(tmp_path)
    assert not ground.is_at(tmp_path / "missing")


def test_a_look_leaves_nothing_open(tmp_path: Path) -> None:
    before = descriptors()
    assert Ground(tmp_path).look(follow_symlinks=False) == []
    assert Ground(tmp_path / "missing").look(follow_symlinks=True) == []
    assert descriptors() <= before


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOLCK])
def test_where_no_ledger_can_be_the_folder_is_changed_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    asked = []

    def refuse(*_: object, **__: object) -> None:
        asked.append(1)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(ground_module, "take", refuse)
    ground = Ground(tmp_path)
    assert ground.note({"name": ["x"]}) == []
    assert ground.note({"name": ["x"]}) == []
    assert len(asked) == 1
    ground.close_ledger()
    ground.close()
    assert names_in(tmp_path) == set()


def test_where_the_disk_is_full_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(ground_module, "take", refuse)
    ground = Ground(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        ground.note({"name": ["x"]})
    ground.close()


@posix_only
def test_a_ledger_that_was_removed_is_begun_anew(tmp_path: Path) -> None:
    before = descriptors()
    ground = Ground(tmp_path)
    ground.note({"name": ["x"]})
    (tmp_path / LEDGER).unlink()
    ground.note({"name": ["y"]})
    assert '{"name": ["y"]}' in (tmp_path / LEDGER).read_text("ascii")
    ground.close_ledger()
    ground.close_ledger()
    ground.close()
    assert names_in(tmp_path) == set()
    assert descriptors() <= before


def test_a_look_puts_back_what_a_killed_run_has_left(tmp_path: Path) -> None:
    killed = Ground(tmp_path)
    killed.note({"upload": [UPLOAD]})
    (tmp_path / UPLOAD).write_bytes(b"half")
    killed._ledger.close()  # type: ignore[union-attr]  # noqa: SLF001 - as the system does
    (warning,) = Ground(tmp_path).look(follow_symlinks=False)
    assert warning.endswith("Cleared unfinished uploads: 1.")
    assert names_in(tmp_path) == set()
    killed.close()


def test_a_folder_that_is_held_is_told_and_not_changed(tmp_path: Path) -> None:
    holder, other = Ground(tmp_path), Ground(tmp_path)
    holder.note({"name": ["x"]})
    (warning,) = other.look(follow_symlinks=False)
    assert warning.startswith(f"Another run, process {os.getpid()} (robot), is changing")
    with refused(ErrorCode.access_violation, "is changing the folder"):
        other.note({"name": ["y"]})
    holder.close_ledger()
    other.note({"name": ["y"]})
    other.close_ledger()
    for ground in (holder, other):
        ground.close()
