"""Shows whether the cost stays the same as the work grows: more readers, files and octets."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from atest.performance.loads import Load
from atest.performance.peers import (
    OURS,
    SERVERS,
    Command,
    Missing,
    Server,
    ours_with,
    reference,
)
from atest.performance.report import Row, judged
from atest.performance.rounds import spread
from atest.performance.scenarios import KIB, MIB, REFERENCE, Scenario

_BASE = 10
_READERS = (1, 100, 500, 2000)
"""Readers at once; the cost of an octet is compared with that for ten."""
_MOST = (1.3, 1.1)
"""The ratio that a cost may have, and the one that is aimed at."""
_FILES = 10_000
_REQUESTS = 3000
_BIG = 4 << 30


def growth(folder: Path, load: Load, rounds: int) -> list[Row]:
    """Readers, files in a folder, and octets of a file."""
    return [
        *_readers(folder, load, rounds),
        *_files(folder, load, rounds),
        *_octets(folder, load),
    ]


def _readers(folder: Path, load: Load, rounds: int) -> list[Row]:
    """The cost of an octet for our server, and for one in C, whose growth is the kernel's."""
    _require_open_files(max(_READERS) + 100)
    commands: dict[str, Command] = {OURS: partial(ours_with, max_transfers=max(_READERS))}
    with suppress(Missing):
        commands[REFERENCE] = reference(folder)
    ratios: dict[tuple[str, int], list[float]] = {}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(Server(name, command, folder / "root"))
            for name, command in commands.items()
        ]
        for _ in range(max(3, rounds // 2)):
            for server in servers:
                base = load.cost(_scenario(_BASE), server)
                for count in _READERS if server.name == OURS else _READERS[-1:]:
                    ratio = load.cost(_scenario(count), server) / base
                    ratios.setdefault((server.name, count), []).append(ratio)
    return [_row(name, count, values) for (name, count), values in ratios.items()]


def _scenario(count: int) -> Scenario:
    # Enough transfers for the clock of processor time, which ticks each 10 ms.
    return Scenario("growth", "", "1m", 1468, 8, clients=count, transfers=max(500, count))


def _row(name: str, count: int, ratios: list[float]) -> Row:
    against = f"{_BASE} at once"
    if name == OURS:
        return judged(f"processor time per octet, {count} at once", against, ratios, _MOST)
    low, middle, high = spread(ratios)
    what = f"the same of the {name}, {count} at once"
    return Row(what, against, middle, quartiles=(low, high))


def _files(folder: Path, load: Load, rounds: int) -> list[Row]:
    """How long a request takes in a folder of many files, beside one of a single file."""
    scenario = Scenario("growth", "", "1k", transfers=_REQUESTS)
    few, many = folder / "few", folder / "many"
    for place in (few, many):
        place.mkdir()
        (place / "1k").write_bytes(os.urandom(KIB))
    for number in range(_FILES):
        (many / f"file-{number}").touch()
    ours = SERVERS[OURS]
    with Server(OURS, ours, few) as small, Server(OURS, ours, many) as large:
        ratios = []
        for _ in range(max(3, rounds // 2)):
            seconds = [load.run(scenario, server).seconds for server in (large, small)]
            ratios.append(seconds[0] / seconds[1])
    return [judged(f"a request with {_FILES:,} files", "1 file", ratios, _MOST)]


def _octets(folder: Path, load: Load) -> list[Row]:
    """The growth of the memory peak by a file of 4 GiB; its block numbers begin again 45 times."""
    root = folder / "big"
    root.mkdir()
    for name, size in (("64m", 64 * MIB), ("4g", _BIG)):
        with (root / name).open("wb") as sparse:
            sparse.truncate(size)
    with Server(OURS, SERVERS[OURS], root) as server:
        load.run(Scenario("growth", "", "64m", 1428, 64), server)
        before = server.memory("VmHWM")
        load.run(Scenario("growth", "", "4g", 1428, 64), server)
        grown = server.memory("VmHWM") - before
    return [judged("memory of 4 GiB over that of 64 MiB", "", grown / MIB, (1.0, 0.1), "MiB")]


def _require_open_files(count: int) -> None:
    """Server and clients raise their own limits as far as they may: each transfer has a socket.

    Raises:
        Missing: that is not far enough.
    """
    if sys.platform == "win32":
        raise Missing("it needs /proc")
    import resource  # noqa: PLC0415 - Windows has none

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < count:
        raise Missing(f"{count} open files are not allowed here, only {hard}")
