"""The ports that servers share: each has one request socket, and finds the server of a board.

Servers at one address and port differ in the clients that they name; one that names none serves
the rest. No board has two servers: whoever comes later is refused. Everything here runs on the
engine's thread, so a server comes and goes between two datagrams, and none is lost by that.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from time import monotonic
from typing import Protocol

from TftpLibrary.engine import udp
from TftpLibrary.engine.clients import Clients
from TftpLibrary.engine.contracts import Alarms
from TftpLibrary.engine.hosts import Address, url_host
from TftpLibrary.engine.udp import Arrived
from TftpLibrary.errors import UsageError
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.wording import duration_text

_REQUESTS_AT_ONCE = 64
_REMEMBERED = 1000
"""Addresses whose server is remembered."""
_MOST_NAMED = 5
"""Servers that one message names."""
_LARGEST = 65536


class Tenant(Protocol):
    """A server at a port, as the port sees it.

    Attributes:
        alias: its name; may be empty.
        owner: who started it, for a message to others; empty for this process itself.
        since: monotonic seconds of its start.
        clients: whom it serves.
        recorder: where it records.
    """

    alias: str
    owner: str
    since: float
    clients: Clients
    recorder: Recorder

    @property
    def longest(self) -> int:
        """Octets of the longest datagram that it has to see."""

    def owns(self, peer: Address, datagram: bytes) -> bool:
        """Whether a datagram belongs to a transfer of this server."""

    def arrive(self, arrival: Arrived) -> None:
        """Takes what came."""

    def overhear(self, datagram: bytes, peer: Address) -> None:
        """Records the request of a board that no server here serves; another one answers."""

    def pause_reading(self, *, is_empty: bool) -> None:
        """All datagrams of this turn were taken; all that came, if it is empty."""

    def fail(self, error: BaseException) -> None:
        """An exception of our own code while a datagram was looked at."""


class RequestPort:
    """One request socket and the servers that share it.

    Args:
        sock: bound.
        ports: where it belongs.

    Attributes:
        sock: the socket.
        address: what it is bound to.
    """

    def __init__(self, sock: socket.socket, ports: Ports) -> None:
        self.sock = sock
        self.address: Address = sock.getsockname()
        self._ports = ports
        self._tenants: list[Tenant] = []
        self._serving: list[Tenant] = []
        self._only: Tenant | None = None
        self._known: dict[str, Tenant] = {}
        self._size = 0

    # For the servers -----------------------------------------------------------------------

    @property
    def is_shared(self) -> bool:
        """Whether several servers are here."""
        return len(self._tenants) > 1

    def enter(self, server: Tenant) -> None:
        """Takes a server in; it does not serve yet.

        Raises:
            UsageError: another one has its clients.
        """
        place = f"{url_host(str(self.address[0]))}:{self.address[1]}"
        self.check(server, server.clients, f"Cannot start {_name(server)} at {place}")
        self._tenants.append(server)

    def serve(self, server: Tenant) -> None:
        """Lets a server serve its clients from now on."""
        if not self._serving:
            self._ports.engine.watch(self.sock.fileno(), self)
        self._serving.append(server)
        self.sort()

    def leave(self, server: Tenant) -> None:
        """Lets a server go; the last one closes the socket. Idempotent."""
        if server not in self._tenants:
            return
        self._tenants.remove(server)
        if server in self._serving:
            self._serving.remove(server)
            if not self._serving:
                self._ports.engine.forget(self.sock.fileno())
        self.sort()
        if not self._tenants:
            self._ports.close(self)

    def sort(self) -> None:
        """Looks again at who serves whom, and at who has to see what."""
        self._only = self._serving[0] if len(self._serving) == 1 else None
        self._known.clear()
        self._size = max((server.longest for server in self._serving), default=0)

    def check(self, server: Tenant, clients: Clients, cannot: str) -> None:
        """Checks that no other server here serves the same clients.

        Args:
            server: the server.
            clients: whom it is to serve.
            cannot: the words for what it cannot do otherwise.

        Raises:
            UsageError: another one does.
        """
        for other in self._tenants:
            if other is server:
                continue
            if not clients and not other.clients:
                raise UsageError(
                    f"{cannot}: {_name(other)}, {self._life(other)}, serves every board that no "
                    "other server there names. Name the boards of one of the two in clients=, take "
                    "a free port with port=0, or stop that server."
                )
            shared = clients.shared_with(other.clients)
            if shared is not None:
                raise UsageError(
                    f"{cannot}: clients={shared[0]} is served by {_name(other)} "
                    f"(clients={shared[1]}), {self._life(other)}. A board has one server at a "
                    "port: name other boards in clients=, or stop that server."
                )

    def why_not(self, client: str) -> str:
        """Returns why a client is not served here."""
        if self._only:
            return f"client {client} is not served, only {self._only.clients}"
        named = [f"'{server.alias}' serves {server.clients}" for server in self._serving]
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        listed = ", ".join(named[:_MOST_NAMED])
        return f"client {client} is not served by any server at this port: {listed}{more}"

    @property
    def url(self) -> str:
        """The address as messages show it."""
        return f"tftp://{url_host(str(self.address[0]))}:{self.address[1]}/"

    @property
    def names(self) -> str:
        """The servers as messages name them."""
        return " and ".join(map(_name, self._tenants[:_MOST_NAMED]))

    # For the engine ------------------------------------------------------------------------

    def ready(self) -> None:
        """Takes some of the requests that have come; then running transfers get their turn."""
        is_empty = False
        for _ in range(_REQUESTS_AT_ONCE):
            arrival = udp.receive_request(self.sock, self._size)
            if arrival is None:
                is_empty = True
                break
            server = self._only or self._find(arrival[0], arrival[1])
            try:
                server.arrive(arrival)
            except Exception as error:
                server.fail(error)
        for server in self._serving:
            server.pause_reading(is_empty=is_empty)

    def fail(self, error: BaseException) -> None:
        """An exception of our own code, which concerns every server here."""
        for server in self._serving:
            server.fail(error)

    # Inside --------------------------------------------------------------------------------

    def _find(self, datagram: bytes, peer: Address) -> Tenant:
        """Returns the server of a datagram, where there are several."""
        server = self._known.get(peer[0]) or self._named(peer[0])
        if server is not None and server.owns(peer, datagram):
            return server
        # A transfer goes on with its server, whoever came or changed its clients meanwhile.
        for other in self._serving:
            if other.owns(peer, datagram):
                return other
        if server is not None:
            return server
        return self._refuser(datagram, peer)

    def _named(self, host: str) -> Tenant | None:
        """Returns the server that names an address, or the one that serves the rest."""
        found = [server for server in self._serving if server.clients.name(host)]
        found += [server for server in self._serving if not server.clients]
        if not found:
            return None
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[host] = found[0]
        return found[0]

    def _refuser(self, datagram: bytes, peer: Address) -> Tenant:
        """Returns who refuses a request that nobody serves: it is in each record once."""
        newest = {id(server.recorder): server for server in self._serving}
        answering = self._serving[-1]
        for server in newest.values():
            if server is not answering:
                server.overhear(datagram, peer)
        return answering

    def _life(self, server: Tenant) -> str:
        """Returns since when a server runs and who started it: its age, as clocks may be wrong."""
        age = max(1, round(monotonic() - server.since))
        begun = datetime.now(timezone.utc) - timedelta(seconds=age)
        owner = f", started by {server.owner}" if server.owner else ""
        return f"which runs at {self.url} for {duration_text(age)} (since {begun:%H:%M} UTC{owner})"


class Ports:
    """The ports of one engine, by their addresses.

    Args:
        engine: watches their sockets.
    """

    def __init__(self, engine: Alarms) -> None:
        self.engine = engine
        self._ports: dict[Address, RequestPort] = {}

    def enter(self, server: Tenant, host: str, found: tuple[int, Address]) -> RequestPort:
        """Takes a server in at its port, which is opened if there is none yet.

        Args:
            server: the server.
            host: its address as given.
            found: the family and the address to bind.

        Raises:
            UsageError: the port cannot be bound, or another server has the clients.
        """
        address = found[1]
        port = self._ports.get(address)
        if port is None:
            port = RequestPort(self._bind(host, found), self)
            self._ports[port.address] = port
        port.enter(server)
        return port

    def close(self, port: RequestPort) -> None:
        """Closes a port, which has no server any more."""
        del self._ports[port.address]
        port.sock.close()

    def _bind(self, host: str, found: tuple[int, Address]) -> socket.socket:
        number = found[1][1]
        try:
            return udp.bind_request_socket(host, number, found)
        except UsageError as error:
            cause = error.__cause__
            is_taken = isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE
            for other in self._at(number) if is_taken else ():
                raise UsageError(
                    f"Cannot bind {url_host(host)}:{number}: {other.names} is at "
                    f"{other.url}. Servers share a port at the same address only: give "
                    f"host={other.address[0]} and other clients=, or another port=."
                ) from error
            raise

    def _at(self, number: int) -> Iterable[RequestPort]:
        return [port for port in self._ports.values() if port.address[1] == number]


def _name(server: Tenant) -> str:
    return f"the TFTP server '{server.alias}'" if server.alias else "a TFTP server without an alias"
