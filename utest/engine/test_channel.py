from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from TftpLibrary.engine import udp
from TftpLibrary.engine.channel import RefusedRoutes, TidChannel
from TftpLibrary.engine.udp import DONTWAIT
from TftpLibrary.protocol.packets import Error
from utest.support.bench import linux_only, without_linux
from utest.support.faulty import Fault, make_faulty, refuse_now_and_then, refuse_segmentation
from utest.support.segments import OWNER, SEGMENT, cut, frames, receive
from utest.support.waiting import seconds, wait_until


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


@linux_only
def test_a_control_packet_longer_than_a_segment_stays_in_one_piece(peer: socket.socket) -> None:
    """An OACK is longer than a tiny block; the kernel would cut it as it cuts DATA."""
    with closing(open_channel(peer, set())) as channel:
        channel.send(b"x" * (3 * SEGMENT))
        assert peer.recv(999) == b"x" * (3 * SEGMENT)
        assert channel.send_frames(frames(3)) == len(frames(3))
        assert receive(peer, 3) == cut(frames(3))
        channel.send(b"short")
        assert peer.recv(999) == b"short"


@linux_only
def test_a_window_leaves_at_once_where_one_call_can_carry_it(peer: socket.socket) -> None:
    with closing(open_channel(peer, set())) as channel:
        assert channel.send_window(frames(16))
        assert receive(peer, 16) == cut(frames(16))
        # More segments than one call may have: nothing leaves.
        assert not channel.send_window(frames(65))
        assert channel.send_window(frames(1))
        assert receive(peer, 1) == cut(frames(1))


@linux_only
def test_a_window_that_the_kernel_refuses_leaves_the_general_way(
    peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_faulty(monkeypatch, refuse_segmentation(SEGMENT))
    with closing(open_channel(peer, set())) as channel:
        framed = frames(16)
        assert not channel.send_window(framed)
        assert channel.send_frames(framed) == len(framed)
        assert receive(peer, 16) == cut(framed)
        assert not channel.send_window(framed)


@linux_only
def test_where_the_offload_cannot_be_switched_on_again_blocks_leave_one_by_one(
    peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The route may have changed meanwhile."""
    with closing(open_channel(peer, set())) as channel:
        monkeypatch.setattr(udp, "enable_offload", lambda *_: False)
        channel.send(b"x" * (3 * SEGMENT))
        assert peer.recv(999) == b"x" * (3 * SEGMENT)
        assert not channel.send_window(frames(16))
        assert channel.send_frames(frames(16)) == len(frames(16))
        assert receive(peer, 16) == cut(frames(16))


def test_closing_is_final_and_may_be_repeated(peer: socket.socket) -> None:
    channel = open_channel(peer, set())
    channel.close()
    channel.close()
    assert not channel.is_open
    assert not channel.may_block
    assert channel.descriptors(OWNER) == ()
    with pytest.raises(OSError, match="Bad file descriptor"):
        channel.receive(9, DONTWAIT)
    with pytest.raises(OSError, match="Bad file descriptor"):
        channel.send(b"x")
    with pytest.raises(OSError, match="Bad file descriptor"):
        channel.send(b"late")
    with pytest.raises(OSError, match="Bad file descriptor"):
        channel.send_frames(frames(2))
    with pytest.raises(OSError, match="Bad file descriptor"):
        channel.receive(99, DONTWAIT)


def test_a_peer_that_cannot_be_reached_leaves_no_socket_open() -> None:
    sock = udp.open_tid(("127.0.0.1", 0), socket.AF_INET)
    with closing(sock), pytest.raises(OSError):  # noqa: PT011 - the system has several words
        TidChannel(sock, ("192.0.2.1", 9), SEGMENT, None)


def test_where_strangers_cannot_be_seen_the_channel_works_all_the_same(
    peer: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_linux(monkeypatch)
    with closing(open_channel(peer, set())) as channel:
        assert len(channel.descriptors(OWNER)) == 1
        assert not channel.may_block
        channel.send_frames(frames(3))
        assert receive(peer, 3) == cut(frames(3))
        channel.close()


# A port that is not connected yet


@pytest.fixture
def brief(peer: socket.socket) -> Iterator[TidChannel]:
    sock = udp.open_tid(("127.0.0.1", 0), socket.AF_INET)
    found = TidChannel(sock, peer.getsockname(), SEGMENT, None, is_brief=True)
    with closing(found):
        yield found


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(seconds(5))
        yield sock


def address_of(channel: TidChannel) -> tuple[str, int]:
    ((descriptor, _), *_) = channel.descriptors(OWNER)
    with socket.socket(fileno=os.dup(descriptor)) as sock:
        host, port = sock.getsockname()
    return host, port


UNKNOWN_TID = Error(5, "Unknown transfer ID").encode()


@linux_only
@pytest.mark.parametrize("is_settled", [True, False])
def test_a_brief_channel_sends_to_its_peer_and_takes_from_it(
    peer: socket.socket, brief: TidChannel, is_settled: bool
) -> None:
    if is_settled:
        brief.settle()
        brief.settle()
    brief.send(b"control")
    brief.send_frame(memoryview(b"frame"))
    assert brief.send_frames(frames(3)) == len(frames(3))
    assert receive(peer, 5) == [b"control", b"frame", *cut(frames(3))]
    peer.sendto(b"answer", address_of(brief))
    assert brief.receive(99, 0) == b"answer"
    with pytest.raises(BlockingIOError):
        brief.receive(99, DONTWAIT)


@linux_only
def test_a_stranger_of_a_brief_channel_is_turned_away(
    peer: socket.socket, brief: TidChannel, stranger: socket.socket
) -> None:
    """RFC 1350, section 4."""
    stranger.sendto(b"\0\4\0\0", address_of(brief))
    peer.sendto(b"answer", address_of(brief))
    assert brief.receive(99, 0) == b"answer"
    assert stranger.recv(99) == UNKNOWN_TID
    for _ in range(20):
        stranger.sendto(b"\0\4\0\0", address_of(brief))
    # It is somebody else's turn after some of them.
    with pytest.raises(BlockingIOError):
        brief.receive(99, 0)


@linux_only
def test_what_came_before_the_channel_was_connected_is_sorted(
    peer: socket.socket, brief: TidChannel, stranger: socket.socket
) -> None:
    for octets in (b"one", b"two"):
        stranger.sendto(b"\0\4\0\0", address_of(brief))
        peer.sendto(octets, address_of(brief))
    early = brief.settle()
    peer.sendto(b"three", address_of(brief))
    assert early == [b"one", b"two"]
    assert brief.receive(99, 0) == b"three"
    assert [stranger.recv(99) for _ in range(2)] == [UNKNOWN_TID] * 2


@linux_only
@pytest.mark.parametrize("is_settled", [True, False])
def test_what_is_delivered_comes_before_what_lies_in_the_socket(
    peer: socket.socket, brief: TidChannel, is_settled: bool
) -> None:
    if is_settled:
        brief.settle()
    for octets in (b"three", b"four", b"seven"):
        peer.sendto(octets, address_of(brief))
    brief.deliver(b"one")
    brief.deliver(b"two")
    receive = brief.receive
    assert [receive(3, 0) for _ in range(3)] == [b"one", b"two", b"thr"]
    brief.deliver(b"delivered")
    receive_into, buffer = brief.receive_into, bytearray(99)
    for octets in (b"delivered", b"four", b"seven"):
        assert receive_into(memoryview(buffer), 0) == (len(octets), len(octets))
        assert buffer[: len(octets)] == octets


@linux_only
@pytest.mark.parametrize("is_settled", [True, False])
def test_what_the_kernel_merged_is_told_with_the_size_of_one_datagram(
    peer: socket.socket, brief: TidChannel, is_settled: bool
) -> None:
    if is_settled:
        brief.settle()
    brief.make_room()
    brief.merge()
    peer.connect(address_of(brief))
    assert udp.enable_offload(peer, SEGMENT)
    peer.send(frames(3))
    buffer = bytearray(65536)
    # An unconnected socket takes datagrams of strangers too, so it takes each one singly.
    expected = [(2 * SEGMENT + 40, SEGMENT)] if is_settled else [(SEGMENT, SEGMENT)] * 2
    for size in expected:
        assert brief.receive_into(memoryview(buffer), 0) == size


@linux_only
def test_a_channel_is_watched_for_its_peer_and_for_strangers(brief: TidChannel) -> None:
    ((own, owner),) = brief.descriptors(OWNER)
    assert owner is OWNER
    brief.settle()
    (first, (second, strangers)) = brief.descriptors(OWNER)
    assert first == (own, OWNER)
    assert second != own
    assert strangers is not OWNER


def test_a_channel_that_is_closed_is_not_connected(brief: TidChannel) -> None:
    brief.close()
    assert brief.settle() == []
    assert not brief.is_settled


# An observer


@linux_only
@pytest.mark.parametrize("settled", ["before", "meanwhile", "never"])
def test_an_observer_sees_what_goes_through_a_channel_while_it_looks(
    peer: socket.socket, brief: TidChannel, stranger: socket.socket, settled: str
) -> None:
    if settled == "before":
        brief.settle()
    seen: list[bytes] = []
    brief.send(b"before")
    brief.tap(lambda datagram: seen.append(datagram.octets))
    brief.send(b"out")
    if settled == "meanwhile":
        brief.settle()
    stranger.sendto(b"\0\4\0\0", address_of(brief))
    # Its answer shows that the stranger was seen first.
    handlers = [handler for _, handler in brief.descriptors(OWNER)[1:]]

    def is_turned_away() -> bool:
        for handler in handlers:
            handler.ready()
        with suppress(BlockingIOError):
            brief.receive(99, DONTWAIT)
        return len(seen) == 3

    wait_until(is_turned_away)
    peer.sendto(b"in", address_of(brief))
    assert brief.receive(99, 0) == b"in"
    brief.tap(None)
    brief.tap(None)
    brief.send(b"after")
    assert seen == [b"out", b"\0\4\0\0", UNKNOWN_TID, b"in"]
    brief.close()
    brief.tap(lambda _: None)
    brief.tap(None)
