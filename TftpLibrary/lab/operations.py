"""The operations that a lab half knows: a fixed table, with the types of arguments and results.

They are methods of the interface of a place that serves. A name that is not in the table is
refused, and so is an argument that does not have its type.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.pauses import Pause
from TftpLibrary.faults.reports import FaultReport, TftpFault
from TftpLibrary.faults.wording import Fault
from TftpLibrary.lab.values import from_json
from TftpLibrary.recording.capture import Captured
from TftpLibrary.settings import ClientSettings, ServerSettings
from TftpLibrary.station import Station, StationFaults, StationFiles
from TftpLibrary.store.base import StoredFile
from TftpLibrary.store.digests import Digests

# Arguments and results are of any type.
_SELDOM = {
    "Fault": Fault,
    "FaultReport": FaultReport,
    "LinkQuality": LinkQuality,
    "Pause": Pause,
    "TftpFault": TftpFault,
    "List": list,
}
"""What the interface names only for type checkers."""

_PLACES = {"Station": "server", "StationFiles": "files", "StationFaults": "faults"}

VERSION_OF_WIRE = 1
"""Changes when an older half would misunderstand a newer runner."""


class Greeting(NamedTuple):
    """The answer to the first call.

    Attributes:
        version: of TftpLibrary at the lab.
        wire: its `VERSION_OF_WIRE`.
        at: monotonic seconds there.
    """

    version: str
    wire: int
    at: float


class Started(NamedTuple):
    """A server that was started at the lab.

    Attributes:
        host: the address that is bound.
        port: the port that is bound.
        root: the folder that it serves there.
        settings: as they are, within the limits of the lab.
        warnings: sentences for the user.
    """

    host: str
    port: int
    root: Path
    settings: ServerSettings
    warnings: list[str]


class Ended(NamedTuple):
    """A server that was stopped at the lab.

    Attributes:
        cut: the ids of the transfers that were cut short.
        warnings: sentences for the user.
    """

    cut: list[int]
    warnings: list[str]


class Held(NamedTuple):
    """A server of a session, for `tftplibrary lab status`.

    Attributes:
        alias: its name.
        bound: host and port.
        clients: the boards that it serves; empty for all.
    """

    alias: str
    bound: str
    clients: tuple[str, ...]


class Visitor(NamedTuple):
    """A session, for `tftplibrary lab status`.

    Attributes:
        who: who opened it.
        age: seconds since then.
        servers: its servers.
    """

    who: str
    age: float
    servers: tuple[Held, ...]


class Operation(NamedTuple):
    """One row of the table.

    Attributes:
        arguments: the types, by name.
        result: the type of the result.
        is_needed: the names of the arguments that have no default.
        method: the method of the place that it calls; empty where the session has its own way.
    """

    arguments: Mapping[str, Any]
    result: Any
    is_needed: frozenset[str]
    method: str = ""

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Returns checked arguments.

        Raises:
            UsageError: one is missing, unknown, or not of its type.
        """
        missing, unknown = self.is_needed - set(given), set(given) - set(self.arguments)
        for name in sorted(missing | unknown):
            from_json(type(None), "missing" if name in missing else "unknown", name)
        return {name: from_json(self.arguments[name], each, name) for name, each in given.items()}


def name_of(method: Callable[..., Any]) -> str:
    """Returns the name of an operation, which is a method of the interface."""
    interface, _, name = method.__qualname__.partition(".")
    return f"{_PLACES[interface]}.{name}"


def hints_of(method: Callable[..., Any]) -> dict[str, Any]:
    """Returns the types of the arguments and of the result of a method of the interface."""
    return get_type_hints(method, localns=_SELDOM)


def _of(*methods: Any) -> dict[str, Operation]:
    """Returns the operations of some methods of the interface."""
    rows = {}
    for method in methods:
        function: Any = method.fget if isinstance(method, property) else method
        hints = hints_of(function)
        result, name = hints.pop("return"), name_of(function)
        parameters = inspect.signature(function).parameters
        needed = [each for each in hints if parameters[each].default is inspect.Parameter.empty]
        rows[name] = Operation(hints, result, frozenset(needed), function.__name__)
    return rows


def _own(result: Any, **arguments: Any) -> Operation:
    return Operation(arguments, result, frozenset(arguments))


OPERATIONS: dict[str, Operation] = {
    "greet": _own(Greeting, version=str, wire=int, who=str),
    "fence": _own(type(None)),
    "status": _own(tuple[Visitor, ...]),
    "start": _own(Started, alias=str, root=str | None, settings=ServerSettings),
    "stop": _own(Ended, grace=float),
    "change": _own(ServerSettings, settings=ServerSettings),
    "start_capture": _own(type(None)),
    "take_capture": _own(Captured),
    "upload": _own(
        StoredFile,
        name=str,
        size=int | None,
        only_for=str,
        overwrite=bool,
        label=str,
        digests=Digests | None,
    ),
    "download": _own(type(None), name=str, client=str),
    "add_fault": _own(str, fault=Fault, of_id=int),
    "get": _own(int, host=str, port=int, settings=ClientSettings, name=str),
    "put": _own(int, host=str, port=int, settings=ClientSettings, name=str, size=int),
    **_of(Station.bound, Station.address_for, Station.pause, Station.resume),
    **_of(Station.capture, Station.is_capturing, Station.stop_capture),
    **_of(StationFiles.create, StationFiles.copy, StationFiles.rename, StationFiles.get),
    **_of(StationFiles.checksum, StationFiles.sha256_for, StationFiles.list, StationFiles.exists),
    **_of(StationFiles.size_of, StationFiles.delete, StationFiles.delete_all),
    **_of(StationFaults.set_link, StationFaults.links, StationFaults.restore_links),
    **_of(StationFaults.reports, StationFaults.expect, StationFaults.misses),
    **_of(StationFaults.wait_until_happened, StationFaults.clear),
}
"""The rows by name. Each call also names its server; faults of server 0 are those of our client."""
