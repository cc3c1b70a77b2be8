"""The lines that the command line prints: pure text from records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from TftpLibrary.engine.hosts import url_host
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.wording import duration_text, outcome_word, reason_text, short_text
from TftpLibrary.sizes import part_text, percent_text, rate_text, size_text


def transfer_line(transfer: Transfer) -> str:
    """Returns the line of an ended transfer: time, outcome, direction, client, name, details.

    The columns up to the client have fixed widths, so the lines on a screen form a table.
    """
    stamp = (transfer.ended or transfer.started).astimezone().strftime("%H:%M:%S")
    outcome = outcome_word(transfer.outcome)
    peer = _peer(transfer)
    what = f"{stamp} {outcome:11} {transfer.direction.value:5} {peer:21}"
    return f"{what} '{short_text(transfer.filename)}' {', '.join(_details(transfer))}"


def progress_line(running: Sequence[Transfer]) -> str:
    """Returns one line about all running transfers; empty if there is none."""
    return "; ".join(
        f"{short_text(transfer.filename, 40)} {progress(transfer)} from {transfer.client}"
        for transfer in running
    )


def progress(transfer: Transfer) -> str:
    """Returns the progress of a transfer: `41 % 3.2 of 7.8 MB 5.1 MB/s`."""
    rate = rate_text(transfer.rate)
    if transfer.size is None:
        return f"{size_text(transfer.octets)} {rate}"
    percent = percent_text(transfer.octets, transfer.size)
    return f"{percent} {part_text(transfer.octets, transfer.size)} {rate}"


def waiting(transfer: Transfer, wait: float) -> str:
    """Returns how long a client has waited for the first answer: `no answer yet, 3 of 30 s`."""
    of_wait = f" of {duration_text(wait)}" if wait else ""
    return f"no answer yet, {duration_text(round(transfer.duration))}{of_wait}"


def result_line(transfer: Transfer, command: str) -> str:
    """Returns the line of a transfer that the command `get` or `put` has made."""
    return f"{command} '{short_text(transfer.filename)}': {', '.join(_details(transfer))}"


class Totals:
    """Counts the transfers of a server, for its last line.

    Attributes:
        unseen: ended transfers whose records were dropped before they were read.
    """

    def __init__(self) -> None:
        self.unseen = 0
        self._outcomes: Counter[str] = Counter()
        self._sent = 0
        self._received = 0

    @property
    def count(self) -> int:
        """Number of the transfers that were counted."""
        return sum(self._outcomes.values())

    def add(self, transfer: Transfer) -> None:
        """Counts an ended transfer."""
        self._outcomes[outcome_word(transfer.outcome)] += 1
        if transfer.direction is Direction.read:
            self._sent += transfer.octets
        else:
            self._received += transfer.octets

    def summary(self, seconds: float) -> str:
        """Returns the line: time, transfers, outcomes, and bytes in both directions."""
        count = self.count + self.unseen
        parts = [f"{number} {outcome}" for outcome, number in self._outcomes.items()]
        if self.unseen:
            parts.append(f"{self.unseen} not shown")
        outcomes = f" ({', '.join(parts)})" if parts else ""
        transfers = "1 transfer" if count == 1 else f"{count} transfers"
        return (
            f"stopped after {duration_text(seconds)}: {transfers}{outcomes}, "
            f"{size_text(self._sent)} sent, {size_text(self._received)} received"
        )


def _details(transfer: Transfer) -> list[str]:
    if transfer.outcome is Outcome.refused:
        return [_reason(transfer)]
    details = [
        f"{_bytes_text(transfer.octets)} in {duration_text(transfer.duration)}",
        rate_text(transfer.rate),
    ]
    if transfer.outcome is Outcome.probed:
        details = ["only its size was asked"]
    if transfer.granted:
        details.append(" ".join(f"{name}={value}" for name, value in transfer.granted.items()))
    if transfer.retransmits:
        details.append(f"{transfer.retransmits} sent again")
    if transfer.outcome in (
        Outcome.failed,
        Outcome.timed_out,
        Outcome.aborted,
        Outcome.unconfirmed,
    ):
        details.append(_reason(transfer))
    return [*details, *transfer.remarks]


def _bytes_text(octets: int) -> str:
    return "1 byte" if octets == 1 else f"{octets} bytes"


def _reason(transfer: Transfer) -> str:
    code = "" if transfer.error_code is None else f" (TFTP error {transfer.error_code})"
    return f"{reason_text(transfer)}{code}"


def _peer(transfer: Transfer) -> str:
    return f"{url_host(transfer.client)}:{transfer.client_port}"
