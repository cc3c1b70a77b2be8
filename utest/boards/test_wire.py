"""The wire, with sockets in place of the emulator and of the server."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from atest.boards.emulator.dhcp import Offer
from atest.boards.emulator.disturbance import Disturbance
from atest.boards.emulator.frames import (
    ETHERTYPE_IPV4,
    Datagram,
    Frame,
    Packet,
)
from atest.boards.emulator.gateway import CARD
from atest.boards.emulator.wire import Setup, Wire
from utest.boards.test_frames import ARP, RRQ
from utest.boards.test_frames import CARD as BOARD_CARD
from utest.support.waiting import seconds, wait_until

CLIENT = "127.0.0.11"
BOARD_PORT = 1353

Plug = Callable[..., "Ends"]


class Ends:
    """A wire between a board that writes frames and a server that is a socket."""

    def __init__(self, disturbance: Disturbance) -> None:
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("127.0.0.1", 0))
        self.server.settimeout(seconds(5))
        offer = Offer("10.0.2.15", "10.0.2.2")
        self.wire = Wire(Setup(self.server.getsockname(), CLIENT, offer, disturbance))
        self.board = self.wire.board_end
        self.board.settimeout(seconds(5))
        self._stream = self.board.makefile("rb")

    def send(self, *frames: bytes, pieces: int = 1) -> None:
        stream = b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)
        step = -(-len(stream) // pieces)
        for start in range(0, len(stream), step):
            self.board.sendall(stream[start : start + step])

    def send_to(self, port: int, payload: bytes) -> None:
        packet = Datagram("10.0.2.15", BOARD_PORT, "10.0.2.2", port, payload).packet()
        self.send(Frame(CARD, BOARD_CARD, ETHERTYPE_IPV4, packet.encode()).encode())

    def receive(self) -> Frame:
        size = int.from_bytes(self._stream.read(4), "big")
        return Frame.decode(self._stream.read(size))

    def receive_datagram(self) -> Datagram:
        return Datagram.decode(Packet.decode(self.receive().payload))

    def close(self) -> None:
        self._stream.close()
        self.wire.close()
        self.server.close()


@pytest.fixture(name="plug")
def plug_in() -> Iterator[Plug]:
    opened: list[Ends] = []

    def plug(disturbance: Disturbance | None = None) -> Ends:
        opened.append(Ends(disturbance or Disturbance()))
        return opened[-1]

    yield plug
    for ends in opened:
        ends.close()


def answer_from_new_port(client: tuple[str, int], payload: bytes) -> int:
    """Sends an answer as a TFTP server does, and returns its TID."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.sendto(payload, client)
        return int(sock.getsockname()[1])


def test_request_reaches_the_server_from_the_address_of_the_board(plug: Plug) -> None:
    ends = plug()
    ends.send(RRQ)
    payload, client = ends.server.recvfrom(2048)
    assert payload.startswith(b"\0\1boot/zImage\0")
    assert client[0] == CLIENT


def test_answer_reaches_the_board_from_the_port_of_the_answer(plug: Plug) -> None:
    ends = plug()
    ends.send(RRQ)
    _, client = ends.server.recvfrom(2048)
    tid = answer_from_new_port(client, b"\0\3\0\1data")
    got = ends.receive_datagram()
    assert (got.source, got.source_port) == ("10.0.2.2", tid)
    assert (got.target, got.target_port) == ("10.0.2.15", BOARD_PORT)
    assert got.payload == b"\0\3\0\1data"


def test_ack_of_the_board_reaches_the_port_that_answered(plug: Plug) -> None:
    ends = plug()
    ends.send(RRQ)
    _, client = ends.server.recvfrom(2048)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as answering:
        answering.bind(("127.0.0.1", 0))
        answering.settimeout(seconds(5))
        answering.sendto(b"\0\3\0\1data", client)
        ends.send_to(ends.receive_datagram().source_port, b"\0\4\0\1")
        assert answering.recvfrom(2048) == (b"\0\4\0\1", client)


def test_answer_from_the_asked_port_comes_from_port_69(plug: Plug) -> None:
    ends = plug()
    ends.send(RRQ)
    ends.server.sendto(b"\0\5\0\1File not found\0", ends.server.recvfrom(2048)[1])
    assert ends.receive_datagram().source_port == 69


def test_frames_are_found_in_the_stream_however_it_is_cut(plug: Plug) -> None:
    ends = plug()
    ends.send(ARP, ARP, RRQ, pieces=23)
    assert [ends.receive().ethertype for _ in range(2)] == [0x0806, 0x0806]
    assert ends.server.recvfrom(2048)[0].startswith(b"\0\1boot/zImage\0")


def test_board_that_does_not_read_loses_frames_and_blocks_nobody(plug: Plug) -> None:
    ends = plug()
    ends.send(RRQ)
    _, client = ends.server.recvfrom(2048)

    def flood() -> bool:
        for _ in range(200):
            ends.server.sendto(bytes(60000), client)
        return ends.wire.dropped > 0

    wait_until(flood)
    ends.send(RRQ)
    assert ends.server.recvfrom(2048)[0].startswith(b"\0\1boot/zImage\0")


def test_packets_get_lost_both_ways(plug: Plug) -> None:
    ends = plug(Disturbance(loss=1.0))
    ends.send(RRQ, ARP)
    # The wire carries in order: with the answer to ARP the request is past, and it is lost.
    assert ends.receive().ethertype == 0x0806
    ends.server.settimeout(0)
    with pytest.raises(BlockingIOError):
        ends.server.recvfrom(2048)
    assert [line.split("  ")[-1] for line in ends.wire.exchange.lines()] == ["(lost)"]


def test_packet_comes_twice(plug: Plug) -> None:
    ends = plug(Disturbance(repeat=1.0))
    ends.send(RRQ)
    assert ends.server.recvfrom(2048) == ends.server.recvfrom(2048)


def test_cable_is_pulled_after_the_block_that_was_told(plug: Plug) -> None:
    ends = plug()
    ends.wire.cut_after(2)
    ends.send(RRQ)
    _, client = ends.server.recvfrom(2048)
    for block in (1, 2, 3):
        ends.server.sendto(b"\0\3\0" + bytes((block,)), client)
    assert [ends.receive_datagram().payload[3] for _ in range(2)] == [1, 2]
    assert ends.wire.wait_until_cut(seconds(5))
    ends.send(RRQ)
    ends.wire.close()
    ends.server.settimeout(0)
    with pytest.raises(BlockingIOError):
        ends.server.recvfrom(2048)
    assert ends.wire.exchange.blocks == 2


def test_server_hears_no_refusal_when_the_board_has_gone(plug: Plug) -> None:
    ends = plug()
    ends.send(RRQ)
    _, client = ends.server.recvfrom(2048)
    ends.board.shutdown(socket.SHUT_RDWR)
    assert ends.wire.wait_until_cut(seconds(5))
    ends.server.connect(client)
    ends.server.settimeout(0)
    for _ in range(3):
        ends.server.send(b"\0\3\0\1")
    # A closed port would have answered with ICMP, which is an error of a connected socket.
    with pytest.raises(BlockingIOError):
        ends.server.recv(2048)


def test_wire_that_breaks_tells_why(plug: Plug) -> None:
    ends = plug()
    ends.wire.setup.client = "192.0.2.1"  # No address of this machine, so no socket there.
    ends.send(RRQ)
    assert ends.wire.wait_until_cut(seconds(5))
    assert isinstance(ends.wire.failure, OSError)


def test_wire_can_be_closed_twice(plug: Plug) -> None:
    ends = plug()
    ends.wire.close()
    ends.wire.close()
    assert ends.wire.failure is None
