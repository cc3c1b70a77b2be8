"""A listener that has the stories pass through a lab: servers and clients are in another process.

`python3 run.py atest --lab unix` names it. The lab half is started here, and the environment
variable names it to each suite, as a tester would do it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from robot.api.interfaces import ListenerV3

_ENDS_IN = 10.0


class ThroughLab(ListenerV3):
    """Starts the lab half before the first suite, and ends it after the last.

    Args:
        carrier: `unix`.
        roots: a folder of which stories serve folders of their own.
    """

    def __init__(self, carrier: str, roots: str = "results") -> None:
        if carrier != "unix":
            raise ValueError(f"Expected --lab unix, got --lab {carrier}.")
        self._folder = TemporaryDirectory(prefix="lab-")
        url = f"unix:{self._folder.name}/lab.sock"
        words = [sys.executable, "-m", "TftpLibrary", "lab", "--listen", url]
        words += ["--allow-root", str(Path(roots).absolute())]
        # Ctrl-C is for the run, which still needs its lab to end well.
        self._half = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
        assert self._half.stdout is not None
        self._half.stdout.readline()
        os.environ["TFTPLIBRARY_LAB"] = url

    def close(self) -> None:
        """Ends the lab half."""
        self._half.terminate()
        self._half.wait(_ENDS_IN)
        assert self._half.stdout is not None
        self._half.stdout.close()
        self._folder.cleanup()
