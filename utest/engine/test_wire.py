"""The faults of a server's transfers, as raw sockets in the place of boards see them."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest

from TftpLibrary.client import TftpClient
from TftpLibrary.engine import wire as module
from TftpLibrary.engine.wire import Wire
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.protocol.datagrams import Datagram
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Ack, Data, Error, Oack, decode
from utest.support.bench import PATIENT, QUICK, Bench, Peer, bench, linux_only, take_all
from utest.support.faulty import make_faulty
from utest.support.stages import (
    CONTENT,
    FATES,
    FATES_OF_DATA,
    SERVER_STAGES,
    Fate,
    Seen,
    Staging,
    play,
    server_receives,
    server_sends,
    single_port_sends,
)
from utest.support.waiting import seconds, wait_until

LONG = random.Random(3).randbytes(512 * 20 + 7)


@pytest.mark.parametrize("staging", SERVER_STAGES)
@pytest.mark.parametrize(("kind", "how", "fate"), FATES)
def test_a_raw_socket_sees_each_kind_of_fault(
    staging: Staging, kind: str, how: dict[str, Any], fate: Fate
) -> None:
    with staging() as stage:
        play(stage, kind, how, fate)


@pytest.mark.parametrize("staging", [server_sends, single_port_sends])
@pytest.mark.parametrize(("kind", "how", "fate"), FATES_OF_DATA)
def test_a_raw_socket_sees_each_kind_of_fault_of_a_block(
    staging: Staging, kind: str, how: dict[str, Any], fate: Fate
) -> None:
    with staging() as stage:
        play(stage, kind, how, fate)


def test_a_corrupt_block_has_one_wrong_bit_and_is_right_when_it_comes_again() -> None:
    with server_sends() as stage:
        stage.inject("corrupt", "DATA 2")
        stage.provoke()
        seen = stage.receive().octets
        assert seen[:4] == stage.octets[:4]
        assert _wrong_bits(seen, stage.octets) == 1
    with bench({"f": CONTENT}, **QUICK) as dut, dut.peer() as peer:
        dut.faults.inject("corrupt", "DATA 2", number="3")
        report = dut.read()
        assert dut.transfers[-1].fault_count == 1
        assert _wrong_bits(report.content, CONTENT) == 3
        assert peer.is_silent()


def _wrong_bits(octets: bytes, right: bytes) -> int:
    assert len(octets) == len(right)
    return sum((one ^ other).bit_count() for one, other in zip(octets, right, strict=True))


# The answer to a request


@pytest.mark.parametrize(
    ("kind", "how", "expected"),
    [
        ("drop", {}, []),
        ("duplicate", {}, [b"\0\6blksize\x00512\0"] * 2),
        ("wrong_oack", {"options": "blksize=9000"}, [b"\0\6blksize\x009000\0"]),
        ("wrong_oack", {"options": "blksize=-"}, [b"\0\6"]),
        (
            "wrong_oack",
            {"options": "BLKSIZE=1 x=2", "padding": 3},
            [b"\0\6BLKSIZE\x001\0x\x002\0\0\0\0"],
        ),
        ("unterminated", {}, [b"\0\6blksize\x00512"]),
        ("runt", {"size": 1}, [b"\0"]),
        ("error", {"code": 8}, [Error(8, "Error on purpose").encode()]),
    ],
)
@pytest.mark.parametrize("single_port", [False, True])
def test_an_option_answer_is_wrong_on_purpose(
    kind: str, how: dict[str, Any], expected: list[bytes], single_port: bool
) -> None:
    with bench({"f": CONTENT}, single_port=single_port, **PATIENT) as dut, dut.peer() as peer:
        fault = dut.faults.inject(kind, "OACK", **how)
        peer.ask(blksize=512)
        assert [peer.sock.recv(1000) for _ in expected] == expected
        assert peer.is_silent()
        assert dut.faults.expect(fault).hits == 1
        assert [mark.fault for mark in dut.transfers[-1].faults] == [fault]


def test_a_wrong_option_answer_changes_nothing_in_the_transfer() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("wrong_oack", options="blksize=9000")
        peer.ask(blksize=600)
        assert peer.receive() == Oack((("blksize", "9000"),))
        peer.send(Ack(0))
        assert len(peer.receive_data().payload) == 600


@pytest.mark.parametrize("single_port", [False, True])
def test_options_are_ignored_as_by_a_server_of_1992(single_port: bool) -> None:
    with (
        bench(
            {"f": CONTENT}, single_port=single_port, writable=True, overwrite=True, **PATIENT
        ) as dut,
        dut.peer() as reader,
        dut.peer() as writer,
    ):
        dut.faults.inject("ignore_options")
        reader.ask(blksize=1000, windowsize=4, tsize=0)
        assert reader.receive() == Data(1, CONTENT[:512])
        writer.offer("g", blksize=1000)
        # Counted for each client, and both have the same address.
        assert writer.receive() == Oack((("blksize", "1000"),))
        record = dut.transfers[0]
        assert (dict(record.granted), record.fault_count) == ({}, 1)


def test_single_options_are_ignored() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("ignore_options", options="windowsize,TSIZE")
        peer.ask(blksize=1000, windowsize=4, tsize=0)
        assert peer.receive() == Oack((("blksize", "1000"),))


def test_an_error_packet_lacks_its_last_octet() -> None:
    with bench(**PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("unterminated")
        peer.ask("missing")
        assert peer.sock.recv(100) == b"\0\5\0\1File not found"


# Strangers


@pytest.mark.parametrize("staging", SERVER_STAGES)
@pytest.mark.parametrize("kind", ["wrong_tid", "stray"])
def test_the_error_of_a_board_that_looks_at_ports_is_remarked(staging: Staging, kind: str) -> None:
    with staging() as stage:
        stage.inject(kind, stage.packet)
        stage.provoke()
        assert stage.receive().is_foreign
        (stranger,) = stage.stranger
        assert stranger[0] == stage.ours[0][0]
        stage.sock.sendto(Error(5, "Unknown transfer ID").encode(), stranger)
        if kind == "stray":
            assert stage.receive() == Seen(stage.octets)
        # A look has the engine read every socket.
        assert stage.look().is_running
        # The transfer is not disturbed: the board ends it here.
        stage.send(Error(0, "enough"))
        wait_until(lambda: not stage.look().is_running)
        assert stage.look().remarks == (module.REFUSED_STRANGER,)
        assert stage.look().by_peer


# The end


@pytest.mark.parametrize("staging", SERVER_STAGES[:2])
def test_after_the_port_vanished_the_system_refuses(staging: Staging) -> None:
    with staging() as stage:
        fault = stage.inject("vanish", stage.packet)
        stage.provoke()
        wait_until(lambda: not stage.look().is_running)
        assert stage.is_refused()
        record = stage.look()
        assert record.outcome is Outcome.aborted
        assert record.error_message == (
            f"closed the port at {stage.packet}, on purpose (fault {fault})"
        )


@pytest.mark.parametrize("staging", SERVER_STAGES)
def test_an_error_on_purpose_is_followed_by_nothing(staging: Staging) -> None:
    with staging() as stage:
        fault = stage.inject("error", stage.packet, code=3)
        stage.provoke()
        assert stage.receive().octets[:4] == b"\0\5\0\3"
        stage.send(Ack(1))
        stage.send(Data(1, bytes(512)))
        assert stage.is_silent()
        record = stage.look()
        assert record.outcome is Outcome.aborted
        assert record.error_message.endswith(f"on purpose (fault {fault})")


def test_an_error_on_purpose_leaves_though_the_link_is_slow() -> None:
    with server_sends() as stage:
        stage.inject("error", "DATA 2")
        stage.provoke()
        assert stage.receive().octets[:2] == b"\0\5"
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.set_link(LinkQuality(delay=0.05))
        dut.faults.inject("error", "DATA 1")
        peer.ask()
        assert peer.receive() == Error(0, "Error on purpose")


# Stalls


@pytest.mark.parametrize("staging", SERVER_STAGES)
def test_a_stall_without_duration_lets_nothing_pass_any_more(staging: Staging) -> None:
    with staging() as stage:
        fault = stage.inject("stall", stage.packet)
        stage.provoke()
        for _ in range(3):
            stage.send(Ack(1))
            stage.send(Data(1, CONTENT[:512]))
        assert stage.is_silent()
        assert stage.hits(fault) == 1
        assert stage.look().is_running


def test_a_stall_with_a_duration_ends() -> None:
    with bench({"f": CONTENT}, timeout=seconds(0.1), retries=50) as dut, dut.peer() as peer:
        fault = dut.faults.inject("stall", "DATA 2", duration=seconds(0.3))
        peer.ask()
        peer.receive_data()
        peer.send(Ack(1))
        assert peer.receive_data() == Data(2, CONTENT[512:1024])
        record = dut.transfers[-1]
        assert record.duration > seconds(0.3)
        assert record.retransmits > 1
        assert dut.faults.expect(fault).hits == 1


def test_a_stall_ends_when_its_fault_is_cleared() -> None:
    with bench({"f": CONTENT}, **QUICK) as dut, dut.peer() as peer:
        dut.faults.inject("stall", "DATA 2")
        peer.ask()
        peer.receive_data()
        peer.send(Ack(1))
        assert peer.is_silent(0.1)
        dut.faults.clear()
        assert peer.receive_data() == Data(2, CONTENT[512:1024])


# Windows


WINDOW = [Data(block, LONG[(block - 1) * 512 : block * 512]) for block in range(1, 6)]


@pytest.mark.parametrize(
    ("kind", "how", "places"),
    [
        ("drop", {}, [1, 2, 4, 5]),
        ("duplicate", {}, [1, 2, 3, 3, 4, 5]),
        ("duplicate", {"delay": 0.05}, [1, 2, 3, 4, 5, 3]),
        ("delay", {"delay": 0.05}, [1, 2, 4, 5, 3]),
        ("reorder", {}, [1, 2, 4, 3, 5]),
        ("reorder", {"number": "2"}, [1, 2, 4, 5, 3]),
        ("reorder", {"number": "9", "delay": 0.05}, [1, 2, 4, 5, 3]),
        ("stall", {}, [1, 2]),
        ("vanish", {}, [1, 2]),
    ],
)
@pytest.mark.parametrize("single_port", [False, True])
def test_in_a_window_each_block_has_a_fate_of_its_own(
    kind: str, how: dict[str, Any], places: list[int], single_port: bool
) -> None:
    with bench({"f": LONG}, single_port=single_port, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject(kind, "DATA 3", **how)
        peer.ask(windowsize=5)
        peer.receive()
        peer.send(Ack(0))
        assert [peer.receive() for _ in places] == [WINDOW[place - 1] for place in places]
        assert peer.is_silent()


@pytest.mark.parametrize("kind", ["drop", "duplicate", "reorder", "delay"])
@pytest.mark.parametrize("single_port", [False, True])
@pytest.mark.parametrize("windowsize", [1, 8])
def test_a_file_arrives_whole_in_spite_of_faults_both_ways(
    kind: str, single_port: bool, windowsize: int
) -> None:
    how: dict[str, Any] = {"delay": 0.01} if kind in ("delay", "reorder") else {}
    with (
        bench({"f": LONG}, single_port=single_port, writable=True) as dut,
        TftpClient(dut.host, dut.port, blksize=512, windowsize=windowsize) as board,
    ):
        ids = [
            dut.faults.inject(kind, name, times=2, **how) for name in ("DATA 3, 9, 12", "ACK last")
        ]
        assert board.get_bytes("f") == LONG
        board.put_bytes(LONG, "g")
        assert board.get_bytes("g") == LONG
        dut.wait_for_ends(3)
        assert {each.outcome for each in dut.transfers} == {Outcome.completed}
        assert {mark.fault for each in dut.transfers for mark in each.faults} == set(ids)


# The record and the raw socket agree


def test_the_record_counts_what_the_socket_missed() -> None:
    with bench({"f": LONG}, **QUICK) as dut, dut.peer() as peer:
        fault = dut.faults.inject("drop", "DATA 3-6")
        seen = _load(peer, LONG)
        for block in (3, 4, 5, 6):
            assert seen.count(block) == 1
        (record,) = dut.wait_for_ends()
        assert [mark.words for mark in record.faults] == [f"dropped DATA {n}" for n in (3, 4, 5, 6)]
        assert (record.fault_count, record.retransmits) == (4, 4)
        assert dut.faults.expect(fault, times=4).passed_by > 0


def _load(peer: Peer, content: bytes) -> list[int]:
    """Loads a file in lock-step. Returns the blocks that came, each as often as it did."""
    peer.ask()
    seen, expected, got = [], 1, b""
    while True:
        data = peer.receive_data()
        seen.append(data.wire_block)
        if data.wire_block == expected:
            got += data.payload
            expected += 1
        peer.send(Ack(data.wire_block))
        if len(data.payload) < 512:
            assert got == content
            return seen


def test_two_boards_cannot_take_each_other_s_fault() -> None:
    with bench({"f": LONG}, **QUICK) as dut:
        fault = dut.faults.inject("drop", "DATA 3")
        with dut.peer("127.0.0.1") as one, dut.peer("127.0.0.2") as other:
            for peer in (one, other, one):
                _load(peer, LONG)
        found = dut.faults.expect(fault, times=2)
        assert dict(found.clients) == {"127.0.0.1": 1, "127.0.0.2": 1}
        assert [each.fault_count for each in dut.wait_for_ends(3)] == [1, 1, 0]


def test_a_rule_of_another_file_or_board_leaves_the_fast_path() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("drop", "DATA", file="g")
        dut.faults.inject("drop", "DATA", client="192.0.2.0/24")
        peer.ask()
        assert peer.receive() == Data(1, CONTENT[:512])
        assert not isinstance(dut.only_session().channel, Wire)


# What is late


def test_late_datagrams_outlive_the_session_and_nothing_answers_meanwhile() -> None:
    with bench({"f": b"small"}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("duplicate", "DATA", delay=seconds(0.2))
        peer.ask()
        assert peer.receive() == Data(1, b"small")
        peer.send(Ack(1))
        dut.wait_until_empty()
        peer.send(Error(0, "anybody there?"))
        peer.send(Ack(1))
        assert peer.receive() == Data(1, b"small")
        assert peer.is_silent()
        (record,) = dut.transfers
        assert record.outcome is Outcome.completed


@pytest.mark.parametrize("single_port", [False, True])
def test_late_datagrams_do_not_outlive_the_server(single_port: bool) -> None:
    """The rule for every test looks for threads and sockets."""
    with bench({"f": b"small"}, single_port=single_port, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("duplicate", "DATA", delay=0.3)
        dut.faults.inject("delay", "RRQ", file="late", delay=0.3)
        dut.faults.inject("wrong_tid", "DATA", after=1)
        for name in ("f", "late", "f"):
            peer.ask(name)
        peer.receive()
        dut.close()
        take_all(peer.sock)
        assert peer.is_silent(0.4)


@pytest.mark.parametrize("is_over", [False, True])
def test_nothing_late_is_left_of_a_server_that_stops_before_its_engine(is_over: bool) -> None:
    with bench({"f": b"small"}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("duplicate", "DATA", delay=3600)
        dut.faults.inject("duplicate", "RRQ", delay=3600, file="late")
        peer.ask()
        peer.receive()
        if is_over:
            peer.send(Ack(1))
            dut.wait_until_empty()
        with dut.peer() as other:
            other.ask("late")
            other.receive()
        dut.engine.call(dut.listener.stop)
        assert _is_free(peer.tid)
        assert not dut.engine.linger()


def test_late_datagrams_are_dropped_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_LATE", 0.05)
    with bench({"f": b"small"}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("duplicate", "DATA", delay=3600)
        peer.ask()
        peer.receive()
        peer.send(Ack(1))
        dut.wait_until_empty()
        wait_until(lambda: _is_free(peer.tid))


def _is_free(place: tuple[str, int]) -> bool:
    """Whether a port is bound by nobody."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        with suppress(OSError):
            other.bind(place)
            return True
        return False


def test_a_port_that_vanishes_waits_for_nothing_late() -> None:
    with server_sends() as stage:
        stage.inject("duplicate", "DATA 1", delay=3600)
        stage.inject("vanish", "DATA 2")
        stage.provoke()
        wait_until(lambda: not stage.look().is_running)
        assert _is_free(stage.ours[0])


def test_a_late_ack_arrives_at_the_session() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("delay", "ACK 1", delay=0.05)
        peer.ask()
        peer.receive_data()
        peer.send(Ack(1))
        assert peer.receive_data() == Data(2, CONTENT[512:1024])


def test_the_last_ack_of_an_upload_is_repeated_when_the_first_is_dropped() -> None:
    with server_receives() as stage:
        stage.inject("drop", "ACK last")
        stage.provoke()
        assert stage.receive() == Seen(Ack(1).encode())
        for _ in range(2):
            stage.send(Data(2, b"end"))
        assert stage.receive() == Seen(Ack(2).encode())
        assert stage.look().outcome is Outcome.completed


# Transfers that run


@linux_only
@pytest.mark.parametrize("single_port", [False, True])
@pytest.mark.parametrize("windowsize", [1, 16])
def test_a_download_that_runs_meets_a_fault(single_port: bool, windowsize: int) -> None:
    with bench({"f": LONG}, single_port=single_port, **PATIENT) as dut, dut.peer() as peer:
        peer.ask(windowsize=windowsize)
        assert isinstance(peer.receive(), Oack)
        peer.send(Ack(0))
        for _ in range(windowsize):
            peer.receive_data()
        fault = dut.faults.inject("drop", f"DATA {windowsize + 2}")
        for block in range(windowsize, 21, windowsize):
            peer.send(Ack(block))
            if block == windowsize:
                assert peer.receive_data().wire_block == windowsize + 1
                break
        if windowsize == 1:
            peer.send(Ack(2))
        else:
            got = [peer.receive_data().wire_block for _ in range(3)]
            assert got == [19, 20, 21]
        assert peer.is_silent()
        assert dut.faults.expect(fault).hits == 1
        assert [mark.fault for mark in dut.transfers[0].faults] == [fault]


def test_the_last_block_of_a_transfer_that_runs_is_known_by_its_size() -> None:
    with bench({"f": bytes(450)}, **PATIENT) as dut, dut.peer() as peer:
        peer.ask(blksize=100)
        peer.receive()
        peer.send(Ack(0))
        peer.receive_data()
        fault = dut.faults.inject("drop", "DATA last")
        for block in (1, 2, 3):
            peer.send(Ack(block))
            assert peer.receive_data().wire_block == block + 1
        peer.send(Ack(4))
        assert peer.is_silent()
        assert dut.faults.expect(fault).hits == 1
        assert dut.transfers[0].faults[0].words == "dropped DATA 5"


@linux_only
@pytest.mark.parametrize("rollover", [0, 1])
def test_blocks_are_counted_beyond_the_rollover_in_a_transfer_that_runs(rollover: int) -> None:
    with bench({"f": bytes(8 * 65_700)}, **PATIENT) as dut, dut.peer() as peer:
        peer.ask(blksize=8, windowsize=64, rollover=rollover)
        peer.receive()

        def take_window(acked: int, count: int) -> list[int]:
            wire = acked if acked < 65_536 else acked - 65_536 + rollover
            peer.send(Ack(wire))
            return [peer.receive_data().wire_block for _ in range(count)]

        for acked in range(0, 65_537, 64):
            take_window(acked, 64)
        fault = dut.faults.inject("drop", "DATA 65610")
        missing = 65_610 - 65_536 + rollover
        blocks = take_window(65_600, 63)
        assert missing not in blocks
        assert [missing - 1 in blocks, missing + 1 in blocks] == [True, True]
        assert dut.faults.expect(fault).hits == 1


@linux_only
def test_an_upload_whose_datagrams_are_merged_already_meets_a_fault() -> None:
    with bench(writable=True, **QUICK) as dut, dut.peer() as peer:
        peer.offer("g", windowsize=4)
        peer.receive()
        blocks = [Data(n, LONG[(n - 1) * 512 : n * 512]) for n in range(1, 22)]
        _send_window(dut, peer, blocks[:4])
        assert peer.receive() == Ack(4)
        # From here on the kernel merges.
        _send_window(dut, peer, blocks[4:8])
        assert peer.receive() == Ack(8)
        fault = dut.faults.inject("drop", "DATA 10")
        _send_window(dut, peer, blocks[8:12])
        assert peer.receive() == Ack(9)
        assert dut.faults.expect(fault).hits == 1
        at = 9
        while at < len(blocks):
            _send_window(dut, peer, blocks[at : at + 4])
            at = _next_ack(peer, at)
        (record,) = dut.wait_for_ends()
        assert record.outcome is Outcome.completed
        with_it = dut.store.open_read(b"g", "127.0.0.1")
        assert with_it.size == len(LONG)
        with_it.close()


def _next_ack(peer: Peer, block: int) -> int:
    """Returns the block of the next ACK that is no copy."""
    while True:
        packet = peer.receive()
        assert isinstance(packet, Ack)
        if packet.wire_block > block:
            return packet.wire_block


def _send_window(dut: Bench, peer: Peer, blocks: list[Data]) -> None:
    """Sends blocks while the engine waits, so that one read takes them all."""

    def send() -> None:
        for block in blocks:
            peer.send(block)

    dut.engine.call(send)


# Trouble


def test_a_full_socket_buffer_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_faulty(monkeypatch)
    with bench({"f": LONG}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("drop", "DATA 99")
        peer.ask(windowsize=5)
        peer.receive()
        failures = [BlockingIOError(), BlockingIOError()]
        for sock in made:
            sock.fault = lambda size: failures.pop() if failures and size > 500 else None
        peer.send(Ack(0))
        got = [peer.receive_data().wire_block for _ in range(5)]
        assert sorted(got) == [1, 2, 3, 4, 5]
        assert not failures


def test_an_exception_of_our_own_ends_the_transfer_alone() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("drop", "DATA 99")
        peer.ask()
        peer.receive()
        channel = dut.only_session().channel
        assert isinstance(channel, Wire)
        dut.engine.call(lambda: channel.fail(ValueError("of a test")))
        assert isinstance(peer.receive(), Error)
        assert "internal error: ValueError('of a test')" in dut.wait_for_end().error_message


# What a capture shows


def test_a_capture_shows_what_was_done_on_purpose() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        shown: list[Datagram] = []
        dut.faults.inject("duplicate", "DATA 1")
        dut.faults.inject("drop", "DATA 2")
        dut.faults.inject("stray", "DATA 1")
        dut.faults.inject("drop", "ACK 1", after=1)
        dut.engine.call(lambda: dut.listener.tap(shown.append))
        peer.ask()
        for _ in range(3):
            peer.receive()
        peer.send(Ack(1))
        peer.send(Ack(1))
        wait_until(lambda: len(shown) >= 7)
        comments = [(decode_name(each), each.comment, each.is_lost) for each in shown[1:]]
        assert ("DATA 2", "fault drop-2: dropped DATA 2", True) in comments
        again = "retransmit: DATA 1 was sent again; fault duplicate-1: duplicated DATA 1"
        assert ("DATA 1", again, False) in comments
        (came,) = [comment for name, comment, _ in comments if "drop-4" in comment]
        # Whether it is called a repeat depends on which of two sockets got the first one.
        assert came.endswith("fault drop-4: dropped ACK 1")
        foreign = [comment for _, comment, _ in comments if "stray-3" in comment]
        assert len(foreign) == 1


def decode_name(datagram: Datagram) -> str:
    packet = decode(datagram.octets)
    number = getattr(packet, "wire_block", "")
    return f"{type(packet).__name__.upper()} {number}".strip()


# A server without rules


def test_a_server_without_rules_never_loads_the_wire() -> None:
    program = """
import sys
from TftpLibrary import TftpClient, TftpServer
settings = {"content": {"f": bytes(5000)}, "writable": True}
with TftpServer(**settings) as server, TftpClient(server.host, server.port) as board:
    board.get_bytes("f")
    board.put_bytes(b"x", "g")
parts = "faults wire miscalls misbehaviour injection late evidence commentary foreign presence"
names = [name.removeprefix("TftpLibrary.").removeprefix("engine.") for name in sys.modules]
print([name for name in names if name.startswith(tuple(parts.split()))])
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds(30), check=True)
    assert done.stdout == "[]\n"


# As a channel


def test_a_datagram_that_passed_by_the_faults_already_arrives_as_it_is() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        fault = dut.faults.inject("drop", "ACK")
        peer.ask()
        peer.receive()
        session = dut.only_session()
        wire = session.channel
        assert isinstance(wire, Wire)
        dut.engine.call(lambda: wire.arrive(Ack(1).encode()))
        assert peer.receive_data().wire_block == 2
        assert not dut.faults.all()[0].hits, fault
        dut.engine.call(session.stop)
        # To a transfer that is over nothing comes any more.
        dut.engine.call(lambda: wire.arrive(Ack(2).encode()))
        assert wire.descriptors(session) == ()


def test_datagrams_that_arrive_together_are_all_taken() -> None:
    """The socket may have nothing more that would wake the session."""
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("duplicate", "ACK 1", copies=3)
        peer.ask()
        peer.receive()
        peer.send(Ack(1))
        assert peer.receive_data().wire_block == 2
        wait_until(lambda: dut.transfers[0].duplicates == 3)


def test_a_late_datagram_that_comes_after_the_end_is_not_taken() -> None:
    with bench({"f": b"small"}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("duplicate", "ACK", delay=0.05)
        peer.ask()
        peer.receive()
        peer.send(Ack(1))
        (record,) = dut.wait_for_ends()
        dut.wait_until_empty()
        assert peer.is_silent(0.1)
        assert record.outcome is Outcome.completed
        assert dut.transfers[0].duplicates == 0


# Addresses and modes


@pytest.mark.parametrize("single_port", [False, True])
@pytest.mark.parametrize(("bound", "asked"), [("::1", "::1"), ("0.0.0.0", "127.0.0.1")])
def test_strangers_come_from_the_address_that_was_asked(
    bound: str, asked: str, single_port: bool
) -> None:
    with bench({"f": CONTENT}, host=bound, single_port=single_port, **PATIENT) as dut:
        server = (asked, dut.port)
        with Peer(server, asked) as peer:
            dut.faults.inject("stray", "DATA 1")
            dut.faults.inject("wrong_tid", "ERROR")
            peer.ask()
            peer.receive()
            stranger = peer.tid
            assert peer.receive() == Data(1, CONTENT[:512])
            assert stranger[0] == peer.tid[0] == asked
            assert stranger[1] != peer.tid[1]
            peer.ask("missing")
            assert peer.receive() == Error(1, "File not found")
            assert peer.tid[0] == asked
            assert peer.tid[1] != dut.port


def test_the_last_block_of_a_text_is_known_when_it_comes() -> None:
    """Its size shows only while it is sent."""
    text = b"line\n" * 200
    with bench({"f": text}, **QUICK) as dut, dut.peer() as peer:
        fault = dut.faults.inject("drop", "DATA last")
        peer.ask("f", "netascii")
        got = b""
        for block in (1, 2, 3):
            data = peer.receive_data()
            assert data.wire_block == block
            got += data.payload
            peer.send(Ack(block))
        assert got == text.replace(b"\n", b"\r\n")
        assert dut.faults.expect(fault).hits == 1
        assert dut.wait_for_end().faults[0].words == "dropped DATA 3"
