"""Content made for tests: of any size, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum

from TftpLibrary.errors import UsageError
from TftpLibrary.store.digests import CHUNK

_LINE = 64


class TestContent(Enum):
    """The content of a test file.

    | ``random`` | Bytes without any order; the seed decides which. |
    | ``zeros``  | Bytes that are all zero. |
    | ``text``   | Lines of 64 bytes, each beginning with its number: fit for netascii. |
    | ``count``  | Words of four bytes, each its own number, big-endian: shows a misplaced word. |
    """

    random = "random"
    zeros = "zeros"
    text = "text"
    count = "count"

    __test__ = False  # pytest collects classes whose names begin with "Test".


def generate(size: int, content: TestContent, seed: int = 0) -> Iterator[bytes]:
    """Yields content of exactly `size` bytes.

    Raises:
        UsageError: the size is negative.
    """
    if size < 0:
        raise UsageError(f"The size of a test file is 0 or more bytes, not {size}.")
    make = _MAKERS[content](seed)
    return (make(start)[: size - start] for start in range(0, size, CHUNK))


def _random(seed: int) -> Callable[[int], bytes]:
    import random  # noqa: PLC0415 - it takes longer to import than all of this module

    numbers = random.Random(seed)
    return lambda _: numbers.randbytes(CHUNK)


def _zeros(_: int) -> Callable[[int], bytes]:
    zeros = bytes(CHUNK)
    return lambda _: zeros


def _text(_: int) -> Callable[[int], bytes]:
    rest = " the quick brown fox jumps over the lazy dog, 0123456789"[: _LINE - 9].ljust(_LINE - 9)

    def make(start: int) -> bytes:
        first = start // _LINE + 1
        lines = (f"{number:08}{rest}\n" for number in range(first, first + CHUNK // _LINE))
        return "".join(lines).encode("ascii")

    return make


def _count(_: int) -> Callable[[int], bytes]:
    def make(start: int) -> bytes:
        first = start // 4
        words = range(first, first + CHUNK // 4)
        return b"".join([(word & 0xFFFFFFFF).to_bytes(4, "big") for word in words])

    return make


_MAKERS: dict[TestContent, Callable[[int], Callable[[int], bytes]]] = {
    TestContent.random: _random,
    TestContent.zeros: _zeros,
    TestContent.text: _text,
    TestContent.count: _count,
}
