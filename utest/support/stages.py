"""Stages for faults: our end is about to send one packet to a raw socket, in each role and way.

On every stage the same kinds of faults are tried, and what the raw socket sees is compared with the
same table.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from TftpLibrary.protocol.packets import Ack, Data, Error, Request, decode
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ClientSettings
from utest.support.bench import PATIENT, SOON, Bench, Peer, bench
from utest.support.puppets import Puppet, orders
from utest.support.waiting import seconds

CONTENT = random.Random(9).randbytes(3 * 512 + 100)
SECOND = Data(2, CONTENT[512:1024]).encode()
FIRST_ACK = Ack(1).encode()
PATIENT_CLIENT = ClientSettings(blksize=512, windowsize=1, tsize=False, timeout=60.0)


class Seen(NamedTuple):
    """A datagram as the raw socket saw it."""

    octets: bytes
    is_foreign: bool = False


@dataclass
class Stage:
    """Our end, and a raw socket that brings it to send one packet.

    Attributes:
        packet: the packet, as a fault names it.
        octets: as it is without a fault.
        sock: the raw socket.
        inject: has a fault from now on; returns its id.
        hits: returns how often a fault happened.
        look: returns the record.
        provoke: lets our end send the packet; what came before it has been read.
        ours: the address of our end; empty before the first packet of it.
        stranger: where the last packet from another port came from.
    """

    packet: str
    octets: bytes
    sock: socket.socket
    inject: Callable[..., str]
    hits: Callable[[str], int]
    look: Callable[[], Transfer]
    provoke: Callable[[], None]
    ours: list[Any] = field(default_factory=list)
    stranger: list[Any] = field(default_factory=list)

    def receive(self) -> Seen:
        """Returns the next datagram."""
        octets, address = self.sock.recvfrom(70_000)
        if address == self.ours[0]:
            return Seen(octets)
        self.stranger[:] = [address]
        return Seen(octets, is_foreign=True)

    def send(self, packet: Ack | Data | Error) -> None:
        """Answers our end."""
        self.sock.sendto(packet.encode(), self.ours[0])

    def is_silent(self) -> bool:
        """Whether nothing more comes for a while."""
        self.sock.settimeout(seconds(0.05))
        try:
            self.sock.recvfrom(70_000)
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(seconds(SOON))
        return False

    def is_refused(self) -> bool:
        """Whether our end's port is closed, so that the system answers for it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(seconds(0.2))
            probe.connect(self.ours[0])
            with suppress(TimeoutError):
                probe.send(b"\0\4\0\1")
                try:
                    probe.recv(100)
                except ConnectionRefusedError:
                    return True
        return False


def _of_server(dut: Bench, peer: Peer, packet: str, octets: bytes) -> Stage:
    def inject(kind: str, *arguments: Any, **how: Any) -> str:
        return dut.faults.inject(kind, *arguments, **how)

    def hits(fault: str) -> int:
        return next(known.hits for known in dut.faults.all() if known.id == fault)

    def look() -> Transfer:
        return dut.transfers[-1]

    return Stage(packet, octets, peer.sock, inject, hits, look, lambda: None)


@contextmanager
def server_sends(**settings: Any) -> Iterator[Stage]:
    """A download from our server: it is about to send DATA 2."""
    with bench({"f": CONTENT}, **(PATIENT | settings)) as dut, dut.peer() as peer:
        stage = _of_server(dut, peer, "DATA 2", SECOND)

        def provoke() -> None:
            peer.ask()
            peer.receive_data()
            stage.ours[:] = [peer.tid]
            peer.send(Ack(1))

        stage.provoke = provoke
        yield stage


@contextmanager
def server_receives(**settings: Any) -> Iterator[Stage]:
    """An upload to our server: it is about to send ACK 1."""
    with bench(writable=True, **(PATIENT | settings)) as dut, dut.peer() as peer:
        stage = _of_server(dut, peer, "ACK 1", FIRST_ACK)

        def provoke() -> None:
            peer.offer()
            assert peer.receive() == Ack(0)
            stage.ours[:] = [peer.tid]
            peer.send(Data(1, CONTENT[:512]))

        stage.provoke = provoke
        yield stage


@contextmanager
def single_port_sends() -> Iterator[Stage]:
    """A download in single-port mode."""
    with server_sends(single_port=True) as stage:
        yield stage


@contextmanager
def single_port_receives() -> Iterator[Stage]:
    """An upload in single-port mode."""
    with server_receives(single_port=True) as stage:
        yield stage


@contextmanager
def client_sends() -> Iterator[Stage]:
    """An upload of our client: it is about to send DATA 2."""
    with orders() as given, Puppet() as puppet:
        stage = Stage(
            "DATA 2",
            SECOND,
            puppet.tid,
            given.inject,
            given.hits,
            lambda: given.transfer,
            lambda: None,
        )

        def provoke() -> None:
            given.put(puppet, CONTENT, PATIENT_CLIENT)
            request = puppet.take_request()
            assert isinstance(request, Request)
            stage.ours[:] = [puppet.client]
            puppet.send(Ack(0))
            assert decode(stage.receive().octets) == Data(1, CONTENT[:512])
            puppet.send(Ack(1))

        stage.provoke = provoke
        yield stage


@contextmanager
def client_receives() -> Iterator[Stage]:
    """A download of our client: it is about to send ACK 1."""
    with orders() as given, Puppet() as puppet:
        stage = Stage(
            "ACK 1",
            FIRST_ACK,
            puppet.tid,
            given.inject,
            given.hits,
            lambda: given.transfer,
            lambda: None,
        )

        def provoke() -> None:
            given.get(puppet, PATIENT_CLIENT)
            puppet.take_request()
            stage.ours[:] = [puppet.client]
            puppet.send(Data(1, CONTENT[:512]))

        stage.provoke = provoke
        yield stage


Staging = Callable[[], AbstractContextManager[Stage]]
Fate = Callable[[bytes], list[Seen]]
"""What comes in the place of a packet."""

SERVER_STAGES = (server_sends, server_receives, single_port_sends, single_port_receives)
CLIENT_STAGES = (client_sends, client_receives)


def _stranger(octets: bytes) -> bytes:
    return octets[:4] + bytes(255 - octet for octet in octets[4:])


# Kind, arguments, and what the raw socket sees in the place of the packet.
FATES: list[tuple[str, dict[str, Any], Fate]] = [
    ("drop", {}, lambda _: []),
    ("duplicate", {"copies": 2}, lambda right: [Seen(right)] * 3),
    ("duplicate", {"delay": 0.05}, lambda right: [Seen(right)] * 2),
    ("delay", {"delay": 0.05}, lambda right: [Seen(right)]),
    ("reorder", {"delay": 0.05}, lambda right: [Seen(right)]),
    ("runt", {}, lambda right: [Seen(right[:3])]),
    ("runt", {"size": 0}, lambda _: [Seen(b"")]),
    ("wrong_block", {}, lambda right: [Seen(right[:3] + bytes((right[3] + 1,)) + right[4:])]),
    ("wrong_block", {"number": "258"}, lambda right: [Seen(right[:2] + b"\1\2" + right[4:])]),
    ("wrong_tid", {}, lambda right: [Seen(right, is_foreign=True)]),
    ("stray", {}, lambda right: [Seen(_stranger(right), is_foreign=True), Seen(right)]),
    ("bad_opcode", {}, lambda right: [Seen(b"\0\x09" + right[2:])]),
    ("bad_opcode", {"number": "77"}, lambda right: [Seen(b"\0\x4d" + right[2:])]),
    ("error", {"code": 3}, lambda _: [Seen(Error(3, "Error on purpose").encode())]),
    ("error", {"message": "no"}, lambda _: [Seen(Error(0, "no").encode())]),
    ("stall", {}, lambda _: []),
    ("vanish", {}, lambda _: []),
]
"""Faults of every packet."""
FATES_OF_DATA: list[tuple[str, dict[str, Any], Fate]] = [
    ("short_block", {}, lambda right: [Seen(right[: 4 + 256])]),
    ("short_block", {"size": 7}, lambda right: [Seen(right[: 4 + 7])]),
    ("long_block", {}, lambda right: [Seen(right + b"\0")]),
    ("long_block", {"size": 9}, lambda right: [Seen(right + bytes(9))]),
]
"""Faults of blocks alone."""


def play(stage: Stage, kind: str, how: dict[str, Any], fate: Fate) -> None:
    """Lets a fault strike the packet of a stage, and compares what came with its fate."""
    fault = stage.inject(kind, stage.packet, **how)
    stage.provoke()
    expected = fate(stage.octets)
    assert [stage.receive() for _ in expected] == expected
    assert stage.is_silent()
    assert stage.hits(fault) == 1
    (mark,) = stage.look().faults
    assert (mark.fault, mark.times) == (fault, 1)
    assert stage.packet in mark.words
