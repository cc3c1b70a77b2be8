"""The command `guides`: shows where the guides are, for those who installed with pip."""

from __future__ import annotations

import argparse
from pathlib import Path

from TftpLibrary.commandline.output import output

PACKAGE = Path(__file__).resolve().parent.parent
PLACES = (PACKAGE / "guides", PACKAGE.parent / "docs" / "guides")
"""In an installation and in a clone."""


def run(options: argparse.Namespace) -> int:  # noqa: ARG001 - as the other commands
    """Prints the path and the title of each guide, and how to read about keywords."""
    out = output()
    for path in sorted(path for place in PLACES for path in place.glob("*.md")):
        title = path.read_text("utf-8").partition("\n")[0].removeprefix("# ")
        out.line(f"{title}\n    {path}")
    out.line("All keywords\n    libdoc TftpLibrary keywords.html")
    return 0
