from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.lab.carriers import SocketStream
from TftpLibrary.lab.connection import Connection
from TftpLibrary.lab.frames import MOST_MESSAGE
from TftpLibrary.lab.jobs import Cancelled, Job


@pytest.fixture
def job() -> Iterator[Job]:
    one, other = socket.socketpair()
    with one, other:
        # It is not started, so nothing leaves.
        stream = SocketStream(one)
        yield Job(1, Connection(stream, lambda _: None, lambda: None, MOST_MESSAGE))


def test_content_ends_with_an_empty_piece(job: Job) -> None:
    for piece in (b"ab", b"c", b""):
        job.pieces.put(piece)
    assert list(job.receive(3)) == [b"ab", b"c"]


def test_content_of_another_size_is_refused(job: Job) -> None:
    job.pieces.put(b"ab")
    job.pieces.put(b"")
    with pytest.raises(UsageError, match="ended after 2 of 3 bytes"):
        list(job.receive(3))


def test_a_cancelled_call_takes_and_sends_nothing_more(job: Job) -> None:
    job.pieces.put(b"ab")
    content = job.receive()
    assert next(content) == b"ab"
    job.cancel()
    with pytest.raises(Cancelled):
        next(content)
    with pytest.raises(Cancelled):
        job.send(b"ab")
