"""The servers of the benchmark: ours, and the others where they are installed.

Each runs as a process of its own, on the same core as its client. `find` looks on PATH, and in
the folder that TFTP_LIBRARY_PEERS names: Debian's tftpd-hpa and atftpd cannot be installed side by
side, but `apt-get download` and `dpkg -x` unpack them anywhere.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
HOST = "127.0.0.1"
OURS = "ours"

_START = 10.0
"""Seconds within which a server has to answer its first request."""
_PROBE = b"\0\1probe\0octet\0"


class Missing(Exception):
    """A program is not installed, or does not start; the text says which and what to do."""


def find(program: str) -> str:
    """Returns the path of a program.

    Raises:
        Missing: it is neither on PATH nor in the folder of TFTP_LIBRARY_PEERS.
    """
    own = os.environ.get("TFTP_LIBRARY_PEERS", "")
    places = [own, *sorted(map(str, Path(own).glob("**/*bin")))] if own else []
    places += [*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin", "/usr/local/sbin"]
    for place in places:
        found = shutil.which(program, path=place)
        # Debian's atftpd calls itself in.tftpd too.
        if found and Path(found).resolve().name == program:
            return str(Path(found).absolute())
    raise Missing(f"{program} is not installed")


def python_module(name: str) -> str:
    """Returns the interpreter, if it has a module.

    Raises:
        Missing: it has not.
    """
    if importlib.util.find_spec(name) is None:
        raise Missing(f"the module {name} is not installed")
    return sys.executable


Command = Callable[[int, Path], list[str]]


def _ours(port: int, root: Path) -> list[str]:
    words = [sys.executable, "-m", "TftpLibrary", "serve", str(root), "--port", str(port)]
    return [*words, "--writable", "--overwrite", "--quiet"]


def ours_with(port: int, root: Path, **settings: object) -> list[str]:
    """Our server, with settings that its command line does not have."""
    values = ", ".join(f"{name}={value}" for name, value in settings.items())
    program = (
        "import signal; from TftpLibrary import ServerSettings, TftpServer; "
        "from TftpLibrary.settings import Retransmission; "
        f"settings = ServerSettings(port={port}, {values}); "
        f"TftpServer({str(root)!r}, settings).start(); signal.pause()"
    )
    return [sys.executable, "-c", program]


def _tftpd_hpa(port: int, root: Path) -> list[str]:
    program = find("in.tftpd")
    if os.geteuid():
        raise Missing("in.tftpd changes its root: it needs root")
    words = [program, "-L", "-4", "-c", "-p", "-a", f"{HOST}:{port}"]
    return [*words, "-u", os.environ.get("USER", "root"), "-s", str(root)]


def _atftpd(port: int, root: Path) -> list[str]:
    words = [find("atftpd"), "--daemon", "--no-fork", "--port", str(port), "--bind-address", HOST]
    return [*words, "--maxthread", "1000", "--verbose=0", str(root)]


def _pytftp(port: int, root: Path) -> list[str]:
    words = [python_module("tftp"), "-m", "tftp", "-qq", "serve", str(root)]
    words += ["--listen", f"{HOST}:{port}", "--max-sessions", "2000"]
    return [*words, "--write", "--overwrite"]


def _tftpy(port: int, root: Path) -> list[str]:
    program = f"import tftpy; tftpy.TftpServer({str(root)!r}).listen({HOST!r}, {port})"
    return [python_module("tftpy"), "-c", program]


SERVERS: dict[str, Command] = {
    OURS: _ours,
    "tftpd-hpa": _tftpd_hpa,
    "atftpd": _atftpd,
    "pytftp": _pytftp,
    "tftpy": _tftpy,
}


class Server:
    """A server that runs until `close`.

    Raises:
        Missing: it is not installed, or it does not answer.
    """

    def __init__(self, name: str, command: Command, root: Path) -> None:
        self.name = name
        self.port = free_port()
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        self._process = subprocess.Popen(
            command(self.port, root),
            cwd=root,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if not self._answers():
            self.close()
            raise Missing(f"{name} does not start")

    def _answers(self) -> bool:
        """Asks for a file that is not there until an ERROR says so."""
        deadline = time.monotonic() + _START
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.1)
            while time.monotonic() < deadline and self._process.poll() is None:
                sock.sendto(_PROBE, (HOST, self.port))
                try:
                    sock.recv(999)
                except OSError:
                    continue
                return True
        return False

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def cpu_seconds(self) -> float:
        """Processor time so far, of the kernel's work for it too, and of children that ended."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return sum(int(fields[at]) for at in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")

    def memory(self, name: str = "VmRSS") -> int:
        """Octets of memory: what is resident, or with `VmHWM` what was at most."""
        line = next(each for each in self._proc("status").splitlines() if each.startswith(name))
        return int(line.split()[1]) * 1024

    def close(self) -> None:
        """Ends the process."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text("ascii", "replace")


def compile_c(name: str, folder: Path) -> Path:
    """Compiles one of the C programs beside this file.

    Raises:
        Missing: there is no compiler, or it refuses.
    """
    compiler = next((path for path in map(shutil.which, ("cc", "gcc", "clang")) if path), None)
    if compiler is None or not sys.platform.startswith("linux"):
        raise Missing("no C compiler")
    program = folder / name
    words = [compiler, "-O2", "-o", str(program), str(HERE / f"{name}.c")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{name}.c does not compile: {done.stderr[:200]}")
    return program


def reference(folder: Path) -> Command:
    """Compiles the server in C, and returns how it is started.

    Raises:
        Missing: it cannot be compiled here.
    """
    program = str(compile_c("reference", folder))
    return lambda port, root: [program, HOST, str(port), str(root)]


def free_port() -> int:
    """Returns a port that is free just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])
