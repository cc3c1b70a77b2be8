"""The questions that a test asks about transfers: each finds its answer, or explains why not.

A question is a frozen value. `find` and `explain` stand side by side, so that a message cannot
explain something else than was looked for. Both look at a `View`, and neither waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

from TftpLibrary.errors import TftpError, UsageError
from TftpLibrary.messages.misses import Miss, Search, last_attempt
from TftpLibrary.messages.requests import describe_requests
from TftpLibrary.messages.words import PYTHON, Words
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Transfers, View
from TftpLibrary.recording.wording import IDLE, duration_text, outcome_text, request_text
from TftpLibrary.sizes import size_text

Answer_co = TypeVar("Answer_co", covariant=True)


class Question(Protocol[Answer_co]):
    """What can be asked about the transfers that were seen."""

    @property
    def subject(self) -> str:
        """What is asked for, in a few words."""

    def find(self, view: View) -> Answer_co | None:
        """Returns the answer; None where what was seen has none.

        Raises:
            UsageError: the question cannot be asked so: `client` is no address, for instance.
            TftpError: an unexpected exception of our own is the reason that there is none.
        """

    def explain(self, view: View, waited: float | None = None, words: Words = PYTHON) -> str:
        """Returns why `find` found nothing: what came nearest, what to do, the requests seen.

        Args:
            view: what was seen, in which `find` finds nothing.
            waited: seconds that were waited; None where nobody waited.
            words: what the reader calls things.
        """


class Download(NamedTuple):
    """A board has downloaded a file: it has acknowledged every octet. The answer is the transfer.

    Attributes:
        name: the name that the board asks for, or a glob such as `*.dtb`.
        client: address or network of the board; empty for any.
        times: downloads that are expected; the answer is the last of them.
        is_exact: whether more downloads than that are wrong.
    """

    name: str
    client: str = ""
    times: int = 1
    is_exact: bool = False

    @property
    def subject(self) -> str:
        """The name."""
        return f"'{self.name}'"

    def find(self, view: View) -> Transfer | None:
        """Returns the last of the expected downloads.

        Raises:
            UsageError: fewer than one is expected.
        """
        if self.times < 1:
            raise UsageError(f"Expected times to be 1 or more, got {self.times}.")
        done = self._done(view)
        if len(done) < self.times:
            _raise_defect(self._own(view))
            return None
        return None if self._are_too_many(done) else done[self.times - 1]

    def explain(self, view: View, waited: float | None = None, words: Words = PYTHON) -> str:
        """Returns why there was no such download, or not so many, or more."""
        own, done = self._own(view), self._done(view)
        if self._are_too_many(done):
            source = f" by {self.client}" if self.client else ""
            requests = describe_requests(view, self.name, words)
            counts = f"{times_text(len(done))}, expected {times_text(self.times)}"
            return f"'{self.name}' was downloaded{source} {counts}.\n{requests}"
        search = Search(view, self.name, self.client, Direction.read, waited, words)
        return search.text("downloaded by", self._too_few(search, own, done) if done else None)

    def _own(self, view: View) -> Transfers:
        return view.select(self.name, self.client, direction=Direction.read)

    def _done(self, view: View) -> Transfers:
        """Returns every download: this is the one place that says what one is."""
        return tuple(t for t in self._own(view) if t.outcome is Outcome.completed)

    def _are_too_many(self, done: Transfers) -> bool:
        return self.is_exact and len(done) > self.times

    def _too_few(self, search: Search, own: Transfers, done: Transfers) -> Miss:
        came = f"only {len(done)} of {self.times} times"
        last = last_attempt(own)
        if last.outcome is Outcome.completed:
            return Miss(came, "Let the board ask again, or lower times=.")
        miss = search.attempt(last)
        return Miss(f"{came}; the last time {miss.came}", miss.advice)


class Upload(NamedTuple):
    """A board has uploaded a file: it is complete and in the store. The answer is the transfer.

    Attributes:
        name: the name that the board writes, or a glob such as `*.log`.
        client: address or network of the board; empty for any.
        min_size: octets that the file has at least; smaller ones do not count.
    """

    name: str
    client: str = ""
    min_size: int = 0

    @property
    def subject(self) -> str:
        """The name."""
        return f"'{self.name}'"

    def find(self, view: View) -> Transfer | None:
        """Returns the first such upload."""
        for transfer in self._done(view):
            if transfer.octets >= self.min_size:
                return transfer
        _raise_defect(self._own(view))
        return None

    def explain(self, view: View, waited: float | None = None, words: Words = PYTHON) -> str:
        """Returns why there was no such upload."""
        search = Search(view, self.name, self.client, Direction.write, waited, words)
        done = self._done(view)
        return search.text("received from", self._too_small(done) if done else None)

    def _own(self, view: View) -> Transfers:
        return view.select(self.name, self.client, direction=Direction.write)

    def _done(self, view: View) -> Transfers:
        """Returns every upload: this is the one place that says what one is."""
        return tuple(t for t in self._own(view) if t.outcome is Outcome.completed)

    def _too_small(self, done: Transfers) -> Miss:
        size = max(transfer.octets for transfer in done)
        return Miss(
            f"it came with {size_text(size)} only, of at least {size_text(self.min_size)}",
            "The board sent less than expected: look at its console, or lower min_size=.",
        )


class Request(NamedTuple):
    """A board has asked for a file, or begun to write one. The answer is the transfer.

    It may still run, and may have been refused: its `outcome` shows it.

    Attributes:
        name: the name that the board asks for, or a glob such as `*.dtb`.
        client: address or network of the board; empty for any.
    """

    name: str
    client: str = ""

    @property
    def subject(self) -> str:
        """The name."""
        return f"'{self.name}'"

    def find(self, view: View) -> Transfer | None:
        """Returns the first such request."""
        return next(iter(view.select(self.name, self.client)), None)

    def explain(self, view: View, waited: float | None = None, words: Words = PYTHON) -> str:
        """Returns why there was no such request."""
        search = Search(view, self.name, self.client, waited=waited, words=words)
        return search.text("requested by")


class Idle(NamedTuple):
    """No board has transferred anything for a while. The answer is how long, in seconds.

    Time is measured on the monotonic clock, so a clock that is set does not matter. Where nothing
    was transferred at all it counts from the beginning of the watch.

    Attributes:
        seconds: how long it must be quiet: no transfer running, none starting.
        client: address or network of the boards; empty for all.
    """

    seconds: float
    client: str = ""

    @property
    def subject(self) -> str:
        """The time, without a transfer."""
        return f"{self.seconds:g} s without a transfer"

    def find(self, view: View) -> float | None:
        """Returns how long it has been quiet, if that is long enough."""
        quiet = self._quiet(view)
        return None if quiet is None or quiet < self.seconds else quiet

    def explain(self, view: View, waited: float | None = None, words: Words = PYTHON) -> str:
        """Returns what runs, or what came last."""
        source = f" from {self.client}" if self.client else ""
        within = "" if waited is None else f" in {duration_text(waited)}"
        head = f"Transfers{source} were not idle for {duration_text(self.seconds)}{within}"
        own = view.of(client=self.client)
        requests = describe_requests(own, words=words)
        return f"{head}: {_what_moves(own)}\n{requests}"

    def _quiet(self, view: View) -> float | None:
        """Seconds since the last transfer ended; None while one runs."""
        own = view.select(client=self.client)
        if any(transfer.is_running for transfer in own):
            return None
        return min((view.age(transfer) for transfer in own), default=view.watched)


def times_text(count: int) -> str:
    """Returns how often something was: `never`, `once`, `twice`, `3 times`."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _what_moves(view: View) -> str:
    running = [transfer for transfer in view.transfers if transfer.is_running]
    if running:
        last = running[-1]
        others = f" and {len(running) - 1} more" if len(running) > 1 else ""
        silent = f", silent for {duration_text(last.idle)}" if last.idle >= IDLE else ""
        return (
            f"{request_text(last)} is {outcome_text(last)}{silent}{others}. Raise timeout=, or "
            "look at the board's console."
        )
    if view.transfers:
        last = min(reversed(view.transfers), key=view.age)
        return (
            f"the last one was {request_text(last)}: {outcome_text(last)}. The board keeps asking: "
            "raise timeout=, or lower idle=."
        )
    return "there was none, but the wait was shorter than that. Raise timeout= above idle=."


def _raise_defect(transfers: Sequence[Transfer]) -> None:
    defect = next((transfer for transfer in transfers if transfer.traceback), None)
    if defect:
        raise TftpError(
            f"An unexpected exception in TftpLibrary ended the transfer of '{defect.filename}'. "
            f"Please report it with this text:\n{defect.traceback}"
        )
