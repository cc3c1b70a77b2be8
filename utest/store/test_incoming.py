from __future__ import annotations

from pathlib import Path

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.store.digests import CHUNK, digests_of_all
from TftpLibrary.store.incoming import LocalFile, counted, open_source
from utest.support.stores import make_fifo, ordinary_user, posix_only


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "zImage"
    path.write_bytes(b"kernel" * 300_000)
    return path


def test_a_path_is_read_as_it_is(image: Path) -> None:
    for source in (image, str(image)):
        incoming = open_source(source)
        assert (incoming.name, incoming.size) == ("zImage", 1_800_000)
        assert incoming.digests() == digests_of_all([image.read_bytes()])
        assert b"".join(incoming.chunks()) == image.read_bytes()
        assert b"".join(incoming.chunks()) == image.read_bytes(), "It can be read twice."
        incoming.close()


def test_a_file_url_is_a_path(tmp_path: Path) -> None:
    spaced = tmp_path / "with space"
    spaced.write_bytes(b"x")
    for url in (spaced.as_uri(), "FILE" + spaced.as_uri()[4:], f"file://localhost{spaced}"):
        incoming = open_source(url)
        assert incoming.name == "with space"
        assert b"".join(incoming.chunks()) == b"x"


def test_a_drive_in_a_file_url_is_a_drive_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("TftpLibrary.store.incoming.IS_WINDOWS", True)
    with pytest.raises(UsageError, match="'C:/images/x'"):
        open_source("file:///C:/images/x")


def test_a_file_url_with_a_host_is_refused() -> None:
    with pytest.raises(UsageError, match=r"names the host 'server'. Expected file:///path"):
        open_source("file://server/x")


def test_a_missing_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError) as caught:
        open_source(tmp_path / "x")
    assert str(caught.value) == f"No file '{tmp_path / 'x'}'. Expected a file or URL to upload."
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        open_source("x")
    assert str(caught.value) == f"No file 'x' in '{tmp_path}'. Expected a file or URL to upload."


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_source(tmp_path)
    assert str(caught.value) == (
        f"'{tmp_path}' is a folder. Expected a file. To upload all files in it: "
        f"Upload Folder    {tmp_path}"
    )


@pytest.mark.parametrize(
    ("path", "folder", "pattern"),
    [
        ("*.dtb", ".", "*.dtb"),
        ("images/*/rpi?.dtb", "images", "*/rpi?.dtb"),
        ("/images/*", "/images", "*"),
    ],
)
def test_a_pattern_is_told_as_the_work_of_another_keyword(
    path: str, folder: str, pattern: str
) -> None:
    with pytest.raises(UsageError) as caught:
        open_source(Path(path))
    assert str(caught.value).endswith(
        "Expected one file, got a pattern. To upload all files that match: "
        f"Upload Folder    {Path(folder)}    pattern={pattern}"
    )


@posix_only
def test_devices_and_fifos_are_no_files(tmp_path: Path) -> None:
    make_fifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", Path("/dev/zero")):
        with pytest.raises(UsageError, match="Expected a regular file"):
            open_source(path)


def test_a_path_that_cannot_be_one_is_told() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        open_source("a\0b")


@ordinary_user
def test_a_file_that_may_not_be_read_is_told(image: Path) -> None:
    image.chmod(0)
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        list(open_source(image).chunks())


def test_a_file_that_went_before_it_was_read_is_told(image: Path) -> None:
    incoming = open_source(image)
    image.unlink()
    with pytest.raises(UsageError, match="No file"):
        list(incoming.chunks())


def test_a_file_whose_disk_fails_is_told() -> None:
    """The kernel answers so where no memory of this process is mapped."""
    memory = Path("/proc/self/mem")
    if not memory.is_file():
        pytest.skip("no file that fails to be read")
    with pytest.raises(UsageError, match="cannot be read: Input/output error"):
        list(LocalFile(memory).chunks())


@pytest.mark.parametrize("moment", ["before", "meanwhile"])
def test_a_file_that_changes_while_it_is_read_is_told(image: Path, moment: str) -> None:
    """A build that still writes the image."""
    incoming = open_source(image)
    if moment == "before":
        image.write_bytes(b"other")
    chunks = incoming.chunks()
    next(chunks)
    if moment == "meanwhile":
        with image.open("ab") as stream:
            stream.write(b"more")
    with pytest.raises(UsageError, match="changed while it was read"):
        list(chunks)


def test_progress_is_told_after_each_piece(image: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    chunks = counted(open_source(image), lambda *progress: seen.append(progress))
    next(chunks)
    assert seen == []
    assert len(b"".join(chunks)) == 1_800_000 - CHUNK
    assert seen == [(CHUNK, 1_800_000), (1_800_000, 1_800_000)]
    assert len(b"".join(counted(open_source(image), None))) == 1_800_000


def test_other_urls_are_opened_elsewhere() -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(UsageError, match="memory://nothing/here does not exist"):
        open_source("memory://nothing/here")
