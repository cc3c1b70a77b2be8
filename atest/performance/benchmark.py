"""How fast TftpLibrary is beside others: `python3 run.py benchmark`, see README.md."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from loads import Load
from measures import MEASURES
from peers import HOST, SERVERS, Missing, Server, compile_c
from report import Row, machine, rows_of, table, write_json, write_svg
from rounds import Measured, chosen, measure
from scenarios import FILES, REFERENCE, SCENARIOS


def main() -> int:
    """Measures, prints the table, and returns whether every must is held."""
    options = _options()
    try:
        scenarios = chosen(options.only) if options.only or not options.measures else []
        asked = [name for name in options.measures.split(",") if name]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if not options.only and not options.measures:
        asked = list(MEASURES)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        core = cores[-1] if options.core is None else options.core
    rows: list[Row] = []
    measured: list[Measured] = []
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tftp-benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        # Some servers give their rights away before they read.
        folder.chmod(0o755)
        load = Load(folder)
        print(f"Clients: {load.name}. {_words(machine())}", flush=True)
        root = folder / "root"
        _make_files(root)
        if hasattr(os, "sched_setaffinity"):
            # Servers and clients inherit it: on two cores lock-step flips between two speeds.
            os.sched_setaffinity(0, {core})
        servers = _start(stack, folder, root) if scenarios else {}
        for scenario in scenarios:
            done = measure(scenario, servers, load, options.rounds, root)
            measured.append(done)
            rows += _tell(list(rows_of(done)))
            for fault in done.faults:
                print("!", fault, flush=True)
        stack.pop_all().close()
        for what in asked:
            try:
                rows += _tell(MEASURES[what](folder, load, options.rounds))
            except Missing as reason:
                print(f"! {what}: {reason}", flush=True)
    write_json(output / "benchmark.json", rows, measured, load.name)
    write_svg(output / "benchmark.svg", rows)
    print("", table(rows), "", f"All figures: {output}/benchmark.json and .svg", sep="\n")
    missed = [row for row in rows if row.verdict == "MISSED"]
    faults = [fault for each in measured for fault in each.faults if fault.startswith("ours")]
    print(f"{len(missed)} of {sum(bool(row.must) for row in rows)} musts missed.")
    return 1 if missed or faults else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 run.py benchmark",
        description="Measures TftpLibrary beside other servers, on one core, in paired rounds.",
    )
    names = ", ".join(scenario.name for scenario in SCENARIOS)
    parser.add_argument("--rounds", type=int, default=7, help="of each scenario (default: 7)")
    parser.add_argument("--only", default="", help=f"scenarios, such as S1,S7 (all: {names})")
    parser.add_argument("--measures", default="", help=f"other figures ({', '.join(MEASURES)})")
    parser.add_argument("--core", type=int, help="the core to run on (default: the last one)")
    parser.add_argument("--output", default="results/benchmark", help="folder for JSON and SVG")
    return parser.parse_args()


def _make_files(root: Path) -> None:
    root.mkdir()
    root.chmod(0o777)
    for name, size in FILES.items():
        (root / name).write_bytes(os.urandom(size))


def _start(stack: ExitStack, folder: Path, root: Path) -> dict[str, Server]:
    """Starts every server that is installed."""
    servers = {}
    commands = dict(SERVERS)
    try:
        reference = str(compile_c("reference", folder))
        commands[REFERENCE] = lambda port, root: [reference, HOST, str(port), str(root)]
    except Missing as reason:
        print(f"Left out: {REFERENCE}, {reason}.")
    for name, command in commands.items():
        try:
            servers[name] = Server(name, command, root)
        except Missing as reason:
            print(f"Left out: {name}, {reason}.", flush=True)
            continue
        stack.callback(servers[name].close)
    return servers


def _tell(rows: list[Row]) -> list[Row]:
    for row in rows:
        print(f"{row.what:42} / {row.against:12} {row.text:>10}  {row.verdict}", flush=True)
    return rows


def _words(values: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) + "."


if __name__ == "__main__":
    sys.exit(main())
