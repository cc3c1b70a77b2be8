"""Which folder a board sees, and which file a test means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.store.served import ServedFolders
from utest.support.stores import BOARD, posix_only

NETWORK = "192.168.1.0/24"


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[ServedFolders]:
    """A folder for all boards, one for a network, and one for a board in it."""
    (tmp_path / "all").write_bytes(b"all")
    (tmp_path / "each").write_bytes(b"all")
    served = ServedFolders(tmp_path, {}, follow_symlinks=False, ignore_case=False, keep_files=False)
    served.open()
    for client in (NETWORK, BOARD):
        folder = served.folder_for(client)
        for name in ("each", client.partition("/")[0]):
            folder.put((name,), [client.encode()], overwrite=True)
    yield served
    assert served.close() == []


def content(folders: ServedFolders, name: str, client: str = "") -> bytes:
    folder, parts = folders.find(name, client)
    path = folder.get(parts).path
    assert path is not None
    return path.read_bytes()


def names(folders: ServedFolders, client: str = "") -> list[str]:
    return sorted(parts[0] for parts in folders.names(client))


def test_without_a_client_the_file_for_all_boards_comes_first(folders: ServedFolders) -> None:
    assert content(folders, "each") == b"all"
    assert content(folders, BOARD) == BOARD.encode()
    assert names(folders) == ["192.168.1.0", BOARD, "all", "each"]


@pytest.mark.parametrize(
    ("client", "first", "seen"),
    [
        (BOARD, BOARD, ["192.168.1.0", BOARD, "all", "each"]),
        ("192.168.1.77", NETWORK, ["192.168.1.0", "all", "each"]),
        (NETWORK, NETWORK, ["192.168.1.0", "all", "each"]),
        ("10.0.0.1", "all", ["all", "each"]),
        ("fe80::1%eth0", "all", ["all", "each"]),
        ("192.168.0.0/16", "all", ["all", "each"]),
    ],
)
def test_a_client_sees_what_its_boards_get(
    folders: ServedFolders, client: str, first: str, seen: list[str]
) -> None:
    assert content(folders, "each", client) == first.encode()
    assert names(folders, client) == seen
    with pytest.raises(UsageError, match=f"^No file 'x' for {client}. Files: .*all, each"):
        folders.find("x", client)


def test_a_change_means_the_file_of_exactly_these_boards(folders: ServedFolders) -> None:
    folder, parts = folders.find_own("each", NETWORK)
    assert (folder.root, parts) == (folders.folder_for(NETWORK).root, ("each",))
    assert folders.look_own("all", BOARD) is None
    assert folders.look_own("each", "10.0.0.1") is None


@pytest.mark.parametrize(
    ("name", "client", "message"),
    [
        ("all", BOARD, "No file 'all' for {} alone. It is for all boards: leave client= out."),
        ("192.168.1.0", BOARD, "No file '192.168.1.0' for {} alone. It is for client=" + NETWORK),
        ("each", "192.168.1.77", "It is for all boards: leave client= out, client=" + NETWORK),
        ("x", BOARD, "No file 'x' for {}. Files: 192.168.1.50, each."),
        ("x", "10.0.0.1", "No file 'x' for {}. There are no files for 10.0.0.1."),
        ("each", "board", "client='board' is neither an address nor a network."),
    ],
)
def test_a_file_of_other_boards_is_not_changed(
    folders: ServedFolders, name: str, client: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        folders.find_own(name, client)
    assert message.format(client) in str(caught.value)


@posix_only
def test_a_name_as_it_is_listed_finds_the_file_of_a_board_too(folders: ServedFolders) -> None:
    folder = folders.folder_for(BOARD)
    parts = (os.fsdecode(b"odd\xff"),)
    folder.put(parts, [b"odd"], overwrite=True)
    assert folders.find_own("odd\\xff", BOARD) == (folder, parts)
    assert folders.find("odd\\xff", BOARD) == (folder, parts)


def test_nothing_is_served_before_it_is_opened() -> None:
    served = ServedFolders(None, {}, follow_symlinks=False, ignore_case=False, keep_files=False)
    with pytest.raises(UsageError, match=r"The files are not open\. Start the server, or call"):
        _ = served.common
    with pytest.raises(UsageError, match="'..' cannot be the name of a file"):
        ServedFolders(None, {"..": b""}, follow_symlinks=False, ignore_case=False, keep_files=False)
