from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.store.saved import local_sink, local_source, saved


def breaking() -> Iterator[bytes]:
    yield b"ab"
    raise UsageError("it broke off")


def test_content_appears_in_one_step(tmp_path: Path) -> None:
    target = saved(tmp_path / "new" / "zImage", "zImage", 3, [b"ab", b"c"])
    assert target.read_bytes() == b"abc"
    assert saved(tmp_path, "kernel", None, [b"d"]) == tmp_path / "kernel"
    with pytest.raises(UsageError, match="it broke off"):
        saved(target, "zImage", 3, breaking())
    assert target.read_bytes() == b"abc"
    assert sorted(path.name for path in target.parent.iterdir()) == ["zImage"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="Cannot write"):
        saved(tmp_path / "file" / "zImage", "zImage", 3, [b"abc"])
    with pytest.raises(UsageError, match="are free in"):
        saved(tmp_path / "huge", "huge", 1 << 60, [])
    with pytest.raises(UsageError, match="There is no folder"), local_sink(tmp_path / "a" / "b"):
        pass
    with pytest.raises(UsageError, match="Cannot read"), local_source(tmp_path / "missing"):
        pass


def test_a_sink_that_is_not_committed_leaves_nothing(tmp_path: Path) -> None:
    with local_sink(tmp_path / "zImage") as sink:
        sink.write([b"ab"])
    assert list(tmp_path.iterdir()) == []
