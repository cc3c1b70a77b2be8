"""The session that receives, as the server of boards: real sockets, and the board's own codec."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from TftpBoard.packets import RefusedError
from TftpLibrary.engine import listener
from TftpLibrary.engine.assembly import Cargo
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Ack, Data, Error, ErrorCode, Oack
from TftpLibrary.settings import ClientSettings
from TftpLibrary.store.base import Sink, StoreError, WritePolicy
from TftpLibrary.store.directory import DirectoryStore
from TftpLibrary.store.memory import MemorySink, MemoryStore
from utest.support.bench import (
    BRIEF,
    PATIENT,
    QUICK,
    Bench,
    Peer,
    bench,
    linux_only,
    without_linux,
)
from utest.support.faulty import make_faulty, refuse_from, refuse_now_and_then
from utest.support.puppets import Puppet, orders
from utest.support.stores import read, small_disk
from utest.support.waiting import seconds, wait_until

CONTENT = random.Random(5).randbytes(1 << 20)
TEXT = bytes(random.Random(6).choices(b"config line\r\n", k=150_000))


def check_written(found: Bench, content: bytes) -> None:
    """Checks that the store has all, and that the record says so."""
    record = found.wait_for_end()
    size = len(content)
    assert (record.outcome, record.octets) == (Outcome.completed, size)
    written = read(found.store, b"f")
    # Not the octets themselves: a failure would show them all.
    assert (len(written), written == content) == (size, True)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1 << 20])
@pytest.mark.parametrize("options", [{}, {"blksize": 1428, "windowsize": 16}, {"blksize": 65464}])
def test_a_file_of_any_size_is_taken(size: int, options: dict[str, int]) -> None:
    with bench(writable=True) as found:
        found.write(CONTENT[:size], tsize=size, **options)
        check_written(found, CONTENT[:size])
        record = found.wait_for_end()
        assert record.size == size
        assert record.blocks == size // options.get("blksize", 512) + 1
        assert (record.retransmits, record.duplicates) == (0, 0)


@pytest.mark.parametrize("rollover", [0, 1])
def test_a_file_may_have_more_than_65535_blocks(rollover: int) -> None:
    content = CONTENT[: 8 * 66_000 + 3]
    with bench(writable=True) as found:
        options = {"rollover": 1} if rollover else {}
        found.write(content, blksize=8, windowsize=64, **options)
        check_written(found, content)


@pytest.mark.parametrize("windowsize", [1, 16])
@pytest.mark.parametrize("drop", [(1,), (3, 4), (20,), (2, 9, 10, 19)])
def test_blocks_that_get_lost_come_again(windowsize: int, drop: tuple[int, ...]) -> None:
    """RFC 7440, section 4: a gap is reported at once."""
    content = CONTENT[: 512 * 19 + 100]
    with bench(writable=True) as found:
        found.write(
            content,
            windowsize=windowsize,
            drop_blocks=drop,
            accept_duplicates=True,
            resend_after=seconds(0.05),
        )
        check_written(found, content)


def test_a_window_is_acknowledged_once() -> None:
    content = CONTENT[: 512 * 31]
    with bench(writable=True) as found:
        report = found.write(content, windowsize=8, linger=0.05)
        assert report.received == {"OACK": 1, "ACK": 4}
        check_written(found, content)


def test_data_that_comes_twice_is_taken_once() -> None:
    content = CONTENT[: 512 * 10 + 1]
    with bench(writable=True) as found:
        found.write(content, duplicate_data=True, accept_duplicates=True)
        check_written(found, content)


# The end


def test_the_last_ack_is_repeated_when_the_last_data_comes_again() -> None:
    """RFC 1350, section 6: dallying."""
    with bench(writable=True) as found:
        found.write(CONTENT[:1000], repeat_last_data=True)
        check_written(found, CONTENT[:1000])


def test_dallying_ends_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("TftpLibrary.protocol.receiver.SHORTEST_DALLY", 0.0)
    with bench(writable=True, **QUICK) as found:
        found.write(b"boot")
        assert len(found.engine.call(lambda: found.listener.sessions)) == 1
        found.wait_until_empty()


def test_data_beyond_the_end_changes_nothing() -> None:
    with bench(writable=True, overwrite=True) as found, found.peer() as peer:
        peer.offer()
        assert peer.receive() == Ack(0)
        peer.send(Data(1, b"all of it"))
        assert peer.receive() == Ack(1)
        for payload in (b"more", bytes(512)):
            peer.send(Data(2, payload))
            assert peer.is_silent()
        check_written(found, b"all of it")
        peer.send(Data(1, b"all of it"))
        assert peer.receive() == Ack(1)


@linux_only
def test_a_peer_that_closes_its_port_after_its_last_data_is_done() -> None:
    with bench(writable=True, timeout=60.0) as found:
        with found.peer() as peer:
            peer.offer()
            peer.receive()
            peer.send(Data(1, b"all of it"))
        check_written(found, b"all of it")


@linux_only
def test_the_last_data_counts_even_if_the_news_of_the_closed_port_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = make_faulty(monkeypatch)
    with bench(writable=True, timeout=60.0) as found, found.peer() as peer:
        peer.offer()
        peer.receive()

        def refuse_and_send() -> None:
            made[0].failing.append(ConnectionRefusedError())
            peer.send(Data(1, b"all of it"))

        # Both are there before the engine looks.
        found.engine.call(refuse_and_send)
        check_written(found, b"all of it")


# The peer ends


def test_a_peer_that_stops_sending_gets_an_error() -> None:
    with bench(writable=True, **BRIEF) as found, found.peer() as peer:
        peer.offer()
        assert peer.receive() == Ack(0)
        peer.send(Data(1, bytes(512)))
        assert [peer.receive() for _ in range(4)] == [*[Ack(1)] * 3, Error(0, "Timed out")]
        record = found.wait_for_end()
        assert (record.outcome, record.error_code) == (Outcome.timed_out, 0)
        assert (record.octets, record.blocks, record.retransmits) == (512, 1, 2)
        assert record.error_message == "no answer: DATA 2 did not come, 3 tries"
        assert found.store.names() == []  # type: ignore[attr-defined]


def test_an_error_of_the_peer_ends_it_and_leaves_no_part(tmp_path: Path) -> None:
    with bench(DirectoryStore(tmp_path), writable=True) as found, found.peer() as peer:
        peer.offer()
        peer.receive()
        peer.send(Data(1, bytes(512)))
        peer.receive()
        assert len(list(tmp_path.iterdir())) == 1
        peer.send(Error(0, "Changed my mind"))
        record = found.wait_for_end()
        assert (record.outcome, record.error_code) == (Outcome.failed, 0)
        assert record.error_message == "Changed my mind"
        assert peer.is_silent()
        wait_until(lambda: not list(tmp_path.iterdir()))


@linux_only
def test_a_peer_that_closes_its_port_ends_only_its_own_transfer() -> None:
    with bench(writable=True, timeout=60.0) as found:
        with found.peer() as peer:
            peer.offer()
            peer.receive()
            peer.send(Data(1, bytes(512)))
        record = found.wait_for_end()
        assert record.outcome is Outcome.failed
        assert record.error_message == "the peer closed its port"
        assert record.blocks == 1
        found.write(b"good", "g")


@linux_only
@pytest.mark.parametrize("error", [ConnectionRefusedError, ConnectionResetError])
@pytest.mark.parametrize("windowsize", [1, 2])
def test_an_ack_to_a_closed_port_ends_the_transfer(
    monkeypatch: pytest.MonkeyPatch, error: type[OSError], windowsize: int
) -> None:
    make_faulty(monkeypatch, refuse_from(3, error))
    with bench(writable=True, timeout=60.0) as found, found.peer() as peer:
        peer.offer(windowsize=windowsize)
        peer.receive()
        for block in range(1, 2 * windowsize + 1):
            peer.send(Data(block, bytes(512)))
            if block == windowsize:
                assert peer.receive() == Ack(block)
        record = found.wait_for_end()
        assert record.error_message == "the peer closed its port"
        assert (record.outcome, record.blocks) == (Outcome.failed, 2 * windowsize)


@linux_only
def test_a_network_that_is_down_for_a_moment_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    unreachable = OSError(errno.EHOSTUNREACH, "No route to host")
    made = make_faulty(monkeypatch, refuse_now_and_then(4, PermissionError))
    with bench(writable=True, **QUICK) as found, found.peer() as peer:
        peer.offer()
        assert peer.receive() == Ack(0)
        for block in range(1, 10):
            made[0].failing.append(unreachable)
            peer.send(Data(block, CONTENT[:512]))
            assert peer.receive() == Ack(block)
        peer.send(Data(10, b""))
        check_written(found, CONTENT[:512] * 9)


def test_garbage_of_the_peer_gets_error_4() -> None:
    with bench(writable=True) as found, found.peer() as peer:
        peer.offer()
        peer.receive()
        peer.send(b"\0\x09what")
        assert peer.receive() == Error(4, "Illegal opcode 9")
        assert found.wait_for_end().outcome is Outcome.failed


@pytest.mark.parametrize("octets", [b"", b"\0", b"\0\3", b"\0\3\0"])
def test_a_packet_that_is_cut_short_is_no_block(octets: bytes) -> None:
    with bench(writable=True) as found, found.peer() as peer:
        peer.offer()
        peer.receive()
        peer.send(octets)
        answer = peer.receive()
        assert isinstance(answer, Error)
        assert answer.code == 4
        assert found.wait_for_end().blocks == 0


def test_a_block_that_is_longer_than_agreed_gets_error_4() -> None:
    """RFC 2348: a block has at most blksize octets."""
    with bench(writable=True) as found, found.peer() as peer:
        peer.offer(blksize=1000)
        assert isinstance(peer.receive(), Oack)
        peer.send(Data(1, bytes(1001)))
        assert peer.receive() == Error(4, "DATA of 1001 octets, blksize is 1000")
        assert found.wait_for_end().outcome is Outcome.failed


def test_an_ack_of_the_sender_is_an_illegal_operation() -> None:
    with bench(writable=True) as found, found.peer() as peer:
        peer.offer()
        peer.receive()
        peer.send(Ack(0))
        assert peer.receive() == Error(4, "Expected DATA, got ACK")
        assert found.wait_for_end().outcome is Outcome.failed


def test_a_foreign_tid_gets_error_5_and_disturbs_nothing() -> None:
    """RFC 1350, section 4."""
    content = CONTENT[: 512 * 20]
    with bench(writable=True) as found:
        found.write(content, stranger_after=5)
        check_written(found, content)
        assert found.wait_for_end().duplicates == 0


@linux_only
def test_in_a_crowd_too_a_closed_port_is_noticed() -> None:
    with bench(writable=True, timeout=60.0) as found, found.peer() as other:
        other.offer("other")
        other.receive()
        with found.peer() as peer:
            peer.offer()
            peer.receive()
            peer.send(Data(1, bytes(512)))
        record = found.wait_for_end()
        assert record.outcome is Outcome.failed
        assert record.error_message == "the peer closed its port"
        assert record.client_port != other.port


# The store


@pytest.mark.parametrize(("size", "windowsize"), [(1 << 20, 1), (1 << 20, 16), (300_000, 16)])
def test_a_disk_that_is_full_gets_error_3_and_leaves_no_part(
    tmp_path: Path, size: int, windowsize: int
) -> None:
    with (
        small_disk(tmp_path / "disk") as folder,
        bench(DirectoryStore(folder), writable=True) as found,
    ):
        with pytest.raises(RefusedError, match="ERROR 3 'Disk full or allocation exceeded'"):
            found.write(CONTENT[:size], blksize=1428, windowsize=windowsize)
        record = found.wait_for_end()
        assert (record.outcome, record.error_code) == (Outcome.failed, 3)
        assert record.error_message == "No space left on device"
        wait_until(lambda: not list(folder.iterdir()))


def test_an_upload_over_the_limit_gets_error_3() -> None:
    with bench(writable=True, max_upload_size=100_000) as found:
        with pytest.raises(RefusedError, match="ERROR 3 'Upload too large'"):
            found.write(CONTENT, blksize=1428, windowsize=8)
        record = found.wait_for_end()
        assert record.error_message == "an upload may have 100,000 bytes at most"
        assert found.store.names() == []  # type: ignore[attr-defined]


def test_a_name_that_was_taken_meanwhile_gets_error_6() -> None:
    with bench(writable=True) as found, found.peer() as slow:
        slow.offer()
        slow.receive()
        found.write(b"first", "f")
        slow.send(Data(1, b"second"))
        assert slow.receive() == Error(6, "File already exists")
        record = found.transfers[0]
        assert (record.outcome, record.error_code) == (Outcome.failed, 6)
        assert read(found.store, b"f") == b"first"


class Treacherous(MemoryStore):
    """A store whose uploads fail."""

    def __init__(self, error: Exception, *, at_commit: bool) -> None:
        super().__init__()
        self.error = error
        self.at_commit = at_commit
        self.discarded = 0

    def open_write(  # type: ignore[override]
        self, name: bytes, client: str, policy: WritePolicy, size: int | None
    ) -> Sink:
        sink = super().open_write(name, client, policy, size)
        return sink if name == b"good" else _Failing(self, sink)


class _Failing:
    def __init__(self, store: Treacherous, sink: MemorySink) -> None:
        self._store = store
        self._sink = sink

    def expect(self, size: int) -> None:
        self._sink.expect(size)

    def write(self, buffers: Sequence[memoryview | bytes]) -> None:
        if not self._store.at_commit:
            raise self._store.error
        self._sink.write(buffers)

    def commit(self) -> None:
        raise self._store.error

    def discard(self) -> None:
        self._store.discarded += 1


@pytest.mark.parametrize("at_commit", [True, False])
@pytest.mark.parametrize("size", [10, 300_000])
def test_a_store_that_refuses_ends_the_transfer(at_commit: bool, size: int) -> None:
    trouble = StoreError(ErrorCode.access_violation, "Not any more", "the disk at /srv is gone")
    store = Treacherous(trouble, at_commit=at_commit)
    with bench(store, writable=True) as found:
        with pytest.raises(RefusedError, match="ERROR 2 'Not any more'"):
            found.write(CONTENT[:size], blksize=1428)
        record = found.wait_for_end()
        assert (record.outcome, record.error_code) == (Outcome.failed, 2)
        assert record.error_message == "the disk at /srv is gone"
        assert store.discarded == 1


@pytest.mark.parametrize("at_commit", [True, False])
@pytest.mark.parametrize("size", [10, 300_000])
def test_an_exception_of_our_own_ends_one_transfer_and_is_recorded(
    at_commit: bool, size: int
) -> None:
    store = Treacherous(RuntimeError("surprise"), at_commit=at_commit)
    with bench(store, writable=True) as found:
        with pytest.raises(RefusedError, match="ERROR 0 'Internal error'"):
            found.write(CONTENT[:size], blksize=1428)
        record = found.wait_for_end()
        assert record.outcome is Outcome.failed
        assert record.traceback.endswith("RuntimeError: surprise\n")
        assert store.discarded == 1
        found.write(b"good", "good")
        assert read(store, b"good") == b"good"


def test_our_client_keeps_no_file_of_another_size_than_the_server_announced() -> None:
    with orders() as given, Puppet() as server:
        given.get(server, ClientSettings(blksize=512, windowsize=1, tsize=True))
        server.take_request()
        server.send(Oack((("tsize", "600"),)))
        assert server.receive() == Ack(0)
        server.send(Data(1, b"short"))
        assert server.receive() == Error(0, "File shorter than tsize")
        record = given.wait_for_end()
        assert record.outcome is Outcome.failed
        assert record.error_message == (
            "only 5 of the 600 announced bytes came (blksize: granted 512, sent 5)"
        )
        assert given.store.names() == []


def test_our_client_keeps_no_block_of_a_server_that_uses_another_block_size() -> None:
    with orders() as given, Puppet() as server:
        given.get(server, ClientSettings(blksize=1428, windowsize=1))
        server.take_request()
        server.send(Oack((("blksize", "1428"),)))
        assert server.receive() == Ack(0)
        server.send(Data(1, bytes(512)))
        assert server.receive() == Ack(1)
        assert given.store.names() == []
        server.send(Data(2, bytes(512)))
        assert server.receive() == Error(8, "blksize: granted 1428, sent 512")
        record = given.wait_for_end()
        assert (record.outcome, record.error_message) == (
            Outcome.failed,
            "blksize: granted 1428, sent 512",
        )
        assert given.store.names() == []


def test_a_server_keeps_the_block_of_a_board_that_uses_another_block_size() -> None:
    with bench(writable=True) as found, found.peer() as peer:
        peer.offer(blksize=1428)
        peer.receive()
        for block in (1, 2):
            peer.send(Data(block, CONTENT[:512]))
            answer = peer.receive()
        assert answer == Error(8, "blksize: granted 1428, sent 512")
        assert found.wait_for_end().outcome is Outcome.failed
        assert read(found.store, b"f") == CONTENT[:512]


@pytest.mark.parametrize("is_full", [True, False])
def test_our_client_keeps_a_lone_block_of_512_once_nothing_follows(is_full: bool) -> None:
    with orders() as given, Puppet() as server:
        store = Treacherous(StoreError(ErrorCode.disk_full, "Disk full", "full"), at_commit=is_full)
        settings = ClientSettings(blksize=1428, windowsize=1)
        policy = WritePolicy(writable=True, create=True, overwrite=True)
        sink = (store if is_full else given.store).open_write(b"f", "", policy, None)
        given.order(server, settings, "f", Cargo.to_fill(sink, settings.mode))
        server.take_request()
        server.send(Oack((("blksize", "1428"),)))
        assert server.receive() == Ack(0)
        server.send(Data(1, CONTENT[:512]))
        assert server.receive() == Ack(1)
        record = given.wait_for_end()
        if is_full:
            assert (record.outcome, record.error_code) == (Outcome.failed, ErrorCode.disk_full)
        else:
            assert record.outcome is Outcome.completed
            assert given.content() == CONTENT[:512]


@pytest.mark.parametrize("tsize", [0, 600])
def test_our_client_takes_more_than_the_server_announced(tsize: int) -> None:
    """A size of 0 announces nothing."""
    with orders() as given, Puppet() as server:
        given.get(server, ClientSettings(blksize=512, windowsize=1, tsize=True))
        assert server.take_request().options == (("tsize", "0"),)
        server.send(Oack((("tsize", str(tsize)),)))
        assert server.receive() == Ack(0)
        for block in (1, 2):
            server.send(Data(block, CONTENT[: 514 - block * 2]))
            assert server.receive() == Ack(block)
        record = given.wait_for_end()
        assert record.outcome is Outcome.completed
        assert len(given.content()) == 512 + 510
        remarks = ("1,022 bytes came, and 600 were announced",) if tsize else ()
        assert record.remarks == remarks


@pytest.mark.parametrize("tsize", [0, 600])
def test_a_server_takes_more_than_the_board_announced(tsize: int) -> None:
    with bench(writable=True) as found:
        found.write(CONTENT[:700], tsize=tsize)
        check_written(found, CONTENT[:700])
        remarks = ("700 bytes came, and 600 were announced",) if tsize else ()
        assert found.wait_for_end().remarks == remarks


def test_a_server_keeps_less_than_the_board_announced_and_says_so() -> None:
    with bench(writable=True) as found:
        found.write(CONTENT[:700], tsize=1200)
        record = found.wait_for_end()
        assert (record.outcome, record.size, record.octets) == (Outcome.failed, 1200, 700)
        assert record.error_message == "only 700 of the 1,200 announced bytes came"
        assert (record.error_code, record.by_peer) == (None, False)
        assert read(found.store, b"f") == CONTENT[:700]


def test_the_size_of_text_is_not_compared() -> None:
    """Nobody can know whether it is the one here or on the wire."""
    with bench(writable=True) as found:
        found.write(b"a\r\nb\r\n", mode="netascii", tsize=9)
        record = found.wait_for_end()
        assert (record.outcome, record.remarks) == (Outcome.completed, ())


def test_a_board_that_acknowledges_the_answer_to_its_write_is_served() -> None:
    with bench(writable=True) as found, found.peer() as peer:
        peer.offer(blksize=1024)
        peer.receive()
        peer.send(Ack(0))
        peer.send(Data(1, b"dump"))
        assert peer.receive() == Ack(1)
        check_written(found, b"dump")
        assert found.wait_for_end().remarks == (
            "ACK 0 came in answer to the OACK, which a write does not need",
        )


# How it comes


Prepare = Callable[[pytest.MonkeyPatch], object]
WAYS: dict[str, Prepare] = {
    "as it comes": lambda _: None,
    "full buffer": lambda patch: make_faulty(patch, refuse_now_and_then(17)),
    "many transfers": lambda patch: patch.setattr(listener, "_MANY_TRANSFERS", -1),
    "no Linux": without_linux,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["octet", "netascii"])
@pytest.mark.parametrize(("windowsize", "drop"), [(1, ()), (16, ()), (16, (3, 40))])
def test_the_octets_are_the_same_whatever_way_they_come(
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    mode: str,
    windowsize: int,
    drop: tuple[int, ...],
) -> None:
    WAYS[way](monkeypatch)
    with bench(writable=True) as found:
        # An ACK that had no room counts as lost: the board sends its window again.
        found.write(
            TEXT,
            mode=mode,
            blksize=1428,
            windowsize=windowsize,
            drop_blocks=drop,
            accept_duplicates=True,
            resend_after=seconds(0.05),
        )
        assert found.wait_for_end().outcome is Outcome.completed
        assert read(found.store, b"f") == TEXT


@pytest.mark.parametrize("single_port", [True, False])
def test_one_of_many_transfers_has_room_for_the_largest_blocks(
    monkeypatch: pytest.MonkeyPatch, single_port: bool
) -> None:
    """They are larger than the buffer that is enough for all others."""
    monkeypatch.setattr(listener, "_MANY_TRANSFERS", -1)
    content = CONTENT[: 3 * 65464 + 100]
    with bench(writable=True, single_port=single_port) as found:
        found.write(content, blksize=65464)
        check_written(found, content)


@pytest.mark.parametrize("size", [0, 1, 512, 150_000])
@pytest.mark.parametrize("windowsize", [1, 8])
def test_text_is_translated_on_its_way(size: int, windowsize: int) -> None:
    with bench(writable=True) as found:
        found.write(TEXT[:size], mode="netascii", windowsize=windowsize)
        assert found.wait_for_end().outcome is Outcome.completed
        assert read(found.store, b"f") == TEXT[:size]


def test_a_sender_that_does_not_wait_is_served_in_turns() -> None:
    """A peer that floods its transfer does not hold the engine."""
    with bench({"g": b"good"}, writable=True, timeout=seconds(1)) as found, found.peer() as peer:
        peer.offer(blksize=8, windowsize=64)
        peer.receive()
        for block in range(1, 1001):
            peer.send(Data(block % 65536, bytes(8)))
        assert found.read("g").content == b"good"
        peer.send(Error(0, "enough"))
        found.wait_for_ends(2)


# Datagrams that the kernel merges


def block_of(content: bytes, block: int) -> bytes:
    """Returns DATA with a block of a file."""
    return Data(block, content[(block - 1) * 1428 : block * 1428]).encode()


def begin(found: Bench, peer: Peer, content: bytes, windowsize: int) -> None:
    """Sends block 1. From the end of that turn on the transfer takes what is merged."""
    peer.offer(blksize=1428, windowsize=windowsize)
    assert isinstance(peer.receive(), Oack)
    peer.send(block_of(content, 1))
    wait_until(lambda: found.transfers[0].blocks == 1)


def send_merged(peer: Peer, *datagrams: bytes) -> None:
    """Sends datagrams that arrive as one piece, as a network card may hand them up."""
    peer.sock.setsockopt(17, 103, len(datagrams[0]))  # UDP_SEGMENT
    peer.send(b"".join(datagrams))
    peer.sock.setsockopt(17, 103, 0)


@linux_only
@pytest.mark.parametrize("size", [4 * 1428, 11 * 1428 + 100, 12 * 1428, 200 * 1428 + 1])
def test_a_window_that_comes_in_one_piece_is_taken_as_its_blocks(size: int) -> None:
    content, blocks = CONTENT[:size], size // 1428 + 1
    with bench(writable=True) as found, found.peer() as peer:
        begin(found, peer, content, 4)
        for first in range(1, blocks + 1, 4):
            last = min(first + 3, blocks)
            window = [block_of(content, block) for block in range(max(first, 2), last + 1)]
            send_merged(peer, *window)
            assert peer.receive() == Ack(last)
        check_written(found, content)
        assert found.wait_for_end().duplicates == 0


@linux_only
def test_what_is_no_block_moves_those_behind_it_and_changes_nothing() -> None:
    content = CONTENT[: 8 * 1428]
    with bench(writable=True, **PATIENT) as found, found.peer() as peer:
        begin(found, peer, content, 8)
        # A copy of our own answer, of another size than a block.
        peer.send(Oack((("blksize", "1428"),)))
        send_merged(peer, *[block_of(content, n) for n in range(2, 9)])
        assert peer.receive() == Ack(8)
        peer.send(Data(9, b""))
        check_written(found, content)


@linux_only
@pytest.mark.parametrize("missing", [2, 4, 5])
@pytest.mark.parametrize("rollover", [0, 1])
def test_a_gap_in_what_comes_in_one_piece_is_reported(missing: int, rollover: int) -> None:
    content = CONTENT[: 8 * 1428]
    with bench(writable=True, rollover=rollover) as found, found.peer() as peer:
        begin(found, peer, content, 8)
        send_merged(peer, *[block_of(content, n) for n in range(2, 9) if n != missing])
        assert peer.receive() == Ack(missing - 1)
        send_merged(peer, *[block_of(content, n) for n in range(missing, 9)])
        peer.send(Data(9, b""))
        while peer.receive() != Ack(9):
            pass
        check_written(found, content)


@linux_only
@pytest.mark.parametrize(("place", "octet"), [(0, 1), (1, 4), (1, 6), (2, 9), (3, 0)])
def test_a_header_in_the_middle_of_a_piece_is_looked_at_in_full(place: int, octet: int) -> None:
    content = CONTENT[: 8 * 1428]
    with bench(writable=True) as found, found.peer() as peer:
        begin(found, peer, content, 8)
        window = [bytearray(block_of(content, block)) for block in range(2, 9)]
        window[3][place] = octet
        send_merged(peer, *map(bytes, window))
        wait_until(lambda: found.transfers[0].duplicates or not found.transfers[0].is_running)
        # Three blocks came before the wrong one; whatever it was, it was not block 5.
        assert found.transfers[0].blocks == 4


@linux_only
def test_a_store_that_refuses_in_the_middle_of_what_comes_in_one_piece_ends_it() -> None:
    content = bytes(400 * 1428)
    with bench(writable=True, max_upload_size=150_000) as found, found.peer() as peer:
        begin(found, peer, content, 40)
        answers: list[object] = []
        for first in range(1, 400, 40):
            window = [block_of(content, block) for block in range(max(first, 2), first + 40)]
            send_merged(peer, *window)
            answers.append(peer.receive())
            if not isinstance(answers[-1], Ack):
                break
        assert answers[-1] == Error(3, "Upload too large")
        assert found.wait_for_end().error_code == 3


@linux_only
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("payload", [b"", b"the end", bytes(1427)])
def test_copies_of_the_last_block_that_come_in_one_piece_are_one_block(
    count: int, payload: bytes
) -> None:
    """Together they may look like one block that is longer."""
    content = CONTENT[:1428]
    with bench(writable=True) as found, found.peer() as peer:
        begin(found, peer, content, 4)
        send_merged(peer, *[Data(2, payload).encode()] * count)
        assert peer.receive() == Ack(2)
        check_written(found, content + payload)


@linux_only
def test_copies_of_a_full_block_that_come_in_one_piece_are_one_block() -> None:
    content = CONTENT[: 4 * 1428]
    with bench(writable=True) as found, found.peer() as peer:
        begin(found, peer, content, 4)
        send_merged(peer, *[block_of(content, 2)] * 3)
        peer.send(block_of(content, 3))
        peer.send(block_of(content, 4))
        while peer.receive() != Ack(4):
            pass
        peer.send(Data(5, b""))
        check_written(found, content)


@linux_only
def test_an_error_behind_the_last_block_is_no_part_of_it() -> None:
    content = CONTENT[:1428]
    with bench(writable=True) as found, found.peer() as peer:
        begin(found, peer, content, 4)
        send_merged(peer, Data(2, b"the end").encode(), Error(0, "").encode())
        check_written(found, content + b"the end")


def test_what_comes_through_the_port_of_the_server_is_taken_too() -> None:
    content = CONTENT[:300_000]
    with bench(writable=True, single_port=True) as found:
        found.write(content, blksize=1428, windowsize=8)
        check_written(found, content)


def test_a_store_that_refuses_what_comes_through_the_port_of_the_server_ends_it() -> None:
    with bench(writable=True, single_port=True, max_upload_size=200_000) as found:
        with pytest.raises(RefusedError, match="ERROR 3 'Upload too large'"):
            found.write(CONTENT, blksize=1428, windowsize=8)
        assert found.store.names() == []  # type: ignore[attr-defined]
