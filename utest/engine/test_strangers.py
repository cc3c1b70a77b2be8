from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from TftpLibrary.engine import udp
from TftpLibrary.engine.strangers import Strangers
from TftpLibrary.protocol.packets import Ack, Error, Oack, decode
from utest.support.bench import A_WHILE, linux_only, without_linux
from utest.support.waiting import seconds, wait_until

pytestmark = linux_only

UNKNOWN_TID = Error(5, "Unknown transfer ID")


def plain() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(seconds(5))
    return sock


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with plain() as sock:
        yield sock


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    with plain() as sock:
        yield sock


@pytest.fixture
def tid() -> Iterator[socket.socket]:
    with closing(udp.open_tid(("127.0.0.1", 0), socket.AF_INET)) as sock:
        yield sock


@pytest.fixture
def strangers(tid: socket.socket, peer: socket.socket) -> Iterator[Strangers]:
    found = Strangers.open(tid, peer.getsockname())
    assert found is not None
    with closing(found):
        tid.connect(peer.getsockname())
        yield found


def wait_for(sock: socket.socket) -> None:
    """Waits until a datagram lies in a socket."""

    def has_one() -> bytes:
        try:
            return sock.recv(1, socket.MSG_PEEK | udp.DONTWAIT)
        except BlockingIOError:
            return b""

    wait_until(has_one)


def is_silent(sock: socket.socket) -> bool:
    sock.settimeout(seconds(A_WHILE))
    try:
        sock.recv(99)
    except TimeoutError:
        return True
    return False


def test_a_packet_from_a_foreign_tid_gets_error_5(
    strangers: Strangers, tid: socket.socket, stranger: socket.socket, peer: socket.socket
) -> None:
    """RFC 1350, section 4: an ERROR to the wrong source, without disturbing the transfer."""
    stranger.sendto(Ack(1).encode(), tid.getsockname())
    wait_for(strangers.sock)
    strangers.ready()
    octets, address = stranger.recvfrom(99)
    assert decode(octets) == UNKNOWN_TID
    assert address == tid.getsockname()
    assert is_silent(peer)


def test_an_error_from_a_foreign_tid_is_never_answered(
    strangers: Strangers, tid: socket.socket, stranger: socket.socket
) -> None:
    """Two ends could answer each other for ever."""
    stranger.sendto(Error(5, "Unknown transfer ID").encode(), tid.getsockname())
    wait_for(strangers.sock)
    strangers.ready()
    assert is_silent(stranger)


def test_what_the_peer_sent_early_is_not_answered(tid: socket.socket, peer: socket.socket) -> None:
    found = Strangers.open(tid, peer.getsockname())
    assert found is not None
    with closing(found):
        # Before the transfer's own socket is connected, its peer is like any other.
        peer.sendto(Oack(()).encode(), tid.getsockname())
        wait_for(found.sock)
        found.ready()
        assert is_silent(peer)


def test_a_flood_of_strangers_is_answered_in_turns(
    strangers: Strangers, tid: socket.socket, stranger: socket.socket
) -> None:
    for _ in range(20):
        stranger.sendto(Ack(1).encode(), tid.getsockname())
    wait_for(strangers.sock)
    strangers.ready()
    answers = [decode(stranger.recv(99)) for _ in range(16)]
    assert answers == [UNKNOWN_TID] * 16
    assert is_silent(stranger)
    strangers.ready()
    assert decode(stranger.recv(99)) == UNKNOWN_TID


def test_a_stranger_that_cannot_be_answered_is_left_alone(
    strangers: Strangers, tid: socket.socket, stranger: socket.socket
) -> None:
    stranger.sendto(Ack(1).encode(), tid.getsockname())
    stranger.sendto(Ack(2).encode(), tid.getsockname())
    wait_for(strangers.sock)

    class Deaf:
        """The socket, whose first answer cannot leave."""

        attempts = 0

        def recvfrom(self, size: int) -> tuple[bytes, tuple[str, int]]:
            return real.recvfrom(size)

        def sendto(self, octets: bytes, address: tuple[str, int]) -> int:
            self.attempts += 1
            if self.attempts == 1:
                raise PermissionError
            return real.sendto(octets, address)

    real, strangers.sock = strangers.sock, Deaf()  # type: ignore[assignment]
    strangers.ready()
    strangers.sock = real
    assert decode(stranger.recv(99)) == UNKNOWN_TID
    assert is_silent(stranger)


def test_a_failure_of_our_own_leaves_the_transfer_alone(strangers: Strangers) -> None:
    strangers.fail(RuntimeError("in another method"))
    assert strangers.sock.fileno() >= 0


def test_without_the_second_socket_there_is_no_answer(
    tid: socket.socket, peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_linux(monkeypatch)
    assert Strangers.open(tid, peer.getsockname()) is None
