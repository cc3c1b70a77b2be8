"""The session that sends, as the server of boards: real sockets, and the board's own codec."""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from atest.equipment.board_exchange import Report
from TftpBoard.packets import RefusedError, encode_data
from TftpLibrary.engine import listener
from TftpLibrary.engine.channel import TidChannel
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Ack, Data, Error, ErrorCode, Oack, Packet
from TftpLibrary.settings import Retransmission
from TftpLibrary.store.base import StoreError
from TftpLibrary.store.directory import DirectoryStore
from TftpLibrary.store.memory import MemorySource, MemoryStore
from utest.support.bench import (
    BRIEF,
    PATIENT,
    QUICK,
    Bench,
    bench,
    linux_only,
    take_all,
    time_out,
    without_linux,
)
from utest.support.faulty import make_faulty, refuse_from, refuse_now_and_then, refuse_segmentation
from utest.support.waiting import seconds, wait_until

CONTENT = random.Random(5).randbytes(1 << 20)
TEXT = bytes(random.Random(6).choices(b"config line\r\n", k=150_000))


def wire_blocks(packets: Sequence[Packet]) -> list[int]:
    return [packet.wire_block for packet in packets if isinstance(packet, Data)]


def send_all(found: Bench, report: Report, content: bytes) -> None:
    """Checks that a board got all, and that the record says so."""
    assert report.content == content
    record = found.wait_for_end()
    assert record.outcome is Outcome.completed
    assert (record.octets, record.size) == (len(content), len(content))


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1 << 20])
@pytest.mark.parametrize(
    "options", [{}, {"blksize": 1428, "windowsize": 16, "tsize": 0}, {"blksize": 65464}]
)
def test_a_file_of_any_size_arrives(size: int, options: dict[str, int]) -> None:
    with bench({"f": CONTENT[:size]}) as found:
        report = found.read(**options)
        send_all(found, report, CONTENT[:size])
        record = found.wait_for_end()
        blksize = options.get("blksize", 512)
        assert record.blocks == size // blksize + 1
        assert (record.retransmits, record.duplicates) == (0, 0)


@pytest.mark.parametrize("rollover", [0, 1])
def test_a_file_may_have_more_than_65535_blocks(rollover: int) -> None:
    """The next block number is 0, or 1 where that was agreed."""
    content = CONTENT[: 8 * 66_000 + 3]
    with bench({"f": content}) as found:
        options = {"rollover": 1} if rollover else {}
        report = found.read(blksize=8, windowsize=64, **options)
        send_all(found, report, content)
        assert report.blocks == 66_001


@pytest.mark.parametrize("windowsize", [1, 16])
@pytest.mark.parametrize("drop", [(1,), (3, 4), (20,), (2, 9, 10, 19)])
def test_blocks_that_get_lost_are_sent_again(windowsize: int, drop: tuple[int, ...]) -> None:
    """RFC 7440, section 4: from the first one that is missing."""
    content = CONTENT[: 512 * 19 + 100]
    with bench({"f": content}, **QUICK) as found:
        report = found.read(windowsize=windowsize, drop_blocks=drop)
        send_all(found, report, content)
        assert found.wait_for_end().retransmits >= 1


@pytest.mark.parametrize("windowsize", [1, 4])
def test_acks_that_get_lost_make_the_window_come_again(windowsize: int) -> None:
    content = CONTENT[: 512 * 19]
    with bench({"f": content}, **QUICK) as found:
        lost = (0, 4, 12) if windowsize == 4 else (1, 5)
        send_all(found, found.read(windowsize=windowsize, withhold_acks=lost), content)


def test_duplicate_acks_cause_no_data() -> None:
    """RFC 1123, section 4.2.3.1: no Sorcerer's Apprentice."""
    content = CONTENT[: 512 * 30]
    with bench({"f": content}) as found:
        report = found.read(duplicate_acks=True, linger=0.05)
        send_all(found, report, content)
        assert report.received["DATA"] == 31


def test_each_block_of_a_window_that_spans_two_chunks_leaves_once() -> None:
    """An ACK in the middle of a window moves all that follow away from the edges of the chunks."""
    options = {"blksize": 1428, "windowsize": 16}
    with bench({"f": CONTENT}, **PATIENT) as found, found.peer() as peer:
        peer.ask(**options)
        peer.receive()
        for acked in (0, 8, *range(24, 200, 16)):
            peer.send(Ack(acked))
            for block in range(acked + 1, acked + 17):
                data = Data(block, CONTENT[1428 * (block - 1) :][:1428])
                assert peer.receive() == data
        assert take_all(peer.sock) == []
        peer.send(Error(0, "enough"))
        assert found.wait_for_end().retransmits == 8


# Give up


@pytest.mark.parametrize(
    ("retransmission", "options", "tries"),
    [
        (Retransmission.fixed, {}, 3),
        # Within the same patience: the second wait is twice the first.
        (Retransmission.adaptive, {}, 2),
        (Retransmission.fixed, {"tsize": 0}, 3),
    ],
)
def test_a_peer_that_never_answers_gets_no_error(
    retransmission: Retransmission, options: dict[str, int], tries: int
) -> None:
    """Its address may be a false one."""
    with (
        bench({"f": CONTENT}, retransmission=retransmission, **BRIEF) as found,
        found.peer() as peer,
    ):
        peer.ask(**options)
        first = peer.receive()
        assert [peer.receive() for _ in range(tries - 1)] == [first] * (tries - 1)
        record = found.wait_for_end()
        assert peer.is_silent()
        assert record.outcome is Outcome.timed_out
        assert record.retransmits == tries - 1
        assert record.error_code is None
        assert record.error_message == f"no answer: the first ACK did not come, {tries} tries"


def test_a_peer_that_stops_answering_gets_an_error() -> None:
    with bench({"f": CONTENT}, **BRIEF) as found, found.peer() as peer:
        peer.ask()
        assert isinstance(peer.receive(), Data)
        peer.send(Ack(1))
        received = peer.receive()
        while isinstance(received, Data):
            received = peer.receive()
        assert received == Error(0, "Timed out")
        assert found.wait_for_end().error_code == 0


def test_with_a_fixed_timer_retransmits_can_be_counted() -> None:
    fixed = Retransmission.fixed
    with bench({"f": CONTENT}, retransmission=fixed, **BRIEF) as found, found.peer() as peer:
        peer.ask()
        begun = time.monotonic()
        assert isinstance(peer.receive(), Data)
        peer.send(Ack(1))
        assert [peer.receive() for _ in range(4)][:3] == [Data(2, CONTENT[512:1024])] * 3
        assert time.monotonic() - begun >= 3 * BRIEF["timeout"]
        record = found.wait_for_end()
        assert (record.retransmits, record.blocks, record.octets) == (2, 1, 512)
        assert record.error_message == "no answer: ACK 2 did not come, 3 tries"


def test_an_adaptive_timer_backs_off() -> None:
    """RFC 1123, section 4.2.3.2: exponential back-off; here it stops at `timeout`."""
    with bench({"f": CONTENT}, timeout=200.0, retries=5) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        peer.send(Ack(1))
        peer.receive()
        session = found.only_session()
        first, second, third = found.engine.call(lambda: [time_out(session) for _ in range(3)])
        # It begins far below `timeout`, and doubles.
        assert first < 50.0
        assert [second, third] == pytest.approx([2 * first, 4 * first])
        peer.send(Error(0, "enough"))
        found.wait_for_end()


def test_a_negotiated_timeout_is_honoured() -> None:
    """RFC 2349: the server waits as long as the client says. tftp-hpa's utimeout is shorter."""
    time_out = seconds(0.1)
    with bench({"f": CONTENT}, timeout=255.0, retries=1) as found, found.peer() as peer:
        peer.ask(utimeout=round(time_out * 1e6))
        begun = time.monotonic()
        first = peer.receive()
        assert first == Oack((("utimeout", str(round(time_out * 1e6))),))
        assert peer.receive() == first
        assert time.monotonic() - begun > 0.9 * time_out
        assert found.wait_for_end().outcome is Outcome.timed_out


# Few receive buffers


@linux_only
@pytest.mark.parametrize("single_port", [True, False])
def test_after_a_time_out_a_window_leaves_in_bursts(single_port: bool) -> None:
    """Half of it at once, and the other half after a pause that no peer notices."""
    settings = {"timeout": 60.0, "single_port": single_port}
    with bench({"f": CONTENT}, **settings) as found, found.peer() as peer:
        peer.ask(windowsize=8)
        peer.receive()
        session = found.only_session()

        def burst() -> tuple[list[int], float]:
            pause = time_out(session)
            return wire_blocks(take_all(peer.sock)), pause

        def send_and_time_out() -> list[tuple[list[int], float]]:
            # In one turn of the engine: no time passes but what is told.
            session.take(Ack(0).encode())
            assert wire_blocks(take_all(peer.sock)) == [*range(1, 9)]
            return [burst(), burst()]

        (head, pause), (tail, patience) = found.engine.call(send_and_time_out)
        assert [head, tail] == [[1, 2, 3, 4], [5, 6, 7, 8]]
        assert 0.0 < pause < 0.006
        assert patience > 0.1
        # The engine keeps the next pauses by itself.
        for acked in range(8, 72, 8):
            peer.send(Ack(acked))
            assert [peer.receive_data().wire_block for _ in range(8)] == [
                *range(acked + 1, acked + 9)
            ]


@linux_only
def test_a_lone_session_that_pauses_between_bursts_does_not_wait_in_its_socket() -> None:
    """It would wait there for longer than the pause."""
    with bench({"f": CONTENT}, timeout=60.0) as found, found.peer() as peer:
        peer.ask(windowsize=8)
        peer.receive()
        session = found.only_session()

        def run_alone() -> int:
            """Returns how often the session waited in its socket."""
            channel, waits = session.channel, 0
            assert isinstance(channel, TidChannel)
            receive = channel.receive

            def count(size: int, flags: int) -> bytes:
                nonlocal waits
                waits += not flags
                return receive(size, flags)

            channel.receive = count
            session.run_alone()
            channel.receive = receive
            return waits

        def send_and_time_out() -> int:
            session.take(Ack(0).encode())
            time_out(session)
            return run_alone()

        assert found.engine.call(run_alone) == 1
        assert found.engine.call(send_and_time_out) == 0


def test_with_a_fixed_timer_windows_stay_whole() -> None:
    fixed = Retransmission.fixed
    with bench({"f": CONTENT}, retransmission=fixed, **BRIEF) as found, found.peer() as peer:
        peer.ask(windowsize=8)
        peer.receive()
        peer.send(Ack(0))
        for _ in range(3):
            assert [peer.receive_data().wire_block for _ in range(8)] == [*range(1, 9)]
        assert peer.receive() == Error(0, "Timed out")
        assert found.wait_for_end().retransmits == 16


def test_two_silent_peers_are_both_asked_again_as_soon_as_their_round_trips_allow() -> None:
    """Their first deadlines were far away, and neither session is alone to see a nearer one."""
    with (
        bench({"f": CONTENT}, timeout=60.0) as found,
        found.peer() as one,
        found.peer() as other,
    ):
        for peer in (one, other):
            peer.ask()
            assert peer.receive_data().wire_block == 1
        for peer in (one, other):
            peer.send(Ack(1))
            assert peer.receive_data().wire_block == 2
        for peer in (one, other):
            assert peer.receive_data().wire_block == 2


# The peer ends


def test_an_answer_to_the_oack_with_error_8_is_a_size_probe() -> None:
    """UEFI asks for the size so, and then asks again."""
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask(tsize=0)
        assert peer.receive() == Oack((("tsize", str(len(CONTENT))),))
        peer.send(Error(8, "User aborted the transfer"))
        record = found.wait_for_end()
        assert (record.outcome, record.error_code) == (Outcome.probed, 8)
        assert record.error_message == "User aborted the transfer"
        assert peer.is_silent()


def test_an_error_of_the_peer_ends_it_and_is_never_answered() -> None:
    """RFC 1350, section 7."""
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        peer.send(Error(3, "No room\n"))
        record = found.wait_for_end()
        assert (record.outcome, record.error_code) == (Outcome.failed, 3)
        assert record.error_message == "No room\\x0a"
        assert peer.is_silent()


@linux_only
def test_a_peer_that_closes_its_port_ends_only_its_own_transfer() -> None:
    content = CONTENT[: 512 * 200]
    with bench({"f": content}, timeout=60.0) as found:
        with found.peer() as peer:
            peer.ask()
            peer.receive()
            peer.send(Ack(1))
            peer.receive()
            peer.send(Ack(2))
        record = found.wait_for_end()
        assert record.outcome is Outcome.failed
        assert record.error_message == "the peer closed its port"
        assert found.read().content == content


@linux_only
@pytest.mark.parametrize("windowsize", [1, 2])
def test_in_a_crowd_too_a_closed_port_is_noticed(windowsize: int) -> None:
    with bench({"f": CONTENT}, timeout=60.0) as found, found.peer() as other:
        other.ask()
        other.receive()
        with found.peer() as peer:
            peer.ask(windowsize=windowsize)
            first = peer.receive()
            peer.send(Ack(1 if isinstance(first, Data) else 0))
            peer.receive()
        record = found.wait_for_end()
        assert record.outcome is Outcome.failed
        assert record.error_message == "the peer closed its port"
        assert record.client_port != other.port


@linux_only
@pytest.mark.parametrize("windowsize", [1, 8])
def test_a_peer_that_closes_its_port_after_its_last_ack_has_the_file(windowsize: int) -> None:
    content = CONTENT[: 512 * 3 + 7]
    with bench({"f": content}, timeout=60.0) as found:
        with found.peer() as peer:
            peer.ask(windowsize=windowsize)
            if windowsize > 1:
                peer.receive()
                peer.send(Ack(0))
                for _ in range(4):
                    peer.receive()
            else:
                peer.receive()
                peer.send(Ack(0))
                for block in range(1, 5):
                    peer.receive()
                    peer.send(Ack(block)) if block < 4 else None
            peer.send(Ack(4))
        assert found.wait_for_end().outcome is Outcome.completed


@linux_only
def test_the_last_ack_counts_even_if_the_news_of_the_closed_port_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The system tells the error before it gives the datagrams that came earlier."""
    made = make_faulty(monkeypatch)
    with bench({"f": b"boot"}, timeout=60.0) as found, found.peer() as peer:
        peer.ask()
        peer.receive()

        def refuse_and_send() -> None:
            made[0].failing.append(ConnectionRefusedError())
            peer.send(Ack(1))

        # Both are there before the engine looks.
        found.engine.call(refuse_and_send)
        assert found.wait_for_end().outcome is Outcome.completed


@linux_only
@pytest.mark.parametrize("error", [ConnectionRefusedError, ConnectionResetError])
def test_a_send_to_a_closed_port_ends_the_transfer(
    monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    """Windows has another name for it."""
    make_faulty(monkeypatch, refuse_from(3, error))
    with bench({"f": CONTENT}, timeout=60.0) as found, found.peer() as peer:
        peer.ask()
        for block in (1, 2):
            peer.receive()
            peer.send(Ack(block))
        record = found.wait_for_end()
        assert record.error_message == "the peer closed its port"
        assert (record.outcome, record.blocks) == (Outcome.failed, 2)


@linux_only
def test_a_network_that_is_down_for_a_moment_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A router that reports the board as unreachable is no failure of ours."""
    unreachable = OSError(errno.EHOSTUNREACH, "No route to host")
    made = make_faulty(monkeypatch, refuse_now_and_then(4, PermissionError))
    content = CONTENT[: 512 * 9]
    with bench({"f": content}, **QUICK) as found, found.peer() as peer:
        peer.ask()
        block = 0
        while block < 10:
            packet = peer.receive_data()
            block = packet.wire_block
            if block % 3 == 0:
                made[0].failing.append(unreachable)
            peer.send(Ack(block))
        assert found.wait_for_end().outcome is Outcome.completed


def test_garbage_of_the_peer_gets_error_4() -> None:
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        peer.send(b"\0\x09what")
        assert peer.receive() == Error(4, "Illegal opcode 9")
        assert found.wait_for_end().outcome is Outcome.failed


# The file


def test_a_file_that_is_changed_in_place_is_never_sent_as_a_mix(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(CONTENT)
    with bench(DirectoryStore(tmp_path)) as found, found.peer() as peer:
        peer.ask(blksize=65464)
        peer.receive()
        peer.send(Ack(0))
        got = [peer.receive()]
        with path.open("r+b") as file:
            file.truncate(300_000)
        block = 1
        while isinstance(packet := got[-1], Data):
            assert packet.payload == CONTENT[(block - 1) * 65464 : block * 65464]
            peer.send(Ack(block))
            block += 1
            got.append(peer.receive())
        assert got[-1] == Error(0, "File changed while it was read")
        record = found.wait_for_end()
        assert record.outcome is Outcome.failed
        assert record.error_message == "File changed while it was read"
        assert record.error_code == 0


def test_a_file_that_is_replaced_is_sent_as_it_was(tmp_path: Path) -> None:
    path, new = tmp_path / "f", tmp_path / "new"
    path.write_bytes(CONTENT)
    new.write_bytes(bytes(len(CONTENT)))
    with bench(DirectoryStore(tmp_path)) as found, found.peer() as peer:
        peer.ask(blksize=65464)
        peer.receive()
        peer.send(Ack(0))
        content, block = b"", 0
        while block < 17:
            packet = peer.receive_data()
            content, block = content + packet.payload, packet.wire_block
            if block == 1:
                new.replace(path)
            peer.send(Ack(block))
        assert content == CONTENT
        assert found.wait_for_end().outcome is Outcome.completed


class Treacherous(MemoryStore):
    """Files whose reading fails after the first buffer."""

    def __init__(self, error: Exception, reads: int = 1) -> None:
        super().__init__({"f": CONTENT, "good": b"good"})
        self.error = error
        self.reads = reads
        self.closed = 0

    def open_read(self, name: bytes, client: str) -> MemorySource:
        source = super().open_read(name, client)
        return source if name == b"good" else _Failing(self, source)  # type: ignore[return-value]


class _Failing:
    def __init__(self, store: Treacherous, source: MemorySource) -> None:
        self._store = store
        self._source = source
        self.size, self.identity = source.size, source.identity

    def read_into(self, buffers: Sequence[memoryview], offset: int) -> int:
        if self._store.reads == 0:
            raise self._store.error
        self._store.reads -= 1
        return self._source.read_into(buffers, offset)

    def close(self) -> None:
        self._store.closed += 1


@pytest.mark.parametrize("reads", [0, 1])
@pytest.mark.parametrize("windowsize", [1, 16])
def test_a_store_that_refuses_while_it_is_read_ends_the_transfer(
    reads: int, windowsize: int
) -> None:
    trouble = StoreError(ErrorCode.access_violation, "Not any more", "the disk at /srv is gone")
    store = Treacherous(trouble, reads)
    with bench(store) as found:
        with pytest.raises(RefusedError, match="ERROR 2 'Not any more'"):
            found.read(blksize=1428, windowsize=windowsize)
        record = found.wait_for_end()
        assert (record.outcome, record.error_code) == (Outcome.failed, 2)
        assert record.error_message == "the disk at /srv is gone"
        assert store.closed == 1


@pytest.mark.parametrize("reads", [0, 1])
def test_an_exception_of_our_own_ends_one_transfer_and_is_recorded(reads: int) -> None:
    store = Treacherous(RuntimeError("surprise"), reads)
    with bench(store) as found:
        with pytest.raises(RefusedError, match="ERROR 0 'Internal error'"):
            found.read()
        record = found.wait_for_end()
        assert record.outcome is Outcome.failed
        assert record.error_message == (
            "internal error: RuntimeError('surprise'), please report it"
        )
        assert "in read_into" in record.traceback
        assert record.traceback.endswith("RuntimeError: surprise\n")
        assert found.read("good").content == b"good"
        assert store.closed == 1


# How it leaves


Prepare = Callable[[pytest.MonkeyPatch], object]
WAYS: dict[str, Prepare] = {
    "as it comes": lambda _: None,
    "no segmentation": lambda patch: make_faulty(patch, refuse_segmentation(1432)),
    "full buffer": lambda patch: make_faulty(patch, refuse_now_and_then(5)),
    "many transfers": lambda patch: patch.setattr(listener, "_MANY_TRANSFERS", -1),
    "no Linux": without_linux,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["octet", "netascii"])
@pytest.mark.parametrize(("windowsize", "drop"), [(1, ()), (16, ()), (16, (3, 40))])
def test_the_octets_are_the_same_whatever_way_they_leave(
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    mode: str,
    windowsize: int,
    drop: tuple[int, ...],
) -> None:
    WAYS[way](monkeypatch)
    with bench({"f": TEXT}, **QUICK) as found:
        # A send that fails counts as lost where the window waits for room.
        report = found.read(
            mode=mode,
            blksize=1428,
            windowsize=windowsize,
            drop_blocks=drop,
            accept_duplicates=bool(drop),
        )
        assert report.content == TEXT
        assert found.wait_for_end().outcome is Outcome.completed


def test_without_offload_each_block_leaves_in_a_call_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = make_faulty(monkeypatch)
    with bench({"f": CONTENT}, offload=False) as found:
        assert found.read(blksize=1428, windowsize=16).content == CONTENT
        assert max(made[0].sent) == 1432


@linux_only
def test_a_refused_route_is_remembered_by_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    make_faulty(monkeypatch, refuse_segmentation(1432))
    with bench({"f": CONTENT}) as found:
        assert found.read(blksize=1428, windowsize=16).content == CONTENT
        assert {host for _, host in found.engine.refused_routes} == {"127.0.0.1"}
        found.read(blksize=1428, windowsize=16)


def test_what_waits_for_room_is_not_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ACK in the middle of a window may come while the rest of the window waits for room."""

    def fault(_: int) -> BaseException | None:
        # Room for the OACK and two blocks, and for everything once the second ACK was read.
        has_room = len(made[0].sent) < 3 or made[0].received == 2
        return None if has_room else BlockingIOError()

    made = make_faulty(monkeypatch, fault)
    with bench({"f": CONTENT[: 512 * 20]}, offload=False) as found, found.peer() as peer:
        peer.ask(windowsize=8)
        assert isinstance(peer.receive(), Oack)
        peer.send(Ack(0))
        assert [peer.receive_data().wire_block for _ in range(2)] == [1, 2]
        peer.send(Ack(2))
        blocks = [peer.receive_data().wire_block for _ in range(8)]
        assert blocks == list(range(3, 11))
        assert peer.is_silent()
        peer.send(Error(0, "enough"))
        found.wait_for_end()


@pytest.mark.parametrize("offload", [True, False])
def test_after_a_full_buffer_a_window_goes_on_where_it_stopped(
    monkeypatch: pytest.MonkeyPatch, offload: bool
) -> None:
    """The head of it has left, and is not sent again."""
    sends = 0

    def fault(octets: int) -> BaseException | None:
        nonlocal sends
        sends += 1
        if offload and octets > 3 * 1432:
            # Where the kernel cannot segment, blocks leave one by one.
            return OSError(5, "Input/output error")
        return BlockingIOError() if sends in (5, 8) else None

    make_faulty(monkeypatch, fault)
    with bench({"f": CONTENT}, offload=offload, **PATIENT) as found, found.peer() as peer:
        peer.ask(blksize=1428, windowsize=8)
        peer.receive()
        peer.send(Ack(0))
        assert [peer.receive_data().wire_block for _ in range(8)] == [*range(1, 9)]
        assert peer.is_silent()
        assert sends > 8
        peer.send(Error(0, "enough"))
        assert found.wait_for_end().retransmits == 0


# netascii


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 150_000])
@pytest.mark.parametrize("windowsize", [1, 8])
def test_text_is_translated_on_its_way(size: int, windowsize: int) -> None:
    """RFC 1350: lines end with CR LF on the wire. The size is not known before."""
    with bench({"f": TEXT[:size]}) as found:
        report = found.read(mode="netascii", windowsize=windowsize, tsize=0)
        assert report.content == TEXT[:size]
        assert "tsize" not in report.granted
        record = found.wait_for_end()
        assert record.outcome is Outcome.completed
        assert record.octets == record.size
        assert record.octets >= size


def test_a_window_of_text_that_got_lost_is_sent_again() -> None:
    with bench({"f": TEXT}, **QUICK) as found:
        report = found.read(mode="netascii", windowsize=16, drop_blocks="1,7,100,250-253")
        assert report.content == TEXT


# A stranger


def test_a_foreign_tid_gets_error_5_and_disturbs_nothing() -> None:
    """RFC 1350, section 4."""
    content = CONTENT[: 512 * 20]
    with bench({"f": content}) as found:
        assert found.read(stranger_after=5).content == content
        assert found.wait_for_end().duplicates == 0


@linux_only
@pytest.mark.parametrize("is_alone", [True, False])
def test_a_stranger_that_comes_with_the_first_packet_disturbs_nothing(
    monkeypatch: pytest.MonkeyPatch, is_alone: bool
) -> None:
    """Before the socket is connected, it takes what comes from everywhere."""
    content = CONTENT[:5000]
    with (
        bench({"f": content}, timeout=60.0) as found,
        found.peer() as other,
        found.peer() as stranger,
        found.peer() as peer,
    ):
        if not is_alone:
            other.ask()
            other.receive()

        def disturb(_: int) -> None:
            stranger.send(Error(0, "wrong"), made[0].getsockname())
            stranger.send(Ack(1), made[0].getsockname())
            made[0].fault = None

        made = make_faulty(monkeypatch, disturb)
        peer.ask()
        for block in range(1, 11):
            assert peer.receive_data().wire_block == block
            if block == 1:
                assert stranger.receive() == Error(5, "Unknown transfer ID")
            peer.send(Ack(block))
        assert found.wait_for_end().outcome is Outcome.completed
        assert stranger.is_silent()


@linux_only
@pytest.mark.parametrize("is_alone", [True, False])
@pytest.mark.parametrize("age", [0.0, 0.06, 0.15])
def test_a_stranger_gets_its_error_at_any_age_of_a_transfer(is_alone: bool, age: float) -> None:
    with (
        bench({"f": CONTENT}, timeout=60.0) as found,
        found.peer() as other,
        found.peer() as stranger,
        found.peer() as peer,
    ):
        if not is_alone:
            other.ask()
            other.receive()
        peer.ask()
        peer.receive()
        wait_until(lambda: found.transfers[-1].duration >= age)
        stranger.send(Error(0, "wrong"), peer.tid)
        stranger.send(Ack(1), peer.tid)
        assert stranger.receive() == Error(5, "Unknown transfer ID")
        peer.send(Ack(1))
        assert peer.receive_data().wire_block == 2
        assert stranger.is_silent()


def test_data_of_the_receiver_is_an_illegal_operation() -> None:
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        peer.send(encode_data(1, b"what?"))
        answer = peer.receive()
        assert isinstance(answer, Error)
        assert answer.code == 4
