"""The port of a stranger, with raw sockets as its peers."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.foreign import ForeignPort
from TftpLibrary.protocol.datagrams import Datagram
from TftpLibrary.protocol.packets import Ack, Error
from utest.support.waiting import seconds, wait_until

HERE = ("127.0.0.1", 6969)


@pytest.fixture
def engine() -> Iterator[Engine]:
    found = Engine()
    found.start()
    yield found
    found.stop()


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(seconds(5))
        yield sock


def test_a_packet_comes_from_another_port_each_time_the_same(
    engine: Engine, peer: socket.socket
) -> None:
    port = ForeignPort(engine, lambda: None)
    for octets in (b"one", b"two"):
        engine.call(lambda octets=octets: port.send(octets, HERE, peer.getsockname()))  # type: ignore[misc]
    (one, first), (two, second) = peer.recvfrom(10), peer.recvfrom(10)
    assert (one, two) == (b"one", b"two")
    assert first == second != HERE
    engine.call(port.close)


def test_an_error_in_answer_is_heard_and_nothing_else(engine: Engine, peer: socket.socket) -> None:
    heard: list[None] = []
    port = ForeignPort(engine, lambda: heard.append(None))
    engine.call(lambda: port.send(b"x", HERE, peer.getsockname()))
    _, stranger = peer.recvfrom(10)
    peer.sendto(Ack(1).encode(), stranger)
    peer.sendto(Error(5, "Unknown transfer ID").encode(), stranger)
    wait_until(lambda: heard)
    assert heard == [None]
    engine.call(port.close)


def test_an_observer_sees_its_packets(engine: Engine, peer: socket.socket) -> None:
    shown: list[Datagram] = []
    port = ForeignPort(engine, lambda: None)
    engine.call(lambda: port.tap(shown.append))
    engine.call(lambda: port.send(b"x", HERE, peer.getsockname()))
    engine.call(lambda: port.tap(None))
    engine.call(lambda: port.send(b"y", HERE, peer.getsockname()))
    engine.call(lambda: port.tap(shown.append))
    engine.call(lambda: port.send(b"z", HERE, peer.getsockname()))
    assert [each.octets for each in shown] == [b"x", b"z"]
    assert peer.recvfrom(10)[1][1] == shown[0].source[1]
    engine.call(port.close)


def test_a_packet_that_cannot_leave_is_lost(engine: Engine) -> None:
    port = ForeignPort(engine, lambda: None)
    engine.call(lambda: port.send(b"x", ("203.0.113.1", 0), ("127.0.0.1", 9)))
    engine.call(port.close)
    engine.call(port.close)


def test_it_closes_its_socket_and_may_open_another(engine: Engine, peer: socket.socket) -> None:
    port = ForeignPort(engine, lambda: None)
    places = []
    for _ in range(2):
        engine.call(lambda: port.send(b"x", HERE, peer.getsockname()))
        places.append(peer.recvfrom(10)[1])
        engine.call(port.close)
    port.fail(ValueError())
    assert len(places) == 2
