"""What the log costs: the table of the transfers, which each failed test writes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median
from time import perf_counter

from atest.performance.loads import Load
from atest.performance.report import Row, judged
from TftpLibrary.keywords.log.timeline import transfers_table
from TftpLibrary.messages.requests import describe_requests
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import View

_COUNTS = (50, 200, 2000)
_MOST = (50, 20)
"""Milliseconds that a table may take, and that are aimed at, however many requests there were."""
_BEGUN = datetime(2026, 11, 27, tzinfo=timezone.utc)


def logs(folder: Path, load: Load, rounds: int) -> list[Row]:  # noqa: ARG001 - as the others
    """The table, and the sentence of a failure, for tests with few and with many requests."""
    rows = []
    for count in _COUNTS:
        requests = tuple(_request(number) for number in range(1, count + 1))
        seconds = [_seconds(requests) for _ in range(max(3, rounds))]
        rows.append(judged(f"table of {count:,} requests", "", median(seconds) * 1000, _MOST, "ms"))
    return rows


def _seconds(requests: tuple[Transfer, ...]) -> float:
    begun = perf_counter()
    transfers_table(requests)
    describe_requests(View(requests), "zImage")
    return perf_counter() - begun


def _request(number: int) -> Transfer:
    """A board that looks for its configuration, and loads a file now and then."""
    is_there = number % 10 == 0
    return Transfer(
        number,
        "tftp-1",
        Direction.read,
        f"boot/zImage-{number}" if is_there else f"pxelinux.cfg/{number:08X}",
        "192.168.1.50",
        1024 + number,
        _BEGUN + timedelta(seconds=number / 3),
        size=5_000_000 if is_there else None,
        octets=5_000_000 if is_there else 0,
        duration=1.5 if is_there else 0.0,
        outcome=Outcome.completed if is_there else Outcome.refused,
        error_code=None if is_there else 1,
        error_message="" if is_there else "File not found",
    )
