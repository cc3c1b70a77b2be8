"""Makes the servers and clients of the keywords, on this machine.

Every other module of the keywords knows only the interfaces of `TftpLibrary.station`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from TftpLibrary.client import TftpClient
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ClientSettings, ServerSettings
from TftpLibrary.station import Station, StationClient, StationFaults

if TYPE_CHECKING:
    from TftpLibrary.engine.injection import ClientFaults


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


def new_client(
    host: str,
    port: int,
    settings: ClientSettings,
    recorder: Recorder,
    faults: StationFaults | None = None,
) -> StationClient:
    """Returns a client of a board.

    Args:
        host: address or name of the board.
        port: its request port.
        settings: how to ask.
        recorder: keeps the records.
        faults: its faults on purpose, made by `new_faults`; None for none.

    Raises:
        UsageError: the host cannot be found, or there is no such port.
    """
    # The interface has no more than keywords need; a client needs the whole.
    ours = cast("ClientFaults | None", faults)
    return TftpClient(host, port, settings, recorder=recorder, faults=ours)


def new_faults(recorder: Recorder) -> StationFaults:
    """Returns the faults of our client, which several clients may have."""
    # A suite without faults needs none of this.
    from TftpLibrary.engine.injection import ClientFaults  # noqa: PLC0415

    return ClientFaults(recorder)
