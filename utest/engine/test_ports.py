"""Servers that share a port: who serves whom, who is refused, and that nothing is lost by it."""

from __future__ import annotations

import hashlib
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from TftpLibrary.engine import ports as module
from TftpLibrary.engine.listener import Listener
from TftpLibrary.errors import UsageError
from TftpLibrary.messages.questions import Download
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Ack, Data, Error, Packet
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.server import TftpServer
from utest.support.bench import PATIENT, Peer, linux_only
from utest.support.waiting import seconds

pytestmark = linux_only
LEFT, RIGHT, OTHER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
LARGE = random.Random(5).randbytes(3000)


@contextmanager
def shared(*servers: dict[str, Any], **settings: Any) -> Iterator[list[TftpServer]]:
    """Runs servers at one port. Any: each setting has its own type."""
    with ExitStack() as stack:
        running: list[TftpServer] = []
        for own in servers:
            at = {"port": running[0].port} if running else {}
            server = TftpServer(**{**PATIENT, **settings, **at, **own})
            running.append(stack.enter_context(server))
        yield running


def named(alias: str, *clients: str, **more: Any) -> dict[str, Any]:
    """Returns the arguments of a server whose file has its alias as content."""
    return {"alias": alias, "clients": clients, "content": {"f": alias.encode()}, **more}


@contextmanager
def boards(server: TftpServer, *hosts: str) -> Iterator[list[Peer]]:
    with ExitStack() as stack:
        address = server.host, server.port
        yield [stack.enter_context(Peer(address, host)) for host in hosts]


def answer(peer: Peer, name: str = "f", **options: object) -> Packet:
    """Returns the answer to a read request, and acknowledges the file."""
    peer.ask(name, **options)
    packet = peer.receive()
    if isinstance(packet, Data):
        peer.send(Ack(packet.wire_block))
    return packet


# Who serves whom


@pytest.mark.parametrize("single_port", [False, True])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])
def test_the_same_name_gives_each_board_the_content_of_its_server(
    host: str, single_port: bool
) -> None:
    servers = named("left", LEFT), named("right", "127.0.0.3/32"), named("rest")
    with shared(*servers, host=host, single_port=single_port) as running:
        hosts = LEFT, RIGHT, OTHER
        address = "127.0.0.1", running[0].port
        for _ in range(3):
            for board_host, server in zip(hosts, running, strict=True):
                with Peer(address, board_host) as peer:
                    assert answer(peer) == Data(1, server.alias.encode())
                    assert (peer.tid == address) is single_port
        for board_host, server in zip(hosts, running, strict=True):
            server.wait_until(Download("f", times=3), timeout=seconds(5))
            assert {each.client for each in server.transfers()} == {board_host}
            assert {each.server for each in server.transfers()} == {server.alias}


def test_each_server_has_its_own_rights_options_faults_and_capture(tmp_path: Path) -> None:
    servers = (
        named("left", LEFT, writable=True, max_blksize=600, content={"f": LARGE}),
        named("right", RIGHT, content={"f": LARGE}),
    )
    with shared(*servers) as (left, right), boards(left, LEFT, RIGHT) as (one, two):
        captures = [server.start_capture(tmp_path / server.alias) for server in (left, right)]
        assert answer(one, blksize=1000).encode() == b"\0\6blksize\x00600\0"
        assert answer(two, blksize=1000).encode() == b"\0\6blksize\x001000\0"
        one.offer("up")
        assert one.receive() == Ack(0)
        two.offer("up")
        assert two.receive() == Error(2, "Access violation")
        lost = right.faults.inject("drop", "RRQ")
        two.ask("g")
        one.ask("g")
        assert one.receive() == Error(1, "File not found")
        assert two.is_silent()
        assert right.faults.expect(lost).times == 1
        assert not left.faults.reports()
        for server in (left, right):
            server.stop_capture()
        for path, own, other in zip(captures, (one, two), (two, one), strict=True):
            captured = path.read_bytes()
            assert own.port.to_bytes(2, "big") in captured
            assert other.port.to_bytes(2, "big") not in captured


def test_a_port_that_was_free_is_shared_by_its_number() -> None:
    with shared(named("left", LEFT)) as (left,):
        assert left.settings.port == 0
        with TftpServer(port=left.port, clients=(RIGHT,)) as right:
            assert right.url() == left.url()


@pytest.mark.parametrize("lone", [False, True])
def test_a_request_that_nobody_serves_is_refused_and_in_each_record_once(lone: bool) -> None:
    mine, theirs = Recorder(), Recorder()
    servers = [
        named("left", LEFT, recorder=mine),
        named("third", "127.0.0.9", recorder=mine),
        named("right", RIGHT, recorder=theirs),
    ]
    with shared(*servers[: 1 if lone else 3]) as running, boards(running[0], OTHER) as (peer,):
        assert answer(peer) == Error(2, "Access violation")
        peer.send(Data(1, b"no request"), peer.server)
        assert peer.is_silent()
        (record,) = mine.transfers()
        assert (record.outcome, record.error_code) == (Outcome.refused, 2)
        assert record.cause is Cause.client
        if lone:
            assert record.error_message == "client 127.0.0.4 is not served, only 127.0.0.2"
            return
        assert record.error_message == (
            "client 127.0.0.4 is not served by any server at this port: 'left' serves 127.0.0.2, "
            "'third' serves 127.0.0.9, 'right' serves 127.0.0.3"
        )
        (its,) = theirs.transfers()
        assert (record.server, its.server) == ("third", "right")
        assert its.error_message == record.error_message


def test_beside_mac_addresses_networks_are_named_and_served() -> None:
    """This machine has no MAC address for itself, so nothing waits for one."""
    mac = "52:54:00:ab:cd:07"
    with shared(named("left", mac, LEFT)) as (left,), boards(left, LEFT, OTHER) as (one, other):
        assert answer(one) == Data(1, b"left")
        assert answer(other) == Error(2, "Access violation")
        assert left.transfers()[1].error_message == (
            f"client 127.0.0.4 (its MAC address is unknown) is not served, only {mac}, 127.0.0.2"
        )
        with pytest.raises(UsageError, match="clients=5254.00AB.CD07 is served by"):
            TftpServer(port=left.port, clients=("5254.00AB.CD07",)).start()
        left.change(clients=(LEFT,))
        assert answer(one) == Data(1, b"left")


def test_a_refusal_names_a_few_servers_only() -> None:
    servers = [named(f"s{n}", f"127.0.1.{n}") for n in range(7)]
    with shared(*servers) as running, boards(running[0], OTHER) as (peer,):
        answer(peer)
        assert running[-1].transfers()[0].error_message.endswith("'s4' serves 127.0.1.4 and 2 more")


def test_what_is_remembered_of_boards_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    hosts = [f"127.0.1.{n}" for n in range(1, 6)]
    with shared(named("left", LEFT), named("rest")) as (left, _):
        for host in hosts:
            with boards(left, host) as (peer,):
                assert answer(peer) == Data(1, b"rest")


# Who is refused


def test_a_second_server_for_the_rest_is_refused_with_both_named() -> None:
    with shared(named("left"), {"alias": "other", "clients": (LEFT,)}) as (left, _):
        with pytest.raises(UsageError) as error:
            TftpServer(alias="right", port=left.port).start()
        assert re.sub(r"since \d\d:\d\d", "since 12:34", str(error.value)) == (
            f"Cannot start the TFTP server 'right' at 127.0.0.1:{left.port}: the TFTP server "
            f"'left', which runs at {left.url()} for 1 s (since 12:34 UTC), serves every board "
            "that no other server there names. Name the boards of one of the two in clients=, take "
            "a free port with port=0, or stop that server."
        )


def test_an_overlap_is_refused_with_both_named_and_who_started_the_other() -> None:
    with shared(named("left", "127.0.0.0/24", owner="runner ci-7 (pi@laptop)")) as (left,):
        with pytest.raises(UsageError) as error:
            TftpServer(alias="right", port=left.port, clients=("10.0.0.1", RIGHT)).start()
        assert re.sub(r"since \d\d:\d\d", "since 12:34", str(error.value)) == (
            f"Cannot start the TFTP server 'right' at 127.0.0.1:{left.port}: clients=127.0.0.3 is "
            f"served by the TFTP server 'left' (clients=127.0.0.0/24), which runs at {left.url()} "
            "for 1 s (since 12:34 UTC, started by runner ci-7 (pi@laptop)). A board has one server "
            "at a port: name other boards in clients=, or stop that server."
        )


def test_servers_at_different_addresses_do_not_share_a_port() -> None:
    with shared(named("left", LEFT)) as (left,):
        with pytest.raises(UsageError) as error:
            TftpServer(host="0.0.0.0", port=left.port, clients=(RIGHT,)).start()
        assert str(error.value) == (
            f"Cannot bind 0.0.0.0:{left.port}: the TFTP server 'left' is at {left.url()}. Servers "
            "share a port at the same address only: give host=127.0.0.1 and other clients=, or "
            "another port=."
        )
        with TftpServer(host="127.0.0.5", port=left.port) as other:
            assert other.port == left.port


def test_an_exception_of_one_server_concerns_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = Recorder(), Recorder()
    servers = named("left", LEFT, recorder=mine), named("right", RIGHT, recorder=theirs)
    with shared(*servers) as (left, _), boards(left, LEFT, RIGHT) as (one, two):
        take = Listener.take

        def fail(self: Listener, datagram: bytes, peer: Any, local: Any, came: float) -> None:
            if self.alias == "left":
                raise RuntimeError("surprise")
            take(self, datagram, peer, local, came)

        monkeypatch.setattr(Listener, "take", fail)
        one.ask()
        assert answer(two) == Data(1, b"right")
        (defect,) = mine.take_defects()
        assert "Server 'left' took a datagram" in defect
        assert theirs.take_defects() == ()


# They come and go


@pytest.mark.parametrize("single_port", [False, True])
def test_a_transfer_goes_on_with_its_server_whoever_comes(single_port: bool) -> None:
    with (
        shared(named("rest", content={"f": LARGE}), single_port=single_port) as (rest,),
        boards(rest, LEFT) as (peer,),
    ):
        peer.ask()
        assert peer.receive() == Data(1, LARGE[:512])
        with TftpServer(port=rest.port, **named("left", LEFT), **PATIENT) as left:
            # A copy of the request, which the network made, starts no transfer.
            peer.send(b"\0\1f\0octet\0", peer.server)
            peer.send(Ack(1))
            assert peer.receive() == Data(2, LARGE[512:1024])
            assert peer.is_silent()
            assert left.transfers() == ()
            with boards(rest, LEFT) as (again,):
                assert answer(again) == Data(1, b"left")
        peer.send(Ack(2))
        assert peer.receive() == Data(3, LARGE[1024:1536])


def test_a_board_has_the_server_that_names_it_now() -> None:
    with (
        shared(named("rest"), named("spare", RIGHT)) as (rest, spare),
        boards(rest, LEFT) as (board,),
    ):
        assert answer(board) == Data(1, b"rest")
        with TftpServer(port=rest.port, **named("left", LEFT), **PATIENT) as left:
            assert answer(board) == Data(1, b"left")
            left.change(clients=(OTHER,))
            assert answer(board) == Data(1, b"rest")
            spare.change(clients=(LEFT,))
            assert answer(board) == Data(1, b"spare")
        spare.stop()
        assert answer(board) == Data(1, b"rest")


def test_a_stop_cuts_the_transfers_of_one_server_only() -> None:
    large = {"content": {"f": LARGE}}
    with (
        shared(named("left", LEFT, **large), named("right", RIGHT, **large)) as (left, right),
        boards(left, LEFT, RIGHT) as (one, two),
    ):
        for peer in (one, two):
            peer.ask()
            assert peer.receive() == Data(1, LARGE[:512])
        mark = right.recorder.mark()
        (cut,) = left.stop()
        assert (cut.server, cut.outcome) == ("left", Outcome.aborted)
        assert one.receive() == Error(0, "The server was stopped")
        for block in range(1, 6):
            two.send(Ack(block))
            two.receive_data()
        two.send(Ack(6))
        done = right.wait_until(Download("f"), timeout=seconds(5), since=mark)
        assert (done.octets, done.retransmits) == (len(LARGE), 0)
        assert answer(one) == Error(2, "Access violation")


NOT_SERVED = (2, "Access violation")
STOPPED = (0, "The server was stopped")
WINDOW = 16
WINDOWS_A_ROUND = 9
ROUNDS = 500


class Download100MiB:
    """A board that reads on a thread of its own, at most so far as it is let.

    Attributes:
        may_read: counts the windows that it may read.
        digest: of what it has read.
    """

    def __init__(self, server: TftpServer, host: str) -> None:
        self.may_read = threading.Semaphore(0)
        self.digest = hashlib.sha256()
        self._peer = Peer((server.host, server.port), host)

    def run(self) -> None:
        with self._peer as peer:
            peer.ask(blksize=1428, windowsize=WINDOW)
            peer.receive()
            block, is_over = 0, False
            peer.send(Ack(0))
            while not is_over:
                for _ in range(WINDOW):
                    data = peer.receive_data()
                    block += 1
                    assert data.wire_block == block & 0xFFFF
                    self.digest.update(data.payload)
                    is_over = len(data.payload) < 1428
                    if is_over:
                        break
                assert self.may_read.acquire(timeout=seconds(60))
                peer.send(Ack(block & 0xFFFF))


def test_500_rounds_disturb_neither_a_download_nor_a_request() -> None:
    """Servers come and go while another one sends 100 MiB; each request has one answer."""
    image = random.Random(7).randbytes(1024 * 1024) * 100
    servers = named("rest", OTHER), named("spare", RIGHT)
    servers[0]["content"], servers[1]["content"]["large"] = {"f": image}, LARGE
    is_over = threading.Event()
    answers: Counter[str] = Counter()

    def ask(server: TftpServer) -> None:
        while not is_over.is_set():
            for host in (LEFT, RIGHT):
                with Peer((server.host, server.port), host) as peer:
                    packet = answer(peer)
                    if isinstance(packet, Data):
                        answers[packet.payload.decode()] += 1
                    else:
                        answers[str(packet)] += 1

    with (
        shared(*servers) as (rest, spare),
        boards(rest, RIGHT) as (slow,),
        ThreadPoolExecutor() as threads,
    ):
        slow.ask("large")
        assert slow.receive() == Data(1, LARGE[:512])
        board = Download100MiB(rest, OTHER)
        reading, asking = threads.submit(board.run), threads.submit(ask, rest)
        try:
            for _ in range(ROUNDS):
                board.may_read.release(WINDOWS_A_ROUND)
                with TftpServer(port=rest.port, **named("left", LEFT), **PATIENT):
                    pass
        finally:
            is_over.set()
            is_in_the_middle = not reading.done()
            board.may_read.release(10_000)
        asking.result(seconds(60))
        reading.result(seconds(60))
        assert is_in_the_middle
        assert board.digest.hexdigest() == hashlib.sha256(image).hexdigest()
        done = rest.wait_until(Download("f"), timeout=seconds(5))
        assert (done.octets, done.retransmits) == (len(image), 0)
        slow.send(Ack(1))
        assert slow.receive() == Data(2, LARGE[512:1024])
        assert spare.transfers()[0].retransmits == 0
        refused, stopped = (str(Error(*each)) for each in (NOT_SERVED, STOPPED))
        assert answers["spare"]
        assert answers["left"]
        assert answers[refused]
        assert set(answers) <= {"spare", "left", refused, stopped}
