"""A headless Chromium that opens a page as a person would, in a profile of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from utest.support.peers import require
from utest.support.waiting import seconds

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # The milliseconds that scripts get, of a clock that does not wait.
    "--virtual-time-budget=20000",
)


def opened(page: Path, folder: Path, *, theme: str = "light", width: int = 1280) -> str:
    """Returns the page as it is after its scripts have run.

    Args:
        page: log.html.
        folder: an empty one, for the profile.
        theme: of Robot Framework's log, `light` or `dark`.
        width: of the window in pixels.
    """
    command = [require("chromium"), *FLAGS, f"--user-data-dir={folder}"]
    command += [f"--window-size={width},2000", "--dump-dom", f"{page.as_uri()}?theme={theme}"]
    done = subprocess.run(command, capture_output=True, timeout=seconds(60), check=True)
    return done.stdout.decode()
