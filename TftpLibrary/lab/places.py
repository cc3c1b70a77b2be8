"""The files and the faults of a server at a lab: what they are asked, the lab half does."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import closing
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar, cast

from TftpLibrary.faults.scenarios import Scenario, Where, begin, parse_scenario
from TftpLibrary.faults.wording import Fault
from TftpLibrary.lab.operations import hints_of, name_of
from TftpLibrary.lab.runner import Session
from TftpLibrary.station import StationFaults, StationFiles
from TftpLibrary.store.base import StoredFile
from TftpLibrary.store.digests import Chunks
from TftpLibrary.store.incoming import Progress, chosen_below, counted, name_for, open_source
from TftpLibrary.store.names import local_parts
from TftpLibrary.store.saved import saved

F = TypeVar("F", bound=Callable[..., Any])
V = TypeVar("V")

# A method of LabFiles is called `list`. Results of operations are of any type.
List = list


def forwarded(method: F, **without: Any) -> F:
    """Returns a method that has the lab half do what a method of the interface says.

    Args:
        method: of an interface in `TftpLibrary.station`; its row of the table has its types.
        without: `lost`, the result where the lab is lost; without it that is an error.
    """
    name, signature = name_of(method), inspect.signature(method)

    def ask(place: Place, /, *given: Any, **named: Any) -> Any:
        if "lost" in without and place.is_lost:
            return without["lost"]
        bound = signature.bind(place, *given, **named)
        bound.apply_defaults()
        _, *arguments = bound.arguments.items()
        return place.ask(name, **dict(arguments))

    update_wrapper(ask, method).__annotations__ = hints_of(method)
    return cast("F", ask)


def forwarded_value(value: V) -> V:
    """Returns a property that asks the lab half for what a property of the interface says."""
    method: Any = cast("property", value).fget
    return cast("V", property(forwarded(method)))


class Place:
    """A place at a lab: what it is asked, the lab half does.

    Args:
        session: the connection.
        number: the server; 0 for the clients.
    """

    def __init__(self, session: Session, number: int = 0) -> None:
        self._session = session
        self._number = number

    def ask(self, method: str, **arguments: Any) -> Any:
        """Has the lab half do something; see `Session.call`."""
        return self._session.call(method, self._number, **arguments)

    @property
    def is_lost(self) -> bool:
        """Whether the lab is lost."""
        return bool(self._session.lost)


class LabFiles(Place):
    """The files of a server at a lab; `FileStore` describes each method."""

    create = forwarded(StationFiles.create)
    copy = forwarded(StationFiles.copy)
    rename = forwarded(StationFiles.rename)
    get = forwarded(StationFiles.get)
    checksum = forwarded(StationFiles.checksum)
    sha256_for = forwarded(StationFiles.sha256_for)
    list = forwarded(StationFiles.list)
    exists = forwarded(StationFiles.exists)
    size_of = forwarded(StationFiles.size_of)
    delete = forwarded(StationFiles.delete)
    delete_all = forwarded(StationFiles.delete_all)

    def upload(
        self,
        source: str | Path,
        name: str = "",
        *,
        only_for: str = "",
        overwrite: bool = True,
        progress: Progress | None = None,
    ) -> StoredFile:
        """Sends a file from a path or a URL of this machine; not if the same one is there."""
        with closing(open_source(source)) as incoming:
            chosen = name_for(incoming, name)
            is_equal = incoming.size is not None and incoming.size == self.size_of(
                chosen, client=only_for
            )
            more = {
                "label": incoming.label,
                "size": incoming.size,
                "digests": incoming.digests() if is_equal else None,
            }
            return self._upload(counted(incoming, progress), chosen, only_for, overwrite, **more)

    def upload_bytes(
        self, data: bytes, name: str, *, only_for: str = "", overwrite: bool = True
    ) -> StoredFile:
        """Stores bytes under a name."""
        more = {"label": "the content", "size": len(data), "digests": None}
        return self._upload([data], name, only_for, overwrite, **more)

    def upload_folder(
        self, source: str | Path, name: str = "", *, pattern: str = "*", overwrite: bool = True
    ) -> List[StoredFile]:
        """Sends the files below a folder of this machine."""
        return [
            self.upload(path, own_name, overwrite=overwrite)
            for path, own_name in chosen_below(source, name, pattern)
        ]

    def read_bytes(self, name: str, *, client: str = "") -> bytes:
        """Returns the whole content of a file."""
        content = bytearray()
        self.ask("download", sink=content.extend, name=name, client=client)
        return bytes(content)

    def download(self, name: str, destination: str | Path, *, client: str = "") -> Path:
        """Copies a file to this machine."""
        size = self.size_of(name, client=client)
        if size is None:
            # The lab half says what is wrong.
            self.get(name, client=client)
        fetched = self._session.fetch("download", self._number, name=name, client=client)
        with closing(fetched) as chunks:
            return saved(Path(destination), local_parts(name)[-1], size, chunks)

    def _upload(
        self, body: Chunks, name: str, only_for: str, overwrite: bool, **more: Any
    ) -> StoredFile:
        more |= {"name": name, "only_for": only_for, "overwrite": overwrite}
        stored: StoredFile = self.ask("upload", body=body, **more)
        return stored


class LabFaults(Place):
    """The faults of a server at a lab, or of the clients there; `Faults` describes each method."""

    set_link = forwarded(StationFaults.set_link)
    links = forwarded_value(StationFaults.links)
    restore_links = forwarded(StationFaults.restore_links, lost=None)
    reports = forwarded(StationFaults.reports)
    expect = forwarded(StationFaults.expect)
    misses = forwarded(StationFaults.misses, lost=[])
    wait_until_happened = forwarded(StationFaults.wait_until_happened)
    clear = forwarded(StationFaults.clear, lost=[])

    def add(self, fault: Fault) -> str:
        """Puts a fault behind the others. Returns its id."""
        number = next(self._session.recorder.fault_numbers)
        return str(self.ask("add_fault", fault=fault, of_id=number))

    def use(
        self, scenario: Scenario | str, file: str = "*", *, client: str = "", seed: int = 0
    ) -> List[str]:
        """Lets a named day begin. Returns the ids of its faults."""
        where = Where(file, client, seed, is_of_client=not self._number)
        return begin(parse_scenario(scenario), where, self.add, self.set_link)
