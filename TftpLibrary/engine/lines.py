"""The lines of a caller: a socket for each family of addresses, and the addresses asked in turn."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator

from TftpLibrary.engine import hosts, udp
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.strangers import turn_away
from TftpLibrary.engine.tap import tapped, untapped
from TftpLibrary.engine.udp import DONTWAIT
from TftpLibrary.protocol.datagrams import Observer
from TftpLibrary.protocol.outcome import Cause, End

Place = tuple[int, Address]
"""Family and address of the other end."""

_CLOSED = "nothing listens at that port"
_LARGEST_DATAGRAM = 65536
_MOST_OTHERS = 3
"""Addresses that are named of those that answered without being asked."""


class Lines:
    """The sockets of a caller, and the addresses of the server. Engine's thread only.

    Each try asks the next address, and so does the news that nothing listens at the last one.

    Args:
        servers: the addresses; a name may have several.
        local: the address to ask from; empty for any.
        put: sends a request to an address, with `send` in the end.

    Attributes:
        servers: the addresses that this machine has a family for.
        others: addresses that answered although they were not asked.

    Raises:
        OSError: no socket can be had.
    """

    def __init__(
        self, servers: tuple[Place, ...], local: str, put: Callable[[bytes, Place], None]
    ) -> None:
        self._socks = _open_socks(servers, local)
        self.servers = [each for each in servers if each[0] in self._socks]
        self.others: list[str] = []
        self._put = put
        self._turn = 0
        self._asked = ("", b"")
        self._troubled = ""
        self._troubles: dict[str, str] = {}
        self._cause: Cause | None = None

    # Sockets -------------------------------------------------------------------------------

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Those of the sockets, one for each family."""
        return tuple(sock.fileno() for sock in self._socks.values())

    @property
    def local(self) -> Address:
        """This end's address, on the way to the first one of the server."""
        address: Address = next(iter(self._socks.values())).getsockname()
        return address

    def tap(self, observe: Observer | None) -> None:
        """Shows each datagram to an observer; to nobody any more if it is None."""
        self._socks = {family: tapped(sock, observe) for family, sock in self._socks.items()}

    def keep(self, family: int) -> socket.socket:
        """Closes every socket but that of a family. Returns it, as it is without an observer."""
        self._put = _nothing
        for other, sock in self._socks.items():
            if other != family:
                sock.close()
        self._socks = {family: self._socks[family]}
        udp.hear_of_trouble(untapped(self._socks[family]), is_wanted=False)
        return untapped(self._socks[family])

    def close(self) -> None:
        """Closes the sockets. Idempotent."""
        # The caller refers to its lines: a way back would keep both until the garbage collector.
        self._put = _nothing
        for sock in self._socks.values():
            sock.close()

    # Asking --------------------------------------------------------------------------------

    def ask(self, request: bytes) -> None:
        """Asks the next address; one that nothing can be sent to is passed over."""
        for _ in self.servers:
            place = self.servers[self._turn % len(self.servers)]
            self._turn += 1
            host = hosts.readable_host(place[1])
            self._asked, self._troubled = (host, request), ""
            try:
                self._put(request, place)
            except OSError as error:
                self._note(host, error.errno or 0)
            else:
                return

    def ask_again(self, address: Address) -> None:
        """Whoever refused the options is asked next, and nobody else."""
        for number, (_, server) in enumerate(self.servers):
            if server[0] == address[0]:
                self._turn = number

    def send(self, octets: bytes, place: Place) -> None:
        """Sends a packet.

        Raises:
            OSError: it could not leave.
        """
        family, address = place
        sock = self._socks.get(family)
        if sock is None:
            # It was closed, since a server of another family has answered.
            return
        try:
            sock.sendto(octets, address)
        except ConnectionError as error:
            # News of an earlier datagram: this one did not leave.
            self._note_troubles(sock, error)
            sock.sendto(octets, address)

    # Answers -------------------------------------------------------------------------------

    def receive(self, *, is_any_taken: bool) -> Iterator[tuple[bytes, Place]]:
        """Yields what came, one datagram of each family, with the place that it came from.

        Args:
            is_any_taken: whether an answer of a host counts that was not asked.
        """
        for family, sock in tuple(self._socks.items()):
            try:
                datagram, address = sock.recvfrom(_LARGEST_DATAGRAM, DONTWAIT)
            except OSError as error:
                self._note_troubles(sock, error)
                self._pass_over()
                continue
            if is_any_taken or self._is_asked(sock, datagram, address):
                yield datagram, (family, address)

    def _is_asked(self, sock: socket.socket, datagram: bytes, address: Address) -> bool:
        """Whether the host was asked: the port is one of the server's own choice."""
        if any(address[0] == server[0] for _, server in self.servers):
            return True
        host = hosts.readable_host(address)
        if host not in self.others and len(self.others) < _MOST_OTHERS:
            self.others.append(host)
        turn_away(sock, datagram, address)
        return False

    # Troubles ------------------------------------------------------------------------------

    def explained(self, end: End) -> End:
        """Adds to an end without an answer who was asked, and who answered instead."""
        asked = [hosts.readable_host(server) for _, server in self.servers]
        parts = [end.message]
        if len(asked) > 1:
            parts.append(f"asked {' and '.join(asked)}")
        parts += [f"{host}: {text}" for host, text in self._troubles.items()]
        if self.others:
            parts.append(f"{' and '.join(self.others)} answered, which was not asked")
        is_for_all = len(self._troubles) == len(set(asked))
        return end._replace(message="; ".join(parts), cause=self._cause if is_for_all else None)

    def _pass_over(self) -> None:
        """Asks the next address at once if the last one is closed, up to the last of the name."""
        host, request = self._asked
        if host == self._troubled and self._turn % len(self.servers):
            self.ask(request)

    def _note_troubles(self, sock: socket.socket, error: OSError) -> None:
        """Keeps what the network says of the hosts that were asked; only the deadline ends."""
        for host, number in udp.take_troubles(untapped(sock)):
            self._note(host, number)
        if isinstance(error, ConnectionError) and not self._troubles:
            # A system that does not say whose port it is.
            _, server = self.servers[(self._turn - 1) % len(self.servers)]
            self._note(hosts.readable_host(server), errno.ECONNREFUSED)

    def _note(self, host: str, number: int) -> None:
        is_closed = number in (errno.ECONNREFUSED, errno.ECONNRESET)
        self._troubled = host
        self._troubles[host] = _CLOSED if is_closed else os.strerror(number).lower()
        self._cause = Cause.no_listener if is_closed else Cause.no_way


def _nothing(_octets: bytes, _place: Place) -> None:
    """Asks nobody any more."""


def _open_socks(servers: tuple[Place, ...], local: str) -> dict[int, socket.socket]:
    """Opens a socket for each family that the server has, and this machine.

    Raises:
        OSError: there is none.
    """
    socks: dict[int, socket.socket] = {}
    trouble: OSError | None = None
    for family in dict.fromkeys(family for family, _ in servers):
        any_host = "::" if family == socket.AF_INET6 else "0.0.0.0"
        try:
            sock = udp.open_tid((local or any_host, 0), family)
            socks[family] = sock
            udp.hear_of_trouble(sock, is_wanted=True)
        except OSError as error:
            trouble = error
    if not socks:
        assert trouble is not None
        raise trouble
    return socks
