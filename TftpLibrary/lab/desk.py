"""The desk of a session at the lab: does what the table of operations has, and nothing else."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

from TftpLibrary.client import TftpClient
from TftpLibrary.engine.injection import ClientFaults, Faults
from TftpLibrary.errors import LabError, TftpError, UsageError
from TftpLibrary.faults.wording import Fault
from TftpLibrary.lab.frames import MOST_PIECE, Message
from TftpLibrary.lab.jobs import Arriving, Cancelled, Job
from TftpLibrary.lab.limits import Limits
from TftpLibrary.lab.operations import (
    OPERATIONS,
    VERSION_OF_WIRE,
    Ended,
    Greeting,
    Held,
    Started,
    Visitor,
)
from TftpLibrary.lab.values import from_json
from TftpLibrary.protocol.packets import printable
from TftpLibrary.recording.capture import Captured
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ClientSettings, ServerSettings
from TftpLibrary.store.base import StoredFile
from TftpLibrary.store.digests import Digests, pieces
from TftpLibrary.store.files import FileStore
from TftpLibrary.store.saved import saved
from TftpLibrary.version import VERSION

# Arguments and results of operations are of any type.
MOST_SERVERS = 100
MOST_STOPPED = 500
_MOST_WHO = 100
_NO_METHOD, _NO_PARAMS = -32601, -32602
_GROWING = ("files.create", "files.copy")


class Refused(Exception):
    """A call that cannot be, with its code of JSON-RPC."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Desk:
    """The servers and clients of one session.

    Args:
        limits: what runners may do here.
        visitors: returns all sessions of this lab.
        recorder: keeps the records.
    """

    def __init__(
        self, limits: Limits, visitors: Callable[[], Sequence[Visitor]], recorder: Recorder
    ) -> None:
        self._limits = limits
        self._visitors = visitors
        self._recorder = recorder
        self._who = ""
        self._is_asking = False
        self._is_closed = False
        self._begun = monotonic()
        self._servers: dict[int, TftpServer] = {}
        self._client_faults: ClientFaults | None = None
        self._folder: Path | None = None
        self._own: dict[str, Callable[..., Any]] = {
            "greet": self._greet,
            "fence": self._fence,
            "status": self._status,
            "start": self._start,
            "stop": self._stop,
            "change": self._change,
            "start_capture": self._start_capture,
            "take_capture": self._take_capture,
            "upload": self._upload,
            "download": self._download,
            "add_fault": self._add_fault,
            "get": self._get,
            "put": self._put,
        }

    @property
    def visitor(self) -> Visitor:
        """Who it is, and what it has here; nobody if it only asked who is here."""
        held = [
            Held(server.alias, server.bound, server.settings.clients)
            for server in list(self._servers.values())
            if server.is_running
        ]
        who = "" if self._is_asking else self._who
        return Visitor(who, monotonic() - self._begun, tuple(held))

    def clean_up(self) -> None:
        """Stops every server, so that boards get an ERROR, and removes what is private."""
        self._is_closed = True
        while self._servers:
            _, server = self._servers.popitem()
            with suppress(TftpError):
                server.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def call(self, method: str, params: Message, job: Job) -> Any:
        """Does what a runner asks, and returns the result.

        Raises:
            Refused: it is not in the table, or its arguments do not fit.
            TftpError: as the operation raises it.
        """
        operation = OPERATIONS.get(method)
        if operation is None:
            raise Refused(f"there is no operation {method!r}", _NO_METHOD)
        if not self._who and method != "greet":
            raise Refused("a session begins with 'greet'", _NO_METHOD)
        try:
            server = from_json(int, params.pop("server", 0), "server")
            arguments = operation.read(params)
        except UsageError as error:
            raise Refused(str(error), _NO_PARAMS) from error
        if method in self._own:
            return _without_path(self._own[method](server, job, **arguments))
        place = self._place(method.partition(".")[0], server)
        if method in _GROWING:
            self._check_room(place, **arguments)
        # The name stands in the table; it came from no runner.
        found = getattr(place, operation.method)
        return _without_path(found(**arguments) if callable(found) else found)

    def _place(self, place: str, server: int) -> Any:
        if place == "faults":
            return self._faults(server)
        found = self._server(server)
        return found.files if place == "files" else found

    def _faults(self, server: int) -> Faults:
        if server:
            return self._server(server).faults
        if self._client_faults is None:
            self._client_faults = ClientFaults(self._recorder)
        return self._client_faults

    def _server(self, number: int) -> TftpServer:
        server = self._servers.get(number)
        if server is None:
            raise UsageError("The server does not run at the lab. Start it first.")
        return server

    def _check_room(self, files: FileStore, name: str, size: int | None = None, **_: Any) -> None:
        self._limits.check_room(files.size_of(name) if size is None else size)

    def _private(self, name: str) -> Path:
        """Returns a path in a folder that goes with the session."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="tftplibrary-lab-"))
        return self._folder / name

    # Operations of the session itself; the table has their types.

    def _greet(self, _server: int, _job: Job, version: str, wire: int, who: str) -> Greeting:
        if wire != VERSION_OF_WIRE:
            raise LabError(
                f"the lab has TftpLibrary {VERSION}, and this machine has {version}. Install the "
                "same version at both: pip install --upgrade robotframework-tftp."
            )
        self._who = printable(who.encode("utf-8", "replace")[:_MOST_WHO]) or "somebody"
        return Greeting(VERSION, VERSION_OF_WIRE, monotonic())

    def _fence(self, _server: int, _job: Job) -> None:
        self._recorder.mark()

    def _status(self, _server: int, _job: Job) -> tuple[Visitor, ...]:
        self._is_asking = True
        return tuple(self._visitors())

    def _start(
        self, number: int, job: Job, alias: str, root: str | None, settings: ServerSettings
    ) -> Started:
        if sum(each.is_running for each in list(self._servers.values())) >= MOST_SERVERS:
            raise UsageError(f"A session has at most {MOST_SERVERS} servers. Stop one first.")
        folder, chosen = self._limits.check_root(root, settings), self._limits.settings(settings)
        server = self._servers.pop(number, None)
        if server is None:
            recorder, owner = self._recorder, self._who
            server = TftpServer(folder, chosen, alias=alias, recorder=recorder, owner=owner)
        else:
            server.change(**{row.name: getattr(chosen, row.name) for row in chosen.rows})
        server.start()
        self._servers[number] = server
        # The session may have ended, or the runner given up, meanwhile.
        if self._is_closed or not job.is_wanted:
            self._servers.pop(number, None)
            server.stop()
            raise Cancelled
        return Started(server.host, server.port, server.root, server.settings, server.warnings)

    def _stop(self, number: int, _job: Job, grace: float) -> Ended:
        server = self._servers.get(number)
        if server is None:
            return Ended([], [])
        told = len(server.warnings)
        cut = server.stop(grace)
        # A test still asks for its faults and its capture.
        stopped = [each for each, known in self._servers.items() if not known.is_running]
        for each in stopped[:-MOST_STOPPED]:
            del self._servers[each]
        return Ended([transfer.id for transfer in cut], server.warnings[told:])

    def _change(self, number: int, _job: Job, settings: ServerSettings) -> ServerSettings:
        server, new = self._server(number), self._limits.settings(settings)
        rows = [row for row in new.rows if not row.fixed]
        server.change(**{row.name: getattr(new, row.name) for row in rows})
        return server.settings

    def _start_capture(self, number: int, _job: Job) -> None:
        self._limits.check_room(0)
        self._server(number).start_capture(self._private(f"{number}.pcapng"))

    def _take_capture(self, number: int, job: Job) -> Captured:
        server = self._server(number)
        captured = server.capture
        if captured is None:
            raise UsageError("There is no capture to fetch.")
        with captured.path.open("rb") as file:
            while octets := file.read(MOST_PIECE):
                job.send(octets)
        captured.path.unlink()
        return captured

    def _upload(
        self,
        number: int,
        job: Job,
        *,
        label: str,
        size: int | None,
        digests: Digests | None,
        **more: Any,
    ) -> StoredFile:
        self._limits.check_room(size)
        arriving = Arriving(label, size, digests, job)
        return self._server(number).files.take(arriving, **more)

    def _download(self, number: int, job: Job, name: str, client: str) -> None:
        for piece in pieces(self._server(number).files.open_for(name, client=client)):
            job.send(piece)

    def _add_fault(self, number: int, _job: Job, fault: Fault, of_id: int) -> str:
        faults = self._faults(number)
        self._recorder.fault_numbers = count(of_id)
        return faults.add(fault)

    def _client(self, host: str, port: int, settings: ClientSettings) -> TftpClient:
        self._limits.check_host(host)
        faults = self._client_faults
        return TftpClient(host, port, settings, recorder=self._recorder, faults=faults)

    def _get(
        self, _server: int, job: Job, host: str, port: int, settings: ClientSettings, name: str
    ) -> int:
        path = self._private(f"get-{id(job)}")
        try:
            with self._client(host, port, settings) as client:
                transfer = client.get(name, path, progress=lambda _: job.check())
            with path.open("rb") as file:
                while octets := file.read(MOST_PIECE):
                    job.send(octets)
        finally:
            path.unlink(missing_ok=True)
        return transfer.id

    def _put(self, _server: int, job: Job, *, name: str, size: int, **asked: Any) -> int:
        self._limits.check_room(size)
        path = self._private(f"put-{id(job)}")
        try:
            saved(path, path.name, size, job.receive(size))
            with self._client(**asked) as client:
                return client.put(path, name, progress=lambda _: job.check()).id
        finally:
            path.unlink(missing_ok=True)


def _without_path(result: Any) -> Any:
    """The path of a file means nothing at another machine."""
    return result._replace(path=None) if isinstance(result, StoredFile) else result
