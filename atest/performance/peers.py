"""The servers of the benchmark: ours, and the others where they are installed.

Each runs as a process of its own, on the same core as its client.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from atest.equipment.daemons import HOST, end, free_port, wait_for_answer
from atest.equipment.peers import find_program, missing_text

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
OURS = "ours"


class Missing(Exception):
    """A program is not installed, or does not start; the text says which and what to do."""


def find(program: str) -> str:
    """Returns the path of a program.

    Raises:
        Missing: it is nowhere.
    """
    found = find_program(program)
    if found is None:
        raise Missing(missing_text(program))
    return found


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
    if sys.platform == "win32" or os.geteuid():
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
        if not wait_for_answer(self._process, self.port):
            self.close()
            raise Missing(f"{name} does not start")

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def cpu_seconds(self) -> float:
        """Processor time so far, of the kernel's work for it too, and of children that ended."""
        if sys.platform == "win32":
            raise NotImplementedError
        fields = self._proc("stat").rpartition(")")[2].split()
        return sum(int(fields[at]) for at in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")

    def memory(self, name: str = "VmRSS") -> int:
        """Octets of resident memory, or with `VmHWM` their peak."""
        line = next(each for each in self._proc("status").splitlines() if each.startswith(name))
        return int(line.split()[1]) * 1024

    def close(self) -> None:
        """Ends the process."""
        end(self._process)

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
