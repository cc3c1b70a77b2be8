from __future__ import annotations

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.store.content import TestContent, generate
from TftpLibrary.store.digests import CHUNK

SIZES = [0, 1, 511, 512, 513, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 7]


def content(size: int, kind: TestContent, seed: int = 0) -> bytes:
    return b"".join(generate(size, kind, seed))


@pytest.mark.parametrize("kind", TestContent)
@pytest.mark.parametrize("size", SIZES)
def test_content_has_exactly_the_size(kind: TestContent, size: int) -> None:
    assert len(content(size, kind)) == size


@pytest.mark.parametrize("kind", TestContent)
def test_a_longer_file_begins_like_a_shorter_one(kind: TestContent) -> None:
    assert content(CHUNK + 100, kind, 5)[:1000] == content(1000, kind, 5)


def test_random_content_is_the_same_for_the_same_seed_only() -> None:
    assert content(CHUNK + 9, TestContent.random, 1) == content(CHUNK + 9, TestContent.random, 1)
    assert content(100, TestContent.random, 1) != content(100, TestContent.random, 2)
    # Every second block differs from the first: a repeated block is noticed.
    data = content(2 * CHUNK, TestContent.random)
    assert data[:CHUNK] != data[CHUNK:]


def test_zeros_are_zeros() -> None:
    assert content(1000, TestContent.zeros) == bytes(1000)


def test_each_line_of_text_tells_its_number() -> None:
    data = content(CHUNK + 640, TestContent.text)
    lines = data.decode("ascii").splitlines(keepends=True)
    assert {len(line) for line in lines} == {64}
    assert [int(line[:8]) for line in lines] == list(range(1, len(lines) + 1))


def test_each_word_counts_its_place() -> None:
    data = content(CHUNK + 400, TestContent.count)
    for place in (0, 4, 512, CHUNK, CHUNK + 396):
        assert int.from_bytes(data[place : place + 4], "big") == place // 4


def test_a_negative_size_is_told_before_anything_is_made() -> None:
    with pytest.raises(UsageError, match="0 or more bytes, not -1"):
        generate(-1, TestContent.zeros)
