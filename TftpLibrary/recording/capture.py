"""A capture: one pcapng file, from its start to its end, and what became of it.

Whatever happens to the file ends the capture, never the transfer that is captured.
"""

from __future__ import annotations

import contextlib
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.datagrams import Datagram
from TftpLibrary.recording.pcap import PcapWriter
from TftpLibrary.version import VERSION

_APPLICATION = f"TftpLibrary {VERSION}"
_DESCRIPTION = (
    "Datagrams as this end sent and received them, one by one. Their IP and UDP headers are made "
    "up for the capture."
)


class Captured(NamedTuple):
    """What a capture has.

    Attributes:
        path: the pcapng file.
        packets: datagrams in it.
        octets: octets that these datagrams carry.
        warning: why it ended before its end; empty otherwise.
    """

    path: Path
    packets: int
    octets: int
    warning: str = ""


class Capture:
    """Writes datagrams to a new file.

    The thread that opens it closes it, when the engine's thread calls `take` no more.

    Args:
        path: the file; one that is there is replaced.
        name: what is captured, for readers of the file.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self._is_taking = True
        self._trouble = ""
        try:
            # A pipe would wait for a reader.
            if path.exists() and not path.is_file():
                raise OSError("it is no file")
            self._file = FileIO(path, "w")
        except OSError as error:
            raise UsageError(_refusal(path, error)) from error
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
                # A mistake of our own must not reach the transfer either.
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
        """Whether it was not closed yet; it may have ended early."""
        return not self._file.closed

    @property
    def summary(self) -> Captured:
        """What the capture has so far."""
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


def _refusal(path: Path, error: OSError) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"Cannot capture to '{path}': there is no folder '{folder}'. Make it first."
    reason = (error.strerror or str(error)).lower()
    return f"Cannot capture to '{path}': {reason}. Expected the path of a file to write."
