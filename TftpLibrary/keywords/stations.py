"""Makes the servers and clients of the keywords, on this machine.

Every other module of the keywords knows only the interfaces of `TftpLibrary.station`.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

from TftpLibrary.client import TftpClient
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.view import Watch
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ClientSettings, ServerSettings
from TftpLibrary.station import Station, StationClient, StationFaults


class StartRequest(NamedTuple):
    """How a server was asked for; equal requests under one alias mean the same server.

    Attributes:
        root: folder to serve; None for a private one.
        settings: how it serves.
    """

    root: Path | None
    settings: ServerSettings


def new_server(alias: str, request: StartRequest, recorder: Recorder) -> Station:
    """Returns a server that does not run yet."""
    return TftpServer(request.root, request.settings, alias=alias, recorder=recorder)


def new_client(host: str, port: int, settings: ClientSettings, recorder: Recorder) -> StationClient:
    """Returns a client of a board.

    Raises:
        UsageError: the host cannot be found, or there is no such port.
    """
    return TftpClient(host, port, settings, recorder=recorder)


def new_faults(recorder: Recorder) -> StationFaults:
    """Returns the faults of our client, which several clients may have."""
    # Who injects no fault needs none of this.
    from TftpLibrary.engine.injection import Faults  # noqa: PLC0415

    return Faults(recorder, lambda function: function(), partial(Watch, recorder, ""))
