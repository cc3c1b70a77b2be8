"""Other TFTP programs at work: clients that fetch and store files, daemons that serve them.

A program that is not installed skips the test, unless the run promises to have it (`peers.py`). A
failure shows the command and all that the program printed: tftp-hpa ends with status 0 even then.
"""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from robot.api import SkipExecution, logger
from robot.api.deco import keyword, library

from atest.equipment.daemons import HOST, end, free_port, wait_for_answer
from atest.equipment.peers import peers

PATIENCE = 60.0


class Place(NamedTuple):
    """The address of a server."""

    host: str
    port: int


Command = list[str]
PYTFTP = [sys.executable, "-m", "tftp"]


def _curl(
    program: str, at: Place, local: Path, name: str, *, is_get: bool, more: Iterable[str] = ()
) -> Command:
    host = f"[{at.host}]" if ":" in at.host else at.host
    files = ["-o", str(local)] if is_get else ["-T", str(local)]
    return [program, "-sS", *more, *files, f"tftp://{host}:{at.port}/{name}"]


def _tftp_hpa(program: str, at: Place, local: Path, name: str, *, is_get: bool) -> Command:
    files = ["get", name, str(local)] if is_get else ["put", str(local), name]
    return [program, "-m", "binary", at.host, str(at.port), "-c", *files]


def _atftp(
    program: str, at: Place, local: Path, name: str, *, is_get: bool, options: Iterable[str] = ()
) -> Command:
    asked = [word for option in options for word in ("--option", option)]
    way = "-g" if is_get else "-p"
    return [program, *asked, way, "-r", name, "-l", str(local), at.host, str(at.port)]


def _busybox(
    program: str, at: Place, local: Path, name: str, *, is_get: bool, more: Iterable[str] = ()
) -> Command:
    way = "-g" if is_get else "-p"
    files = [way, "-r", name, "-l", str(local)]
    return [program, "tftp", *more, *files, at.host, str(at.port)]


def _pytftp(_: str, at: Place, local: Path, name: str, *, is_get: bool) -> Command:
    head = [*PYTFTP, "-q"]
    if is_get:
        return [*head, "get", "-p", str(at.port), "-b", "512", at.host, name, str(local)]
    return [*head, "put", "-p", str(at.port), "-b", "512", at.host, str(local), name]


def _pytftp_windows(_: str, at: Place, local: Path, name: str, *, is_get: bool) -> Command:
    command = _pytftp("", at, local, name, is_get=is_get)
    command[command.index("512")] = "1428"
    where = command.index("-b")
    return [*command[:where], "-w", "16", *command[where:]]


CLIENTS: dict[str, tuple[str, Callable[..., Command]]] = {
    "curl": ("curl", _curl),
    "curl without options": ("curl", partial(_curl, more=["--tftp-no-options"])),
    "tftp-hpa": ("tftp", _tftp_hpa),
    "atftp": ("atftp", _atftp),
    "atftp with options": ("atftp", partial(_atftp, options=["blksize 1024", "tsize 0"])),
    "atftp with windows": (
        "atftp",
        partial(_atftp, options=["blksize 1428", "windowsize 8", "tsize 0"]),
    ),
    "busybox": ("busybox", _busybox),
    "busybox with options": ("busybox", partial(_busybox, more=["-b", "1024"])),
    "pytftp": ("", _pytftp),
    "pytftp with windows": ("", _pytftp_windows),
}


class Ended(NamedTuple):
    """The end of a client.

    Attributes:
        status: its exit status; None where it did not end in time.
        printed: its command line, and all that it printed.
    """

    status: int | None
    printed: str


def run_client(
    client: str, at: Place, local: Path, name: str, *, is_get: bool, patience: float = PATIENCE
) -> Ended:
    """Runs one of the `CLIENTS` to its end, or kills it after some seconds of patience."""
    program, command_of = CLIENTS[client]
    path = peers().require_program(program) if program else ""
    command = command_of(path, at, local, name, is_get=is_get)
    line = " ".join(command)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return Ended(None, f"{line}\n{(late.output or b'').decode(errors='replace')}")
    return Ended(done.returncode, f"{line}\n{done.stdout.decode(errors='replace')}")


class Daemon:
    """A TFTP daemon that serves a folder.

    Attributes:
        host: the address that it serves.
        port: the port that it serves.
    """

    def __init__(self, kind: str, folder: Path) -> None:
        self.host, self.port = HOST, free_port()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - it is read at the end.
        command = _daemon_command(kind, folder, self.port)
        logger.info(" ".join(command))
        self._process = subprocess.Popen(command, stdout=self._output, stderr=subprocess.STDOUT)
        try:
            if not wait_for_answer(self._process, self.port):
                raise AssertionError(f"'{' '.join(command)}' does not answer:\n{self.close()}")
        except BaseException:
            self.close()
            raise

    def close(self) -> str:
        """Ends the daemon and returns what it printed. Idempotent."""
        end(self._process)
        if self._output.closed:
            return ""
        self._output.seek(0)
        printed = self._output.read().decode(errors="replace")
        self._output.close()
        return printed


def _daemon_command(kind: str, folder: Path, port: int) -> Command:
    user = getpass.getuser()
    if kind == "tftpd-hpa":
        program = peers().require_program("in.tftpd")
        if sys.platform == "win32" or os.geteuid() != 0:
            raise SkipExecution("in.tftpd serves a folder only where root starts it.")
        at = f"{HOST}:{port}"
        return [program, "-L", "-4", "-a", at, "-s", "-c", "-p", "-u", user, str(folder)]
    if kind == "atftpd":
        program = peers().require_program("atftpd")
        where = ["--port", str(port), "--bind-address", HOST]
        return [program, "--daemon", "--no-fork", *where, "--user", f"{user}.{user}", str(folder)]
    return [*PYTFTP, "-q", "serve", str(folder), "--listen", f"{HOST}:{port}", "--write"]


@library(scope="GLOBAL", doc_format="ROBOT", listener="SELF")
class OtherPrograms:
    """Runs other TFTP implementations against a server or a client of ours."""

    def __init__(self) -> None:
        self._daemons: list[Daemon] = []

    def _end_test(self, *_: object) -> None:
        for daemon in self._daemons:
            daemon.close()
        self._daemons = []

    @keyword
    def client_gets_file(self, client: str, host: str, port: int, name: str, local: Path) -> str:
        """Lets another client fetch a file, and returns what it printed.

        Args:
            client: One of `CLIENTS`, such as ``curl`` or ``atftp with windows``.
            host: The server.
            port: Its port.
            name: The file on the server.
            local: The local path.
        """
        local.unlink(missing_ok=True)
        local.parent.mkdir(parents=True, exist_ok=True)
        printed = self._run(client, Place(host, port), local, name, is_get=True)
        if not local.exists():
            raise AssertionError(f"{client} made no file of '{name}':\n{printed}")
        return printed

    @keyword
    def client_puts_file(self, client: str, host: str, port: int, name: str, local: Path) -> str:
        """Lets another client store a file on a server, and returns what it printed."""
        return self._run(client, Place(host, port), local, name, is_get=False)

    @keyword
    def client_cannot_get_file(
        self, client: str, host: str, port: int, name: str, local: Path
    ) -> str:
        """Lets another client ask in vain, and returns its status and what it printed."""
        return self._run_anyway(client, Place(host, port), local, name, is_get=True)[1]

    @keyword
    def start_daemon(self, kind: str, folder: Path) -> Daemon:
        """Starts ``tftpd-hpa``, ``atftpd`` or ``pytftp`` until the test ends, on a free port.

        Returns:
            The daemon, with its host and port.
        """
        folder.mkdir(parents=True, exist_ok=True)
        daemon = Daemon(kind, folder)
        self._daemons.append(daemon)
        return daemon

    def _run(self, client: str, at: Place, local: Path, name: str, *, is_get: bool) -> str:
        status, printed = self._run_anyway(client, at, local, name, is_get=is_get)
        if status:
            raise AssertionError(f"{client} ended with status {status}:\n{printed}")
        return printed

    def _run_anyway(
        self, client: str, at: Place, local: Path, name: str, *, is_get: bool
    ) -> tuple[int, str]:
        ended = run_client(client, at, local, name, is_get=is_get)
        if ended.status is None:
            raise AssertionError(f"It did not end in {PATIENCE} s: {ended.printed}")
        logger.info(ended.printed)
        return ended.status, ended.printed
