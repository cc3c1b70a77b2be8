from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from TftpLibrary.engine import udp
from TftpLibrary.engine.channel import RefusedRoutes, SharedChannel, TidChannel
from utest.support.faulty import Fault, make_faulty, refuse_now_and_then, refuse_segmentation
from utest.support.stations import linux_only, without_linux
from utest.support.waiting import seconds, wait_until

SEGMENT = 104


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.settimeout(seconds(5))
        yield sock


def open_channel(peer: socket.socket, refused: RefusedRoutes | None) -> TidChannel:
    sock = udp.open_tid(("127.0.0.1", 0), socket.AF_INET)
    try:
        return TidChannel(sock, peer.getsockname(), SEGMENT, refused)
    except BaseException:
        sock.close()
        raise


def frames(count: int, last: int = 40) -> memoryview:
    """So many segments that differ, the last one shorter."""
    full = b"".join(number.to_bytes(2, "big") * (SEGMENT // 2) for number in range(count - 1))
    return memoryview(full + b"z" * last)


def cut(framed: memoryview) -> list[bytes]:
    return [bytes(framed[at : at + SEGMENT]) for at in range(0, len(framed), SEGMENT)]


def receive(peer: socket.socket, count: int) -> list[bytes]:
    return [peer.recv(70_000) for _ in range(count)]


@pytest.mark.parametrize("refused", [None, set()], ids=["plain", "offloaded"])
@pytest.mark.parametrize("count", [1, 2, 64, 65, 150])
def test_each_segment_is_one_datagram(
    peer: socket.socket, refused: RefusedRoutes | None, count: int
) -> None:
    with closing(open_channel(peer, refused)) as channel:
        framed = frames(count)
        assert channel.send_frames(framed) == len(framed)
        assert receive(peer, count) == cut(framed)
        channel.send(b"\0\5\0\0\0")
        assert peer.recv(99) == b"\0\5\0\0\0"


@linux_only
def test_a_window_leaves_in_one_call(peer: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_faulty(monkeypatch)
    with closing(open_channel(peer, set())) as channel:
        channel.send_frames(frames(64))
        assert made[0].sent == [63 * SEGMENT + 40]


@linux_only
def test_a_refusal_of_the_kernel_is_remembered_for_the_route(
    peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An adapter without checksum offload refuses on older kernels."""
    made = make_faulty(monkeypatch, refuse_segmentation(SEGMENT))
    refused: RefusedRoutes = set()
    framed = frames(150)
    for attempt in range(2):
        with closing(open_channel(peer, refused)) as channel:
            assert channel.send_frames(framed) == len(framed)
            assert receive(peer, 150) == cut(framed)
        assert refused == {(socket.AF_INET, "127.0.0.1")}
        assert made[attempt].sent == [len(datagram) for datagram in cut(framed)]


@pytest.mark.parametrize("refused", [None, set()], ids=["plain", "offloaded"])
@pytest.mark.parametrize("is_segmenting", [True, False])
def test_what_had_no_room_in_the_buffer_is_told_exactly(
    peer: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    refused: RefusedRoutes | None,
    is_segmenting: bool,
) -> None:
    fault = refuse_now_and_then(3) if is_segmenting else full_and_unsegmented()
    make_faulty(monkeypatch, fault)
    framed = frames(250)
    with closing(open_channel(peer, refused)) as channel:
        left = framed
        rounds = 0
        while left:
            left = left[channel.send_frames(left) :]
            rounds += 1
        assert rounds > 1
        received = receive(peer, 250)
        assert [datagram[:2] for datagram in received] == [each[:2] for each in cut(framed)]
        assert received == cut(framed)
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.recv(99)


def full_and_unsegmented() -> Fault:
    full, unsegmented = refuse_now_and_then(40), refuse_segmentation(SEGMENT)
    return lambda octets: unsegmented(octets) or full(octets)


def test_a_send_that_fails_for_another_reason_is_told(
    peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_faulty(monkeypatch, refuse_now_and_then(1, PermissionError))
    with closing(open_channel(peer, set())) as channel, pytest.raises(PermissionError):
        channel.send_frames(frames(3))


def test_a_peer_that_closed_its_port_is_told_and_changes_no_route(peer: socket.socket) -> None:
    refused: RefusedRoutes = set()
    with closing(open_channel(peer, refused)) as channel:
        peer.close()
        framed = frames(3)

        def is_told() -> bool:
            try:
                channel.send_frames(framed)
            except ConnectionRefusedError:
                return True
            return False

        wait_until(is_told)
        assert refused == set()


def test_closing_is_final_and_may_be_repeated(peer: socket.socket) -> None:
    channel = open_channel(peer, set())
    channel.close()
    channel.close()
    assert channel.sock is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        channel.send(b"late")
    with pytest.raises(OSError, match="Bad file descriptor"):
        channel.send_frames(frames(2))


def test_a_peer_that_cannot_be_reached_leaves_no_socket_open() -> None:
    sock = udp.open_tid(("127.0.0.1", 0), socket.AF_INET)
    with closing(sock), pytest.raises(OSError):  # noqa: PT011 - the system has several words
        TidChannel(sock, ("192.0.2.1", 9), SEGMENT, None)


def test_where_strangers_cannot_be_seen_the_channel_works_all_the_same(
    peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_linux(monkeypatch)
    with closing(open_channel(peer, set())) as channel:
        assert channel.strangers is None
        channel.send_frames(frames(3))
        assert receive(peer, 3) == cut(frames(3))
        channel.close()


# The server's own port


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
    assert (channel.sock, channel.strangers) == (None, None)
    assert shared.fileno() >= 0


class FullSocket(socket.socket):
    """A shared port whose buffer has room for two datagrams."""

    room = 2

    def sendmsg(self, *arguments: Any) -> int:
        if not self.room:
            raise BlockingIOError
        self.room -= 1
        return super().sendmsg(*arguments)


@linux_only
def test_a_shared_port_tells_what_had_no_room(peer: socket.socket) -> None:
    with FullSocket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        channel = SharedChannel(sock, peer.getsockname(), SEGMENT, None)
        assert channel.send_frames(frames(5)) == 2 * SEGMENT
