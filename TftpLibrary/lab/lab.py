"""A lab as a plain Python object: servers and clients at another host, beside the boards.

from TftpLibrary import Download
from TftpLibrary.lab.lab import Lab

with Lab("ssh://pi@lab1") as lab, lab.server(port=69) as server:
    server.files.upload("zImage")
    kernel = server.wait_until(Download("zImage"), timeout=60)
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

from TftpLibrary.lab.places import LabFaults
from TftpLibrary.lab.runner import Session
from TftpLibrary.lab.servers import LabClient, LabServer
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.settings import ClientSettings, ServerSettings


class Lab:
    """A lab host. The first server or client connects; after a loss the next one connects anew.

    Everything at the lab ends with the connection.

    Args:
        url: `ssh://[user@]host[:port][/program]`, `unix:/path`, `wss://host[:port]`, or
            `jumpstarter:NAME`.
        recorder: keeps the records of the transfers. By default a new one.

    Attributes:
        url: as given.
        recorder: the records of all servers and clients there.
    """

    def __init__(self, url: str, recorder: Recorder | None = None) -> None:
        self.url = url
        self.recorder = Recorder() if recorder is None else recorder
        self._numbers = count(1)
        self._session: Session | None = None
        self._faults: tuple[Session, LabFaults] | None = None

    def server(
        self,
        root: str | Path | None = None,
        settings: ServerSettings | None = None,
        *,
        alias: str = "",
        **changes: Any,  # Any: each setting has its own type
    ) -> LabServer:
        """Returns a server that does not run yet; it has the methods of `TftpServer`.

        Args:
            root: a folder of the lab host. By default a new private folder there.
            settings: as for `TftpServer`.
            alias: name of the server in records and messages.
            changes: single settings by name.

        Raises:
            UsageError: the URL or a setting is impossible.
            LabError: there is no way to the lab.
        """
        chosen = (settings or ServerSettings()).changed(changes)
        folder = None if root is None else Path(root)
        return LabServer(self._connected(), next(self._numbers), folder, chosen, alias)

    def client(
        self,
        host: str,
        port: int = 69,
        settings: ClientSettings | None = None,
        **changes: Any,  # Any: each setting has its own type
    ) -> LabClient:
        """Returns a client of a board that is a server; it has `get` and `put`.

        Args:
            host: address or name of the board, as the lab host knows it.
            port: its request port.
            settings: as for `TftpClient`.
            changes: single settings by name.

        Raises:
            UsageError: the URL or a setting is impossible.
            LabError: there is no way to the lab.
        """
        asking = (settings or ClientSettings()).changed(changes)
        return LabClient(self._connected(), host, port, asking)

    @property
    def faults(self) -> LabFaults:
        """The faults on purpose of all clients there."""
        session = self._connected()
        if self._faults is None or self._faults[0] is not session:
            self._faults = session, LabFaults(session)
        return self._faults[1]

    def close(self) -> None:
        """Ends the connection, and everything there. Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def __enter__(self) -> Lab:
        """Returns the lab."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes it."""
        self.close()

    def _connected(self) -> Session:
        if self._session is None or self._session.lost:
            self._session = Session(self.url, self.recorder)
        return self._session
