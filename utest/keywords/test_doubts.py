from __future__ import annotations

from collections.abc import Iterator

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.files import Damage, Damaging, Denial
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.keywords.doubts import doubt_about
from TftpLibrary.server import TftpServer


@pytest.fixture
def server() -> Iterator[TftpServer]:
    """It has a file of two blocks: 512 and 488."""
    with TftpServer(content={"config.txt": bytes(1000), "empty": b""}) as running:
        yield running


def test_block_that_no_file_of_that_size_has_is_refused_with_those_that_it_has(
    server: TftpServer,
) -> None:
    with pytest.raises(UsageError) as error:
        doubt_about(make_rule("drop", "DATA 300", file="config.txt"), server)
    assert str(error.value) == (
        "drop DATA 300 of 'config.txt' cannot happen: the file has 1.0 kB, 2 blocks of 512. Use "
        "DATA 1 to 2 or DATA last, or a larger file."
    )


def test_block_that_only_smaller_blocks_reach_is_a_doubt(server: TftpServer) -> None:
    """1000 bytes have a block 3 of up to 500 bytes: the third one is empty then."""
    assert doubt_about(make_rule("drop", "ACK 3", file="config.txt"), server) == (
        "drop ACK 3 of 'config.txt' can only happen if the board asks for blocks of 500 bytes or "
        "less: the file has 1.0 kB, 2 blocks of 512. Use ACK 1 to 2 or ACK last, or a larger file."
    )


def test_small_largest_block_of_the_server_is_the_one_that_counts(server: TftpServer) -> None:
    server.change(max_blksize=100)
    assert doubt_about(make_rule("drop", "DATA 11", file="config.txt"), server) == ""
    assert "1.0 kB, 11 blocks of 100" in doubt_about(
        make_rule("drop", "DATA 12", file="config.txt"), server
    )


@pytest.mark.parametrize(
    ("packet", "file"),
    [
        ("DATA", "config.txt"),
        ("DATA 2", "config.txt"),
        ("DATA last", "config.txt"),
        ("DATA 1, 300", "config.txt"),
        ("OACK", "config.txt"),
        ("DATA 300", "*.txt"),
        ("DATA 300", "later.txt"),
    ],
)
def test_what_may_happen_is_no_doubt(server: TftpServer, packet: str, file: str) -> None:
    assert doubt_about(make_rule("drop", packet, file=file), server) == ""


def test_file_that_a_board_may_write_can_have_any_size(server: TftpServer) -> None:
    server.change(writable=True)
    assert doubt_about(make_rule("drop", "DATA 300", file="config.txt"), server) == ""


def test_refused_file_need_not_be_there(server: TftpServer) -> None:
    assert doubt_about(Denial("nothing"), server) == ""


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            Damage("config.txt", Damaging.flip_bit, offset=1000),
            "offset= must be below the 1000 bytes of 'config.txt', got 1000.",
        ),
        (
            Damage("config.txt", Damaging.truncate, size=1000),
            "size= must be below the 1000 bytes of 'config.txt', got 1000.",
        ),
        (
            Damage("empty", Damaging.flip_bit),
            "'empty' is empty, so nothing can be changed in it. Use append or replace.",
        ),
        (
            Damage("config.txt", Damaging.replace, content="old"),
            "content=: No file 'old'. Files: config.txt, empty.",
        ),
    ],
)
def test_damage_that_changes_nothing_is_refused(
    server: TftpServer, damage: Damage, message: str
) -> None:
    with pytest.raises(UsageError) as error:
        doubt_about(damage, server)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "damage",
    [
        Damage("config.txt", Damaging.flip_bit, offset=999),
        Damage("config.txt", Damaging.truncate),
        Damage("empty", Damaging.append),
        Damage("config.txt", Damaging.replace, content="empty"),
        Damage("*", Damaging.flip_bit, offset=10**9),
        Damage("later", Damaging.truncate, size=10**9),
    ],
)
def test_damage_that_changes_something_is_no_doubt(server: TftpServer, damage: Damage) -> None:
    assert doubt_about(damage, server) == ""
