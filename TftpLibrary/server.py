"""A TFTP server as a plain Python object, for a script, for pytest, and for the keywords.

    with TftpServer("/srv/tftp") as server:
        print(server.url("zImage"))
        server.wait_until(Download("zImage"), timeout=60)

RFC 1350, 2347, 2348, 2349 and 7440; docs/protocol-coverage.md lists every obligation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from TftpLibrary.engine import hosts
from TftpLibrary.engine.engine import SHARED_ENGINE, Engine
from TftpLibrary.engine.listener import Listener
from TftpLibrary.errors import UsageError
from TftpLibrary.messages.answers import wait_until
from TftpLibrary.messages.questions import Question
from TftpLibrary.recording.capture import Capturable, Observer
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Watch
from TftpLibrary.settings import ServerSettings
from TftpLibrary.store.files import FileStore

T = TypeVar("T")


class TftpServer(Capturable):
    """Serves one folder at one address and port.

    All servers and clients of a process share one thread. Every method may be called from any
    thread; a stopped server may be started again.

    Args:
        root: folder to serve; None for a private one, removed when the server stops.
        settings: how to serve.
        alias: the server's name in records and messages.
        content: files held in memory, by name; they cover files of the folder.
        recorder: where records go; a new one by default.

    Attributes:
        files: the files of the server, for the author of the test. They are there while the
            server runs.
        recorder: the records of all requests.
        warnings: what the user has to know since the last start: what an earlier run had left in
            the folder, and what could not be cleaned up at the end.
    """

    def __init__(
        self,
        root: str | Path | None = None,
        settings: ServerSettings | None = None,
        *,
        alias: str = "",
        content: Mapping[str, bytes] | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._settings = settings or ServerSettings()
        self.files = FileStore(
            None if root is None else Path(root),
            content=content,
            follow_symlinks=self._settings.follow_symlinks,
            keep_files=self._settings.keep_files,
        )
        self.recorder = Recorder() if recorder is None else recorder
        self.warnings: list[str] = []
        self._given_alias = alias
        self._serving: tuple[Listener, Engine] | None = None

    # Life ----------------------------------------------------------------------------------

    def start(self) -> TftpServer:
        """Binds the port and serves. Returns when boards can ask. Idempotent.

        Raises:
            UsageError: the folder or the port cannot be had; the text says why and what to do.
        """
        if self.is_running:
            return self
        with ExitStack() as undo:
            engine = SHARED_ENGINE.acquire()
            undo.callback(SHARED_ENGINE.release)
            listener = Listener(
                self._settings, self.files, self.recorder, self._given_alias, engine
            )
            undo.callback(listener.close)
            # After the port: a start that fails there would lose the warnings.
            self.files.open()
            undo.callback(self.files.close)
            self.warnings = list(self.files.warnings)
            engine.call(listener.begin)
            self._serving = listener, engine
            undo.pop_all()
        return self

    def stop(self, grace: float = 0.0) -> list[Transfer]:
        """Stops serving, frees the port and cleans the folder up. Idempotent.

        Args:
            grace: seconds for running transfers to end by themselves; new requests are not
                answered meanwhile.

        Returns:
            The records of the transfers that were cut short; each of their peers got an ERROR.
        """
        if self._serving is None:
            return []
        listener, engine = self._serving
        try:
            if grace > 0:
                engine.call(listener.refuse_requests)
                self._wait_until_idle(listener, engine, grace)
        finally:
            # Also when the wait was interrupted, or told of a defect.
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
        """Whether the port is bound."""
        return self._serving is not None

    # What it is ----------------------------------------------------------------------------

    @property
    def alias(self) -> str:
        """The server's name in records and messages."""
        return self._given_alias

    @property
    def settings(self) -> ServerSettings:
        """How it serves."""
        return self._settings

    @property
    def host(self) -> str:
        """The address that is bound, also where `auto` or a name was given."""
        return self._running()[0].host

    @property
    def port(self) -> int:
        """The port that is bound, also where 0 was given."""
        return self._running()[0].port

    @property
    def root(self) -> Path:
        """The folder that is served."""
        return self.files.root

    def url(self, name: str = "") -> str:
        """Returns `tftp://host:port/name`."""
        return f"tftp://{hosts.url_host(self.host)}:{self.port}/{name.lstrip('/')}"

    def address_for(self, client: str) -> str:
        """Returns the local address by which a client reaches this server.

        It is the bound address, or for a wildcard the one that the route to the client has.

        Raises:
            UsageError: there is no route to the client.
        """
        return hosts.source_address(client) if hosts.is_wildcard(self.host) else self.host

    def transfers(self, since: int = 0) -> tuple[Transfer, ...]:
        """Returns the records, oldest first; see `Recorder.transfers`."""
        return self.recorder.transfers(since)

    def wait_until(self, question: Question[T], timeout: float = 60.0, since: int = 0) -> T:
        """Waits until a question finds its answer in the records of this server.

        What happened before the call counts too, so a board cannot be too fast for a test. A
        stopped server is looked at once.

        Args:
            question: `Download`, `Upload`, `Request` or `Idle`.
            timeout: seconds; with 0 there is one look.
            since: a mark: transfers that ended before it do not count. `recorder.mark()` returns
                the present one.

        Returns:
            The answer: the transfer, or for `Idle` the seconds that it has been quiet.

        Raises:
            ExpectationError: there was none in time. Its text shows the nearest miss, what to do,
                and the requests that were seen.
        """
        return wait_until(question, self._watch(since), timeout)

    def change(self, **settings: Any) -> ServerSettings:  # Any: each setting has its own type
        """Changes settings for the next request; running transfers keep theirs.

        Args:
            settings: fields of `ServerSettings`.

        Returns:
            The settings as they were.

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

    # Inside --------------------------------------------------------------------------------

    def _cut(self, listener: Listener, engine: Engine) -> list[Transfer]:
        self._serving = None
        try:
            return engine.call(listener.stop)
        except UsageError:
            # The engine was stopped before, and has cut the transfers.
            engine.stop()
            listener.close()
            return []
        finally:
            self._end_capture()
            SHARED_ENGINE.release()
            self.warnings += self.files.close()

    @property
    def _name_in_captures(self) -> str:
        return f"TFTP server {self._given_alias}".strip()

    def _show_packets(self) -> Callable[[Observer | None], None]:
        listener, engine = self._running()
        return lambda observe: engine.call(partial(_show, listener, observe))

    def _watch(self, since: int) -> Watch:
        names = self.files.list if self.is_running else tuple
        return Watch(self.recorder, self.alias, since, self.is_running, names)

    def _running(self) -> tuple[Listener, Engine]:
        if self._serving is None:
            raise UsageError("The server does not run. Start it first.")
        return self._serving

    def _wait_until_idle(self, listener: Listener, engine: Engine, grace: float) -> None:
        def is_idle(_: object) -> bool | None:
            return engine.call(lambda: listener.is_idle) or None

        # Where the engine was stopped meanwhile, nothing is left to wait for.
        with suppress(TimeoutError, UsageError):
            self.recorder.wait_for(is_idle, grace)


def _show(listener: Listener, observe: Observer | None) -> None:
    if observe is None:
        listener.untap()
    else:
        listener.tap(observe)
