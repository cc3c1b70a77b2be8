"""Records of transfers for tests: a test names only the fields that it is about."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import FaultMark, Transfer

DROPPED = FaultMark(0.2, "drop-1", "dropped DATA 3", 2)
STALLED = FaultMark(0.9, "stall-2", "let nothing pass from DATA 2210 onwards")
LINKED = FaultMark(0.1, "link", "lost packets", 12)
STARTED = datetime(2024, 5, 17, 10, 30, tzinfo=timezone.utc)
BOARD = "192.168.1.50"


def transfer(filename: str = "zImage", **values: Any) -> Transfer:
    """A running read of the board, changed by the values."""
    defaults: dict[str, Any] = {
        "id": 0,
        "server": "",
        "direction": Direction.read,
        "client": BOARD,
        "client_port": 50312,
        "started": STARTED,
    }
    return Transfer(filename=filename, **{**defaults, **values})


def completed(filename: str = "zImage", octets: int = 7_800_000, **values: Any) -> Transfer:
    """A transfer of which every octet arrived."""
    return ended(filename, Outcome.completed, size=octets, octets=octets, **values)


def refused(filename: str = "zImage", **values: Any) -> Transfer:
    """A request for a file that is not there."""
    error = {"error_code": 1, "error_message": "File not found", "cause": Cause.missing}
    return ended(filename, Outcome.refused, **{**error, **values})


def partial(filename: str = "zImage", **values: Any) -> Transfer:
    """A transfer that is, or was, at 41 %."""
    progress = {"size": 7_800_000, "octets": 3_244_280, "blocks": 2210, "duration": 48.0}
    return transfer(filename, **{**progress, **values})


def struck(*marks: FaultMark) -> dict[str, Any]:
    """The values of a transfer that faults on purpose struck: `partial(**struck(DROPPED))`."""
    return {"faults": marks, "fault_count": sum(mark.times for mark in marks)}


def ended(filename: str, outcome: Outcome, **values: Any) -> Transfer:
    """A transfer that ended with an outcome."""
    return transfer(filename, outcome=outcome, **{"ended": STARTED, **values})


class _Quiet:
    """An engine that has no progress to report."""

    def report_progress(self) -> None: ...


_QUIET = _Quiet()


def open_record(recorder: Recorder, running: Transfer) -> Transfer:
    """Opens the record of a running transfer. Returns it with its id."""
    running = running._replace(id=recorder.reserve())
    recorder.opened(running, _QUIET)
    return running


def write_record(recorder: Recorder, transfer: Transfer) -> None:
    """Writes a record as an engine does: opens it, and ends it if it has an outcome."""
    running = open_record(recorder, transfer._replace(outcome=None, ended=None))
    if transfer.outcome is not None:
        recorder.ended(transfer._replace(id=running.id))
