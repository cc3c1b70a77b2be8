"""The command `quickstart`: runs the packaged first suite, for those who installed with pip."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from TftpLibrary.commandline.output import output

PACKAGE = Path(__file__).resolve().parent.parent
SUITE = PACKAGE / "quickstart.robot"


def run(options: argparse.Namespace) -> int:
    """Runs the suite with Robot Framework, prints where log.html is, and returns the status."""
    folder = Path(options.outputdir).resolve()
    # The package is found also where it is not installed, but run from its own folder.
    places = ["--pythonpath", str(PACKAGE.parent), "--outputdir", str(folder)]
    command = [sys.executable, "-m", "robot", *places, "--report", "NONE", str(SUITE)]
    status = subprocess.run(command, check=False).returncode
    result = "failed" if status else "passed"
    out = output()
    out.line(f"\nThe first suite {result}: {SUITE}")
    out.line(f"To see every step, open in a browser: {folder / 'log.html'}")
    return 1 if status else 0
