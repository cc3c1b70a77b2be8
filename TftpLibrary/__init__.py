"""TFTP for tests: a Robot Framework library, and the same as plain Python objects.

A suite says `Library    TftpLibrary`. A Python program imports the names below, and needs no other
module of this package. Robot Framework is loaded only by those who ask for `TftpLibrary` itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from TftpLibrary.client import TftpClient
from TftpLibrary.errors import (
    ExpectationError,
    NegotiationError,
    PeerError,
    TftpError,
    TransferAborted,
    TransferTimeout,
    UsageError,
)
from TftpLibrary.messages.questions import Download, Downloads, Idle, Question, Request, Upload
from TftpLibrary.messages.words import Words
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction, ErrorCode, Mode
from TftpLibrary.recording.capture import Captured
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import OptionValues, Sample, Transfer
from TftpLibrary.recording.view import View
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ClientSettings, Retransmission, ServerSettings
from TftpLibrary.store.base import StoredFile, StoreError
from TftpLibrary.store.content import TestContent
from TftpLibrary.store.files import FileStore
from TftpLibrary.version import VERSION

if TYPE_CHECKING:
    from TftpLibrary.library import TftpLibrary

__all__ = [
    "Captured",
    "Cause",
    "ClientSettings",
    "Direction",
    "Download",
    "Downloads",
    "ErrorCode",
    "ExpectationError",
    "FileStore",
    "Idle",
    "Mode",
    "NegotiationError",
    "OptionValues",
    "Outcome",
    "PeerError",
    "Question",
    "Recorder",
    "Request",
    "Retransmission",
    "Sample",
    "ServerSettings",
    "StoreError",
    "StoredFile",
    "TestContent",
    "TftpClient",
    "TftpError",
    "TftpLibrary",
    "TftpServer",
    "Transfer",
    "TransferAborted",
    "TransferTimeout",
    "Upload",
    "UsageError",
    "View",
    "Words",
]

__version__ = VERSION


def __getattr__(name: str) -> type[TftpLibrary]:
    """Loads the library for Robot Framework when it is asked for."""
    if name != "TftpLibrary":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from TftpLibrary.library import TftpLibrary  # noqa: PLC0415

    return TftpLibrary
