from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from TftpLibrary.engine import hosts, udp
from TftpLibrary.engine.hosts import Address
from TftpLibrary.errors import UsageError
from utest.support.bench import linux_only, without_linux
from utest.support.narrow import narrow_path
from utest.support.waiting import seconds, wait_until

NOT_OURS = "192.0.2.77"
"""An address that nobody has (RFC 5737)."""

needs_ipv6 = pytest.mark.skipif(
    not Path("/proc/net/if_inet6").exists() or not Path("/proc/net/if_inet6").read_text(),
    reason="this machine has no IPv6",
)


@pytest.fixture
def plain() -> Iterator[socket.socket]:
    """A socket of a program that is none of ours."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(seconds(5))
        yield sock


Received = tuple[bytes, Address, Address | None, bool]


def receive(sock: socket.socket, size: int = 2048) -> Received:
    """Returns the octets, the peer, the address asked, and whether it was a broadcast."""
    found: list[Received] = []

    def take() -> bool:
        arrival = udp.receive_request(sock, size)
        if arrival is not None:
            found.append(arrival[:4])
        return bool(found)

    wait_until(take)
    return found[0]


# Binding


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_free_port_is_taken_for_port_0(host: str) -> None:
    with closing(udp.bind_request_socket(host, 0)) as sock:
        assert sock.getsockname()[1] > 0
        assert not sock.getblocking()


def test_a_port_that_is_taken_is_told_with_what_to_do(plain: socket.socket) -> None:
    port = plain.getsockname()[1]
    with pytest.raises(UsageError) as error:
        udp.bind_request_socket("127.0.0.1", port)
    assert str(error.value) == (
        f"Cannot bind 127.0.0.1:{port}: the port is in use by another program. Stop that program, "
        "or use port=0 to take a free port."
    )


# Requests and the address asked


@linux_only
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.3"])
def test_the_address_that_was_asked_is_known(plain: socket.socket, host: str) -> None:
    with closing(udp.bind_request_socket("0.0.0.0", 0)) as sock:
        plain.sendto(b"hello", (host, sock.getsockname()[1]))
        assert receive(sock) == (b"hello", plain.getsockname(), (host, 0), False)


@linux_only
def test_a_reply_comes_from_the_address_that_was_asked(plain: socket.socket) -> None:
    """RFC 1123, section 4.1.3.5: the source address is the one that the request was sent to."""
    with closing(udp.bind_request_socket("0.0.0.0", 0)) as sock:
        port = sock.getsockname()[1]
        udp.send_from(sock, b"answer", plain.getsockname(), ("127.0.0.3", 0))
        assert plain.recvfrom(99) == (b"answer", ("127.0.0.3", port))


@linux_only
def test_a_request_to_a_broadcast_address_is_seen_as_one(plain: socket.socket) -> None:
    """RFC 1123, section 4.2.3.5."""
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    with closing(udp.bind_request_socket("0.0.0.0", 0)) as sock:
        plain.sendto(b"hello", ("127.255.255.255", sock.getsockname()[1]))
        assert receive(sock)[3] is True


@needs_ipv6
@linux_only
def test_a_wildcard_of_both_families_knows_the_address_asked(plain: socket.socket) -> None:
    with (
        closing(udp.bind_request_socket("::", 0)) as sock,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as modern,
    ):
        port = sock.getsockname()[1]
        modern.bind(("::1", 0))
        modern.settimeout(seconds(5))
        modern.sendto(b"six", ("::1", port))
        datagram, peer, local, is_broadcast = receive(sock)
        assert (datagram, local, is_broadcast) == (b"six", ("::1", 0, 0, 0), False)
        udp.send_from(sock, b"answer", peer, local)
        assert modern.recvfrom(99)[0] == b"answer"
        plain.sendto(b"four", ("127.0.0.3", port))
        datagram, peer, local, _ = receive(sock)
        assert (datagram, hosts.readable_host(peer)) == (b"four", "127.0.0.1")
        udp.send_from(sock, b"answer", peer, local)
        assert plain.recvfrom(99) == (b"answer", ("127.0.0.3", port))


def test_without_the_specialities_of_linux_requests_are_taken_all_the_same(
    plain: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_linux(monkeypatch)
    with closing(udp.bind_request_socket("0.0.0.0", 0)) as sock:
        assert udp.receive_request(sock, 99) is None
        plain.sendto(b"hello", ("127.0.0.1", sock.getsockname()[1]))
        assert receive(sock) == (b"hello", plain.getsockname(), None, False)
        udp.send_from(sock, b"answer", plain.getsockname(), ("127.0.0.1", 0))
        assert plain.recv(99) == b"answer"


def test_there_is_no_request_before_one_came() -> None:
    with closing(udp.bind_request_socket("127.0.0.1", 0)) as sock:
        assert udp.receive_request(sock, 99) is None


class Reset:
    """A socket as Windows has them: it tells here that an earlier answer reached nobody."""

    def recvmsg(self, *_: object) -> None:
        raise ConnectionResetError(10054, "reset by the remote host")

    recvfrom = recvmsg


def test_the_news_that_an_answer_reached_nobody_is_no_request() -> None:
    assert udp.receive_request(Reset(), 99) is None  # type: ignore[arg-type]


def test_a_reply_that_cannot_leave_is_lost_in_silence() -> None:
    with closing(udp.bind_request_socket("127.0.0.1", 0)) as sock:
        own = sock.getsockname()
        udp.send_from(sock, b"x" * 70_000, own, None)
        udp.send_from(sock, b"the next one", own, None)
        assert sock.recv(99) == b"the next one"


def test_a_link_local_source_has_its_interface() -> None:
    ((level, _, octets),) = udp.pktinfo(socket.AF_INET6, ("fe80::1%eth0", 0, 0, 7))
    assert level == socket.IPPROTO_IPV6
    assert octets == socket.inet_pton(socket.AF_INET6, "fe80::1") + (7).to_bytes(4, sys.byteorder)
    ((_, _, octets),) = udp.pktinfo(socket.AF_INET6, ("::1", 0))
    assert octets[16:] == bytes(4)


def test_the_local_address_is_read_from_control_messages() -> None:
    asked = socket.inet_aton("127.0.0.3")
    received = (socket.IPPROTO_IP, 8, bytes(4) + socket.inet_aton("127.0.0.1") + asked)
    assert udp.local_host([(1, 2, b""), received]) == "127.0.0.3"
    assert udp.local_host(udp.pktinfo(socket.AF_INET, ("127.0.0.3", 0))) == "127.0.0.3"
    assert udp.local_host(udp.pktinfo(socket.AF_INET6, ("fd00::3", 0))) == "fd00::3"
    assert udp.local_host([]) == ""


@needs_ipv6
@linux_only
def test_a_link_local_address_keeps_its_interface_and_multicast_is_ignored() -> None:
    """Without it nobody knows which link is meant. RFC 1123 section 4.2.3.5 for the other."""

    class Scripted:
        """A socket that gives one datagram to a link-local or a multicast address."""

        def __init__(self, host: str) -> None:
            self.host = host

        def recvmsg(self, *_: object) -> Any:
            info = socket.inet_pton(socket.AF_INET6, self.host) + (7).to_bytes(4, sys.byteorder)
            control = [(socket.IPPROTO_IPV6, getattr(socket, "IPV6_PKTINFO", 50), info)]
            return b"x", control, 0, ("fe80::2", 2070, 0, 7)

    arrival = udp.receive_request(Scripted("fe80::1"), 99)  # type: ignore[arg-type]
    assert arrival is not None
    assert arrival[2:4] == (("fe80::1", 0, 0, 7), False)
    arrival = udp.receive_request(Scripted("ff02::1"), 99)  # type: ignore[arg-type]
    assert arrival is not None
    assert arrival[3] is True


# Ports of transfers


def test_a_transfer_has_a_port_of_its_own() -> None:
    with (
        closing(udp.open_tid(("127.0.0.1", 69), socket.AF_INET)) as first,
        closing(udp.open_tid(("127.0.0.1", 69), socket.AF_INET)) as second,
    ):
        assert first.getsockname()[1] not in (69, second.getsockname()[1])


def free_range(count: int) -> tuple[int, int]:
    """Returns so many ports in a row that are free just now."""
    for low in range(40_000, 60_000, count):
        held = []
        try:
            for port in range(low, low + count):
                held.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                held[-1].bind(("127.0.0.1", port))
        except OSError:
            continue
        finally:
            for sock in held:
                sock.close()
        return low, low + count - 1
    raise AssertionError("No ports are free.")


def test_the_ports_of_a_range_are_taken_in_turn_until_none_is_left() -> None:
    low, high = ports = free_range(3)
    held = [udp.open_tid(("127.0.0.1", 0), socket.AF_INET, ports) for _ in range(3)]
    try:
        assert [sock.getsockname()[1] for sock in held] == list(range(low, high + 1))
        with pytest.raises(OSError, match="in use"):
            udp.open_tid(("127.0.0.1", 0), socket.AF_INET, ports)
    finally:
        for sock in held:
            sock.close()


def test_a_range_that_cannot_be_bound_at_all_is_told() -> None:
    with pytest.raises(OSError, match="assign requested address"):
        udp.open_tid((NOT_OURS, 0), socket.AF_INET, (40_000, 60_000))


@linux_only
def test_two_transfers_of_a_range_never_share_a_port() -> None:
    ports = free_range(1)
    with closing(udp.open_tid(("127.0.0.1", 0), socket.AF_INET, ports)) as tid:
        stranger = udp.open_stranger_socket(tid)
        assert stranger is not None
        with closing(stranger), pytest.raises(OSError, match="in use"):
            udp.open_tid(("127.0.0.1", 0), socket.AF_INET, ports)


@linux_only
def test_a_connected_port_has_a_second_socket_for_strangers(plain: socket.socket) -> None:
    with (
        closing(udp.open_tid(("127.0.0.1", 0), socket.AF_INET)) as tid,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        stranger = udp.open_stranger_socket(tid)
        assert stranger is not None
        with closing(stranger):
            tid.connect(plain.getsockname())
            stranger.setblocking(True)
            stranger.settimeout(seconds(5))
            other.sendto(b"strange", tid.getsockname())
            plain.sendto(b"known", tid.getsockname())
            assert stranger.recv(99) == b"strange"
            assert tid.recv(99) == b"known"


def test_strangers_have_no_socket_where_it_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(udp.open_tid(("127.0.0.1", 0), socket.AF_INET)) as tid:
        monkeypatch.setattr(socket.socket, "bind", refuse)
        assert udp.open_stranger_socket(tid) is None
        without_linux(monkeypatch)
        assert udp.open_stranger_socket(tid) is None


def refuse(*_: object) -> None:
    raise OSError(errno.EADDRINUSE, "Address already in use")


# Segmentation offload


@pytest.fixture
def connected(plain: socket.socket) -> Iterator[socket.socket]:
    """A socket of a transfer with `plain`."""
    with closing(udp.open_tid(("127.0.0.1", 0), socket.AF_INET)) as sock:
        sock.connect(plain.getsockname())
        yield sock


@linux_only
def test_with_offload_one_send_is_many_datagrams(
    plain: socket.socket, connected: socket.socket
) -> None:
    assert udp.enable_offload(connected, 100)
    connected.send(b"a" * 100 + b"b" * 100 + b"c" * 40)
    assert [plain.recv(999) for _ in range(3)] == [b"a" * 100, b"b" * 100, b"c" * 40]
    udp.disable_offload(connected)
    connected.send(b"d" * 300)
    assert plain.recv(999) == b"d" * 300


@linux_only
def test_offload_is_off_where_a_datagram_needs_fragments(connected: socket.socket) -> None:
    """The kernel refuses such segments, even a single one."""
    mtu = connected.getsockopt(socket.IPPROTO_IP, 14)
    assert udp.enable_offload(connected, mtu - 28)
    assert not udp.enable_offload(connected, mtu - 27)


def test_offload_is_off_where_the_system_has_none(
    connected: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise OSError(errno.ENOPROTOOPT, "Protocol not available")

    monkeypatch.setattr(socket.socket, "setsockopt", unknown)
    assert not udp.enable_offload(connected, 100)
    udp.disable_offload(connected)
    without_linux(monkeypatch)
    assert not udp.enable_offload(connected, 100)


def test_buffers_are_as_large_as_the_system_allows(
    connected: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = (socket.SO_SNDBUF, socket.SO_RCVBUF)
    before = [connected.getsockopt(socket.SOL_SOCKET, option) for option in options]
    udp.enlarge_buffers(connected, is_sending=True)
    udp.enlarge_buffers(connected, is_sending=False)
    after = [connected.getsockopt(socket.SOL_SOCKET, option) for option in options]
    assert all(new >= old for new, old in zip(after, before, strict=True))
    monkeypatch.setattr(socket.socket, "getsockopt", refuse)
    udp.enlarge_buffers(connected, is_sending=True)


@linux_only
def test_with_merging_one_call_takes_many_datagrams(
    plain: socket.socket, connected: socket.socket
) -> None:
    if sys.platform == "win32":
        raise NotImplementedError
    assert udp.segment_size(connected) == 0
    assert udp.enable_offload(connected, 100)
    assert udp.segment_size(connected) == 100
    assert udp.merge_datagrams(plain)
    connected.send(b"a" * 100 + b"b" * 100 + b"c" * 40)
    octets, control, _, _ = plain.recvmsg(999, udp.CONTROL_SIZE)
    assert octets == b"a" * 100 + b"b" * 100 + b"c" * 40
    assert udp.merged_size(control) == 100
    connected.send(b"single")
    octets, control, _, _ = plain.recvmsg(999, udp.CONTROL_SIZE)
    assert udp.merged_size(control) == 0


def test_merging_is_off_where_the_system_has_none(
    connected: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "setsockopt", refuse)
        patch.setattr(socket.socket, "getsockopt", refuse)
        assert not udp.merge_datagrams(connected)
        assert udp.segment_size(connected) == 0
    without_linux(monkeypatch)
    assert not udp.merge_datagrams(connected)
    assert udp.segment_size(connected) == 0


# A smaller MTU on the way

SERVE = """
import sys
from TftpLibrary import ServerSettings, TftpServer
settings = ServerSettings(host="0.0.0.0", port=6900, timeout=20, writable=True)
with TftpServer(content={"f": bytes(300_000)}, settings=settings) as server:
    print("serving", flush=True)
    sys.stdin.read()
    for transfer in server.transfers():
        print(transfer.outcome, transfer.octets, transfer.retransmits)
"""
READ = """
from TftpLibrary import ClientSettings, TftpClient
with TftpClient("10.9.1.2", 6900, ClientSettings(timeout=20)) as client:
    print(len(client.get_bytes("f")), client.put_bytes(bytes(200_000), "g").retransmits)
"""


@pytest.mark.parametrize("case", ["filtered", "told", "known"])
def test_large_blocks_arrive_behind_a_smaller_mtu(case: str) -> None:
    """Routers cut what is too large. With DF they would drop it, and tell so with ICMP at best."""
    with narrow_path(is_icmp_filtered=case == "filtered") as path:
        if case == "known":
            path.ip("s", "route replace default via 10.9.1.1 mtu 1000")
        server = path.start("s", SERVE)
        assert server.stdout is not None
        assert server.stdout.readline() == "serving\n"
        board = path.start("c", READ)
        assert board.communicate(timeout=seconds(30))[0] == "300000 0\n"
        assert server.communicate(timeout=seconds(30))[0].splitlines() == [
            "completed 300000 0",
            "completed 200000 0",
        ]


@linux_only
def test_datagrams_may_be_cut_on_their_way() -> None:
    for host in ("127.0.0.1", "0.0.0.0"):
        with closing(udp.bind_request_socket(host, 0)) as sock:
            assert sock.getsockopt(socket.IPPROTO_IP, 10) == 0
    with closing(udp.open_tid(("127.0.0.1", 0), socket.AF_INET)) as sock:
        assert sock.getsockopt(socket.IPPROTO_IP, 10) == 0


@needs_ipv6
@linux_only
def test_a_wildcard_of_both_families_knows_a_broadcast(plain: socket.socket) -> None:
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    with closing(udp.bind_request_socket("::", 0)) as sock:
        plain.sendto(b"hello", ("127.255.255.255", sock.getsockname()[1]))
        _, _, local, is_broadcast = receive(sock)
        assert is_broadcast
        assert local is not None
        assert hosts.readable_host(local) == "127.0.0.1"


@linux_only
@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_an_unconnected_socket_hears_of_a_closed_port_while_that_is_wanted(
    family: int, host: str
) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as closed:
        closed.bind((host, 0))
        address = closed.getsockname()
    with closing(udp.open_tid((host, 0), family)) as sock:
        assert udp.take_troubles(sock) == []
        udp.hear_of_trouble(sock, is_wanted=True)
        sock.sendto(b"x", address)
        assert wait_until(lambda: udp.take_troubles(sock)) == [(host, errno.ECONNREFUSED)]
        udp.hear_of_trouble(sock, is_wanted=False)
        with suppress(ConnectionRefusedError):
            sock.sendto(b"x", address)
        assert udp.take_troubles(sock) == []


def test_a_system_without_that_has_no_troubles(monkeypatch: pytest.MonkeyPatch) -> None:
    without_linux(monkeypatch)
    monkeypatch.setattr(sys, "platform", "other")
    with closing(udp.open_tid(("127.0.0.1", 0), socket.AF_INET)) as sock:
        udp.hear_of_trouble(sock, is_wanted=True)
        assert udp.take_troubles(sock) == []
