"""TFTP for tests: a Robot Framework library, and the same as plain Python objects.

A suite says `Library    TftpLibrary`. A Python program imports the names below; Robot Framework is
loaded only when it asks for `TftpLibrary` itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from TftpLibrary import errors
from TftpLibrary.client import TftpClient
from TftpLibrary.messages.questions import Download, Idle, Request, Upload
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording.capture import Captured
from TftpLibrary.recording.records import Transfer
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ClientSettings, ServerSettings
from TftpLibrary.store.base import StoredFile
from TftpLibrary.version import VERSION

if TYPE_CHECKING:
    from TftpLibrary.library import TftpLibrary

__all__ = [
    "Captured",
    "ClientSettings",
    "Download",
    "Idle",
    "Outcome",
    "Request",
    "ServerSettings",
    "StoredFile",
    "TftpClient",
    "TftpLibrary",
    "TftpServer",
    "Transfer",
    "Upload",
    "errors",
]

__version__ = VERSION


def __getattr__(name: str) -> type[TftpLibrary]:
    """Loads the library for Robot Framework when it is asked for."""
    if name != "TftpLibrary":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from TftpLibrary.library import TftpLibrary  # noqa: PLC0415

    return TftpLibrary
