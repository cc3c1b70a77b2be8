"""The engine that all servers and clients of a process share: from its first user on."""

from __future__ import annotations

from typing import cast

from TftpLibrary.engine import shared as module
from TftpLibrary.engine.contracts import Live
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.shared import SHARED_ENGINE, SharedEngine
from TftpLibrary.errors import UsageError
from utest.support.waiting import wait_until


def is_running(engine: Engine) -> bool:
    """Whether an engine takes commands."""
    try:
        return engine.call(lambda: True)
    except UsageError:
        return False


class Resting:
    """A session that only repeats its last ACK."""

    armed = float("inf")
    deadline = None
    descriptors = ()
    is_stopped = False

    def stop(self) -> None:
        self.is_stopped = True


def rest(engine: Engine) -> Resting:
    """Adds such a session."""
    session = Resting()
    live = cast("Live", session)

    def add() -> None:
        engine.add(live)
        engine.rest(live)

    engine.call(add)
    return session


def test_the_shared_engine_runs_from_the_first_user_to_the_last() -> None:
    shared = SharedEngine()
    first, second = shared.acquire(), shared.acquire()
    assert first is second
    lives = [is_running(first)]
    for _ in range(2):
        shared.release()
        lives.append(is_running(first))
    assert lives == [True, True, False]
    third = shared.acquire()
    assert third is not first
    shared.release()


def test_it_stays_for_a_session_that_repeats_its_last_ack_and_is_taken_again() -> None:
    shared = SharedEngine()
    engine = shared.acquire()
    rest(engine)
    shared.release()
    assert not is_running(engine)
    assert shared.acquire() is engine
    assert is_running(engine)
    shared.release()
    shared.end_lingering()


def test_the_end_of_the_process_ends_what_stays() -> None:
    shared = SharedEngine()
    engine = shared.acquire()
    session = rest(engine)
    shared.release()
    for _ in range(2):
        shared.end_lingering()
    assert session.is_stopped
    assert shared.acquire() is not engine
    shared.release()


def test_one_that_has_stopped_meanwhile_is_not_taken_again() -> None:
    shared = SharedEngine()
    engine = shared.acquire()
    rest(engine)
    shared.release()
    engine.stop()
    other = shared.acquire()
    wait_until(lambda: is_running(other))
    assert other is not engine
    shared.release()


def test_a_process_has_one_shared_engine() -> None:
    assert isinstance(SHARED_ENGINE, SharedEngine)
    assert module.SHARED_ENGINE is SHARED_ENGINE
