"""One download by a client in Python, in a process of its own; prints the seconds that it took.

usage: client_run.py (ours | pytftp) HOST PORT NAME DESTINATION BLKSIZE WINDOWSIZE
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any


def ours(host: str, port: int, name: str, destination: str, options: dict[str, Any]) -> object:
    """Downloads with `TftpClient`."""
    from TftpLibrary import ClientSettings, TftpClient  # noqa: PLC0415 - one of the two is used

    with TftpClient(host, port, ClientSettings(**options)) as client:
        return client.get(name, destination)


def pytftp(host: str, port: int, name: str, destination: str, options: dict[str, Any]) -> object:
    """Downloads with the client of the distribution `tftp`."""
    import tftp  # noqa: PLC0415

    return tftp.TFTPClient(host, port, **options).download(name, destination)


CLIENTS: dict[str, Callable[[str, int, str, str, dict[str, Any]], object]] = {
    "ours": ours,
    "pytftp": pytftp,
}


def main(kind: str, host: str, port: str, name: str, destination: str, *options: str) -> None:
    """Downloads a small file first, so that everything is imported, and then the timed one."""
    run = CLIENTS[kind]
    asked = dict(zip(("blksize", "windowsize"), map(int, options), strict=True))
    run(host, int(port), "1k", destination, asked)
    started = time.perf_counter()
    run(host, int(port), name, destination, asked)
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])
