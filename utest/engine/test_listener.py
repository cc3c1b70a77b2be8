"""The port of a server: what it takes, what it refuses, and what it leaves unanswered."""

from __future__ import annotations

import errno
import random
import socket
import time
from contextlib import closing
from typing import Any

import pytest

from atest.equipment.board_client import read_file
from atest.equipment.board_crowd import make_noise
from atest.equipment.board_network import Nat
from TftpBoard.packets import RefusedError
from TftpLibrary.engine import listener, ports, requests, udp
from TftpLibrary.engine.decoding import MAX_REQUEST_SIZE
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.listener import Listener
from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import (
    Ack,
    Data,
    Direction,
    Error,
    Oack,
    Packet,
    Request,
)
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.settings import Retransmission, ServerSettings
from TftpLibrary.store.memory import MemorySink, MemorySource, MemoryStore
from utest.support.bench import (
    BRIEF,
    QUICK,
    Peer,
    bench,
    board,
    linux_only,
    without_linux,
)
from utest.support.stores import read
from utest.support.waiting import seconds, wait_until

CONTENT = random.Random(5).randbytes(5000)
LARGE = random.Random(5).randbytes(100_000)
LONG = 60.0


# Datagrams that are no request


@pytest.mark.parametrize(
    "packet",
    [Error(5, "Unknown transfer ID"), Data(1, b"x"), Ack(0), Ack(1), Oack((("blksize", "8"),))],
    ids=lambda packet: type(packet).__name__,
)
def test_what_is_no_request_is_never_answered(packet: Packet) -> None:
    """Two servers could answer each other for ever."""
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.send(packet)
        assert peer.is_silent()
        assert found.transfers == ()
        assert found.read().content == CONTENT


@pytest.mark.parametrize("octets", [b"", b"\0", b"\x05"])
def test_what_is_too_short_to_tell_is_not_answered(octets: bytes) -> None:
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.send(octets)
        assert peer.is_silent()
        assert found.transfers == ()
        assert found.read().content == CONTENT


@pytest.mark.parametrize("opcode", [0, 7, 9, 0x0100, 65535])
def test_an_opcode_that_tftp_does_not_have_gets_error_4(opcode: int) -> None:
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.send(opcode.to_bytes(2, "big") + b"whatever\0octet\0")
        assert peer.receive() == Error(4, f"Illegal opcode {opcode}")
        assert peer.tid == (found.host, found.port)
        assert found.transfers == ()


@pytest.mark.parametrize("opcode", [0, 9])
def test_in_single_port_mode_an_unknown_opcode_of_a_peer_gets_one_error(opcode: int) -> None:
    """It belongs to the transfer of that peer, and is no request of another one."""
    with bench({"f": CONTENT}, single_port=True) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        peer.send(bytes((0, opcode)) + b"whatever\0octet\0")
        assert peer.receive() == Error(4, f"Illegal opcode {opcode}")
        assert found.wait_for_end().outcome is Outcome.failed
        assert peer.is_silent()
        assert len(found.transfers) == 1


# Malformed requests


@pytest.mark.parametrize("opcode", [1, 2])
def test_a_malformed_request_gets_error_4_and_is_recorded(opcode: int) -> None:
    with bench({"f": CONTENT}, writable=True) as found, found.peer() as peer:
        peer.send(opcode.to_bytes(2, "big") + b"f\0octet")
        expected = f"{'RRQ' if opcode == 1 else 'WRQ'} without a final NUL"
        assert peer.receive() == Error(4, expected)
        (record,) = found.transfers
        assert record.outcome is Outcome.refused
        assert record.direction is (Direction.read if opcode == 1 else Direction.write)
        assert (record.error_code, record.error_message) == (4, expected)
        assert record.filename == "f"
        assert (record.client, record.client_port) == ("127.0.0.1", peer.port)
        assert record.ended is not None


@pytest.mark.parametrize(
    ("size", "answer"),
    [
        (MAX_REQUEST_SIZE, Error(1, "File not found")),
        (MAX_REQUEST_SIZE + 1, Error(4, f"Request longer than {MAX_REQUEST_SIZE} octets")),
    ],
)
def test_a_request_is_taken_up_to_the_longest_size(size: int, answer: Error) -> None:
    with bench() as found, found.peer() as peer:
        peer.send(Request(Direction.read, b"f" * (size - 9)))
        assert peer.receive() == answer


def test_a_mode_that_is_not_served_gets_error_4_and_is_recorded() -> None:
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask("f", "<b>\n")
        assert peer.receive() == Error(4, "Unknown mode: use octet or netascii")
        (record,) = found.transfers
        assert record.outcome is Outcome.refused
        assert "expected octet or netascii" in record.error_message
        assert record.error_message.isprintable()


@pytest.mark.parametrize("name", ["sub/f", "/sub/f", "sub\\f", "\\sub\\f", "//sub//./f"])
def test_names_are_taken_as_boards_send_them(name: str) -> None:
    with bench({"sub/f": CONTENT}) as found:
        assert found.read(name).content == CONTENT
        assert found.wait_for_end().filename == name


def test_a_name_may_be_octets_that_are_no_text() -> None:
    with bench() as found, found.peer() as peer:
        peer.send(Request(Direction.read, b"\xff\x1b[31m<b>"))
        assert peer.receive() == Error(1, "File not found")
        assert found.transfers[0].filename == "\\xff\\x1b[31m<b>"


# Options


def test_options_are_granted_in_the_order_asked() -> None:
    """RFC 2347: the OACK; RFC 2348, 2349 and 7440: its options."""
    with bench({"f": LARGE}) as found, found.peer() as peer:
        peer.ask(tsize=0, WindowSize=4, multicast="", blksize=1428, timeout=3)
        granted = (("tsize", "100000"), ("WindowSize", "4"), ("blksize", "1428"), ("timeout", "3"))
        assert peer.receive() == Oack(granted)
        (record,) = found.transfers
        assert dict(record.granted) == dict(granted)
        assert dict(record.requested) == {**dict(granted), "tsize": "0", "multicast": ""}
        assert record.size == 100_000


def test_without_an_option_that_can_be_granted_data_comes_at_once() -> None:
    """RFC 2347: as if no option had been asked."""
    with bench({"f": LARGE}, refuse_options=frozenset(("BLKSIZE",))) as found:
        with found.peer() as peer:
            peer.ask(blksize=1428, timeout=3000, multicast="")
            assert peer.receive_data().payload == LARGE[:512]
        with found.peer() as peer:
            peer.ask(blksize=1428, windowsize=2)
            assert peer.receive() == Oack((("windowsize", "2"),))


def test_a_write_without_options_is_invited_by_ack_0() -> None:
    with bench(writable=True) as found, found.peer() as peer:
        peer.offer()
        assert peer.receive() == Ack(0)


def test_a_write_with_options_is_invited_by_an_oack() -> None:
    with bench(writable=True) as found, found.peer() as peer:
        peer.offer(tsize=1000, blksize=100_000, windowsize=1000)
        granted = (("tsize", "1000"), ("blksize", "65464"), ("windowsize", "64"))
        assert peer.receive() == Oack(granted)
        assert found.transfers[0].size == 1000


@pytest.mark.parametrize("tsize", ["-1", "1e3", "9" * 30, "", "\u0663"])
def test_a_size_that_is_no_number_is_as_good_as_none(tsize: str) -> None:
    with bench(writable=True, max_upload_size=10) as found, found.peer() as peer:
        peer.offer(tsize=tsize)
        assert peer.receive() == Ack(0)


def test_an_empty_file_has_no_tsize_in_its_answer() -> None:
    """Since curl takes a tsize of 0 for an error."""
    with bench({"f": b""}) as found:
        assert found.read(tsize=0).content == b""
        assert found.wait_for_end().size == 0


def test_before_the_first_ack_one_packet_leaves_and_its_few_repeats() -> None:
    """A spoofed address gets no window: no amplification."""
    settings: dict[str, Any] = {"timeout": seconds(0.1), "retries": 2}
    settings["retransmission"] = Retransmission.fixed
    with bench({"f": LARGE}, **settings) as found, found.peer() as peer:
        peer.ask(windowsize=64, blksize=1428)
        oack = peer.receive()
        assert isinstance(oack, Oack)
        assert [peer.receive() for _ in range(2)] == [oack, oack]
        found.wait_for_end()
        assert peer.is_silent()


# Refusals of the store


@pytest.mark.parametrize(
    ("settings", "code", "text"),
    [
        ({}, 2, "Access violation"),
        ({"writable": True}, 6, "File already exists"),
        ({"writable": True, "overwrite": True, "max_upload_size": 10}, 3, "Upload too large"),
    ],
)
def test_a_write_that_is_not_allowed_is_refused_and_the_file_untouched(
    settings: dict[str, bool], code: int, text: str
) -> None:
    with bench({"f": CONTENT}, **settings) as found:
        with pytest.raises(RefusedError) as refusal:
            found.write(b"new content", tsize=11)
        assert (refusal.value.code, refusal.value.text) == (code, text)
        (record,) = found.transfers
        assert (record.outcome, record.error_code) == (Outcome.refused, code)
        assert record.direction is Direction.write
        assert read(found.store, b"f") == CONTENT


def test_a_write_that_may_not_make_a_file_is_refused() -> None:
    with bench(writable=True, create=False) as found:
        with pytest.raises(RefusedError, match="ERROR 1 'File not found'"):
            found.write(b"new")
        assert "may not be written" in found.transfers[0].error_message


def test_a_file_that_is_not_there_is_error_1_at_once() -> None:
    with bench() as found:
        with pytest.raises(RefusedError, match="ERROR 1 'File not found'"):
            found.read("pxelinux.cfg/default", tsize=0, blksize=1408)
        (record,) = found.transfers
        assert record.outcome is Outcome.refused
        assert (record.error_code, record.error_message) == (1, "no such file in memory")
        assert dict(record.requested) == {"tsize": "0", "blksize": "1408"}
        assert dict(record.granted) == {}
        assert record.server == "dut"


def test_a_mode_that_is_not_served_is_refused_before_the_store_is_asked() -> None:
    with bench(writable=True) as found, found.peer() as peer:
        for ask in (peer.ask, peer.offer):
            ask("missing", "mail")
            assert peer.receive() == Error(4, "Unknown mode: use octet or netascii")


def test_the_refusal_of_the_store_is_the_answer() -> None:
    with bench() as found, found.peer() as peer:
        peer.ask("missing")
        assert peer.receive() == Error(1, "File not found")
        peer.offer("new")
        assert peer.receive() == Error(2, "Access violation")
        assert [record.error_message for record in found.transfers] == [
            "no such file in memory",
            "the server is read-only",
        ]


class Broken(MemoryStore):
    """A store that fails when it is asked."""

    def open_read(self, name: bytes, client: str) -> MemorySource:
        if name == b"bad":
            raise RuntimeError("surprise")
        return super().open_read(name, client)


def test_an_exception_of_the_store_is_recorded_with_its_traceback_and_the_server_goes_on() -> None:
    with bench(Broken({"f": CONTENT})) as found:
        with pytest.raises(RefusedError, match="ERROR 0 'Internal error'"):
            found.read("bad")
        (record,) = found.transfers
        assert (record.outcome, record.error_code) == (Outcome.failed, 0)
        assert record.error_message == (
            "internal error: RuntimeError('surprise'), please report it"
        )
        assert "in open_read" in record.traceback
        assert found.read().content == CONTENT


def test_an_exception_outside_of_a_transfer_is_kept_for_the_next_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("surprise")

    with bench({"f": CONTENT}) as found:
        with monkeypatch.context() as patch, found.peer() as peer:
            patch.setattr("TftpLibrary.engine.hosts.readable_host", fail)
            peer.ask()
            (defect,) = wait_until(found.recorder.take_defects)
        assert defect.startswith("Server 'dut' took a datagram, internal error: RuntimeError(")
        assert "Traceback" in defect
        assert found.read().content == CONTENT


# The same peer again


def test_a_request_that_comes_again_opens_no_second_transfer() -> None:
    """RFC 1350, section 4: the TID names the transfer."""
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        for _ in range(3):
            peer.ask()
        content = b""
        for block in range(1, len(CONTENT) // 512 + 2):
            packet = peer.receive_data()
            # To look at the records takes the engine through what lies in its sockets.
            assert len(found.transfers) == 1
            assert packet.wire_block == block
            content += packet.payload
            peer.send(Ack(block))
        assert content == CONTENT
        wait_until(lambda: not found.transfers[-1].is_running, 5.0)
        assert len(found.transfers) == 1


def test_a_request_that_comes_again_after_a_silence_begins_anew() -> None:
    """A board that was reset asks from the same port."""
    with bench({"f": CONTENT}, **QUICK) as found, found.peer() as peer:
        peer.ask()
        assert peer.receive_data().wire_block == 1
        peer.send(Ack(1))
        assert peer.receive_data().wire_block == 2
        old = peer.tid
        # It comes again, and again: this is no busy moment, the peer is silent.
        for _ in range(2):
            assert peer.receive_data().wire_block == 2
        peer.ask()
        packet = peer.receive_data()
        while peer.tid == old:
            packet = peer.receive_data()
        assert packet.wire_block == 1
        first, second = found.transfers
        assert first.outcome is Outcome.failed
        assert first.error_message == "a new request came from the same port"
        assert second.is_running


def test_another_request_from_the_same_port_takes_the_place_of_the_first() -> None:
    """The peer gets no ERROR: it would take it for the answer to its new request."""
    with bench({"f": CONTENT, "g": b"other"}) as found, found.peer() as peer:
        peer.ask("f")
        assert peer.receive_data().payload == CONTENT[:512]
        peer.ask("g")
        assert peer.receive() == Data(1, b"other")
        peer.send(Ack(1))
        first, second = found.wait_for_ends(2)
        assert (first.outcome, second.outcome) == (Outcome.failed, Outcome.completed)
        assert peer.is_silent()


@pytest.mark.parametrize("name", ["f", "g"])
def test_a_request_that_overtakes_the_last_ack_ends_no_transfer(name: str) -> None:
    """They come to two sockets, and the one of the requests may be read first."""
    content = {"f": b"tiny", "g": b"other"}
    with bench(content, timeout=LONG) as found, found.peer() as peer:
        peer.ask("f")
        peer.receive()

        def overtake() -> None:
            peer.send(Ack(1))
            peer.ask(name)
            found.ready()

        found.engine.call(overtake)
        assert peer.receive() == Data(1, content[name])
        first, second = found.transfers
        assert first.outcome is Outcome.completed
        assert (second.filename, second.is_running) == (name, True)


@linux_only
def test_a_new_request_is_answered_however_late_the_last_ack_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Many boards at once keep the engine busy; this one would ask again only after a second."""
    with bench({"f": b"tiny"}, timeout=LONG) as found, found.peer() as peer:
        peer.ask()
        peer.receive()

        def read_late() -> None:
            peer.send(Ack(1))
            peer.ask()
            for module in (listener, requests):
                monkeypatch.setattr(module, "monotonic", lambda: time.monotonic() + 10)
            monkeypatch.setattr(requests, "time", lambda: time.time() + 10)
            found.ready()

        found.engine.call(read_late)
        assert len(found.transfers) == 2
        assert peer.receive() == Data(1, b"tiny")


@linux_only
@pytest.mark.parametrize("is_copy", [True, False])
def test_a_copy_of_a_request_that_is_read_after_the_end_starts_no_transfer(
    is_copy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network made it at the beginning. The peer itself may ask for the same thing again."""
    monkeypatch.setattr(ports, "_REQUESTS_AT_ONCE", 1)
    with bench({"f": b"tiny"}, timeout=LONG) as found, found.peer() as peer:

        def read_before_the_copy_is_seen() -> None:
            for _ in range(1 + is_copy):
                peer.ask()
            found.ready()
            (session,) = found.listener.sessions
            peer.receive()
            peer.send(Ack(1))
            session.ready()
            assert not session.channel.is_open
            if not is_copy:
                peer.ask()
            found.ready()

        found.engine.call(read_before_the_copy_is_seen)
        assert len(found.transfers) == (1 if is_copy else 2)


def test_a_write_may_follow_a_write_from_the_same_port() -> None:
    """The first one still waits to repeat its last ACK."""
    with bench(writable=True) as found, found.peer() as peer:
        for name in ("one", "two"):
            peer.offer(name)
            assert peer.receive() == Ack(0)
            peer.send(Data(1, name.encode()))
            assert peer.receive() == Ack(1)
        assert [record.outcome for record in found.wait_for_ends(2)] == [Outcome.completed] * 2
        assert read(found.store, b"two") == b"two"


# The port of a transfer


def test_each_transfer_has_a_port_of_its_own() -> None:
    """RFC 1350, section 4."""
    with bench({"f": LARGE}) as found, found.peer() as one, found.peer() as two:
        for peer in (one, two):
            peer.ask()
            peer.receive()
        assert len({one.tid[1], two.tid[1], found.port}) == 3


@pytest.mark.parametrize("windowsize", [1, 8])
def test_in_single_port_mode_all_goes_through_one_port(windowsize: int) -> None:
    """For NAT and containers: an answer from another port would not come through."""
    with bench({"f": LARGE}, single_port=True, writable=True) as found:
        nat = Nat((found.host, found.port))
        with closing(nat):
            ask, sock = board(nat.host, nat.port, "f", {"windowsize": windowsize, "blksize": 1000})
            with sock:
                report = read_file(ask, sock)
            assert report.content == LARGE
            assert nat.lost == 0
        report = found.write(LARGE, "g", windowsize=windowsize, blksize=8192)
        assert report.server_port == found.port
        assert read(found.store, b"g") == LARGE


def test_in_single_port_mode_two_boards_do_not_mix() -> None:
    content = {"f": LARGE[:2000], "g": LARGE[2000:4000]}
    with bench(content, single_port=True) as found, found.peer() as one, found.peer() as two:
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
    with bench({"f": LARGE}, single_port=True, writable=True, timeout=seconds(0.1)) as found:
        report = found.read(windowsize=4, drop_blocks="1,5,6,100")
        assert report.content == LARGE
        found.write(LARGE, "g", drop_blocks="5", accept_duplicates=True)
        assert read(found.store, b"g") == LARGE


def test_in_single_port_mode_a_transfer_that_is_over_is_not_answered() -> None:
    with bench({"f": b"tiny"}, single_port=True) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        peer.send(Ack(1))
        found.wait_until_empty()
        peer.send(Ack(1))
        assert peer.is_silent()


def test_in_single_port_mode_an_error_of_the_store_reaches_the_peer() -> None:
    with bench(single_port=True, writable=True, max_upload_size=600) as found:
        with pytest.raises(RefusedError, match="ERROR 3"):
            found.write(LARGE)
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
    with bench({"f": LARGE}, port_range=ports, timeout=LONG) as found:
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
            assert found.read().content == LARGE
        finally:
            for peer in peers:
                peer.sock.close()


class Watched(MemoryStore):
    """A store that counts what is open."""

    def __init__(self) -> None:
        super().__init__({"f": LARGE})
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
    with bench(store, writable=True, overwrite=True) as found:
        with monkeypatch.context() as patch, found.peer() as peer:
            patch.setattr(place, name, fail)
            (peer.ask if is_read else peer.offer)(windowsize=4)
            assert peer.receive() == Error(0, "Server busy, try again later")
        (record,) = found.transfers
        assert record.error_message == "no port for the transfer: Too many open files"
        assert store.open == 0
        assert found.read().content == LARGE
        wait_until(lambda: store.open == 0)


@linux_only
def test_the_answer_comes_from_the_address_asked_also_through_a_port_of_its_own() -> None:
    with (
        bench({"f": LARGE}, host="0.0.0.0") as found,
        Peer(("127.0.0.3", found.port), "127.0.0.2") as peer,
    ):
        peer.ask()
        peer.receive()
        assert peer.tid[0] == "127.0.0.3"
        assert peer.tid[1] != found.port


# Addresses


@linux_only
@pytest.mark.parametrize("single_port", [False, True])
@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.3"])
def test_answers_come_from_the_address_that_was_asked(asked: str, single_port: bool) -> None:
    """RFC 1123, section 4.1.3.5. The board checks the source of every packet."""
    with bench({"f": CONTENT}, host="0.0.0.0", writable=True, single_port=single_port) as found:
        how = {"asked_host": asked, "local_host": "127.0.0.2", "windowsize": 4}
        assert found.read(**how).content == CONTENT
        found.write(CONTENT, "g", **how)
        with pytest.raises(RefusedError):
            found.read("missing", **how)
        assert {record.client for record in found.wait_for_ends(3)} == {"127.0.0.2"}


@linux_only
@pytest.mark.parametrize(("asked", "client"), [("127.0.0.3", "127.0.0.2"), ("::1", "::1")])
@pytest.mark.parametrize("single_port", [False, True])
def test_a_wildcard_of_both_families_serves_both(
    asked: str, client: str, single_port: bool
) -> None:
    with bench({"f": CONTENT}, host="::", single_port=single_port) as found:
        how = {"asked_host": asked, "local_host": client, "blksize": 1000, "windowsize": 4}
        assert found.read(**how).content == CONTENT
        with pytest.raises(RefusedError):
            found.read("missing", **how)
        assert found.wait_for_ends(2)[0].client == client


def test_ipv6_is_served() -> None:
    with bench({"f": CONTENT}, host="::1", writable=True) as found:
        assert found.read(windowsize=4).content == CONTENT
        found.write(CONTENT, "g", windowsize=4)
        assert found.wait_for_ends(2)[0].client == "::1"


@linux_only
def test_a_request_to_a_broadcast_address_is_ignored() -> None:
    """RFC 1123, section 4.2.3.5."""
    with bench({"f": CONTENT}, host="0.0.0.0") as found, found.peer() as peer:
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        peer.send(Request(Direction.read, b"f"), ("127.255.255.255", found.port))
        assert peer.is_silent()
        (record,) = found.transfers
        assert (record.outcome, record.error_code) == (Outcome.refused, None)
        assert record.error_message == (
            "sent to a broadcast address, which is ignored without broadcast=True"
        )
        peer.send(Ack(0), ("127.255.255.255", found.port))
        peer.send(b"\0\1f", ("127.255.255.255", found.port))
        assert peer.is_silent()
        assert len(found.transfers) == 1


@linux_only
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
@pytest.mark.parametrize("single_port", [False, True])
def test_a_request_to_a_broadcast_address_is_answered_on_request(
    host: str, single_port: bool
) -> None:
    """By unicast, from the address of this machine in that network."""
    with (
        bench({"f": CONTENT[:100]}, host=host, broadcast=True, single_port=single_port) as found,
        found.peer() as peer,
    ):
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        peer.send(Request(Direction.read, b"f"), ("127.255.255.255", found.port))
        assert peer.receive_data().payload == CONTENT[:100]
        assert peer.tid[0] == "127.0.0.1"
        peer.send(Ack(1))
        assert found.wait_for_end().outcome is Outcome.completed


def test_a_server_that_gets_no_broadcast_does_not_promise_to_answer_it() -> None:
    text = "^A server that is bound to one address .* needs host=0.0.0.0 or host=::, got host=127"
    settings = ServerSettings(broadcast=True)
    with bench() as found:
        with pytest.raises(UsageError, match=text):
            Listener(settings, MemoryStore(), Recorder(), "second", found.engine)
        with pytest.raises(UsageError, match=text):
            found.engine.call(lambda: found.listener.change(settings))


def test_auto_is_an_address_of_this_machine() -> None:
    with bench({"f": CONTENT}, host="auto") as found:
        assert found.host not in ("auto", "0.0.0.0", "::")
        assert found.read().content == CONTENT


def test_a_wildcard_answers_where_the_address_asked_cannot_be_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_linux(monkeypatch)
    with bench({"f": CONTENT}, host="0.0.0.0") as found:
        assert found.read(asked_host="127.0.0.1").content == CONTENT


def test_a_port_that_is_taken_is_told_when_the_listener_is_made() -> None:
    with bench() as found, pytest.raises(UsageError, match="the TFTP server 'dut', which runs at"):
        Listener(ServerSettings(port=found.port), MemoryStore(), Recorder(), "second", found.engine)


# Change and end


def test_other_settings_hold_for_the_next_request_only() -> None:
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask(blksize=1000)
        assert peer.receive() == Oack((("blksize", "1000"),))
        found.engine.call(lambda: found.listener.change(ServerSettings(max_blksize=600)))
        peer.send(Ack(0))
        assert len(peer.receive_data().payload) == 1000
        assert found.read(blksize=1000).granted == {"blksize": "600"}


def test_a_listener_that_does_not_serve_yet_can_be_stopped() -> None:
    engine = Engine()
    engine.start()
    try:
        found = Listener(ServerSettings(), MemoryStore(), Recorder(), "dut", engine)
        assert engine.call(found.stop) == []
        assert found.sock.fileno() == -1
        found.close()
    finally:
        engine.stop()


def test_requests_can_be_left_unanswered_while_transfers_go_on() -> None:
    with bench({"f": CONTENT}) as found, found.peer() as peer, found.peer() as late:
        peer.ask()
        peer.receive()
        found.engine.call(found.listener.refuse_requests)
        late.ask()
        assert late.is_silent()
        peer.send(Ack(1))
        assert peer.receive_data().wire_block == 2


def test_stop_cuts_transfers_short_with_an_error_and_tells_which() -> None:
    with bench({"f": CONTENT}, writable=True) as found, found.peer() as reader:
        found.write(b"done", "g")
        reader.ask()
        reader.receive()
        with found.peer() as writer:
            writer.offer("h")
            writer.receive()
            (first, second) = found.engine.call(found.listener.stop)
            assert (first.filename, second.filename) == ("f", "h")
            assert {first.outcome, second.outcome} == {Outcome.aborted}
            for peer in (reader, writer):
                assert peer.receive() == Error(0, "The server was stopped")
            assert found.listener.sessions == ()


@pytest.mark.parametrize("single_port", [True, False])
def test_an_observer_sees_all_datagrams_of_the_server_while_it_looks(single_port: bool) -> None:
    seen: list[bytes] = []
    with bench({"f": CONTENT[:700]}, single_port=single_port) as found, found.peer() as early:

        def tap() -> None:
            found.listener.tap(lambda datagram: seen.append(datagram.octets[:4]))

        early.ask()
        early.receive()
        found.engine.call(tap)
        early.send(Ack(1))
        early.receive()
        early.send(Ack(2))
        found.wait_for_ends(1)
        found.read("f")
        found.wait_for_ends(2)
        found.engine.call(lambda: found.listener.tap(None))
        found.read("f")
        expected = [
            *(b"\0\4\0\1", b"\0\3\0\2", b"\0\4\0\2"),
            *(b"\0\1f\0", b"\0\3\0\1", b"\0\4\0\1", b"\0\3\0\2", b"\0\4\0\2"),
        ]
        assert seen == expected


class Failing(MemoryStore):
    """A file that cannot be read for no reason that a store has."""

    def open_read(self, name: bytes, client: str) -> MemorySource:
        source = super().open_read(name, client)

        class Source:
            size, identity, close = source.size, source.identity, source.close

            def read_into(self, *_: object) -> int:
                raise RuntimeError("surprise")

        return Source() if name == b"bad" else source  # type: ignore[return-value]


def test_a_transfer_that_fails_with_its_first_packet_leaves_nothing_behind() -> None:
    with bench(Failing({"bad": CONTENT, "f": CONTENT})) as found:
        with pytest.raises(RefusedError, match="ERROR 0 'Internal error'"):
            found.read("bad")
        assert "RuntimeError: surprise" in found.wait_for_end().traceback
        assert found.listener.sessions == ()
        assert found.read().content == CONTENT


# Under fire


def test_noise_is_answered_or_not_and_the_server_goes_on() -> None:
    with bench({"f": CONTENT}, writable=True, **BRIEF) as found:
        assert make_noise((found.host, found.port), "f", 2000, seed=3) == 20
        found.wait_until_empty()


@linux_only
def test_under_a_flood_of_spoofed_requests_a_transfer_still_finishes() -> None:
    """Each request comes from another address, and nobody answers."""
    # With an adaptive timer a block comes again when this machine is busy for 0.2 s.
    patient: dict[str, Any] = {"timeout": seconds(5.0), "retransmission": Retransmission.fixed}
    settings = {"max_transfers": 50, **patient}
    content = random.Random(1).randbytes(300_000)
    with bench({"f": content}, host="0.0.0.0", **settings) as found, found.peer() as peer:
        flood = [found.peer(f"127.0.1.{number}") for number in range(1, 120)]
        try:
            peer.ask()
            block = 0
            received = b""
            while len(received) < len(content):
                packet = peer.receive_data()
                assert packet.wire_block == block + 1, "a block came again"
                block, received = packet.wire_block, received + packet.payload
                if block % 5 == 0:
                    flood[block // 5 % len(flood)].ask(windowsize=64)
                peer.send(Ack(block))
            assert received == content
            assert len(found.engine.call(lambda: found.listener.sessions)) <= 50
            outcomes = {record.outcome for record in found.transfers[1:]}
            assert outcomes <= {None, Outcome.refused, Outcome.failed}
        finally:
            for spoofed in flood:
                spoofed.sock.close()
