"""Times and outcomes in words, the same in messages, logs and on the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from TftpLibrary.protocol.datagrams import LINK
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction, ErrorCode
from TftpLibrary.sizes import part_text, percent_text, rate_text, size_text

IDLE = 1.0
"""Seconds without a packet of the peer after which a running transfer is called idle."""

ALL_OUT = "everything was sent, but the last acknowledgement did not come"
"""All that is known of an unconfirmed transfer."""

_SAID_SHORTLY: dict[Outcome | None, str] = {
    Outcome.probed: "only its size was asked",
    Outcome.unconfirmed: ALL_OUT,
}
_NOT_FOUND = (Cause.missing, None)
_MOST_FAULTS = 10
_MOST_OF_A_FAULT = 3
_KILO = 1000
_MINUTE = 60


class Struck(Protocol):
    """Something that a fault on purpose did to a transfer; see `FaultMark`."""

    @property
    def fault(self) -> str:
        """The id of the fault; `LINK` for the quality of the link."""

    @property
    def words(self) -> str:
        """The effect in words."""

    @property
    def times(self) -> int:
        """How often it did that."""


class Told(Protocol):
    """The fields of a transfer that its words need; `str()` of a record consists of these words."""

    @property
    def direction(self) -> Direction:
        """Whether it was read or written."""

    @property
    def filename(self) -> str:
        """The name as it was asked."""

    @property
    def server(self) -> str:
        """Alias of our server; for a transfer of our client the host and port that it asked."""

    @property
    def is_ours(self) -> bool:
        """Whether our client asked."""

    @property
    def cause(self) -> Cause | None:
        """The reason for which this end refused it."""

    @property
    def client(self) -> str:
        """The client's address."""

    @property
    def size(self) -> int | None:
        """Bytes of the whole file where known."""

    @property
    def octets(self) -> int:
        """Bytes that arrived."""

    @property
    def duration(self) -> float:
        """Seconds from the request to the end, or until now."""

    @property
    def rate(self) -> float:
        """Bytes per second."""

    @property
    def idle(self) -> float:
        """Seconds since the peer was last heard."""

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None while it runs."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Odd events that did no harm."""

    @property
    def faults(self) -> Sequence[Struck]:
        """The effects of faults on purpose on it."""

    @property
    def fault_count(self) -> int:
        """How often a fault on purpose struck it."""

    @property
    def error_code(self) -> int | None:
        """The code of the ERROR packet."""

    @property
    def error_message(self) -> str:
        """The cause of its end, in words."""


def duration_text(seconds: float) -> str:
    """Returns a time in words: `0.4 ms`, `250 ms`, `2.5 s`, `60 s`, `2 min 5 s`, `1 h 1 min`."""
    whole = round(seconds)
    if round(seconds * _KILO) < _KILO:
        return _one_unit(seconds * _KILO, "ms")
    if whole < 2 * _MINUTE:
        return _one_unit(seconds, "s")
    if whole < 60 * _MINUTE:
        return _two_units(whole, "min", "s")
    return _two_units(whole // _MINUTE, "h", "min")


def short_text(text: str, limit: int = 100) -> str:
    """Returns a text, cut in the middle if it is longer: both ends of a long name say most."""
    if len(text) <= limit:
        return text
    half = (limit - 3) // 2
    return f"{text[:half]}...{text[-half:]}"


def request_text(transfer: Told) -> str:
    """Returns a request and its client: `read request for 'zImage' from 192.168.1.50`."""
    return f"{kind_text(transfer)} for '{short_text(transfer.filename)}' {peer_words(transfer)}"


def kind_text(transfer: Told) -> str:
    """Returns what kind of request it was: `read request` or `write request`."""
    return f"{transfer.direction.value} request"


def peer_words(transfer: Told) -> str:
    """Returns the client of a request; for one of our own client the server that it asked."""
    return (
        f"from our client to {transfer.server}" if transfer.is_ours else f"from {transfer.client}"
    )


def progress_text(transfer: Told) -> str:
    """Returns the progress of a transfer: `41 % (3.2 of 7.8 MB)`, or `3.2 MB` of unknown size."""
    if transfer.size is None:
        return size_text(transfer.octets)
    percent = percent_text(transfer.octets, transfer.size)
    return f"{percent} ({part_text(transfer.octets, transfer.size)})"


def reason_text(transfer: Told) -> str:
    """Returns why a transfer ended: its error in words, in lower case and without a full stop."""
    if (
        transfer.direction is Direction.read
        and transfer.error_code == ErrorCode.file_not_found
        and transfer.cause in _NOT_FOUND
    ):
        # The same words for every system and peer: people search a log for them.
        return "file not found"
    text = short_text(transfer.error_message.strip().rstrip("."), 200)
    if text:
        # "OACK refused" keeps its capitals, "File not found" does not.
        return text if text[:2].isupper() else text[0].lower() + text[1:]
    if transfer.error_code is not None and transfer.error_code <= max(ErrorCode):
        return ErrorCode(transfer.error_code).name.replace("_", " ")
    if transfer.error_code is not None:
        return f"error {transfer.error_code}"
    return "no reason was given"


def outcome_text(transfer: Told) -> str:
    """Returns how a transfer ended, or how far it is: `completed, 7.8 MB`, `file not found`."""
    outcome = transfer.outcome
    if outcome is None:
        return f"running, {progress_text(transfer)}"
    if outcome is Outcome.completed:
        return f"completed, {size_text(transfer.octets)}"
    if outcome is Outcome.refused:
        return reason_text(transfer)
    if outcome in _SAID_SHORTLY:
        return _SAID_SHORTLY[outcome]
    if outcome is Outcome.timed_out:
        return f"timed out at {progress_text(transfer)}"
    word = "failed" if outcome is Outcome.failed else "stopped"
    return f"{word} at {progress_text(transfer)}: {reason_text(transfer)}"


def result_text(transfer: Told) -> str:
    """Returns the result of a transfer, for readers who know its outcome.

    `7.8 MB in 2 s (3.9 MB/s), 3 faults on purpose`
    """
    faults = "" if _says_its_faults(transfer) else f", {_fault_count_text(transfer)}"
    return f"{_plain_result(transfer)}{faults}"


def _plain_result(transfer: Told) -> str:
    outcome = transfer.outcome
    if outcome is Outcome.refused:
        return reason_text(transfer)
    if outcome in _SAID_SHORTLY:
        return _SAID_SHORTLY[outcome]
    if outcome is Outcome.completed:
        rate = f" ({rate_text(transfer.rate)})" if transfer.duration > 0 else ""
        return f"{size_text(transfer.octets)} in {duration_text(transfer.duration)}{rate}"
    reason = "" if outcome is None else f", {reason_text(transfer)}"
    return f"at {progress_text(transfer)}{reason}"


def outcome_word(outcome: Outcome | None) -> str:
    """Returns an outcome as one word or two: `completed`, `timed out`, `running`."""
    return "running" if outcome is None else outcome.value.replace("_", " ")


def line_text(transfer: Told) -> str:
    """Returns a transfer in one line, the first one of its card.

    `completed read request for 'zImage' from 192.168.1.50: 7.8 MB in 2 s (3.9 MB/s)`
    """
    word = outcome_word(transfer.outcome)
    return f"{word} {request_text(transfer)}: {result_text(transfer)}{remarks_text(transfer)}"


def faults_text(transfer: Told) -> str:
    """Returns which faults struck a transfer on purpose, to stand behind its outcome.

    `, 3 faults on purpose: drop-1, stall-2`; empty if there were none, or if the reason of its end
    names them.
    """
    if _says_its_faults(transfer):
        return ""
    names = [short_text(name) for name in dict.fromkeys(mark.fault for mark in transfer.faults)]
    more = f" and {len(names) - _MOST_FAULTS} more" if len(names) > _MOST_FAULTS else ""
    return f", {_fault_count_text(transfer)}: {', '.join(names[:_MOST_FAULTS])}{more}"


def on_purpose_text(transfer: Told) -> str:
    """Returns what faults did to a transfer on purpose; of many the first ones, and a number.

    `drop-1 dropped DATA 3 (2 times), delay-2 delayed ACK 7 by 500 ms`
    """
    seen = Counter[str]()
    shown: list[Struck] = []
    for mark in transfer.faults:
        seen[mark.fault] += 1
        if seen[mark.fault] <= _MOST_OF_A_FAULT and len(shown) < _MOST_FAULTS:
            shown.append(mark)
    parts = [f"{short_text(m.fault)} {m.words}{_times(m, ' ({} times)')}" for m in shown]
    rest = transfer.fault_count - sum(mark.times for mark in shown)
    return ", ".join([*parts, *([f"and {rest:,} more"] if rest > 0 else [])])


def after_faults_text(transfer: Told) -> str:
    """Returns the faults that struck a transfer last, to stand behind how it ended.

    `, after fault drop-1 (dropped DATA 2210 on purpose)`; empty if there were none, or if the
    reason of its end names them.
    """
    if _says_its_faults(transfer):
        return ""
    # A link has one mark for each kind of thing that it does.
    last = {m.words if m.fault == LINK else m.fault: m for m in transfer.faults}
    shown = list(last.values())[-_MOST_OF_A_FAULT:]
    more = [f"{len(last) - len(shown)} more"] if len(last) > len(shown) else []
    return f", after {' and '.join([*map(_fault_text, shown), *more])}"


def remarks_text(transfer: Told) -> str:
    """Returns what was odd and did no harm, to stand behind a line about a transfer."""
    return "".join(f"; {short_text(remark, 200)}" for remark in transfer.remarks)


def running_text(transfer: Told, limit: int = 100) -> str:
    """Returns the state of a running transfer, short enough for a line on a terminal.

    `kernel.img 41 % 3.2/7.8 MB 5.1 MB/s from 192.168.1.50`
    """
    rate = rate_text(transfer.rate)
    if transfer.size is None:
        done = size_text(transfer.octets)
    else:
        part = part_text(transfer.octets, transfer.size).replace(" of ", "/")
        done = f"{percent_text(transfer.octets, transfer.size)} {part}"
    silent = f", silent for {duration_text(transfer.idle)}" if transfer.idle >= IDLE else ""
    name = short_text(transfer.filename, limit)
    peer = f"with {transfer.server}" if transfer.is_ours else f"from {transfer.client}"
    return f"{name} {done} {rate} {peer}{silent}"


def _says_its_faults(transfer: Told) -> bool:
    """Whether the reason of its end names every fault that struck it, or none did."""
    reason = transfer.error_message
    return all("on purpose" in reason and mark.fault in reason for mark in transfer.faults)


def _fault_count_text(transfer: Told) -> str:
    count = transfer.fault_count
    return "1 fault on purpose" if count == 1 else f"{count:,} faults on purpose"


def _fault_text(mark: Struck) -> str:
    if mark.fault == LINK:
        return f"the link {mark.words} on purpose{_times(mark, ' ({} times)')}"
    return f"fault {short_text(mark.fault)} ({mark.words} on purpose{_times(mark, ', {} times')})"


def _times(mark: Struck, form: str) -> str:
    return form.format(f"{mark.times:,}") if mark.times > 1 else ""


def _one_unit(value: float, unit: str) -> str:
    """A value below ten has one decimal place, unless that is 0."""
    tenths = round(value * 10)
    return f"{tenths / 10:g} {unit}" if tenths < 10 * 10 else f"{round(value)} {unit}"


def _two_units(count: int, large: str, small: str) -> str:
    whole, rest = divmod(count, 60)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"
