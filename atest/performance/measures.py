"""What is measured once for each server: processor time, memory, start and stop, clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from loads import Load
from peers import HERE, HOST, OURS, PROJECT, SERVERS, Missing, Server, compile_c, find
from report import Row, at_least, judged
from scenarios import FILES, MIB, SCENARIOS, Gates, Scenario

GB = 1e9
_BOARD = ("1468", "64", "8", "50", "10")
"""blksize, windowsize, receive buffers, microseconds for a datagram; seconds at most."""
_CLIENT_GATES: dict[str, tuple[str, int, int, Gates]] = {
    "client, window of 64": ("64m", 1428, 64, {"pytftp": (3.5, 4.5), "atftp": (1.5, 2.0)}),
    "client, lock-step": ("16m", 512, 1, {"pytftp": (1.7, 2.0), "atftp": (0.85, 1.0)}),
}


def cpu(folder: Path, load: Load, rounds: int) -> list[Row]:
    """Processor seconds for a gigabyte at S4, and the share of what pytftp takes."""
    scenario = next(each for each in SCENARIOS if each.name == "S4")
    seconds: dict[str, float] = {}
    for name in (OURS, "pytftp"):
        server = Server(name, SERVERS[name], folder / "root")
        try:
            before, octets = server.cpu_seconds, 0
            for _ in range(max(3, rounds)):
                octets += load.run(scenario, server).octets
            seconds[name] = (server.cpu_seconds - before) / octets * GB
        finally:
            server.close()
    share = seconds[OURS] / seconds["pytftp"]
    return [
        Row("processor seconds per GB at S4", "", seconds[OURS], unit="s"),
        judged("the same, share of the peer's", "pytftp", share, (0.2, 0.14)),
    ]


def memory(folder: Path, load: Load, rounds: int) -> list[Row]:  # noqa: ARG001 - one is enough
    """What a thousand transfers leave behind, and what 500 readers at once take."""
    many = Scenario("memory", "", "1m", 1468, 16, clients=4, transfers=1000)
    crowd = next(each for each in SCENARIOS if each.name == "S6-500")
    small = Scenario("idle", "", "1k", transfers=10)
    server = Server(OURS, SERVERS[OURS], folder / "root")
    try:
        load.run(many, server)
        first = server.memory()
        load.run(many, server)
        left = server.memory() - first
    finally:
        server.close()
    server = Server(OURS, SERVERS[OURS], folder / "root")
    try:
        load.run(small, server)
        idle = server.memory()
        load.run(crowd, server)
        peak = server.memory("VmHWM") - idle
    finally:
        server.close()
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
    program = str(compile_c("reference", folder))
    server = Server(
        "reference",
        lambda port, root: [program, HOST, str(port), str(root)],
        folder / "root",
    )
    rows = []
    try:
        for what, (name, blksize, windowsize, gates) in _CLIENT_GATES.items():
            seconds: dict[str, list[float]] = {}
            for _ in range(rounds):
                for kind in (OURS, *gates):
                    taken = _download(kind, server.port, name, folder, blksize, windowsize)
                    if taken is not None:
                        seconds.setdefault(kind, []).append(taken)
            for peer, gate in gates.items():
                if peer in seconds:
                    pairs = zip(seconds[peer], seconds[OURS], strict=False)
                    ratios = [theirs / ours for theirs, ours in pairs]
                    rows.append(at_least(what, peer, ratios, gate))
    finally:
        server.close()
    return rows


def _download(
    kind: str, port: int, name: str, folder: Path, blksize: int, windowsize: int
) -> float | None:
    """Downloads with one client, checks the octets, and returns the seconds; None without it."""
    destination = folder / f"{kind}-download"
    destination.unlink(missing_ok=True)
    started = time.perf_counter()
    try:
        if kind == "atftp":
            words = [find("atftp"), "--option", f"blksize {blksize}"]
            words += ["--option", f"windowsize {windowsize}"] if windowsize > 1 else []
            words += ["-g", "-r", name, "-l", str(destination), HOST, str(port)]
        else:
            words = [sys.executable, str(HERE / "client_run.py"), kind, HOST, str(port), name]
            words += [str(destination), str(blksize), str(windowsize)]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    except Missing:
        return None
    seconds = time.perf_counter() - started
    if done.returncode or destination.stat().st_size != FILES[name]:
        return None
    if destination.read_bytes() != (folder / "root" / name).read_bytes():
        raise Missing(f"{kind} downloaded other octets")
    return seconds if kind == "atftp" else float(done.stdout)


def board(folder: Path, load: Load, rounds: int) -> list[Row]:  # noqa: ARG001 - as the others
    """A board with few receive buffers, with either kind of retransmission."""
    program = str(compile_c("slow_board", folder))
    cores = set(range(os.cpu_count() or 1)) - os.sched_getaffinity(0)
    if not cores:
        raise Missing("the board needs a core of its own")
    found: dict[str, list[dict[str, float]]] = {}
    for kind in ("adaptive", "fixed"):
        server = Server(kind, partial(_serve, retransmission=kind), folder / "root")
        try:
            words = [program, HOST, str(server.port), "8m", *_BOARD]
            for _ in range(max(3, rounds // 2)):
                done = subprocess.run(
                    words,
                    capture_output=True,
                    check=True,
                    preexec_fn=lambda: os.sched_setaffinity(0, cores),
                )
                found.setdefault(kind, []).append(json.loads(done.stdout))
        finally:
            server.close()
    rates = {
        kind: [each["octets"] / each["seconds"] for each in runs] for kind, runs in found.items()
    }
    ratios = [ours / fixed for ours, fixed in zip(rates["adaptive"], rates["fixed"], strict=True)]
    per_mib = median(each["timeouts"] / (each["octets"] / MIB) for each in found["adaptive"])
    return [
        Row("slow board, adaptive timer", "", median(rates["adaptive"]) / 1e6, unit="MB/s"),
        at_least("slow board, adaptive timer", "fixed timer", ratios, (50, 100)),
        judged("slow board, its time-outs per MiB", "", per_mib, (0.2, 0.0)),
    ]


def _serve(port: int, root: Path, retransmission: str) -> list[str]:
    """Our server, with a setting that its command line does not have."""
    program = (
        "import signal; from TftpLibrary import ServerSettings, TftpServer; "
        "from TftpLibrary.engine.settings import Retransmission; "
        f"settings = ServerSettings(port={port}, retransmission=Retransmission.{retransmission}); "
        f"TftpServer({str(root)!r}, settings).start(); signal.pause()"
    )
    return [sys.executable, "-c", program]


MEASURES: dict[str, Callable[[Path, Load, int], list[Row]]] = {
    "board": board,
    "client": client,
    "cpu": cpu,
    "memory": memory,
    "start": start,
}
