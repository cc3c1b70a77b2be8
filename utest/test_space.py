from __future__ import annotations

import os
from pathlib import Path

import pytest

from TftpLibrary import space
from TftpLibrary.space import free_octets, lack_of_room
from utest.support.stores import posix_only, small_disk


def test_the_room_of_a_disk_is_known(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        free = free_octets(str(disk))
        assert free is not None
        assert 0 < free < 1024 * 1024
        assert lack_of_room(free, str(disk)) == ""
        (disk / "file").write_bytes(bytes(free // 2))
        assert free_octets(str(disk)) == pytest.approx(free / 2, abs=10_000)


@posix_only
def test_the_room_of_an_open_folder_is_known(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        assert free_octets(folder) == pytest.approx(free_octets(str(tmp_path)), rel=0.1)
    finally:
        os.close(folder)


def test_nobody_knows_the_room_of_what_is_not_there(tmp_path: Path) -> None:
    assert free_octets(str(tmp_path / "missing")) is None
    assert lack_of_room(10**18, str(tmp_path / "missing")) == ""


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="Linux")
def test_a_file_system_that_does_not_tell_its_size_has_room() -> None:
    assert free_octets("/proc") is None


def test_a_lack_of_room_is_told_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "free_octets", lambda _: 4000)
    assert lack_of_room(4000, "/srv") == lack_of_room(None, "/srv") == lack_of_room(0, "/srv") == ""
    assert lack_of_room(10 * 10**12, "/srv") == ("it needs 10.0 TB, and 4.0 kB are free in '/srv'")
    assert lack_of_room(4001, 7, "/srv").endswith("are free in '/srv'")
