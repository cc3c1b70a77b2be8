"""The faults of a server and of our client, as a test injects and asks for them."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest

from TftpLibrary.client import TftpClient
from TftpLibrary.engine.injection import ClientFaults
from TftpLibrary.errors import ExpectationError, TransferAborted, UsageError
from TftpLibrary.faults.files import Denial
from TftpLibrary.faults.kinds import FaultKind
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.packets import Packets
from TftpLibrary.faults.rules import Rule
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Ack, Data
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import Retransmission, ServerSettings
from utest.support.bench import SOON, linux_only
from utest.support.puppets import Puppet
from utest.support.waiting import seconds, wait_until

CONTENT = bytes(range(250)) * 10


def served(**settings: Any) -> TftpServer:
    return TftpServer(content={"f": CONTENT}, alias="dut", **settings)


def client_of(server: TftpServer, **settings: Any) -> TftpClient:
    return TftpClient(server.host, server.port, blksize=512, windowsize=1, **settings)


# A server


def test_a_fault_happens_and_is_asked_for() -> None:
    with served() as server, client_of(server) as board:
        lost = server.faults.inject("drop", "DATA 3", file="f")
        assert lost == "drop-1"
        assert board.get_bytes("f") == CONTENT
        found = server.faults.expect(lost, times=1, client="127.0.0.1")
        assert (found.hits, found.server, dict(found.clients)) == (1, "dut", {"127.0.0.1": 1})
        assert found.first_at is not None
        assert server.faults.expect_all() == [found]
        assert server.faults.has(lost)
        (mark,) = server.transfers()[-1].faults
        assert (mark.fault, mark.words, mark.times) == (lost, "dropped DATA 3", 1)


def test_a_fault_that_did_not_happen_fails_with_the_nearest_miss() -> None:
    with served() as server, client_of(server) as board:
        lost = server.faults.inject(FaultKind.drop, Packets("DATA", ((99, 99),)))
        by_chance = server.faults.inject("drop", "DATA", probability=0.0)
        board.get_bytes("f")
        with pytest.raises(ExpectationError, match="The file has no block 99"):
            server.faults.expect(lost)
        with pytest.raises(ExpectationError, match="Fault drop-1 did not happen") as caught:
            server.faults.expect_all()
        # What chance may spare need not happen.
        assert by_chance not in str(caught.value)


def test_a_server_that_does_not_run_yet_may_have_faults() -> None:
    server = served()
    lost = server.faults.inject("drop", "DATA 1")
    with server, client_of(server) as board:
        board.get_bytes("f")
        assert server.faults.expect(lost).hits == 1
    assert [fault.id for fault in server.faults.all()] == [lost]


def test_a_wait_ends_when_the_fault_has_happened_so_often() -> None:
    with served() as server, client_of(server) as board:
        fault = server.faults.inject("duplicate", "DATA", times=2)
        helper = threading.Thread(target=board.get_bytes, args=("f",))
        helper.start()
        found = server.faults.wait_until_happened(fault, seconds(SOON), times=2)
        helper.join()
        assert found.hits == 2
        # It looks back.
        assert server.faults.wait_until_happened(fault, 0.0, client="127.0.0.1") == found


def test_a_wait_that_fails_explains_the_miss() -> None:
    with served() as server:
        fault = server.faults.inject("drop", "DATA 3", file="zImage")
        with pytest.raises(ExpectationError, match="No request for it came in"):
            server.faults.wait_until_happened(fault, 0.01)


def test_cleared_faults_strike_no_more_and_are_reported() -> None:
    with served() as server, client_of(server) as board:
        first = server.faults.inject("drop", "DATA 1")
        second = server.faults.inject("drop", "DATA 2", name="second")
        server.faults.set_link(LinkQuality(delay=0.001))
        board.get_bytes("f")
        (report,) = server.faults.clear(second)
        assert (report.fault.id, report.fault.hits) == ("second", 1)
        assert [each.fault.id for each in server.faults.clear()] == [first]
        assert server.faults.all() == ()
        assert server.faults.set_link(LinkQuality()) == LinkQuality()
        board.get_bytes("f")
        assert server.transfers()[-1].fault_count == 0
        with pytest.raises(UsageError, match="There is no fault 'second'"):
            server.faults.clear(second)


def test_what_came_before_the_question_has_met_the_fault() -> None:
    """A board that has ended has sent its last ACK: it may still be in a socket of the server."""
    request = b"\0\1f\0octet\0"
    with served() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as board:
        server.faults.inject("drop", "RRQ", times=None)
        for round_ in range(1, 200):
            board.sendto(request, (server.host, server.port))
            assert server.faults.all()[0].hits == round_
        for _ in range(200):
            server.faults.clear()
            server.faults.inject("drop", "RRQ", times=None)
            board.sendto(request, (server.host, server.port))
            (cleared,) = server.faults.clear()
            assert cleared.fault.hits == 1


def test_a_named_day_is_a_list_of_faults() -> None:
    with served() as server:
        assert server.faults.use("lost_block", "f") == ["drop-1", "drop-2"]
        assert server.faults.use("slow_link") == ["link"]
        assert server.faults.use("missing_then_there", "f", client="127.0.0.1") == ["deny-3"]
        texts = [fault.text for fault in server.faults.all()]
        assert texts[:2] == ["drop DATA 3 of 'f'", "drop DATA last of 'f'"]


def test_files_are_damaged_and_denied() -> None:
    with served() as server, client_of(server) as board:
        damage = server.faults.damage("f", "truncate", size=100, times=1)
        assert board.get_bytes("f") == CONTENT[:100]
        assert board.get_bytes("f") == CONTENT
        denial = server.faults.deny("f", code=1, times=1)
        with pytest.raises(Exception, match="File not found"):
            board.get_bytes("f")
        assert board.get_bytes("f") == CONTENT
        assert [fault.hits for fault in server.faults.expect_all()] == [1, 1]
        assert [fault.id for fault in server.faults.all()] == [damage, denial]


# Our client


def test_a_client_has_faults_of_its_own() -> None:
    with served() as server, client_of(server) as board:
        lost = board.faults.inject("drop", "ACK 2")
        assert board.get_bytes("f") == CONTENT
        found = board.faults.expect(lost)
        assert (found.hits, found.server, dict(found.clients)) == (1, "", {"": 1})
        (mark,) = board.recorder.transfers()[-1].faults
        assert mark.words == "dropped ACK 2"
        # The server had none, and sent its block again.
        record = server.transfers()[-1]
        assert (record.fault_count, record.retransmits) == (0, 1)


def test_clients_in_turn_may_share_their_faults() -> None:
    recorder = Recorder()
    faults = ClientFaults(recorder)
    again = faults.inject("duplicate", "ACK 1", times=2)
    with served(recorder=recorder) as server:
        for expected in (1, 2, 2):
            with client_of(server, faults=faults) as board:
                assert board.recorder is recorder
                assert board.get_bytes("f") == CONTENT
                assert board.faults is faults
            assert faults.expect(again).hits == expected


def test_faults_are_first_used_while_a_transfer_runs() -> None:
    with served(timeout=60.0) as server, client_of(server, timeout=60.0) as board:
        server.faults.inject("stall", "DATA 2")
        failures: list[BaseException] = []

        def get() -> None:
            try:
                board.get_bytes("f")
            except TransferAborted as error:
                failures.append(error)

        helper = threading.Thread(target=get)
        helper.start()
        wait_until(lambda: board.recorder.transfers() and server.faults.all()[0].hits)
        gone = board.faults.inject("vanish", "DATA")
        server.faults.clear()
        helper.join(seconds(SOON))
        assert str(failures[0]).endswith(f"closed the port at DATA 2, on purpose (fault {gone}).")


def test_a_miss_of_a_client_shows_the_transfers_of_clients_only() -> None:
    recorder = Recorder()
    with served(recorder=recorder) as server, client_of(server, recorder=recorder) as board:
        lost = board.faults.inject("drop", "DATA 77")
        board.get_bytes("f")
        with pytest.raises(ExpectationError, match="1 transfer passed by it") as caught:
            board.faults.expect(lost)
        assert "from our client" in str(caught.value)


def test_what_is_late_leaves_after_the_client_was_closed() -> None:
    with Puppet() as server:
        board = TftpClient(server.host, server.port, blksize=512, windowsize=1, tsize=False)
        with board:
            board.faults.inject("duplicate", "ACK last", delay=0.2)
            helper = threading.Thread(target=board.get_bytes, args=("f",))
            helper.start()
            server.take_request()
            server.send(Data(1, b"x"))
            assert server.receive() == Ack(1)
            helper.join()
        assert server.receive() == Ack(1)


@pytest.mark.parametrize(
    ("inject", "message"),
    [
        (lambda faults: faults.deny("f"), "Only a server refuses or damages its files"),
        (lambda faults: faults.damage("f", "truncate"), "Only a server refuses or damages"),
        (lambda faults: faults.add(Denial("f")), "Only a server refuses or damages its files"),
        (lambda faults: faults.inject("ignore_options"), "ignore_options is a fault of servers"),
        (lambda faults: faults.inject("wrong_oack", padding=1), "wrong_oack is a fault of servers"),
        (lambda faults: faults.use("rfc1350_server"), "ignore_options is a fault of servers"),
        (lambda faults: faults.use("flipped_bit"), "Only a server refuses or damages its files"),
        (lambda faults: faults.inject("drop", client="192.0.2.1"), "does not go with role=client"),
        (
            lambda faults: faults.add(Rule(FaultKind.drop, client="192.0.2.1")),
            "does not go with role=client",
        ),
        (
            lambda faults: faults.set_link(LinkQuality(loss=0.1, client="192.0.2.1")),
            "does not go with role=client",
        ),
    ],
)
def test_a_client_takes_no_fault_that_only_a_server_can_have(inject, message: str) -> None:  # type: ignore[no-untyped-def]
    faults = ClientFaults(Recorder())
    with pytest.raises(UsageError, match=message):
        inject(faults)
    assert faults.all() == ()


def test_a_client_has_named_days_and_a_link() -> None:
    faults = ClientFaults(Recorder())
    assert faults.use("lost_ack") == ["drop-1"]
    assert faults.use("slow_link") == ["link"]
    assert faults.set_link(LinkQuality()).rate == 100_000


# The same again


BOARD = '''
"""A board on a plain socket: answers each block, and leaves every retry to the server."""
import hashlib, socket, sys
host, port = sys.argv[1], int(sys.argv[2])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((host, 0))
sock.settimeout(60)
print("ready", flush=True)
sys.stdin.readline()
sock.sendto(b"\\0\\1f\\0octet\\0", ("127.0.0.1", port))
content, last = b"", False
while not last:
    octets, server = sock.recvfrom(1000)
    block = int.from_bytes(octets[2:4], "big")
    if block == len(content) // 512 + 1:
        content += octets[4:]
        last = len(octets) < 516
    sock.sendto(b"\\0\\4" + octets[2:4], server)
print(hashlib.sha256(content).hexdigest(), flush=True)
# The last ACK may be dropped.
while sys.stdin.readline():
    sock.settimeout(0.01)
    try:
        sock.sendto(b"\\0\\4" + sock.recv(4)[2:4], server)
    except TimeoutError:
        pass
'''
DAY = (("drop", "DATA", 7), ("drop", "ACK", 7), ("duplicate", "DATA", 7))
LONG = bytes(range(251)) * 60


@linux_only
def test_five_boards_at_once_meet_the_same_day_three_times_once_beside_a_busy_program() -> None:
    first = _meet_the_day()
    assert len(first) == 5
    assert len(first[0]) > 3
    assert {words.split()[0] for words, _ in first[0]} == {"dropped", "duplicated"}
    again = _meet_the_day()
    busy = subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"])
    try:
        beside = _meet_the_day()
    finally:
        busy.kill()
        busy.wait()
    assert {*first, *again, *beside} == {first[0]}


def _meet_the_day() -> list[tuple[tuple[str, int], ...]]:
    """Five boards load a file at once. Returns what happened to each: in words, and how often."""
    settings = ServerSettings(timeout=seconds(0.5), retransmission=Retransmission.fixed, retries=20)
    with TftpServer(settings=settings, content={"f": LONG}, alias="dut") as server:
        for kind, packet, seed in DAY:
            server.faults.inject(kind, packet, probability=0.1, seed=seed)
        boards = [_board(f"127.0.0.{number}", server.port) for number in range(2, 7)]
        try:
            for board in boards:
                assert board.stdout is not None
                assert board.stdout.readline() == "ready\n"
            for board in boards:
                _nudge(board)
            digests = {board.stdout.readline().strip() for board in boards if board.stdout}
            assert digests == {hashlib.sha256(LONG).hexdigest()}

            def are_ended() -> bool:
                for board in boards:
                    _nudge(board)
                return not any(each.is_running for each in server.transfers())

            wait_until(are_ended, 20.0)
        finally:
            for board in boards:
                board.kill()
                board.communicate()
        assert {each.outcome for each in server.transfers()} == {Outcome.completed}
        return [
            tuple((mark.words, mark.times) for mark in each.faults) for each in server.transfers()
        ]


def _board(host: str, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-S", "-c", BOARD, host, str(port)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def _nudge(board: subprocess.Popen[str]) -> None:
    assert board.stdin is not None
    board.stdin.write("\n")
    board.stdin.flush()
