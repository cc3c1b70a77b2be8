from __future__ import annotations

import hashlib

import pytest
from assertionengine import AssertionOperator

from TftpLibrary.errors import ExpectationError, UsageError
from TftpLibrary.keywords.conversions import HashAlgorithm
from TftpLibrary.keywords.file_info import FileInfoKeywords
from TftpLibrary.keywords.state import LibraryState

EQUAL, CONTAINS = AssertionOperator["=="], AssertionOperator["contains"]


@pytest.fixture
def keywords(started: LibraryState) -> FileInfoKeywords:
    started.server().files.upload_bytes(b"hostname r7\n", "startup-config")
    return FileInfoKeywords(started)


def test_a_file_is_told_with_its_checksums(keywords: FileInfoKeywords) -> None:
    file = keywords.get_tftp_file("startup-config")
    assert (file.name, file.size) == ("startup-config", 12)
    assert file.sha256 == hashlib.sha256(b"hostname r7\n").hexdigest()


def test_a_file_that_is_not_there_is_told_with_those_that_are(keywords: FileInfoKeywords) -> None:
    for getter in (
        keywords.get_tftp_file,
        keywords.get_tftp_file_size,
        keywords.get_tftp_file_checksum,
        keywords.get_tftp_file_text,
    ):
        with pytest.raises(UsageError) as caught:
            getter("x")
        assert str(caught.value) == "No file 'x'. Files: startup-config."


def test_the_size_is_checked_in_octets_or_with_a_unit(keywords: FileInfoKeywords) -> None:
    assert keywords.get_tftp_file_size("startup-config") == 12
    keywords.get_tftp_file_size("startup-config", EQUAL, "12 B")
    with pytest.raises(AssertionError, match=r"^Size of 'startup-config': '12' .* should be '1000"):
        keywords.get_tftp_file_size("startup-config", EQUAL, "1 kB")


@pytest.mark.parametrize("algorithm", [HashAlgorithm.md5, HashAlgorithm.sha512])
def test_a_checksum_is_checked(keywords: FileInfoKeywords, algorithm: HashAlgorithm) -> None:
    expected = hashlib.new(algorithm.value, b"hostname r7\n").hexdigest()
    assert keywords.get_tftp_file_checksum("startup-config", algorithm) == expected
    keywords.get_tftp_file_checksum("startup-config", algorithm, EQUAL, expected)
    with pytest.raises(AssertionError, match=rf"^{algorithm.value} of 'startup-config': '.* 'x'"):
        keywords.get_tftp_file_checksum("startup-config", algorithm, EQUAL, "x")


def test_every_algorithm_is_known_to_the_store(keywords: FileInfoKeywords) -> None:
    for algorithm in HashAlgorithm:
        assert keywords.get_tftp_file_checksum("startup-config", algorithm)


def test_the_text_is_checked(keywords: FileInfoKeywords) -> None:
    assert keywords.get_tftp_file_text("startup-config") == "hostname r7\n"
    keywords.get_tftp_file_text("startup-config", CONTAINS, "r7")
    with pytest.raises(AssertionError, match=r"^Text of 'startup-config': .* should contain 'r8'"):
        keywords.get_tftp_file_text("startup-config", CONTAINS, "r8")


def test_octets_that_are_no_text_are_escaped(keywords: FileInfoKeywords) -> None:
    """A lone surrogate would make output.xml unreadable."""
    keywords.state.server().files.upload_bytes(b"a\xff", "octets")
    assert keywords.get_tftp_file_text("octets") == "a\\xff"


def test_files_are_listed_sorted_and_with_their_folders(keywords: FileInfoKeywords) -> None:
    files = keywords.state.server().files
    files.upload_bytes(b"", "boot/b.dtb")
    files.upload_bytes(b"", "boot/a.dtb")
    assert keywords.list_files() == ["boot/a.dtb", "boot/b.dtb", "startup-config"]
    keywords.list_files("*.dtb", EQUAL, ["boot/b.dtb", "boot/a.dtb"])
    keywords.list_files("*", CONTAINS, "startup-config")
    with pytest.raises(AssertionError, match=r"^Files '\['boot/a.dtb', 'boot/b.dtb'\]'"):
        keywords.list_files("*.dtb", EQUAL, "boot/a.dtb")


def test_a_file_should_exist(keywords: FileInfoKeywords) -> None:
    keywords.tftp_file_should_exist("/startup-config")
    keywords.state.server().files.upload_bytes(b"", "a")
    with pytest.raises(ExpectationError) as caught:
        keywords.tftp_file_should_exist("x")
    assert str(caught.value) == "No file 'x'. Files: a, startup-config."


def test_a_file_should_not_exist(keywords: FileInfoKeywords) -> None:
    keywords.tftp_file_should_not_exist("x")
    with pytest.raises(ExpectationError) as caught:
        keywords.tftp_file_should_not_exist("startup-config")
    assert str(caught.value) == "File 'startup-config' should not exist, but it does."
