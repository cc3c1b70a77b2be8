"""The client's first exchange, with servers whose answers are written by hand."""

from __future__ import annotations

import errno
import random
import socket
import time

import pytest

from TftpLibrary.engine import assembly as module
from TftpLibrary.engine import udp
from TftpLibrary.engine.assembly import Cargo
from TftpLibrary.engine.channel import TidChannel
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Ack, Data, Direction, Error, Mode, Oack, Packet, Request
from TftpLibrary.settings import ClientSettings
from TftpLibrary.store.memory import MemoryStore
from utest.support.bench import linux_only, without_linux
from utest.support.puppets import Puppet, orders
from utest.support.waiting import seconds

CONTENT = random.Random(5).randbytes(1200)
PLAIN = ClientSettings(blksize=512, windowsize=1, tsize=False)
RICH = ClientSettings(blksize=1000, windowsize=4)
GRANTED = Oack((("blksize", "1000"), ("windowsize", "4"), ("tsize", "1200")))
BRIEF = ClientSettings(blksize=512, windowsize=1, tsize=False, timeout=seconds(0.1), retries=2)


# The request


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        (PLAIN, ()),
        (RICH, (("blksize", "1000"), ("windowsize", "4"), ("tsize", "0"))),
        (
            ClientSettings(rollover=1),
            (("blksize", "1428"), ("windowsize", "16"), ("tsize", "0"), ("rollover", "1")),
        ),
    ],
)
def test_a_read_asks_for_what_is_not_the_default(
    settings: ClientSettings, options: tuple[tuple[str, str], ...]
) -> None:
    with orders() as given, Puppet() as server:
        given.get(server, settings, "boot/zImage")
        assert server.take_request() == Request(Direction.read, b"boot/zImage", "octet", options)
        record = given.transfer
        assert record.is_running
        assert record.direction is Direction.read
        assert (record.filename, record.mode) == ("boot/zImage", "octet")
        assert record.server == f"127.0.0.1:{server.port}"
        assert dict(record.requested) == dict(options)


def test_a_write_tells_its_size() -> None:
    with orders() as given, Puppet() as server:
        given.put(server, CONTENT, RICH)
        options = (("blksize", "1000"), ("windowsize", "4"), ("tsize", "1200"))
        assert server.take_request() == Request(Direction.write, b"f", "octet", options)
        assert given.transfer.size == 1200


@pytest.mark.parametrize("is_read", [True, False])
def test_text_has_no_size_before_it_was_sent(is_read: bool) -> None:
    """RFC 2349 counts octets as they are transferred."""
    settings = ClientSettings(mode=Mode.netascii, blksize=512, windowsize=1)
    with orders() as given, Puppet() as server:
        if is_read:
            given.get(server, settings)
        else:
            given.put(server, b"a\nb\n", settings)
        request = server.take_request()
        assert (request.mode, request.options) == ("netascii", ())


def test_a_name_may_be_octets_that_are_no_text() -> None:
    """A local file may have such a name; it is asked for as it is."""
    with orders() as given, Puppet() as server:
        given.put(server, b"", PLAIN, "caf\udce9")
        assert server.take_request().filename == b"caf\xe9"
        assert given.transfer.filename == "caf\\xe9"


# The answers


def test_an_oack_is_acknowledged_with_ack_0() -> None:
    """RFC 2347."""
    with orders() as given, Puppet() as server:
        given.get(server, RICH)
        server.take_request()
        server.send(GRANTED)
        assert server.receive() == Ack(0)
        server.send(Data(1, CONTENT[:1000]))
        server.send(Data(2, CONTENT[1000:]))
        assert server.receive() == Ack(2)
        record = given.wait_for_end()
        assert record.outcome is Outcome.completed
        assert dict(record.granted) == dict(GRANTED.options)
        assert (record.size, record.octets, record.blocks) == (1200, 1200, 2)
        assert given.content() == CONTENT


def test_data_1_opens_a_read_from_a_server_that_knows_no_options() -> None:
    with orders() as given, Puppet() as server:
        given.get(server, RICH)
        server.take_request()
        for block, at in ((1, 0), (2, 512), (3, 1024)):
            server.send(Data(block, CONTENT[at : at + 512]))
            assert server.receive() == Ack(block)
        record = given.wait_for_end()
        assert dict(record.granted) == {}
        assert given.content() == CONTENT


@pytest.mark.parametrize("answer", [Oack((("blksize", "1000"),)), Ack(0)])
def test_an_oack_or_ack_0_opens_a_write(answer: Packet) -> None:
    with orders() as given, Puppet() as server:
        given.put(server, CONTENT, RICH)
        server.take_request()
        server.send(answer)
        blksize = 1000 if isinstance(answer, Oack) else 512
        for block, at in enumerate(range(0, 1200, blksize), start=1):
            assert server.receive() == Data(block, CONTENT[at : at + blksize])
            server.send(Ack(block))
        assert given.wait_for_end().outcome is Outcome.completed


def test_a_write_may_send_a_whole_window_at_once() -> None:
    """The server has shown itself: no amplification."""
    with orders() as given, Puppet() as server:
        given.put(server, bytes(10_000), RICH)
        server.take_request()
        server.send(Oack((("windowsize", "4"),)))
        assert [server.receive() for _ in range(4)] == [
            Data(block, bytes(512)) for block in range(1, 5)
        ]
        server.send(Error(3, "Disk full"))
        assert given.wait_for_end().outcome is Outcome.failed


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((("blksize", "1001"),), "blksize=1001; expected 8 to 1000"),
        ((("timeout", "3"),), "timeout=3, which was not asked"),
        ((("windowsize", "0"),), "windowsize=0; expected 1 to 4"),
        ((("blksize", "900"), ("blksize", "900")), "blksize twice"),
    ],
)
def test_a_server_that_grants_what_was_not_asked_gets_error_8(
    options: tuple[tuple[str, str], ...], text: str
) -> None:
    """RFC 2347."""
    with orders() as given, Puppet() as server:
        caller = given.get(server, RICH)
        server.take_request()
        server.send(Oack(options))
        assert server.receive() == Error(8, "Options were not agreed")
        assert server.is_silent(server.sock)
        record = given.wait_for_end()
        assert (record.outcome, record.error_code) == (Outcome.failed, 8)
        assert text in record.error_message
        assert caller.entry.end is not None
        assert not record.by_peer
        assert given.store.names() == []


def test_an_error_refuses_the_request() -> None:
    with orders() as given, Puppet() as server:
        given.get(server, PLAIN)
        server.take_request()
        server.send(Error(2, "Not for you\n"))
        record = given.wait_for_end()
        assert (record.outcome, record.error_code) == (Outcome.refused, 2)
        assert record.error_message == "Not for you\\x0a"
        assert record.ended is not None
        assert record.by_peer
        assert server.is_silent()
        assert given.store.names() == []


def test_octets_that_are_no_packet_get_error_4() -> None:
    with orders() as given, Puppet() as server:
        given.get(server, PLAIN)
        server.take_request()
        server.send(b"\0\x09")
        assert server.receive() == Error(4, "Illegal opcode 9")
        assert given.wait_for_end().outcome is Outcome.failed


@pytest.mark.parametrize("stray", [Data(7, b"old"), Ack(0), Ack(3)])
def test_what_is_left_of_an_earlier_transfer_is_ignored(stray: Packet) -> None:
    with orders() as given, Puppet() as server:
        given.get(server, PLAIN)
        server.take_request()
        server.send(stray)
        server.send(Data(1, b"new"))
        assert server.receive() == Ack(1)
        assert given.wait_for_end().outcome is Outcome.completed
        assert given.content() == b"new"


@pytest.mark.parametrize("is_read", [True, False])
def test_text_is_translated_on_its_way(is_read: bool) -> None:
    settings = ClientSettings(mode=Mode.netascii, blksize=512, windowsize=1)
    with orders() as given, Puppet() as server:
        if is_read:
            given.get(server, settings)
            server.take_request()
            server.send(Data(1, b"a\r\nb\r\0"))
            assert server.receive() == Ack(1)
            assert given.wait_for_end().outcome is Outcome.completed
            assert given.content() == b"a\nb\r"
        else:
            given.put(server, b"a\nb\r", settings)
            server.take_request()
            server.send(Ack(0))
            assert server.receive() == Data(1, b"a\r\nb\r\0")
            server.send(Ack(1))
            assert given.wait_for_end().octets == 6


# An observer


def test_an_observer_sees_what_goes_to_and_fro_while_it_looks() -> None:
    seen: list[bytes] = []
    with orders() as given, Puppet() as server:
        caller = given.get(server, PLAIN)

        def tap() -> None:
            caller.tap(lambda datagram: seen.append(datagram.octets[:4]))

        server.take_request()
        given.engine.call(tap)
        for block in (1, 2):
            server.send(Data(block, bytes(512)))
            assert server.receive() == Ack(block)
        given.engine.call(lambda: caller.tap(None))
        server.send(Data(3, bytes(512)))
        assert server.receive() == Ack(3)
        given.engine.call(tap)
        server.send(Data(4, b"end"))
        assert server.receive() == Ack(4)
        given.wait_for_end()
        given.engine.call(lambda: caller.tap(None))
        given.engine.call(tap)
    assert seen == [bytes((0, kind, 0, block)) for block in (1, 2, 4) for kind in (3, 4)]


def test_an_observer_of_a_request_that_is_over_sees_nothing() -> None:
    seen: list[bytes] = []
    with orders() as given, Puppet() as server:
        caller = given.get(server, PLAIN)
        given.engine.call(lambda: caller.tap(lambda datagram: seen.append(datagram.octets)))
        server.take_request()
        server.send(Error(1, "no"))
        given.wait_for_end()
        given.engine.call(lambda: caller.tap(None))
        given.engine.call(lambda: caller.tap(lambda datagram: seen.append(datagram.octets)))
    assert seen == [Error(1, "no").encode()]


# Strangers


@linux_only
def test_an_answer_from_another_host_is_ignored() -> None:
    with orders() as given, Puppet() as server:
        given.get(server, PLAIN)
        server.take_request()
        elsewhere = server.open_tid("127.0.0.9")
        server.send(Error(0, "I am somebody else"), elsewhere)
        server.send(Data(1, b"wrong"), elsewhere)
        server.send(Data(1, b"right"))
        assert server.receive() == Ack(1)
        assert given.wait_for_end().outcome is Outcome.completed
        assert given.content() == b"right"


@linux_only
@pytest.mark.parametrize("settings", [PLAIN, RICH])
@pytest.mark.parametrize("stray", [Data(1, b"wrong"), Error(0, "wrong"), Oack(())])
def test_the_first_answer_counts_and_a_second_server_is_turned_away(
    settings: ClientSettings, stray: Packet
) -> None:
    """RFC 1350, section 4: a request that came twice opens two transfers, and one must end."""
    with orders() as given, Puppet() as server:
        given.get(server, settings)
        server.take_request()
        second = server.open_tid()
        oack = Oack((("blksize", "1000"),))
        answer: Packet = Data(1, CONTENT[:512]) if settings is PLAIN else oack

        def answer_at_once() -> None:
            server.send(answer)
            server.send(stray, second)

        # Both lie in the socket before the client looks.
        given.engine.call(answer_at_once)
        if not isinstance(stray, Error):
            assert server.receive(second) == Error(5, "Unknown transfer ID")
        if settings is PLAIN:
            assert server.receive() == Ack(1)
            server.send(Data(2, b"end"))
            assert server.receive() == Ack(2)
            expected = CONTENT[:512] + b"end"
        else:
            assert server.receive() == Ack(0)
            server.send(Data(1, b"end"))
            assert server.receive() == Ack(1)
            expected = b"end"
        record = given.wait_for_end()
        assert (record.outcome, record.duplicates) == (Outcome.completed, 0)
        assert given.content() == expected


@linux_only
def test_a_stranger_in_the_middle_is_turned_away() -> None:
    with orders() as given, Puppet() as server:
        given.get(server, PLAIN)
        server.take_request()
        server.send(Data(1, CONTENT[:512]))
        assert server.receive() == Ack(1)
        second = server.open_tid()
        server.send(Data(2, b"wrong"), second)
        assert server.receive(second) == Error(5, "Unknown transfer ID")
        server.send(Data(2, b"right"))
        assert server.receive() == Ack(2)
        assert given.wait_for_end().outcome is Outcome.completed


def test_data_right_behind_the_oack_is_not_lost() -> None:
    """Some servers do not wait for ACK 0."""
    with orders() as given, Puppet() as server:
        given.get(server, RICH)
        server.take_request()

        def answer() -> None:
            server.send(GRANTED)
            server.send(Data(1, CONTENT[:1000]))

        given.engine.call(answer)
        assert server.receive() == Ack(0)
        server.send(Data(2, CONTENT[1000:]))
        assert server.receive() == Ack(2)
        assert given.wait_for_end().retransmits == 0
        assert given.content() == CONTENT


# Time


def test_a_request_is_repeated_until_the_client_gives_up() -> None:
    with orders() as given, Puppet() as server:
        begun = time.monotonic()
        given.get(server, BRIEF)
        requests = {server.take_request().filename for _ in range(3)}
        record = given.wait_for_end()
        assert requests == {b"f"}
        assert server.is_silent(server.sock)
        assert time.monotonic() - begun >= 3 * BRIEF.timeout
        assert (record.outcome, record.error_code) == (Outcome.timed_out, None)
        assert record.error_message == "no answer to the request, 3 tries"
        assert record.retransmits == 2
        assert given.store.names() == []


def test_the_client_may_keep_asking_for_longer() -> None:
    settings = ClientSettings(
        blksize=512, windowsize=1, tsize=False, timeout=seconds(0.02), retries=0, wait=60.0
    )
    with orders() as given, Puppet() as server:
        given.get(server, settings)
        for _ in range(5):
            server.take_request()
        assert given.transfer.retransmits >= 4
        assert given.transfer.idle > 0
        server.send(Data(1, b"at last"))
        assert server.receive() == Ack(1)
        assert given.wait_for_end().outcome is Outcome.completed


def test_a_server_that_falls_silent_is_given_up_with_an_error() -> None:
    with orders() as given, Puppet() as server:
        given.get(server, BRIEF)
        server.take_request()
        server.send(Data(1, bytes(512)))
        acks = [server.receive() for _ in range(3)]
        assert acks == [Ack(1)] * 3
        assert server.receive() == Error(0, "Timed out")
        assert given.wait_for_end().outcome is Outcome.timed_out
        assert given.store.names() == []


# The end


@pytest.mark.parametrize("is_read", [True, False])
def test_stop_before_an_answer_ends_it(is_read: bool) -> None:
    with orders() as given, Puppet() as server:
        caller = given.get(server, PLAIN) if is_read else given.put(server, CONTENT, PLAIN)
        server.take_request()
        record = given.engine.call(caller.stop)
        assert record is not None
        assert record.outcome is Outcome.aborted
        assert given.transfer == record
        assert given.engine.call(caller.stop) is None
        given.engine.call(lambda: caller.handle_timeout(time.monotonic()))
        assert given.transfer == record
        assert given.store.names() == []


def test_stop_in_the_middle_ends_it_with_an_error() -> None:
    with orders() as given, Puppet() as server:
        caller = given.get(server, PLAIN)
        server.take_request()
        server.send(Data(1, bytes(512)))
        server.receive()
        record = given.engine.call(lambda: caller.stop("The client was stopped"))
        assert record is not None
        assert (record.outcome, record.blocks) == (Outcome.aborted, 1)
        assert server.receive() == Error(0, "The client was stopped")
        assert given.store.names() == []


@pytest.mark.parametrize("is_answered", [True, False])
def test_what_is_under_way_ends_with_the_engine(is_answered: bool) -> None:
    with orders() as given, Puppet() as server:
        given.get(server, PLAIN)
        server.take_request()
        if is_answered:
            server.send(Data(1, bytes(512)))
            server.receive()
        given.engine.stop()
        assert given.transfer.outcome is Outcome.aborted


@linux_only
def test_a_server_that_closes_its_port_ends_the_transfer() -> None:
    settings = ClientSettings(blksize=512, windowsize=1, timeout=seconds(0.03), retries=100)
    with orders() as given, Puppet() as server:
        given.put(server, bytes(5000), settings)
        server.take_request()
        server.send(Ack(0))
        server.receive()
        server.tid.close()
        record = given.wait_for_end()
        assert record.outcome is Outcome.failed
        assert record.error_message == "the peer closed its port"


# Failures of our own


class Surprising(MemoryStore):
    """A file that cannot be read for no reason that a store has."""

    size = 10
    identity = "surprising"
    closed = 0

    def read_into(self, *_: object) -> int:
        raise RuntimeError("surprise")

    def close(self) -> None:
        self.closed += 1


def test_an_exception_as_the_transfer_begins_is_recorded_and_ends_it() -> None:
    """Nobody waits for ever."""
    source = Surprising()
    with orders() as given, Puppet() as server:
        given.order(server, PLAIN, "f", Cargo.to_send(source, PLAIN.mode))
        server.take_request()
        server.send(Ack(0))
        assert server.receive() == Error(0, "Internal error")
        record = given.wait_for_end()
        assert record.outcome is Outcome.failed
        assert record.error_message == (
            "internal error: RuntimeError('surprise'), please report it"
        )
        assert "in read_into" in record.traceback
        assert source.closed == 1


def test_an_exception_before_the_transfer_begins_is_recorded_and_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("surprise")

    with orders() as given, Puppet() as server:
        given.get(server, PLAIN)
        server.take_request()
        monkeypatch.setattr(module, "make_receiver", fail)
        server.send(Data(1, b"content"))
        record = given.wait_for_end()
        assert record.outcome is Outcome.failed
        assert record.error_message == (
            "internal error: RuntimeError('surprise'), please report it"
        )
        assert "RuntimeError: surprise" in record.traceback
        assert given.store.names() == []


def test_an_exception_while_an_answer_is_looked_at_is_recorded_and_ends_it() -> None:
    with orders() as given, Puppet() as server:
        caller = given.get(server, PLAIN)
        server.take_request()
        given.engine.call(lambda: caller.fail(RuntimeError("surprise")))
        given.engine.call(lambda: caller.fail(RuntimeError("again")))
        record = given.wait_for_end()
        assert record.error_message.startswith("internal error: RuntimeError('surprise')")
        assert caller.entry.end is not None


def test_a_way_that_is_closed_when_the_answer_comes_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    with orders() as given, Puppet() as server:
        given.get(server, PLAIN)
        server.take_request()
        with monkeypatch.context() as patch:
            patch.setattr("socket.socket.connect", fail)
            server.send(Data(1, b"content"))
            record = given.wait_for_end()
        assert record.outcome is Outcome.failed
        assert "Network is unreachable" in record.error_message
        assert given.store.names() == []


def test_without_a_socket_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with orders() as given, Puppet() as server:
        monkeypatch.setattr(udp, "open_tid", fail)
        with pytest.raises(OSError, match="Too many open files"):
            given.get(server, PLAIN)
        assert given.recorder.transfers() == ()


# Where it runs


def test_without_the_specialities_of_linux_it_works_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_linux(monkeypatch)
    with orders() as given, Puppet() as server:
        given.get(server, RICH)
        server.take_request()
        server.send(GRANTED)
        assert server.receive() == Ack(0)
        server.send(Data(1, CONTENT[:1000]))
        server.send(Data(2, CONTENT[1000:]))
        assert server.receive() == Ack(2)
        assert given.wait_for_end().outcome is Outcome.completed
        assert given.content() == CONTENT


def test_ipv6_is_spoken() -> None:
    with orders() as given, Puppet("::1") as server:
        given.get(server, PLAIN)
        server.take_request()
        assert given.transfer.server == f"[::1]:{server.port}"
        server.send(Data(1, b"six"))
        assert server.receive() == Ack(1)
        assert given.wait_for_end().client == "::1"


@linux_only
def test_the_local_address_can_be_chosen() -> None:
    settings = ClientSettings(blksize=512, windowsize=1, tsize=False, local_address="127.0.0.2")
    with orders() as given, Puppet() as server:
        given.get(server, settings)
        server.take_request()
        assert server.client[0] == "127.0.0.2"
        server.send(Data(1, b"content"))
        assert server.receive() == Ack(1)
        assert given.wait_for_end().client == "127.0.0.2"


@linux_only
def test_a_closed_port_is_in_the_record_and_asked_until_the_end() -> None:
    """The server may be about to start: U-Boot's `tftpsrv` is started by hand."""
    with orders() as given, Puppet() as server:
        given.get(server, BRIEF)
        server.sock.close()
        record = given.wait_for_end()
        assert (record.outcome, record.cause) == (Outcome.timed_out, Cause.no_listener)
        assert record.error_message == (
            "no answer to the request, 3 tries; 127.0.0.1: nothing listens at that port"
        )


def test_news_of_an_earlier_request_do_not_cost_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The kernel reports a closed port by the next call, which then sends nothing."""
    with orders() as given, Puppet() as server:
        send, news = socket.socket.sendto, [ConnectionRefusedError(errno.ECONNREFUSED, "no")]

        def sendto(sock: socket.socket, octets: bytes, address: tuple[str, int]) -> int:
            if news:
                raise news.pop()
            return send(sock, octets, address)

        monkeypatch.setattr(socket.socket, "sendto", sendto)
        given.get(server, PLAIN)
        server.take_request()
        server.send(Data(1, b"content"))
        assert given.wait_for_end().outcome is Outcome.completed


# Faults on purpose; `test_miscalls` has each kind


def test_a_caller_with_faults_has_them_from_the_request_on() -> None:
    with orders() as given, Puppet() as server:
        dropped = given.inject("drop", "RRQ")
        again = given.inject("duplicate", "DATA 1")
        shown: list[bytes] = []
        given.get(server, BRIEF).tap(lambda datagram: shown.append(datagram.octets))
        server.take_request()
        server.send(Data(1, CONTENT[:512]))
        assert server.receive() == Ack(1)
        server.send(Data(2, b"end"))
        record = given.wait_for_end()
        assert record.outcome is Outcome.completed
        assert [mark.fault for mark in record.faults] == [dropped, again]
        assert shown[-1] in (Ack(2).encode(), Ack(1).encode())


def test_a_fault_that_concerns_another_file_leaves_the_usual_channel() -> None:
    with orders() as given, Puppet() as server:
        given.inject("drop", file="other")
        caller = given.get(server, PLAIN)
        server.take_request()
        server.send(Data(1, CONTENT[:512]))
        assert server.receive() == Ack(1)
        assert caller.session is not None
        assert isinstance(caller.session.channel, TidChannel)
        server.send(Error(0, "enough"))
        assert given.wait_for_end().by_peer


def test_a_call_with_faults_that_is_refused_closes_its_sockets() -> None:
    with orders() as given, Puppet() as server:
        fault = given.inject("duplicate", "ERROR")
        caller = given.get(server, PLAIN)
        server.take_request()
        server.send(Error(1, "no"))
        record = given.wait_for_end()
        assert [mark.fault for mark in record.faults] == [fault]
        assert caller.stop() is None
