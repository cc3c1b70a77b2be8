"""The reception of a request; `test_listener` and `test_misbehaviour` have it on the wire."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from TftpLibrary.engine import udp
from TftpLibrary.engine.admission import Refusal
from TftpLibrary.engine.assembly import Assembly
from TftpLibrary.engine.channel import TidChannel
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.reception import Arrival, Reception
from TftpLibrary.engine.session import Session
from TftpLibrary.engine.single_port import SharedChannel
from TftpLibrary.engine.wire import Wire
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import Direction, Error, Oack, Options, Request
from TftpLibrary.recording.entry import Entry
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.settings import ServerSettings
from TftpLibrary.store.memory import MemoryStore
from utest.support.bench import PATIENT, bench

PEER = ("127.0.0.1", 2000)


class Desk:
    """A reception on an engine of its own, and the sessions that it made."""

    def __init__(self, engine: Engine, sock: socket.socket, **settings: object) -> None:
        self.engine = engine
        store = MemoryStore({"f": bytes(1000)})
        self.reception = Reception(store, engine, sock, ServerSettings(**settings))  # type: ignore[arg-type]
        self.forgotten: list[Session] = []

    def receive(
        self,
        name: bytes = b"f",
        direction: Direction = Direction.read,
        options: Options = (),
        mode: str = "octet",
    ) -> Session:
        request = Request(direction, name, mode, options)
        entry = Entry(Recorder(), self.engine, request, "dut", PEER, 0.0)
        arrival = Arrival(request, PEER, None, PEER[0], entry, None)
        return self.engine.call(
            lambda: self.reception.receive(arrival, self.forgotten.append, is_small=False)
        )


@pytest.fixture
def engine() -> Iterator[Engine]:
    found = Engine()
    found.start()
    yield found
    found.stop()


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        yield found


def test_a_request_gets_a_session_at_a_port_of_its_own(engine: Engine, sock: socket.socket) -> None:
    desk = Desk(engine, sock)
    session = desk.receive(options=(("blksize", "600"), ("unknown", "1")))
    assert isinstance(session.channel, TidChannel)
    assert session.channel.local[1] != desk.reception.bound[1]
    assert dict(session.entry.transfer.granted) == {"blksize": "600"}
    assert session.entry.transfer.size == 1000
    engine.call(session.stop)
    assert desk.forgotten == [session]


def test_in_single_port_mode_it_has_the_port_of_the_server(
    engine: Engine, sock: socket.socket
) -> None:
    desk = Desk(engine, sock, single_port=True)
    session = desk.receive()
    assert isinstance(session.channel, SharedChannel)
    assert session.channel.local == desk.reception.bound
    engine.call(session.stop)


def test_other_settings_count_from_the_next_request_on(engine: Engine, sock: socket.socket) -> None:
    desk = Desk(engine, sock)
    with pytest.raises(Refusal) as caught:
        desk.receive(b"g", Direction.write)
    assert caught.value.code == 2
    engine.call(lambda: desk.reception.change(ServerSettings(writable=True, max_blksize=512)))
    session = desk.receive(b"g", Direction.write, (("blksize", "1000"),))
    assert dict(session.entry.transfer.granted) == {"blksize": "512"}
    engine.call(session.stop)


def test_a_file_that_is_missing_and_an_unknown_mode_are_refused(
    engine: Engine, sock: socket.socket
) -> None:
    desk = Desk(engine, sock)
    with pytest.raises(Refusal) as missing:
        desk.receive(b"missing")
    assert (missing.value.code, missing.value.cause) == (1, Cause.missing)
    with pytest.raises(Refusal) as mode:
        desk.receive(mode="mail")
    assert mode.value.code == 4


def test_without_a_port_for_the_transfer_it_is_refused(
    engine: Engine, sock: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(engine, sock, port_range=(40000, 40001))
    numbers = iter((errno.EADDRINUSE, errno.EMFILE))

    def fail(*_: object) -> socket.socket:
        raise OSError(next(numbers), "too many of them")

    monkeypatch.setattr(udp, "open_tid", fail)
    with pytest.raises(Refusal) as range_used:
        desk.receive()
    assert range_used.value.reason == "no port of the range 40000-40001 is free"
    with pytest.raises(Refusal) as no_descriptor:
        desk.receive()
    assert no_descriptor.value.reason == "no port for the transfer: too many of them"
    assert no_descriptor.value.public == "Server busy, try again later"


def test_a_request_with_faults_gets_a_wire() -> None:
    """Options that a fault ignores are not granted, and a damaged file tells its size."""
    with bench({"f": bytes(1000)}, **PATIENT) as dut, dut.peer() as peer:
        dut.faults.inject("ignore_options", options="blksize")
        dut.faults.damage("f", "truncate", size=600)
        peer.ask(blksize=600, tsize=0)
        assert peer.receive() == Oack((("tsize", "600"),))
        assert isinstance(dut.only_session().channel, Wire)
        dut.faults.deny("f")
        with dut.peer() as other:
            other.ask()
            assert other.receive() == Error(2, "Access violation")


def test_a_session_that_cannot_be_made_leaves_no_file_open(
    engine: Engine, sock: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(engine, sock)

    def fail(*_: object, **__: object) -> Session:
        raise ValueError("of a test")

    monkeypatch.setattr(Assembly, "make_session", fail)
    monkeypatch.setattr(Assembly, "open_channel", fail)
    with pytest.raises(ValueError, match="of a test"):
        desk.receive()
