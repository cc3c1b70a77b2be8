from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.store.digests import (
    CHUNK,
    MOST_CHECKSUMS,
    MOST_HASHED,
    Checksums,
    Digester,
    checksum,
    digests_of,
    pieces,
)
from TftpLibrary.store.memory import MemorySource, MemoryStore


def source(data: bytes) -> MemorySource:
    return MemoryStore({"a": data}).open_read(b"a", "")


def test_digests_are_those_of_the_whole_content() -> None:
    digester = Digester()
    for piece in (b"hello", memoryview(b" "), b"world"):
        digester.update(piece)
    digests = digester.finish()
    assert digests.size == 11
    assert digests.sha256 == hashlib.sha256(b"hello world").hexdigest()
    assert digests.crc32 == "0d4a1185"


def test_crc32_has_eight_digits_as_u_boot_prints_it() -> None:
    assert digests_of(source(b"")).crc32 == "00000000"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5])
def test_a_source_is_read_to_its_end(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    assert b"".join(bytes(piece) for piece in pieces(source(data))) == data
    assert digests_of(source(data)).sha256 == hashlib.sha256(data).hexdigest()


class Counted:
    """A source of zeros that counts how often it is read from its beginning."""

    def __init__(self, identity: int, size: int = 5) -> None:
        self.identity = identity
        self.size = size
        self.reads = 0

    def read_into(self, buffers: Sequence[memoryview], offset: int) -> int:
        self.reads += offset == 0
        return min(self.size - offset, sum(map(len, buffers)))

    def close(self) -> None:
        """Nothing to release."""


def test_content_is_read_once_for_its_checksum() -> None:
    checksums, content = Checksums(), Counted(0)
    for _ in range(2):
        assert checksums.sha256(content) == hashlib.sha256(bytes(5)).hexdigest()
    assert content.reads == 1


def test_a_large_content_is_not_read_for_its_checksum() -> None:
    large = Counted(0, MOST_HASHED + 1)
    assert Checksums().sha256(large) == ""
    assert large.reads == 0


def test_checksums_that_are_remembered_do_not_fill_the_memory() -> None:
    checksums, first = Checksums(), Counted(0)
    for number in range(1, MOST_CHECKSUMS):
        checksums.sha256(Counted(number))
    checksums.sha256(first)
    checksums.sha256(first)
    assert first.reads == 1
    checksums.sha256(Counted(MOST_CHECKSUMS))
    checksums.sha256(first)
    assert first.reads == 2


@pytest.mark.parametrize("algorithm", ["sha256", "SHA-256", "sha_256", " Sha256 "])
def test_algorithms_are_known_by_any_spelling(algorithm: str) -> None:
    assert checksum(source(b"abc"), algorithm) == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha512", "sha3_256", "blake2b"])
def test_algorithms_of_the_standard_library_are_known(algorithm: str) -> None:
    assert checksum(source(b"abc"), algorithm) == hashlib.new(algorithm, b"abc").hexdigest()


def test_crc32_is_an_algorithm() -> None:
    assert checksum(source(b"abc"), "CRC32") == f"{zlib.crc32(b'abc'):08x}"


@pytest.mark.parametrize("algorithm", ["sha", "shake_128", ""])
def test_an_unknown_algorithm_is_told_with_the_known_ones(algorithm: str) -> None:
    with pytest.raises(UsageError) as caught:
        checksum(source(b""), algorithm)
    assert str(caught.value).startswith(
        f"No checksum algorithm '{algorithm}'. Known: crc32, blake2b, "
    )
    assert "sha256" in str(caught.value)
    assert "shake" not in str(caught.value).split("Known")[1]
