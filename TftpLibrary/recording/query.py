"""Questions to a record: which transfers match, what was seen, and why a wait found nothing.

Pure functions over the tuple that `Recorder.transfers` returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction, ErrorCode
from TftpLibrary.recording.matching import (
    matches_client,
    matches_name,
    nearest_names,
    plain_name,
    select,
)
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.wording import (
    IDLE,
    duration_text,
    outcome_text,
    progress_text,
    reason_text,
    request_text,
    short_text,
)
from TftpLibrary.sizes import size_text

__all__ = [
    "describe_requests",
    "explain_missing_download",
    "explain_missing_request",
    "explain_missing_transfer",
    "explain_missing_upload",
    "matches_client",
    "matches_name",
    "nearest_names",
    "select",
]


def describe_requests(
    transfers: Sequence[Transfer], near: str = "", limit: int = 10, *, is_complete: bool = True
) -> str:
    """Returns the requests in one sentence, oldest first, each with its number and its outcome.

    Args:
        transfers: what was seen since the mark.
        near: in a list longer than `limit`, names like this one come first.
        limit: requests that are named; of the rest only the number is told.
        is_complete: False when the recorder dropped some of them.
    """
    if not transfers:
        text = "No request was seen since the mark."
    else:
        numbered = list(enumerate(transfers, 1))
        if len(numbered) > limit and near:
            first = set(nearest_names(near, (t.filename for t in transfers), limit))
            numbered.sort(key=lambda entry: entry[1].filename not in first)
        shown = [f"{number} {request_text(t)}: {outcome_text(t)}" for number, t in numbered[:limit]]
        rest = len(numbered) - len(shown)
        more = f"; and {rest} more" if rest else ""
        text = f"Requests seen: {'; '.join(shown)}{more}."
    return text if is_complete else f"{text} Older ones were dropped: the record was full."


def explain_missing_download(
    transfers: Sequence[Transfer],
    name: str,
    client: str = "",
    timeout: float | None = None,
    *,
    times: int = 1,
    files: Sequence[str] = (),
    is_complete: bool = True,
) -> str:
    """Returns why no board downloaded a file: the nearest miss, what to do, the requests seen.

    Args:
        transfers: what was seen since the mark.
        name: the name or glob that was waited for.
        client: the address or network that was waited for; empty for any.
        timeout: seconds that were waited; None where nobody waited.
        times: downloads that were waited for.
        files: the names in the store, to tell a near one.
        is_complete: False when the recorder dropped some of the transfers.
    """
    wait = _Wait(
        name, client, "downloaded", Direction.read, timeout, times=times, files=tuple(files)
    )
    return wait.explain(transfers, is_complete)


def explain_missing_upload(
    transfers: Sequence[Transfer],
    name: str,
    client: str = "",
    timeout: float | None = None,
    *,
    min_size: int = 0,
    is_complete: bool = True,
) -> str:
    """Returns why no board sent a file, as `explain_missing_download` does.

    Args:
        transfers: what was seen since the mark.
        name: the name or glob that was waited for.
        client: the address or network that was waited for; empty for any.
        timeout: seconds that were waited; None where nobody waited.
        min_size: octets that the file was to have at least.
        is_complete: False when the recorder dropped some of the transfers.
    """
    wait = _Wait(name, client, "received", Direction.write, timeout, min_size=min_size)
    return wait.explain(transfers, is_complete)


def explain_missing_request(
    transfers: Sequence[Transfer],
    name: str,
    client: str = "",
    timeout: float | None = None,
    *,
    is_complete: bool = True,
) -> str:
    """Returns why no board asked for a file, as `explain_missing_download` does."""
    wait = _Wait(name, client, "requested", None, timeout, is_request_enough=True)
    return wait.explain(transfers, is_complete)


def explain_missing_transfer(
    transfers: Sequence[Transfer], name: str, client: str = "", *, is_complete: bool = True
) -> str:
    """Returns why a file was not transferred, whichever way, as `explain_missing_download` does."""
    return _Wait(name, client, "transferred").explain(transfers, is_complete)


@dataclass(frozen=True, slots=True)
class _Wait:
    """What was waited for; explains why it did not come."""

    name: str
    client: str
    done: str
    direction: Direction | None = None
    timeout: float | None = None
    times: int = 1
    min_size: int = 0
    files: tuple[str, ...] = ()
    is_request_enough: bool = False

    def explain(self, transfers: Sequence[Transfer], is_complete: bool) -> str:
        source = f" from {self.client}" if self.client else ""
        waited = "" if self.timeout is None else f" in {duration_text(self.timeout)}"
        head = f"'{self.name}' was not {self.done}{source}{waited}"
        miss, hint = self.nearest_miss(transfers)
        requests = describe_requests(transfers, self.name, is_complete=is_complete)
        return f"{head}: {miss}. {hint}\n{requests}"

    def nearest_miss(self, transfers: Sequence[Transfer]) -> tuple[str, str]:
        """What came nearest, and what to do."""
        own = select(transfers, self.name, self.client, direction=self.direction)
        if own:
            return self.attempts(own)
        if self.direction and select(transfers, self.name, self.client):
            return self.other_direction()
        same_client = select(transfers, client=self.client, direction=self.direction)
        near = nearest_names(self.name, (transfer.filename for transfer in same_client))
        if near:
            return self.near_names(near, same_client)
        others = select(transfers, self.name, direction=self.direction)
        if others:
            return self.other_clients(others)
        return self.nothing_like_it(transfers)

    def attempts(self, own: Sequence[Transfer]) -> tuple[str, str]:
        """The name was asked by the right client, and that was not enough."""
        completed = [transfer for transfer in own if transfer.outcome is Outcome.completed]
        enough = [transfer for transfer in completed if transfer.octets >= self.min_size]
        if self.is_request_enough or len(enough) >= self.times:
            return f"it came just too late ({outcome_text(own[-1])})", "Raise timeout=."
        # A board that asks for the size first, and then for the content, tells more the second
        # time, whatever came of it.
        last = next((t for t in reversed(own) if t.outcome is not Outcome.probed), own[-1])
        if not completed:
            return self.attempt(last)
        if not enough:
            size = max(transfer.octets for transfer in completed)
            return (
                f"it came with {size_text(size)} only, of at least {size_text(self.min_size)}",
                "The board sent less than expected: look at its console, or lower min_size=.",
            )
        miss = f"only {len(enough)} of {self.times} times"
        if last.outcome is Outcome.completed:
            return miss, "Let the board ask again, or lower times=."
        text, hint = self.attempt(last)
        return f"{miss}; the last time {text}", hint

    def attempt(self, transfer: Transfer) -> tuple[str, str]:
        """One transfer that did not complete."""
        is_named = plain_name(transfer.filename) == plain_name(self.name)
        name = "" if is_named else f"'{short_text(transfer.filename)}' "
        if transfer.outcome is Outcome.refused:
            hint = self.refusal_hint(transfer)
            return f"{name or 'it '}was requested and refused: {reason_text(transfer)}", hint
        if transfer.outcome is Outcome.probed:
            size = "its size" if is_named else f"the size of {name.rstrip()}"
            return (
                f"only {size} was asked",
                "The board took the size and did not come back for the content: look at its "
                "console, the file may be too large for it.",
            )
        came = f"{name}{progress_text(transfer)}, block {transfer.blocks}"
        if transfer.outcome is None:
            return self.unfinished(transfer, came)
        return _cut_short(transfer, came)

    def unfinished(self, transfer: Transfer, came: str) -> tuple[str, str]:
        """A transfer that still runs."""
        if transfer.idle >= IDLE:
            hint = "The board went silent: look at its console, its power and its cable."
            return f"{came}, idle for {duration_text(transfer.idle)}", hint
        more = ""
        if transfer.size is not None and transfer.rate > 0:
            more = duration_text((transfer.size - transfer.octets) / transfer.rate)
        if self.timeout is None:
            hint = f"It needs about {more} more: " if more else ""
            hint += f"{'w' if more else 'W'}ait for it with `{_WAITS[transfer.direction]}`."
        elif more:
            hint = f"It needs about {more} more: raise timeout=."
        else:
            hint = "Give it more time: timeout=."
        return f"{came}, still running", hint

    def refusal_hint(self, transfer: Transfer) -> str:
        code = transfer.error_code
        if code == ErrorCode.file_not_found and transfer.direction is Direction.read:
            near = nearest_names(transfer.filename, self.files)
            there = f"The store has {_quoted(near)}. " if near else ""
            return f"{there}Upload the file under the name that the board asks for."
        hints = _UPLOAD_HINTS if transfer.direction is Direction.write else _DOWNLOAD_HINTS
        return hints.get(code, "The ERROR packet tells the reason.")

    def other_direction(self) -> tuple[str, str]:
        if self.direction is Direction.read:
            return (
                "the board sent it (WRQ) instead of asking for it (RRQ)",
                f"`{_WAITS[Direction.write]}` waits for what a board sends.",
            )
        return (
            "the board asked for it (RRQ) instead of sending it (WRQ)",
            f"`{_WAITS[Direction.read]}` waits for what a board asks for.",
        )

    def near_names(self, near: Sequence[str], seen: Sequence[Transfer]) -> tuple[str, str]:
        last = {transfer.filename: outcome_text(transfer) for transfer in seen}
        listed = ", ".join(f"'{short_text(name)}' ({last[name]})" for name in near)
        word = "sent" if self.direction is Direction.write else "requested"
        return (
            f"no such name was {word}, the nearest: {listed}",
            "Names match exactly, with case and folders, or as a glob such as '*/zImage'.",
        )

    def other_clients(self, others: Sequence[Transfer]) -> tuple[str, str]:
        last = {transfer.client: outcome_text(transfer) for transfer in others}
        listed = ", ".join(f"{client} ({text})" for client, text in list(last.items())[:3])
        word = "sent" if self.direction is Direction.write else "asked for"
        return f"only other clients {word} it: {listed}", _CLIENT_HINT

    def nothing_like_it(self, transfers: Sequence[Transfer]) -> tuple[str, str]:
        if not transfers:
            return "nothing was requested", _SILENCE_HINT
        if not select(transfers, client=self.client):
            clients = ", ".join(list(dict.fromkeys(t.client for t in transfers))[:3])
            return f"{self.client} asked for nothing, only {clients} did", _CLIENT_HINT
        word = "sent" if self.direction is Direction.write else "requested"
        return (
            f"no such name was {word}, and none like it",
            "Look at what the board is set to load or to send, and at its console.",
        )


_WAITS = {
    Direction.read: "Wait Until File Is Downloaded",
    Direction.write: "Wait Until File Is Received",
}
_SILENCE_HINT = (
    "Check the server address and port that the board uses, its cable, and the firewall of this "
    "machine."
)
_CLIENT_HINT = "Check client= and the board's address; behind NAT it is that of the router."

_DOWNLOAD_HINTS: dict[int | None, str] = {
    ErrorCode.access_violation: (
        "Only regular files that can be read, below the root, are served, to the clients that the "
        "server allows."
    ),
    ErrorCode.illegal_operation: "The request is not one that TFTP knows.",
}
_UPLOAD_HINTS: dict[int | None, str] = {
    ErrorCode.file_not_found: "The server was started with create=False: only files that exist.",
    ErrorCode.access_violation: "Start the server with writable=True to let boards send files.",
    ErrorCode.disk_full: "The file is larger than max_upload_size=, or the disk is full.",
    ErrorCode.file_exists: "Start the server with overwrite=True, or delete the file before.",
    ErrorCode.illegal_operation: "The request is not one that TFTP knows.",
}


def _cut_short(transfer: Transfer, came: str) -> tuple[str, str]:
    if transfer.outcome is Outcome.timed_out:
        hint = "The board went silent: look at its console, its power and its cable."
        return f"{came}, then the board stopped answering", hint
    if transfer.outcome is Outcome.aborted:
        hint = "This machine ended it: was the server stopped too early?"
        return f"{came}, then it was stopped: {reason_text(transfer)}", hint
    hint = "Look at the board's console for what went wrong there."
    return f"{came}, then it failed: {reason_text(transfer)}", hint


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{short_text(name)}'" for name in names)
