"""What a capture says of faults."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, cast

import pytest

from TftpLibrary.client import TftpClient
from TftpLibrary.engine.commentary import Commentary
from TftpLibrary.engine.hosts import Address
from TftpLibrary.faults.deliveries import Strike
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.protocol.datagrams import Datagram, Endpoint, Observer
from TftpLibrary.protocol.packets import Ack, Data, Direction, Request, decode
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ClientSettings
from utest.support.bench import PATIENT, QUICK, SOON, Bench, Peer, bench
from utest.support.captures import packets_in, tftp_of
from utest.support.puppets import Puppet, orders
from utest.support.waiting import seconds, wait_until

HERE, THERE, OTHER = ("127.0.0.1", 69), ("127.0.0.1", 2000), ("127.0.0.1", 3000)
DATA = Data(1, b"x").encode()
DROPPED = Strike("drop-1", "dropped DATA 1", is_sent=True, lost=DATA)
DELAYED = Strike("delay-2", "delayed ACK 1 by 500 ms", is_sent=False)
NOT_TAKEN = Strike("drop-3", "dropped ACK 1", is_sent=False, lost=Ack(1).encode())


class Reader:
    """Somebody who reads a capture."""

    def __init__(self, peer: Endpoint | None = None) -> None:
        self.commentary = Commentary(peer)
        self.shown: list[Datagram] = []
        self.see = cast("Observer", self.commentary.observer(self.shown.append))

    @property
    def told(self) -> list[tuple[bytes, str]]:
        return [(each.octets, each.comment) for each in self.shown]


def came(octets: bytes, comment: str = "", source: Endpoint = THERE) -> Datagram:
    return Datagram(1, source, HERE, octets, is_sent=False, comment=comment)


def left(octets: bytes, comment: str = "") -> Datagram:
    return Datagram(1, HERE, THERE, octets, is_sent=True, comment=comment)


def test_a_datagram_that_left_has_its_remark_behind_its_comment() -> None:
    reader = Reader()
    reader.commentary.remark = "fault duplicate-1: duplicated DATA 1"
    reader.see(left(DATA))
    reader.see(left(DATA, "retransmit: DATA 1 was sent again"))
    reader.commentary.remark = ""
    reader.see(left(b"y"))
    assert reader.told == [
        (DATA, "fault duplicate-1: duplicated DATA 1"),
        (DATA, "retransmit: DATA 1 was sent again; fault duplicate-1: duplicated DATA 1"),
        (b"y", ""),
    ]


def test_a_datagram_that_came_is_held_until_it_is_told_what_became_of_it() -> None:
    reader = Reader()
    reader.see(came(b"x", "repeat: ACK 1 came again"))
    assert reader.told == []
    reader.commentary.came([DELAYED, NOT_TAKEN])
    reader.commentary.came([DELAYED])
    assert reader.told == [
        (
            b"x",
            "repeat: ACK 1 came again; fault delay-2: delayed ACK 1 by 500 ms; "
            "fault drop-3: dropped ACK 1",
        )
    ]


def test_a_datagram_that_nobody_speaks_about_is_shown_before_what_leaves_next() -> None:
    reader = Reader()
    reader.commentary.remark = "fault x"
    reader.see(came(b"x"))
    reader.see(left(DATA))
    assert reader.told == [(b"x", ""), (DATA, "fault x")]


def test_datagrams_of_one_peer_that_came_at_once_stay_held_while_others_leave() -> None:
    """Two ACKs may be read at once: the first one lets a block leave."""
    reader = Reader(THERE)
    reader.see(came(b"1"))
    reader.see(came(b"2"))
    reader.commentary.came()
    reader.see(left(DATA))
    reader.commentary.came([DELAYED])
    assert reader.told == [(b"1", ""), (DATA, ""), (b"2", DELAYED.remark)]


def test_a_datagram_of_a_stranger_is_shown_at_once() -> None:
    reader = Reader(THERE)
    reader.see(came(b"x", source=OTHER))
    reader.commentary.see_aside(came(b"y"))
    reader.commentary.remark = "fault stray-1"
    reader.commentary.see_aside(left(b"z"))
    assert reader.told == [(b"x", ""), (b"y", ""), (b"z", "fault stray-1")]


def test_the_rest_is_shown_when_the_observer_changes() -> None:
    reader = Reader()
    reader.see(came(b"x"))
    assert reader.commentary.observer(None) is None
    reader.commentary.see_aside(came(b"y"))
    reader.commentary.kept_back([DROPPED], HERE, THERE)
    assert reader.told == [(b"x", "")]


def test_a_datagram_that_was_kept_back_is_shown_as_lost() -> None:
    reader = Reader()
    reader.commentary.kept_back([NOT_TAKEN, DELAYED, DROPPED], HERE, THERE)
    (shown,) = reader.shown
    assert shown._replace(time_ns=1) == left(DATA, DROPPED.remark)._replace(is_lost=True)


@pytest.mark.parametrize(
    ("here", "there", "source"),
    [
        (("0.0.0.0", 69), THERE, HERE),
        (("::", 69, 0, 0), ("::1", 2000, 0, 0), ("::1", 69)),
        # An address that no route leads to is left as it is.
        (("0.0.0.0", 69), ("255.255.255.255", 2000), ("0.0.0.0", 69)),
    ],
)
def test_this_end_has_an_address_where_it_is_bound_to_every_one(
    here: Address, there: Address, source: Endpoint
) -> None:
    reader = Reader()
    reader.commentary.kept_back([DROPPED], here, there)
    assert reader.shown[0].source == source


# Beside a raw socket

CONTENT = random.Random(3).randbytes(3 * 512 + 100)
SINGLE_OR_NOT = pytest.mark.parametrize("single_port", [False, True])


class Board(Peer):
    """A board that keeps every datagram that it sent, and every one that it got."""

    def __init__(self, dut: Bench) -> None:
        super().__init__((dut.host, dut.port))
        self.sock.settimeout(seconds(0.2))
        self.sent: list[bytes] = []
        self.got: list[bytes] = []

    def __enter__(self) -> Board:
        return self

    def tell(self, octets: bytes, to: tuple[str, int]) -> None:
        self.sent.append(octets)
        self.sock.sendto(octets, to)

    def read(self, name: str = "f") -> bytes:
        """Reads a file, whatever happens on the way; asks again after a silence."""
        content, last, server = b"", Request(Direction.read, name.encode()).encode(), self.server
        while True:
            self.tell(last, server)
            try:
                octets, server = self.sock.recvfrom(1000)
            except TimeoutError:
                continue
            self.got.append(octets)
            packet = decode(octets)
            if isinstance(packet, Data) and packet.wire_block == len(content) // 512 + 1:
                content += packet.payload
                last = Ack(packet.wire_block).encode()
            if len(content) % 512:
                self.tell(last, server)
                return content

    def take_rest(self) -> None:
        """Takes what is still on the way, up to a silence."""
        while True:
            try:
                self.got.append(self.sock.recv(1000))
            except TimeoutError:
                return


def tapped_bench(shown: list[Datagram], dut: Bench) -> None:
    dut.engine.call(lambda: dut.listener.tap(shown.append))


def remarks(shown: list[Datagram], fault: str) -> list[str]:
    """The comments about one fault, each behind its packet; `lost` where it was kept back."""
    return [
        f"{tftp_of(each)}{' lost' if each.is_lost else ''}: {each.comment}"
        for each in shown
        if f"{fault}:" in each.comment
    ]


@SINGLE_OR_NOT
def test_a_capture_has_what_a_raw_socket_saw_and_nothing_else_but_what_was_lost(
    single_port: bool,
) -> None:
    shown: list[Datagram] = []
    with bench({"f": CONTENT}, single_port=single_port, **QUICK) as dut, Board(dut) as board:
        inject = dut.faults.inject
        # The first one comes while nobody looks: the capture goes on with it all the same.
        inject("drop", "RRQ")
        tapped_bench(shown, dut)
        inject("duplicate", "DATA 1")
        inject("drop", "DATA 2", times=2)
        inject("delay", "ACK 2", delay=0.02)
        inject("drop", "ACK 3")
        inject("delay", "DATA last", delay=0.02)
        inject("reorder", "ACK last", delay=0.01)
        assert board.read() == CONTENT
        dut.wait_until_empty()
        board.take_rest()
        on_the_wire = [each for each in shown if not each.is_lost]
        assert [each.octets for each in on_the_wire if each.is_sent] == board.got
        assert [each.octets for each in on_the_wire if not each.is_sent] == board.sent
        assert remarks(shown, "drop-1") == ["< RRQ: fault drop-1: dropped RRQ"]
        assert remarks(shown, "duplicate-2") == [
            "> DATA 1: retransmit: DATA 1 was sent again; fault duplicate-2: duplicated DATA 1"
        ]
        lost = "> DATA 2 lost: fault drop-3: dropped DATA 2"
        assert remarks(shown, "drop-3") == [lost, lost]
        assert remarks(shown, "delay-4") == ["< ACK 2: fault delay-4: delayed ACK 2 by 20 ms"]
        assert remarks(shown, "drop-5") == ["< ACK 3: fault drop-5: dropped ACK 3"]
        (late,) = remarks(shown, "delay-6")
        assert late.endswith("fault delay-6: delayed DATA 4 by 20 ms")
        assert remarks(shown, "reorder-7") == [
            "< ACK 4: fault reorder-7: let others overtake ACK 4"
        ]


@SINGLE_OR_NOT
def test_refusals_and_what_was_done_to_them_are_in_a_capture(single_port: bool) -> None:
    shown: list[Datagram] = []
    with bench({"f": CONTENT}, single_port=single_port, **PATIENT) as dut, Board(dut) as board:
        dut.faults.inject("drop", "ERROR", file="missing")
        dut.faults.inject("delay", "RRQ", file="missing", delay=0.01)
        dut.faults.deny("f")
        tapped_bench(shown, dut)
        board.tell(Request(Direction.read, b"missing").encode(), board.server)
        wait_until(lambda: len(shown) == 2, SOON)
        assert [f"{tftp_of(each)}: {each.comment}" for each in shown] == [
            "< RRQ: fault delay-2: delayed RRQ by 10 ms",
            "> ERROR: fault drop-1: dropped ERROR",
        ]
        assert [each.is_lost for each in shown] == [False, True]
        assert shown[1].source == board.server
        board.tell(Request(Direction.read, b"f").encode(), board.server)
        board.take_rest()
        assert remarks(shown, "deny-3") == [
            "> ERROR: fault deny-3: refused the request with error 2"
        ]
        board.tell(Request(Direction.read, b"other").encode(), board.server)
        board.take_rest()
        assert [(tftp_of(each), each.comment) for each in shown[4:]] == [
            ("< RRQ", ""),
            ("> ERROR", ""),
        ]


@SINGLE_OR_NOT
def test_packets_of_a_stranger_and_the_answers_to_them_are_in_a_capture(single_port: bool) -> None:
    shown: list[Datagram] = []
    with bench({"f": CONTENT}, single_port=single_port, **PATIENT) as dut, Board(dut) as board:
        tapped_bench(shown, dut)
        dut.faults.inject("stray", "DATA 1")
        board.tell(Request(Direction.read, b"f").encode(), board.server)
        _, stranger = board.sock.recvfrom(1000)
        board.tell(b"\0\5\0\5who?\0", stranger)
        wait_until(lambda: len(shown) == 4, SOON)
        assert [(tftp_of(each), each.comment) for each in shown] == [
            ("< RRQ", ""),
            ("> DATA 1", "fault stray-1: sent a stranger's copy of DATA 1"),
            ("> DATA 1", ""),
            ("< ERROR", ""),
        ]
        assert shown[1].source == shown[3].destination == stranger != shown[2].source


@SINGLE_OR_NOT
def test_what_a_stall_holds_up_is_told_packet_by_packet(single_port: bool) -> None:
    shown: list[Datagram] = []
    with bench({"f": CONTENT}, single_port=single_port, **QUICK) as dut, Board(dut) as board:
        tapped_bench(shown, dut)
        dut.faults.inject("stall", "DATA 2")
        board.ask()
        board.receive_data()
        board.send(Ack(1))
        # Before the server gives up: then nothing is a repeat any more.
        wait_until(lambda: sum(each.is_lost for each in shown) >= 2, SOON)
        board.send(Ack(1))
        wait_until(lambda: sum(tftp_of(each) == "< ACK 1" for each in shown) == 2, SOON)
    first, *others = remarks(shown, "stall-1")
    assert first == "> DATA 2 lost: fault stall-1: let nothing pass from DATA 2 onwards"
    assert others[0] == "> DATA 2 lost: fault stall-1: let nothing pass"
    (ack,) = [each for each in others if each.startswith("< ACK 1: ")]
    assert ack.endswith("fault stall-1: let nothing pass")


@SINGLE_OR_NOT
def test_a_fault_that_comes_while_a_transfer_runs_is_in_a_capture_too(single_port: bool) -> None:
    shown: list[Datagram] = []
    with bench({"f": CONTENT}, single_port=single_port, **PATIENT) as dut, Board(dut) as board:
        tapped_bench(shown, dut)
        board.ask()
        board.receive_data()
        dut.faults.inject("drop", "DATA 2")
        board.send(Ack(1))
        wait_until(lambda: len(shown) == 4, SOON)
        assert remarks(shown, "drop-1") == ["> DATA 2 lost: fault drop-1: dropped DATA 2"]
        assert shown[3].source == shown[1].source


def test_datagrams_that_no_fault_concerns_are_in_a_capture_in_their_order() -> None:
    """Also those that the port does not take, such as an ACK that follows no request."""
    shown: list[Datagram] = []
    with bench({"f": CONTENT}, single_port=True, **PATIENT) as dut, Board(dut) as board:
        tapped_bench(shown, dut)
        dut.faults.inject("drop", "DATA", file="another")
        board.tell(Ack(7).encode(), board.server)
        board.tell(b"", board.server)
        assert board.read() == CONTENT
        dut.wait_until_empty()
        assert [tftp_of(each) for each in shown] == [
            "< ACK 7",
            "< ?",
            "< RRQ",
            *(f"{way} {n}" for n in range(1, 5) for way in ("> DATA", "< ACK")),
        ]


def test_what_a_link_does_is_told_of_each_packet() -> None:
    shown: list[Datagram] = []
    with bench({"f": CONTENT}, **QUICK) as dut, Board(dut) as board:
        tapped_bench(shown, dut)
        dut.faults.set_link(LinkQuality(loss=0.2, duplicate=0.2, seed=2))
        assert board.read() == CONTENT
        board.take_rest()
        told = [each for each in shown if "link: " in each.comment]
        assert {each.comment.partition("link: ")[2].split()[0] for each in told} == {
            "lost",
            "duplicated",
        }
        assert [each.octets for each in shown if each.is_sent and not each.is_lost] == board.got


def of_client(
    path: Any, faults: Callable[[TftpClient], object], **settings: Any
) -> tuple[bytes, list[str]]:
    """Reads a file as our client with faults. Returns it, and the comments of the capture."""
    with (
        TftpServer(content={"f": CONTENT}, host="127.0.0.1", port=0) as server,
        TftpClient("127.0.0.1", server.port, **settings) as client,
    ):
        faults(client)
        client.start_capture(path)
        content = client.get_bytes("f")
        client.stop_capture()
    assert isinstance(client.capture, tuple)
    return content, [
        f"{tftp_of(each)}{' lost' if each.is_lost else ''}: {each.comment}"
        for each in packets_in(path)
        if each.comment
    ]


def test_a_capture_of_our_client_says_what_the_client_did_on_purpose(tmp_path: Any) -> None:
    def faults(client: TftpClient) -> None:
        client.faults.inject("drop", "RRQ")
        client.faults.inject("drop", "answer")
        client.faults.inject("drop", "ACK 1")
        client.faults.inject("duplicate", "ACK 2")

    path = tmp_path / "client.pcapng"
    content, told = of_client(
        path, faults, windowsize=1, blksize=512, tsize=False, timeout=seconds(0.1), retries=50
    )
    assert content == CONTENT
    assert told[0] == "> RRQ lost: fault drop-1: dropped RRQ"
    assert "< DATA 1: fault drop-2: dropped DATA 1" in told
    assert "> ACK 1 lost: fault drop-3: dropped ACK 1" in told
    assert any(
        line.startswith("> ACK 2: ") and line.endswith("fault duplicate-4: duplicated ACK 2")
        for line in told
    )


def test_a_fault_of_our_client_that_comes_while_a_transfer_runs_is_in_a_capture_too() -> None:
    shown: list[Datagram] = []
    with orders() as given, Puppet() as server:
        given.inject("drop", file="other")
        caller = given.get(server, ClientSettings(blksize=512, windowsize=1, timeout=60.0))
        given.engine.call(lambda: caller.tap(shown.append))
        server.take_request()
        server.send(Data(1, CONTENT[:512]))
        assert server.receive() == Ack(1)
        fault = given.inject("drop", "ACK 2")
        server.send(Data(2, CONTENT[512:1024]))
        wait_until(lambda: given.hits(fault) == 1, SOON)
        assert [tftp_of(each) for each in shown] == ["< DATA 1", "> ACK 1", "< DATA 2", "> ACK 2"]
        assert remarks(shown, fault) == [f"> ACK 2 lost: fault {fault}: dropped ACK 2"]
