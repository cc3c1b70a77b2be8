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
from functools import partial
from time import monotonic
from typing import Protocol

from TftpLibrary.engine import udp
from TftpLibrary.engine.clients import Clients
from TftpLibrary.engine.contracts import Alarms
from TftpLibrary.engine.hosts import Address, readable_host, url_host
from TftpLibrary.engine.neighbours import Neighbours
from TftpLibrary.engine.udp import Arrived
from TftpLibrary.errors import UsageError
from TftpLibrary.networks import Mac
from TftpLibrary.protocol.datagrams import is_request
from TftpLibrary.protocol.outcome import Cause, End, Outcome
from TftpLibrary.protocol.packets import ErrorCode
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

    def overhear(self, datagram: bytes, peer: Address, end: End) -> None:
        """Records a request that another server here answers."""

    def forget_ended(self) -> None:
        """Nothing more has come to the port."""

    @property
    def holds_datagrams(self) -> bool:
        """Whether it has something to show after each turn."""

    def show_rest(self) -> None:
        """Shows an observer what was not taken of the datagrams of this turn."""

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
        self._known: dict[tuple[str, bytes | None], tuple[Tenant, ...]] = {}
        self._neighbours: Neighbours | None = None
        self._showing: list[Tenant] = []
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
        self._ports.close_unused(self)

    def sort(self) -> None:
        """Looks again at who serves whom, and at who has to see what."""
        if self._neighbours and not any(each.clients.has_macs for each in self._tenants):
            neighbours, self._neighbours = self._neighbours, None
            neighbours.close()
        is_lone = len(self._serving) == 1 and self._neighbours is None
        self._only = self._serving[0] if is_lone else None
        self._known.clear()
        self._showing = [server for server in self._serving if server.holds_datagrams]
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
        if clients.has_macs and self._neighbours is None:
            self._neighbours = Neighbours(self._ports.engine)

    def serves(self, server: Tenant, peer: Address) -> bool:
        """Whether a server serves a board."""
        return self._servers_of(peer)[:1] == (server,)

    def mac_of(self, peer: Address) -> str:
        """Returns the MAC address of a board; empty where it is unknown, or nobody names one."""
        mac = self._neighbours.mac_of(peer) if self._neighbours else None
        return str(Mac(mac)) if mac else ""

    def why_not(self, peer: Address) -> str:
        """Returns why a board is not served here."""
        client = self._words(peer)
        if len(self._serving) == 1:
            return f"client {client} is not served, only {self._serving[0].clients}"
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
        give = self._dispatch if self._only is None else self._only.arrive
        sock, size = self.sock, self._size
        for _ in range(_REQUESTS_AT_ONCE):
            arrival = udp.receive_request(sock, size)
            if arrival is None:
                for server in self._serving:
                    server.forget_ended()
                break
            give(arrival)
        for server in self._showing:
            server.show_rest()

    def fail(self, error: BaseException) -> None:
        """An exception of our own code, which concerns every server here."""
        for server in self._serving:
            server.fail(error)

    # Inside --------------------------------------------------------------------------------

    def _dispatch(self, arrival: Arrived, *, may_wait: bool = True) -> None:
        """Gives a datagram to its server, where there are several or one names MAC addresses."""
        datagram, peer = arrival[:2]
        if self._neighbours is not None:
            self._neighbours.refresh()
        servers = self._servers_of(peer)
        if not servers or not servers[0].owns(peer, datagram):
            # A transfer goes on with its server, whoever came or changed its clients meanwhile.
            owners = (server for server in self._serving if server.owns(peer, datagram))
            owner = next(owners, None)
            if owner is not None:
                servers = (owner,)
            elif may_wait and self._waits(arrival):
                return
        if servers:
            self._tell_of_taken(servers, datagram, peer)
            _give(servers[0], arrival)
        elif self._serving:
            self._refuse(arrival)

    def _servers_of(self, peer: Address) -> tuple[Tenant, ...]:
        """Returns the server of a board, and then those that came later and name it too."""
        key = peer[0], self._neighbours.mac_of(peer) if self._neighbours else None
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            named = [server for server in self._serving if server.clients.name(*key)]
            rest = [server for server in self._serving if not server.clients]
            known = self._known[key] = tuple(named or rest)
        return known

    def _waits(self, arrival: Arrived) -> bool:
        """Whether a request waits until the MAC address of its board is known."""
        datagram, peer = arrival[:2]
        if self._neighbours is None or not is_request(datagram):
            return False
        decide = partial(self._dispatch, arrival, may_wait=False)
        return self._neighbours.mac_of(peer) is None and self._neighbours.learn(peer, decide)

    def _refuse(self, arrival: Arrived) -> None:
        """Has a request refused that nobody serves: it is in each record once."""
        newest = {id(server.recorder): server for server in self._serving}
        answering = self._serving[-1]
        for server in newest.values():
            if server is not answering:
                peer = arrival[1]
                reason = self.why_not(peer)
                end = End(Outcome.refused, ErrorCode.access_violation, reason, cause=Cause.client)
                server.overhear(arrival[0], peer, end)
        _give(answering, arrival)

    def _tell_of_taken(self, servers: tuple[Tenant, ...], datagram: bytes, peer: Address) -> None:
        """Tells those who came later that their board has a server: its texts did not show it."""
        first, *later = servers
        for server in later:
            reason = (
                f"client {self._words(peer)} is served by {_name(first)} "
                f"(clients={first.clients}), {self._life(first)}"
            )
            server.overhear(datagram, peer, End(Outcome.refused, None, reason, cause=Cause.taken))

    def _words(self, peer: Address) -> str:
        """Returns a board as messages show it."""
        host = readable_host(peer)
        if self._neighbours is None:
            return host
        return f"{host} ({self.mac_of(peer) or 'its MAC address is unknown'})"

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
        try:
            port.enter(server)
        except UsageError:
            self.close_unused(port)
            raise
        return port

    def close_unused(self, port: RequestPort) -> None:
        """Closes a port, if it has no server."""
        if not port.names:
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


def _give(server: Tenant, arrival: Arrived) -> None:
    try:
        server.arrive(arrival)
    except Exception as error:
        server.fail(error)


def _name(server: Tenant) -> str:
    return f"the TFTP server '{server.alias}'" if server.alias else "a TFTP server without an alias"
