"""The commands `get` and `put`: they copy one file from or to a TFTP server."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from TftpLibrary.client import TftpClient
from TftpLibrary.commandline.arguments import settings
from TftpLibrary.commandline.lines import progress, result_line
from TftpLibrary.commandline.output import errors, output
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ClientSettings


def get(options: argparse.Namespace) -> int:
    """Gets a file, and returns the exit status.

    Raises:
        TftpError: the transfer failed. The text says why.
    """
    name, destination = options.name, options.destination or "."
    return _copy(options, lambda client, show: client.get(name, destination, progress=show))


def put(options: argparse.Namespace) -> int:
    """Puts a file, and returns the exit status.

    Raises:
        TftpError: the transfer failed. The text says why.
    """
    return _copy(
        options, lambda client, show: client.put(options.file, options.name, progress=show)
    )


def _copy(
    options: argparse.Namespace,
    copy: Callable[[TftpClient, Callable[[Transfer], None]], Transfer],
) -> int:
    live = errors()

    def show(transfer: Transfer) -> None:
        live.progress(f"{transfer.filename} {progress(transfer)}")

    try:
        with TftpClient(options.host, options.port, settings(ClientSettings, options)) as client:
            transfer = copy(client, show)
    finally:
        live.progress("")
    output().line(result_line(transfer, options.command))
    return 0
