from __future__ import annotations

from TftpLibrary.protocol.machine import Blocks


def test_blocks_are_counted_with_both_ends() -> None:
    assert list(range(Blocks(1, 4).first, Blocks(1, 4).last + 1)) == [1, 2, 3, 4]
