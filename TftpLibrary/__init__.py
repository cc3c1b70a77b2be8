"""TFTP for tests: a Robot Framework library, and the same as plain Python objects.

A suite says `Library    TftpLibrary`. A Python program imports the names below, and needs no other
module of this package. Robot Framework is loaded only by those who ask for `TftpLibrary` itself,
and the faults on purpose by those who use them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from TftpLibrary.client import TftpClient
from TftpLibrary.errors import (
    ExpectationError,
    LabError,
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
from TftpLibrary.recording.records import FaultMark, OptionValues, Sample, Transfer
from TftpLibrary.recording.view import View
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ClientSettings, Retransmission, ServerSettings
from TftpLibrary.store.base import StoredFile, StoreError
from TftpLibrary.store.content import TestContent
from TftpLibrary.store.files import FileStore
from TftpLibrary.version import VERSION

if TYPE_CHECKING:
    from TftpLibrary.boot.configs import BootConfig, Kernel, boot_config
    from TftpLibrary.boot.identity import Identity, parse_identity
    from TftpLibrary.boot.loaders import BootLoader
    from TftpLibrary.boot.names import boot_file_names
    from TftpLibrary.engine.injection import ClientFaults, Faults
    from TftpLibrary.faults.files import Damage, Damaging, Denial, ToldSize
    from TftpLibrary.faults.kinds import FaultKind
    from TftpLibrary.faults.link import LinkQuality
    from TftpLibrary.faults.packets import Packets
    from TftpLibrary.faults.pauses import Pause
    from TftpLibrary.faults.reports import TftpFault
    from TftpLibrary.faults.rules import Rule, Way
    from TftpLibrary.faults.scenarios import Scenario
    from TftpLibrary.lab.lab import Lab
    from TftpLibrary.lab.places import LabFaults, LabFiles
    from TftpLibrary.lab.servers import LabClient, LabServer
    from TftpLibrary.library import TftpLibrary

__all__ = [
    "BootConfig",
    "BootLoader",
    "Captured",
    "Cause",
    "ClientFaults",
    "ClientSettings",
    "Damage",
    "Damaging",
    "Denial",
    "Direction",
    "Download",
    "Downloads",
    "ErrorCode",
    "ExpectationError",
    "FaultKind",
    "FaultMark",
    "Faults",
    "FileStore",
    "Identity",
    "Idle",
    "Kernel",
    "Lab",
    "LabClient",
    "LabError",
    "LabFaults",
    "LabFiles",
    "LabServer",
    "LinkQuality",
    "Mode",
    "NegotiationError",
    "OptionValues",
    "Outcome",
    "Packets",
    "Pause",
    "PeerError",
    "Question",
    "Recorder",
    "Request",
    "Retransmission",
    "Rule",
    "Sample",
    "Scenario",
    "ServerSettings",
    "StoreError",
    "StoredFile",
    "TestContent",
    "TftpClient",
    "TftpError",
    "TftpFault",
    "TftpLibrary",
    "TftpServer",
    "ToldSize",
    "Transfer",
    "TransferAborted",
    "TransferTimeout",
    "Upload",
    "UsageError",
    "View",
    "Way",
    "Words",
    "boot_config",
    "boot_file_names",
    "parse_identity",
]

__version__ = VERSION


_LATER = {
    "TftpLibrary": "library",
    "BootConfig": "boot.configs",
    "Kernel": "boot.configs",
    "boot_config": "boot.configs",
    "Identity": "boot.identity",
    "parse_identity": "boot.identity",
    "BootLoader": "boot.loaders",
    "boot_file_names": "boot.names",
    "ClientFaults": "engine.injection",
    "Faults": "engine.injection",
    "Damage": "faults.files",
    "Damaging": "faults.files",
    "Denial": "faults.files",
    "ToldSize": "faults.files",
    "FaultKind": "faults.kinds",
    "LinkQuality": "faults.link",
    "Packets": "faults.packets",
    "Pause": "faults.pauses",
    "TftpFault": "faults.reports",
    "Lab": "lab.lab",
    "LabClient": "lab.servers",
    "LabFaults": "lab.places",
    "LabFiles": "lab.places",
    "LabServer": "lab.servers",
    "Rule": "faults.rules",
    "Way": "faults.rules",
    "Scenario": "faults.scenarios",
}
"""The modules of the names that are loaded when they are asked for."""


def __getattr__(name: str) -> object:
    """Loads what few programs need when it is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    return found
