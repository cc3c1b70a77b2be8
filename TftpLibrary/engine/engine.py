"""One thread for all servers and clients of a process: its life, its commands and its loop.

Other threads hand over commands through one queue and one wake-up socket, and get records back
through the recorder. There is no third way across.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from functools import partial
from math import inf
from time import monotonic
from typing import TypeVar, cast

from TftpLibrary.engine.channel import RefusedRoutes
from TftpLibrary.engine.chunks import FrameCache
from TftpLibrary.engine.commands import Command, WakeUp
from TftpLibrary.engine.contracts import Alarm, Live
from TftpLibrary.engine.deadlines import Deadlines
from TftpLibrary.engine.poller import WRITABLE, Handler, Poller
from TftpLibrary.engine.ports import Ports
from TftpLibrary.engine.roster import BUSY, FRESH, RESTING, Roster
from TftpLibrary.errors import TftpError, UsageError
from TftpLibrary.recording.entry import SAMPLE_INTERVAL

T = TypeVar("T")

_JOIN_TIMEOUT = 5.0
_LONGEST_CATCHING_UP = 0.05
"""Seconds; boards that are served without a pause always have something in their sockets."""
LONGEST_LINGER = 7.0
"""Seconds that an engine that nobody uses stays at most, to repeat the last ACKs of a client."""
_CROWD = 50
"""The time between two samples grows by one interval with each such number of sessions."""


_WATCHED = (BUSY, RESTING)


class Life(Enum):
    """Where an engine stands in its life."""

    new = "new"
    running = "running"
    lingering = "lingering"
    stopping = "stopping"
    stopped = "stopped"


_ALIVE = (Life.running, Life.lingering)


class Engine:
    """Runs listeners and sessions on one thread.

    `start` and `stop` may be called from any thread but the engine's own, and are idempotent. A
    stopped engine does not start again. Listeners and sessions are closed by those who added them;
    `stop` closes the rest.
    """

    def __init__(self) -> None:
        self.refused_routes: RefusedRoutes = set()
        self.frames = FrameCache()
        self.ports = Ports(self)
        # Looking the zone up takes longer than reading the clock.
        self._zone = datetime.now().astimezone().tzinfo
        self._life = Life.new
        self._lock = threading.Lock()
        self._commands: deque[Command[object]] = deque()
        self._thread: threading.Thread | None = None
        self._deadlines = Deadlines()
        self._roster = Roster()
        self._latest: Handler | None = None
        self._frozen: dict[Live, float] = {}
        self._leaving = _Leaving()
        self._next_sample = 0.0

    # From any thread -----------------------------------------------------------------------

    def start(self) -> None:
        """Starts the thread. Idempotent.

        Raises:
            UsageError: the engine was stopped.
        """
        with self._lock:
            if self._life is Life.running:
                return
            if self._life is not Life.new:
                raise UsageError("The engine was stopped. Make a new one to start again.")
            self._poller = Poller()
            self._wake, self._waker = socket.socketpair()
            self._wake.setblocking(False)
            self._waker.setblocking(False)
            self._poller.add(self._wake.fileno(), WakeUp(self._wake))
            self._life = Life.running
            self._thread = threading.Thread(target=self._run, name="TftpLibrary", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends the thread and every session that is left. Idempotent, and bounded in time.

        Raises:
            UsageError: it was called on the engine's own thread.
            TftpError: the thread did not end in time; the text says where it hangs.
        """
        if threading.current_thread() is self._thread:
            raise UsageError("The engine cannot stop itself. Stop it from another thread.")
        with self._lock:
            if self._life is Life.new:
                self._life = Life.stopped
            if self._life in _ALIVE:
                self._life = Life.stopping
                self._wake_up()
        if self._thread is not None:
            self._thread.join(_JOIN_TIMEOUT)
            if self._thread.is_alive():
                raise TftpError(
                    f"The TFTP engine did not stop within {_JOIN_TIMEOUT:g} s. Its sockets "
                    f"are still open. It hangs in:\n{_stack_of(self._thread)}"
                )

    def linger(self) -> bool:
        """Stops by itself when no session is left, at the latest after `LONGEST_LINGER` seconds.

        Returns:
            Whether it lingers: False where no session is left. Then call `stop`.
        """
        with self._lock:
            if self._life is not Life.running or self._roster.is_empty:
                return False
            self._life = Life.lingering
            self._commands.append(Command(self._plan_leaving))
            self._wake_up()
            return True

    def recall(self) -> bool:
        """Goes on after all. Returns False if a lingering engine has stopped meanwhile."""
        with self._lock:
            is_there = self._thread is not None and self._thread.is_alive()
            if self._life is Life.lingering and is_there:
                self._life = Life.running
            return self._life is Life.running and is_there

    def call(self, function: Callable[[], T]) -> T:
        """Runs a function on the engine's thread, and returns what it returns.

        Raises:
            UsageError: the engine does not run.
        """
        if threading.current_thread() is self._thread:
            return function()
        command = Command(function)
        with self._lock:
            if self._life is not Life.running:
                raise UsageError("The engine does not run. Start the server or the client first.")
            self._commands.append(cast("Command[object]", command))
            self._wake_up()
        return command.wait()

    def report_progress(self) -> None:
        """Reads the sockets, and brings the records up to date.

        Without effect when the engine is stopped.
        """
        with contextlib.suppress(UsageError):
            self.call(self._report_progress)

    # On the engine's thread ----------------------------------------------------------------

    def wall_clock(self) -> datetime:
        """Returns the time of day, in the zone that this machine had when the engine was made."""
        return datetime.now(self._zone)

    def watch(self, descriptor: int, handler: Handler) -> None:
        """Calls the handler whenever the socket has a datagram."""
        self._poller.add(descriptor, handler)

    def forget(self, descriptor: int) -> None:
        """Stops watching a socket; to be called before it is closed."""
        self._poller.remove(descriptor)

    def set_alarm(self, alarm: Alarm) -> None:
        """Calls something at its deadline, which is no session."""
        self._deadlines.arm(alarm)

    def drop_alarm(self, alarm: Alarm) -> None:
        """Forgets the deadline of something that is no session."""
        self._deadlines.forget(alarm)

    def add(self, session: Live) -> None:
        """Takes a session in. Its sockets and its deadline are watched from the next turn on.

        A lone session that moves a small file is over by then, and is never watched.
        """
        self._roster.add(session)
        self._latest = session

    def freeze(self, session: Live) -> None:
        """Lets a session stand still: its sockets are not read, and no time passes for it."""
        self._watch_fresh()
        self._frozen[session] = monotonic()
        self._deadlines.forget(session)
        for descriptor, _ in session.descriptors:
            self._poller.remove(descriptor)

    def stands_still(self, session: Live) -> bool:
        """Whether a session is frozen."""
        return session in self._frozen

    def thaw(self, session: Live) -> None:
        """Lets a session go on. Without effect if it does not stand still."""
        since = self._frozen.pop(session, None)
        if since is not None:
            session.shift(monotonic() - since)
            if self._roster.standing(session) in _WATCHED:
                self._watch_session(session)

    def remove(self, session: Live) -> None:
        """Drops a session whose sockets are closed next."""
        self._frozen.pop(session, None)
        if self._roster.remove(session) in _WATCHED:
            self._deadlines.forget(session)
            for descriptor, _ in session.descriptors:
                self._poller.drop(descriptor)

    def rest(self, session: Live) -> None:
        """The session has moved its file, and stays only to repeat its last ACK."""
        if self._roster.rest(session) is FRESH:
            self._watch_session(session)

    def arm(self, session: Live) -> None:
        """The session's deadline may have come nearer."""
        if self._roster.standing(session) in _WATCHED and session not in self._frozen:
            self._deadlines.arm(session)

    def want_write(self, session: Live) -> None:
        """Calls `handle_writable` once when the session's socket takes more."""
        self._watch_fresh()
        for descriptor, _ in session.descriptors[:1]:
            self._poller.want_write(descriptor, is_wanted=True)

    # The loop ------------------------------------------------------------------------------

    def _run(self) -> None:
        running = Life.running
        try:
            while self._life is running or self._is_lingering():
                self._turn()
            # Twice: a session that stops may leave late datagrams behind.
            for every in (self._roster.all, self._roster.all):
                for session in every():
                    self._guard(session, session.stop)
        finally:
            self._end()

    def _is_lingering(self) -> bool:
        with self._lock:
            is_done = self._roster.is_empty or monotonic() >= self._leaving.deadline
            if self._life is Life.lingering and is_done:
                self._life = Life.stopping
            return self._life in _ALIVE

    def _plan_leaving(self) -> None:
        self._deadlines.forget(self._leaving)
        self._leaving.deadline = monotonic() + LONGEST_LINGER
        self._deadlines.arm(self._leaving)

    def _turn(self) -> None:
        self._watch_fresh()
        self._take(self._patience())
        self._keep_time(monotonic())
        while self._commands:
            self._commands.popleft().run()
        latest, self._latest = self._latest, None
        # A silent session does not wait alone: a new request would wait with it.
        if self._roster.is_lone(latest) and latest not in self._frozen:
            self._guard(latest, latest.run_alone)

    def _take(self, patience: float | None) -> bool:
        """Lets the handlers read their sockets. Returns whether one had a datagram.

        Args:
            patience: seconds to wait for a datagram; None for ever.
        """
        handlers = self._poller.handlers
        events = self._poller.poll(patience)
        for descriptor, event in events:
            handler = handlers.get(descriptor)
            if handler is None:
                continue
            self._latest = handler
            try:
                if event == WRITABLE:
                    self._poller.want_write(descriptor, is_wanted=False)
                    cast("Live", handler).handle_writable()
                else:
                    handler.ready()
            except Exception as error:
                self._fail(handler, error)
        return bool(events)

    def _catch_up(self) -> None:
        """Takes everything that came before this command, new sessions' datagrams too.

        Boards that go on meanwhile do not make it last: it is bounded in time.
        """
        latest = monotonic() + _LONGEST_CATCHING_UP
        self._watch_fresh()
        while self._take(0.0) and monotonic() < latest:
            self._watch_fresh()

    def _watch_fresh(self) -> None:
        """Watches the sessions that came in the last turn and still run."""
        for session in self._roster.take_fresh():
            self._guard(session, partial(self._begin_to_watch, session))

    def _begin_to_watch(self, session: Live) -> None:
        if self._roster.busy == 1:
            # A lone session is quick: many blocks pass before its first sample.
            session.settle()
        self._watch_session(session)

    def _watch_session(self, session: Live) -> None:
        for descriptor, handler in session.descriptors:
            self._poller.add(descriptor, handler)
        self._deadlines.arm(session)

    def _patience(self) -> float | None:
        """How long to wait for a datagram; None for ever."""
        deadline = self._deadlines.next()
        if deadline is None:
            return SAMPLE_INTERVAL if self._roster.busy else None
        patience = max(0.0, deadline - monotonic())
        return min(patience, SAMPLE_INTERVAL) if self._roster.busy else patience

    def _keep_time(self, now: float) -> None:
        """Does what is due."""
        deadline = self._deadlines.next()
        if deadline is not None and deadline <= now:
            for timed in self._deadlines.due(now):
                session = cast("Live", timed)
                self._guard(session, partial(session.handle_timeout, now))
        if self._roster.busy and now >= self._next_sample:
            # A crowd is sampled more rarely, so sampling it takes no more time than a few.
            self._next_sample = now + SAMPLE_INTERVAL * (1 + self._roster.busy // _CROWD)
            for session in self._roster.all_busy():
                if session not in self._frozen:
                    self._guard(session, partial(self._sample, session, now))

    def _sample(self, session: Live, now: float) -> None:
        known = len(session.descriptors)
        session.sample(now)
        if self._roster.standing(session) in _WATCHED:
            # It may have opened the socket for strangers.
            for descriptor, handler in session.descriptors[known:]:
                self._poller.add(descriptor, handler)

    def _guard(self, handler: Handler, function: Callable[[], object]) -> None:
        """Calls a function of a handler; an exception ends its session, never the thread."""
        try:
            function()
        except Exception as error:
            self._fail(handler, error)

    def _fail(self, handler: Handler, error: Exception) -> None:
        with contextlib.suppress(Exception):
            handler.fail(error)

    def _report_progress(self) -> None:
        self._catch_up()
        now = monotonic()
        for session in self._roster.all():
            session.report(now)

    def _wake_up(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._waker.send(b"\0")

    def _end(self) -> None:
        with self._lock:
            self._life = Life.stopped
            commands, self._commands = self._commands, deque()
        self._poller.close()
        self._wake.close()
        self._waker.close()
        for command in commands:
            command.fail(UsageError("The engine was stopped before it could run this command."))


def _stack_of(thread: threading.Thread) -> str:
    """Returns where a thread is, as a traceback shows it."""
    import traceback  # noqa: PLC0415 - hopefully never needed

    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 - the documented way
    return "".join(traceback.format_stack(frame)).rstrip()


class _Leaving:
    """When a lingering engine stops at the latest: the loop looks, so nothing is to be done."""

    def __init__(self) -> None:
        self.armed = inf
        self.deadline = inf

    def handle_timeout(self, now: float) -> None:
        """The time is up."""

    def fail(self, error: BaseException) -> None:
        """Cannot happen."""
