"""Steps on the machine around a server: links that swap, memory, files of all sizes.

On other systems than Linux most of these keywords skip the test.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from robot.api import SkipExecution
from robot.api.deco import keyword, library

CHUNK = 1024 * 1024


class Swapper:
    """A folder that becomes a link to another one, and a folder again, without rest.

    Attributes:
        swaps: how often it became a link.
    """

    def __init__(self, folder: Path, target: Path) -> None:
        self.swaps = 0
        self._folder = folder
        self._target = target
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="swapper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leaves the folder where it was. Idempotent."""
        self._is_ending.set()
        self._thread.join(5)

    def _run(self) -> None:
        aside = self._folder.with_name(self._folder.name + ".aside")
        while not self._is_ending.is_set():
            self._folder.rename(aside)
            self._folder.symlink_to(self._target)
            time.sleep(0)  # Let the server in between.
            self._folder.unlink()
            aside.rename(self._folder)
            self.swaps += 1
            time.sleep(0)


class ServerProcess:
    """A TFTP server in a process of its own, from the command line of TftpLibrary.

    Attributes:
        host: the address that it serves.
        port: the port that it serves.
        pid: the process.
    """

    def __init__(self, folder: Path, arguments: tuple[str, ...]) -> None:
        command = [sys.executable, "-m", "TftpLibrary", "serve", str(folder), "--port", "0"]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it is read after the end.
        self._process = subprocess.Popen(
            [*command, *arguments], stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        self.pid = self._process.pid
        line = self._process.stdout.readline() if self._process.stdout else ""
        found = re.search(r"tftp://\[?([^]]+)\]?:(\d+)/", line)
        if not found:
            raise AssertionError(f"The server printed no address, but: {line}{self.close()}")
        self.host, self.port = found[1], int(found[2])

    def close(self) -> str:
        """Ends the process and returns what it printed as errors. Idempotent."""
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout:
            self._process.stdout.close()
        if self._errors.closed:
            return ""
        self._errors.seek(0)
        printed = self._errors.read().decode(errors="replace")
        self._errors.close()
        return printed


@library(scope="GLOBAL", doc_format="ROBOT", listener="SELF")
class MachineLibrary:
    """Steps that concern the machine on which server and boards run."""

    def __init__(self) -> None:
        self._swappers: list[Swapper] = []
        self._servers: list[ServerProcess] = []

    def _end_test(self, *_: object) -> None:
        for swapper in self._swappers:
            swapper.close()
        self._swappers = []
        for server in self._servers:
            server.close()
        self._servers = []

    @keyword
    def start_server_process(self, folder: Path, *arguments: str) -> ServerProcess:
        """Starts ``python -m TftpLibrary serve`` for a test, and returns its host, port and pid."""
        server = ServerProcess(folder, arguments)
        self._servers.append(server)
        return server

    @keyword
    def end_server_process(self, server: ServerProcess) -> str:
        """Ends a server process and returns what it printed as errors."""
        return server.close()

    @keyword
    def make_link(self, link: Path, target: Path) -> Path:
        """Makes a symbolic link; skips the test where the system has none or forbids it."""
        try:
            link.unlink(missing_ok=True)
            link.symlink_to(target)
        except (OSError, NotImplementedError) as problem:
            raise SkipExecution(f"This machine makes no symbolic links: {problem}") from None
        return link

    @keyword
    def make_fifo(self, path: Path) -> Path:
        """Makes a FIFO; skips the test where the system has none."""
        if not hasattr(os, "mkfifo"):
            raise SkipExecution("This machine has no FIFOs.")
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        return path

    @keyword
    def start_swapping(self, folder: Path, target: Path) -> Swapper:
        """Makes a folder a link to another one, and a folder again, until the test ends."""
        self.make_link(folder.with_name("link-to-try"), target).unlink()
        swapper = Swapper(folder, target)
        self._swappers.append(swapper)
        return swapper

    @keyword
    def get_memory(self, pid: int = 0, *, peak: bool = False) -> float:
        """Returns the resident memory of a process in MiB, or its peak.

        Args:
            pid: The process; 0 is this one.
            peak: Whether the highest value since its start is wanted.
        """
        path = Path("/proc", str(pid or "self"), "status")
        if not path.exists():
            raise SkipExecution("This machine has no /proc to read the memory from.")
        name = "VmHWM:" if peak else "VmRSS:"
        line = next(line for line in path.read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) / 1024

    @keyword
    def require_ipv6(self) -> None:
        """Skips the test where this machine has no IPv6 loopback."""
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
                sock.bind(("::1", 0))
        except OSError as problem:
            raise SkipExecution(f"This machine has no IPv6: {problem}") from None

    @keyword
    def may_make_namespaces(self) -> bool:
        """Returns whether a network namespace can be made here: Linux, and root."""
        name = f"try{os.getpid()}"
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
        if made.returncode == 0:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
        return made.returncode == 0

    @keyword
    def find_free_ports(self, count: int) -> int:
        """Returns the first of a number of consecutive free UDP ports."""
        for first in range(40000, 60000, count):
            with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
                for port in range(first, first + count):
                    sock = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    sock.bind(("0.0.0.0", port))
                return first
        raise AssertionError(f"No {count} free ports in a row.")

    @keyword
    def make_local_file(self, path: Path, size: int, seed: int = 1) -> Path:
        """Makes a local file of random octets, the same for the same seed."""
        path.parent.mkdir(parents=True, exist_ok=True)
        dice = random.Random(seed)
        with path.open("wb") as file:
            for start in range(0, size, CHUNK):
                file.write(dice.randbytes(min(CHUNK, size - start)))
        return path

    @keyword
    def get_local_checksum(self, path: Path) -> str:
        """Returns the sha256 of a local file."""
        return hashlib.sha256(path.read_bytes()).hexdigest()
