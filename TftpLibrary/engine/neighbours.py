"""The MAC addresses of the boards in the same network segment, as the kernel knows them.

Linux only: a netlink socket tells every change of the kernel's neighbour table (ARP and IPv6
neighbour discovery), so the table is read once and a change is never missed. A board that asks
has mostly just been asked for, or has asked, by ARP. Where it has not, the request waits for a
moment, and the kernel is made to ask.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from ipaddress import ip_address
from math import inf
from time import monotonic

from TftpLibrary.engine.contracts import Alarms
from TftpLibrary.engine.hosts import Address, readable_host
from TftpLibrary.errors import UsageError

_GROUP_OF_NEIGHBOURS = 4
_NEW_NEIGHBOUR, _NO_NEIGHBOUR, _ASK_NEIGHBOURS = 28, 29, 30
_ROUTE_FOUND, _ASK_ROUTE = 24, 26
_REQUEST, _DUMP = 1, 0x300
_DONE, _ERROR = 3, 2
_DST, _LLADDR, _INTERFACE, _GATEWAY, _VIA = 1, 2, 4, 5, 18
_KIND_OF_ROUTE, _UNICAST = 7, 1
_VALID = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
"""States of an entry in which its MAC address is known: reachable, stale and so on."""
_HEADER = struct.Struct("=IHHII")
_NEIGHBOUR = struct.Struct("=BxxxiHBB")
_ROUTE = struct.Struct("=BBBBBBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_MAC_SIZE = 6
_IPV4_SIZE = 4
_ADDRESS_SIZES = (_IPV4_SIZE, 16)
_LARGEST = 65536
_CHANGE = 8192
"""Octets that one change has at most."""
_SCOPE = 3
"""The place of the interface in an IPv6 address."""
_REMEMBERED = 1024
_DISCARD_PORT = 9
_PATIENCE = 1.0
"""Seconds that a request waits for the MAC address of its board; the kernel asks each second."""
MOST_WAITING = 100
"""Requests that wait; one more does not."""

Decide = Callable[[], None]


class Neighbours:
    """The neighbour table of this machine. Engine's thread only.

    Args:
        engine: watches the socket.

    Raises:
        UsageError: this system does not tell.
    """

    def __init__(self, engine: Alarms) -> None:
        self.armed = inf
        self._engine = engine
        self._table: dict[bytes, dict[int, bytes]] = {}
        self._waiting: dict[Address, tuple[float, list[Decide]]] = {}
        self._changes = _open(_GROUP_OF_NEIGHBOURS)
        self._read_table()
        engine.watch(self._changes.fileno(), self)

    def close(self) -> None:
        """Forgets everything; who waits is decided on as it is. Idempotent."""
        if self._changes.fileno() >= 0:
            self._engine.forget(self._changes.fileno())
            self._changes.close()
            self._engine.drop_alarm(self)
            self._let_go(list(self._waiting))

    # The table -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Takes what has changed until now."""
        while True:
            try:
                octets = self._changes.recv(_CHANGE)
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    # More changes than the socket holds: the whole table says the same.
                    self._read_table()
                    continue
                return
            self._note(octets)

    def mac_of(self, peer: Address) -> bytes | None:
        """Returns the MAC address of a board; None where it is unknown, or where two have it."""
        found = self._table.get(_octets(peer[0]))
        if not found:
            return None
        scope = int(peer[3]) if len(peer) > _SCOPE else 0
        macs = {mac for index, mac in found.items() if scope in (0, index)}
        return macs.pop() if len(macs) == 1 else None

    def learn(self, peer: Address, decide: Decide) -> bool:
        """Lets the request of a board wait until its MAC address is known, but not for long.

        Args:
            peer: who asks.
            decide: called then, whether it is known or not.

        Returns:
            Whether it waits: not if the board is in another segment, so that nobody will know.
        """
        if sum(len(waiting) for _, waiting in self._waiting.values()) >= MOST_WAITING:
            return False
        if peer not in self._waiting:
            if not _is_in_segment(peer):
                return False
            self._waiting[peer] = monotonic() + _PATIENCE, []
            _provoke(peer)
        self._waiting[peer][1].append(decide)
        self._engine.set_alarm(self)
        return True

    # For the engine ------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When the first request has waited long enough."""
        return min((until for until, _ in self._waiting.values()), default=None)

    def ready(self) -> None:
        """The table has changed."""
        self.refresh()
        self._let_go([peer for peer in self._waiting if self.mac_of(peer) is not None])

    def handle_timeout(self, now: float) -> None:
        """A request has waited long enough."""
        self._let_go([peer for peer, (until, _) in self._waiting.items() if until <= now])
        self._engine.set_alarm(self)

    def fail(self, error: BaseException) -> None:
        """An exception of our own: whoever waits is let go at the deadline."""

    # Inside --------------------------------------------------------------------------------

    def _let_go(self, peers: list[Address]) -> None:
        for peer in peers:
            for decide in self._waiting.pop(peer)[1]:
                decide()

    def _read_table(self) -> None:
        # What changed before is in the table that is read now; what changes from here on is told.
        with contextlib.suppress(BlockingIOError):
            while self._changes.recv(_CHANGE):
                pass
        self._table.clear()
        ask = _NEIGHBOUR.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        for octets in _answers(_ASK_NEIGHBOURS, _REQUEST | _DUMP, ask):
            self._note(octets)

    def _note(self, octets: bytes) -> None:
        for kind, body in _messages(octets):
            if kind not in (_NEW_NEIGHBOUR, _NO_NEIGHBOUR) or len(body) < _NEIGHBOUR.size:
                continue
            _, index, state, _, _ = _NEIGHBOUR.unpack_from(body)
            attributes = dict(_attributes(body[_NEIGHBOUR.size :]))
            address, mac = attributes.get(_DST, b""), attributes.get(_LLADDR, b"")
            if len(address) not in _ADDRESS_SIZES:
                # A bridge tells of its ports here too.
                continue
            if kind == _NEW_NEIGHBOUR and state & _VALID and len(mac) == _MAC_SIZE:
                self._table.setdefault(address, {})[index] = mac
            else:
                found = self._table.get(address, {})
                found.pop(index, None)
                if not found:
                    self._table.pop(address, None)


def _open(groups: int) -> socket.socket:
    if sys.platform == "linux":
        try:
            sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
            sock.bind((0, groups))
        except OSError as error:
            raise UsageError(
                f"MAC addresses in clients= need the kernel's neighbour table, which this system "
                f"does not show ({error.strerror}). Give the addresses of the boards instead."
            ) from error
        return sock
    raise UsageError(
        "MAC addresses in clients= need Linux, whose kernel tells which board has which address. "
        "Give the addresses of the boards instead."
    )


def _answers(kind: int, flags: int, body: bytes) -> Iterator[bytes]:
    """Yields the kernel's answers to one question; it has them at once."""
    with _open(0) as sock:
        sock.settimeout(_PATIENCE)
        sock.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body)
        while True:
            octets = sock.recv(_LARGEST)
            yield octets
            kinds = [kind for kind, _ in _messages(octets)]
            if flags & _DUMP == 0 or _DONE in kinds or _ERROR in kinds:
                return


def _is_in_segment(peer: Address) -> bool:
    """Whether a board is reached without a router, and is not this machine."""
    address = _octets(peer[0])
    family = socket.AF_INET if len(address) == _IPV4_SIZE else socket.AF_INET6
    ask = _ROUTE.pack(family, len(address) * 8, 0, 0, 0, 0, 0, 0, 0) + _attribute(_DST, address)
    if len(peer) > _SCOPE and peer[_SCOPE]:
        ask += _attribute(_INTERFACE, struct.pack("=I", peer[_SCOPE]))
    try:
        (answer,) = _answers(_ASK_ROUTE, _REQUEST, ask)
    except (OSError, UsageError):
        # No descriptor is left: whoever asks is not known either.
        return False
    kind, body = next(_messages(answer))
    if kind != _ROUTE_FOUND or body[_KIND_OF_ROUTE] != _UNICAST:
        return False
    attributes = dict(_attributes(body[_ROUTE.size :]))
    return _GATEWAY not in attributes and _VIA not in attributes


def _provoke(peer: Address) -> None:
    """Makes the kernel ask for a MAC address: an empty datagram to a port that discards it."""
    family = socket.AF_INET if len(_octets(peer[0])) == _IPV4_SIZE else socket.AF_INET6
    host = readable_host(peer)
    to = (host, _DISCARD_PORT, *(peer[2:] if family == socket.AF_INET6 else ()))
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.sendto(b"", to)


@lru_cache(maxsize=_REMEMBERED)
def _octets(host: str) -> bytes:
    """Returns the address of a board as the kernel writes it."""
    return ip_address(readable_host((host,)).partition("%")[0]).packed


def _messages(octets: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + _HEADER.size <= len(octets):
        size, kind, _, _, _ = _HEADER.unpack_from(octets, place)
        if size < _HEADER.size:
            return
        yield kind, octets[place + _HEADER.size : place + size]
        place += (size + 3) & ~3


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + _ATTRIBUTE.size <= len(octets):
        size, kind = _ATTRIBUTE.unpack_from(octets, place)
        if size < _ATTRIBUTE.size:
            return
        yield kind, octets[place + _ATTRIBUTE.size : place + size]
        place += (size + 3) & ~3


def _attribute(kind: int, octets: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(octets), kind) + octets
