"""From an agreement to a session: both roles, both directions, in one table."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from TftpLibrary.engine import udp
from TftpLibrary.engine.assembly import Assembly, Cargo
from TftpLibrary.engine.engine import Engine
from TftpLibrary.protocol.options import Agreement
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Ack, Direction, Mode, Oack
from TftpLibrary.protocol.roles import Role, Timing
from TftpLibrary.settings import ClientSettings
from TftpLibrary.store.base import WritePolicy
from TftpLibrary.store.memory import MemoryStore
from utest.support.bench import bench, linux_only, without_linux
from utest.support.ends import sends_data
from utest.support.faulty import make_faulty, refuse_now_and_then
from utest.support.puppets import orders
from utest.support.stores import read
from utest.support.waiting import seconds

CONTENT = random.Random(5).randbytes(40_000)
# Each octet that netascii changes, also at the border of two pieces.
TEXT = b"line\nand line\rand\r\n" * 2000
LONG = 60.0
HERE = ("127.0.0.1", 0)

Prepare = Callable[[pytest.MonkeyPatch], object]
HABITS: dict[str, tuple[dict[str, Any], Prepare]] = {
    "lock-step": ({"windowsize": 1}, lambda _: None),
    "windows": ({"windowsize": 8}, lambda _: None),
    "lock-step with losses": (
        {"windowsize": 1},
        lambda patch: make_faulty(patch, refuse_now_and_then(23, PermissionError)),
    ),
    "windows with losses": (
        {"windowsize": 8},
        lambda patch: make_faulty(patch, refuse_now_and_then(23, PermissionError)),
    ),
    "windows without offload": ({"windowsize": 8, "offload": False}, lambda _: None),
    "windows without Linux": ({"windowsize": 8}, without_linux),
}
"""How both ends behave: settings, and what is done before."""


@pytest.mark.parametrize("single_port", [False, True], ids=["own port", "single port"])
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("habit", HABITS)
def test_both_roles_move_a_file(
    habit: str, direction: Direction, mode: Mode, single_port: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our client and our server, each with an engine of its own: who sends, in each role."""
    settings, prepare = HABITS[habit]
    prepare(monkeypatch)
    content = CONTENT if mode is Mode.octet else TEXT
    asked = ClientSettings(mode=mode, blksize=1000, timeout=seconds(0.05), retries=100, **settings)
    served: dict[str, Any] = {"timeout": seconds(0.05), "retries": 100, "single_port": single_port}
    served["offload"] = asked.offload
    with bench({"f": content}, writable=True, **served) as found, orders() as given:
        if direction is Direction.read:
            given.get(found.listener, asked)
            ours = given.wait_for_end()
            moved = given.content()
        else:
            given.put(found.listener, content, asked, "g")
            ours = given.wait_for_end()
            moved = read(found.store, b"g")
        theirs = found.wait_for_end()
        assert moved == content
        assert (ours.outcome, theirs.outcome) == (Outcome.completed, Outcome.completed)
        for name in ("direction", "filename", "mode", "requested", "granted", "octets", "blocks"):
            assert getattr(ours, name) == getattr(theirs, name), name
        assert ours.direction is direction
        if mode is Mode.octet:
            assert ours.size == theirs.size == ours.octets == len(content)


# Parts of a session


def cargo_of(role: Role, direction: Direction, mode: Mode = Mode.octet) -> Cargo:
    """A file in memory, to be sent or to be filled."""
    store = MemoryStore({"f": CONTENT})
    if sends_data(role, direction):
        return Cargo.to_send(store.open_read(b"f", ""), mode)
    policy = WritePolicy(writable=True, create=True, overwrite=True)
    return Cargo.to_fill(store.open_write(b"g", "", policy, None), mode)


@pytest.mark.parametrize("is_text", [False, True])
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("role", Role)
def test_the_size_is_that_of_octets_that_are_sent(
    role: Role, direction: Direction, is_text: bool
) -> None:
    """RFC 2349 counts them as they are transferred, which netascii does not know before."""
    cargo = cargo_of(role, direction, Mode.netascii if is_text else Mode.octet)
    knows = sends_data(role, direction) and not is_text
    assert cargo.size == (len(CONTENT) if knows else None)
    announced = None if cargo.source is not None else 7
    assert cargo.size_of(Agreement(tsize=7)) == (len(CONTENT) if knows else announced)
    cargo.release()


@linux_only
@pytest.mark.parametrize("windowsize", [1, 2])
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("role", Role)
def test_only_a_small_file_that_a_server_sends_waits_with_its_second_socket(
    role: Role, direction: Direction, windowsize: int
) -> None:
    assembly = Assembly(role, Engine(), Timing())
    cargo = cargo_of(role, direction)
    sock, peer = udp.open_tid(HERE, socket.AF_INET), udp.open_tid(HERE, socket.AF_INET)
    agreement = Agreement(windowsize=windowsize)
    channel = assembly.open_channel(sock, peer.getsockname(), agreement, cargo)
    with closing(peer), closing(channel):
        is_brief = (role, direction, windowsize) == (Role.server, Direction.read, 1)
        assert channel.is_settled is not is_brief


# Many


def test_many_boards_read_one_file_at_the_same_time() -> None:
    """Each has the right octets, whatever was framed for another."""
    with bench({"f": CONTENT}, timeout=LONG) as found:
        peers = [found.peer() for _ in range(25)]
        try:
            received = [b""] * len(peers)
            for peer in peers:
                peer.ask(blksize=4000, windowsize=2)
                assert isinstance(peer.receive(), Oack)
                peer.send(Ack(0))
            for last in range(2, 13, 2):
                for number, peer in enumerate(peers):
                    for block in range(last - 1, min(last, 11) + 1):
                        packet = peer.receive_data()
                        assert packet.wire_block == block
                        received[number] += packet.payload
                    peer.send(Ack(min(last, 11)))
            assert received == [CONTENT] * len(peers)
            assert len(found.wait_for_ends(25)) == 25
        finally:
            for peer in peers:
                peer.sock.close()
