"""Late datagrams without a transfer, on an engine of their own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from time import monotonic

import pytest

from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.late import Late
from TftpLibrary.faults.deliveries import Delivery
from TftpLibrary.faults.passage import Passage
from TftpLibrary.faults.plan import Plan
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.faults.tracking import Track
from TftpLibrary.protocol.packets import Ack
from utest.support.waiting import seconds, wait_until

HOUR = 3600.0


class Wait:
    """Late datagrams, and what became of them."""

    def __init__(self, engine: Engine, *delays: float, until: float = float("inf")) -> None:
        plan = Plan()
        for delay in delays:
            plan.add(make_rule("duplicate", "ACK", delay=delay, times=None), 0.0)
        self.engine = engine
        self.passage = Passage(plan, Track("f", "192.0.2.1"))
        self.arrived: list[bytes] = []
        self.ends = 0
        self.read = 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.late = Late(
            self.passage,
            engine,
            self._deliver,
            self._end,
            until=until,
            descriptors=lambda owner: ((self.sock.fileno(), owner),),
            read=self._read,
        )

    def send(self, block: int = 1) -> None:
        """An ACK passes by: its copies are late."""
        self.engine.call(lambda: self.passage.carry(Ack(block).encode(), monotonic(), is_sent=True))

    def begin(self) -> None:
        self.engine.call(self.late.begin)

    def _deliver(self, is_sent: bool, delivery: Delivery, now: float) -> None:
        assert is_sent
        assert now > 0
        self.arrived.append(delivery.octets)

    def _read(self) -> None:
        self.sock.recv(100)
        self.read += 1

    def _end(self) -> None:
        self.ends += 1
        self.sock.close()


@pytest.fixture
def engine() -> Iterator[Engine]:
    found = Engine()
    found.start()
    yield found
    found.stop()


def test_each_is_delivered_in_its_time_and_the_last_one_ends_it(engine: Engine) -> None:
    wait = Wait(engine, seconds(0.02), seconds(0.02))
    wait.send()
    wait.begin()
    wait_until(lambda: wait.ends)
    assert wait.arrived == [Ack(1).encode()] * 3
    assert wait.ends == 1


def test_one_more_may_be_late(engine: Engine) -> None:
    wait = Wait(engine, seconds(0.05))
    wait.send(1)
    wait.begin()
    wait.send(2)
    engine.call(wait.late.arm)
    wait_until(lambda: wait.ends)
    assert wait.arrived == [Ack(1).encode(), Ack(2).encode()]


def test_after_its_time_what_is_late_is_dropped(engine: Engine) -> None:
    wait = Wait(engine, HOUR, until=monotonic() + 0.02)
    wait.send()
    wait.begin()
    wait_until(lambda: wait.ends)
    assert wait.arrived == []
    assert wait.passage.deadline is None


def test_it_ends_with_its_engine() -> None:
    engine = Engine()
    engine.start()
    wait = Wait(engine, HOUR)
    wait.send()
    wait.begin()
    engine.stop()
    assert (wait.ends, wait.arrived) == (1, [])


def test_an_engine_that_nobody_uses_waits_for_it() -> None:
    engine = Engine()
    engine.start()
    wait = Wait(engine, seconds(0.1))
    wait.send()
    wait.begin()
    assert engine.linger()
    wait_until(lambda: wait.ends)
    engine.stop()
    assert wait.arrived == [Ack(1).encode()]


def test_it_is_left_to_somebody_else(engine: Engine) -> None:
    wait = Wait(engine, HOUR)
    wait.send()
    wait.begin()
    engine.call(wait.late.leave)
    engine.call(lambda: wait.late.handle_timeout(monotonic()))
    engine.call(wait.late.stop)
    assert wait.ends == 0
    assert wait.passage.deadline is not None
    wait.sock.close()


def test_what_comes_meanwhile_is_read(engine: Engine) -> None:
    wait = Wait(engine, HOUR)
    wait.send()
    wait.begin()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.sendto(b"x", wait.sock.getsockname())
        wait_until(lambda: wait.read)
    engine.call(lambda: wait.late.fail(ValueError("of a test")))
    assert wait.ends == 1


def test_a_lone_transfer_is_not_beside_it(engine: Engine) -> None:
    """It rests: none of the ways of a transfer that moves a file are its own."""
    wait = Wait(engine, HOUR)
    wait.send()
    wait.begin()
    late = wait.late
    engine.call(late.settle)
    engine.call(late.run_alone)
    engine.call(late.handle_writable)
    engine.call(lambda: late.sample(0.0))
    engine.report_progress()
    engine.call(late.stop)
    assert wait.ends == 1
