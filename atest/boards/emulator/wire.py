"""The wire between an emulated board and a TFTP server: no root, any port of the server.

QEMU's `-netdev socket,fd=` sends and gets Ethernet frames as a stream, each after its length in
four octets, big-endian. A thread carries the board's UDP to 10.0.2.2, port 69, to the server,
and the answers back.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from dataclasses import dataclass
from typing import NamedTuple

from atest.boards.emulator.dhcp import Offer
from atest.boards.emulator.disturbance import Disturbance
from atest.boards.emulator.exchange import TO_BOARD, TO_SERVER, Exchange
from atest.boards.emulator.frames import Datagram
from atest.boards.emulator.gateway import Gateway
from atest.boards.emulator.translation import Address, Translation

_LENGTH = struct.Struct("!I")
_CHUNK = 256 * 1024
_LARGEST_DATAGRAM = 65535
_RECEIVE_BUFFER = 4 * 1024 * 1024
_MOST_WAITING = 4 * 1024 * 1024
"""Octets that wait for the board; what comes then is lost, as on a real switch."""


@dataclass
class Setup:
    """How a wire is to be.

    Attributes:
        server: host and port of the TFTP server.
        client: the address of this machine that the server sees the board at.
        offer: the offer of DHCP to the board.
        disturbance: what gets lost and what comes twice.
    """

    server: Address
    client: str
    offer: Offer
    disturbance: Disturbance


class _Outside(NamedTuple):
    """One end of the board, an address and a port, and the socket that stands for it outside."""

    address: str
    port: int
    sock: socket.socket


class Wire:
    """A wire that is plugged in: the board is at one end of a socket pair.

    Attributes:
        board_end: the descriptor for QEMU; close it when QEMU has it.
        exchange: what went over the wire.
        dropped: frames that the board was too slow for.
        failure: what ended the wire too early; None while all is well.
    """

    def __init__(self, setup: Setup) -> None:
        self.exchange = Exchange()
        self.dropped = 0
        self.failure: Exception | None = None
        self.setup = setup
        self._gateway = Gateway(setup.offer)
        self._translation = Translation(setup.server)
        self._outside: dict[tuple[str, int], _Outside] = {}
        self._cut_after: int | None = None
        self._is_cut = threading.Event()
        self._is_closed = False
        self._inbox, self._outbox = bytearray(), bytearray()
        self._end, self.board_end = socket.socketpair()
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        for sock in (self._end, self._woken):
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self._thread.start()

    def cut_after(self, blocks: int) -> None:
        """Pulls the cable out after this number of DATA packets to the board, for good."""
        self._cut_after = blocks

    def wait_until_cut(self, timeout: float) -> bool:
        """Waits until `cut_after` has come true; returns whether it has."""
        return self._is_cut.wait(timeout)

    def pull(self) -> None:
        """Pulls the cable: nothing goes either way. The server hears nothing, no refusal either."""
        self._is_cut.set()

    def close(self) -> None:
        """Ends the wire and closes every socket. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        self._wake.send(b"x")
        self._thread.join(5)
        outside = (entry.sock for entry in self._outside.values())
        for sock in (self._end, self.board_end, self._wake, self._woken, *outside):
            sock.close()
        self._selector.close()

    def _run(self) -> None:
        try:
            while not self._is_closed:
                self._carry()
        except Exception as problem:
            self.failure = problem
            self._is_cut.set()

    def _carry(self) -> None:
        for key, events in self._selector.select():
            if key.fileobj is self._end:
                self._serve_board(events)
            elif isinstance(key.data, _Outside):
                self._receive_outside(key.data)

    # The board's side ----------------------------------------------------------------------

    def _serve_board(self, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush()
        if not events & selectors.EVENT_READ:
            return
        try:
            octets = self._end.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            # QEMU has ended. The sockets outside stay, so that the server hears no refusal.
            self._is_cut.set()
            self._selector.unregister(self._end)
            return
        self._inbox += octets
        for frame in self._frames():
            self._receive_frame(frame)

    def _frames(self) -> list[bytes]:
        frames, start = [], 0
        while len(self._inbox) - start >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._inbox, start)
            end = start + _LENGTH.size + size
            if end > len(self._inbox):
                break
            frames.append(bytes(self._inbox[start + _LENGTH.size : end]))
            start = end
        del self._inbox[:start]
        return frames

    def _receive_frame(self, frame: bytes) -> None:
        if self._is_cut.is_set():
            return
        received = self._gateway.receive(frame)
        for answer in received.answers:
            self._send_frame(answer)
        if received.datagram:
            self._carry_out(received.datagram)

    def _send_frame(self, frame: bytes) -> None:
        if len(self._outbox) > _MOST_WAITING:
            self.dropped += 1
            return
        self._outbox += _LENGTH.pack(len(frame)) + frame
        self._flush()

    def _flush(self) -> None:
        try:
            sent = self._end.send(self._outbox) if self._outbox else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            sent = len(self._outbox)  # QEMU has ended.
        del self._outbox[:sent]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outbox else 0)
        key = self._selector.get_map().get(self._end)
        if key and key.events != wanted:
            self._selector.modify(self._end, wanted)

    # The server's side ---------------------------------------------------------------------

    def _carry_out(self, datagram: Datagram) -> None:
        board = (datagram.source, datagram.source_port)
        target = self._translation.outbound(datagram.source_port, datagram.target_port)
        if target is None:
            return
        outside = self._outside.get(board) or self._open(*board)
        ports = (datagram.source_port, datagram.target_port)
        for _ in range(self._copies(TO_SERVER, ports, datagram.payload)):
            outside.sock.sendto(datagram.payload, target)

    def _open(self, address: str, port: int) -> _Outside:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        outside = self._outside[address, port] = _Outside(address, port, sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        sock.bind((self.setup.client, 0))
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ, outside)
        return outside

    def _receive_outside(self, outside: _Outside) -> None:
        try:
            payload, source = outside.sock.recvfrom(_LARGEST_DATAGRAM)
        except OSError:
            return
        port = self._translation.inbound(outside.port, source)
        if port is None or self._is_cut.is_set():
            return
        datagram = Datagram(self._gateway.address, port, outside.address, outside.port, payload)
        for _ in range(self._copies(TO_BOARD, (outside.port, port), payload)):
            for frame in self._gateway.frames(datagram):
                self._send_frame(frame)
        if self._cut_after is not None and self.exchange.blocks >= self._cut_after:
            self._is_cut.set()

    def _copies(self, direction: str, ports: tuple[int, int], payload: bytes) -> int:
        is_to_board = direction == TO_BOARD
        copies = self.setup.disturbance.copies(ports[0], payload, is_to_board=is_to_board)
        self.exchange.note(direction, ports, copies, payload)
        return copies
