"""The sockets of a caller; `test_caller` has what they do in a call."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from TftpLibrary.engine.lines import Lines, Place
from TftpLibrary.engine.udp import DONTWAIT
from TftpLibrary.protocol.datagrams import Datagram
from TftpLibrary.protocol.outcome import Cause, End, Outcome
from utest.support.bench import linux_only
from utest.support.faulty import make_faulty
from utest.support.waiting import seconds, wait_until

SILENT = End(Outcome.timed_out, None, "no answer")


@pytest.fixture
def peers() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for sock, host in ((one, "127.0.0.1"), (other, "127.0.0.2")):
            sock.bind((host, 0))
            sock.settimeout(seconds(5))
        yield one, other


class Desk:
    """Lines, and what they ask."""

    def __init__(self, *peers: socket.socket) -> None:
        places = tuple((socket.AF_INET, sock.getsockname()) for sock in peers)
        self.refused: list[Place] = []
        self.lines = Lines(places, "127.0.0.1", self._put)

    def _put(self, octets: bytes, place: Place) -> None:
        if place in self.refused:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        self.lines.send(octets, place)


@linux_only
def test_each_try_asks_the_next_address(peers: tuple[socket.socket, socket.socket]) -> None:
    desk = Desk(*peers)
    for request in (b"1", b"2", b"3"):
        desk.lines.ask(request)
    assert [peers[0].recv(9), peers[0].recv(9), peers[1].recv(9)] == [b"1", b"3", b"2"]
    desk.lines.ask_again(peers[0].getsockname())
    desk.lines.ask(b"4")
    assert peers[0].recv(9) == b"4"
    desk.lines.close()


@linux_only
def test_an_address_that_nothing_can_be_sent_to_is_passed_over(
    peers: tuple[socket.socket, socket.socket],
) -> None:
    desk = Desk(*peers)
    desk.refused = [desk.lines.servers[0]]
    desk.lines.ask(b"1")
    assert peers[1].recv(9) == b"1"
    desk.refused = list(desk.lines.servers)
    desk.lines.ask(b"2")
    end = desk.lines.explained(SILENT)
    assert end.cause is Cause.no_way
    assert end.message == (
        "no answer; asked 127.0.0.1 and 127.0.0.2; 127.0.0.1: network is unreachable; "
        "127.0.0.2: network is unreachable"
    )
    desk.lines.close()


@linux_only
def test_an_answer_of_a_host_that_was_not_asked_is_named(
    peers: tuple[socket.socket, socket.socket],
) -> None:
    asked, other = peers
    desk = Desk(asked)
    other.sendto(b"\0\3\0\1", desk.lines.local)
    assert list(desk.lines.receive(is_any_taken=False)) == []
    assert desk.lines.others == ["127.0.0.2"]
    assert other.recv(100)[:4] == b"\0\5\0\5"
    other.sendto(b"\0\3\0\1", desk.lines.local)
    (came,) = desk.lines.receive(is_any_taken=True)
    assert came == (b"\0\3\0\1", (socket.AF_INET, other.getsockname()))
    assert "127.0.0.2 answered, which was not asked" in desk.lines.explained(SILENT).message
    desk.lines.close()


@linux_only
def test_a_closed_port_is_noted(peers: tuple[socket.socket, socket.socket]) -> None:
    desk = Desk(peers[0])
    peers[0].close()
    desk.lines.ask(b"1")

    def is_noted() -> bool:
        list(desk.lines.receive(is_any_taken=False))
        return desk.lines.explained(SILENT).cause is Cause.no_listener

    wait_until(is_noted)
    desk.lines.close()


def test_the_socket_of_one_family_is_kept(peers: tuple[socket.socket, socket.socket]) -> None:
    desk = Desk(peers[0])
    shown: list[Datagram] = []
    desk.lines.tap(shown.append)
    sock = desk.lines.keep(socket.AF_INET)
    assert sock.fileno() in desk.lines.descriptors
    desk.lines.ask(b"nobody is asked any more")
    # A late request may still leave; one of another family cannot.
    desk.lines.send(b"late", (socket.AF_INET, peers[0].getsockname()))
    desk.lines.send(b"lost", (socket.AF_INET6, ("::1", 69, 0, 0)))
    assert peers[0].recv(9) == b"late"
    assert [each.octets for each in shown] == [b"late"]
    desk.lines.close()
    desk.lines.close()


def test_without_a_socket_there_are_no_lines() -> None:
    with pytest.raises(OSError, match="requested address"):
        Lines(((socket.AF_INET, ("127.0.0.1", 69)),), "203.0.113.1", lambda _octets, _place: None)


def test_a_request_leaves_although_the_one_before_was_refused(
    peers: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system may tell the news of an earlier datagram with the next one, which did not leave."""
    made = make_faulty(monkeypatch)
    desk = Desk(peers[0])
    news = [ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")]
    made[0].fault = lambda _size: news.pop() if news else None
    desk.lines.ask(b"1")
    assert peers[0].recv(9) == b"1"
    end = desk.lines.explained(SILENT)
    assert (end.cause, end.message) == (
        Cause.no_listener,
        "no answer; 127.0.0.1: nothing listens at that port",
    )
    desk.lines.close()


@linux_only
def test_the_last_address_that_is_closed_is_passed_over_at_once(
    peers: tuple[socket.socket, socket.socket],
) -> None:
    desk = Desk(*peers)
    peers[0].close()
    desk.lines.ask(b"1")

    def has_asked_the_next() -> bool:
        list(desk.lines.receive(is_any_taken=False))
        try:
            return peers[1].recv(9, DONTWAIT) == b"1"
        except BlockingIOError:
            return False

    wait_until(has_asked_the_next)
    desk.lines.close()
