"""A connection: both ends of a stream exchange messages and pieces, and signs of life.

Threads of its own read, write and watch. So a thread that is interrupted in the middle of a call,
as Robot Framework's time-outs do it, leaves no half of a frame behind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic
from typing import Generic, TypeVar

from TftpLibrary.errors import TftpError
from TftpLibrary.lab.carriers import Stream
from TftpLibrary.lab.frames import Deframer, Message, Piece, message_frame, piece_frame

T = TypeVar("T")

SIGN_OF_LIFE = 5.0
"""Seconds between two signs of life where nothing else is sent."""
SILENCES = 6
"""Signs of life that are missed before the other end counts as lost."""
_MOST_WAITING = 4
"""Pieces of a file that wait to be sent, or to be taken."""
_GOOD_BYE = 2.0
_DEFECT = "an unexpected exception ended it, please report it"

Later = Callable[[], Message]
"""Makes a message when its turn has come."""


class Mailbox(Generic[T]):
    """Hands things from one thread to another, in their order; who puts too many waits."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._things: deque[T] = deque()
        self._is_closed = False

    def put(self, thing: T, most: int = _MOST_WAITING) -> None:
        """Puts a thing behind the others. Waits while there are `most`; forgets it if closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or len(self._things) < most)
            if not self._is_closed:
                self._things.append(thing)
                self._changed.notify_all()

    def get(self, timeout: float | None = None) -> T | None:
        """Takes the first thing; None after the timeout, or when it is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._things or self._is_closed, timeout)
            thing = self._things.popleft() if self._things else None
            self._changed.notify_all()
            return thing

    def close(self) -> None:
        """Nothing more comes, and nobody waits any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more comes."""
        return self._is_closed

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self._things


class Connection:
    """One end of a stream.

    Args:
        stream: the way to the other end.
        take: gets each message and piece, on the reading thread.
        lose: called once, when the connection has ended.
        most: octets of a message at most.

    Attributes:
        lost: why it ended, as a part of a sentence; empty while it lives.
    """

    def __init__(
        self,
        stream: Stream,
        take: Callable[[Message | Piece], None],
        lose: Callable[[], None],
        most: int,
    ) -> None:
        self.lost = ""
        self._stream = stream
        self._take = take
        self._lose = lose
        self._deframer = Deframer(most)
        self._changed = Condition()
        self._queue: deque[Message | Later | Piece] = deque()
        self._pieces = 0
        self._silences = 0
        self._is_reading = False
        self._is_ending = False
        self._threads = [
            Thread(target=target, name="TftpLibrary lab", daemon=True)
            for target in (self._write, self._read, self._watch)
        ]

    def start(self) -> None:
        """Begins to read and to write."""
        for thread in self._threads:
            thread.start()

    def send(self, message: Message | Later) -> None:
        """Sends a message, behind what waits. Returns at once."""
        with self._changed:
            self._queue.append(message)
            self._changed.notify_all()

    def send_piece(self, piece: Piece, is_wanted: Callable[[], bool]) -> None:
        """Sends a piece of a file. Waits while others wait, and while it is still wanted."""
        with self._changed:
            while self._pieces >= _MOST_WAITING and not self.lost and is_wanted():
                self._changed.wait(SIGN_OF_LIFE / 25)
            if is_wanted() and not self.lost:
                self._queue.append(piece)
                self._pieces += 1
                self._changed.notify_all()

    @property
    def backlog(self) -> int:
        """How many messages and pieces wait to be sent."""
        return len(self._queue)

    def close(self, reason: str = "it was closed") -> None:
        """Ends it, after what waits has been sent. From any thread, idempotent."""
        with self._changed:
            self._changed.wait_for(lambda: self.lost or not self._queue, _GOOD_BYE)
        self._end(reason)

    def wait(self) -> None:
        """Waits until it has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self.lost)

    def _end(self, reason: str, *, ask: bool = False) -> None:
        """Ends it, for a reason; `ask` where the stream may know a better one."""
        with self._changed:
            if self._is_ending:
                return
            self._is_ending = True
        self._stream.close()
        trouble = self._stream.trouble()
        with self._changed:
            self.lost = trouble if ask and trouble else reason
            self._changed.notify_all()
        self._lose()

    def _read(self) -> None:
        reason = _DEFECT
        try:
            while octets := self._receive():
                for each in self._deframer.take(octets):
                    self._take(each)
            reason = "the connection was closed there"
        except TftpError as error:
            reason = str(error)
        except OSError as error:
            reason = f"the connection broke: {error.strerror or error}"
        finally:
            self._end(reason, ask=True)

    def _receive(self) -> bytes:
        self._is_reading = True
        octets = self._stream.receive()
        self._is_reading = False
        self._silences = 0
        return octets

    def _write(self) -> None:
        try:
            while (first := self._next()) is not None:
                if isinstance(first, Piece):
                    self._stream.send(piece_frame(first))
                else:
                    made = first if isinstance(first, dict) else first()
                    self._stream.send(message_frame(made))
                with self._changed:
                    # Only now: who closes waits for what was really sent.
                    self._queue.popleft()
                    self._pieces -= isinstance(first, Piece)
                    self._changed.notify_all()
        except OSError as error:
            # What the other end said before it went is worth more: the reader may still have it.
            self._threads[1].join(_GOOD_BYE)
            self._end(f"the connection broke: {error.strerror or error}", ask=True)
        finally:
            self._end(_DEFECT)

    def _next(self) -> Message | Later | Piece | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self.lost)
            return None if self.lost else self._queue[0]

    def _watch(self) -> None:
        """Sends signs of life, and ends the connection where none came for long.

        Time in which this process slept, or did not come to read, is no silence.
        """
        while self._silences <= SILENCES:
            with self._changed:
                if self._changed.wait_for(lambda: self.lost, SIGN_OF_LIFE):
                    return
                if not self._queue:
                    self._queue.append(_alive)
                    self._changed.notify_all()
            self._silences += self._is_reading
        self._end(f"it has not answered for {SILENCES * SIGN_OF_LIFE:.0f} s")


def _alive() -> Message:
    """A sign of life, with the time here."""
    return {"jsonrpc": "2.0", "method": "alive", "params": {"at": monotonic()}}
