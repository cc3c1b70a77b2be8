"""A server and a client at a lab, as the keywords and a Python program see them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from TftpLibrary.engine.hosts import server_url
from TftpLibrary.errors import LabError, TftpError, UsageError
from TftpLibrary.lab.operations import Ended, Started
from TftpLibrary.lab.places import LabFaults, LabFiles, Place, forwarded
from TftpLibrary.lab.runner import Session
from TftpLibrary.messages.answers import wait_until
from TftpLibrary.messages.questions import Question
from TftpLibrary.recording.capture import Captured, new_file
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Watch
from TftpLibrary.settings import ClientSettings, ServerSettings
from TftpLibrary.station import Station
from TftpLibrary.store.digests import pieces
from TftpLibrary.store.names import fetched_path
from TftpLibrary.store.saved import local_sink, local_source

if TYPE_CHECKING:
    from io import FileIO

# Results of operations are of any type.
T = TypeVar("T")


class LabServer(Place):
    """A server at a lab; `TftpServer` describes each method.

    Args:
        session: the connection.
        number: tells the servers of a session apart.
        root: a folder of the lab host; None for a private one.
        settings: how it serves.
        alias: its name in records and messages.

    Attributes:
        files: its files.
        faults: its faults on purpose.
        warnings: sentences for the user, since the last start.
    """

    address_for = forwarded(Station.address_for)
    pause = forwarded(Station.pause)
    resume = forwarded(Station.resume)

    def __init__(
        self,
        session: Session,
        number: int,
        root: Path | None,
        settings: ServerSettings,
        alias: str = "",
    ) -> None:
        super().__init__(session, number)
        self.files = LabFiles(session, number)
        self.faults = LabFaults(session, number)
        self.warnings: list[str] = []
        self._given_root = root
        self._settings = settings
        self._alias = alias
        self._started: Started | None = None
        self._capture: tuple[FileIO, Path] | None = None
        self._captured: Captured | None = None

    def start(self) -> LabServer:
        """Returns when boards can ask. Idempotent."""
        if self._started is None:
            root = None if self._given_root is None else str(self._given_root)
            try:
                started: Started = self.ask(
                    "start", alias=self._alias, root=root, settings=self._settings
                )
            except TftpError:
                raise
            except BaseException:
                # An interrupted wait: it may run by now.
                with suppress(TftpError):
                    self.ask("stop", grace=0.0)
                raise
            self._started, self._settings = started, started.settings
            self.warnings = list(started.warnings)
            self._session.recorder.join(self._session, is_distant=True)
        return self

    def stop(self, grace: float = 0.0) -> list[Transfer]:
        """Stops, and returns the transfers that were cut short. Idempotent."""
        if self._started is None:
            return []
        self._started = None
        cut: list[Transfer] = []
        try:
            ended: Ended = self.ask("stop", grace=float(grace))
            self.warnings += ended.warnings
            cut = self._session.mirror.transfers(ended.cut)
        except LabError as error:
            # It was lost, and everything there has ended.
            self.warnings.append(str(error))
        finally:
            self._session.recorder.leave(self._session)
        self._fetch_capture()
        return cut

    def __enter__(self) -> LabServer:
        """Starts the server."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops the server."""
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether it runs, and its lab is there."""
        return self._started is not None and not self._session.lost

    def check(self) -> None:
        """Raises LabError if the lab is lost."""
        self._session.check()

    @property
    def recorder(self) -> Recorder:
        """The records of all servers and clients of the lab."""
        return self._session.recorder

    def transfers(self, since: int = 0) -> tuple[Transfer, ...]:
        """Returns the records in the order of the requests."""
        return self.recorder.transfers(since)

    def wait_until(self, question: Question[T], timeout: float = 60.0, since: int = 0) -> T:
        """Waits until the records of this server answer a question."""
        names = self.files.list if self.is_running else tuple
        at, check = self.bound, self.check
        watch = Watch(self.recorder, self.alias, since, self.is_running, names, at, check)
        return wait_until(question, watch, timeout)

    @property
    def lab(self) -> str:
        """The URL of its lab."""
        return self._session.url

    @property
    def alias(self) -> str:
        """The server's name in records and messages."""
        return self._alias

    @property
    def settings(self) -> ServerSettings:
        """How it serves."""
        return self._settings

    @property
    def host(self) -> str:
        """The address that is bound."""
        return self._running().host

    @property
    def port(self) -> int:
        """The port that is bound."""
        return self._running().port

    @property
    def root(self) -> Path:
        """The folder that is served, at the lab host."""
        return self._running().root

    @property
    def bound(self) -> str:
        """Host and port that are bound, as messages show them; empty while it is stopped."""
        bound: str = self.ask("server.bound") if self.is_running else ""
        return bound

    def url(self, name: str = "") -> str:
        """Returns the URL of the server, or of a file."""
        return server_url(self.host, self.port, name)

    # Each setting has its own type, hence Any.
    def change(self, **settings: Any) -> ServerSettings:
        """Changes settings from the next request on, and returns the previous ones."""
        old = self._settings
        self._settings = self.ask("change", settings=old.changed(settings, is_running=True))
        return old

    @property
    def capture(self) -> Captured | None:
        """The content of the running capture, or of the last one."""
        if self._capture is None:
            return self._captured
        captured: Captured | None = self.ask("server.capture")
        return None if captured is None else captured._replace(path=self._capture[1])

    @property
    def is_capturing(self) -> bool:
        """Whether a capture runs."""
        is_on = self._capture is not None and self.is_running
        return is_on and bool(self.ask("server.is_capturing"))

    def start_capture(self, path: str | Path) -> Path:
        """Writes every datagram from now on to a file there, and at the end to one here."""
        target = Path(path)
        if self._capture is not None and self.is_capturing:
            raise UsageError(f"A capture runs already, into '{self._capture[1]}'. Stop it first.")
        file = new_file(target)
        try:
            self.ask("start_capture")
        except BaseException:
            file.close()
            target.unlink(missing_ok=True)
            raise
        self._capture, self._captured = (file, target), None
        return target

    def stop_capture(self) -> Captured:
        """Ends the capture, and fetches it."""
        self.ask("server.stop_capture")
        self._fetch_capture()
        assert self._captured is not None
        return self._captured

    def _fetch_capture(self) -> None:
        """Fetches a capture that has ended, to the file that was opened for it."""
        if self._capture is None:
            return
        file, path = self._capture
        self._capture = None
        self._captured = Captured(path, 0, 0, f"The capture '{path}' was lost with its lab.")
        with file, suppress(LabError):
            found: Captured = self.ask("take_capture", sink=file.write)
            warning = found.warning.replace(str(found.path), str(path))
            self._captured = found._replace(path=path, warning=warning)

    def _running(self) -> Started:
        if self._started is None:
            raise UsageError("The server does not run. Start it first.")
        return self._started


class LabClient:
    """A client at a lab, for a board that is a server; `TftpClient` describes each method.

    Args:
        session: the connection.
        host: address or name of the board, as the lab host knows it.
        port: its request port.
        settings: how to ask.
    """

    def __init__(
        self, session: Session, host: str, port: int = 69, settings: ClientSettings | None = None
    ) -> None:
        self._session = session
        self._asked: dict[str, Any] = {
            "host": host,
            "port": port,
            "settings": settings or ClientSettings(),
        }

    def __enter__(self) -> LabClient:
        """Returns the client."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Does nothing: the lab half closes its client after each file."""

    def get(
        self,
        name: str,
        destination: str | Path,
        *,
        progress: Callable[[Transfer], None] | None = None,
    ) -> Transfer:
        """Reads a file from the board to this machine."""
        with local_sink(fetched_path(name, Path(destination))) as sink:
            number = self._run("get", progress, name=name, sink=lambda octets: sink.write([octets]))
            sink.commit()
        return self._transfer(number)

    def put(
        self,
        source: str | Path,
        name: str = "",
        *,
        progress: Callable[[Transfer], None] | None = None,
    ) -> Transfer:
        """Writes a file of this machine to the board."""
        path = Path(source)
        with local_source(path) as opened:
            size = opened.size
            number = self._run(
                "put", progress, name=name or path.name, size=size, body=pieces(opened)
            )
        return self._transfer(number)

    def _run(
        self, method: str, progress: Callable[[Transfer], None] | None, **arguments: Any
    ) -> int:
        recorder, since = self._session.recorder, self._session.recorder.position

        def tell() -> None:
            for transfer in recorder.transfers(since) if progress is not None else ():
                if transfer.is_ours and transfer.is_running and progress is not None:
                    progress(transfer)

        recorder.join(self._session, is_distant=True)
        try:
            return int(self._session.call(method, idle=tell, **self._asked, **arguments))
        finally:
            recorder.leave(self._session)

    def _transfer(self, number: int) -> Transfer:
        return self._session.mirror.transfers([number])[-1]
