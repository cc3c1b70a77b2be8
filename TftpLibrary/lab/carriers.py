"""Carriers: what brings octets to a lab host and back, by the scheme of its URL."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import NoReturn, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from TftpLibrary.errors import LabError, UsageError
from TftpLibrary.spelling import nearest

_AT_ONCE = 256 << 10
_PROGRAM = "tftplibrary"
_NOT_FOUND = 127
"""The status of a shell that does not find a program."""
_ENDS_IN = 5.0
# The names of hosts and users; ssh would take one that begins with a dash for an option.
_WORD = re.compile(r"[A-Za-z0-9_][\w.%:-]*")
EXAMPLES = "ssh://pi@lab1, unix:/run/tftplibrary/lab.sock, wss://lab1 or jumpstarter:tftp"


class Stream(Protocol):
    """Octets both ways, in their order."""

    def receive(self) -> bytes:
        """Waits for octets; empty at the end.

        Raises:
            OSError: the stream broke.
        """

    def send(self, octets: bytes) -> None:
        """Sends all octets.

        Raises:
            OSError: the stream broke.
        """

    def close(self) -> None:
        """Ends both ways, and wakes who waits. From any thread, idempotent."""

    def trouble(self) -> str:
        """Returns why it ended, as a sentence; empty where it knows of nothing. After `close`."""


class SocketStream:
    """The stream of a connected socket."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def receive(self) -> bytes:
        """See `Stream.receive`."""
        return self._socket.recv(_AT_ONCE)

    def send(self, octets: bytes) -> None:
        """See `Stream.send`."""
        self._socket.sendall(octets)

    def close(self) -> None:
        """See `Stream.close`."""
        # To close alone would not wake a thread that waits.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def trouble(self) -> str:
        """See `Stream.trouble`."""
        return ""


class PipeStream:
    """The stream of two descriptors: those of this process, or of a program that it started."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming, self._outgoing = incoming, outgoing

    def receive(self) -> bytes:
        """See `Stream.receive`."""
        return os.read(self._incoming, _AT_ONCE)

    def send(self, octets: bytes) -> None:
        """See `Stream.send`."""
        left = memoryview(octets)
        while left:
            left = left[os.write(self._outgoing, left) :]

    def close(self) -> None:
        """See `Stream.close`; the process ends next, which wakes who waits."""

    def trouble(self) -> str:
        """See `Stream.trouble`."""
        return ""


class _SshStream(PipeStream):
    """The stream to the lab half that `ssh` starts."""

    def __init__(self, command: list[str], host: str) -> None:
        self._host = host
        # A file: a pipe that nobody reads would fill.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - `trouble` closes it.
        pipe = subprocess.PIPE
        # In a group of its own: Ctrl-C is for the runner, which still says good-bye.
        self._ssh = subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=self._said,
            bufsize=0,
            start_new_session=sys.platform != "win32",
        )
        assert self._ssh.stdin is not None
        assert self._ssh.stdout is not None
        super().__init__(self._ssh.stdout.fileno(), self._ssh.stdin.fileno())

    def receive(self) -> bytes:
        """See `Stream.receive`; at the end ssh says why it ends."""
        octets = super().receive()
        if not octets:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._ssh.wait(_ENDS_IN)
        return octets

    def close(self) -> None:
        """See `Stream.close`."""
        self._ssh.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._ssh.wait(_ENDS_IN)

    def trouble(self) -> str:
        """See `Stream.trouble`: ssh's own last line, or that the program is not there."""
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        self._said.close()
        for pipe in (self._ssh.stdin, self._ssh.stdout):
            if pipe is not None:
                pipe.close()
        if self._ssh.returncode == _NOT_FOUND:
            return (
                f"'{_PROGRAM}' was not found on {self._host}. Install it there: "
                "pipx install robotframework-tftp."
            )
        if not lines:
            return ""
        return f"ssh said: {lines[-1].strip().rstrip('.')}. Try it by hand: ssh {self._host} true"


def open_carrier(url: str) -> Stream:
    """Opens the way to a lab host.

    Args:
        url: `ssh://[user@]host[:port][/program]`, `unix:/path`, `wss://host[:port]`, or
            `jumpstarter:NAME`. A `program` is the path of `tftplibrary` there.

    Raises:
        UsageError: it is no such URL.
        LabError: there is no way to that lab host.
    """
    scheme, colon, _ = url.partition(":")
    opener = _OPENERS.get(scheme.lower())
    if opener is None or not colon:
        near = nearest(scheme.lower(), _OPENERS) if colon else ""
        meant = f" Did you mean {near}:?" if near else ""
        raise UsageError(f"lab={url!r} is no lab host.{meant} Expected for example {EXAMPLES}.")
    return opener(url)


def _open_ssh(url: str) -> Stream:
    parts = urlsplit(url)
    host, user, port = _words(url, parts)
    if shutil.which("ssh") is None:
        raise LabError("There is no program 'ssh' on this machine. Install the OpenSSH client.")
    program = unquote(parts.path)
    # pipx installs where a shell without a terminal does not look.
    path = "" if program else "PATH=$PATH:$HOME/.local/bin "
    start = f"{path}exec {shlex.quote(program or _PROGRAM)} lab --stdio"
    command = ["ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]
    command += ["-p", port] if port else []
    command += ["--", f"{user}@{host}" if user else host, f"sh -c {shlex.quote(start)}"]
    return _SshStream(command, host)


def _words(url: str, parts: SplitResult) -> tuple[str, str, str]:
    """Returns host, user and port of a URL.

    Raises:
        UsageError: ssh would not take them for what they are, or there is a password.
    """
    try:
        host, user, port = unquote(parts.hostname or ""), unquote(parts.username or ""), parts.port
    except ValueError:
        host, user, port = "", "", None
    if parts.password is not None:
        raise UsageError(
            "lab= has a password, which the log would show. Expected an ssh key: ssh uses your "
            "own configuration and agent."
        )
    if not all(_WORD.fullmatch(word) for word in (host, user or host)):
        raise UsageError(f"lab={url!r} names no host. Expected for example ssh://pi@lab1.")
    return host, user, "" if port is None else str(port)


if sys.platform == "win32":

    def _open_unix(url: str) -> NoReturn:
        raise UsageError(f"lab={url!r}: Windows has no such sockets. Expected ssh://host.")

else:

    def _open_unix(url: str) -> Stream:
        path = url.partition(":")[2]
        if not path.startswith("/"):
            raise UsageError(f"lab={url!r} is no absolute path. Expected unix:/path/lab.sock.")
        connected = socket.socket(socket.AF_UNIX)
        try:
            connected.connect(path.replace("//", "/"))
        except OSError as error:
            connected.close()
            raise LabError(
                f"No lab half answers at '{path}' ({error.strerror or error}). Start one: "
                f"tftplibrary lab --listen {url}"
            ) from error
        return SocketStream(connected)


def load(name: str, extra: str, what: str) -> ModuleType:
    """Returns the module of a carrier; an extra brings what it needs.

    Raises:
        UsageError: the extra is not installed.
    """
    try:
        return import_module(f"TftpLibrary.lab.{name}")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{what} needs '{error.name}', which is not installed. Install it: "
            f"pip install 'robotframework-tftp[{extra}]'"
        ) from error


def _later(name: str, function: str, extra: str) -> Callable[[str], Stream]:
    """Returns a carrier that is loaded when it is used."""

    def opened(url: str) -> Stream:
        stream: Stream = getattr(load(name, extra, f"lab={url!r}"), function)(url)
        return stream

    return opened


_OPENERS: dict[str, Callable[[str], Stream]] = {
    "ssh": _open_ssh,
    "unix": _open_unix,
    "wss": _later("websocket", "open_websocket", "remote"),
    "ws": _later("websocket", "open_websocket", "remote"),
    "jumpstarter": _later("jumpstarter_client", "open_jumpstarter", "jumpstarter"),
}
