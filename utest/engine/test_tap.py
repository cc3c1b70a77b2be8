"""An observer sees one datagram after the other, whole, with both ends."""

from __future__ import annotations

import random
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from TftpLibrary.client import TftpClient
from TftpLibrary.engine import hosts, udp
from TftpLibrary.engine.channel import TidChannel
from TftpLibrary.engine.tap import tapped, untapped
from TftpLibrary.errors import PeerError, UsageError
from TftpLibrary.protocol.datagrams import Datagram
from TftpLibrary.protocol.packets import Ack, Data, Direction, Error, Request
from TftpLibrary.recording.capture import Capture
from TftpLibrary.settings import ClientSettings
from utest.support.bench import QUICK, Bench, Peer, bench, linux_only, without_linux
from utest.support.captures import Packet, packets_in, tftp_of
from utest.support.waiting import seconds, wait_until

CONTENT = random.Random(7).randbytes(20_000)
HOSTS = ["127.0.0.1", "::1"]


class Wire:
    """Two sockets, one of them tapped, and what was seen there."""

    def __init__(self, stack: ExitStack, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.peer, self.sock = (
            stack.enter_context(socket.socket(family, socket.SOCK_DGRAM)) for _ in range(2)
        )
        for sock in (self.peer, self.sock):
            sock.settimeout(seconds(5))
        self.peer.bind((host, 0))
        self.sock.bind((host, 0))
        self.seen: list[Datagram] = []

    def connect(self) -> socket.socket:
        """Connects the socket and taps it."""
        self.sock.connect(self.peer.getsockname())
        return self.tap()

    def tap(self) -> socket.socket:
        return tapped(self.sock, self.seen.append)

    @property
    def octets(self) -> list[bytes]:
        return [datagram.octets for datagram in self.seen]


@pytest.fixture
def wire() -> Iterator[Wire]:
    with ExitStack() as stack:
        yield Wire(stack)


class Observed:
    """The datagrams that a bench's observer saw so far."""

    def __init__(self, found: Bench) -> None:
        self._engine = found.engine
        self._seen: list[Datagram] = []
        self.observe = self._seen.append

    @property
    def datagrams(self) -> list[Datagram]:
        """All datagrams: what has left by now has been seen once the engine does something else."""
        self._engine.call(lambda: None)
        return self._seen

    @property
    def story(self) -> list[str]:
        """The datagrams in short."""
        return story(self.datagrams)


@contextmanager
def observed(found: Bench) -> Iterator[Observed]:
    """Taps the listener of a bench for the block."""
    seen = Observed(found)
    found.engine.call(lambda: found.listener.tap(seen.observe))
    try:
        yield seen
    finally:
        found.engine.call(lambda: found.listener.tap(None))


def story(seen: Sequence[Datagram | Packet]) -> list[str]:
    """Returns what was seen in short; see `tftp_of`."""
    return [tftp_of(datagram) for datagram in seen]


def ends(sock: socket.socket) -> tuple[str, int]:
    host, port = sock.getsockname()[:2]
    return host, port


# Sockets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", HOSTS)
def test_a_datagram_that_leaves_is_seen_with_its_time_and_ends(host: str) -> None:
    with ExitStack() as stack:
        wire = Wire(stack, host)
        sock = wire.connect()
        before = time.time_ns()
        assert sock.send(b"\0\4\0\1", 0) == 4
        assert wire.peer.recv(99) == b"\0\4\0\1"
        (seen,) = wire.seen
        assert before <= seen.time_ns <= time.time_ns()
        assert seen[1:] == (ends(wire.sock), ends(wire.peer), b"\0\4\0\1", True, "", False)


def test_a_datagram_that_comes_is_seen_whole_though_its_beginning_is_taken(wire: Wire) -> None:
    sock = wire.connect()
    wire.peer.sendto(CONTENT, sock.getsockname())
    assert sock.recv(4) == CONTENT[:4]
    (seen,) = wire.seen
    assert seen[1:] == (ends(wire.peer), ends(wire.sock), CONTENT, False, "", False)


def test_a_buffer_that_is_too_short_gets_the_beginning(wire: Wire) -> None:
    sock, buffer = wire.connect(), bytearray(10)
    wire.peer.sendto(CONTENT, sock.getsockname())
    assert sock.recv_into(memoryview(buffer)[2:], 0, 0) == 8
    assert bytes(buffer) == b"\0\0" + CONTENT[:8]
    assert wire.octets == [CONTENT]


def test_an_empty_datagram_is_one_too(wire: Wire) -> None:
    sock = wire.connect()
    assert sock.send(b"") == 0
    wire.peer.sendto(b"", sock.getsockname())
    assert sock.recv_into(bytearray(9)) == 0
    assert wire.octets == [b"", b""]


@linux_only
def test_what_leaves_in_one_call_is_seen_singly(wire: Wire) -> None:
    sock = wire.connect()
    assert udp.enable_offload(sock, 104)
    assert sock.send(memoryview(CONTENT)[:1000]) == 1000
    singles = [CONTENT[at : min(at + 104, 1000)] for at in range(0, 1000, 104)]
    assert wire.octets == singles == [wire.peer.recv(9999) for _ in singles]
    udp.disable_offload(sock)
    sock.send(CONTENT[:1000])
    assert wire.octets[len(singles) :] == [CONTENT[:1000]]


@linux_only
@pytest.mark.parametrize("has_control", [True, False])
def test_what_the_kernel_merged_is_seen_singly(wire: Wire, has_control: bool) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    sock, buffer = wire.connect(), bytearray(70_000)
    assert udp.merge_datagrams(sock)
    wire.peer.connect(sock.getsockname())
    assert udp.enable_offload(wire.peer, 104)
    wire.peer.send(CONTENT[:1000])
    if has_control:
        size, control, _, address = sock.recvmsg_into([buffer], udp.CONTROL_SIZE)
        assert udp.merged_size(control) == 104
        assert address == wire.peer.getsockname()
    else:
        size = sock.recv_into(buffer)
    assert size == 1000
    assert buffer[:1000] == CONTENT[:1000]
    assert wire.octets == [CONTENT[at : min(at + 104, 1000)] for at in range(0, 1000, 104)]


def test_where_nothing_is_merged_a_call_is_one_datagram(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_linux(monkeypatch)
    sock, buffer = wire.connect(), bytearray(70_000)
    wire.peer.sendto(CONTENT, sock.getsockname())
    assert sock.recv_into(buffer) == len(CONTENT)
    sock.send(CONTENT)
    assert wire.octets == [CONTENT, CONTENT]


def test_a_socket_without_a_peer_tells_who_it_was(wire: Wire) -> None:
    sock = wire.tap()
    sock.sendto(b"\0\4\0\1", 0, wire.peer.getsockname())
    wire.peer.sendto(b"\0\3\0\1abc", sock.getsockname())
    assert sock.recvfrom(3) == (b"\0\3\0", wire.peer.getsockname())
    sent, received = wire.seen
    assert (sent.source, sent.destination) == (ends(wire.sock), ends(wire.peer))
    assert (received.source, received.destination) == (ends(wire.peer), ends(wire.sock))
    assert received.octets == b"\0\3\0\1abc"


@linux_only
@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::"])
def test_a_socket_on_a_wildcard_is_seen_at_the_address_asked(wire: Wire, wildcard: str) -> None:
    """Also where IPv4 comes through a socket of IPv6: it was IPv4 on the wire."""
    with udp.bind_request_socket(wildcard, 0) as plain:
        seen: list[Datagram] = []
        sock = tapped(plain, seen.append)
        port = plain.getsockname()[1]
        wire.peer.sendto(b"\0\1", ("127.0.0.2", port))
        arrival = wait_until(lambda: udp.receive_request(sock, 1))
        assert arrival is not None
        assert arrival[0] == b"\0"
        udp.send_from(sock, b"\0\5", arrival[1], arrival[2])
        assert wire.peer.recvfrom(9) == (b"\0\5", ("127.0.0.2", port))
        assert [each[1:4] for each in seen] == [
            (ends(wire.peer), ("127.0.0.2", port), b"\0\1"),
            (("127.0.0.2", port), ends(wire.peer), b"\0\5"),
        ]


@linux_only
def test_a_broadcast_is_seen_with_the_address_that_it_went_to(wire: Wire) -> None:
    with udp.bind_request_socket("0.0.0.0", 0) as plain:
        seen: list[Datagram] = []
        sock = tapped(plain, seen.append)
        port = plain.getsockname()[1]
        wire.peer.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        wire.peer.sendto(b"\0\1", ("127.255.255.255", port))
        wait_until(lambda: udp.receive_request(sock, 99))
        assert seen[0].destination == ("127.255.255.255", port)


def test_a_wildcard_that_is_told_nothing_has_the_address_of_the_route(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_linux(monkeypatch)
    with udp.bind_request_socket("0.0.0.0", 0) as plain:
        seen: list[Datagram] = []
        sock = tapped(plain, seen.append)
        udp.send_from(sock, b"\0\5", wire.peer.getsockname(), None)
        assert seen[0].source == ("127.0.0.1", plain.getsockname()[1])


def test_a_wildcard_without_a_route_has_an_address_of_the_same_family(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_route(host: str) -> str:
        raise UsageError(host)

    monkeypatch.setattr(hosts, "source_address", no_route)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind(("0.0.0.0", 0))
        seen: list[Datagram] = []
        tapped(plain, seen.append).sendto(b"", wire.peer.getsockname())
        assert seen[0].source[0] == "127.0.0.1"


def test_many_peers_of_a_wildcard_do_not_fill_the_memory(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("TftpLibrary.engine.tap._MOST_HOSTS", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind(("0.0.0.0", 0))
        seen: list[Datagram] = []
        sock = tapped(plain, seen.append)
        for host in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
            sock.sendto(b"", (host, wire.peer.getsockname()[1]))
        assert [each.destination[0][-1] for each in seen] == ["1", "2", "1"]


def test_what_does_not_leave_or_come_is_not_seen(wire: Wire) -> None:
    sock = wire.connect()
    sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        sock.recv(9)
    with pytest.raises(OSError, match="Message too long"):
        sock.send(bytes(70_000))
    assert wire.seen == []


def test_everything_else_is_the_socket_itself(wire: Wire) -> None:
    sock = wire.connect()
    assert (sock.fileno(), sock.family) == (wire.sock.fileno(), wire.sock.family)
    with pytest.raises(AttributeError, match="no_such_thing"):
        sock.no_such_thing  # type: ignore[attr-defined]  # noqa: B018
    sock.close()
    assert wire.sock.fileno() == -1


def test_a_socket_has_one_observer_and_can_be_had_back(wire: Wire) -> None:
    other: list[Datagram] = []
    sock = tapped(wire.connect(), other.append)
    sock.send(b"\0\4")
    assert (wire.octets, [each.octets for each in other]) == ([], [b"\0\4"])
    assert untapped(sock) is wire.sock
    assert untapped(wire.sock) is wire.sock


def test_what_is_sent_again_has_a_comment(wire: Wire) -> None:
    sock = wire.connect()
    for _ in range(2):
        sock.send(Data(1, b"abc").encode())
    assert [each.comment for each in wire.seen] == ["", "retransmit: DATA 1 was sent again"]


@linux_only
def test_a_channel_is_seen_before_it_is_connected_and_after(wire: Wire) -> None:
    sock = udp.open_tid(("127.0.0.1", 0), socket.AF_INET)
    with closing(TidChannel(sock, wire.peer.getsockname(), 104, None, is_brief=True)) as channel:
        channel.tap(wire.seen.append)
        channel.send(Data(1, b"abc").encode())
        wire.peer.sendto(b"\0\4\0\1", sock.getsockname())
        assert channel.receive(99, 0) == b"\0\4\0\1"
        channel.settle()
        # The datagrams seen before are still known.
        channel.send(Data(1, b"abc").encode())
        assert [each.octets[:4] for each in wire.seen] == [b"\0\3\0\1", b"\0\4\0\1", b"\0\3\0\1"]
        assert wire.seen[2].comment == "retransmit: DATA 1 was sent again"
        assert [each.source for each in wire.seen] == [ends(sock), ends(wire.peer), ends(sock)]


# A server ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how", [{}, {"single_port": True}, {"offload": False}, {"host": "::1"}], ids=str
)
def test_a_read_in_windows_is_seen_block_by_block(how: dict[str, Any]) -> None:
    with bench({"f": CONTENT}, **how) as found, observed(found) as seen:
        asked_host = {"asked_host": "::1"} if "host" in how else {}
        report = found.read(blksize=1000, windowsize=16, **asked_host)
        assert report.content == CONTENT
        found.wait_for_end()
        assert seen.story == [
            "< RRQ",
            "> OACK",
            "< ACK 0",
            *(f"> DATA {block}" for block in range(1, 17)),
            "< ACK 16",
            *(f"> DATA {block}" for block in range(17, 22)),
            "< ACK 21",
        ]
        assert {each.comment for each in seen.datagrams} == {""}
        boards = {each.destination if each.is_sent else each.source for each in seen.datagrams}
        assert boards == {(found.host, report.local_port)}


def test_a_write_is_seen_block_by_block() -> None:
    with bench(writable=True) as found, observed(found) as seen:
        assert found.write(CONTENT, blksize=1000, windowsize=16).is_complete
        assert seen.story == [
            "< WRQ",
            "> OACK",
            *(f"< DATA {block}" for block in range(1, 17)),
            "> ACK 16",
            *(f"< DATA {block}" for block in range(17, 22)),
            "> ACK 21",
        ]
        data = b"".join(each.octets[4:] for each in seen.datagrams if each.octets[:2] == b"\0\3")
        assert data == CONTENT


@pytest.mark.parametrize("is_single_port", [False, True])
def test_a_server_can_be_tapped_and_untapped_in_the_middle_of_a_transfer(
    is_single_port: bool,
) -> None:
    with bench({"f": CONTENT}, single_port=is_single_port) as found, found.peer() as board:
        board.ask()
        board.receive_data()
        with observed(found) as seen:
            board.send(Ack(1))
            assert board.receive_data().wire_block == 2
        board.send(Ack(2))
        assert board.receive_data().wire_block == 3
        # Datagrams that came while nobody looked do not appear afterwards either.
        assert seen.story == ["< ACK 1", "> DATA 2"]
        with observed(found) as more:
            board.send(Ack(3))
            assert board.receive_data().wire_block == 4
        assert more.story == ["< ACK 3", "> DATA 4"]


@pytest.mark.parametrize("is_single_port", [False, True])
def test_a_block_that_the_server_sends_again_is_told(is_single_port: bool) -> None:
    with bench({"f": CONTENT}, **QUICK, single_port=is_single_port) as found:
        with observed(found) as seen, found.peer() as board:
            board.ask()
            for _ in range(2):
                board.receive_data()
            board.send(Error(0, "Enough"))
            found.wait_for_end()
        comments = [each.comment for each in seen.datagrams if each.is_sent]
        assert comments[:2] == ["", "retransmit: DATA 1 was sent again"]


def test_an_ack_that_the_server_sends_again_is_told() -> None:
    with bench(**QUICK, writable=True) as found:
        with observed(found) as seen, found.peer() as board:
            board.offer()
            for _ in range(2):
                board.receive()
        assert [each.comment for each in seen.datagrams][:3] == [
            "",
            "",
            "retransmit: ACK 0 was sent again",
        ]


def test_a_request_that_comes_again_is_told() -> None:
    with bench({"f": CONTENT}) as found, observed(found) as seen, found.peer() as board:
        board.ask()
        board.ask()
        board.receive_data()
        assert wait_until(lambda: [each.comment for each in seen.datagrams if each.comment]) == [
            "repeat: RRQ came again"
        ]


def test_a_refused_request_is_seen_with_its_error() -> None:
    with bench() as found, observed(found) as seen, found.peer() as board:
        board.ask("none")
        assert isinstance(board.receive(), Error)
        assert seen.story == ["< RRQ", "> ERROR"]
        assert seen.datagrams[1].source == (found.host, found.port)


@linux_only
def test_a_stranger_and_what_it_is_told_are_seen() -> None:
    with bench({"f": CONTENT}) as found, found.peer() as board, found.peer() as stranger:
        with observed(found) as seen:
            board.ask()
            board.receive_data()
            # It is longer than what is read of a stranger.
            stranger.send(Data(1, CONTENT), board.tid)
            stranger.receive()
        assert seen.story == ["< RRQ", "> DATA 1", "< DATA 1", "> ERROR"]
        assert seen.datagrams[2].octets == Data(1, CONTENT).encode()
        assert (
            seen.datagrams[2].source
            == seen.datagrams[3].destination
            == ("127.0.0.1", stranger.port)
        )
        assert seen.datagrams[2].destination == seen.datagrams[3].source == board.tid


def test_a_request_longer_than_the_server_takes_is_seen_whole() -> None:
    request = Request(Direction.read, b"x" * 5000)
    with bench() as found, observed(found) as seen, found.peer() as board:
        board.send(request)
        board.receive()
        assert seen.datagrams[0].octets == request.encode()


def test_strangers_are_not_seen_any_more_once_the_server_is_untapped() -> None:
    with bench({"f": CONTENT}) as found, found.peer() as board, found.peer() as stranger:
        with observed(found) as seen:
            board.ask()
            board.receive_data()
        before = len(seen.datagrams)
        stranger.send(Ack(1), board.tid)
        board.send(Ack(1))
        board.receive_data()
        assert len(seen.datagrams) == before


def test_the_error_of_a_server_that_stops_is_seen() -> None:
    seen: list[Datagram] = []
    with bench({"f": CONTENT}) as found, found.peer() as board:
        found.engine.call(lambda: found.listener.tap(seen.append))
        board.ask()
        board.receive_data()
    assert story(seen) == ["< RRQ", "> DATA 1", "> ERROR"]


def test_a_session_that_has_ended_does_not_mind() -> None:
    with bench({"f": b""}) as found:
        sessions: list[object] = []

        def tap_late() -> None:
            (session,) = found.listener.sessions
            session.close()
            session.channel.tap(sessions.append)
            session.channel.tap(None)

        with found.peer() as board:
            board.ask()
            board.receive_data()
            found.engine.call(tap_late)
        assert sessions == []


# A client ------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("is_read", [True, False])
def test_a_client_sees_what_its_server_sees(host: str, is_read: bool, tmp_path: Path) -> None:
    settings = ClientSettings(blksize=1000, windowsize=16)
    with bench({"f": CONTENT}, host=host, writable=True) as found, observed(found) as seen:
        with TftpClient(host, found.port, settings) as client:
            path = client.start_capture(tmp_path / "x.pcapng")
            if is_read:
                assert client.get_bytes("f") == CONTENT
            else:
                client.put_bytes(CONTENT, "g")
            client.stop_capture()
        here = packets_in(path)
        found.wait_for_end()
        there = seen.datagrams
    assert story(here)[:2] == ["> RRQ" if is_read else "> WRQ", "< OACK"]
    assert len(here) == len(there)
    assert {each.is_sent for each in here} == {True, False}
    # The two ends see what crosses on its way in another order.
    seen_here = Counter((each.source, each.destination, each.octets) for each in here)
    assert seen_here == Counter(each[1:4] for each in there)


def test_a_client_can_be_tapped_and_untapped_in_the_middle_of_a_transfer(tmp_path: Path) -> None:
    """Before the server answers, and after it."""
    with Peer(("", 0)) as server, TftpClient("127.0.0.1", server.port) as client:
        board = threading.Thread(target=client.get, args=("f", tmp_path / "f"))
        board.start()
        server.receive()
        first = client.start_capture(tmp_path / "first.pcapng")
        server.send(Data(1, bytes(512)))
        server.receive()
        client.stop_capture()
        server.send(Data(2, bytes(512)))
        server.receive()
        second = client.start_capture(tmp_path / "second.pcapng")
        server.send(Data(3, b""))
        server.receive()
        client.stop_capture()
        board.join()
    assert story(packets_in(first)) == ["< DATA 1", "> ACK 1"]
    assert story(packets_in(second)) == ["< DATA 3", "> ACK 3"]


def test_a_client_is_not_looked_at_any_more_once_its_capture_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Datagram] = []
    monkeypatch.setattr(Capture, "take", lambda _, datagram: taken.append(datagram))
    with Peer(("", 0)) as server, TftpClient("127.0.0.1", server.port) as client:
        board = threading.Thread(target=client.get_bytes, args=("f",))
        client.start_capture(tmp_path / "x.pcapng")
        board.start()
        server.receive()
        server.send(Data(1, bytes(512)))
        server.receive()
        client.stop_capture()
        before = story(taken)
        server.send(Data(2, b""))
        server.receive()
        board.join()
    assert story(taken) == before == ["> RRQ", "< DATA 1", "> ACK 1"]


def test_a_client_that_asks_in_vain_can_be_untapped(tmp_path: Path) -> None:
    with Peer(("", 0)) as server, TftpClient("127.0.0.1", server.port) as client:
        path = client.start_capture(tmp_path / "x.pcapng")
        board = threading.Thread(target=get_in_vain, args=(client,))
        board.start()
        server.receive()
        client.stop_capture()
        server.send(Error(1, "No"))
        board.join()
    assert story(packets_in(path)) == ["> RRQ"]


def get_in_vain(client: TftpClient) -> None:
    with pytest.raises(PeerError):
        client.get_bytes("f")
