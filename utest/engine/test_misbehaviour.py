"""The faults of a listener, as raw sockets see them: requests, refusals and files on purpose."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from TftpLibrary.engine import misbehaviour as module
from TftpLibrary.errors import ExpectationError, UsageError
from TftpLibrary.faults.files import Damage, Damaging, Denial, ToldSize
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.passage import MOST_LATE
from TftpLibrary.faults.placed import Stage
from TftpLibrary.faults.plan import MOST_FAULTS
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Ack, Data, Error, Oack
from utest.support.bench import PATIENT, QUICK, bench
from utest.support.waiting import seconds, wait_until

CONTENT = bytes(range(256)) * 6
FIRST = Data(1, CONTENT[:512])
MODES = pytest.mark.parametrize("single_port", [False, True])


# Requests


@MODES
def test_a_request_that_is_dropped_on_purpose_is_a_record(single_port: bool) -> None:
    with bench({"f": CONTENT}, single_port=single_port, **PATIENT) as dut, dut.peer() as peer:
        fault = dut.faults.inject("drop", "RRQ", times=2)
        for _ in range(2):
            peer.ask()
            assert peer.is_silent()
        peer.ask()
        assert peer.receive() == FIRST
        lost, again, served = dut.transfers
        for record in (lost, again):
            assert (record.outcome, record.cause) == (Outcome.refused, Cause.on_purpose)
            assert record.error_code is None
            assert record.error_message == f"the request was dropped on purpose (fault {fault})"
            assert [mark.words for mark in record.faults] == ["dropped RRQ"]
        assert served.is_running
        assert served.fault_count == 0


def test_a_copy_of_a_request_that_is_dropped_belongs_to_the_transfer() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        fault = dut.faults.inject("drop", "RRQ", after=1)
        peer.ask()
        assert peer.receive() == FIRST
        peer.send(Ack(0), dut.listener.sock.getsockname())
        peer.ask()
        assert peer.is_silent()
        (record,) = dut.transfers
        assert [mark.fault for mark in record.faults] == [fault]


@MODES
@pytest.mark.parametrize(
    ("kind", "how"),
    [("delay", {"delay": 0.05}), ("reorder", {"delay": 0.05}), ("duplicate", {"delay": 0.05})],
)
def test_a_request_is_late_on_purpose(kind: str, how: dict[str, Any], single_port: bool) -> None:
    with bench({"f": CONTENT}, single_port=single_port, **PATIENT) as dut, dut.peer() as peer:
        fault = dut.faults.inject(kind, "request", **how)
        peer.ask()
        assert peer.receive() == FIRST
        peer.send(Ack(1))
        assert peer.receive_data().wire_block == 2
        assert peer.is_silent(0.1)
        (record,) = dut.transfers
        assert [mark.fault for mark in record.faults] == [fault]


def test_two_requests_of_a_board_that_are_late_are_one_transfer() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("delay", "RRQ", delay=0.1, times=2)
        peer.ask()
        peer.ask()
        assert peer.receive() == FIRST
        assert peer.is_silent(0.2)
        (record,) = dut.transfers
        assert [mark.times for mark in record.faults] == [2]


def test_of_late_requests_the_one_that_is_due_first_comes_first() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("delay", "RRQ", delay=3600)
        dut.faults.inject("delay", "RRQ", delay=0.05, after=1)
        peer.ask()
        peer.ask()
        assert peer.receive() == FIRST


def test_a_copy_of_a_request_belongs_to_the_transfer_that_runs() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        fault = dut.faults.inject("duplicate", "RRQ", after=1, delay=3600)
        peer.ask()
        assert peer.receive() == FIRST
        peer.ask()
        wait_until(lambda: dut.transfers[0].faults)
        (record,) = dut.transfers
        assert [mark.fault for mark in record.faults] == [fault]
        (report,) = dut.faults.reports()
        assert report.requests == 1


def test_requests_that_are_late_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    with bench({"f": CONTENT}, **PATIENT) as dut:
        dut.faults.inject("delay", "RRQ", delay=3600.0, times=None)
        with dut.peer() as first, dut.peer() as second, dut.peer() as third:
            for peer in (first, second):
                peer.ask()
            wait_until(lambda: dut.faults.all()[0].hits == 2)
            third.ask()
            (record,) = dut.wait_for_requests()
        assert (record.outcome, record.cause) == (Outcome.refused, Cause.on_purpose)
        words = [mark.words for mark in record.faults]
        assert words == ["delayed RRQ by 3600 s", "lost packets, since too many were late"]


def test_refusals_that_are_late_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 1)
    with bench(**PATIENT) as dut, dut.peer() as first, dut.peer() as second:
        dut.faults.inject("delay", "ERROR", delay=3600.0, times=None)
        for number, peer in enumerate((first, second), 1):
            peer.ask("missing")
            dut.wait_for_ends(number)
        marks = [[mark.words for mark in record.faults] for record in dut.transfers]
        assert marks == [
            ["delayed ERROR by 3600 s"],
            ["delayed ERROR by 3600 s", "lost packets, since too many were late"],
        ]


def test_transfers_that_are_over_and_have_late_datagrams_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each has a socket: of the oldest ones it is closed."""
    monkeypatch.setattr(module, "MOST_ENDING", 1)
    with bench({"f": b"small"}, **PATIENT) as dut:
        dut.faults.inject("duplicate", "DATA", delay=3600.0, times=None)
        ports = []
        for number in range(1, 5):
            with dut.peer() as peer:
                peer.ask()
                assert peer.receive() == Data(1, b"small")
                ports.append(peer.tid)
                peer.send(Ack(1))
                dut.wait_for_ends(number)
        # The last one began before there was one more to make room for.
        assert [is_taken(address) for address in ports] == [False, False, True, True]


def is_taken(address: tuple[str, int]) -> bool:
    """Whether a port is in use."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind(address)
        except OSError:
            return True
        return False


def test_a_late_request_does_not_outlive_the_server() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("delay", "RRQ", delay=0.1)
        peer.ask()
        wait_until(lambda: dut.faults.all()[0].hits)
        dut.close()
        assert peer.is_silent(0.2)
        assert dut.transfers == ()


def test_what_is_no_request_or_concerns_no_fault_is_taken_as_ever() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        fault = dut.faults.inject("drop", "RRQ", file="g")
        for octets in (b"\0\1f\0", b"\0\7", b"x"):
            peer.send(octets, peer.server)
        answers = [peer.receive(), peer.receive()]
        assert all(isinstance(answer, Error) and answer.code == 4 for answer in answers)
        peer.ask()
        assert peer.receive() == FIRST
        dut.faults.clear(fault)
        peer.ask("missing")
        assert peer.receive() == Error(1, "File not found")


# Refusals


@MODES
def test_a_refusal_passes_by_the_faults(single_port: bool) -> None:
    with bench(single_port=single_port, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("drop", "ERROR")
        peer.ask("missing")
        assert peer.is_silent()
        peer.ask("missing")
        assert peer.receive() == Error(1, "File not found")
        dut.faults.inject("delay", "answer", delay=0.05, file="late")
        peer.ask("late")
        assert peer.receive() == Error(1, "File not found")
        dut.faults.inject("error", "ERROR", code=77, message="other", file="forged")
        peer.ask("forged")
        assert peer.receive() == Error(77, "other")
        assert [fault.hits for fault in dut.faults.all()] == [1, 1, 1]


def test_a_refusal_that_met_a_fault_has_it_in_its_record() -> None:
    with bench(**PATIENT) as dut, dut.peer() as peer:
        late = dut.faults.inject("delay", "RRQ", delay=0.02)
        lost = dut.faults.inject("drop", "ERROR")
        peer.ask("missing")
        (record,) = dut.wait_for_ends()
        assert peer.is_silent()
        assert [mark.fault for mark in record.faults] == [late, lost]
        assert record.outcome is Outcome.refused
        assert record.cause is Cause.missing


def test_a_refusal_may_come_from_another_port() -> None:
    with bench(**PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("wrong_tid", "ERROR")
        peer.ask("missing")
        assert peer.receive() == Error(1, "File not found")
        assert peer.tid[1] != dut.port
        peer.ask("missing")
        peer.receive()
        assert peer.tid[1] == dut.port


@pytest.mark.parametrize(
    ("denial", "answer"),
    [
        (Denial("f"), Error(2, "Access violation")),
        (Denial("f", code=1), Error(1, "File not found")),
        (Denial("*", code=3), Error(3, "Disk full or allocation exceeded")),
        (Denial("f", code=42), Error(42, "Refused on purpose")),
        (Denial("f", code=0, message="Come back later"), Error(0, "Come back later")),
    ],
)
def test_a_file_is_denied(denial: Denial, answer: Error) -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        fault = dut.faults.add(denial)
        peer.ask()
        assert peer.receive() == answer
        (record,) = dut.transfers
        assert (record.outcome, record.cause) == (Outcome.refused, Cause.on_purpose)
        assert record.error_code == answer.code
        assert record.error_message.endswith(f"on purpose (fault {fault})")
        assert [mark.fault for mark in record.faults] == [fault]


def test_each_board_is_denied_once_and_its_second_try_goes_well() -> None:
    with bench({"f": CONTENT}, writable=True, **PATIENT) as dut:
        dut.faults.deny("f", code=1, times=1)
        dut.faults.deny("up", code=6, times=1)
        for host in ("127.0.0.1", "127.0.0.2"):
            with dut.peer(host) as peer:
                peer.ask()
                assert peer.receive() == Error(1, "File not found")
                peer.ask()
                assert peer.receive() == FIRST
                peer.send(Error(0, "enough"))
            with dut.peer(host) as peer:
                peer.offer("up")
                assert peer.receive() == Error(6, "File already exists")
        (first, second) = dut.faults.all()
        assert dict(first.clients) == {"127.0.0.1": 1, "127.0.0.2": 1} == dict(second.clients)


def test_a_denial_may_begin_after_the_first_download() -> None:
    with bench({"f": b"x"}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.deny("f", code=1, after=1)
        peer.ask()
        assert peer.receive() == Data(1, b"x")
        peer.send(Ack(1))
        peer.ask()
        assert peer.receive() == Error(1, "File not found")


# Files


@pytest.mark.parametrize(("tsize", "told"), [(ToldSize.damaged, 700), (ToldSize.original, 1536)])
def test_the_size_of_a_damaged_file_is_told_as_asked(tsize: ToldSize, told: int) -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        fault = dut.faults.add(Damage("f", Damaging.truncate, size=700, tsize=tsize))
        peer.ask(tsize=0)
        assert peer.receive() == Oack((("tsize", str(told)),))
        peer.send(Ack(0))
        assert peer.receive() == FIRST
        peer.send(Ack(1))
        assert peer.receive() == Data(2, CONTENT[512:700])
        peer.send(Ack(2))
        (record,) = dut.wait_for_ends()
        assert record.outcome is Outcome.completed
        assert record.size == 700
        assert [mark.fault for mark in record.faults] == [fault]


def test_another_file_is_sent_under_the_name() -> None:
    with bench({"f": CONTENT, "old": b"yesterday"}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.damage("f", "replace", content="old", times=1)
        peer.ask()
        assert peer.receive() == Data(1, b"yesterday")
        peer.send(Ack(1))
        dut.wait_for_ends()
        assert dut.transfers[0].faults[0].words == "sent 'old' instead"
        peer.ask()
        assert peer.receive() == FIRST


def test_a_replacement_that_is_missing_refuses_the_request() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.damage("f", "replace", content="old")
        peer.ask()
        assert peer.receive() == Error(1, "File not found")


@pytest.mark.parametrize(
    ("how", "more", "words"),
    [
        ("flip_bit", {}, "flipped a bit of the file"),
        ("truncate", {}, "sent only the beginning of the file"),
        ("append", {}, "sent more than the file"),
    ],
)
def test_the_record_says_what_became_of_the_file(
    how: str, more: dict[str, Any], words: str
) -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.damage("f", how, **more)
        peer.ask()
        peer.receive()
        assert [mark.words for mark in dut.transfers[0].faults] == [words]


# A link


@MODES
def test_a_link_carries_requests_transfers_and_refusals_both_ways(single_port: bool) -> None:
    delay = seconds(0.03)
    with bench({"f": b"x"}, single_port=single_port, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.set_link(LinkQuality(delay=delay))
        peer.ask()
        assert peer.receive() == Data(1, b"x")
        peer.send(Ack(1))
        (record,) = dut.wait_for_ends()
        # The request had passed when the record began.
        assert record.duration >= 2 * delay
        peer.ask("missing")
        assert peer.receive() == Error(1, "File not found")
        dut.faults.set_link(LinkQuality(loss=1.0, client="127.0.0.1"))
        peer.ask()
        assert peer.is_silent()
        assert [mark.fault for mark in dut.transfers[-1].faults] == ["link"]


# Stalls


@MODES
def test_a_request_that_stalls_is_not_answered_however_often_it_comes(single_port: bool) -> None:
    with bench({"f": CONTENT}, single_port=single_port, **PATIENT) as dut, dut.peer() as peer:
        fault = dut.faults.inject("stall", "RRQ")
        for _ in range(3):
            peer.ask()
        assert peer.is_silent()
        records = dut.wait_for_ends(3)
        text = f"the request was dropped on purpose (fault {fault})"
        assert [each.error_message for each in records] == [text] * 3
        assert dut.faults.expect(fault).hits == 1
        # Another try from another port is another transfer.
        with dut.peer() as again:
            again.ask()
            assert again.receive() == FIRST
        dut.faults.clear()
        peer.ask()
        assert peer.receive() == FIRST


def test_a_request_that_stalls_for_a_time_is_answered_then() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("stall", "RRQ", duration=0.1)
        peer.ask()
        assert peer.is_silent(0.15)
        peer.ask()
        assert peer.receive() == FIRST


def test_only_so_many_requests_that_stall_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STALLED", 1)
    with bench({"f": CONTENT}, **PATIENT) as dut, dut.peer() as one, dut.peer() as other:
        dut.faults.inject("stall", "RRQ", times=2)
        for peer in (one, other):
            peer.ask()
            assert peer.is_silent()
        other.ask()
        assert other.is_silent()
        one.ask()
        assert one.receive() == FIRST


# Requests that no fault concerns


def test_requests_that_are_left_alone_are_counted_each_time_until_a_fault_concerns_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_LEFT_ALONE", 1)
    with bench({"f": CONTENT, "g": CONTENT}, **PATIENT) as dut:
        other = dut.faults.inject("drop", "RRQ", file="other")
        for name in ("f", "f", "g", "f"):
            assert dut.read(name).content == CONTENT
        with pytest.raises(ExpectationError, match="No request for it came"):
            dut.faults.expect(other)
        (placed,) = dut.engine.call(dut.faults.plan.all)
        assert placed.stages == {Stage.file: 4}
        dut.faults.inject("drop", "RRQ", file="f")
        with dut.peer() as peer:
            peer.ask("f")
            assert peer.is_silent()
            dut.faults.clear()
            dut.faults.deny("f", times=None)
            peer.ask("f")
            assert peer.receive() == Error(2, "Access violation")


# Bounds


def test_a_transfer_passes_by_a_thousand_faults_and_one_more_is_refused() -> None:
    with bench({"f": CONTENT}, **PATIENT) as dut:
        for number in range(1, MOST_FAULTS + 1):
            dut.faults.inject("drop", f"DATA {number + 10}")
        assert dut.read().content == CONTENT
        with pytest.raises(UsageError, match=f"There are {MOST_FAULTS} faults already. Clear some"):
            dut.faults.inject("drop")


@MODES
def test_of_a_hundred_thousand_late_datagrams_most_are_lost_and_the_server_stops(
    single_port: bool,
) -> None:
    """An engine that does not stop in time raises."""
    content = bytes(512 * 100)
    with bench({"f": content}, single_port=single_port, **PATIENT) as dut:
        dut.faults.inject("duplicate", "DATA", copies=1000, delay=3600.0, times=None)
        assert dut.read(windowsize=16).content == content
        (record,) = dut.wait_for_ends()
        assert record.outcome is Outcome.completed
        counts = {mark.words: mark.times for mark in record.faults}
        assert counts["lost packets, since too many were late"] >= 100 * 1000 - MOST_LATE


def test_a_day_that_never_ends_ends_with_the_server() -> None:
    with bench({"f": CONTENT}, **QUICK) as dut, dut.peer() as asking, dut.peer() as stalled:
        for packet in ("RRQ", "DATA"):
            dut.faults.inject("stall", packet, times=None, file="g" if packet == "RRQ" else "f")
        stalled.ask()
        for _ in range(20):
            for _ in range(50):
                asking.ask("g")
            # The answer shows that all before it were read.
            asking.ask("missing")
            assert asking.receive() == Error(1, "File not found")
        (cut,) = dut.close()
        assert cut.outcome is Outcome.aborted
