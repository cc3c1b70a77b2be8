"""A board that reads a file as U-Boot 2023.01 does (`net/tftp.c`), for the simulated link.

It differs from RFC 7440 where that matters for a sender: it reports each gap once, by block and
not by time; a block that comes again counts as a gap; its time-outs repeat the ACK but leave the
end of its window where it was; and it counts them over the whole file.
"""

from __future__ import annotations

from TftpLibrary.protocol.options import ask
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import Ack, Data, Direction, Error, Oack, Request, decode


class UBootEnd:
    """A client that reads a file, in the place of a `ClientEnd`.

    Args:
        blksize: octets of a block.
        windowsize: blocks of a window.
        timeout: seconds until it repeats itself; in the request unless `is_timeout_asked` is off.
        most_timeouts: how many time-outs it allows for a whole file.

    Attributes:
        content: the octets that have arrived.
        timeouts: how many there were.
    """

    side = "C"

    def __init__(
        self,
        blksize: int = 8,
        windowsize: int = 16,
        *,
        timeout: float = 5.0,
        is_timeout_asked: bool = True,
        most_timeouts: int = 10,
    ) -> None:
        self._blksize = blksize
        self._windowsize = windowsize
        self._timeout = timeout
        self._most_timeouts = most_timeouts
        self._block = 0
        self._last_nack = 0
        self._next_ack = windowsize
        asked = timeout if is_timeout_asked else None
        options = ask(
            direction=Direction.read, blksize=blksize, windowsize=windowsize, timeout=asked
        )
        self._last_sent = Request(Direction.read, b"image.bin", "octet", options).encode()
        self._transmits = [self._last_sent]
        self.content = b""
        self.timeouts = 0
        self.deadline: float | None = timeout
        self.end: End | None = None

    def receive(self, datagram: bytes, now: float) -> None:
        packet = decode(datagram)
        if self.end is not None:
            return
        if isinstance(packet, Error):
            self._finish(End(Outcome.failed, packet.code, packet.text))
        elif isinstance(packet, Oack) and not self._block:
            self._acknowledge()
        elif isinstance(packet, Data):
            self._receive_data(packet, now)

    def handle_timeout(self, now: float) -> None:
        self.timeouts += 1
        if self.timeouts > self._most_timeouts:
            self._finish(End(Outcome.timed_out))
            return
        self.deadline = now + self._timeout
        self._transmits.append(self._last_sent)

    def take(self, _: float) -> list[bytes]:
        transmits, self._transmits = self._transmits, []
        return transmits

    def _receive_data(self, packet: Data, now: float) -> None:
        if packet.wire_block != (self._block + 1) % 65536:
            if self._last_nack != self._block:
                self._acknowledge()
                self._last_nack = self._block
                self._next_ack = self._block + self._windowsize
            return
        self._block += 1
        self.content += packet.payload
        self.deadline = now + self._timeout
        # Its own time-out repeats the ACK of the newest block.
        self._last_sent = Ack(self._block % 65536).encode()
        if len(packet.payload) < self._blksize:
            self._acknowledge()
            self._finish(End(Outcome.completed))
        elif self._block == self._next_ack:
            self._acknowledge()
            self._next_ack += self._windowsize

    def _acknowledge(self) -> None:
        self._last_sent = Ack(self._block % 65536).encode()
        self._transmits.append(self._last_sent)

    def _finish(self, end: End) -> None:
        self.end = end
        self.deadline = None
