"""Server, files, faults and client of this machine fulfil the interface of a place that serves."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from TftpLibrary.client import TftpClient
from TftpLibrary.engine.injection import Faults
from TftpLibrary.server import TftpServer
from TftpLibrary.station import Station, StationClient, StationFaults, StationFiles
from TftpLibrary.store.files import FileStore

if TYPE_CHECKING:
    # mypy compares each method and its types.
    SERVER: type[Station] = TftpServer
    FILES: type[StationFiles] = FileStore
    FAULTS: type[StationFaults] = Faults
    CLIENT: type[StationClient] = TftpClient

PAIRS = [
    (Station, TftpServer),
    (StationFiles, FileStore),
    (StationFaults, Faults),
    (StationClient, TftpClient),
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
