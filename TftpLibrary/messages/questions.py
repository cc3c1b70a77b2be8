"""The questions that a test asks about transfers: each finds its answer, or explains why not.

A question is a frozen value. `find` and `explain` stand side by side, so that the message always
explains the search. Both look at a `View`, and neither waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple, Protocol, TypeVar

from TftpLibrary.errors import ExpectationError, TftpError, UsageError
from TftpLibrary.messages.misses import Miss, Search, last_attempt
from TftpLibrary.messages.requests import describe_requests
from TftpLibrary.messages.words import BOARD, PYTHON, Words
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Transfers, View
from TftpLibrary.recording.wording import (
    IDLE,
    after_faults_text,
    duration_text,
    outcome_text,
    request_text,
)
from TftpLibrary.sizes import size_text

Answer_co = TypeVar("Answer_co", covariant=True)


class HopelessError(ExpectationError):
    """Waiting is useless: the request was refused, see `fail_fast`."""


class Question(Protocol[Answer_co]):
    """A question about the transfers that were seen."""

    @property
    def subject(self) -> str:
        """The subject of the question, in a few words."""

    def find(self, view: View) -> Answer_co | None:
        """Returns the answer; None if the view has none.

        Raises:
            UsageError: the question is impossible: `client` is no address, for instance.
            HopelessError: the request was refused, and the question does not wait any more.
            TftpError: an unexpected exception of our own is the reason that there is none.
        """

    def explain(self, view: View, waited: float | None = None, words: Words = PYTHON) -> str:
        """Returns why `find` found nothing: the nearest miss, what to do, the requests seen.

        Args:
            view: a view in which `find` finds nothing.
            waited: seconds of the wait; None without a wait.
            words: how the message names things for its reader.
        """


class Download(NamedTuple):
    """A board has downloaded a file: it has acknowledged every octet. The answer is the transfer.

    Attributes:
        name: the name that the board asks for, or a glob such as `*.dtb`.
        client: address or network of the board; empty for any.
        times: downloads that are expected; the answer is the last of them.
        is_exact: whether more downloads than that are wrong.
        fail_fast: whether a wait ends when the file was refused. Boards that ask again do not
            like that.
    """

    name: str
    client: str = ""
    times: int = 1
    is_exact: bool = False
    fail_fast: bool = False

    @property
    def subject(self) -> str:
        """The name."""
        return f"'{self.name}'"

    def find(self, view: View) -> Transfer | None:
        """Returns the last of the expected downloads.

        Raises:
            UsageError: fewer than one is expected.
            HopelessError: it was refused, and the wait should end then.
        """
        if self.times < 1:
            raise UsageError(f"Expected times to be 1 or more, got {self.times}.")
        done = self._done(view)
        if len(done) < self.times:
            _raise_lost(self._own(view), fail_fast=self.fail_fast)
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
        """Returns every download: only this method decides what counts as one."""
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


class Downloads(NamedTuple):
    """A board has downloaded several files, in any order. The answer is their transfers.

    Attributes:
        names: the names that the board asks for, or globs; each needs a download.
        client: address or network of the board; empty for any.
        fail_fast: whether a wait ends when one of the files was refused.
    """

    names: tuple[str, ...]
    client: str = ""
    fail_fast: bool = False

    @property
    def subject(self) -> str:
        """The number of the files, and the first of them."""
        more = f" and {len(self.names) - 1} more" if len(self.names) > 1 else ""
        return f"'{self.names[0]}'{more}" if self.names else "no file"

    def find(self, view: View) -> Transfers | None:
        """Returns the downloads, in the order of the names.

        Raises:
            UsageError: no file is expected.
            HopelessError: one was refused, and the wait should end then.
        """
        if not self.names:
            raise UsageError("Expected the name of at least one file.")
        found = [each.find(view) for each in self._each()]
        done = tuple(transfer for transfer in found if transfer is not None)
        return done if len(done) == len(found) else None

    def explain(self, view: View, waited: float | None = None, words: Words = PYTHON) -> str:
        """Returns the files that are missing, with the nearest miss of each."""
        missing = [each for each in self._each(fail_fast=False) if each.find(view) is None]
        source = f" by {self.client}" if self.client else ""
        within = "" if waited is None else f" in {duration_text(waited)}"
        lines = [f"{_of(len(missing), len(self.names))} not downloaded{source}{within}:"]
        told: dict[str, None] = {}
        boards: dict[str, None] = {}
        for each in missing:
            search = Search(view, each.name, self.client, Direction.read, waited, words)
            came, advice = search.nearest()
            if came.startswith(BOARD):
                # It is the same for all files, and told once.
                boards[f"{came}. {advice}"] = None
                lines.append(f"- '{each.name}': it was not requested.")
            else:
                lines.append(f"- '{each.name}': {came}.{'' if advice in told else f' {advice}'}")
                told[advice] = None
        nearest = missing[0].name if missing else ""
        return "\n".join([*lines, *boards, describe_requests(view, nearest, words)])

    def _each(self, *, fail_fast: bool | None = None) -> list[Download]:
        is_fast = self.fail_fast if fail_fast is None else fail_fast
        return [Download(name, self.client, fail_fast=is_fast) for name in self.names]


class Upload(NamedTuple):
    """A board has uploaded a file: it is complete and in the store. The answer is the transfer.

    Attributes:
        name: the name that the board writes, or a glob such as `*.log`.
        client: address or network of the board; empty for any.
        min_size: octets that the file has at least; smaller ones do not count.
        fail_fast: whether a wait ends when the file was refused.
    """

    name: str
    client: str = ""
    min_size: int = 0
    fail_fast: bool = False

    @property
    def subject(self) -> str:
        """The name."""
        return f"'{self.name}'"

    def find(self, view: View) -> Transfer | None:
        """Returns the first such upload.

        Raises:
            HopelessError: it was refused, and the wait should end then.
        """
        for transfer in self._done(view):
            if transfer.octets >= self.min_size:
                return transfer
        _raise_lost(self._own(view), fail_fast=self.fail_fast)
        return None

    def explain(self, view: View, waited: float | None = None, words: Words = PYTHON) -> str:
        """Returns why there was no such upload."""
        search = Search(view, self.name, self.client, Direction.write, waited, words)
        done = self._done(view)
        return search.text("received from", self._too_small(done) if done else None)

    def _own(self, view: View) -> Transfers:
        return view.select(self.name, self.client, direction=Direction.write)

    def _done(self, view: View) -> Transfers:
        """Returns every upload: only this method decides what counts as one."""
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

    A silent transfer whose board has asked again since does not count as running.

    Time is measured on the monotonic clock, so setting the wall clock does not matter. Without any
    transfer it counts from the beginning of the wait.

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
        """Returns the transfer that runs, or the one that came last."""
        source = f" from {self.client}" if self.client else ""
        within = "" if waited is None else f" in {duration_text(waited)}"
        head = f"Transfers{source} were not idle for {duration_text(self.seconds)}{within}"
        own = view.of(client=self.client)
        requests = describe_requests(own, words=words)
        return f"{head}: {_what_moves(own, waited)}\n{requests}"

    def _quiet(self, view: View) -> float | None:
        """Seconds since the last transfer ended, or a dead one was heard; None while one runs."""
        living, dead = _without_dead(view.of(client=self.client))
        if any(transfer.is_running for transfer in living):
            return None
        quiet = [view.age(transfer) for transfer in living]
        return min([*quiet, *(transfer.idle for transfer in dead)], default=view.watched)


def _without_dead(view: View) -> tuple[list[Transfer], list[Transfer]]:
    """Returns the living transfers, newest first, and the dead ones.

    A silent transfer is dead if its board has asked again since it was last heard: most likely its
    power was cut. The server still tries, but nobody is there to answer.
    """
    living: list[Transfer] = []
    dead: list[Transfer] = []
    asked: dict[str, float] = {}
    for transfer in reversed(view.transfers):
        # How many seconds ago its client asked for something after this.
        since = asked.get(transfer.client, inf)
        is_dead = transfer.is_running and transfer.idle >= max(since, IDLE)
        (dead if is_dead else living).append(transfer)
        ended = 0.0 if transfer.is_running else view.age(transfer)
        asked.setdefault(transfer.client, ended + transfer.duration)
    return living, dead


def times_text(count: int) -> str:
    """Returns how often something was: `never`, `once`, `twice`, `3 times`."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _of(missing: int, all_: int) -> str:
    """Returns how many files are missing: `The file was`, `2 of 3 files were`."""
    if all_ == 1:
        return "The file was"
    return f"{missing} of {all_} files {'was' if missing == 1 else 'were'}"


def _what_moves(view: View, waited: float | None) -> str:
    living, _ = _without_dead(view)
    running = [transfer for transfer in living if transfer.is_running]
    if running:
        last = running[0]
        others = f" and {len(running) - 1} more" if len(running) > 1 else ""
        silent = f", silent for {duration_text(last.idle)}" if last.idle >= IDLE else ""
        return (
            f"{request_text(last)} is {outcome_text(last)}{silent}{after_faults_text(last)}"
            f"{others}. Raise timeout=, or look at the board's console."
        )
    if view.transfers:
        last = min(living, key=view.age)
        came = f"the last one was {request_text(last)}: {outcome_text(last)}"
        if waited is None or view.age(last) < waited:
            return f"{came}. The board keeps asking: raise timeout=, or lower idle=."
        return f"{came}, {duration_text(view.age(last))} ago. {_TOO_SHORT}"
    return f"there was none, but the wait was shorter than that. {_TOO_SHORT}"


_TOO_SHORT = "Raise timeout= above idle=."


def _raise_lost(transfers: Transfers, *, fail_fast: bool) -> None:
    """Raises an error if waiting is useless: after a defect of our own, or a refusal if asked."""
    _raise_defect(transfers)
    if fail_fast and transfers and last_attempt(transfers).outcome is Outcome.refused:
        raise HopelessError(f"'{transfers[-1].filename}' was refused.")


def _raise_defect(transfers: Sequence[Transfer]) -> None:
    defect = next((transfer for transfer in transfers if transfer.traceback), None)
    if defect:
        raise TftpError(
            f"An unexpected exception in TftpLibrary ended the transfer of '{defect.filename}'. "
            f"Please report it with this text:\n{defect.traceback}"
        )
