"""The commands `get` and `put`: they copy one file from or to a TFTP server."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from TftpLibrary.client import TftpClient
from TftpLibrary.commandline.arguments import settings
from TftpLibrary.commandline.lines import progress, result_line, waiting
from TftpLibrary.commandline.output import errors, output
from TftpLibrary.locations import Location, locate_target, locate_wanted
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ClientSettings


def get(options: argparse.Namespace) -> int:
    """Gets a file, and returns the exit status.

    Raises:
        TftpError: the transfer failed. The text says why.
    """
    place, destination = locate_wanted(
        options.host, options.port, options.name, has_destination=bool(options.destination)
    )
    destination = options.destination or destination or "."
    return _copy(
        options,
        place,
        lambda client, show: client.get(place.name, destination, progress=show),
    )


def put(options: argparse.Namespace) -> int:
    """Puts a file, and returns the exit status.

    Raises:
        TftpError: the transfer failed. The text says why.
    """
    place = locate_target(options.host, options.port, options.name, Path(options.file).name)
    return _copy(
        options, place, lambda client, show: client.put(options.file, place.name, progress=show)
    )


def _copy(
    options: argparse.Namespace,
    place: Location,
    copy: Callable[[TftpClient, Callable[[Transfer], None]], Transfer],
) -> int:
    live = errors()
    asking = settings(ClientSettings, options).with_mode(place.mode)

    def show(transfer: Transfer) -> None:
        if transfer.answered_by:
            live.progress(f"{transfer.filename} {progress(transfer)}")
        else:
            live.progress(f"{transfer.filename}: {waiting(transfer, asking.wait)}")

    try:
        with TftpClient(place.host, place.port, asking) as client:
            transfer = copy(client, show)
    finally:
        live.progress("")
    output().line(result_line(transfer, options.command))
    return 0
