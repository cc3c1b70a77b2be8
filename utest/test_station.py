"""What serves at this machine and what serves at a lab have one interface."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from TftpLibrary.client import TftpClient
from TftpLibrary.engine.injection import Faults
from TftpLibrary.lab.places import LabFaults, LabFiles
from TftpLibrary.lab.servers import LabClient, LabServer
from TftpLibrary.server import TftpServer
from TftpLibrary.station import Station, StationClient, StationFaults, StationFiles
from TftpLibrary.store.files import FileStore

if TYPE_CHECKING:
    # mypy compares each method and its types.
    SERVERS: list[type[Station]] = [TftpServer, LabServer]
    FILES: list[type[StationFiles]] = [FileStore, LabFiles]
    FAULTS: list[type[StationFaults]] = [Faults, LabFaults]
    CLIENTS: list[type[StationClient]] = [TftpClient, LabClient]

PAIRS = [
    (Station, TftpServer),
    (StationFiles, FileStore),
    (StationFaults, Faults),
    (StationClient, TftpClient),
    (Station, LabServer),
    (StationFiles, LabFiles),
    (StationFaults, LabFaults),
    (StationClient, LabClient),
]


def parameters(cls: type, name: str) -> list[tuple[str, object, object]]:
    """Returns the parameters of a method with their kinds and defaults; none for a property."""
    method = inspect.getattr_static(cls, name)
    if isinstance(method, property):
        return []
    found = inspect.signature(method).parameters.values()
    return [(each.name, each.kind, each.default) for each in found]


def methods(cls: type) -> list[str]:
    return [name for name in vars(cls) if not name.startswith("_")]


@pytest.mark.parametrize(("interface", "local"), PAIRS)
def test_defaults_of_the_interface_are_those_of_this_machine(interface: type, local: type) -> None:
    """A type checker compares names and types; a default may differ unseen."""
    told = {
        name: parameters(interface, name) for name in methods(interface) if hasattr(local, name)
    }
    assert told
    assert told == {name: parameters(local, name) for name in told}
