"""A TFTP server as a plain Python object, for pytest, for scripts and for the keywords.

    from TftpLibrary import Download, TftpClient, TftpServer

    with TftpServer(content={"zImage": b"kernel"}) as server:
        print(f"The board finds its kernel at {server.url('zImage')}")
        with TftpClient(server.host, server.port) as board:
            board.get_bytes("zImage")
        kernel = server.wait_until(Download("zImage"), timeout=60)
        print(f"{kernel.client} downloaded {kernel.octets} bytes")

RFC 1350, 2347, 2348, 2349 and 7440; docs/protocol-coverage.md lists every obligation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from TftpLibrary.engine import hosts
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.listener import Listener
from TftpLibrary.engine.shared import SHARED_ENGINE
from TftpLibrary.errors import UsageError
from TftpLibrary.messages.answers import wait_until
from TftpLibrary.messages.questions import Question
from TftpLibrary.protocol.datagrams import Observer
from TftpLibrary.recording.capture import Capturable
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Watch
from TftpLibrary.settings import ServerSettings
from TftpLibrary.store.files import FileStore

if TYPE_CHECKING:
    from TftpLibrary.engine.injection import Faults
    from TftpLibrary.faults.pauses import Pause

T = TypeVar("T")


class TftpServer(Capturable):
    """Serves one folder at one address and port.

    All servers and clients of a process share one thread. Every method may be called from any
    thread. A stopped server can be started again.

    Args:
        root: folder to serve. By default a new private folder, which is removed when the server
            stops.
        settings: address, port, permissions and limits. By default the server is read-only, on a
            free port of the loopback interface.
        alias: name of the server in records and messages.
        content: files in memory, by name. They hide files of the same names in the folder.
        recorder: keeps the records of the transfers. By default a new one. Servers and clients
            may share one.
        owner: who starts it, such as `runner ci-7 (pi@laptop)`: for the message to somebody else
            who asks for the same port or boards.
        changes: single settings by name, such as `writable=True`, in place of those in `settings`.

    Raises:
        UsageError: there is no such setting, or its value is impossible.

    Attributes:
        files: the files of the server. They can be used while the server is running.
        recorder: the records of all requests.
        warnings: sentences for the user, since the last start: what an earlier run had left in the
            folder, and what could not be cleaned up at the end.
    """

    def __init__(
        self,
        root: str | Path | None = None,
        settings: ServerSettings | None = None,
        *,
        alias: str = "",
        content: Mapping[str, bytes] | None = None,
        recorder: Recorder | None = None,
        owner: str = "",
        **changes: Any,  # Any: each setting has its own type
    ) -> None:
        self._settings = (settings or ServerSettings()).changed(changes)
        self.files = FileStore(
            None if root is None else Path(root),
            content=content,
            follow_symlinks=self._settings.follow_symlinks,
            ignore_case=self._settings.ignore_case,
            keep_files=self._settings.keep_files,
        )
        self.recorder = Recorder() if recorder is None else recorder
        self.warnings: list[str] = []
        self._given_alias = alias
        self._owner = owner
        self._serving: tuple[Listener, Engine] | None = None
        self._faults: Faults | None = None

    # Life ----------------------------------------------------------------------------------

    def start(self) -> TftpServer:
        """Binds the port, and returns when the server answers requests. Idempotent.

        Returns:
            The server itself.

        Raises:
            UsageError: the folder cannot be served or the port cannot be bound. The text says why,
                and what to do.
        """
        if self.is_running:
            return self
        with ExitStack() as undo:
            engine = SHARED_ENGINE.acquire()
            undo.callback(SHARED_ENGINE.release)
            listener = Listener(
                self._settings, self.files, self.recorder, self._given_alias, engine, self._owner
            )
            undo.callback(listener.close)
            # After the port: a start that fails there would lose the warnings.
            self.files.open()
            undo.callback(self.files.close)
            self.warnings = list(self.files.warnings)
            if self._settings.host == "auto":
                self.warnings += hosts.doubts(listener.host)
            else:
                self.warnings += hosts.unbound(self._settings.host, listener.host)
            self.recorder.join(engine)
            undo.callback(self.recorder.leave, engine)
            engine.call(listener.begin)
            self._serving = listener, engine
            if self._faults is not None:
                self._misbehave(self._faults, tuple)
            undo.pop_all()
        return self

    def stop(self, grace: float = 0.0) -> list[Transfer]:
        """Stops serving, frees the port and restores the folder. Idempotent.

        Args:
            grace: seconds to wait for running transfers to end. New requests are not answered in
                this time.

        Returns:
            The records of the transfers that were cut short. Each of their peers got an ERROR
            packet.
        """
        if self._serving is None:
            return []
        listener, engine = self._serving
        try:
            if grace > 0:
                engine.call(listener.refuse_requests)
                self._wait_until_idle(listener, engine, grace)
        finally:
            # Also when the wait was interrupted, or raised a defect.
            cut = self._cut(listener, engine)
        return cut

    def __enter__(self) -> TftpServer:
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
        """Whether the server is running: its port is bound."""
        return self._serving is not None

    def check(self) -> None:
        """Does nothing: what happens at this machine is known."""

    # Properties ----------------------------------------------------------------------------

    @property
    def lab(self) -> str:
        """Empty: it is at this machine."""
        return ""

    @property
    def alias(self) -> str:
        """Name of the server in records and messages."""
        return self._given_alias

    @property
    def settings(self) -> ServerSettings:
        """Address, port, permissions and limits, as they are now."""
        return self._settings

    @property
    def host(self) -> str:
        """The bound address, also if the settings have `auto` or a name."""
        return self._running()[0].host

    @property
    def port(self) -> int:
        """The bound port, also if the settings have 0."""
        return self._running()[0].port

    @property
    def root(self) -> Path:
        """The folder that is served."""
        return self.files.root

    def url(self, name: str = "") -> str:
        """Returns the URL of a file, or of the server: `tftp://host:port/name`."""
        return hosts.server_url(self.host, self.port, name)

    def address_for(self, client: str) -> str:
        """Returns the address of this machine by which a client reaches the server.

        This is the bound address. If the server is bound to `0.0.0.0` or `::`, it is the address
        of the interface with the route to the client.

        Args:
            client: address or name of the client.

        Raises:
            UsageError: there is no route to the client, or the client would reach this machine by
                another address than the bound one.
        """
        return hosts.address_for(client, self.host)

    @property
    def bound(self) -> str:
        """Host and port that are bound, as messages show them; empty while it is stopped."""
        if not self.is_running:
            return ""
        away = f" (paused: {self.paused.words})" if self.paused else ""
        return f"{hosts.url_host(self.host)}:{self.port}{away}"

    def transfers(self, since: int = 0) -> tuple[Transfer, ...]:
        """Returns the records in the order of the requests; see `Recorder.transfers`."""
        return self.recorder.transfers(since)

    def wait_until(self, question: Question[T], timeout: float = 60.0, since: int = 0) -> T:
        """Waits until the records of this server answer a question.

        Transfers before the call count too, so it does not matter if the board is faster than the
        test. If the server is stopped, there is no wait.

        Args:
            question: `Download`, `Downloads`, `Upload`, `Request` or `Idle`.
            timeout: seconds to wait. With 0 the records are checked once.
            since: a mark from `recorder.mark()`. Transfers that ended before it do not count.

        Returns:
            The answer: the record of the transfer, for `Downloads` those of all, or for `Idle` how
            many seconds there has been no transfer.

        Raises:
            ExpectationError: there was no answer in time. The text shows the nearest request, a
                hint, and all requests seen.
        """
        return wait_until(question, self._watch(since), timeout)

    def change(self, **settings: Any) -> ServerSettings:  # Any: each setting has its own type
        """Changes settings from the next request on. Running transfers keep their settings.

        Args:
            settings: fields of `ServerSettings`.

        Returns:
            The settings before the change.

        Raises:
            UsageError: a value is out of bounds, or the setting cannot change while the server
                runs.
        """
        old = self._settings
        new = old.changed(settings, is_running=self._serving is not None)
        if self._serving is not None:
            listener, engine = self._serving
            engine.call(lambda: listener.change(new))
        self._settings = new
        return old

    @property
    def faults(self) -> Faults:
        """The faults on purpose of this server.

        lost = server.faults.inject("drop", "DATA 3", file="zImage")
        ...
        server.faults.expect(lost)
        """
        if self._faults is None:
            # A server without faults needs none of it.
            from TftpLibrary.engine.injection import Faults  # noqa: PLC0415

            self._faults = faults = Faults(
                self.recorder,
                lambda function: self._misbehave(faults, function),
                lambda since: self._watch(since).look(),
                self.alias,
                self._end_pause,
            )
        return self._faults

    def pause(self, mode: Pause | str = "silent", duration: float | None = None) -> None:
        """Is away on purpose; a pause that runs is replaced.

        Args:
            mode: `silent`, `busy`, `power_cut` or `crash`.
            duration: seconds after which the server resumes by itself; by default it does not.

        Raises:
            UsageError: the server does not run, there is no such mode, or the duration is below 0.
        """
        from TftpLibrary.faults.pauses import parse_pause  # noqa: PLC0415 - as for faults

        if duration is not None and duration < 0:
            raise UsageError(f"duration must be 0 seconds or more, got {duration:g}.")
        listener, engine = self._running()
        found = parse_pause(mode)
        engine.call(lambda: listener.pause(found, duration))

    def resume(self) -> None:
        """Ends a pause, on the same port and with the same files. Idempotent.

        Raises:
            UsageError: the server does not run, or after a crash its port was taken meanwhile.
        """
        listener, engine = self._running()
        engine.call(listener.resume)

    @property
    def paused(self) -> Pause | None:
        """How the server is away on purpose; None while it serves."""
        return None if self._serving is None else self._serving[0].paused

    # Inside --------------------------------------------------------------------------------

    def _end_pause(self) -> None:
        if self.paused is not None:
            self.resume()

    def _misbehave(self, faults: Faults, function: Callable[[], T]) -> T:
        """Runs a function on the plan of the faults, and has the plan take effect."""
        if self._serving is None:
            return function()
        listener, engine = self._serving

        def run() -> T:
            result = function()
            listener.misbehave(faults.plan)
            return result

        return engine.call(run)

    def _cut(self, listener: Listener, engine: Engine) -> list[Transfer]:
        self._serving = None
        try:
            return engine.call(listener.stop)
        except UsageError:
            # The engine was stopped before, which cut the transfers.
            engine.stop()
            listener.close()
            return []
        finally:
            self.recorder.leave(engine)
            self._end_capture()
            try:
                SHARED_ENGINE.release()
            finally:
                # Also when the engine hangs, which `release` raises.
                self.warnings += self.files.close()

    @property
    def _name_in_captures(self) -> str:
        return f"TFTP server {self._given_alias}".strip()

    def _show_packets(self) -> Callable[[Observer | None], None]:
        listener, engine = self._running()
        return lambda observe: engine.call(partial(listener.tap, observe))

    def _watch(self, since: int) -> Watch:
        names = self.files.list if self.is_running else tuple
        return Watch(self.recorder, self.alias, since, self.is_running, names, self.bound)

    def _running(self) -> tuple[Listener, Engine]:
        if self._serving is None:
            raise UsageError("The server does not run. Start it first.")
        return self._serving

    def _wait_until_idle(self, listener: Listener, engine: Engine, grace: float) -> None:
        def is_idle(_: object) -> bool | None:
            return engine.call(lambda: listener.is_idle) or None

        # If the engine is stopped meanwhile, there is nothing left to wait for.
        with suppress(TimeoutError, UsageError):
            self.recorder.wait_for(is_idle, grace)
