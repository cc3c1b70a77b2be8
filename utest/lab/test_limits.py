from __future__ import annotations

from pathlib import Path

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.lab.limits import Limits
from TftpLibrary.settings import ServerSettings

OURS = ServerSettings()


def test_only_allowed_folders_are_served(tmp_path: Path) -> None:
    allowed = tmp_path / "images"
    (allowed / "board").mkdir(parents=True)
    (allowed / "out").symlink_to(tmp_path)
    limits = Limits(roots=(allowed,))
    assert limits.check_root(None, OURS) is None
    assert limits.check_root(str(allowed / "board"), OURS) == allowed / "board"
    for root in (tmp_path, allowed / "out", allowed / ".." / "x"):
        with pytest.raises(UsageError, match="is no folder that the lab .* allows"):
            limits.check_root(str(root), OURS)
    with pytest.raises(UsageError, match="is not on the lab host"):
        limits.check_root(str(allowed / "missing"), OURS)
    with pytest.raises(UsageError, match="follow_symlinks"):
        limits.check_root(None, ServerSettings(follow_symlinks=True))


def test_only_boards_of_the_lab_are_served_and_asked() -> None:
    limits = Limits(clients=("192.168.77.0/24", "127.0.0.1"))
    assert limits.settings(OURS).clients == limits.clients
    own = ServerSettings(clients=("192.168.77.50",))
    assert limits.settings(own) == own
    with pytest.raises(UsageError, match="is not served at this lab"):
        limits.settings(ServerSettings(clients=("192.168.0.0/16",)))
    limits.check_host("192.168.77.9")
    limits.check_host("127.0.0.1")
    with pytest.raises(UsageError, match="is not one of this lab"):
        limits.check_host("127.0.0.2")


def test_room_is_counted_over_all_private_folders(tmp_path: Path) -> None:
    limits = Limits(space=1000, folder=tmp_path)
    (tmp_path / "a").write_bytes(bytes(600))
    limits.check_room(400)
    with pytest.raises(UsageError, match=r"401 bytes? are needed, and 400 bytes? of 1"):
        limits.check_room(401)
    assert limits.settings(OURS).max_upload_size == 400
