"""The board lets nothing pass that a correct server does not send.

A board that let a fault pass would let it pass in the stories too, so each check has a test in
which a few octets by hand, or the serving board, do the wrong thing.
"""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from atest.equipment.board_client import Ask, read_file, write_file
from atest.equipment.board_exchange import Habits, Report
from atest.equipment.board_network import Nat, open_socket
from atest.equipment.board_server import Mischief, ServingBoard
from TftpBoard.packets import (
    RRQ,
    WRQ,
    BoardError,
    encode_ack,
    encode_data,
    encode_error,
    encode_oack,
)

CONTENT = random.Random(7).randbytes(5000)
OVERGRANT = Mischief(grant={"blksize": "2000"})
BRIEF = Habits(patience=0.3)


def read(board: ServingBoard | Nat, habits: Habits | None = None, /, **options: int) -> Report:
    asked = {key: str(value) for key, value in options.items()}
    ask = Ask("f", board.host, board.port, options=asked, habits=habits or Habits())
    with closing(open_socket(board.host)) as sock:
        return read_file(ask, sock)


def write(
    board: ServingBoard, content: bytes, habits: Habits | None = None, /, **options: int
) -> Report:
    asked = {key: str(value) for key, value in options.items()}
    ask = Ask("f", board.host, board.port, options=asked, habits=habits or Habits())
    with closing(open_socket(board.host)) as sock:
        return write_file(ask, content, sock)


class Puppet:
    """A server whose answers a test writes by hand, octet by octet."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(5)
        self.host, self.port = self.sock.getsockname()

    def answers(self, *datagrams: bytes) -> None:
        """Answers the next request with these datagrams, all at once."""

        def work() -> None:
            _, client = self.sock.recvfrom(65535)
            for octets in datagrams:
                self.sock.sendto(octets, client)

        threading.Thread(target=work, daemon=True).start()

    def ask(self, kind: int = RRQ, habits: Habits = BRIEF, **options: int) -> Report:
        asked = {key: str(value) for key, value in options.items()}
        ask = Ask("f", self.host, self.port, options=asked, habits=habits)
        with closing(open_socket(self.host)) as sock:
            return read_file(ask, sock) if kind == RRQ else write_file(ask, b"x" * 600, sock)


@pytest.fixture
def puppet() -> Iterator[Puppet]:
    puppet = Puppet()
    yield puppet
    puppet.sock.close()


def test_a_serving_board_that_grants_more_than_asked_is_caught() -> None:
    with (
        ServingBoard("f", CONTENT, habits=BRIEF, mischief=OVERGRANT) as board,
        pytest.raises(BoardError, match="blksize=2000 is no possible answer to blksize=1468"),
    ):
        read(board, blksize=1468)


@pytest.mark.parametrize(
    ("datagrams", "text"),
    [
        ([encode_data(1, b"x" * 512)] * 2, "DATA 2 was expected, got DATA 1"),
        ([encode_data(1, b"x" * 512), encode_data(3, b"")], "DATA 2 was expected, got DATA 3"),
        ([encode_data(1, b"x" * 513)], "Block 1 has 513 octets, blksize is 512"),
        ([encode_data(2, b"x")], "The first answer cannot be DATA 2"),
        ([encode_ack(0)], "The first answer cannot be ACK 0"),
        ([encode_oack({})], "at least 4 octets"),
        ([encode_oack({"blksize": "8"})], "options that were asked"),
        ([encode_data(1, b"x" * 512), encode_ack(1)], "DATA 2 was expected, got ACK 1"),
        ([encode_data(1, b"x")] * 2, "had ended, but DATA 1 of 1 octets came"),
        ([encode_data(1, b"x"), encode_error(0, "late")], "ERROR 0 'late'"),
        ([b"\0\3\0"], "at least 4 octets"),
        ([], "DATA 1 was expected, nothing came in 0.3 s"),
    ],
)
def test_what_a_server_must_not_send_fails_a_read(
    puppet: Puppet, datagrams: list[bytes], text: str
) -> None:
    puppet.answers(*datagrams)
    with pytest.raises(BoardError, match=text):
        puppet.ask(habits=Habits(patience=0.3, linger=0.2))


@pytest.mark.parametrize(
    ("datagrams", "text"),
    [
        ([encode_ack(1)], "The first answer cannot be ACK 1"),
        ([encode_data(1, b"")], "The first answer cannot be DATA 1"),
        ([encode_ack(0), encode_ack(0)], "ACK 1 was expected, got ACK 0"),
        ([encode_ack(0), encode_ack(2)], "ACK 1 was expected, got ACK 2"),
        ([encode_ack(0), encode_ack(1), encode_ack(2), encode_ack(2)], "had ended, but ACK 2"),
        ([encode_ack(0)], "ACK 1 was expected, nothing came"),
    ],
)
def test_what_a_server_must_not_send_fails_a_write(
    puppet: Puppet, datagrams: list[bytes], text: str
) -> None:
    puppet.answers(*datagrams)
    with pytest.raises(BoardError, match=text):
        puppet.ask(WRQ, habits=Habits(patience=0.3, linger=0.2))


def test_a_tsize_that_is_not_the_size_of_the_file_is_noticed() -> None:
    with (
        ServingBoard("f", CONTENT, mischief=Mischief(grant={"tsize": "4999"})) as board,
        pytest.raises(BoardError, match="tsize was 4999, the file has 5000 octets"),
    ):
        read(board, tsize=0)


def test_a_packet_from_another_port_is_noticed(puppet: Puppet) -> None:
    def work() -> None:
        _, client = puppet.sock.recvfrom(65535)
        puppet.sock.sendto(encode_data(1, b"x" * 512), client)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(encode_data(2, b""), client)

    threading.Thread(target=work, daemon=True).start()
    with pytest.raises(BoardError, match=f"TID is {puppet.port}, a packet came from port"):
        puppet.ask()


def test_an_answer_from_another_address_is_noticed(puppet: Puppet) -> None:
    def work() -> None:
        _, client = puppet.sock.recvfrom(65535)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.2", 0))
            other.sendto(encode_data(1, b""), client)

    threading.Thread(target=work, daemon=True).start()
    with pytest.raises(BoardError, match=r"from the address asked, 127.0.0.1, not from 127.0.0.2"):
        puppet.ask()


def test_a_server_that_ignores_a_stranger_is_noticed() -> None:
    with (
        ServingBoard("f", CONTENT) as board,
        pytest.raises(BoardError, match="foreign TID gets ERROR 5, this one got no answer"),
    ):
        read(board, Habits(stranger_after=2, patience=0.2))


def test_a_failure_shows_the_packets_that_led_to_it(puppet: Puppet) -> None:
    puppet.answers(encode_data(1, b"x" * 512), encode_data(3, b""))
    with pytest.raises(BoardError) as failure:
        puppet.ask()
    assert str(failure.value).splitlines()[1:] == [
        "  sent RRQ b'f' octet",
        "  got  DATA 1 of 512 octets",
        "  sent ACK 1",
        "  got  DATA 3 of 0 octets",
    ]
