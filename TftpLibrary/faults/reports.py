"""Reports of a fault at one moment: frozen values for the threads of tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from TftpLibrary.faults.placed import Hit, Placed, Stage


class TftpFault(NamedTuple):
    """A fault on purpose, and what it did so far.

    Attributes:
        id: such as `drop-1`, or the name that was given.
        text: as it was asked for, in words.
        kind: what happens, such as `drop`; `deny` and `damage` for faults of a file.
        packet: the packets that it strikes; empty for faults of a file.
        file: name or glob of the file.
        client: address or network of the board; empty for every one.
        times: how often it strikes each client; None without end.
        hits: how often it happened.
        clients: how often it happened to each client.
        first_at: seconds from the injection to the first time; None if it never happened.
        last_at: seconds from the injection to the newest time; None if it never happened.
        passed_by: packets of its transfers that it left alone.
        server: alias of the server; empty for our client.
    """

    id: str
    text: str
    kind: str
    packet: str
    file: str
    client: str
    times: int | None
    hits: int = 0
    clients: Mapping[str, int] = {}
    first_at: float | None = None
    last_at: float | None = None
    passed_by: int = 0
    server: str = ""


class FaultReport(NamedTuple):
    """A fault with what explains why it did not happen.

    Attributes:
        fault: the fault.
        age: seconds since the injection.
        requests: requests of its file and its clients since then.
        left_alone: why packets and requests were left alone, and how many.
        lowest: the lowest block of its packet that it left alone.
        highest: the highest one.
        hits: the first hits, and the newest one.
        is_expected: whether it should happen: neither by chance nor now and then.
    """

    fault: TftpFault
    age: float
    requests: int
    left_alone: Mapping[Stage, int]
    lowest: int | None
    highest: int | None
    hits: tuple[Hit, ...]
    is_expected: bool


def report_of(placed: Placed, now: float, server: str) -> FaultReport:
    """Returns what is known of a fault now."""
    rule, fault = placed.rule, placed.fault
    of_packets = {stage: count for stage, count in placed.stages.items() if stage not in _EARLY}
    public = TftpFault(
        placed.id,
        placed.text,
        placed.kind,
        "" if rule is None else str(rule.meant),
        fault.file,
        fault.client,
        fault.times,
        placed.hits,
        dict(placed.clients),
        placed.kept[0].seconds if placed.kept else None,
        placed.kept[-1].seconds if placed.kept else None,
        sum(of_packets.values()),
        server,
    )
    is_by_chance = rule is not None and (rule.every > 1 or rule.probability is not None)
    return FaultReport(
        public,
        now - placed.begun,
        placed.requests,
        dict(placed.stages),
        placed.lowest,
        placed.highest,
        tuple(placed.kept),
        not is_by_chance,
    )


_EARLY = (Stage.file, Stage.client)
