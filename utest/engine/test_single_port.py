"""The channel of single-port mode, with a raw socket as its peer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from TftpLibrary.engine import udp
from TftpLibrary.engine.single_port import SharedChannel
from TftpLibrary.engine.udp import DONTWAIT
from utest.support.bench import linux_only, without_linux
from utest.support.segments import OWNER, SEGMENT, cut, frames, receive
from utest.support.waiting import seconds


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(seconds(5))
        yield sock


@pytest.fixture
def shared() -> Iterator[socket.socket]:
    with closing(udp.bind_request_socket("0.0.0.0", 0)) as sock:
        yield sock


@pytest.mark.parametrize("is_linux", [True, False])
def test_a_shared_port_sends_segments_to_its_peer(
    peer: socket.socket, shared: socket.socket, is_linux: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_linux:
        without_linux(monkeypatch)
    channel = SharedChannel(shared, peer.getsockname(), SEGMENT, None)
    framed = frames(5)
    assert channel.send_frames(framed) == len(framed)
    channel.send(b"\0\4\0\0")
    assert receive(peer, 6) == [*cut(framed), b"\0\4\0\0"]


@linux_only
def test_a_shared_port_answers_from_the_address_asked(
    peer: socket.socket, shared: socket.socket
) -> None:
    channel = SharedChannel(shared, peer.getsockname(), SEGMENT, ("127.0.0.3", 0))
    channel.send(b"\0\4\0\0")
    assert peer.recvfrom(99) == (b"\0\4\0\0", ("127.0.0.3", shared.getsockname()[1]))


def test_closing_a_shared_channel_leaves_the_port_open(
    peer: socket.socket, shared: socket.socket
) -> None:
    channel = SharedChannel(shared, peer.getsockname(), SEGMENT, None)
    channel.close()
    assert not channel.is_open
    assert shared.fileno() >= 0


class FullSocket(socket.socket):
    """A shared port whose buffer has room for two datagrams."""

    room = 2

    def sendto(self, *arguments: Any) -> int:
        if not self.room:
            raise BlockingIOError
        self.room -= 1
        return super().sendto(*arguments)


@linux_only
def test_a_shared_port_tells_what_had_no_room(peer: socket.socket) -> None:
    with FullSocket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        channel = SharedChannel(sock, peer.getsockname(), SEGMENT, None)
        assert channel.send_frames(frames(5)) == 2 * SEGMENT


def test_what_the_server_takes_for_a_peer_is_received_in_its_order(
    peer: socket.socket, shared: socket.socket
) -> None:
    channel = SharedChannel(shared, peer.getsockname(), SEGMENT, None)
    for octets in (b"one", b"two", b"three"):
        channel.deliver(octets)
    buffer = bytearray(9)
    assert channel.receive(9, DONTWAIT) == b"one"
    assert channel.receive(2, DONTWAIT) == b"tw"
    assert channel.receive_into(memoryview(buffer), DONTWAIT) == (5, 5)
    assert buffer[:5] == b"three"
    with pytest.raises(BlockingIOError):
        channel.receive_into(memoryview(buffer), DONTWAIT)
    assert channel.descriptors(OWNER) == ()


@pytest.mark.parametrize("is_linux", [True, False])
def test_a_frame_through_a_shared_port_is_one_datagram(
    peer: socket.socket, shared: socket.socket, is_linux: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_linux:
        without_linux(monkeypatch)
    channel = SharedChannel(shared, peer.getsockname(), SEGMENT, None)
    assert channel.settle() == []
    channel.make_room()
    channel.merge()
    channel.send_frame(memoryview(b"frame"))
    assert peer.recv(99) == b"frame"
    assert not channel.may_block
    with pytest.raises(BlockingIOError):
        channel.receive(99, 0)


def test_an_observer_sees_what_leaves_through_a_shared_port(
    peer: socket.socket, shared: socket.socket
) -> None:
    seen: list[bytes] = []
    channel = SharedChannel(shared, peer.getsockname(), SEGMENT, None)
    channel.tap(lambda datagram: seen.append(datagram.octets))
    channel.send(b"out")
    channel.tap(None)
    channel.send(b"after")
    assert seen == [b"out"]
