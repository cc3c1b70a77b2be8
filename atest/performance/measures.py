"""Figures measured once for each server: processor time, memory, start and stop, clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

from atest.equipment.daemons import HOST
from atest.performance.growth import growth
from atest.performance.labs import labs
from atest.performance.loads import Failed, Load
from atest.performance.logs import logs
from atest.performance.peers import (
    HERE,
    OURS,
    PROJECT,
    SERVERS,
    Missing,
    Server,
    compile_c,
    find,
    ours_with,
    python_module,
    reference,
)
from atest.performance.plans import plans
from atest.performance.report import Row, at_least, judged
from atest.performance.scenarios import MIB, REFERENCE, SCENARIOS, Gates, Scenario

GB = 1e9
_BOARD = ("1468", "64", "8", "50", "10")
"""blksize, windowsize, receive buffers, microseconds for a datagram; seconds at most."""
_CLIENT_GATES: dict[str, tuple[str, int, int, Gates]] = {
    "client, window of 64": ("64m", 1428, 64, {"pytftp": (3.5, 4.5), "atftp": (1.5, 2.0)}),
    "client, lock-step": ("16m", 512, 1, {"pytftp": (1.7, 2.0), "atftp": (0.85, 1.0)}),
}


def cpu(folder: Path, load: Load, rounds: int) -> list[Row]:
    """Processor seconds for a gigabyte at S4, and their share of pytftp's."""
    scenario = next(each for each in SCENARIOS if each.name == "S4")
    with ExitStack() as stack:
        servers = [
            stack.enter_context(Server(name, SERVERS[name], folder / "root"))
            for name in (OURS, "pytftp")
        ]
        costs = [[load.cost(scenario, server) for server in servers] for _ in range(max(3, rounds))]
    return [
        Row("processor seconds per GB at S4", "", median(ours for ours, _ in costs) * GB, unit="s"),
        judged(
            "the same, share of the peer's",
            "pytftp",
            [ours / theirs for ours, theirs in costs],
            (0.2, 0.14),
        ),
    ]


def memory(folder: Path, load: Load, rounds: int) -> list[Row]:  # noqa: ARG001 - one is enough
    """The memory that a thousand transfers leave behind, and that of 500 readers at once."""
    many = Scenario("memory", "", "1m", 1468, 16, clients=4, transfers=1000)
    crowd = next(each for each in SCENARIOS if each.name == "S6-500")
    small = Scenario("idle", "", "1k", transfers=10)
    with Server(OURS, SERVERS[OURS], folder / "root") as server:
        load.run(many, server)
        first = server.memory()
        load.run(many, server)
        left = server.memory() - first
    with Server(OURS, SERVERS[OURS], folder / "root") as server:
        load.run(small, server)
        idle = server.memory()
        load.run(crowd, server)
        peak = server.memory("VmHWM") - idle
    return [
        judged("memory left by 1,000 more transfers", "", left / MIB, (1.0, 0.0), "MiB"),
        judged("memory of 500 readers over idle", "", peak / MIB, (8.0, 3.0), "MiB"),
    ]


def start(folder: Path, load: Load, rounds: int) -> list[Row]:  # noqa: ARG001 - as the others
    """Import, start to the first answer, stop with a transfer running; medians."""
    # Compiled modules are kept, as after an installation, but nowhere in the project.
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONPYCACHEPREFIX": str(folder)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    words = [sys.executable, str(HERE / "start_run.py")]
    found = []
    for _ in range(max(5, rounds) + 1):
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, check=True, cwd=folder
        )
        found.append([float(word) * 1000 for word in done.stdout.split()])
    # The first one compiles.
    imported, answered, stopped = (median(column) for column in zip(*found[1:], strict=True))
    return [
        judged("import of the plain Python part", "", imported, (30, 10), "ms"),
        judged("start of a server to its first answer", "", answered, (20, 5), "ms"),
        judged("stop of a server during a transfer", "", stopped, (100, 30), "ms"),
    ]


def client(folder: Path, load: Load, rounds: int) -> list[Row]:  # noqa: ARG001 - as the others
    """Our client beside others, with a C server that sends windows in one call."""
    with Server(REFERENCE, reference(folder), folder / "root") as server:
        return [
            row for what in _CLIENT_GATES for row in _downloads(what, server.port, folder, rounds)
        ]


def _downloads(what: str, port: int, folder: Path, rounds: int) -> list[Row]:
    """Our client beside others, in interleaved rounds."""
    name, blksize, windowsize, gates = _CLIENT_GATES[what]
    seconds: dict[str, list[float]] = {kind: [] for kind in (OURS, *gates)}
    for _ in range(rounds):
        for kind in list(seconds):
            try:
                taken = _download(kind, port, name, folder, blksize, windowsize)
            except (Failed, Missing) as reason:
                print(f"! {what}, {kind} is left out: {reason}", flush=True)
                # Its rounds would no longer be those of the others.
                del seconds[kind]
            else:
                seconds[kind].append(taken)
    if OURS not in seconds:
        raise Failed("without ours there is nothing to compare")
    return [
        at_least(
            what,
            peer,
            [theirs / ours for theirs, ours in zip(seconds[peer], seconds[OURS], strict=True)],
            gate,
        )
        for peer, gate in gates.items()
        if peer in seconds
    ]


def _download(
    kind: str, port: int, name: str, folder: Path, blksize: int, windowsize: int
) -> float:
    """Downloads with one client, compares the octets, and returns the seconds.

    Raises:
        Failed: it ended with an error, or with other octets.
        Missing: it is not installed.
    """
    destination = folder / f"{kind}-download"
    destination.unlink(missing_ok=True)
    if kind == "atftp":
        words = [find("atftp"), "--option", f"blksize {blksize}"]
        words += ["--option", f"windowsize {windowsize}"] if windowsize > 1 else []
        words += ["-g", "-r", name, "-l", str(destination), HOST, str(port)]
    else:
        program = sys.executable if kind == OURS else python_module("tftp")
        words = [program, str(HERE / "client_run.py"), kind, HOST, str(port), name]
        words += [str(destination), str(blksize), str(windowsize)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    started = time.perf_counter()
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise Failed(done.stderr.strip()[-200:] or f"it ended with {done.returncode}")
    if destination.read_bytes() != (folder / "root" / name).read_bytes():
        raise Failed("it has other octets")
    return seconds if kind == "atftp" else float(done.stdout)


def board(folder: Path, load: Load, rounds: int) -> list[Row]:  # noqa: ARG001 - as the others
    """A board with few receive buffers: with the pace after a time-out, and with whole windows."""
    program = str(compile_c("slow_board", folder))
    if sys.platform != "linux":
        raise Missing("it sets the cores of a process as Linux does")
    cores = set(range(os.cpu_count() or 1)) - os.sched_getaffinity(0)
    if not cores:
        raise Missing("the board needs a core of its own")
    found: dict[str, list[dict[str, float]]] = {}
    for kind in ("adaptive", "fixed"):
        command = partial(ours_with, retransmission=f"Retransmission.{kind}")
        with Server(kind, command, folder / "root") as server:
            words = [program, HOST, str(server.port), "8m", *_BOARD]
            for _ in range(rounds):
                done = subprocess.run(
                    words,
                    capture_output=True,
                    check=True,
                    preexec_fn=partial(os.sched_setaffinity, 0, cores),
                )
                found.setdefault(kind, []).append(json.loads(done.stdout))
    rates = {
        kind: [each["octets"] / each["seconds"] for each in runs] for kind, runs in found.items()
    }
    ratios = [paced / whole for paced, whole in zip(rates["adaptive"], rates["fixed"], strict=True)]
    per_mib = median(each["timeouts"] / (each["octets"] / MIB) for each in found["adaptive"])
    return [
        Row("slow board, with a pace", "", median(rates["adaptive"]) / 1e6, unit="MB/s"),
        at_least("slow board, with a pace", "whole windows", ratios, (50, 100)),
        judged("slow board, its time-outs per MiB", "", per_mib, (0.2, 0.0)),
    ]


MEASURES: dict[str, Callable[[Path, Load, int], list[Row]]] = {
    "board": board,
    "client": client,
    "cpu": cpu,
    "growth": growth,
    "labs": labs,
    "logs": logs,
    "memory": memory,
    "plans": plans,
    "start": start,
}


def chosen_measures(names: str) -> list[str]:
    """Returns the measures that are named, all of them for an empty text.

    Raises:
        ValueError: there is no measure of that name.
    """
    wanted = [name for name in names.split(",") if name]
    if unknown := sorted(set(wanted) - set(MEASURES)):
        raise ValueError(
            f"There is no measure {', '.join(unknown)}. Measures: {', '.join(MEASURES)}."
        )
    return wanted or list(MEASURES)
