"""The two ends of a transfer for the simulated link: machines with a session that has no socket.

The session frames the blocks that a sender announces and feeds datagrams to the machines, over the
fast path (`is_fast`) or over `receive` alone. Files are octets in memory.
"""

from __future__ import annotations

from TftpLibrary.errors import PacketError
from TftpLibrary.protocol.blocks import to_wire
from TftpLibrary.protocol.machine import Blocks, Phase, Transmit
from TftpLibrary.protocol.options import Agreement, Bounds, grant
from TftpLibrary.protocol.outcome import End
from TftpLibrary.protocol.packets import HEADER_SIZE, Data, Direction, Request, decode
from TftpLibrary.protocol.receiver import Receiver
from TftpLibrary.protocol.roles import Role, Timing, make_opening, make_receiver, make_sender
from TftpLibrary.protocol.sender import Sender


def sends_data(role: Role, direction: Direction) -> bool:
    """Whether an end sends DATA. RFC 1350, section 1: the server sends the file of a read."""
    return (role is Role.server) is (direction is Direction.read)


class SendingEnd:
    """A `Sender` and the session that frames its blocks."""

    def __init__(
        self, side: str, machine: Sender, content: bytes, agreement: Agreement, *, is_fast: bool
    ) -> None:
        self.side = side
        self.machine = machine
        self.content = content
        self._agreement = agreement
        self._is_fast = is_fast
        self._ready: list[Transmit] = []

    @property
    def deadline(self) -> float | None:
        return self.machine.deadline

    @property
    def end(self) -> End | None:
        return self.machine.end

    def receive(self, datagram: bytes, now: float) -> None:
        if self._is_fast and datagram == self.machine.expected:
            if self.machine.acknowledge_window(now):
                self._ready.append(Blocks(self.machine.acked + 1, self.machine.sent))
        else:
            self.machine.receive(datagram, now)

    def handle_timeout(self, now: float) -> None:
        self.machine.handle_timeout(now)

    def take(self, _: float) -> list[bytes]:
        ready, self._ready = self._ready + self.machine.transmits(), []
        taken: list[bytes] = []
        for transmit in ready:
            if isinstance(transmit, Blocks):
                taken += self._frame(transmit)
            else:
                taken.append(transmit)
        return taken

    def _frame(self, blocks: Blocks) -> list[bytes]:
        size = self._agreement.blksize
        framed: list[bytes] = []
        for block in range(blocks.first, blocks.last + 1):
            payload = self.content[(block - 1) * size : block * size]
            framed.append(Data(to_wire(block, self._agreement.rollover), payload).encode())
            if len(payload) < size:
                # A session of text finds the end only here.
                self.machine.set_last_block(block)
                break
        return framed


class ReceivingEnd:
    """A `Receiver` and the session that keeps its octets."""

    def __init__(self, side: str, machine: Receiver, *, is_fast: bool) -> None:
        self.side = side
        self.machine = machine
        self._octets = bytearray()
        self._is_fast = is_fast
        self._ready: list[Transmit] = []

    @property
    def content(self) -> bytes:
        return bytes(self._octets)

    @property
    def deadline(self) -> float | None:
        return self.machine.deadline

    @property
    def end(self) -> End | None:
        return self.machine.end

    def receive(self, datagram: bytes, now: float) -> None:
        machine = self.machine
        is_expected = datagram[:HEADER_SIZE] == machine.expected
        if self._is_fast and is_expected and len(datagram) <= machine.full_size:
            self._octets += datagram[HEADER_SIZE:]
            ack = machine.accept(len(datagram), now)
            if ack is not None:
                self._ready.append(ack)
        elif machine.receive(datagram, now):
            self._octets += datagram[HEADER_SIZE:]
        if machine.phase is Phase.closing:
            machine.confirm(now)

    def handle_timeout(self, now: float) -> None:
        self.machine.handle_timeout(now)

    def take(self, _: float) -> list[bytes]:
        ready, self._ready = self._ready + self.machine.transmits(), []
        return [transmit for transmit in ready if isinstance(transmit, bytes)]


class ClientEnd:
    """A client: the opening, then the transfer. A write sends `content`."""

    side = "C"

    def __init__(
        self,
        request: Request,
        *,
        content: bytes = b"",
        timing: Timing | None = None,
        is_fast: bool = True,
    ) -> None:
        self._request = request
        self._given = content
        self._timing = timing or Timing()
        self._is_fast = is_fast
        self.opening = make_opening(request, self._timing, 0.0)
        self.transfer: SendingEnd | ReceivingEnd | None = None

    @property
    def content(self) -> bytes:
        return self.transfer.content if self.transfer else b""

    @property
    def deadline(self) -> float | None:
        return self.transfer.deadline if self.transfer else self.opening.deadline

    @property
    def end(self) -> End | None:
        return self.transfer.end if self.transfer else self.opening.end

    def receive(self, datagram: bytes, now: float) -> None:
        if self.transfer:
            self.transfer.receive(datagram, now)
            return
        self.opening.receive(datagram, now)
        if self.opening.phase is Phase.answered:
            self._begin(datagram, now)

    def handle_timeout(self, now: float) -> None:
        if self.transfer:
            self.transfer.handle_timeout(now)
        else:
            self.opening.handle_timeout(now)

    def take(self, now: float) -> list[bytes]:
        taken = [octets for octets in self.opening.transmits() if isinstance(octets, bytes)]
        return taken + (self.transfer.take(now) if self.transfer else [])

    def _begin(self, datagram: bytes, now: float) -> None:
        agreement = self.opening.agreement
        assert agreement is not None
        if sends_data(Role.client, self._request.direction):
            size = len(self._given)
            sender = make_sender(Role.client, agreement, self._timing, now, size=size)
            self.transfer = SendingEnd(
                self.side, sender, self._given, agreement, is_fast=self._is_fast
            )
            return
        receiver = make_receiver(Role.client, agreement, self._timing, now)
        self.transfer = ReceivingEnd(self.side, receiver, is_fast=self._is_fast)
        if not agreement.has_oack:
            self.transfer.receive(datagram, now)


class ServerEnd:
    """A server that serves one request: a read gets `content`."""

    side = "S"

    def __init__(
        self,
        *,
        content: bytes = b"",
        bounds: Bounds | None = None,
        timing: Timing | None = None,
        is_fast: bool = True,
        is_size_known: bool = True,
    ) -> None:
        self._given = content
        self._bounds = bounds or Bounds()
        self._timing = timing or Timing()
        self._is_fast = is_fast
        self._is_size_known = is_size_known
        self.transfer: SendingEnd | ReceivingEnd | None = None

    @property
    def content(self) -> bytes:
        return self.transfer.content if self.transfer else b""

    @property
    def deadline(self) -> float | None:
        return self.transfer.deadline if self.transfer else None

    @property
    def end(self) -> End | None:
        return self.transfer.end if self.transfer else None

    def receive(self, datagram: bytes, now: float) -> None:
        if self.transfer:
            self.transfer.receive(datagram, now)
            return
        try:
            packet = decode(datagram)
        except PacketError:
            return
        if isinstance(packet, Request):
            self._begin(packet, now)

    def handle_timeout(self, now: float) -> None:
        if self.transfer:
            self.transfer.handle_timeout(now)

    def take(self, now: float) -> list[bytes]:
        return self.transfer.take(now) if self.transfer else []

    def _begin(self, request: Request, now: float) -> None:
        size = len(self._given) if self._is_size_known else None
        agreement = grant(request, self._bounds, size)
        if sends_data(Role.server, request.direction):
            sender = make_sender(Role.server, agreement, self._timing, now, size=size)
            self.transfer = SendingEnd(
                self.side, sender, self._given, agreement, is_fast=self._is_fast
            )
            return
        receiver = make_receiver(Role.server, agreement, self._timing, now)
        self.transfer = ReceivingEnd(self.side, receiver, is_fast=self._is_fast)
