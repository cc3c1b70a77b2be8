"""The life of a session: how it begins and ends, its record, and the time that it may take."""

from __future__ import annotations

import gc
import random
import time
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from functools import partial

import pytest

from TftpLibrary.engine.channel import TidChannel
from TftpLibrary.engine.session import Session
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Ack, Data, Direction, Error, Oack
from TftpLibrary.protocol.receiver import Receiver
from TftpLibrary.protocol.sender import Sender
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.store.memory import MemorySource, MemoryStore
from utest.support.bench import QUICK, SOON, bench
from utest.support.faulty import make_faulty
from utest.support.waiting import seconds, wait_until

CONTENT = random.Random(5).randbytes(200_000)


def test_a_record_tells_the_whole_life_of_a_transfer() -> None:
    before = datetime.now(timezone.utc)
    with bench({"f": CONTENT}) as found:
        found.read(tsize=0, blksize=1000, windowsize=4)
        record = found.wait_for_end()
        assert record.id == 1
        assert record.server == "dut"
        assert record.direction is Direction.read
        assert (record.filename, record.mode) == ("f", "octet")
        assert record.client == "127.0.0.1"
        assert dict(record.granted) == {"tsize": "200000", "blksize": "1000", "windowsize": "4"}
        assert (record.size, record.octets, record.blocks) == (200_000, 200_000, 201)
        assert record.outcome is Outcome.completed
        assert (record.error_code, record.error_message, record.traceback) == (None, "", "")
        assert record.ended is not None
        assert before <= record.started <= record.ended
        assert 0 < record.duration < seconds(5)
        assert record.ended - record.started < timedelta(seconds=seconds(5))
        assert record.rate == record.octets / record.duration


def test_the_record_of_a_running_transfer_is_brought_up_to_date() -> None:
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        peer.send(Ack(1))
        peer.receive()
        peer.send(Ack(2))
        peer.receive()
        running = wait_until(lambda: [each for each in found.transfers if each.blocks == 2])[0]
        assert running.is_running
        assert (running.octets, running.size) == (1024, len(CONTENT))
        later = wait_until(
            lambda: [each for each in found.transfers if each.duration > running.duration]
        )[0]
        assert later.idle > running.idle
        peer.send(Error(0, "enough"))
        assert found.wait_for_end().idle == 0.0


def test_the_records_of_all_engines_that_share_a_recorder_are_brought_up_to_date() -> None:
    recorder = Recorder()
    with ExitStack() as stack:
        for _ in range(2):
            found = stack.enter_context(bench({"f": CONTENT}, recorder))
            peer = stack.enter_context(found.peer())
            peer.ask()
            peer.receive()
            peer.send(Ack(1))
            peer.receive()
        assert [each.blocks for each in recorder.transfers()] == [1, 1]


def test_the_record_of_an_upload_is_brought_up_to_date() -> None:
    with bench(writable=True) as found, found.peer() as peer:
        peer.offer(tsize=2000)
        peer.receive()
        peer.send(Data(1, bytes(512)))
        peer.receive()
        running = wait_until(lambda: [each for each in found.transfers if each.blocks == 1])[0]
        assert (running.octets, running.size) == (512, 2000)


def test_a_session_tells_where_it_stands() -> None:
    with bench({"f": CONTENT}, **QUICK) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        session = found.only_session()
        assert session.is_half_open
        assert session.entry.end is None
        peer.send(Ack(1))
        wait_until(lambda: not session.is_half_open)
        wait_until(lambda: session.is_silent)
        peer.send(Error(0, "enough"))
        wait_until(lambda: session.entry.end is not None)
        assert not session.channel.is_open


# Catching up


def test_a_session_can_take_what_has_come_before_its_turn() -> None:
    with bench({"f": b"tiny"}, timeout=60.0) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        session = found.only_session()

        def send_and_catch_up() -> bool:
            session.catch_up()
            peer.send(Ack(1))
            session.catch_up()
            session.catch_up()
            return not session.channel.is_open

        assert found.engine.call(send_and_catch_up)
        assert found.wait_for_end().outcome is Outcome.completed


def test_an_exception_while_catching_up_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("surprise")

    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        session = found.only_session()
        monkeypatch.setattr(session, "ready", fail)
        found.engine.call(session.catch_up)
        assert "RuntimeError: surprise" in found.wait_for_end().traceback


def test_in_single_port_mode_there_is_nothing_to_catch_up_with() -> None:
    with bench({"f": CONTENT}, single_port=True) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        session = found.only_session()
        assert session.descriptors == ()
        found.engine.call(session.catch_up)
        assert session.channel.is_open


# Its time


def test_a_transfer_may_not_take_for_ever_even_if_it_never_rests() -> None:
    """A peer that acknowledges a block now and then holds a place."""
    limit = seconds(0.3)
    with bench({"f": CONTENT}, max_duration=limit, timeout=60.0) as found, found.peer() as peer:
        begun = time.monotonic()
        peer.ask(blksize=8)
        packet = peer.receive()
        assert isinstance(packet, Oack)
        block = 0
        while not isinstance(packet, Error):
            assert time.monotonic() - begun < 100 * limit
            peer.send(Ack(block % 65536))
            packet = peer.receive()
            block += 1
        assert packet == Error(0, f"Transfer took over {limit:g} s")
        record = found.wait_for_end()
        assert record.outcome is Outcome.failed
        assert limit <= record.duration < 10 * limit
        assert record.blocks >= block - 2


def test_a_transfer_whose_peer_is_silent_ends_after_its_time_too() -> None:
    limit = seconds(0.1)
    with bench(writable=True, max_duration=limit, timeout=60.0) as found, found.peer() as peer:
        peer.offer()
        assert peer.receive() == Ack(0)
        assert peer.receive() == Error(0, f"Transfer took over {limit:g} s")
        assert found.wait_for_end().duration >= limit


def test_what_only_repeats_its_last_ack_ends_quietly_after_its_time() -> None:
    with bench(writable=True, max_duration=seconds(0.1), timeout=60.0) as found:
        found.write(b"done", linger=seconds(0.2))
        found.wait_until_empty()
        assert found.wait_for_end().outcome is Outcome.completed


# Its end


def test_stop_sends_an_error_and_returns_the_record() -> None:
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        session = found.only_session()
        record = found.engine.call(lambda: session.stop("Lunch break"))
        assert record is not None
        assert peer.receive() == Error(0, "Lunch break")
        assert (record.outcome, record.error_message) == (Outcome.aborted, "Lunch break")
        assert found.transfers == (record,)
        # It is over, and stays so.
        assert found.engine.call(session.stop) is None
        found.engine.call(session.close)
        found.engine.call(lambda: session.lose("too late"))
        found.engine.call(lambda: session.handle_timeout(time.monotonic()))
        found.engine.call(lambda: session.report(time.monotonic()))
        assert found.transfers == (record,)
        assert peer.is_silent()


def test_stopping_what_only_repeats_its_last_ack_cuts_nothing_short() -> None:
    with bench(writable=True) as found:
        found.write(b"done")
        session = found.only_session()
        assert session.entry.end is not None
        assert found.engine.call(session.stop) is None
        assert found.wait_for_end().outcome is Outcome.completed


def test_a_session_that_is_lost_ends_without_a_packet() -> None:
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        session = found.only_session()
        found.engine.call(lambda: session.lose("the cable is gone"))
        record = found.wait_for_end()
        assert (record.outcome, record.error_code) == (Outcome.failed, None)
        assert record.error_message == "the cable is gone"
        assert peer.is_silent()


def test_an_exception_of_our_own_is_recorded_once_and_told_the_peer_in_two_words() -> None:
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        session = found.only_session()
        for error in (RuntimeError("first"), RuntimeError("second")):
            found.engine.call(partial(session.fail, error))
        assert peer.receive() == Error(0, "Internal error")
        record = found.wait_for_end()
        assert (record.outcome, record.error_code) == (Outcome.failed, 0)
        assert record.error_message == "internal error: RuntimeError('first'), please report it"
        assert "RuntimeError: first" in record.traceback
        assert not session.channel.is_open


def test_an_exception_in_the_last_packet_of_a_failure_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = make_faulty(monkeypatch)
    with bench({"f": CONTENT}) as found, found.peer() as peer:
        peer.ask()
        peer.receive()
        session = found.only_session()
        made[0].fault = lambda _: RuntimeError("again")
        with pytest.raises(RuntimeError, match="again"):
            found.engine.call(lambda: session.fail(RuntimeError("first")))
        assert not session.channel.is_open
        assert made[0].fileno() == -1
        assert found.wait_for_end().error_message.startswith("internal error: RuntimeError('first'")


class Stubborn(MemoryStore):
    """Its sources cannot be closed."""

    def open_read(self, name: bytes, client: str) -> MemorySource:
        source = super().open_read(name, client)

        class Source:
            size, identity, read_into = source.size, source.identity, source.read_into

            def close(self) -> None:
                raise RuntimeError("stuck")

        return Source() if name == b"bad" else source  # type: ignore[return-value]


def test_a_file_that_cannot_be_closed_disturbs_no_other_transfer() -> None:
    with bench(Stubborn({"bad": CONTENT, "good": CONTENT})) as found:
        assert found.read("bad").content == CONTENT
        assert found.wait_for_end().outcome is Outcome.completed
        found.wait_until_empty()
        assert found.read("good").content == CONTENT


def test_a_file_that_cannot_be_closed_does_not_keep_the_server_from_stopping() -> None:
    with (
        bench(Stubborn({"bad": CONTENT, "good": CONTENT})) as found,
        found.peer() as bad,
        found.peer() as good,
    ):
        for peer, name in ((bad, "bad"), (good, "good")):
            peer.ask(name)
            peer.receive()
        assert len(found.close()) == 2
        for peer in (bad, good):
            assert peer.receive() == Error(0, "The server was stopped")
        assert found.listener.sock.fileno() == -1


@pytest.mark.parametrize(
    "how", [{}, {"windowsize": 8}, {"mode": "netascii"}, {"timeout": 255}], ids=str
)
def test_what_has_ended_is_freed_at_once(how: dict[str, object]) -> None:
    """A client may name a timeout of 255 s, and end many transfers meanwhile.

    Nothing refers to itself: what waits for the garbage collector costs each small file 5 %.
    """
    kinds = (Session, TidChannel, Sender, Receiver)

    def left() -> list[object]:
        return [each for each in gc.get_objects() if isinstance(each, kinds)]

    gc.collect()
    gc.disable()
    try:
        with bench({"f": CONTENT}, writable=True) as found:
            for number in range(5):
                found.read(**how)
                found.write(CONTENT, f"g{number}", **how)
            found.wait_for_ends(10)
            found.close()
            wait_until(lambda: not left(), SOON)
    finally:
        gc.enable()


def test_a_network_that_takes_nothing_is_the_same_as_a_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A packet that could not leave is repeated by its deadline."""
    made = make_faulty(monkeypatch)
    with bench(writable=True, **QUICK) as found, found.peer() as peer:
        peer.offer()
        assert peer.receive() == Ack(0)
        made[0].fault = lambda _: PermissionError()
        peer.send(Data(1, bytes(512)))
        wait_until(lambda: found.transfers[0].retransmits >= 2)
        made[0].fault = None
        assert peer.receive() == Ack(1)


@pytest.mark.parametrize("direction", Direction)
def test_a_turn_with_nothing_to_read_changes_nothing(direction: Direction) -> None:
    """A new socket gets one where it has the descriptor of one that was closed in that turn."""
    with bench({"f": CONTENT}, writable=True, overwrite=True) as found, found.peer() as peer:

        def turn() -> None:
            session = found.only_session()
            for handler in (found.listener.at, *(each for _, each in session.descriptors)):
                for _ in range(3):
                    handler.ready()
            session.handle_writable()

        is_read = direction is Direction.read
        (peer.ask if is_read else peer.offer)(blksize=1000, windowsize=2)
        assert isinstance(peer.receive(), Oack)
        for block in (0, 2):
            found.engine.call(turn)
            if is_read:
                peer.send(Ack(block))
                assert [peer.receive(), peer.receive()] == [
                    Data(number, CONTENT[1000 * (number - 1) :][:1000])
                    for number in (block + 1, block + 2)
                ]
            else:
                for number in (block + 1, block + 2):
                    found.engine.call(turn)
                    peer.send(Data(number, bytes(1000)))
                assert peer.receive() == Ack(block + 2)
        peer.send(Error(0, "enough"))
        record = found.wait_for_end()
        assert (record.retransmits, record.duplicates, record.traceback) == (0, 0, "")
        assert record.blocks == (2 if is_read else 4)
