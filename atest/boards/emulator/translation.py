"""Which port on the board's side is which port of the TFTP server, both ways.

A TFTP server answers a request from a new port, its TID (RFC 1350 section 4), so an address
translation that knows only the port that was asked would lose every answer. This one lets any port
of the asked host in, and lets the board answer those that it has heard of.
"""

from __future__ import annotations

TFTP_PORT = 69
"""The port that boards ask."""

Address = tuple[str, int]


class Translation:
    """Translates the ports of one board.

    Args:
        server: where the TFTP server really is. The board finds it at the gateway, port 69.
    """

    def __init__(self, server: Address) -> None:
        self.server = server
        self._heard: dict[int, set[int]] = {}

    def outbound(self, board_port: int, target_port: int) -> Address | None:
        """Returns where a datagram of the board goes, or None when nobody is there."""
        host, port = self.server
        if target_port == TFTP_PORT:
            self._heard.setdefault(board_port, set())
            return host, port
        if target_port in self._heard.get(board_port, ()):
            return host, target_port
        return None

    def inbound(self, board_port: int, source: Address) -> int | None:
        """Returns the port from which the board sees an answer come, or None for a stranger's."""
        host, port = source
        if host != self.server[0] or board_port not in self._heard:
            return None
        if port == self.server[1]:
            # A server that runs its transfers on its own port.
            return TFTP_PORT
        self._heard[board_port].add(port)
        return port
