"""A capture: one pcapng file, from its start to its end, and its summary.

Servers and clients are `Capturable`. Trouble with the file ends the capture, never the transfer
that is captured.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.datagrams import Datagram, Observer
from TftpLibrary.recording.pcap import PcapWriter
from TftpLibrary.space import lack_of_room
from TftpLibrary.version import VERSION

_APPLICATION = f"TftpLibrary {VERSION}"
_DESCRIPTION = (
    "Datagrams as this end sent and received them, one by one. Their IP and UDP headers are made "
    "up for the capture."
)


_LEAST_ROOM = 1_000_000
"""Octets that must be free when a capture begins; how many it will need nobody knows."""


class Captured(NamedTuple):
    """The content of a capture.

    Attributes:
        path: the pcapng file.
        packets: datagrams in it.
        octets: octets that these datagrams carry.
        warning: why it ended early; empty otherwise.
    """

    path: Path
    packets: int
    octets: int
    warning: str = ""


class Capture:
    """Writes datagrams to a new file.

    The thread that opens it also closes it, after the engine's thread has stopped calling `take`.

    Args:
        path: the file; an existing one is replaced.
        name: name of the server or the client, for readers of the file.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self._is_taking = True
        self._trouble = ""
        self._file = new_file(path)
        try:
            self._writer = PcapWriter(self._file, _APPLICATION, name, _DESCRIPTION)
        except OSError as error:
            self._file.close()
            path.unlink(missing_ok=True)
            raise UsageError(_refusal(path, error)) from error

    def take(self, datagram: Datagram) -> None:
        """Writes one datagram, through a buffer. Without effect once the capture has ended."""
        if self._is_taking:
            try:
                self._writer.write(datagram)
            except OSError as error:
                self._give_up(error.strerror or str(error))
            except Exception as error:
                # An exception of our own must not reach the transfer either.
                self._give_up(f"internal error: {error!r}, please report it")

    def close(self) -> Captured:
        """Writes what is left and closes the file. Idempotent."""
        if self._is_taking:
            try:
                self._writer.flush()
            except OSError as error:
                self._give_up(error.strerror or str(error))
        self._is_taking = False
        self._file.close()
        return self.summary

    @property
    def is_open(self) -> bool:
        """Whether it has not been closed yet; it may have ended early."""
        return not self._file.closed

    @property
    def summary(self) -> Captured:
        """The content of the capture so far."""
        return Captured(self.path, self._writer.packets, self._writer.octets, self._warning)

    @property
    def _warning(self) -> str:
        if not self._trouble:
            return ""
        return (
            f"The capture '{self.path}' ended early, after {self._writer.packets} packets: "
            f"{self._trouble}. The transfers went on."
        )

    def _give_up(self, trouble: str) -> None:
        self._is_taking = False
        self._trouble = trouble
        # A block that was written in part would make the whole file unreadable for some programs.
        with contextlib.suppress(OSError, ValueError):
            self._file.truncate(self._writer.size)


class Capturable(ABC):
    """A server or a client: the packets of one can be written to a file."""

    _capture: Capture | None = None

    @property
    def capture(self) -> Captured | None:
        """The content of the running capture, or of the last one; None before the first."""
        return None if self._capture is None else self._capture.summary

    @property
    def is_capturing(self) -> bool:
        """Whether a capture is running."""
        return self._capture is not None and self._capture.is_open

    def start_capture(self, path: str | Path) -> Path:
        """Writes every datagram from now on to a pcapng file, also of running transfers.

        The capture ends with `stop_capture`, with the server or the client, or when the file
        cannot be written any more. Transfers go on in any case.

        Args:
            path: the file; an existing one is replaced.

        Returns:
            The path.

        Raises:
            UsageError: the file cannot be written, a capture is running already, or the server is
                not running.
        """
        show = self._show_packets()
        if self._capture is not None and self._capture.is_open:
            raise UsageError(f"A capture runs already, into '{self._capture.path}'. Stop it first.")
        self._capture = capture = Capture(Path(path), self._name_in_captures)
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop_capture)
            show(capture.take)
            undo.pop_all()
        return capture.path

    def stop_capture(self) -> Captured:
        """Ends the capture.

        Returns:
            The path of the file, and how much it holds.

        Raises:
            UsageError: no capture is running.
        """
        if self._capture is None or not self._capture.is_open:
            raise UsageError(
                "Expected a running capture to stop, but none runs. Start it with start_capture()."
            )
        # An engine that was stopped sends nothing any more.
        with contextlib.suppress(UsageError):
            self._show_packets()(None)
        return self._capture.close()

    def _end_capture(self) -> None:
        """Closes the file, once no more datagrams can come. Idempotent."""
        if self._capture is not None:
            self._capture.close()

    @property
    @abstractmethod
    def _name_in_captures(self) -> str:
        """The name of the server or the client, for the file."""

    @abstractmethod
    def _show_packets(self) -> Callable[[Observer | None], None]:
        """Returns the function that shows each datagram to an observer, or to nobody any more.

        Raises:
            UsageError: the server is not running.
        """


def new_file(path: Path) -> FileIO:
    """Opens the file of a capture; an existing one is replaced.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        # A pipe would wait for a reader.
        if path.exists() and not path.is_file():
            kind = "folder" if path.is_dir() else "device, FIFO or socket"
            raise OSError(f"it is a {kind}")
        if lack := lack_of_room(_LEAST_ROOM, str(path.parent)):
            raise OSError(lack)
        return FileIO(path, "w")
    except OSError as error:
        raise UsageError(_refusal(path, error)) from error


def _refusal(path: Path, error: OSError) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"Cannot capture to '{path}': there is no folder '{folder}'. Make it first."
    reason = error.strerror or str(error)
    reason = reason[:1].lower() + reason[1:]
    return f"Cannot capture to '{path}': {reason}. Expected the path of a file to write."
