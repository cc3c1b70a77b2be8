"""The speed of TftpLibrary beside others: `python3 run.py benchmark`, see README.md."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from atest.performance.loads import Failed, Load
from atest.performance.measures import MEASURES, chosen_measures
from atest.performance.peers import OURS, SERVERS, Missing, Server, reference
from atest.performance.picture import write_svg
from atest.performance.report import Row, headline, rows_of, table, write_json
from atest.performance.rounds import Measured, chosen, measure
from atest.performance.scenarios import FILES, REFERENCE, SCENARIOS, Scenario, size_of


class Benchmark:
    """All results.

    Args:
        options: of the command line.
        folder: where all files are.
    """

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.rows: list[Row] = []
        self.measured: list[Measured] = []
        self.faults: list[str] = []
        """The faults of our server; those of a peer are only printed."""
        self._rounds: int = options.rounds
        self._folder = folder
        self._root = folder / "root"
        self._load = Load(folder, is_python=options.python_client)
        self.head = headline(self._load.name, options.rounds)
        print(self.head, flush=True)
        _make_files(self._root)

    def run(self, scenarios: list[Scenario]) -> None:
        """Measures scenarios, with every server that is installed."""
        with ExitStack() as stack:
            servers = _start(stack, self._folder, self._root)
            for scenario in scenarios:
                measured = measure(scenario, servers, self._load, self._rounds, self._root)
                self.measured.append(measured)
                self._show(list(rows_of(measured)))
                for fault in measured.faults:
                    print("!", fault, flush=True)
                self.faults += [fault for fault in measured.faults if fault.startswith(OURS)]

    def run_measures(self, names: list[str]) -> None:
        """Measures figures beside the scenarios."""
        for name in names:
            try:
                self._show(MEASURES[name](self._folder, self._load, self._rounds))
            except Missing as reason:
                print(f"! {name} is left out: {reason}", flush=True)
            except Failed as problem:
                print(f"! {name}: {problem}", flush=True)
                self.faults.append(f"{name}: {problem}")

    def write(self, output: Path) -> int:
        """Writes the results, prints them, and returns an exit status."""
        output.mkdir(parents=True, exist_ok=True)
        write_json(
            output / "benchmark.json", self.rows, self.measured, self._load.name, self._rounds
        )
        write_svg(output / "benchmark.svg", self.rows, self.head)
        missed = [row for row in self.rows if row.verdict == "MISSED"]
        print("", self.head, "", table(self.rows), "", sep="\n")
        print(f"All figures: {output}/benchmark.json and .svg")
        print(f"{len(missed)} of {sum(bool(row.must) for row in self.rows)} musts missed.")
        return 1 if missed or self.faults else 0

    def _show(self, rows: list[Row]) -> None:
        self.rows += rows
        for row in rows:
            print(f"{row.what:42} / {row.against:12} {row.text:>10}  {row.verdict} {row.note}")
        sys.stdout.flush()


def main() -> int:
    """Measures, prints the table, and returns whether every must is held."""
    options = _options()
    is_all = not options.only and not options.measures
    try:
        scenarios = chosen(options.only) if options.only or is_all else []
        measures = chosen_measures(options.measures) if options.measures or is_all else []
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if sys.platform == "linux":
        # Servers and clients inherit it: on two cores lock-step flips between two speeds.
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[-1] if options.core is None else options.core})
    # An early end leaves no server and no file behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="tftp-benchmark-") as name:
        folder = Path(name)
        # Some servers change to another user before they read.
        folder.chmod(0o755)
        benchmark = Benchmark(options, folder)
        if scenarios:
            benchmark.run(scenarios)
        benchmark.run_measures(measures)
    return benchmark.write(Path(options.output))


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
    parser.add_argument(
        "--python-client",
        action="store_true",
        help="load the servers with load_client.py, though there is a compiler",
    )
    return parser.parse_args()


def _make_files(root: Path) -> None:
    root.mkdir()
    root.chmod(0o777)
    for name in FILES:
        (root / name).write_bytes(os.urandom(size_of(name)))


def _start(stack: ExitStack, folder: Path, root: Path) -> dict[str, Server]:
    """Starts every server that is installed."""
    servers = {}
    commands = dict(SERVERS)
    try:
        commands[REFERENCE] = reference(folder)
    except Missing as reason:
        print(f"Left out: {REFERENCE}, {reason}.")
    for name, command in commands.items():
        try:
            servers[name] = Server(name, command, root)
        except Missing as reason:
            print(f"Left out: {name}, {reason}.", flush=True)
            continue
        stack.enter_context(servers[name])
    return servers


if __name__ == "__main__":
    sys.exit(main())
