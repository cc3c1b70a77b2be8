"""A server that is away on purpose, as boards on plain sockets see it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from TftpLibrary.engine import presence as module
from TftpLibrary.engine.listener import Listener
from TftpLibrary.errors import ExpectationError, UsageError
from TftpLibrary.faults.pauses import Pause
from TftpLibrary.messages.questions import Download
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Ack, Data, Error
from TftpLibrary.server import TftpServer
from utest.support.bench import PATIENT, SOON, Bench, Peer, bench, linux_only
from utest.support.waiting import seconds, wait_until

CONTENT = bytes(range(256)) * 8
FIRST, SECOND = Data(1, CONTENT[:512]), Data(2, CONTENT[512:1024])


@pytest.mark.parametrize("single_port", [False, True])
def test_a_silent_server_freezes_its_transfers_and_reads_afterwards_what_came(
    single_port: bool,
) -> None:
    with bench({"f": CONTENT}, single_port=single_port, **PATIENT) as found:
        with found.peer() as peer, found.peer() as late:
            peer.ask()
            assert peer.receive() == FIRST
            found.engine.call(lambda: found.listener.pause(Pause.silent))
            peer.send(Ack(1))
            late.ask()
            assert peer.is_silent()
            assert late.is_silent()
            found.engine.call(found.listener.resume)
            assert peer.receive() == SECOND
            assert late.receive() == FIRST
        assert all(record.outcome is None for record in found.transfers)


def test_no_time_passes_for_a_transfer_of_a_silent_server() -> None:
    with bench({"f": CONTENT}, timeout=seconds(0.1), retries=1) as found, found.peer() as peer:
        peer.ask()
        assert peer.receive() == FIRST
        found.engine.call(lambda: found.listener.pause(Pause.silent, seconds(0.4)))
        wait_until(lambda: found.engine.call(lambda: found.listener.paused) is None, SOON)
        peer.send(Ack(1))
        received = peer.receive()
        while received == FIRST:
            received = peer.receive()
        assert received == SECOND


def test_a_busy_server_refuses_requests_and_goes_on_with_its_transfers() -> None:
    with bench({"f": CONTENT}, **PATIENT) as found, found.peer() as peer, found.peer() as late:
        peer.ask()
        assert peer.receive() == FIRST
        found.engine.call(lambda: found.listener.pause(Pause.busy))
        late.ask()
        assert late.receive() == Error(0, "Server busy")
        peer.send(Ack(1))
        assert peer.receive() == SECOND
        refused = found.wait_for_end()
        assert refused.cause is Cause.on_purpose
        assert refused.error_message == "the server is busy on purpose"


@linux_only
def test_after_a_power_cut_nobody_knows_of_transfers_or_of_what_came() -> None:
    with bench({"f": CONTENT}, **PATIENT) as found, found.peer() as peer, found.peer() as late:
        peer.ask()
        assert peer.receive() == FIRST
        found.engine.call(lambda: found.listener.pause(Pause.power_cut))
        cut = found.wait_for_end()
        assert (cut.outcome, cut.error_message) == (Outcome.aborted, "power cut on purpose")
        peer.send(Ack(1))
        late.ask()
        # Nothing answers, ICMP neither.
        assert peer.is_silent()
        assert late.is_silent()
        found.engine.call(found.listener.resume)
        assert late.is_silent()
        assert len(found.transfers) == 1
        late.ask()
        assert late.receive() == FIRST


@linux_only
def test_a_crashed_server_has_closed_its_ports_and_comes_back_at_the_same_one() -> None:
    with bench({"f": CONTENT}, **PATIENT) as found, found.peer() as peer:
        peer.ask()
        assert peer.receive() == FIRST
        found.engine.call(lambda: found.listener.pause(Pause.crash))
        assert found.wait_for_end().error_message == "crash on purpose"
        for address in ((found.host, found.port), peer.server):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(seconds(SOON))
                sock.connect(address)
                sock.send(b"\0\4\0\1")
                with pytest.raises(ConnectionRefusedError):
                    sock.recv(1)
        found.engine.call(found.listener.resume)
        with found.peer() as again:
            again.ask()
            assert again.receive() == FIRST


@linux_only
def test_a_port_that_was_taken_meanwhile_is_told() -> None:
    with TftpServer(content={"f": CONTENT}) as server:
        address = server.host, server.port
        server.pause("crash")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
            thief.bind(address)
            with pytest.raises(UsageError, match="in use by another program"):
                server.resume()


def pause_after(found: Bench, mode: Pause, *sends: Callable[[], None]) -> None:
    """Pauses a server that has read some datagrams, and waits until nothing is late any more.

    All on the engine's thread, which reads nothing else meanwhile.
    """

    def run() -> None:
        for send in sends:
            send()
        for session in found.listener.sessions:
            session.catch_up()
        found.ready()
        assert found.faults.plan.late_octets
        found.listener.pause(mode)

    found.engine.call(run)
    wait_until(lambda: not found.engine.call(lambda: found.faults.plan.late_octets), SOON)


def test_a_silent_server_reads_afterwards_what_a_fault_made_late() -> None:
    with bench({"f": CONTENT}, **PATIENT) as found, found.peer() as peer, found.peer() as late:
        found.faults.inject("delay", "RRQ", delay=0.02, after=1)
        found.faults.inject("delay", "ACK 1", delay=0.02)
        peer.ask()
        assert peer.receive() == FIRST
        pause_after(found, Pause.silent, lambda: peer.send(Ack(1)), late.ask)
        assert peer.is_silent()
        assert late.is_silent()
        found.engine.call(found.listener.resume)
        assert peer.receive() == SECOND
        assert late.receive() == FIRST


@pytest.mark.parametrize("mode", [Pause.power_cut, Pause.crash])
def test_a_server_without_power_never_reads_what_a_fault_made_late(mode: Pause) -> None:
    with bench({"f": CONTENT}, **PATIENT) as found, found.peer() as late:
        found.faults.inject("delay", "RRQ", delay=0.02)
        pause_after(found, mode, late.ask)
        found.engine.call(found.listener.resume)
        assert late.is_silent()
        assert not found.transfers


def test_late_requests_of_a_silent_server_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 1)
    with bench({"f": CONTENT}, **PATIENT) as found, found.peer() as first, found.peer() as second:
        found.faults.inject("delay", "RRQ", delay=0.02, times=None)
        pause_after(found, Pause.silent, first.ask, second.ask)
        found.engine.call(found.listener.resume)
        assert first.receive() == FIRST
        assert second.is_silent()


@pytest.mark.parametrize("mode", Pause)
def test_a_paused_server_stops_at_once_and_sends_no_error(mode: Pause) -> None:
    with bench({"f": CONTENT}, **PATIENT) as found, found.peer() as peer:
        peer.ask()
        assert peer.receive() == FIRST
        found.engine.call(lambda: found.listener.pause(mode))
        found.close()
        if mode is Pause.busy:
            assert peer.receive() == Error(0, "The server was stopped")
        else:
            assert peer.is_silent()


@pytest.mark.parametrize("mode", Pause)
def test_a_pause_ends_by_itself_on_the_same_port(mode: Pause) -> None:
    with TftpServer(content={"f": CONTENT}) as server:
        port = server.port
        server.pause(mode, duration=seconds(0.02))
        wait_until(lambda: server.paused is None, SOON)
        assert server.port == port
        with Peer((server.host, port)) as peer:
            peer.ask()
            assert peer.receive() == FIRST


def test_a_pause_replaces_another_and_to_clear_all_faults_ends_it() -> None:
    with TftpServer(content={"f": CONTENT}) as server:
        server.pause("silent")
        server.pause("busy")
        assert server.paused is Pause.busy
        server.faults.clear()
        assert server.paused is None
        server.resume()


def test_a_wait_in_vain_says_that_the_server_is_paused() -> None:
    with TftpServer(content={"f": CONTENT}) as server:
        server.pause("silent")
        with pytest.raises(ExpectationError, match=r"\(paused: silent on purpose\)"):
            server.wait_until(Download("f"), timeout=0)


def test_a_server_that_does_not_run_cannot_be_paused() -> None:
    server = TftpServer()
    assert server.paused is None
    for action in (server.pause, server.resume):
        with pytest.raises(UsageError, match="The server does not run"):
            action()


def test_a_pause_that_cannot_be_is_refused() -> None:
    with TftpServer() as server:
        with pytest.raises(UsageError, match="duration must be 0 seconds or more, got -1"):
            server.pause(duration=-1)
        with pytest.raises(UsageError, match="mode must be silent, busy"):
            server.pause("off")
        assert server.paused is None


def test_a_capture_goes_on_after_a_crash(tmp_path: Path) -> None:
    with TftpServer(content={"f": CONTENT}) as server:
        server.start_capture(tmp_path / "all.pcapng")
        server.pause("crash")
        server.resume()
        with Peer((server.host, server.port)) as peer:
            peer.ask()
            assert peer.receive() == FIRST
        assert server.stop_capture().packets >= 2


def test_a_server_counts_as_away_until_its_port_is_open_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A board that is sent off as soon as the server is back would find a closed port."""
    rebind, seen = Listener.rebind, []

    def look_and_rebind(listener: Listener) -> None:
        seen.append(listener.paused)
        rebind(listener)

    monkeypatch.setattr(Listener, "rebind", look_and_rebind)
    with TftpServer() as server:
        server.pause("crash")
        server.resume()
        assert server.paused is None
    assert seen == [Pause.crash]
