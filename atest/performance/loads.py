"""The clients that load a server: `load.c` where there is a compiler, else one in Python."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from atest.equipment.daemons import HOST
from atest.performance.peers import HERE, Missing, Server, compile_c
from atest.performance.scenarios import Scenario, size_of

_LONGEST = 300
"""Seconds that one run may take."""


@dataclass(frozen=True)
class Result:
    """One run.

    Attributes:
        seconds: for all transfers.
        octets: of all files.
        transfers: how many.
        errors: what went wrong.
        retries: how often a client had to ask again after a second of silence.
        p50: median of the transfers' durations.
        p99: the duration that one transfer in a hundred exceeded.
    """

    seconds: float
    octets: int
    transfers: int
    errors: int
    retries: int
    p50: float
    p99: float

    def flaw(self, scenario: Scenario) -> str:
        """Returns why this is no run of the scenario, empty if it is one: then its time counts."""
        if self.errors:
            return f"{self.errors} errors"
        if self.transfers != scenario.transfers:
            return f"{self.transfers} transfers instead of {scenario.transfers}"
        if self.octets != scenario.octets:
            return f"{self.octets} octets instead of {scenario.octets}"
        return ""


class Failed(Exception):
    """A run gave no result; the text says why."""


class Load:
    """The load generator.

    Args:
        folder: where it is built.
        is_python: whether the one in Python is wanted, compiler or not.
    """

    def __init__(self, folder: Path, *, is_python: bool = False) -> None:
        self._words = [sys.executable, str(HERE / "load_client.py")]
        self.name = "load_client.py, which is slower than some servers"
        if is_python:
            return
        try:
            self._words = [str(compile_c("load", folder))]
            self.name = "load.c"
        except Missing as reason:
            self.name += f" ({reason})"

    def run(self, scenario: Scenario, server: Server, *, verify: Path | None = None) -> Result:
        """Loads a server once.

        Args:
            scenario: the load.
            server: the server.
            verify: the file, to compare every octet with; None for a run that is timed.

        Raises:
            Failed: it did not end in time, broke off, or had an error, so its time is of no use.
        """
        words = [*self._words, *scenario.words()]
        if scenario.is_write:
            words += ["-s", str(size_of(scenario.file))]
        if verify is not None:
            words += ["-v", str(verify)]
        name = "written" if scenario.is_write else scenario.file
        try:
            done = subprocess.run(
                [*words, HOST, str(server.port), name],
                capture_output=True,
                text=True,
                timeout=_LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"no end within {_LONGEST} s") from None
        said = done.stderr.strip()[-200:]
        if not done.stdout:
            raise Failed(said or f"the load ended with {done.returncode}")
        result = Result(**json.loads(done.stdout))
        flaw = result.flaw(scenario)
        if flaw:
            raise Failed(f"{flaw}{said and ': '}{said}")
        return result

    def cost(self, scenario: Scenario, server: Server) -> float:
        """Loads a server once, and returns the processor seconds that it took for each octet.

        Raises:
            Failed: as for `run`.
        """
        before = server.cpu_seconds
        octets = self.run(scenario, server).octets
        return (server.cpu_seconds - before) / octets
