"""Late datagrams that no transfer waits for: before it began, or after it was over."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from TftpLibrary.engine.contracts import Runner
from TftpLibrary.engine.poller import Handler
from TftpLibrary.faults.deliveries import Delivery
from TftpLibrary.faults.passage import Passage

Deliver = Callable[[bool, Delivery, float], None]
"""Delivers what was late: whether it is sent, the delivery, and the time in monotonic seconds."""


class Late:
    """The late datagrams of a passage. To the engine it is a session that has moved its file.

    So an engine that nobody uses any more waits for it as for the last ACK of a client, and ends
    it with the others. Datagrams that come meanwhile through its sockets are not answered.

    Args:
        passage: has the late datagrams.
        engine: calls it.
        deliver: takes each when it is due.
        over: called once, when nothing is late any more.
        until: monotonic seconds after which what is still late is dropped.
        descriptors: returns the sockets to watch.
        read: takes what came through them.
    """

    def __init__(
        self,
        passage: Passage,
        engine: Runner,
        deliver: Deliver,
        over: Callable[[], None],
        *,
        until: float = inf,
        descriptors: Callable[[Handler], tuple[tuple[int, Handler], ...]] = lambda _owner: (),
        read: Callable[[], None] = lambda: None,
    ) -> None:
        self.armed = inf
        self.ready = read
        self._passage = passage
        self._engine = engine
        self._deliver = deliver
        self._over = over
        self._until = until
        self._descriptors = descriptors
        self._is_over = False

    def begin(self) -> None:
        """The engine takes it in."""
        self._engine.add(self)
        self._engine.rest(self)

    def arm(self) -> None:
        """One more datagram is late."""
        self._engine.arm(self)

    def leave(self) -> None:
        """Leaves what is late to somebody else."""
        self._is_over = True
        self._engine.remove(self)

    # For the engine ------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When the next one is due."""
        deadline = self._passage.deadline
        return self._until if deadline is None else min(deadline, self._until)

    @property
    def descriptors(self) -> tuple[tuple[int, Handler], ...]:
        """The sockets to watch."""
        return self._descriptors(self)

    def handle_timeout(self, now: float) -> None:
        """Delivers what is due, and ends with the last one."""
        for is_sent, delivery in self._passage.due(now):
            self._deliver(is_sent, delivery, now)
        if self._passage.deadline is None or now >= self._until:
            self.stop()
        elif not self._is_over:
            self._engine.arm(self)

    def stop(self, reason: str = "") -> None:  # noqa: ARG002 - as in `Live`
        """Drops what is late. Idempotent."""
        if not self._is_over:
            self._is_over = True
            self._engine.remove(self)
            self._passage.forget_late()
            self._over()

    def fail(self, error: BaseException) -> None:  # noqa: ARG002 - as in `Handler`
        """An exception of our own: drops what is late."""
        self.stop()

    def shift(self, seconds: float) -> None:
        """Does nothing: what is late is on the wire, where time passes."""

    def settle(self) -> None:
        """Does nothing: no transfer is here."""

    def run_alone(self) -> None:
        """Does nothing: it is never alone, since it rests."""

    def handle_writable(self) -> None:
        """Does nothing: nothing waits for room."""

    def sample(self, now: float) -> None:
        """Does nothing: there is no progress."""

    def report(self, now: float) -> None:
        """Does nothing: the record has ended, or has not begun."""
