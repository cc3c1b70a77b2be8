"""MAC addresses of boards, at a cable into a network namespace of their own."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from atest.equipment.board_network import Cable, open_socket
from TftpBoard.packets import BoardError
from TftpLibrary.engine import neighbours as module
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.neighbours import MOST_WAITING, Neighbours
from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Data, Error
from TftpLibrary.server import TftpServer
from utest.support.bench import PATIENT, Peer
from utest.support.peers import require
from utest.support.waiting import seconds, wait_until

NUMBER = os.getpid() % 250
OURS, BOARD, OTHER = (f"198.18.{NUMBER}.{last}" for last in (1, 50, 51))
OURS_6, BOARD_6 = (f"fd00:{os.getpid():x}::{last}" for last in (1, 50))
MAC, ANOTHER_MAC = "52:54:00:ab:cd:07", "52:54:00:ab:cd:08"
SERVED, REFUSED = Data(1, b"left"), Error(2, "Access violation")


class Wire:
    """A board at a cable; its MAC address can be changed.

    Attributes:
        cable: the cable.
        ours: this machine's address.
        board: the address of the board.
    """

    def __init__(self, cable: Cable, ours: str, board: str) -> None:
        self.cable = cable
        self.ours = ours
        self.board = board
        self._far = f"bf{os.getpid()}"
        self._near = f"bn{os.getpid()}"

    def has_mac(self, mac: str) -> None:
        """Gives the board a MAC address, as of one that boots: it knows nobody."""
        self.inside("link", "set", "dev", self._far, "address", mac)
        self.forget(there=True)

    def forget(self, *, there: bool = False) -> None:
        """Lets this machine forget who has which MAC address, or the board."""
        if there:
            self.inside("neigh", "flush", "dev", self._far)
        else:
            _ip("neigh", "flush", "dev", self._near)

    def is_deaf(self) -> None:
        """The board knows this machine, and answers no ARP; this machine forgets the board."""
        ours = Path(f"/sys/class/net/{self._near}/address").read_text("ascii").strip()
        self.inside("link", "set", "dev", self._far, "arp", "off")
        self.inside("neigh", "replace", self.ours, "dev", self._far, "lladdr", ours)
        self.forget()

    def inside(self, *command: str) -> None:
        _ip("-n", self.cable.namespace, *command)

    def peer(self, server: TftpServer, host: str = "") -> Peer:
        """Returns a socket of the board."""
        peer = Peer.__new__(Peer)
        peer.sock = open_socket(self.ours, (host or self.board, 0), self.cable.namespace)
        peer.sock.settimeout(seconds(5))
        peer.server = peer.tid = self.ours, server.port
        return peer


def _ip(*command: str) -> None:
    subprocess.run(["ip", *command], capture_output=True, text=True, check=True)


@contextmanager
def wire(ours: str = OURS, board: str = BOARD) -> Iterator[Wire]:
    require("ip", "iproute2")
    size = 64 if ":" in ours else 24
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("network namespaces need root on Linux")
    try:
        cable = Cable((f"{ours}/{size}",), f"{board}/{size}")
    except BoardError as error:
        pytest.skip(f"no network namespaces here: {error}")
    with cable:
        found = Wire(cable, ours, board)
        found.has_mac(MAC)
        yield found


def left(host: str, *clients: str, **more: Any) -> TftpServer:
    """Returns a server whose file says `left`."""
    content = {"f": b"left"}
    settings = {"alias": "left", "host": host, "clients": clients, "content": content, **PATIENT}
    return TftpServer(**{**settings, **more})


def ask(peer: Peer) -> Any:
    """Returns the answer to a request. Any: of any kind."""
    with peer:
        peer.ask()
        return peer.receive()


@pytest.mark.parametrize("is_wildcard", [False, True])
@pytest.mark.parametrize(("ours", "board"), [(OURS, BOARD), (OURS_6, BOARD_6)], ids=["4", "6"])
def test_a_board_is_served_by_its_mac_address_at_its_first_request(
    ours: str, board: str, is_wildcard: bool
) -> None:
    with wire(ours, board) as found:
        found.forget()
        host = ("::" if ":" in ours else "0.0.0.0") if is_wildcard else ours
        with left(host, "5254.00AB.CD07") as server:
            assert ask(found.peer(server)) == SERVED
            # The board need not ask for us again, which we have forgotten.
            found.forget()
            assert ask(found.peer(server)) == SERVED
            assert [each.client_mac for each in server.transfers()] == [MAC, MAC]
            # Another board with the same address.
            found.has_mac(ANOTHER_MAC)
            assert ask(found.peer(server)) == REFUSED
            record = server.transfers()[-1]
            assert (record.cause, record.client_mac) == (Cause.client, ANOTHER_MAC)
            assert record.error_message == (
                f"client {board} ({ANOTHER_MAC}) is not served, only 5254.00AB.CD07"
            )
            found.has_mac(MAC)
            assert ask(found.peer(server)) == SERVED


def test_a_change_is_seen_by_the_request_that_comes_next() -> None:
    """The socket of the requests may be read before that of the changes."""
    with wire() as found, left("0.0.0.0", MAC) as server, found.peer(server) as peer:
        assert ask(found.peer(server)) == SERVED
        listener, running = server._running()  # noqa: SLF001 - it has no other effect yet

        def change_and_ask() -> None:
            near = f"bn{os.getpid()}"
            _ip("neigh", "replace", BOARD, "dev", near, "lladdr", ANOTHER_MAC)
            peer.ask()
            listener.at.ready()

        running.call(change_and_ask)
        assert server.transfers()[-1].client_mac == ANOTHER_MAC


def test_two_servers_at_a_port_name_mac_addresses() -> None:
    with (
        wire() as found,
        left("0.0.0.0", MAC) as one,
        left("0.0.0.0", ANOTHER_MAC, "127.0.0.2", port=one.port, alias="right") as two,
    ):
        two.files.upload_bytes(b"right", "f")
        assert ask(found.peer(one)) == SERVED
        found.has_mac(ANOTHER_MAC)
        assert ask(found.peer(one)) == Data(1, b"right")
        with Peer(("127.0.0.1", one.port), "127.0.0.2") as peer:
            peer.ask()
            assert peer.receive() == Data(1, b"right")
        with Peer(("127.0.0.1", one.port), "127.0.0.3") as peer:
            peer.ask()
            assert peer.receive() == REFUSED
        assert two.transfers()[-1].error_message == (
            "client 127.0.0.3 (its MAC address is unknown) is not served by any server at this "
            f"port: 'left' serves {MAC}, 'right' serves {ANOTHER_MAC}, 127.0.0.2"
        )
        with pytest.raises(UsageError, match="clients=5254.00ab.cd08 is served by .* 'right'"):
            left("0.0.0.0", "5254.00ab.cd08", port=one.port).start()
        two.change(clients=("127.0.0.2",))
        one.change(clients=("10.0.0.0/8",))
        assert ask(found.peer(one)) == REFUSED


def test_a_board_that_two_servers_name_is_served_by_the_first_and_the_other_is_told() -> None:
    with (
        wire() as found,
        left("0.0.0.0", BOARD, owner="runner ci-7") as one,
        left("0.0.0.0", MAC, port=one.port, alias="right") as two,
    ):
        assert ask(found.peer(one)) == SERVED
        (record,) = two.transfers()
        assert (record.outcome, record.error_code) == (Outcome.refused, None)
        assert record.cause is Cause.taken
        assert record.error_message.startswith(
            f"client {BOARD} ({MAC}) is served by the TFTP server 'left' (clients={BOARD}), which "
            "runs at tftp://0.0.0.0:"
        )
        assert record.error_message.endswith(", started by runner ci-7)")
        assert [each.client for each in one.transfers()] == [BOARD]


def test_a_board_that_does_not_answer_is_refused_in_bounded_time() -> None:
    """Its address may be false: nobody answers the ARP of this machine."""
    with wire() as found, left("0.0.0.0", MAC) as server, found.peer(server) as peer:
        found.is_deaf()
        peer.ask()
        peer.ask()
        records = wait_until(lambda: server.transfers()[:2] if server.transfers() else (), 5.0)
        assert [each.error_message for each in records] == [
            f"client {BOARD} (its MAC address is unknown) is not served, only {MAC}"
        ] * 2


def test_requests_that_wait_end_with_the_server() -> None:
    with (
        wire() as found,
        left("0.0.0.0", MAC) as server,
        found.peer(server) as peer,
        left("0.0.0.0", "127.0.0.2", port=server.port, alias="other") as other,
    ):
        found.is_deaf()
        peer.ask()
        wait_until(lambda: waiting_at(server), 5.0)
        server.stop()
        assert len(other.transfers()) == 1
        assert server.transfers() == ()


def test_a_client_without_a_mac_address_is_decided_on_at_once() -> None:
    """It is this machine, or behind a router."""
    with wire() as found, engine() as running:
        neighbours = running.call(lambda: Neighbours(running))
        _ip("route", "add", f"198.19.{NUMBER}.0/24", "via", found.board)
        for peer in (("127.0.0.1", 69), (f"198.19.{NUMBER}.9", 69), ("::1", 69, 0, 0)):
            assert not running.call(partial(neighbours.learn, peer, fail))
            assert running.call(partial(neighbours.mac_of, peer)) is None
        running.call(neighbours.close)
        running.call(neighbours.close)


def test_so_many_requests_wait_and_no_more() -> None:
    with wire(), engine() as running:
        neighbours = running.call(lambda: Neighbours(running))
        decided: list[None] = []

        def learn(number: int) -> bool:
            return neighbours.learn((OTHER, number), lambda: decided.append(None))

        waits = running.call(lambda: [learn(number) for number in range(MOST_WAITING + 2)])
        assert waits == [True] * MOST_WAITING + [False] * 2
        running.call(neighbours.close)
        assert len(decided) == MOST_WAITING


def test_more_changes_than_the_socket_holds_are_not_lost() -> None:
    with wire() as found, engine() as running:
        neighbours = running.call(lambda: Neighbours(running))

        def change_much() -> list[str]:
            neighbours._changes.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # noqa: SLF001
            near = f"bn{os.getpid()}"
            entries = [(f"198.18.{NUMBER}.{last}", MAC) for last in range(100, 200)]
            lines = [f"neigh replace {address} dev {near} lladdr {mac}" for address, mac in entries]
            lines.append(f"neigh replace {BOARD} dev {near} lladdr {ANOTHER_MAC}")
            command = ["ip", "-batch", "-"]
            subprocess.run(command, input="\n".join(lines), text=True, check=True)
            peers = (f"198.18.{NUMBER}.199", 69), (BOARD, 1)
            neighbours.refresh()
            return [(neighbours.mac_of(peer) or b"").hex(":") for peer in peers]

        assert running.call(change_much) == [MAC, ANOTHER_MAC]
        found.forget()
        _ip("neigh", "flush", "all", "dev", f"bn{os.getpid()}")
        assert wait_until(lambda: running.call(lambda: neighbours.mac_of((OTHER, 1))) is None)
        running.call(neighbours.close)


def test_an_address_that_two_interfaces_know_differently_is_nobodys() -> None:
    with engine() as running:
        neighbours = running.call(lambda: Neighbours(running))
        note = neighbours._note  # noqa: SLF001 - the kernel would need two cables

        def look(*peer: Any) -> bytes | None:
            return running.call(lambda: neighbours.mac_of(peer))

        address = socket.inet_pton(socket.AF_INET6, "fe80::7")
        running.call(lambda: note(told(address, 7001, MAC)))
        assert look("fe80::7%x", 1, 0, 7001) == bytes.fromhex("525400abcd07")
        running.call(lambda: note(told(address, 7002, ANOTHER_MAC)))
        assert look("fe80::7%x", 1, 0, 7001) == bytes.fromhex("525400abcd07")
        assert look("fe80::7%x", 1, 0, 7002) == bytes.fromhex("525400abcd08")
        assert look("fe80::7", 1, 0, 0) is None
        # Gone, or no longer reached.
        running.call(lambda: note(told(address, 7002, ANOTHER_MAC, kind=29)))
        assert look("fe80::7", 1, 0, 0) == bytes.fromhex("525400abcd07")
        running.call(lambda: note(told(address, 7001, MAC, state=0x20)))
        assert look("fe80::7", 1, 0, 0) is None
        # Of a bridge, and nonsense.
        running.call(lambda: note(told(b"", 7001, MAC)))
        running.call(lambda: note(b"\0" * 64))
        running.call(neighbours.close)


def test_a_system_without_the_table_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with left("127.0.0.1", "127.0.0.2") as server:
        monkeypatch.setattr(module, "sys", type("Other", (), {"platform": "darwin"}))
        with pytest.raises(UsageError, match="^MAC addresses in clients= need Linux, "):
            left("127.0.0.1", MAC).start()
        with pytest.raises(UsageError, match="need Linux"):
            server.change(clients=(MAC,))
        monkeypatch.undo()
        monkeypatch.setattr(socket, "AF_NETLINK", 99)
        with pytest.raises(UsageError, match="which this system does not show"):
            left("127.0.0.1", MAC, port=server.port).start()


def fail() -> None:
    raise AssertionError("It does not wait.")


def waiting_at(server: TftpServer) -> int:
    """Returns how many requests wait at the port of a server."""
    listener, running = server._running()  # noqa: SLF001 - it has no other effect yet
    return running.call(lambda: len(listener.at._neighbours._waiting))  # type: ignore[union-attr]  # noqa: SLF001


def told(address: bytes, index: int, mac: str, kind: int = 28, state: int = 2) -> bytes:
    """Returns what the kernel tells of one entry."""
    body = struct.pack("=BxxxiHBB", socket.AF_INET6, index, state, 0, 0)
    for number, octets in ((1, address), (2, bytes.fromhex(mac.replace(":", "")))):
        padded = octets.ljust((len(octets) + 3) & ~3, b"\0")
        body += struct.pack("=HH", 4 + len(octets), number) + padded
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


@contextmanager
def engine() -> Iterator[Engine]:
    if sys.platform != "linux":
        pytest.skip("needs what only Linux has")
    running = Engine()
    running.start()
    try:
        yield running
    finally:
        running.stop()
