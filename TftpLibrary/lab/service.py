"""The lab half as a service: the sessions of all runners in one process, and how they come."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock, Thread

from TftpLibrary.errors import LabError
from TftpLibrary.lab.carriers import SocketStream, Stream
from TftpLibrary.lab.half import Half
from TftpLibrary.lab.limits import Limits
from TftpLibrary.lab.operations import Visitor

_MODE = 0o660
"""The owner and the group of the socket may use the lab."""
MOST_SESSIONS = 100


class Service:
    """All sessions of one lab.

    They share one engine, so their servers may share a port.

    Args:
        limits: what runners may do here.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._lock = Lock()
        self._halves: list[Half] = []
        self._closers: list[Callable[[], None]] = []

    def serve(self, stream: Stream) -> None:
        """Serves one runner, and returns when its session has ended. From any thread."""
        half = Half(stream, self._limits, self.visitors)
        with self._lock:
            if len(self._halves) >= MOST_SESSIONS:
                stream.close()
                return
            self._halves.append(half)
        try:
            half.run()
        finally:
            with self._lock:
                self._halves.remove(half)

    def visitors(self) -> Sequence[Visitor]:
        """Returns the sessions that have told who they are."""
        with self._lock:
            halves = list(self._halves)
        return [visitor for half in halves if (visitor := half.visitor).who]

    def listen_unix(self, path: Path) -> None:
        """Lets runners come through a socket of this machine, until `close`.

        Raises:
            LabError: the path cannot be used.
        """
        if sys.platform == "win32":
            raise LabError("Windows has no such sockets. Expected wss://address:port.")
        listening = socket.socket(socket.AF_UNIX)
        try:
            _remove_dead(path)
            listening.bind(str(path))
            path.chmod(_MODE)
            listening.listen()
        except OSError as error:
            listening.close()
            raise LabError(f"Cannot listen at '{path}': {error.strerror or error}.") from error
        self.at_end(lambda: _close(listening, path))
        Thread(target=self._accept, args=(listening,), name="TftpLibrary lab", daemon=True).start()

    def at_end(self, close: Callable[[], None]) -> None:
        """Has something closed with the service."""
        self._closers.append(close)

    def close(self) -> None:
        """Ends every session, and listens no more. Idempotent."""
        for close in self._closers:
            close()
        self._closers.clear()
        with self._lock:
            halves = list(self._halves)
        for half in halves:
            half.close()
            half.clean_up()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connected, _ = listening.accept()
                stream = SocketStream(connected)
                name = "TftpLibrary lab"
                Thread(target=self.serve, args=(stream,), name=name, daemon=True).start()


def _remove_dead(path: Path) -> None:
    """Removes the socket of a lab that was killed.

    Raises:
        OSError: a lab listens there, or it is no socket.
    """
    if sys.platform == "win32" or not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as tried:
        try:
            tried.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError("another lab listens there")


def _close(listening: socket.socket, path: Path) -> None:
    with contextlib.suppress(OSError):
        # To close alone would not wake the thread that waits.
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    with contextlib.suppress(OSError):
        path.unlink()
