"""From a request to a session: options, ports and files of a server's transfers."""

from __future__ import annotations

import errno
import random
import socket
from contextlib import closing
from typing import Any

import pytest

from atest.equipment.board_client import read_file
from atest.equipment.board_network import Nat
from TftpBoard.packets import RefusedError
from TftpLibrary.engine import udp
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Ack, Error, Oack
from TftpLibrary.settings import Retransmission
from TftpLibrary.store.memory import MemorySink, MemorySource, MemoryStore
from utest.support.stations import Peer, board, linux_only, station
from utest.support.stores import read
from utest.support.waiting import seconds, wait_until

CONTENT = random.Random(5).randbytes(100_000)
LONG = 60.0


# Options


def test_options_are_granted_in_the_order_asked() -> None:
    """RFC 2347: the OACK; RFC 2348, 2349 and 7440: its options."""
    with station({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask(tsize=0, WindowSize=4, multicast="", blksize=1428, timeout=3)
        granted = (("tsize", "100000"), ("WindowSize", "4"), ("blksize", "1428"), ("timeout", "3"))
        assert peer.receive() == Oack(granted)
        (record,) = found.transfers
        assert dict(record.granted) == dict(granted)
        assert dict(record.requested) == {**dict(granted), "tsize": "0", "multicast": ""}
        assert record.size == 100_000


def test_without_an_option_that_can_be_granted_data_comes_at_once() -> None:
    """RFC 2347: as if no option had been asked."""
    with station({"f": CONTENT}, refuse_options=frozenset(("BLKSIZE",))) as found:
        with found.peer() as peer:
            peer.ask(blksize=1428, timeout=3000, multicast="")
            assert peer.receive_data().payload == CONTENT[:512]
        with found.peer() as peer:
            peer.ask(blksize=1428, windowsize=2)
            assert peer.receive() == Oack((("windowsize", "2"),))


def test_a_write_without_options_is_invited_by_ack_0() -> None:
    with station(writable=True) as found, found.peer() as peer:
        peer.offer()
        assert peer.receive() == Ack(0)


def test_a_write_with_options_is_invited_by_an_oack() -> None:
    with station(writable=True) as found, found.peer() as peer:
        peer.offer(tsize=1000, blksize=100_000, windowsize=1000)
        granted = (("tsize", "1000"), ("blksize", "65464"), ("windowsize", "64"))
        assert peer.receive() == Oack(granted)
        assert found.transfers[0].size == 1000


@pytest.mark.parametrize("tsize", ["-1", "1e3", "9" * 30, "", "\u0663"])
def test_a_size_that_is_no_number_is_as_good_as_none(tsize: str) -> None:
    with station(writable=True, max_upload_size=10) as found, found.peer() as peer:
        peer.offer(tsize=tsize)
        assert peer.receive() == Ack(0)


def test_an_empty_file_has_no_tsize_in_its_answer() -> None:
    """Since curl takes a tsize of 0 for an error."""
    with station({"f": b""}) as found:
        assert found.read(tsize=0).content == b""
        assert found.wait_for_end().size == 0


def test_before_the_first_ack_one_packet_leaves_and_its_few_repeats() -> None:
    """A spoofed address gets no window: no amplification."""
    settings: dict[str, Any] = {"timeout": seconds(0.1), "retries": 2}
    settings["retransmission"] = Retransmission.fixed
    with station({"f": CONTENT}, **settings) as found, found.peer() as peer:
        peer.ask(windowsize=64, blksize=1428)
        oack = peer.receive()
        assert isinstance(oack, Oack)
        assert [peer.receive() for _ in range(3)] == [oack, oack, Error(0, "Timed out")]
        assert peer.is_silent()


@pytest.mark.parametrize("mode", ["octet", "netascii", "NetASCII"])
def test_both_modes_are_served_both_ways(mode: str) -> None:
    text = b"line\nand line\r\n" * 5000
    with station({"f": text}, writable=True) as found:
        assert found.read(mode=mode, windowsize=4).content == text
        found.write(text, "g", mode=mode, windowsize=4)
        assert read(found.store, b"g") == text


def test_a_mode_that_is_not_served_is_refused_before_the_store_is_asked() -> None:
    with station(writable=True) as found, found.peer() as peer:
        for ask in (peer.ask, peer.offer):
            ask("missing", "mail")
            assert peer.receive() == Error(4, "Unknown mode: use octet or netascii")


def test_the_refusal_of_the_store_is_the_answer() -> None:
    with station() as found, found.peer() as peer:
        peer.ask("missing")
        assert peer.receive() == Error(1, "File not found")
        peer.offer("new")
        assert peer.receive() == Error(2, "Access violation")
        assert [record.error_message for record in found.transfers] == [
            "no such file in memory",
            "the server is read-only",
        ]


# The port of a transfer


def test_each_transfer_has_a_port_of_its_own() -> None:
    """RFC 1350, section 4."""
    with station({"f": CONTENT}) as found, found.peer() as one, found.peer() as two:
        for peer in (one, two):
            peer.ask()
            peer.receive()
        assert len({one.tid[1], two.tid[1], found.port}) == 3


@pytest.mark.parametrize("windowsize", [1, 8])
def test_in_single_port_mode_all_goes_through_one_port(windowsize: int) -> None:
    """For NAT and containers: an answer from another port would not come through."""
    with station({"f": CONTENT}, single_port=True, writable=True) as found:
        nat = Nat((found.host, found.port))
        with closing(nat):
            ask, sock = board(nat.host, nat.port, "f", {"windowsize": windowsize, "blksize": 1000})
            with sock:
                report = read_file(ask, sock)
            assert report.content == CONTENT
            assert nat.lost == 0
        report = found.write(CONTENT, "g", windowsize=windowsize, blksize=8192)
        assert report.server_port == found.port
        assert read(found.store, b"g") == CONTENT


def test_in_single_port_mode_two_boards_do_not_mix() -> None:
    content = {"f": CONTENT[:2000], "g": CONTENT[2000:4000]}
    with station(content, single_port=True) as found, found.peer() as one, found.peer() as two:
        received = {"f": b"", "g": b""}
        one.ask("f")
        two.ask("g")
        for block in range(1, 5):
            for name, peer in (("f", one), ("g", two)):
                packet = peer.receive_data()
                assert packet.wire_block == block
                received[name] += packet.payload
                peer.send(Ack(block))
        assert received == content


def test_in_single_port_mode_blocks_that_get_lost_come_again() -> None:
    with station({"f": CONTENT}, single_port=True, writable=True, timeout=seconds(0.1)) as found:
        report = found.read(windowsize=4, drop_blocks="1,5,6,100")
        assert report.content == CONTENT
        found.write(CONTENT, "g", drop_blocks="5", accept_duplicates=True)
        assert read(found.store, b"g") == CONTENT


def test_in_single_port_mode_a_transfer_that_is_over_is_not_answered() -> None:
    with station({"f": b"tiny"}, single_port=True) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        peer.send(Ack(1))
        found.wait_until_empty()
        peer.send(Ack(1))
        assert peer.is_silent()


def test_in_single_port_mode_an_error_of_the_store_reaches_the_peer() -> None:
    with station(single_port=True, writable=True, max_upload_size=600) as found:
        with pytest.raises(RefusedError, match="ERROR 3"):
            found.write(CONTENT)
        assert found.wait_for_end().outcome is Outcome.failed


def free_range(count: int) -> tuple[int, int]:
    """Returns so many ports in a row that are free just now."""
    for low in range(40_000, 60_000, count):
        held = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        try:
            for port, sock in enumerate(held, start=low):
                sock.bind(("127.0.0.1", port))
        except OSError:
            continue
        finally:
            for sock in held:
                sock.close()
        return low, low + count - 1
    raise AssertionError("No ports are free.")


def test_ports_come_from_the_range_until_it_is_exhausted() -> None:
    low, high = ports = free_range(2)
    with station({"f": CONTENT}, port_range=ports, timeout=LONG) as found:
        peers = [found.peer() for _ in range(3)]
        try:
            for peer in peers[:2]:
                peer.ask(windowsize=4)
                assert isinstance(peer.receive(), Oack)
            assert {peer.tid[1] for peer in peers[:2]} == {low, high}
            peers[2].ask()
            assert peers[2].receive() == Error(0, "Server busy, try again later")
            record = found.transfers[2]
            assert record.outcome is Outcome.refused
            assert record.error_message == f"no port of the range {low}-{high} is free"
            peers[0].send(Error(0, "enough"))
            wait_until(lambda: not found.transfers[0].is_running)
            assert found.read().content == CONTENT
        finally:
            for peer in peers:
                peer.sock.close()


class Watched(MemoryStore):
    """A store that counts what is open."""

    def __init__(self) -> None:
        super().__init__({"f": CONTENT})
        self.open = 0

    def open_read(self, name: bytes, client: str) -> MemorySource:
        source = super().open_read(name, client)
        self.open += 1
        return _Source(self, source)  # type: ignore[return-value]

    def open_write(self, *arguments: Any) -> MemorySink:
        sink = super().open_write(*arguments)
        self.open += 1
        return _Sink(self, sink)  # type: ignore[return-value]


class _Source:
    def __init__(self, store: Watched, source: MemorySource) -> None:
        self.read_into = source.read_into
        self.size, self.identity = source.size, source.identity
        self._store = store

    def close(self) -> None:
        self._store.open -= 1


class _Sink:
    def __init__(self, store: Watched, sink: MemorySink) -> None:
        self.write, self.commit = sink.write, sink.commit
        self._store = store

    def discard(self) -> None:
        self._store.open -= 1


@pytest.mark.parametrize("is_read", [True, False])
@pytest.mark.parametrize(
    ("place", "name"),
    [(udp, "open_tid"), (udp, "open_stranger_socket"), (socket.socket, "connect")],
    ids=["port", "second socket", "route"],
)
def test_without_a_port_the_request_is_refused_and_nothing_stays_open(
    monkeypatch: pytest.MonkeyPatch, is_read: bool, place: object, name: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    store = Watched()
    with station(store, writable=True, overwrite=True) as found:
        with monkeypatch.context() as patch, found.peer() as peer:
            patch.setattr(place, name, fail)
            (peer.ask if is_read else peer.offer)(windowsize=4)
            assert peer.receive() == Error(0, "Server busy, try again later")
        (record,) = found.transfers
        assert record.error_message == "no port for the transfer: Too many open files"
        assert store.open == 0
        assert found.read().content == CONTENT
        wait_until(lambda: store.open == 0)


@linux_only
def test_the_answer_comes_from_the_address_asked_also_through_a_port_of_its_own() -> None:
    with (
        station({"f": CONTENT}, host="0.0.0.0") as found,
        Peer(("127.0.0.3", found.port), "127.0.0.2") as peer,
    ):
        peer.ask()
        peer.receive()
        assert peer.tid[0] == "127.0.0.3"
        assert peer.tid[1] != found.port


# Many


def test_many_boards_read_one_file_at_the_same_time() -> None:
    """Each has the right octets, whatever was framed for another."""
    with station({"f": CONTENT}, timeout=LONG) as found:
        peers = [found.peer() for _ in range(25)]
        try:
            received = [b""] * len(peers)
            for peer in peers:
                peer.ask(blksize=10_000, windowsize=2)
                assert isinstance(peer.receive(), Oack)
                peer.send(Ack(0))
            for last in range(2, 13, 2):
                for number, peer in enumerate(peers):
                    for block in range(last - 1, min(last, 11) + 1):
                        packet = peer.receive_data()
                        assert packet.wire_block == block
                        received[number] += packet.payload
                    peer.send(Ack(min(last, 11)))
            assert received == [CONTENT] * len(peers)
            assert len(found.wait_for_ends(25)) == 25
        finally:
            for peer in peers:
                peer.sock.close()
