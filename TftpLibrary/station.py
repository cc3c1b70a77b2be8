"""The interface of a place that serves: a server, its files, its faults and a client.

Keywords know no other thing of it. `TftpServer`, `FileStore`, `Faults` and `TftpClient` fulfil it
on this machine. A place at another host fulfils it by these promises:

- A path is one of the machine that runs the test. Only the root is a folder of the machine that
  serves. Content travels in pieces, except in `upload_bytes` and `read_bytes`.
- Transfers are recorded in the recorder of the test, with its ids and by its clock. Everything
  that happened before a look at the record, or before a mark, is in the record by then.
- Checksums are computed, and test files are made, on the machine that serves.
- Errors are those of `TftpLibrary.errors` and `StoreError`, with their attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from TftpLibrary.recording.capture import Captured
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ServerSettings
from TftpLibrary.store.base import StoredFile
from TftpLibrary.store.content import TestContent
from TftpLibrary.store.incoming import Progress

if TYPE_CHECKING:
    from TftpLibrary.faults.link import LinkQuality
    from TftpLibrary.faults.pauses import Pause
    from TftpLibrary.faults.reports import FaultReport, TftpFault
    from TftpLibrary.faults.scenarios import Scenario
    from TftpLibrary.faults.wording import Fault

# A method of StationFiles is called `list`.
List = list


class StationFiles(Protocol):
    """The files of a server, for the author of a test; `FileStore` describes each method."""

    def upload(
        self,
        source: str | Path,
        name: str = "",
        *,
        only_for: str = "",
        overwrite: bool = True,
        progress: Progress | None = None,
    ) -> StoredFile:
        """Copies a file from a path or a URL into the store."""

    def upload_bytes(
        self, data: bytes, name: str, *, only_for: str = "", overwrite: bool = True
    ) -> StoredFile:
        """Stores bytes under a name."""

    def upload_folder(
        self, source: str | Path, name: str = "", *, pattern: str = "*", overwrite: bool = True
    ) -> List[StoredFile]:
        """Copies the files below a folder."""

    def create(
        self, name: str, size: int, *, content: TestContent = TestContent.random, seed: int = 0
    ) -> StoredFile:
        """Makes a test file."""

    def copy(
        self, name: str, new_name: str, *, overwrite: bool = False, client: str = ""
    ) -> StoredFile:
        """Copies a file within the store."""

    def rename(
        self, name: str, new_name: str, *, overwrite: bool = False, client: str = ""
    ) -> StoredFile:
        """Gives a file another name."""

    def get(self, name: str, *, client: str = "") -> StoredFile:
        """Describes a file."""

    def checksum(self, name: str, algorithm: str = "sha256", *, client: str = "") -> str:
        """Returns the checksum of a file."""

    def size_of(self, name: str, *, client: str = "") -> int | None:
        """Returns the bytes of a file; None where there is none."""

    def sha256_for(self, name: str, client: str) -> str:
        """Returns the checksum of the file that a board reads under a name; empty if unknown."""

    def read_bytes(self, name: str, *, client: str = "") -> bytes:
        """Returns the whole content of a file."""

    def download(self, name: str, destination: str | Path, *, client: str = "") -> Path:
        """Copies a file to the machine that runs the test."""

    def list(self, pattern: str = "*", *, client: str = "") -> List[str]:
        """Returns the names of the files that match."""

    def exists(self, name: str, *, client: str = "") -> bool:
        """Whether there is a file of that name."""

    def delete(self, name: str, *, missing_ok: bool = False, client: str = "") -> bool:
        """Deletes a file."""

    def delete_all(self) -> List[str]:
        """Deletes every file."""


class StationFaults(Protocol):
    """The faults on purpose of a server or of our client; `Faults` describes each method."""

    def add(self, fault: Fault) -> str:
        """Puts a fault behind the others. Returns its id."""

    def use(
        self, scenario: Scenario | str, file: str = "*", *, client: str = "", seed: int = 0
    ) -> List[str]:
        """Lets a named day begin. Returns the ids of its faults."""

    def set_link(self, quality: LinkQuality) -> LinkQuality:
        """Sets what the link does to every packet. Returns the quality before."""

    @property
    def links(self) -> tuple[LinkQuality, ...]:
        """The quality of each link, in the order of their setting."""

    def restore_links(self, links: tuple[LinkQuality, ...]) -> None:
        """Sets all links as they were."""

    def reports(self) -> tuple[FaultReport, ...]:
        """Returns what is known of every fault."""

    def expect(self, fault: str, *, times: int | None = None, client: str = "") -> TftpFault:
        """Returns a fault that happened."""

    def misses(self, reports: Iterable[FaultReport]) -> List[str]:
        """Returns for each fault that should have happened, and did not, the reason."""

    def wait_until_happened(
        self, fault: str, timeout: float = 60.0, *, times: int = 1, client: str = ""
    ) -> TftpFault:
        """Waits until a fault has happened so often."""

    def clear(self, fault: str = "") -> List[FaultReport]:
        """Clears one fault, or everything. Returns what is known of those."""


class Station(Protocol):
    """A server at one address and port; `TftpServer` describes each method."""

    @property
    def is_running(self) -> bool:
        """Whether it runs; not any more when its lab was lost."""

    def check(self) -> None:
        """Raises LabError where nobody knows any more what happens there."""

    @property
    def lab(self) -> str:
        """The URL of its lab; empty for this machine."""

    @property
    def alias(self) -> str:
        """The server's name in records and messages."""

    @property
    def settings(self) -> ServerSettings:
        """How it serves."""

    @property
    def host(self) -> str:
        """The address that is bound."""

    @property
    def port(self) -> int:
        """The port that is bound."""

    @property
    def bound(self) -> str:
        """Host and port that are bound, as messages show them; empty while it is stopped."""

    @property
    def root(self) -> Path:
        """The folder that is served, on the machine that serves."""

    @property
    def files(self) -> StationFiles:
        """Its files."""

    @property
    def faults(self) -> StationFaults:
        """Its faults on purpose."""

    @property
    def warnings(self) -> list[str]:
        """Sentences for the user about the folder, since the last start."""

    def start(self) -> object:
        """Returns when boards can ask."""

    def stop(self, grace: float = 0.0) -> list[Transfer]:
        """Stops, and returns the transfers that were cut short."""

    def url(self, name: str = "") -> str:
        """Returns the URL of the server, or of a file."""

    def address_for(self, client: str) -> str:
        """Returns the address by which a client reaches the server."""

    def pause(self, mode: Pause | str = "silent", duration: float | None = None) -> None:
        """Is away on purpose."""

    def resume(self) -> None:
        """Ends a pause."""

    # Each setting has its own type, hence Any.
    def change(self, **settings: Any) -> ServerSettings:
        """Changes settings from the next request on, and returns the previous ones."""

    @property
    def capture(self) -> Captured | None:
        """The content of the running capture, or of the last one."""

    @property
    def is_capturing(self) -> bool:
        """Whether a capture runs."""

    def start_capture(self, path: str | Path) -> Path:
        """Writes every datagram from now on to a file on the machine that runs the test."""

    def stop_capture(self) -> Captured:
        """Ends the capture."""


class StationClient(Protocol):
    """A client that asks a board; `TftpClient` describes each method."""

    def __enter__(self) -> StationClient:
        """Opens it."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Releases what it holds."""

    def get(
        self,
        name: str,
        destination: str | Path,
        *,
        progress: Callable[[Transfer], None] | None = None,
    ) -> Transfer:
        """Reads a file from the board."""

    def put(
        self,
        source: str | Path,
        name: str = "",
        *,
        progress: Callable[[Transfer], None] | None = None,
    ) -> Transfer:
        """Writes a file to the board."""
