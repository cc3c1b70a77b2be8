"""Datagrams from a foreign TID: they disturb nothing and get ERROR 5 (RFC 1350, section 4).

A connected socket never sees them, so each transfer has a second, unconnected socket on its TID.
It costs two system calls for each transfer and nothing for each block.
"""

from __future__ import annotations

import contextlib
import socket

from TftpLibrary.engine import udp
from TftpLibrary.engine.hosts import Address
from TftpLibrary.protocol.datagrams import kind
from TftpLibrary.protocol.packets import Error, ErrorCode, Opcode

_ANSWERS_AT_ONCE = 16
_ANSWER = Error(ErrorCode.unknown_tid, "Unknown transfer ID").encode()


def turn_away(sock: socket.socket, datagram: bytes, address: Address) -> None:
    """Answers a stranger's datagram with ERROR 5.

    An ERROR is never answered: two ends could answer each other for ever.
    """
    if kind(datagram) != Opcode.error.packet:
        with contextlib.suppress(OSError):
            sock.sendto(_ANSWER, address)


class Strangers:
    """The socket that answers strangers on the TID of one transfer."""

    def __init__(self, sock: socket.socket, peer: Address) -> None:
        self.sock = sock
        self._peer = peer

    @classmethod
    def open(cls, sock: socket.socket, peer: Address) -> Strangers | None:
        """Opens it beside the socket of a transfer that is bound and not yet connected."""
        stranger = udp.open_stranger_socket(sock)
        return None if stranger is None else cls(stranger, peer)

    def ready(self) -> None:
        """A stranger has sent something."""
        for _ in range(_ANSWERS_AT_ONCE):
            try:
                datagram, address = self.sock.recvfrom(16)
            except OSError:
                return
            if address != self._peer:
                turn_away(self.sock, datagram, address)

    def fail(self, error: BaseException) -> None:
        """An exception of our own: the transfer goes on without this socket's answers."""

    def close(self) -> None:
        """Closes the socket."""
        self.sock.close()
