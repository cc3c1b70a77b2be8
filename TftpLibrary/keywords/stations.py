"""Makes the servers and clients of the keywords, on this machine and at labs.

Every other module of the keywords knows only the interfaces of `TftpLibrary.station`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from TftpLibrary.client import TftpClient
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ClientSettings, ServerSettings
from TftpLibrary.station import Station, StationClient, StationFaults

if TYPE_CHECKING:
    from TftpLibrary.engine.injection import ClientFaults
    from TftpLibrary.lab.lab import Lab


class StartRequest(NamedTuple):
    """How a server was asked for; equal requests under one alias mean the same server.

    Attributes:
        root: folder to serve; None for a private one.
        settings: how it serves.
        lab: URL of the lab host that serves; empty for this machine.
    """

    root: Path | None
    settings: ServerSettings
    lab: str = ""


class Stations:
    """The places of one import of the library: this machine, and the labs that are used.

    Args:
        recorder: keeps the records of all of them.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._labs: dict[str, Lab] = {}
        self._faults: ClientFaults | None = None

    def new_server(self, alias: str, request: StartRequest) -> Station:
        """Returns a server that does not run yet.

        Raises:
            LabError: there is no way to its lab.
        """
        root, settings = request.root, request.settings
        if request.lab:
            return self._lab(request.lab).server(root, settings, alias=alias)
        return TftpServer(root, settings, alias=alias, recorder=self._recorder)

    def new_client(
        self, host: str, port: int, settings: ClientSettings, lab: str = ""
    ) -> StationClient:
        """Returns a client of a board, with the faults of our client if there were any.

        Raises:
            UsageError: the host cannot be found, or there is no such port.
            LabError: there is no way to the lab.
        """
        if lab:
            return self._lab(lab).client(host, port, settings)
        return TftpClient(host, port, settings, recorder=self._recorder, faults=self._faults)

    def client_faults(self, lab: str = "") -> StationFaults:
        """Returns the faults of our clients at a place, which all of them have.

        Raises:
            LabError: there is no way to the lab.
        """
        if lab:
            return self._lab(lab).faults
        if self._faults is None:
            # A suite without faults needs none of this.
            from TftpLibrary.engine.injection import ClientFaults  # noqa: PLC0415

            self._faults = ClientFaults(self._recorder)
        return self._faults

    def close(self) -> None:
        """Ends the sessions at all labs. Idempotent."""
        for lab in self._labs.values():
            lab.close()
        self._labs.clear()

    def _lab(self, url: str) -> Lab:
        if url not in self._labs:
            # A suite on this machine needs none of this.
            from TftpLibrary.lab.lab import Lab  # noqa: PLC0415

            self._labs[url] = Lab(url, self._recorder)
        return self._labs[url]
