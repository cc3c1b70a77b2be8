"""Questions that assertions ask: no request, no missing file, a transfer as it should be.

They are questions like those of a wait, each with `find` and `explain`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from TftpLibrary.errors import UsageError
from TftpLibrary.matching import name_test
from TftpLibrary.messages.likeness import nearest_names
from TftpLibrary.messages.misses import Search
from TftpLibrary.messages.questions import times_text
from TftpLibrary.messages.requests import describe_requests
from TftpLibrary.messages.words import PYTHON, Words
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction, Mode
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Transfers, View
from TftpLibrary.recording.wording import (
    duration_text,
    on_purpose_text,
    outcome_text,
    request_text,
    short_text,
)
from TftpLibrary.sizes import rate_text

if TYPE_CHECKING:
    from TftpLibrary.messages.probes import Probes

_MOST_NAMES = 10
_UPLOAD_OR_IGNORE = (
    "Upload under the names that the board asks for, or name what it can do without in ignore=."
)
_DEFAULTS = {"blksize": 512, "windowsize": 1}


class NoRequest(NamedTuple):
    """No board has asked for a file, or begun to write one; the answer is True.

    A request counts whatever its outcome.

    Attributes:
        name: the name, or a glob such as `*.dtb`.
        client: address or network of the board; empty for any.
    """

    name: str
    client: str = ""

    @property
    def subject(self) -> str:
        """The name."""
        return f"no request for '{self.name}'"

    def find(self, view: View) -> bool | None:
        """Returns True where there was no such request."""
        return None if view.select(self.name, self.client) else True

    def explain(self, view: View, waited: float | None = None, words: Words = PYTHON) -> str:
        """Returns which requests there were."""
        unwanted = view.select(self.name, self.client)
        source = f" by {self.client}" if self.client else ""
        within = "" if waited is None else f" in {duration_text(waited)}"
        last = unwanted[-1]
        requests = describe_requests(view, self.name, words)
        return (
            f"'{self.name}' was requested{source} {times_text(len(unwanted))}{within}, expected "
            f"never. The last time: {request_text(last)}, {outcome_text(last)}.\n{requests}"
        )


class NothingMissing(NamedTuple):
    """Every file that boards asked for was in the store; the answer is True.

    A file that was denied on purpose is not missing.

    Attributes:
        client: address or network of the boards; empty for all.
        ignore: names and globs that may be missing.
    """

    client: str = ""
    ignore: Sequence[str] = ()

    @property
    def subject(self) -> str:
        """A few words for it."""
        return "no missing file"

    def find(self, view: View) -> bool | None:
        """Returns True where no file was missing."""
        return None if self._missing(view) else True

    def explain(self, view: View, waited: float | None = None, words: Words = PYTHON) -> str:
        """Returns which files were missing, each with a near name of the store."""
        from TftpLibrary.messages.probes import fold, stuck_boards  # noqa: PLC0415 - for a miss only

        missing = self._missing(view)
        # The names of a search that failed are told in one sentence.
        boards = stuck_boards(missing, view.names)
        listed = [item for item in fold(missing) if isinstance(item, Transfer) or not boards]
        counts = Counter((item.filename, _client_of(item)) for item in listed)
        names = view.names()
        shown = list(counts.items())[:_MOST_NAMES]
        told = [_missing_text(*key, count, names) for key, count in shown]
        if len(counts) > _MOST_NAMES:
            told.append(f"and {len(counts) - _MOST_NAMES} more")
        files = len({transfer.filename for transfer in missing})
        were = "1 requested file was" if files == 1 else f"{files} requested files were"
        within = "" if waited is None else f" after {duration_text(waited)}"
        sentences = map(". ".join, boards)
        alone = f": {', '.join(told)}. {_UPLOAD_OR_IGNORE}" if told else "."
        requests = describe_requests(view, missing[0].filename, words)
        return f"{' '.join([f'{were} missing{within}{alone}', *sentences])}\n{requests}"

    def _missing(self, view: View) -> Transfers:
        from TftpLibrary.boot.trails import is_miss  # noqa: PLC0415 - for a miss only
        from TftpLibrary.messages.probes import normal_misses  # noqa: PLC0415 - for a miss only

        refused = view.select("", self.client, Outcome.refused, Direction.read)
        ignored = [name_test(pattern) for pattern in self.ignore]
        missing = tuple(
            transfer
            for transfer in refused
            if is_miss(transfer)
            and not any(is_ignored(transfer.filename) for is_ignored in ignored)
        )
        if not missing:
            return ()
        boards = {transfer.client for transfer in missing}
        normal = normal_misses(t for t in view.transfers if t.client in boards)
        return tuple(transfer for transfer in missing if transfer.id not in normal)


class Usage(NamedTuple):
    """The last completed transfer of a file was as it should be. The answer is the transfer.

    Each limit is None where it does not matter.

    Attributes:
        name: the name, or a glob such as `*.dtb`.
        client: address or network of the board; empty for any.
        blksize: bytes of a block; 512 when nothing was agreed.
        windowsize: blocks of a window; 1 when nothing was agreed.
        mode: how the file was translated.
        max_retransmits: packets that this end may have sent again.
        max_duration: seconds from the request to the end.
        min_rate: bytes per second.
    """

    name: str
    client: str = ""
    blksize: int | None = None
    windowsize: int | None = None
    mode: Mode | None = None
    max_retransmits: int | None = None
    max_duration: float | None = None
    min_rate: float | None = None

    @property
    def subject(self) -> str:
        """The name."""
        return f"'{self.name}'"

    def find(self, view: View) -> Transfer | None:
        """Returns the transfer, where it is as it should be.

        Raises:
            UsageError: nothing is expected of it.
        """
        if self._replace(name="", client="") == Usage(""):
            raise UsageError(
                "Nothing is expected of the transfer. Give blksize=, windowsize=, mode=, "
                "max_retransmits=, max_duration= or min_rate=."
            )
        transfer = self._last(view)
        return None if transfer is None or self.shortfalls(transfer) else transfer

    def explain(self, view: View, waited: float | None = None, words: Words = PYTHON) -> str:
        """Returns how the transfer differs, or why there is none."""
        transfer = self._last(view)
        if transfer is None:
            search = Search(view, self.name, self.client, waited=waited, words=words)
            return search.text("transferred by")
        lines = "\n".join(f"  {line}" for line in self.shortfalls(transfer))
        faults = on_purpose_text(transfer)
        more = f"\nFaults on purpose: {faults}." if faults else ""
        return f"{request_text(transfer)} did not go as expected:\n{lines}{more}"

    def shortfalls(self, transfer: Transfer) -> list[str]:
        """Returns a line for each difference of a transfer."""
        lines = [
            _option_line("blksize", self.blksize, transfer),
            _option_line("windowsize", self.windowsize, transfer),
        ]
        if self.mode is not None and transfer.mode != self.mode.value:
            lines.append(f"mode: expected {self.mode.value}, was {transfer.mode}")
        duration, rate = transfer.duration, transfer.rate
        lines += [
            _limit_line("retransmits", self.max_retransmits, transfer.retransmits, str),
            _limit_line("duration", self.max_duration, duration, duration_text),
        ]
        # A transfer that took no time has no rate, and was not too slow.
        if self.min_rate is not None and rate < self.min_rate and duration > 0:
            least = rate_text(self.min_rate)
            lines.append(f"rate: expected {least} or more, was {rate_text(rate)}")
        return [line for line in lines if line]

    def _last(self, view: View) -> Transfer | None:
        done = view.select(self.name, self.client, Outcome.completed)
        return done[-1] if done else None


def _client_of(item: Transfer | Probes) -> str:
    return item.client if isinstance(item, Transfer) else item.trail.client


def _missing_text(name: str, client: str, count: int, names: Sequence[str]) -> str:
    near = nearest_names(name, names, 1)
    notes = [f"{count} times"] if count > 1 else []
    notes += [f"the store has '{short_text(near[0])}'"] if near else []
    told = f" ({', '.join(notes)})" if notes else ""
    return f"'{short_text(name)}' from {client}{told}"


def _option_line(option: str, expected: int | None, transfer: Transfer) -> str:
    """An option as it was agreed: the granted value, or else the one of RFC 1350."""
    if expected is None:
        return ""
    asked = {key.lower(): value for key, value in transfer.requested.items()}
    granted = {key.lower(): value for key, value in transfer.granted.items()}
    # tftp-hpa has a second name for a blksize that is rounded to a power of two.
    used = int(granted.get(option) or granted.get(f"{option}2") or _DEFAULTS[option])
    if used == expected:
        return ""
    how = f"asked for: {short_text(asked[option])}" if option in asked else "not asked for"
    return f"{option}: expected {expected}, was {used} ({how})"


def _limit_line(what: str, most: float | None, was: float, words: Callable[[float], str]) -> str:
    if most is None or was <= most:
        return ""
    return f"{what}: expected {words(most)} or less, was {words(was)}"
