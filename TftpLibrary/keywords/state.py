"""State shared by the keywords: the servers with their aliases and scopes, and the record.

Only Robot's thread comes here, so there is no lock. Nothing is opened before a server is started.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

from TftpLibrary.errors import UsageError
from TftpLibrary.keywords.capture_files import CaptureFiles
from TftpLibrary.keywords.conversions import AutoStop, FailureKeyword, OnFailure, Scope, seconds
from TftpLibrary.keywords.injected import Ended, InjectedFaults
from TftpLibrary.keywords.stations import StartRequest, Stations
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import Watch
from TftpLibrary.settings import ClientSettings
from TftpLibrary.station import Station, StationClient, StationFaults

START_ONE = "Start one with `Start TFTP Server`."


class Defaults(NamedTuple):
    """The arguments of the library's import.

    Attributes:
        host: address that servers bind.
        port: port that servers bind.
        root: folder that servers serve; None for a private one each.
        timeout: seconds that a wait lasts.
        auto_stop: when servers are stopped automatically.
        on_failure: what is logged when a test fails.
        lab: URL of the lab host where servers and clients are; empty for this machine.
    """

    host: str = "auto"
    port: int = 69
    root: Path | None = None
    timeout: float = 60.0
    auto_stop: AutoStop = AutoStop.auto
    on_failure: OnFailure | FailureKeyword = OnFailure.log_transfers
    lab: str = ""


class Stopped(NamedTuple):
    """A server that was stopped.

    Attributes:
        alias: its alias.
        url: its URL.
        transfers: the transfers that were cut short.
        warnings: sentences about files that could not be cleaned up.
        faults: its faults, which ended with it.
    """

    alias: str
    url: str
    transfers: tuple[Transfer, ...] = ()
    warnings: tuple[str, ...] = ()
    faults: tuple[Ended, ...] = ()


@dataclass(slots=True)
class _Running:
    """A running server, how it was asked for, and the number of scopes around its start."""

    server: Station
    request: StartRequest
    depth: int


@dataclass(slots=True)
class _Scope:
    """The run, a suite or a test: its beginning, its mark, and the state when it began.

    `timeout` is what `Set TFTP Timeout` chose for it; None where an outer scope decides.
    """

    key: str
    begun: int = 0
    mark: int = 0
    aliases: dict[str, str] = field(default_factory=dict)
    is_test: bool = False
    timeout: float | None = None


class LibraryState:
    """The servers of one import of the library, and the record of their transfers.

    The run, its suites and its tests are scopes, one inside the other. A server belongs to the
    innermost scope at its start, and stops when `leave` ends that scope, unless `auto_stop` is
    manual.

    Attributes:
        defaults: the arguments of the import.
        recorder: the record of all servers and clients.
        captures: the captures that were started.
        injected: the faults that were injected.
    """

    def __init__(self, defaults: Defaults | None = None) -> None:
        self.defaults = defaults or Defaults()
        self.recorder = Recorder()
        self.captures = CaptureFiles(self.defaults.auto_stop)
        self.injected = InjectedFaults()
        self._stations = Stations(self.recorder)
        self._servers: dict[str, _Running] = {}
        # Every alias of the scope, also of stopped servers, in the order of their activation.
        self._aliases: dict[str, str] = {}
        self._scopes = [_Scope("")]

    # -- servers

    def start(self, alias: str, request: StartRequest) -> tuple[Station, bool]:
        """Starts a server and makes it the active one.

        Returns:
            The server, and whether it is new: False when a server with this alias and an equal
            request is already running.

        Raises:
            UsageError: it cannot start, or its alias is taken.
        """
        alias = alias.strip() or self._free_alias()
        present = self._servers.get(_plain(alias))
        if present is not None and not present.server.is_running:
            # Its lab was lost.
            self.stop(alias)
            present = None
        if present is None:
            server = self._start_new(alias, request)
            self._servers[_plain(alias)] = _Running(server, request, len(self._scopes))
        elif present.request == request:
            server = present.server
        else:
            raise UsageError(
                f"A TFTP server '{alias}' with other settings runs at {present.server.url()}. "
                "Stop it first, or give the new one another alias."
            )
        self._activate(alias)
        return server, present is None

    def server(self, alias: str = "") -> Station:
        """Returns a running server; without an alias the active one.

        Raises:
            UsageError: there is none.
        """
        running = self._servers.get(_plain(alias) if alias else self._active)
        if running is None:
            raise self.no_server(alias)
        return running.server

    def is_running(self, alias: str = "") -> bool:
        """Returns whether a server with that alias runs; without an alias, whether any does."""
        return (_plain(alias) if alias else self._active) in self._servers

    def running(self) -> list[str]:
        """Returns the aliases of the running servers, in the order of their start."""
        return [running.server.alias for running in self._servers.values()]

    def as_given(self, alias: str) -> str:
        """Returns the alias as its server was started with, whatever case and spaces it has."""
        running = self._servers.get(_plain(alias))
        return running.server.alias if running else alias

    def absence(self, alias: str = "") -> str:
        """Returns the sentence that says which server is not running, and which are."""
        if not alias:
            return "No TFTP server is running."
        return f"No TFTP server '{alias}'. Running: {', '.join(self.running()) or 'none'}."

    def no_server(self, alias: str = "") -> UsageError:
        """Returns the error of a server that is not there, with what to do."""
        hint = "" if self._servers else f" {START_ONE}"
        return UsageError(self.absence(alias) + hint)

    def file_names(self, alias: str = "") -> list[str]:
        """Returns the names in the store of a server; none where it does not run."""
        return self.server(alias).files.list() if self.is_running(alias) else []

    def switch(self, alias: str) -> str:
        """Makes a server the active one, and returns the alias of the previous one.

        Raises:
            UsageError: it does not run.
        """
        server = self.server(alias)
        previous = self.server().alias
        self._activate(server.alias)
        return previous

    def stop(self, alias: str = "", grace: float = 0.0) -> Stopped:
        """Stops a server; without an alias the active one.

        Args:
            alias: its alias.
            grace: seconds for running transfers to end.

        Raises:
            UsageError: it does not run.
        """
        server = self.server(alias)
        del self._servers[_plain(server.alias)]
        url, told = server.url(), len(server.warnings)
        cut = server.stop(grace)
        # A test may ask for them until its scope ends; with `manual` nothing else ends them.
        ends_faults = self.defaults.auto_stop is AutoStop.manual and self.injected.places()
        ended = self.injected.clear(server.faults) if ends_faults else []
        warnings = tuple(server.warnings[told:])
        return Stopped(server.alias, url, tuple(cut), warnings, tuple(ended))

    def stop_all(self, depth: int = 0) -> list[Stopped]:
        """Stops every server that was started with at least that many scopes around it."""
        keys = [key for key, running in self._servers.items() if running.depth >= depth]
        return [self.stop(key) for key in reversed(keys)]

    # -- scopes

    @property
    def scope(self) -> str:
        """Robot's id of the test or the suite that runs; empty where none was seen to begin."""
        return self._scopes[-1].key

    def enter(self, key: str, *, is_test: bool = False) -> None:
        """Begins the scope of a suite or of a test, and with it a mark."""
        mark = self.recorder.mark()
        self._scopes.append(_Scope(key, mark, mark, dict(self._aliases), is_test))

    def leave(self, key: str) -> list[Stopped]:
        """Ends a scope: stops its servers, and makes the server active again that was before.

        A library that was imported by a keyword did not see the scope begin; then the outermost
        one stands for it.
        """
        depth = len(self._scopes)
        if depth == 1:
            scope = _Scope(key)
        elif self._scopes[-1].key == key:
            scope = self._scopes.pop()
        else:
            return []
        if self.defaults.auto_stop is AutoStop.manual:
            return []
        stopped = self.stop_all(depth)
        # A board is not woken by a server that stops at once.
        self.injected.resume(key)
        self._aliases = scope.aliases
        return stopped

    def leave_faults(self, key: str) -> list[Ended]:
        """Ends the faults of a scope, before its servers are stopped."""
        is_manual = self.defaults.auto_stop is AutoStop.manual
        return [] if is_manual else self.injected.leave(key)

    def set_mark(self) -> int:
        """Moves the mark of the present scope to now, and returns it."""
        self._scopes[-1].mark = self.recorder.mark()
        return self._scopes[-1].mark

    # -- faults

    @property
    def client_faults(self) -> StationFaults:
        """The faults of our clients, at the lab of the import or at this machine."""
        return self._stations.client_faults(self.defaults.lab)

    def new_client(
        self, host: str, port: int, settings: ClientSettings, lab: str = ""
    ) -> StationClient:
        """Returns a client of a board, at a lab, at that of the import, or at this machine.

        Raises:
            UsageError: the host cannot be found, or there is no such port.
            LabError: there is no way to the lab.
        """
        return self._stations.new_client(host, port, settings, lab or self.defaults.lab)

    def close(self) -> None:
        """Stops everything at the end of the run."""
        self.stop_all()
        self.captures.close()
        self._stations.close()

    # -- transfers

    def watch(self, alias: str = "", since: int | None = None) -> Watch:
        """Returns the watch of the transfers of a server, running or stopped, since a mark.

        Without an alias it is the active server, or the one that was active last.

        Raises:
            UsageError: no such server was started.
        """
        key = _plain(alias) if alias else self._active
        if key not in self._aliases:
            raise self.no_server(alias)
        names = partial(self.file_names, key)
        mark, is_live = self._since(since), key in self._servers
        if not is_live:
            return Watch(self.recorder, self._aliases[key], mark, is_live, names)
        server = self._servers[key].server
        server.check()
        at, check = server.bound, server.check
        return Watch(self.recorder, self._aliases[key], mark, is_live, names, at, check)

    def watch_all(self, since: int | None = None) -> Watch:
        """Returns the watch of the transfers of every server and client since a mark."""
        return Watch(self.recorder, None, self._since(since), bool(self._servers))

    def watch_scope(self) -> Watch:
        """Returns the watch of every server and client since the present scope began."""
        return self.watch_all(self._scopes[-1].begun)

    def timeout(self, value: timedelta | None) -> float:
        """Returns the seconds that a wait lasts, by default those of the innermost scope."""
        if value is not None:
            return seconds(value, "timeout")
        chosen = (scope.timeout for scope in reversed(self._scopes) if scope.timeout is not None)
        return next(chosen, self.defaults.timeout)

    def set_timeout(self, value: timedelta, scope: Scope) -> float:
        """Sets the default of waits for a scope and those within it; returns the one before.

        Raises:
            UsageError: it is negative, or no test runs whose default it could be.
        """
        new, old = seconds(value, "timeout"), self.timeout(None)
        first = self._first_within(scope)
        for inner in self._scopes[first + 1 :]:
            inner.timeout = None
        self._scopes[first].timeout = new
        return old

    def _first_within(self, scope: Scope) -> int:
        """Returns the place of the outermost scope that a setting is for."""
        if scope is Scope["global"]:
            return 0
        last = len(self._scopes) - 1
        is_test = self._scopes[last].is_test
        if scope is Scope.suite:
            return last - 1 if is_test else last
        if not is_test:
            raise UsageError("scope=test needs a test. In a suite setup or teardown use suite.")
        return last

    @property
    def _active(self) -> str:
        """The key of the running server that was activated last, or of the last one at all."""
        known = list(reversed(self._aliases))
        return next((key for key in known if key in self._servers), known[0] if known else "")

    def _activate(self, alias: str) -> None:
        self._aliases.pop(_plain(alias), None)
        self._aliases[_plain(alias)] = alias

    def _since(self, since: int | None) -> int:
        """Returns a mark, by default the one of the innermost scope.

        Raises:
            UsageError: no such mark was set: all or nothing would count.
        """
        if since is None:
            return self._scopes[-1].mark
        if not 0 <= since <= self.recorder.position:
            raise UsageError(
                f"since: expected a mark that `Mark Transfers` returned, or 0 for the start of the "
                f"run, got {since}."
            )
        return since

    def _free_alias(self) -> str:
        return next(name for n in count(1) if (name := f"tftp-{n}") not in self._servers)

    def _start_new(self, alias: str, request: StartRequest) -> Station:
        server = self._stations.new_server(alias, request)
        try:
            server.start()
        except UsageError:
            raise
        except BaseException:
            # Robot's time-outs are no `Exception`; a server that is half started must not stay.
            server.stop()
            raise
        return server


def _plain(alias: str) -> str:
    """Aliases are compared as Robot Framework compares names: without case and spaces."""
    return "".join(alias.lower().split())
