"""The session that receives a file: a server's write or a client's read.

Its data path is `ready`: datagrams land in the slots of one buffer, their headers are compared
with what the machine expects, and the payloads of many blocks are written in one call. Only what
is not expected is looked at by the machine in full.
"""

from __future__ import annotations

from time import monotonic

from TftpLibrary.engine.channel import Channel
from TftpLibrary.engine.session import PEER_CLOSED, Context, Session
from TftpLibrary.engine.udp import DONTWAIT, IS_LINUX
from TftpLibrary.protocol.packets import HEADER_SIZE
from TftpLibrary.protocol.receiver import Phase, Receiver
from TftpLibrary.store.base import Sink, StoreError

_RECEIVE_BUFFER = 128 * 1024
"""Octets kept before they are written."""
_DATAGRAMS_AT_ONCE = 128
"""Datagrams taken before other sessions get their turn."""


class ReceivingSession(Session):
    """Receives a file: a server's write or a client's read.

    Args:
        context: see there.
        channel: the way to the peer.
        machine: the protocol.
        sink: where the file goes; discarded with the session unless it was committed.
        size: octets of the whole file, where the peer told them.
    """

    def __init__(
        self, context: Context, channel: Channel, machine: Receiver, sink: Sink, size: int | None
    ) -> None:
        super().__init__(context, channel)
        self.machine: Receiver = machine
        self._sink = sink
        self._told_size = size
        self._octets = 0
        self._blocks = 0
        self._pending: list[memoryview | bytes] = []
        # One octet more than a full datagram, to see one that is too long.
        slot = machine.full_size + 1
        count = max(2, _RECEIVE_BUFFER // slot) if channel.sock is not None else 1
        view = memoryview(bytearray(count * slot))
        self._slots = [view[at : at + slot] for at in range(0, count * slot, slot)]

    def ready(self) -> None:
        """DATA, usually: takes what is there, up to a window."""
        self._take(DONTWAIT)

    def run_alone(self) -> None:
        """Goes on as the only session: waits for each datagram, which saves the poll before it."""
        if self.channel.sock is not None and IS_LINUX:
            self._take(0)

    def _take(self, flags: int) -> None:
        assert self.channel.sock is not None
        recv_into = self.channel.sock.recv_into
        machine, slots, pending = self.machine, self._slots, self._pending
        is_refused = False
        for _ in range(_DATAGRAMS_AT_ONCE):
            slot = slots[len(pending)]
            try:
                size = recv_into(slot, 0, flags)
            except BlockingIOError:
                break
            except ConnectionRefusedError:
                # Read on: what the peer sent before it closed its port comes after this news.
                is_refused = True
                continue
            now = monotonic()
            if size <= machine.full_size and slot[:HEADER_SIZE] == machine.expected:
                ack = machine.accept(size, now)
                if not self._keep(slot[HEADER_SIZE:size], now):
                    return
                if ack is not None:
                    self._send(ack)
                    if flags:
                        # The peer has to answer first.
                        break
            else:
                self._examine(slot, size, now)
                if self.is_over:
                    return
        if is_refused:
            self.lose(PEER_CLOSED)
        self._context.driver.arm(self)

    def receive(self, datagram: bytes, now: float) -> None:
        """A datagram of the peer; see `Session.receive`."""
        if not self.machine.receive(datagram, now) or self._keep(datagram[HEADER_SIZE:], now):
            self.flush(now)

    def _examine(self, slot: memoryview, size: int, now: float) -> None:
        """A datagram that is not the expected one: the machine looks at it in full."""
        accepted = self.machine.receive(bytes(slot[:size]), now)
        if not accepted or self._keep(slot[HEADER_SIZE:size], now):
            self.flush(now)

    def _keep(self, payload: memoryview | bytes, now: float) -> bool:
        """Keeps a payload, to be written with others. Returns whether the transfer goes on."""
        pending = self._pending
        pending.append(payload)
        self._blocks += 1
        self._octets += len(payload)
        if self.machine.phase is Phase.closing:
            self._complete(now)
            return False
        if len(pending) == len(self._slots):
            try:
                self._write()
            except StoreError as error:
                self._refuse(error)
                self.flush(now)
                return False
        return True

    def _complete(self, now: float) -> None:
        try:
            self._write()
            self._sink.commit()
        except StoreError as error:
            self._refuse(error)
        else:
            self.machine.confirm(now)
        self.flush(now)

    def _write(self) -> None:
        self._sink.write(self._pending)
        self._pending.clear()

    def _progress(self) -> tuple[int, int]:
        return self._blocks, self._octets

    def _size(self) -> int | None:
        return self._told_size

    def _release(self) -> None:
        self._sink.discard()
