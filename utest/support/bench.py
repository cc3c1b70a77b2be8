"""Shared by the tests of the engine: a listener of their own, and boards that talk to it.

A `Bench` has the parts of a `TftpServer` without its folder: an engine, a listener on a free
port, a store and a record. A `Peer` is a plain socket that sends datagrams written by hand.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

import pytest

from atest.equipment.board_client import Ask, read_file, write_file
from atest.equipment.board_exchange import Report, sort_arguments
from atest.equipment.board_network import open_socket
from TftpLibrary.engine import udp
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.injection import Faults
from TftpLibrary.engine.listener import Listener
from TftpLibrary.engine.session import Session
from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.packets import Data, Direction, Packet, Request, decode
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import View, Watch
from TftpLibrary.settings import Retransmission, ServerSettings
from TftpLibrary.store.base import Store
from TftpLibrary.store.memory import MemoryStore
from utest.support.waiting import seconds, wait_until

linux_only = pytest.mark.skipif(not udp.IS_LINUX, reason="needs what only Linux has")

PATIENT: dict[str, Any] = {"timeout": 60.0, "retransmission": Retransmission.fixed}
"""Settings of a server that sends nothing again while a test runs, however busy the machine is."""
QUICK: dict[str, Any] = {"timeout": seconds(0.05), "retries": 100}
"""Settings of a server that soon sends again. Any: they are given as named arguments."""
BRIEF: dict[str, Any] = {"timeout": seconds(0.1), "retries": 2}
"""Settings of a server that soon gives up."""
SOON = 5.0
"""Seconds within which everything happens that a test waits for."""
A_WHILE = 0.05
"""Seconds for which a test watches that nothing happens."""


class Bench:
    """A listener on an engine of its own."""

    def __init__(self, store: Store, settings: ServerSettings, recorder: Recorder) -> None:
        self.engine = Engine()
        self.recorder = recorder
        self.store = store
        self.engine.start()
        self.listener = Listener(settings, store, self.recorder, "dut", self.engine)
        self.host, self.port = self.listener.host, self.listener.port
        self.engine.call(self.listener.begin)

    def close(self) -> list[Transfer]:
        """Stops the listener, then the engine. Returns the transfers cut short. Idempotent."""
        try:
            return self.engine.call(self.listener.stop)
        except UsageError:
            # It was closed before.
            return []
        finally:
            self.engine.stop()

    @cached_property
    def faults(self) -> Faults:
        """The faults on purpose of the listener."""

        def run(function: Callable[[], Any]) -> Any:
            def call() -> Any:
                result = function()
                self.listener.misbehave(faults.plan)
                return result

            return self.engine.call(call)

        def look(since: int) -> View:
            return Watch(self.recorder, "dut", since).look()

        faults = Faults(self.recorder, run, look, "dut")
        return faults

    def ready(self) -> None:
        """Takes what came to the port. Engine's thread only."""
        self.listener.at.ready()

    @property
    def transfers(self) -> tuple[Transfer, ...]:
        """All records, in the order of the requests."""
        return self.recorder.transfers()

    def only_session(self) -> Session:
        """Returns the one session that lives."""
        (session,) = self.engine.call(lambda: self.listener.sessions)
        return session

    def wait_for_requests(self, count: int = 1) -> tuple[Transfer, ...]:
        """Returns the records, once there are `count` of them."""
        return wait_until(lambda: self.transfers if len(self.transfers) >= count else (), SOON)

    def wait_for_ends(self, count: int = 1) -> tuple[Transfer, ...]:
        """Returns the records, once `count` transfers have ended."""

        def ended() -> tuple[Transfer, ...]:
            records = self.transfers
            return records if sum(not each.is_running for each in records) >= count else ()

        return wait_until(ended, SOON)

    def wait_for_end(self) -> Transfer:
        """Returns the record of the first transfer that ended, once there is one."""
        return next(each for each in self.wait_for_ends() if not each.is_running)

    def wait_until_empty(self) -> None:
        """Returns once no session lives, not even one that repeats its last ACK."""
        wait_until(lambda: not self.engine.call(lambda: self.listener.sessions), SOON)

    def read(self, name: str = "f", /, **how: object) -> Report:
        """Reads a file as a board does; see `board`."""
        ask, sock = board(self.host, self.port, name, how)
        with sock:
            return read_file(ask, sock)

    def write(self, content: bytes, name: str = "f", /, **how: object) -> Report:
        """Writes a file as a board does; see `board`."""
        ask, sock = board(self.host, self.port, name, how)
        with sock:
            return write_file(ask, content, sock)

    def peer(self, host: str = "127.0.0.1") -> Peer:
        """Returns a socket that talks to it."""
        return Peer((self.host, self.port), host)


@contextmanager
def bench(
    files: Mapping[str, bytes] | Store | None = None,
    recorder: Recorder | None = None,
    /,
    **settings: Any,
) -> Iterator[Bench]:
    """Runs a bench until the block ends, and checks that no exception of our own happened.

    Args:
        files: content in memory, or a store.
        recorder: one that has records of others too; a new one by default.
        settings: those of the server. Any: each has its own type.
    """
    store = MemoryStore(files or {}) if files is None or isinstance(files, Mapping) else files
    found = Bench(store, ServerSettings(**settings), recorder or Recorder())
    try:
        yield found
    finally:
        found.close()
    assert found.recorder.take_defects() == ()


def board(host: str, port: int, name: str, how: Mapping[str, object]) -> tuple[Ask, socket.socket]:
    """Returns a board's request and its socket.

    `how` has its habits and options, and `local_host`, `mode` and `asked_host`.
    """
    rest = dict(how)
    local = str(rest.pop("local_host", ""))
    mode = str(rest.pop("mode", "octet"))
    host = str(rest.pop("asked_host", host))
    habits, options = sort_arguments(rest)
    return Ask(name, host, port, mode, options, habits), open_socket(host, (local, 0))


class Peer:
    """A socket whose datagrams a test writes by hand.

    Attributes:
        sock: bound to a free port.
        server: where requests go.
        tid: where the last answer came from; everything but requests goes there.
    """

    def __init__(self, server: tuple[str, int], host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.bind((host, 0))
        self.sock.settimeout(seconds(SOON))
        self.server = server
        self.tid: tuple[str, int] = server

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    @property
    def port(self) -> int:
        """Its own port."""
        return int(self.sock.getsockname()[1])

    def ask(self, name: str = "f", mode: str = "octet", /, **options: object) -> None:
        """Sends an RRQ."""
        self.request(Direction.read, name, mode, options)

    def offer(self, name: str = "f", mode: str = "octet", /, **options: object) -> None:
        """Sends a WRQ."""
        self.request(Direction.write, name, mode, options)

    def request(
        self, direction: Direction, name: str, mode: str, options: Mapping[str, object]
    ) -> None:
        asked = tuple((option, str(value)) for option, value in options.items())
        self.send(Request(direction, name.encode(), mode, asked), self.server)

    def send(self, packet: Packet | bytes, to: tuple[str, int] | None = None) -> None:
        """Sends a packet, or octets as they are."""
        octets = packet if isinstance(packet, bytes) else packet.encode()
        self.sock.sendto(octets, to or self.tid)

    def receive(self) -> Packet:
        """Returns the next packet; it remembers where it came from."""
        octets, address = self.sock.recvfrom(70_000)
        self.tid = address[:2]
        return decode(octets)

    def receive_data(self) -> Data:
        """Returns the next packet, which must be DATA."""
        packet = self.receive()
        assert isinstance(packet, Data), packet
        return packet

    def is_silent(self, time: float = A_WHILE) -> bool:
        """Whether nothing comes for a while."""
        self.sock.settimeout(seconds(time))
        try:
            self.sock.recv(70_000)
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(seconds(SOON))
        return False


def take_all(sock: socket.socket) -> list[Packet]:
    """Returns the packets that lie in a socket, without waiting."""
    packets: list[Packet] = []
    patience = sock.gettimeout()
    sock.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            packets.append(decode(sock.recv(70_000)))
    sock.settimeout(patience)
    return packets


def time_out(session: Session) -> float:
    """Lets the deadline of a session pass, without waiting for it. Engine's thread only.

    Returns:
        The seconds from there to the next deadline.
    """
    now = session.deadline
    assert now is not None
    session.handle_timeout(now)
    assert session.deadline is not None
    return session.deadline - now


def without_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the engine run as it does where the system has none of Linux's specialities."""
    for name, module in tuple(sys.modules.items()):
        if name.startswith("TftpLibrary.engine.") and hasattr(module, "IS_LINUX"):
            monkeypatch.setattr(module, "IS_LINUX", False)
    monkeypatch.delattr("select.epoll", raising=False)
