from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from assertionengine import AssertionOperator
from robot.api.types import Secret

from TftpLibrary.client import TftpClient
from TftpLibrary.errors import ExpectationError, PeerError, UsageError
from TftpLibrary.keywords.conversions import HashAlgorithm, to_size
from TftpLibrary.keywords.files import FileKeywords
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.station import StationFiles
from TftpLibrary.store.content import TestContent

EQUAL, CONTAINS = AssertionOperator["=="], AssertionOperator["contains"]


@pytest.fixture
def keywords(started: LibraryState) -> FileKeywords:
    return FileKeywords(started)


@pytest.fixture
def files(started: LibraryState) -> StationFiles:
    return started.server().files


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "images" / "zImage"
    path.parent.mkdir()
    path.write_bytes(b"kernel")
    return path


def test_a_file_is_uploaded_under_its_own_name_or_another(
    keywords: FileKeywords, files: StationFiles, image: Path
) -> None:
    assert keywords.upload_file(str(image)).name == "zImage"
    assert keywords.upload_file(str(image), "/boot/zImage").name == "boot/zImage"
    assert files.list() == ["boot/zImage", "zImage"]


def test_a_file_url_is_a_source(keywords: FileKeywords, image: Path) -> None:
    assert keywords.upload_file(image.as_uri()).size == 6


def test_what_was_stored_is_logged(
    keywords: FileKeywords, image: Path, log: pytest.LogCaptureFixture
) -> None:
    file = keywords.upload_file(str(image))
    again = keywords.upload_file(str(image))
    assert (file.uploaded, again.uploaded) == (True, False)
    digest = f"'zImage', 6 bytes, sha256 {file.sha256}"
    assert log.messages == [f"Stored {digest}", f"Already there, with the same content: {digest}"]


def test_a_missing_source_is_told(keywords: FileKeywords, files: StationFiles, image: Path) -> None:
    with pytest.raises(UsageError, match="bzImage"):
        keywords.upload_file(str(image.with_name("bzImage")))
    with pytest.raises(UsageError, match="source must be a path, got an empty text."):
        keywords.upload_file("")
    assert files.list() == []


def test_a_file_can_be_for_one_board_only(
    keywords: FileKeywords, started: LibraryState, image: Path
) -> None:
    keywords.upload_file(str(image), only_for="127.0.0.9")
    server = started.server()
    with (
        TftpClient(server.host, server.port) as board,
        pytest.raises(PeerError, match="File not found"),
    ):
        board.get_bytes("zImage")


def test_text_and_bytes_become_files(keywords: FileKeywords, files: StationFiles) -> None:
    keywords.upload_text("Größe\n", "size.txt")
    keywords.upload_bytes(b"\x00\xff", "octets.bin")
    assert files.read_bytes("size.txt") == "Größe\n".encode()
    assert files.read_bytes("octets.bin") == b"\x00\xff"


def test_overwrite_protects_what_is_there(keywords: FileKeywords, files: StationFiles) -> None:
    keywords.upload_text("old", "a.txt")
    keywords.upload_text("new", "a.txt")
    with pytest.raises(UsageError, match="File 'a.txt' exists already"):
        keywords.upload_text("x", "a.txt", overwrite=False)
    with pytest.raises(UsageError, match="File 'a.txt' exists already"):
        keywords.upload_bytes(b"x", "a.txt", overwrite=False)
    assert files.read_bytes("a.txt") == b"new"


def test_a_folder_is_uploaded_with_its_folders(keywords: FileKeywords, image: Path) -> None:
    (image.parent / "rpi4").mkdir()
    (image.parent / "rpi4" / "a.dtb").touch()
    stored = keywords.upload_folder(image.parent, "boot")
    assert [file.name for file in stored] == ["boot/rpi4/a.dtb", "boot/zImage"]
    stored = keywords.upload_folder(image.parent, pattern="*.dtb")
    assert [file.name for file in stored] == ["rpi4/a.dtb"]


def test_a_test_file_has_the_size_and_content_asked(
    keywords: FileKeywords, files: StationFiles
) -> None:
    assert keywords.create_test_file("a.bin", to_size("1 KiB")).size == 1024
    keywords.create_test_file("z.bin", to_size(3), content=TestContent.zeros)
    assert files.read_bytes("z.bin") == bytes(3)
    other = keywords.create_test_file("b.bin", to_size("1 KiB"), seed=1)
    assert other.sha256 != files.get("a.bin").sha256


def test_a_file_is_saved_to_a_path_or_a_folder(keywords: FileKeywords, tmp_path: Path) -> None:
    keywords.upload_text("hostname r7", "startup-config")
    assert keywords.save_tftp_file("startup-config", tmp_path) == tmp_path / "startup-config"
    keywords.save_tftp_file("startup-config", tmp_path / "r7.cfg")
    assert (tmp_path / "r7.cfg").read_text() == "hostname r7"


def test_files_are_copied_renamed_and_deleted(keywords: FileKeywords, files: StationFiles) -> None:
    keywords.upload_text("hello", "a")
    assert keywords.copy_tftp_file("a", "b").name == "b"
    assert keywords.rename_tftp_file("a", "c").name == "c"
    assert files.list() == ["b", "c"]
    with pytest.raises(UsageError, match="exists already"):
        keywords.copy_tftp_file("b", keywords.upload_text("other", "d").name)
    keywords.rename_tftp_file("b", "d", overwrite=True)
    keywords.delete_file("c")
    assert files.list() == ["d"]


def test_deleting_a_file_that_is_not_there_lists_the_files(keywords: FileKeywords) -> None:
    keywords.upload_text("", "b")
    keywords.upload_text("", "a")
    with pytest.raises(UsageError) as caught:
        keywords.delete_file("x")
    assert str(caught.value) == "No file 'x'. Files: a, b."
    keywords.delete_file("x", missing_ok=True)


def test_all_files_are_deleted(keywords: FileKeywords, files: StationFiles) -> None:
    keywords.upload_text("", "b")
    keywords.upload_text("", "a/c")
    assert keywords.delete_all_files() == ["a/c", "b"]
    assert files.list() == []


# Asking


@pytest.fixture
def stored(started: LibraryState) -> FileKeywords:
    started.server().files.upload_bytes(b"hostname r7\n", "startup-config")
    return FileKeywords(started)


def test_a_file_is_told_with_its_checksums(stored: FileKeywords) -> None:
    file = stored.get_tftp_file("startup-config")
    assert (file.name, file.size) == ("startup-config", 12)
    assert file.sha256 == hashlib.sha256(b"hostname r7\n").hexdigest()


def test_a_file_that_is_not_there_is_told_with_those_that_are(stored: FileKeywords) -> None:
    for getter in (
        stored.get_tftp_file,
        stored.get_tftp_file_size,
        stored.get_tftp_file_checksum,
        stored.get_tftp_file_text,
    ):
        with pytest.raises(UsageError) as caught:
            getter("x")
        assert str(caught.value) == "No file 'x'. Files: startup-config."


def test_the_size_is_checked_in_octets_or_with_a_unit(stored: FileKeywords) -> None:
    assert stored.get_tftp_file_size("startup-config") == 12
    stored.get_tftp_file_size("startup-config", EQUAL, "12 B")
    with pytest.raises(
        AssertionError, match=r"^Size of 'startup-config': '12' .* should be '1 kB'"
    ):
        stored.get_tftp_file_size("startup-config", EQUAL, "1 kB")


@pytest.mark.parametrize("algorithm", [HashAlgorithm.md5, HashAlgorithm.sha512])
def test_a_checksum_is_checked(stored: FileKeywords, algorithm: HashAlgorithm) -> None:
    expected = hashlib.new(algorithm.value, b"hostname r7\n").hexdigest()
    assert stored.get_tftp_file_checksum("startup-config", algorithm) == expected
    stored.get_tftp_file_checksum("startup-config", algorithm, EQUAL, expected)
    wrong = "0" * len(expected)
    with pytest.raises(AssertionError, match=rf"^{algorithm.value} of 'startup-config': '.* '000"):
        stored.get_tftp_file_checksum("startup-config", algorithm, EQUAL, wrong)


@pytest.mark.parametrize("name", ["*", "start*", "startup-confi[g]"])
def test_a_glob_that_matches_a_file_is_no_proof_that_there_is_none(
    stored: FileKeywords, name: str
) -> None:
    stored.tftp_file_should_exist(name)
    with pytest.raises(ExpectationError, match="File 'startup-config' should not exist, but it"):
        stored.tftp_file_should_not_exist(name)
    stored.tftp_file_should_not_exist("*.dtb")
    with pytest.raises(ExpectationError, match=r"No file '\*.dtb'"):
        stored.tftp_file_should_exist("*.dtb")


def test_delete_says_that_it_takes_no_glob(stored: FileKeywords) -> None:
    with pytest.raises(UsageError) as error:
        stored.delete_file("start*", missing_ok=True)
    assert str(error.value) == (
        "'start*' is the name of one file here, and no glob. Files like that: startup-config."
    )
    stored.delete_file("*.dtb", missing_ok=True)


def test_every_algorithm_is_known_to_the_store(stored: FileKeywords) -> None:
    for algorithm in HashAlgorithm:
        assert stored.get_tftp_file_checksum("startup-config", algorithm)


def test_the_text_is_checked(stored: FileKeywords) -> None:
    assert stored.get_tftp_file_text("startup-config") == "hostname r7\n"
    stored.get_tftp_file_text("startup-config", CONTAINS, "r7")
    with pytest.raises(AssertionError, match=r"^Text of 'startup-config': .* should contain 'r8'"):
        stored.get_tftp_file_text("startup-config", CONTAINS, "r8")


def test_octets_that_are_no_text_are_escaped(stored: FileKeywords) -> None:
    """A lone surrogate would make output.xml unreadable."""
    stored.state.server().files.upload_bytes(b"a\xff", "octets")
    assert stored.get_tftp_file_text("octets") == "a\\xff"


def test_files_are_listed_sorted_and_with_their_folders(stored: FileKeywords) -> None:
    files = stored.state.server().files
    files.upload_bytes(b"", "boot/b.dtb")
    files.upload_bytes(b"", "boot/a.dtb")
    assert stored.list_files() == ["boot/a.dtb", "boot/b.dtb", "startup-config"]
    stored.list_files("*.dtb", EQUAL, ["boot/b.dtb", "boot/a.dtb"])
    stored.list_files("*", CONTAINS, "startup-config")
    with pytest.raises(AssertionError, match=r"^Files '\['boot/a.dtb', 'boot/b.dtb'\]'"):
        stored.list_files("*.dtb", EQUAL, "boot/a.dtb")


def test_a_file_should_exist(stored: FileKeywords) -> None:
    stored.tftp_file_should_exist("/startup-config")
    stored.state.server().files.upload_bytes(b"", "a")
    with pytest.raises(ExpectationError) as caught:
        stored.tftp_file_should_exist("x")
    assert str(caught.value) == "No file 'x'. Files: a, startup-config."


def test_a_file_should_not_exist(stored: FileKeywords) -> None:
    stored.tftp_file_should_not_exist("x")
    with pytest.raises(ExpectationError) as caught:
        stored.tftp_file_should_not_exist("startup-config")
    assert str(caught.value) == "File 'startup-config' should not exist, but it does."


def test_the_file_of_a_single_board_is_found_with_its_address(keywords: FileKeywords) -> None:
    board = "192.168.1.50"
    keywords.upload_text("all", "name")
    keywords.upload_text("board", "name", only_for=board)
    keywords.upload_text("key", "key", only_for=board)
    assert keywords.get_tftp_file_text("name", client=board) == "board"
    assert keywords.get_tftp_file_size("name", client=board) == 5
    assert keywords.get_tftp_file("name", client=board).size == 5
    checksum = keywords.get_tftp_file_checksum("name", client=board)
    assert checksum != keywords.get_tftp_file_checksum("name")
    assert keywords.list_files(client=board) == ["key", "name"]
    assert keywords.list_files(client="10.0.0.1") == ["name"]
    keywords.tftp_file_should_exist("key", client=board)
    keywords.tftp_file_should_not_exist("key", client="10.0.0.1")
    with pytest.raises(ExpectationError, match="No file 'key' for 10.0.0.1. Files: name."):
        keywords.tftp_file_should_exist("key", client="10.0.0.1")
    keywords.copy_tftp_file("key", "copy", client=board)
    keywords.rename_tftp_file("copy", "other", client=board)
    keywords.delete_file("key", client=board)
    assert keywords.list_files() == ["name", "other"]
    with pytest.raises(UsageError, match="It is for all boards: leave client= out"):
        keywords.rename_tftp_file("name", "x", client="10.0.0.1")


@pytest.mark.parametrize("is_secret", [False, True])
def test_the_log_of_a_copy_has_no_password(
    keywords: FileKeywords, monkeypatch: pytest.MonkeyPatch, is_secret: bool
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("TftpLibrary.keywords.reporting.copy_progress", shown.append)
    url = "htp://me:password@host/fw.bin?key=word"
    with pytest.raises(UsageError) as caught:
        keywords.upload_file(Secret(url) if is_secret else url)
    assert shown == ["htp://host/fw.bin?..."]
    assert "password" not in str(caught.value)
