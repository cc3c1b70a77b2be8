from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from TftpLibrary.store.place import Place, flags


@pytest.fixture(params=["descriptor", "path"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Place]]:
    """Makes places in a folder: by its descriptor, or by whole paths (the fall-back)."""
    if request.param == "path":
        yield lambda name: Place(None, str(tmp_path / name))
        return
    if os.open not in os.supports_dir_fd:
        pytest.skip("no descriptors of folders here")
    folder = os.open(tmp_path, os.O_RDONLY)
    yield lambda name: Place(folder, name)
    os.close(folder)


def fill(place: Place, data: bytes) -> None:
    fd = place.create()
    os.write(fd, data)
    os.close(fd)


def test_a_file_is_made_only_where_nothing_lies(at: Callable[[str], Place], tmp_path: Path) -> None:
    fill(at("a"), b"first")
    with pytest.raises(FileExistsError):
        at("a").create()
    assert (tmp_path / "a").read_bytes() == b"first"


def test_what_lies_there_is_told_without_following_a_link(
    at: Callable[[str], Place], tmp_path: Path
) -> None:
    assert at("a").stat() is None
    (tmp_path / "link").symlink_to("nowhere")
    assert at("link").stat() is not None


def test_a_sibling_is_in_the_same_folder(at: Callable[[str], Place], tmp_path: Path) -> None:
    fill(at("a").sibling("b"), b"x")
    assert (tmp_path / "b").read_bytes() == b"x"


def test_a_file_is_opened_read_and_removed(at: Callable[[str], Place]) -> None:
    fill(at("a"), b"x")
    fd = at("a").open()
    assert os.read(fd, 10) == b"x"
    os.close(fd)
    at("a").unlink()
    assert at("a").stat() is None


def test_a_link_is_not_opened(at: Callable[[str], Place], tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        at("link").open()


def test_folders_are_made_and_removed(at: Callable[[str], Place], tmp_path: Path) -> None:
    at("folder").mkdir()
    assert (tmp_path / "folder").is_dir()
    at("folder").rmdir()
    assert not (tmp_path / "folder").exists()


def test_replacing_takes_the_other_files_name(at: Callable[[str], Place], tmp_path: Path) -> None:
    fill(at("new"), b"new")
    fill(at("a"), b"old")
    at("new").replace(at("a"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"new"}


def test_replacing_another_name_of_the_same_file_leaves_one_name(
    at: Callable[[str], Place], tmp_path: Path
) -> None:
    fill(at("a"), b"x")
    at("a").link(at("b"))
    at("a").replace(at("b"))
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_moving_never_takes_a_name_that_is_taken(
    at: Callable[[str], Place], tmp_path: Path
) -> None:
    fill(at("new"), b"new")
    fill(at("a"), b"old")
    with pytest.raises(FileExistsError):
        at("new").move(at("a"))
    at("new").move(at("b"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "a": b"old",
        "b": b"new",
    }


def refuse_links(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def lack_links(*_: object, **__: object) -> None:
    raise NotImplementedError


@pytest.mark.parametrize("no_links", [refuse_links, lack_links])
def test_without_hard_links_moving_still_keeps_what_is_there(
    at: Callable[[str], Place],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_links: Callable[..., None],
) -> None:
    """FAT and some network shares have no hard links."""
    fill(at("new"), b"new")
    fill(at("a"), b"old")
    monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(FileExistsError):
        at("new").move(at("a"))
    at("new").move(at("b"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "a": b"old",
        "b": b"new",
    }


def test_a_file_that_is_gone_gets_no_second_name(at: Callable[[str], Place]) -> None:
    with pytest.raises(FileNotFoundError):
        at("missing").link(at("b"))


def test_flags_that_a_system_lacks_count_for_nothing() -> None:
    assert flags("O_CREAT", "O_NO_SUCH_FLAG") == os.O_CREAT


def test_places_are_one_when_folder_and_name_are(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    fd = os.open(tmp_path / "boot", os.O_RDONLY) if os.name == "posix" else None
    by_path = Place(None, str(tmp_path / "boot" / "dtb"))
    assert by_path.identity() != Place(None, str(tmp_path / "dtb")).identity()
    assert by_path.identity() != by_path.sibling("other").identity()
    if fd is not None:
        assert Place(fd, "dtb").identity() == by_path.identity()
        os.close(fd)
