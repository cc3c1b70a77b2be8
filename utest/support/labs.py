"""A lab for a test: the service with a socket, in this process, and a runner."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from TftpLibrary.lab.lab import Lab
from TftpLibrary.lab.limits import Limits
from TftpLibrary.lab.service import Service


def unix_socket() -> socket.socket:
    """Returns a socket of this machine; where the system has none, the test is skipped."""
    if sys.platform == "win32":
        pytest.skip("Windows has no such sockets")
    return socket.socket(socket.AF_UNIX)


@contextmanager
def running_service(limits: Limits | None = None) -> Iterator[tuple[Service, str]]:
    """Runs a lab half in this process, and yields it with its URL."""
    # The path of a socket has at most about 100 characters.
    with TemporaryDirectory(prefix="lab-") as folder:
        path = Path(folder, "lab.sock")
        service = Service(limits)
        service.listen_unix(path)
        try:
            yield service, f"unix:{path}"
        finally:
            service.close()


@contextmanager
def running_lab(limits: Limits | None = None) -> Iterator[Lab]:
    """Yields a lab, whose half runs in this process."""
    with running_service(limits) as (_, url), Lab(url) as lab:
        yield lab
