"""The faults of our clients, as raw sockets in the place of a server see them."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from typing import Any

import pytest

from TftpLibrary.protocol import retry
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Ack, Data, Direction, Error, Oack, Request, decode
from TftpLibrary.settings import ClientSettings
from utest.support.bench import linux_only
from utest.support.puppets import Puppet, orders
from utest.support.stages import (
    CLIENT_STAGES,
    CONTENT,
    FATES,
    FATES_OF_DATA,
    PATIENT_CLIENT,
    Fate,
    Seen,
    Staging,
    client_receives,
    client_sends,
    play,
)
from utest.support.waiting import seconds, wait_until

EAGER = ClientSettings(blksize=512, windowsize=1, tsize=False, timeout=seconds(0.1), retries=50)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose timeout is a minute sends nothing again, however quick its peer was."""
    monkeypatch.setattr(retry, "SHORTEST_WAIT", 60.0)


@pytest.mark.parametrize("staging", CLIENT_STAGES)
@pytest.mark.parametrize(("kind", "how", "fate"), FATES)
def test_a_raw_socket_sees_each_kind_of_fault_of_our_client(
    staging: Staging, kind: str, how: dict[str, Any], fate: Fate
) -> None:
    with staging() as stage:
        play(stage, kind, how, fate)


@pytest.mark.parametrize(("kind", "how", "fate"), FATES_OF_DATA)
def test_a_raw_socket_sees_each_kind_of_fault_of_a_block_of_our_client(
    kind: str, how: dict[str, Any], fate: Fate
) -> None:
    with client_sends() as stage:
        play(stage, kind, how, fate)


# The request


@pytest.mark.parametrize(
    ("kind", "how", "copies"),
    [
        ("drop", {}, 1),
        ("duplicate", {"copies": 3}, 4),
        ("duplicate", {"delay": 0.02}, 2),
        ("delay", {"delay": 0.02}, 1),
        ("reorder", {"delay": 0.02}, 1),
    ],
)
def test_requests_are_lost_repeated_and_late(kind: str, how: dict[str, Any], copies: int) -> None:
    settings = EAGER if kind == "drop" else PATIENT_CLIENT
    with orders() as given, Puppet() as server:
        fault = given.inject(kind, "RRQ", **how)
        given.get(server, settings)
        right = Request(Direction.read, b"f", "octet", ())
        assert [server.take_request() for _ in range(copies)] == [right] * copies
        server.send(Data(1, b"x"))
        assert server.receive() == Ack(1)
        record = given.wait_for_end()
        assert record.outcome is Outcome.completed
        assert [mark.fault for mark in record.faults] == [fault]
        assert given.hits(fault) == 1


def test_a_request_may_come_from_another_port() -> None:
    with orders() as given, Puppet() as server:
        given.inject("wrong_tid", "RRQ")
        given.get(server, EAGER)
        server.take_request()
        elsewhere = server.client
        server.send(Error(1, "not here"))
        server.take_request()
        assert server.client != elsewhere
        server.send(Data(1, b"x"))
        record = given.wait_for_end()
        assert record.outcome is Outcome.completed
        assert record.remarks == ("the packet from another port was refused by an error",)


@pytest.mark.parametrize("kind", ["vanish", "error"])
def test_a_fault_may_end_a_call(kind: str) -> None:
    with orders() as given, Puppet() as server:
        fault = given.inject(kind, "RRQ")
        given.get(server, PATIENT_CLIENT)
        record = given.wait_for_end()
        assert record.outcome is Outcome.aborted
        assert record.error_message.endswith(f"on purpose (fault {fault})")
        if kind == "error":
            assert decode(server.sock.recv(100)) == Error(0, "Error on purpose")
        assert server.is_silent(server.sock)


def test_a_request_that_is_late_leaves_after_the_call_was_refused() -> None:
    with orders() as given, Puppet() as server:
        given.inject("duplicate", "RRQ", delay=0.1)
        given.get(server, PATIENT_CLIENT)
        request = server.take_request()
        server.send(Error(1, "no"))
        assert given.wait_for_end().outcome is Outcome.refused
        assert server.take_request() == request


def test_a_request_that_is_late_goes_to_the_port_that_was_asked_though_a_transfer_runs() -> None:
    with orders() as given, Puppet() as server:
        given.inject("duplicate", "RRQ", delay=0.1)
        given.get(server, PATIENT_CLIENT)
        request = server.take_request()
        server.send(Data(1, CONTENT[:512]))
        assert server.receive() == Ack(1)
        assert server.take_request() == request
        assert server.is_silent()


def test_nothing_late_is_left_when_the_engine_stops() -> None:
    """The rule for every test looks for its sockets."""
    with orders() as given, Puppet() as server:
        given.inject("duplicate", "RRQ", delay=60)
        given.get(server, PATIENT_CLIENT)
        server.take_request()
        server.send(Error(1, "no"))
        given.wait_for_end()
        given.inject("duplicate", "ACK", delay=60)
        given.get(server, PATIENT_CLIENT)
        server.take_request()
        server.send(Data(1, CONTENT[:512]))
        assert server.receive() == Ack(1)


# The answer


@pytest.mark.parametrize(
    ("kind", "how"),
    [("duplicate", {}), ("duplicate", {"delay": 0.02}), ("delay", {"delay": 0.02}), ("drop", {})],
)
@pytest.mark.parametrize("answer", [Data(1, CONTENT[:512]), Oack((("blksize", "512"),))])
def test_the_answer_to_a_request_is_lost_repeated_and_late(
    kind: str, how: dict[str, Any], answer: Data | Oack
) -> None:
    settings = EAGER.changed({"blksize": 600}) if isinstance(answer, Oack) else EAGER
    with orders() as given, Puppet() as server:
        fault = given.inject(kind, "answer", **how)
        given.get(server, settings)
        for _ in range(2 if kind == "drop" else 1):
            server.take_request()
            server.send(answer)
        block = 1 if isinstance(answer, Data) else 0
        assert server.receive() == Ack(block)
        server.send(Data(block + 1, b"end"))
        wait_until(lambda: server.receive() == Ack(block + 1))
        record = given.wait_for_end()
        assert record.outcome is Outcome.completed
        assert given.hits(fault) == 1
        assert given.content() == CONTENT[: 512 * block] + b"end"


def test_an_answer_passes_by_a_rule_once() -> None:
    """DATA 1 opens the transfer, and is its first block: that is one packet."""
    with orders() as given, Puppet() as server:
        fault = given.inject("drop", "DATA 1", after=1)
        given.get(server, PATIENT_CLIENT)
        server.take_request()
        server.send(Data(1, b"x"))
        assert server.receive() == Ack(1)
        assert given.hits(fault) == 0


def test_a_late_answer_of_another_port_is_not_taken_into_the_transfer() -> None:
    with orders() as given, Puppet() as server:
        given.inject("delay", "DATA 2", delay=0.3)
        given.get(server, PATIENT_CLIENT)
        server.take_request()
        server.send(Data(2, b"wrong"), server.open_tid())
        late = time.monotonic() + 0.4
        server.send(Data(1, CONTENT[:512]))
        assert server.receive() == Ack(1)
        wait_until(lambda: time.monotonic() > late)
        server.send(Data(2, b"end"))
        assert given.wait_for_end().outcome is Outcome.completed
        assert given.content() == CONTENT[:512] + b"end"


def test_what_is_late_as_the_server_answers_arrives_though_its_fault_was_cleared() -> None:
    with orders() as given, Puppet() as server:
        given.inject("duplicate", "RRQ", delay=0.2)
        given.get(server, PATIENT_CLIENT)
        request = server.take_request()
        given.engine.call(given.calls.plan.remove)
        server.send(Data(1, CONTENT[:512]))
        assert server.receive() == Ack(1)
        assert server.take_request() == request


# What comes


@pytest.mark.parametrize("kind", ["drop", "duplicate", "delay", "reorder"])
def test_what_comes_to_our_client_is_lost_repeated_and_late(kind: str) -> None:
    with client_receives() as stage:
        how = {"delay": 0.05} if kind in ("delay", "reorder") else {}
        fault = stage.inject(kind, "DATA 2", **how)
        stage.provoke()
        assert stage.receive() == Seen(Ack(1).encode())
        stage.send(Data(2, b"end"))
        if kind == "drop":
            assert stage.is_silent()
            stage.send(Data(2, b"end"))
        assert stage.receive() == Seen(Ack(2).encode())
        assert stage.hits(fault) == 1
        assert stage.look().outcome is Outcome.completed


def test_the_last_ack_is_repeated_when_the_first_is_dropped() -> None:
    with client_receives() as stage:
        stage.inject("drop", "ACK last")
        stage.provoke()
        assert stage.receive() == Seen(Ack(1).encode())
        stage.send(Data(2, b"end"))
        assert stage.is_silent()
        stage.send(Data(2, b"end"))
        assert stage.receive() == Seen(Ack(2).encode())


@pytest.mark.parametrize("staging", CLIENT_STAGES)
def test_after_the_port_vanished_the_system_refuses(staging: Staging) -> None:
    with staging() as stage:
        fault = stage.inject("vanish", stage.packet)
        stage.provoke()
        wait_until(lambda: not stage.look().is_running)
        assert stage.is_refused()
        assert stage.look().error_message == (
            f"closed the port at {stage.packet}, on purpose (fault {fault})"
        )


# Transfers that run


@pytest.mark.parametrize("staging", CLIENT_STAGES)
def test_a_fault_strikes_a_transfer_that_runs_already(staging: Staging) -> None:
    with staging() as stage:
        # One that concerns no file of the transfer: its caller has faults, its session no wire.
        stage.inject("drop", file="other")
        stage.provoke()
        right = stage.receive()
        fault = stage.inject("drop", "any", direction="sent")
        stage.send(Ack(2) if right.octets[1] == 3 else Data(2, CONTENT[512:1024]))
        assert stage.is_silent()
        assert stage.hits(fault) == 1
        assert [mark.fault for mark in stage.look().faults] == [fault]


@linux_only
def test_a_fault_strikes_a_download_whose_datagrams_are_merged_already() -> None:
    blocks = [Data(n, bytes((n,)) * 512) for n in range(1, 13)]
    settings = PATIENT_CLIENT.changed({"windowsize": 4})
    with orders() as given, Puppet() as server:
        given.inject("drop", file="other")
        given.get(server, settings)
        server.take_request()
        server.send(Oack((("windowsize", "4"),)))
        assert server.receive() == Ack(0)

        def send(first: int, last: int) -> None:
            """While the engine waits, so that one read takes them all."""
            for block in blocks[first - 1 : last]:
                server.send(block)

        for first in (1, 5):
            given.engine.call(partial(send, first, first + 3))
            assert server.receive() == Ack(first + 3)
        fault = given.inject("drop", "DATA 10")
        given.engine.call(partial(send, 9, 12))
        assert server.receive() == Ack(9)
        assert given.hits(fault) == 1
        given.engine.call(partial(send, 10, 12))
        server.send(Data(13, b"end"))
        while server.receive() != Ack(13):
            pass
        assert given.wait_for_end().outcome is Outcome.completed
        assert given.content() == b"".join(block.payload for block in blocks) + b"end"


# A client without faults


def test_a_client_without_faults_never_loads_the_wire() -> None:
    program = """
import sys
import time
from TftpLibrary import TftpClient, TftpServer
with TftpServer(content={"f": bytes(5000)}) as server, TftpClient(server.host, server.port) as one:
    one.get_bytes("f")
names = [name for name in sys.modules if name.startswith("TftpLibrary.")]
parts = ("faults", "wire", "miscalls", "misbehaviour", "injection", "late", "evidence", "foreign")
print([name for name in names if name.split(".", 1)[1].replace("engine.", "").startswith(parts)])
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds(30), check=True)
    assert done.stdout == "[]\n"
