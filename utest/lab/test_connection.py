from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from TftpLibrary.lab import connection as module
from TftpLibrary.lab.carriers import SocketStream
from TftpLibrary.lab.connection import Connection, Mailbox
from TftpLibrary.lab.frames import MOST_MESSAGE, Message, Piece
from utest.support.waiting import seconds

Ends = tuple[Connection, Connection, Mailbox[Message | Piece]]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Two ends of a connection, and what comes to the second."""
    one, other = socket.socketpair()
    came = Mailbox[Message | Piece]()
    first = Connection(SocketStream(one), lambda _: None, lambda: None, MOST_MESSAGE)
    second = Connection(SocketStream(other), came.put, came.close, MOST_MESSAGE)
    first.start()
    second.start()
    yield first, second, came
    first.close()
    second.close()


def test_messages_and_pieces_keep_their_order(ends: Ends) -> None:
    first, _, came = ends
    sent: list[Message | Piece] = []
    for number in range(50):
        message: Message = {"jsonrpc": "2.0", "method": "x", "params": {"n": number}}
        first.send(message)
        first.send_piece(Piece(number, b"x" * number), lambda: True)
        sent += [message, Piece(number, b"x" * number)]
    assert [came.get(seconds(5)) for _ in sent] == sent


def test_the_end_of_one_side_is_seen_at_the_other(ends: Ends) -> None:
    first, second, came = ends
    first.close()
    assert came.get(seconds(5)) is None
    second.wait()
    assert second.lost == "the connection was closed there"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_ends_the_connection_at_once(ends: Ends) -> None:
    def make() -> Message:
        raise ZeroDivisionError

    first, _, came = ends
    first.send(make)
    assert came.get(seconds(5)) is None
    first.wait()
    assert first.lost == "an unexpected exception ended it, please report it"


def test_a_side_that_falls_silent_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SIGN_OF_LIFE", 0.02)
    one, other = socket.socketpair()
    lost = threading.Event()
    alone = Connection(SocketStream(one), lambda _: None, lost.set, MOST_MESSAGE)
    alone.start()
    assert lost.wait(seconds(5))
    assert alone.lost.startswith("it has not answered for")
    other.close()


def test_signs_of_life_keep_a_connection(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(module, "SIGN_OF_LIFE", 0.02)
    first, second, came = request.getfixturevalue("ends")
    signs = [came.get(seconds(5)) for _ in range(module.SILENCES * 3)]
    assert all(isinstance(each, dict) and each["method"] == "alive" for each in signs)
    assert not first.lost
    assert not second.lost


def test_who_puts_too_much_waits_until_it_is_taken() -> None:
    mailbox = Mailbox[int]()
    done = threading.Event()

    def put_all() -> None:
        for number in range(20):
            mailbox.put(number)
        done.set()

    threading.Thread(target=put_all, daemon=True).start()
    assert [mailbox.get(seconds(5)) for _ in range(16)] == [*range(16)]
    assert not done.is_set() or mailbox.get(0) == 16
    mailbox.close()
    assert done.wait(seconds(5))
