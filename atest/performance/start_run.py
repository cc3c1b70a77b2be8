"""How long a server takes to its first answer and to its stop, in a process of its own.

Prints the seconds of three things: the import, start to first answer, and stop with a transfer.
"""

from __future__ import annotations

import socket
import time

_RRQ = b"\0\1f\0octet\0"


def main() -> None:
    """Measures, and prints."""
    started = time.perf_counter()
    from TftpLibrary import TftpServer  # noqa: PLC0415 - it is what is measured

    imported = time.perf_counter()
    server = TftpServer(content={"f": bytes(5000)}).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(_RRQ, (server.host, server.port))
        sock.recv(999)
        answered = time.perf_counter()
        server.stop()
        stopped = time.perf_counter()
    print(imported - started, answered - imported, stopped - answered)


if __name__ == "__main__":
    main()
