"""The clients that load a server: `load.c` where there is a compiler, else one in Python."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from peers import HERE, HOST, Missing, Server, compile_c
from scenarios import FILES, Scenario

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
        p99: what one transfer in a hundred took longer than.
    """

    seconds: float
    octets: int
    transfers: int
    errors: int
    retries: int
    p50: float
    p99: float


class Load:
    """The load generator.

    Args:
        folder: where it is built.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._words = [str(compile_c("load", folder))]
            self.name = "load.c"
        except Missing as reason:
            self._words = [sys.executable, str(HERE / "load_client.py")]
            self.name = f"load_client.py, which is slower than some servers ({reason})"

    def run(self, scenario: Scenario, server: Server, *, verify: Path | None = None) -> Result:
        """Loads a server once.

        Args:
            scenario: what to load it with.
            server: it.
            verify: the file, to compare every octet with; None for a run that is timed.
        """
        words = [*self._words, *scenario.words()]
        if scenario.is_write:
            words += ["-s", str(FILES[scenario.file])]
        if verify is not None:
            words += ["-v", str(verify)]
        name = "written" if scenario.is_write else scenario.file
        done = subprocess.run(
            [*words, HOST, str(server.port), name],
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
        if not done.stdout:
            raise Missing(f"{server.name} in {scenario.name}: {done.stderr.strip()[-200:]}")
        return Result(**json.loads(done.stdout))
