"""The thread of all servers and clients: its life, its commands, and what it survives."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta, timezone

import pytest

from TftpLibrary.engine import engine as module
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.poller import Handler
from TftpLibrary.errors import TftpError, UsageError
from TftpLibrary.recording.records import Transfer
from utest.support.bench import bench
from utest.support.waiting import seconds, wait_until

NEVER = float("inf")


@pytest.fixture
def engine() -> Iterator[Engine]:
    found = Engine()
    found.start()
    yield found
    found.stop()


def is_running(engine: Engine) -> bool:
    """Whether an engine takes commands."""
    try:
        return engine.call(lambda: True)
    except UsageError:
        return False


class Listening:
    """A socket that counts what comes, and does what a test wants."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.setblocking(False)
        self.received: list[bytes] = []
        self.failures: list[BaseException] = []
        self.act: Callable[[], object] = lambda: None

    def close(self) -> None:
        self.sock.close()

    def tell(self, octets: bytes = b"x") -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(octets, self.sock.getsockname())

    def ready(self) -> None:
        with suppress(BlockingIOError):
            self.received.append(self.sock.recv(99))
        self.act()

    def fail(self, error: BaseException) -> None:
        self.failures.append(error)


class Session(Listening):
    """A session that tells what the engine asked of it."""

    def __init__(self, deadline: float | None = None) -> None:
        super().__init__()
        self.armed = NEVER
        self.deadline = deadline
        self.told: list[str] = []

    @property
    def descriptors(self) -> tuple[tuple[int, Handler], ...]:
        return ((self.sock.fileno(), self),)

    def handle_writable(self) -> None:
        self.told.append("writable")
        self.act()

    def handle_timeout(self, now: float) -> None:
        assert self.deadline is not None
        assert now >= self.deadline
        self.deadline = None
        self.told.append("timeout")
        self.act()

    def settle(self) -> None:
        self.told.append("settled")

    def run_alone(self) -> None:
        self.told.append("alone")

    def stop(self, reason: str = "") -> Transfer | None:  # noqa: ARG002 - as in Live
        self.told.append("stopped")
        self.act()
        return None

    def sample(self, now: float) -> None:  # noqa: ARG002 - as in Live
        self.told.append("sampled")

    def shift(self, seconds: float) -> None: ...

    def report(self, now: float) -> None:  # noqa: ARG002 - as in Live
        self.told.append("reported")


@pytest.fixture
def listening(engine: Engine) -> Iterator[Listening]:
    with closing(Listening()) as found:
        engine.call(lambda: engine.watch(found.sock.fileno(), found))
        yield found
        with suppress(UsageError):
            engine.call(lambda: engine.forget(found.sock.fileno()))


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with closing(Session()) as found:
        engine.call(lambda: engine.add(found))
        yield found
        with suppress(UsageError):
            engine.call(lambda: engine.remove(found))


# Its life


def test_an_engine_runs_from_start_to_stop() -> None:
    engine = Engine()
    assert not is_running(engine)
    engine.start()
    engine.start()
    assert is_running(engine)
    assert [thread.name for thread in threading.enumerate()].count("TftpLibrary") == 1
    engine.stop()
    engine.stop()
    assert not is_running(engine)
    with pytest.raises(UsageError, match="was stopped. Make a new one"):
        engine.start()


def test_an_engine_that_never_ran_can_be_stopped() -> None:
    engine = Engine()
    engine.stop()
    with pytest.raises(UsageError, match="was stopped. Make a new one"):
        engine.start()


def test_the_engine_cannot_stop_itself(engine: Engine) -> None:
    with pytest.raises(UsageError, match="cannot stop itself"):
        engine.call(engine.stop)
    assert is_running(engine)


def test_an_engine_that_hangs_says_where_instead_of_being_left_in_silence(
    session: Session, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_JOIN_TIMEOUT", 0.05)
    entered, may_go_on = threading.Event(), threading.Event()

    def hang_in_the_disk() -> None:
        entered.set()
        may_go_on.wait(seconds(5))

    session.act = hang_in_the_disk
    try:
        with pytest.raises(TftpError, match="did not stop within 0.05 s") as error:
            engine.stop()
        assert "in hang_in_the_disk" in str(error.value) or not entered.is_set()
    finally:
        may_go_on.set()
    wait_until(lambda: "TftpLibrary" not in [each.name for each in threading.enumerate()])
    engine.stop()


def test_what_is_left_is_stopped_with_the_engine(engine: Engine, session: Session) -> None:
    def fail() -> None:
        raise RuntimeError("not now")

    session.act = fail
    engine.stop()
    assert session.told[-1] == "stopped"
    assert str(session.failures[-1]) == "not now"


# Commands


def test_a_command_runs_on_the_thread_of_the_engine_and_returns(engine: Engine) -> None:
    assert engine.call(lambda: threading.current_thread().name) == "TftpLibrary"


def test_a_command_that_fails_fails_for_the_one_who_asked(engine: Engine) -> None:
    def fail() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        engine.call(fail)
    assert engine.call(lambda: 3) == 3


def test_a_command_on_the_own_thread_runs_at_once(engine: Engine) -> None:
    assert engine.call(lambda: engine.call(lambda: 3)) == 3


@pytest.mark.parametrize("was_started", [True, False])
def test_an_engine_that_does_not_run_takes_no_command(was_started: bool) -> None:
    engine = Engine()
    if was_started:
        engine.start()
        engine.stop()
    with pytest.raises(UsageError, match="The engine does not run. Start the server"):
        engine.call(lambda: 3)
    engine.report_progress()


def test_commands_of_many_threads_all_run(engine: Engine) -> None:
    done: list[int] = []
    threads = [
        threading.Thread(target=engine.call, args=(lambda number=number: done.append(number),))
        for number in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds(5))
    assert sorted(done) == list(range(50))


def test_a_command_runs_even_if_the_wake_up_socket_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A full one wakes as well as one with a single octet."""
    made: list[tuple[socket.socket, socket.socket]] = []
    pair = socket.socketpair

    def socketpair() -> tuple[socket.socket, socket.socket]:
        made.append(pair())
        return made[-1]

    monkeypatch.setattr(socket, "socketpair", socketpair)
    engine = Engine()
    engine.start()
    try:
        _, waker = made[0]
        entered, may_go_on = threading.Event(), threading.Event()

        def busy() -> None:
            entered.set()
            may_go_on.wait(seconds(5))

        blocked = threading.Thread(target=engine.call, args=(busy,))
        blocked.start()
        assert entered.wait(seconds(5))
        with suppress(BlockingIOError):
            while True:
                waker.send(bytes(4096))
        done: list[int] = []
        late = threading.Thread(target=engine.call, args=(lambda: done.append(1),))
        late.start()
        may_go_on.set()
        late.join(seconds(5))
        blocked.join(seconds(5))
        assert done == [1]
        assert engine.call(lambda: 3) == 3
    finally:
        engine.stop()


def test_a_command_that_nobody_can_run_any_more_fails_instead_of_waiting(
    engine: Engine, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the thread itself dies: whoever waits for it must not wait for ever."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    entered, may_go_on = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def die() -> None:
        entered.set()
        may_go_on.wait(seconds(5))
        raise SystemExit

    def ask() -> None:
        try:
            engine.call(lambda: 3)
        except UsageError as error:
            failures.append(error)

    listening.act = die
    listening.tell()
    assert entered.wait(seconds(5))
    asking = threading.Thread(target=ask)
    asking.start()
    # It is in the queue once it waits; the engine is busy until then.
    wait_until(lambda: "wait" in stack_of(asking))
    may_go_on.set()
    asking.join(seconds(5))
    assert str(failures[0]) == "The engine was stopped before it could run this command."
    assert not is_running(engine)


def stack_of(thread: threading.Thread) -> list[str]:
    """Returns the functions that a thread is in."""
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - the only way to look
    names = []
    while frame is not None:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names


# Sockets and sessions


def test_a_socket_is_watched_until_it_is_forgotten(engine: Engine, listening: Listening) -> None:
    listening.tell(b"one")
    wait_until(lambda: listening.received == [b"one"])
    engine.call(lambda: engine.forget(listening.sock.fileno()))
    listening.tell(b"two")
    engine.call(lambda: None)
    assert listening.received == [b"one"]


def test_an_exception_is_told_to_the_handler_and_the_engine_goes_on(
    engine: Engine, listening: Listening, session: Session
) -> None:
    def fail() -> None:
        raise RuntimeError("surprise")

    for handler in (listening, session):
        handler.act = fail
        handler.tell()
        wait_until(handler.failures.copy)
        assert str(handler.failures[0]) == "surprise"
    assert is_running(engine)


def test_a_handler_that_fails_to_fail_disturbs_nobody(
    engine: Engine, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("surprise")

    monkeypatch.setattr(listening, "fail", fail)
    listening.act = fail
    listening.tell()
    wait_until(lambda: listening.received)
    assert engine.call(lambda: 3) == 3


def test_a_deadline_is_kept(engine: Engine, session: Session) -> None:
    session.deadline = time.monotonic() + 0.02
    engine.call(lambda: engine.arm(session))
    wait_until(lambda: "timeout" in session.told)


def test_an_exception_at_a_deadline_ends_one_session(engine: Engine, session: Session) -> None:
    def fail() -> None:
        raise RuntimeError("late")

    session.act = fail
    session.deadline = time.monotonic()
    engine.call(lambda: engine.arm(session))
    wait_until(lambda: session.failures)
    assert engine.call(lambda: 3) == 3


def test_room_to_send_is_told_once(engine: Engine, session: Session) -> None:
    engine.call(lambda: engine.want_write(session))
    wait_until(lambda: "writable" in session.told)
    engine.call(lambda: None)
    assert session.told.count("writable") == 1


def test_a_session_that_was_removed_gets_no_deadline(engine: Engine, session: Session) -> None:
    session.deadline = time.monotonic() + 0.01

    def arm_and_remove() -> None:
        engine.arm(session)
        engine.remove(session)

    # In one turn: between two commands a busy machine might let the deadline pass.
    engine.call(arm_and_remove)
    other = Session(time.monotonic() + 0.02)
    with closing(other):
        engine.call(lambda: engine.add(other))
        engine.call(lambda: engine.arm(other))
        wait_until(lambda: "timeout" in other.told)
        engine.call(lambda: engine.remove(other))
    assert "timeout" not in session.told


def test_busy_sessions_are_sampled_and_resting_ones_are_not(
    engine: Engine, session: Session
) -> None:
    wait_until(lambda: "sampled" in session.told)
    engine.call(lambda: engine.rest(session))
    session.told.clear()
    with closing(Session()) as other:
        engine.call(lambda: engine.add(other))
        wait_until(lambda: other.told.count("sampled") >= 2)
        engine.call(lambda: engine.remove(other))
    assert "sampled" not in session.told


def test_a_session_that_rests_before_it_was_watched_hears_of_its_deadline(engine: Engine) -> None:
    """A small file may be safe within the turn of its request."""
    with closing(Session(time.monotonic())) as resting:

        def begin() -> None:
            engine.add(resting)
            engine.rest(resting)

        engine.call(begin)
        wait_until(lambda: "timeout" in resting.told)
        resting.tell()
        wait_until(lambda: resting.received)
        engine.call(lambda: engine.remove(resting))
        assert "alone" not in resting.told


def test_progress_is_reported_when_somebody_asks(engine: Engine, session: Session) -> None:
    engine.report_progress()
    assert session.told.count("reported") == 1


def test_whoever_asks_for_progress_finds_that_everything_that_came_before_was_taken(
    engine: Engine, listening: Listening
) -> None:
    """Also where the command is run in the turn in which it was given, without another poll."""

    def tell_and_ask() -> int:
        for _ in range(20):
            listening.tell()
        engine.report_progress()
        return len(listening.received)

    assert engine.call(tell_and_ask) == 20


def test_a_session_that_is_not_watched_yet_is_asked_too(engine: Engine) -> None:
    with closing(Session()) as fresh:

        def begin() -> int:
            engine.add(fresh)
            fresh.tell()
            engine.report_progress()
            return len(fresh.received)

        assert engine.call(begin) == 1
        engine.call(lambda: engine.remove(fresh))


def test_a_board_that_never_pauses_does_not_hold_up_whoever_asks(
    engine: Engine, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_CATCHING_UP", 0.0)
    listening.act = listening.tell
    listening.tell()
    engine.report_progress()
    listening.act = lambda: None


def test_a_lone_session_is_asked_to_wait_by_itself_only_while_something_comes(
    engine: Engine, session: Session
) -> None:
    session.tell()
    wait_until(lambda: session.received)
    engine.call(lambda: None)
    told = session.told.count("alone")
    assert told >= 1
    for _ in range(5):
        engine.call(lambda: None)
    assert session.told.count("alone") == told


def test_a_new_request_does_not_wait_for_a_lone_session() -> None:
    with bench({"f": bytes(512 * 10)}) as found, found.peer() as slow:
        slow.ask()
        slow.receive()
        begun = time.monotonic()
        for _ in range(10):
            found.read()
        # Each would wait for 0.6 s if the slow one were waited for in its socket.
        assert time.monotonic() - begun < seconds(4.0)


def test_the_time_of_day_is_that_of_this_machine(engine: Engine) -> None:
    now = engine.wall_clock()
    assert abs(now - datetime.now(timezone.utc)) < timedelta(seconds=5)
    assert now.utcoffset() == datetime.now().astimezone().utcoffset()


# One for all


def linger(engine: Engine, session: Session, *, recall: bool = False) -> None:
    """Lets an engine linger for a session that only repeats its last ACK.

    All in one turn, so that neither deadline can pass before the end of it.
    """

    def begin() -> None:
        if session.deadline is not None:
            engine.arm(session)
        engine.rest(session)
        assert engine.linger()
        assert not engine.linger()
        assert not recall or engine.recall()

    engine.call(begin)


def is_there(engine: Engine) -> bool:
    """Whether the thread of an engine lives."""
    return engine._thread is not None and engine._thread.is_alive()  # noqa: SLF001 - for nobody else


def test_an_engine_without_a_session_does_not_linger(engine: Engine) -> None:
    assert not engine.linger()
    assert is_running(engine)


def test_an_engine_lingers_until_its_sessions_are_over(engine: Engine, session: Session) -> None:
    session.act = lambda: engine.remove(session)
    session.deadline = time.monotonic() + seconds(0.05)
    linger(engine, session)
    assert not is_running(engine)
    wait_until(lambda: not is_there(engine))
    assert session.told[-1] == "timeout"
    assert not engine.recall()


def test_an_engine_lingers_for_a_moment_at_most(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, session: Session
) -> None:
    monkeypatch.setattr(module, "LONGEST_LINGER", seconds(0.05))
    linger(engine, session)
    wait_until(lambda: not is_there(engine))
    assert session.told[-1] == "stopped"


def test_an_engine_that_lingers_goes_on_when_it_is_recalled(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, session: Session
) -> None:
    monkeypatch.setattr(module, "LONGEST_LINGER", seconds(0.05))
    session.deadline = time.monotonic() + seconds(0.1)
    linger(engine, session, recall=True)
    wait_until(lambda: "timeout" in session.told)
    assert is_running(engine)
    assert "stopped" not in session.told
