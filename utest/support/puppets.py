"""A server whose datagrams a test writes by hand, and a client on an engine of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Protocol

from TftpLibrary.engine.assembly import Cargo
from TftpLibrary.engine.caller import Caller, Order
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.miscalls import Miscalls
from TftpLibrary.faults.plan import Plan
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.protocol.packets import Packet, Request, decode
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ClientSettings
from TftpLibrary.store.base import WritePolicy
from TftpLibrary.store.memory import MemoryStore
from utest.support.bench import A_WHILE, SOON
from utest.support.stores import read
from utest.support.waiting import seconds, wait_until

Address = tuple[str, int]


class Asked(Protocol):
    """A server that a client can ask: a `Puppet` or a `Listener`."""

    host: str
    sock: socket.socket


class Puppet:
    """A server whose datagrams a test writes by hand.

    Attributes:
        sock: the request port.
        client: where the last datagram came from.
        tid: the port of the transfer.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._host = host
        self._opened: list[socket.socket] = []
        self.sock = self.open_tid()
        self.tid = self.open_tid()
        self.host, self.port = self.sock.getsockname()[:2]
        self.client: Address = ("", 0)

    def __enter__(self) -> Puppet:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._opened:
            sock.close()

    def open_tid(self, host: str = "") -> socket.socket:
        """Opens one more port."""
        sock = socket.socket(self._family, socket.SOCK_DGRAM)
        sock.bind((host or self._host, 0))
        sock.settimeout(seconds(SOON))
        self._opened.append(sock)
        return sock

    def take_request(self) -> Request:
        """Returns the next request."""
        octets, address = self.sock.recvfrom(70_000)
        self.client = address[:2]
        request = decode(octets)
        assert isinstance(request, Request), request
        return request

    def send(self, packet: Packet | bytes, sock: socket.socket | None = None) -> None:
        """Sends a packet, or octets as they are, by default from the port of the transfer."""
        octets = packet if isinstance(packet, bytes) else packet.encode()
        (sock or self.tid).sendto(octets, self.client)

    def receive(self, sock: socket.socket | None = None) -> Packet:
        """Returns the next packet, by default to the port of the transfer."""
        return decode((sock or self.tid).recv(70_000))

    def is_silent(self, sock: socket.socket | None = None) -> bool:
        """Whether nothing comes for a while, by default to the port of the transfer."""
        watched = sock or self.tid
        watched.settimeout(seconds(A_WHILE))
        try:
            watched.recv(70_000)
        except TimeoutError:
            return True
        finally:
            watched.settimeout(seconds(SOON))
        return False


class Orders:
    """Gives orders to an engine, as a `TftpClient` does, without waiting for their end.

    Attributes:
        engine: of its own.
        recorder: of its own.
        store: takes the files that are read, under the names that were asked.
        calls: the faults on purpose of its clients.
    """

    def __init__(self) -> None:
        self.engine = Engine()
        self.recorder = Recorder()
        self.store = MemoryStore()
        self.calls = Miscalls(Plan())
        self.engine.start()

    def get(self, server: Asked, settings: ClientSettings, name: str = "f") -> Caller:
        """Orders a read."""
        policy = WritePolicy(writable=True, create=True, overwrite=True)
        sink = self.store.open_write(name.encode(), "", policy, None)
        return self.order(server, settings, name, Cargo.to_fill(sink, settings.mode))

    def put(
        self, server: Asked, content: bytes, settings: ClientSettings, name: str = "f"
    ) -> Caller:
        """Orders a write."""
        source = MemoryStore({"source": content}).open_read(b"source", "")
        return self.order(server, settings, name, Cargo.to_send(source, settings.mode))

    def order(self, server: Asked, settings: ClientSettings, name: str, cargo: Cargo) -> Caller:
        """Orders either."""
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        address = server.sock.getsockname()
        order = Order(name, cargo, ((family, address),), settings, self.recorder)

        def begin() -> Caller:
            caller = Caller(order, self.engine)
            if not self.calls.plan.is_empty:
                caller.misbehave(self.calls)
            caller.begin()
            return caller

        return self.engine.call(begin)

    def inject(self, kind: str, packet: str = "", **how: Any) -> str:
        """Has a fault from now on."""
        rule = make_rule(kind, packet, is_of_client=True, **how)

        def add() -> str:
            fault = self.calls.plan.add(rule, monotonic())
            self.calls.reroute()
            return fault

        return self.engine.call(add)

    def hits(self, fault: str) -> int:
        """Returns how often a fault happened."""
        return self.engine.call(lambda: self.calls.plan.find(fault).hits)

    @property
    def transfer(self) -> Transfer:
        """The record of the last order."""
        return self.recorder.transfers()[-1]

    def wait_for_end(self) -> Transfer:
        """Returns the record of the last order, once it ended."""
        wait_until(lambda: not self.transfer.is_running, SOON)
        return self.transfer

    def content(self, name: str = "f") -> bytes:
        """Returns the content that was read."""
        return read(self.store, name.encode())


@contextmanager
def orders() -> Iterator[Orders]:
    """Gives orders until the block ends, and checks that nothing unexpected happened."""
    found = Orders()
    try:
        yield found
    finally:
        found.engine.stop()
    assert found.recorder.take_defects() == ()
