"""The UDP ports of a board."""

from __future__ import annotations

import socket

Address = tuple[str, int]
MAX_DATAGRAM = 65535


def open_port(host: str, local: Address = ("", 0)) -> socket.socket:
    """Opens a UDP port that can send to `host`, at a local address if one is named."""
    family, *_ = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024 * 1024)
        wildcard = "::" if family == socket.AF_INET6 else "0.0.0.0"
        sock.bind((local[0] or wildcard, local[1]))
    except OSError:
        sock.close()
        raise
    return sock
