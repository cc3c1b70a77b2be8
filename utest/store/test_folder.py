from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import WritePolicy
from TftpLibrary.store.digests import Digester, Digests
from TftpLibrary.store.folder import Folder
from TftpLibrary.store.ledger import LEDGER
from TftpLibrary.store.memory import MemoryStore
from TftpLibrary.store.names import HIDDEN_PREFIX
from utest.support.stores import (
    BOARD,
    OVERWRITING,
    WRITABLE,
    content_of,
    make_fifo,
    names_in,
    ordinary_user,
    posix_only,
    read,
    refused,
    snapshot,
    write,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "srv"
    (root / "boot").mkdir(parents=True)
    (root / "zImage").write_bytes(b"kernel")
    (root / "boot" / "dtb").write_bytes(b"tree")
    return root


@pytest.fixture
def served(folder: Path) -> Iterator[Folder]:
    """A folder that was there before, with a file in memory, whose clean-up is checked."""
    before = snapshot(folder)
    served = Folder(folder, MemoryStore({"memory": b"held"}))
    yield served
    assert served.close() == []
    assert snapshot(folder) == before


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "private").mkdir()
    served = Folder(tmp_path / "private", MemoryStore(), restores=False)
    yield served
    assert served.close() == []


def changed_in(folder: Path, before: dict[str, tuple[bytes, int, int]]) -> set[str]:
    """Returns the names of what is not as it was."""
    return {name for name, _ in snapshot(folder).items() ^ before.items()}


def digests(data: bytes) -> Digests:
    digester = Digester()
    digester.update(data)
    return digester.finish()


def test_boards_see_the_folder_and_the_memory_above_it(served: Folder) -> None:
    assert read(served, b"zImage") == b"kernel"
    assert read(served, b"memory") == b"held"
    assert served.names() == {("zImage",), ("boot", "dtb"), ("memory",)}


def test_memory_covers_a_file_until_something_is_put_there(folder: Path) -> None:
    served = Folder(folder, MemoryStore({"zImage": b"covering"}))
    assert read(served, b"zImage") == b"covering"
    assert served.get(("zImage",)).path is None
    with refused(ErrorCode.file_exists):
        served.open_write(b"zImage", BOARD, WRITABLE, None)
    with refused(ErrorCode.access_violation):
        served.open_write(b"zImage", BOARD, WritePolicy(), None)
    write(served, b"zImage", b"upload", OVERWRITING)
    assert read(served, b"zImage") == b"upload"
    assert served.get(("zImage",)).path == folder / "zImage"
    served.close()
    assert (folder / "zImage").read_bytes() == b"kernel"


def test_memory_covers_a_new_name_too(served: Folder) -> None:
    write(served, b"memory", b"upload", OVERWRITING)
    assert read(served, b"memory") == b"upload"


def test_what_boards_upload_is_cleaned_up(served: Folder, folder: Path) -> None:
    assert write(served, b"logs/today/1", b"x") == folder / "logs" / "today" / "1"
    write(served, b"zImage", b"y", OVERWRITING)
    with refused(ErrorCode.file_exists):
        write(served, b"boot/dtb", b"z")


def test_an_upload_that_still_runs_at_the_end_is_discarded(folder: Path) -> None:
    before = snapshot(folder)
    served = Folder(folder, MemoryStore())
    sink = served.open_write(b"new/log", BOARD, WRITABLE, None)
    sink.write([b"x"])
    assert any(HIDDEN_PREFIX in name for name in names_in(folder / "new"))
    assert served.close() == []
    assert snapshot(folder) == before
    sink.write([b"its own thread does not know of the end"])
    with refused(ErrorCode.access_violation, "the server has stopped"):
        sink.commit()
    sink.discard()
    assert snapshot(folder) == before


def test_nothing_changes_a_folder_after_the_end(folder: Path) -> None:
    before = snapshot(folder)
    served = Folder(folder, MemoryStore())
    served.close()
    with refused(ErrorCode.access_violation, "the server has stopped"):
        served.open_write(b"new/log", BOARD, WRITABLE, None)
    assert snapshot(folder) == before
    assert served.close() == []


def test_a_folder_of_two_uploads_is_removed_though_the_first_failed(served: Folder) -> None:
    first = served.open_write(b"new/a", BOARD, WRITABLE, None)
    second = served.open_write(b"new/b", BOARD, WRITABLE, None)
    first.discard()
    second.commit()


def test_an_upload_that_fails_at_the_end_keeps_the_old_file(served: Folder, folder: Path) -> None:
    sink = served.open_write(b"boot/dtb", BOARD, OVERWRITING, None)
    away = folder / "boot"
    away.rename(folder / "away")
    with refused(ErrorCode.file_not_found):
        sink.commit()
    sink.discard()
    (folder / "away").rename(away)
    for path in away.glob(f"{HIDDEN_PREFIX}upload-*"):
        path.unlink()
    assert read(served, b"boot/dtb") == b"tree"


def test_content_is_put_and_told(served: Folder, folder: Path) -> None:
    file = served.put(("a", "b"), [b"hel", memoryview(b"lo")], overwrite=True)
    assert (file.name, file.size, file.crc32) == ("a/b", 5, "3610a686")
    assert file.path == folder / "a" / "b"
    assert file.uploaded
    assert served.get(("a", "b")) == file
    assert content_of(served.open(("a", "b"))) == b"hello"


@pytest.mark.parametrize("overwrite", [True, False])
def test_the_same_content_is_left_where_it_is(
    served: Folder, folder: Path, overwrite: bool
) -> None:
    before = snapshot(folder)
    file = served.put(("zImage",), [b"kernel"], overwrite=overwrite)
    assert not file.uploaded
    assert changed_in(folder, before) <= {LEDGER}
    assert not served.put(("memory",), [b"held"], overwrite=overwrite).uploaded
    assert changed_in(folder, before) <= {LEDGER}


@pytest.mark.parametrize("name", ["zImage", "memory"])
def test_another_content_is_refused_without_leave(served: Folder, name: str) -> None:
    with refused(ErrorCode.file_exists):
        served.put((name,), [b"other!"], overwrite=False)
    served.put(("new",), [b"x"], overwrite=False)


def test_content_that_breaks_off_leaves_the_old_file(served: Folder, folder: Path) -> None:
    before = snapshot(folder)

    def broken() -> Iterator[bytes]:
        yield b"part"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        served.put(("zImage",), broken(), overwrite=True)
    with pytest.raises(KeyboardInterrupt):
        served.put(("new", "folder", "x"), broken(), overwrite=True)
    assert changed_in(folder, before) == {LEDGER}


def test_a_folder_is_no_place_for_a_file(served: Folder) -> None:
    with refused(ErrorCode.access_violation, "not a regular file"):
        served.put(("boot",), [b"x"], overwrite=True)


def test_checksums_are_read_again_only_after_a_change(
    served: Folder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("TftpLibrary.store.folder.digests_of", lambda _: digests(b"read again"))
    file = served.put(("new",), [b"x"], overwrite=True)
    assert served.get(("new",)) == file
    assert served.get(("zImage",)).sha256 == digests(b"read again").sha256
    monkeypatch.undo()
    assert served.get(("zImage",)).sha256 == digests(b"read again").sha256
    os.utime(folder / "new")
    (folder / "fresh").write_bytes(b"other")
    (folder / "fresh").replace(folder / "new")
    assert served.get(("new",)).sha256 == digests(b"other").sha256
    served.remove(("new",))


def test_a_board_that_replaces_a_file_at_once_gets_its_own_checksum(
    served: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the test's commit and its look at what it committed."""
    sink_type = type(served.open_write(b"other", BOARD, WRITABLE, None))
    commit = sink_type.commit

    def commit_and_be_replaced(sink: object) -> Path | None:
        monkeypatch.undo()
        path = commit(sink)  # type: ignore[arg-type]
        write(served, b"new", b"board", OVERWRITING)
        return path

    monkeypatch.setattr(sink_type, "commit", commit_and_be_replaced)
    served.put(("new",), [b"test!"], overwrite=True)
    assert served.get(("new",)).sha256 == digests(b"board").sha256


def test_whether_a_name_has_that_content_is_told(served: Folder) -> None:
    assert served.holds(("zImage",), digests(b"kernel"))
    assert not served.holds(("zImage",), digests(b"KERNEL"))
    assert not served.holds(("zImage",), digests(b"longer kernel"))
    assert not served.holds(("missing",), digests(b""))
    assert served.size(("zImage",)) == 6
    assert served.size(("boot",)) is None


@posix_only
def test_only_what_a_board_could_ask_for_is_listed(served: Folder, folder: Path) -> None:
    others = [folder / name for name in ("fifo", "back\\slash", "inside", "outside", "loop")]
    make_fifo(others[0])
    others[1].write_bytes(b"x")
    others[2].symlink_to("zImage")
    others[3].symlink_to("/etc/hostname")
    others[4].symlink_to(".")
    served.open_write(b"unfinished", BOARD, WRITABLE, None)
    assert served.names() == {("zImage",), ("boot", "dtb"), ("memory",), ("inside",)}
    for name, is_there in (("inside", True), ("outside", False), ("fifo", False), ("x", False)):
        assert served.has((name,)) is is_there
    assert not served.has(("boot",))
    assert not served.has(("zImage", "x"))
    for path in others:
        path.unlink()


@ordinary_user
def test_a_folder_that_may_not_be_read_is_listed_as_empty(served: Folder, folder: Path) -> None:
    (folder / "boot").chmod(0)
    assert ("boot", "dtb") not in served.names()
    (folder / "boot").chmod(0o755)


def test_files_are_removed_and_returned(served: Folder, folder: Path) -> None:
    served.put(("new",), [b"x"], overwrite=True)
    for parts in (("zImage",), ("boot", "dtb"), ("memory",), ("new",)):
        assert served.remove(parts)
        assert not served.remove(parts)
    assert served.names() == set()
    assert not (folder / "zImage").exists()


def test_a_covered_file_is_removed_with_what_covers_it(folder: Path) -> None:
    served = Folder(folder, MemoryStore({"zImage": b"covering"}))
    assert served.remove(("zImage",))
    assert not served.has(("zImage",))
    served.close()
    assert (folder / "zImage").read_bytes() == b"kernel"


@ordinary_user
def test_what_cannot_be_removed_is_refused(served: Folder, folder: Path) -> None:
    folder.chmod(0o555)
    with refused(ErrorCode.access_violation):
        served.remove(("zImage",))
    folder.chmod(0o755)


def test_files_are_renamed_and_returned(served: Folder, folder: Path) -> None:
    served.rename(("zImage",), ("new", "folder", "name"), overwrite=False)
    assert read(served, b"new/folder/name") == b"kernel"
    assert not (folder / "zImage").exists()
    served.rename(("new", "folder", "name"), ("boot", "dtb"), overwrite=True)
    assert read(served, b"boot/dtb") == b"kernel"


def test_a_file_in_memory_is_renamed(served: Folder) -> None:
    served.rename(("memory",), ("boot", "dtb"), overwrite=True)
    assert read(served, b"boot/dtb") == b"held"
    assert not served.has(("memory",))
    served.rename(("zImage",), ("memory",), overwrite=False)
    assert read(served, b"memory") == b"kernel"


def test_renaming_takes_no_name_that_is_taken(served: Folder, folder: Path) -> None:
    before = snapshot(folder)
    for name in ("memory", "zImage"):
        with refused(ErrorCode.file_exists):
            served.rename(("boot", "dtb"), (name,), overwrite=False)
    with refused(ErrorCode.file_not_found):
        served.rename(("missing",), ("new",), overwrite=False)
    assert snapshot(folder) == before


def test_renaming_over_a_folder_is_refused(served: Folder) -> None:
    with refused(ErrorCode.access_violation):
        served.rename(("zImage",), ("boot",), overwrite=True)
    assert read(served, b"zImage") == b"kernel"


def test_a_rename_that_fails_leaves_no_folder(
    served: Folder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(folder)

    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr("TftpLibrary.store.place.Place.move", fail)
    with refused(ErrorCode.access_violation):
        served.rename(("zImage",), ("new", "name"), overwrite=False)
    assert set(before) == {name for name in names_in(folder) if HIDDEN_PREFIX not in name}


def test_a_private_folder_needs_no_books(private: Folder, tmp_path: Path) -> None:
    private.put(("a",), [b"x"], overwrite=True)
    private.put(("a",), [b"y"], overwrite=True)
    private.rename(("a",), ("b",), overwrite=False)
    assert names_in(tmp_path / "private") == {"b"}
    private.remove(("b",))
    write(private, b"c", b"z")
    assert names_in(tmp_path / "private") == {"c"}


def test_a_root_that_the_test_made_anew_is_the_one_that_counts(folder: Path) -> None:
    served = Folder(folder, MemoryStore())
    kept = folder.with_name("kept")
    folder.rename(kept)
    shutil.copytree(kept, folder)
    (folder / "zImage").write_bytes(b"newer")
    assert served.get(("zImage",)).size == 5
    assert read(served, b"zImage") == b"newer"
    served.close()


def test_the_checksum_of_a_content_is_known_once_it_was_looked_at(served: Folder) -> None:
    with closing(served.open_read(b"zImage", BOARD)) as source:
        assert served.known_sha256(source.identity) == ""
        sha256 = served.get(("zImage",)).sha256
        assert served.known_sha256(source.identity) == sha256
