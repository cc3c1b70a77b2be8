"""What a test asserts about the transfers that were seen, and the message when it does not hold.

Pure functions over the tuple that `Recorder.transfers` returns. Each returns its message, which is
empty when the assertion holds; `query.py` explains what was waited for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction, ErrorCode, Mode
from TftpLibrary.recording.matching import matches_name, nearest_names, select
from TftpLibrary.recording.query import (
    describe_requests,
    explain_missing_download,
    explain_missing_transfer,
)
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.wording import duration_text, outcome_text, request_text, short_text
from TftpLibrary.sizes import rate_text

_MOST_NAMES = 10
_DEFAULTS = {"blksize": 512, "windowsize": 1}


def explain_downloads(
    transfers: Sequence[Transfer],
    name: str,
    client: str = "",
    times: int | None = None,
    *,
    files: Sequence[str] = (),
    is_complete: bool = True,
) -> str:
    """Tells why a file was not downloaded, or not so often.

    Args:
        transfers: what was seen since the mark.
        name: the name or glob.
        client: the address or network; empty for any.
        times: how often, exactly; None for once or more.
        files: the names in the store, to tell a near one.
        is_complete: False when the recorder dropped some of the transfers.
    """
    done = select(transfers, name, client, Outcome.completed, Direction.read)
    least = 1 if times is None else times
    if len(done) < least:
        return explain_missing_download(
            transfers, name, client, times=least, files=files, is_complete=is_complete
        )
    if times is None or len(done) == times:
        return ""
    source = f" from {client}" if client else ""
    requests = describe_requests(transfers, name, is_complete=is_complete)
    told = f"{_times(len(done))}, expected {_times(times)}"
    return f"'{name}' was downloaded{source} {told}.\n{requests}"


def explain_unwanted_requests(
    transfers: Sequence[Transfer], name: str, client: str = "", *, is_complete: bool = True
) -> str:
    """Tells which requests there were for a file that nobody should have asked for."""
    unwanted = select(transfers, name, client)
    if not unwanted:
        return ""
    source = f" from {client}" if client else ""
    last = unwanted[-1]
    requests = describe_requests(transfers, name, is_complete=is_complete)
    return (
        f"'{name}' was requested{source} {_times(len(unwanted))}, expected never. "
        f"The last time: {request_text(last)}, {outcome_text(last)}.\n{requests}"
    )


def explain_missing_files(
    transfers: Sequence[Transfer],
    client: str = "",
    ignore: Sequence[str] = (),
    *,
    files: Sequence[str] = (),
    is_complete: bool = True,
) -> str:
    """Tells which files were asked for and are not in the store.

    Args:
        transfers: what was seen since the mark.
        client: the address or network; empty for any.
        ignore: names and globs that may be missing.
        files: the names in the store, to tell near ones.
        is_complete: False when the recorder dropped some of the transfers.
    """
    missing = [
        transfer
        for transfer in select(transfers, "", client, Outcome.refused, Direction.read)
        if transfer.error_code == ErrorCode.file_not_found
        and not any(matches_name(transfer, pattern) for pattern in ignore)
    ]
    if not missing:
        return ""
    counts = Counter((transfer.filename, transfer.client) for transfer in missing)
    told = [_missing_text(*key, count, files) for key, count in list(counts.items())[:_MOST_NAMES]]
    if len(counts) > _MOST_NAMES:
        told.append(f"and {len(counts) - _MOST_NAMES} more")
    names = len({transfer.filename for transfer in missing})
    head = "1 requested file was missing" if names == 1 else f"{names} requested files were missing"
    requests = describe_requests(transfers, missing[0].filename, is_complete=is_complete)
    return (
        f"{head}: {', '.join(told)}. Upload under the names that the board asks for, or name what "
        f"it can do without in ignore=.\n{requests}"
    )


@dataclass(frozen=True, slots=True)
class Expected:
    """What a transfer should have used; None for what does not matter.

    Attributes:
        blksize: octets of a block; 512 when nothing was agreed.
        windowsize: blocks of a window; 1 when nothing was agreed.
        mode: how the file was translated.
        max_retransmits: packets that this end may have sent again.
        max_duration: seconds from the request to the end.
        min_rate: octets per second.
    """

    blksize: int | None = None
    windowsize: int | None = None
    mode: Mode | None = None
    max_retransmits: int | None = None
    max_duration: float | None = None
    min_rate: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is expected."""
        return self == Expected()

    def shortfalls(self, transfer: Transfer) -> list[str]:
        """Returns a line for each thing in which a transfer differs."""
        lines = [
            _option_line("blksize", self.blksize, transfer),
            _option_line("windowsize", self.windowsize, transfer),
        ]
        if self.mode is not None and transfer.mode != self.mode.value:
            lines.append(f"mode: expected {self.mode.value}, was {transfer.mode}")
        duration, rate = transfer.duration, transfer.rate
        limits = (
            ("retransmits", self.max_retransmits, transfer.retransmits, str),
            ("duration", self.max_duration, duration, duration_text),
        )
        lines += [_limit_line(*limit) for limit in limits]
        # A transfer that took no time has no rate, and was not too slow.
        if self.min_rate is not None and rate < self.min_rate and duration > 0:
            least = rate_text(self.min_rate)
            lines.append(f"rate: expected {least} or more, was {rate_text(rate)}")
        return [line for line in lines if line]


def find_transfer(transfers: Sequence[Transfer], name: str, client: str = "") -> Transfer | None:
    """Returns the last completed transfer of a file, whichever way; None where there is none."""
    done = select(transfers, name, client, Outcome.completed)
    return done[-1] if done else None


def explain_usage(
    transfers: Sequence[Transfer],
    name: str,
    expected: Expected,
    client: str = "",
    *,
    is_complete: bool = True,
) -> str:
    """Tells in what the last completed transfer of a file differs from what it should have used."""
    transfer = find_transfer(transfers, name, client)
    if transfer is None:
        return explain_missing_transfer(transfers, name, client, is_complete=is_complete)
    lines = expected.shortfalls(transfer)
    if not lines:
        return ""
    listed = "\n".join(f"  {line}" for line in lines)
    return f"{request_text(transfer)} did not go as expected:\n{listed}"


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _missing_text(name: str, client: str, count: int, files: Sequence[str]) -> str:
    near = nearest_names(name, files, 1)
    notes = [f"{count} times"] if count > 1 else []
    notes += [f"the store has '{short_text(near[0])}'"] if near else []
    told = f" ({', '.join(notes)})" if notes else ""
    return f"'{short_text(name)}' from {client}{told}"


def _option_line(option: str, expected: int | None, transfer: Transfer) -> str:
    """An option as it was agreed: what was granted, or else what RFC 1350 has."""
    if expected is None:
        return ""
    asked = {key.lower(): value for key, value in transfer.requested.items()}
    granted = {key.lower(): value for key, value in transfer.granted.items()}
    # tftp-hpa has a second name for one that is rounded to a power of two.
    used = int(granted.get(option) or granted.get(f"{option}2") or _DEFAULTS[option])
    if used == expected:
        return ""
    how = f"asked for: {short_text(asked[option])}" if option in asked else "not asked for"
    return f"{option}: expected {expected}, was {used} ({how})"


def _limit_line(what: str, most: float | None, was: float, words: Callable[[float], str]) -> str:
    if most is None or was <= most:
        return ""
    return f"{what}: expected {words(most)} or less, was {words(was)}"
