"""One file on its way to or from a board, without a socket and without a clock.

RFC 1350, 2347 to 2349, 7440. A transfer takes datagrams and says what to send. Its driver sends
`packets`, sends them again when no answer comes, and stops when the transfer is over:

    packets ->  receive(datagram) is True  ->  packets ->  ...  -> is_over

A transfer is patient, as a board has to be: it ignores unexpected packets, and asks again for
blocks that were lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from TftpBoard.habits import Habits
from TftpBoard.packets import (
    ACK,
    DATA,
    ERROR,
    OACK,
    RRQ,
    WRQ,
    BoardError,
    Packet,
    RefusedError,
    Terms,
    check_answer,
    decode,
    encode_ack,
    encode_data,
    encode_error,
    encode_request,
    wire_block,
)


class Transfer:
    """The common part of a download and an upload.

    Attributes:
        packets: the packets to send now, and again when no answer comes.
        granted: the options of the OACK; empty when none came.
        blocks: the blocks that have arrived at the receiver, as far as the board knows.
        octets: the size of the file, as far as the board knows.
        error: why the transfer failed; None while it runs, and when it went well.
        is_over: whether nothing is left to be received. `packets` may still hold a last answer.
    """

    def __init__(
        self, kind: int, name: str, options: Mapping[str, str], habits: Habits | None = None
    ) -> None:
        self.packets = [encode_request(kind, name.encode(), "octet", options)]
        self.granted: Mapping[str, str] = {}
        self.blocks = 0
        self.octets = 0
        self.error: BoardError | None = None
        self.is_over = False
        self._kind = kind
        self._name = name
        self._asked = options
        self._habits = habits or Habits()
        # The size that was asked is none that was told.
        assumed = {name: value for name, value in options.items() if name != "tsize"}
        self._terms = Terms(assumed if self._habits.assumes_options else {})

    def receive(self, datagram: bytes) -> bool:
        """Takes a datagram, and returns whether `packets` have to be sent now."""
        try:
            packet = decode(datagram)
        except (BoardError, UnicodeDecodeError):
            return False
        if packet.kind == ERROR:
            if self._habits.keeps_short_file and self.blocks:
                self._end()
                return False
            self._end(RefusedError(packet.number, packet.text, f"'{self._name}'"))
            return False
        if packet.kind == OACK:
            return self.blocks == 0 and self._take_options(packet)
        return self._take(packet)

    def give_up(self, why: str) -> None:
        """Ends the transfer without a word to the other end."""
        self._end(BoardError(why))

    def _end(self, error: BoardError | None = None) -> None:
        self.error, self.is_over = error, True

    def _take_options(self, packet: Packet) -> bool:
        try:
            if not self._habits.trusts_oack:
                check_answer(self._kind, self._asked, packet.options)
        except BoardError as problem:
            return self._refuse(8, str(problem))
        self.granted = packet.options
        self._terms = Terms(packet.options)
        return self._begin()

    def _begin(self) -> bool:
        """Answers an OACK. Returns whether `packets` have to be sent now."""
        raise NotImplementedError

    def _take(self, packet: Packet) -> bool:
        """Takes a packet that is neither ERROR nor OACK, as `receive` does."""
        raise NotImplementedError

    def _refuse(self, code: int, why: str) -> bool:
        self.packets = [encode_error(code, why)]
        self.give_up(why)
        return True


class Download(Transfer):
    """A board reads a file."""

    def __init__(
        self,
        name: str,
        options: Mapping[str, str],
        keep: Callable[[bytes], object],
        habits: Habits | None = None,
    ) -> None:
        """`keep` takes the octets of each block, in their order."""
        super().__init__(RRQ, name, options, habits)
        self._keep = keep
        self._acknowledged = 0
        self._gap_after = -1

    def _begin(self) -> bool:
        return self._acknowledge()

    def _take(self, packet: Packet) -> bool:
        if packet.kind != DATA:
            return False
        following = self.blocks + 1
        if not self._habits.no_rollover:
            following = wire_block(following, self._terms.rollover)
        if packet.number != following:
            return self._take_out_of_order(packet.number)
        if len(packet.payload) > self._terms.blksize:
            return self._refuse(4, f"A block of {len(packet.payload)} octets is too long")
        self.blocks += 1
        self.octets += len(packet.payload)
        self._keep(packet.payload)
        if len(packet.payload) < self._terms.blksize:
            self._end(self._shortage())
        if self.is_over or self.blocks == self._acknowledged + self._terms.windowsize:
            return self._acknowledge()
        return False

    def _shortage(self) -> BoardError | None:
        """Returns what is wrong with the size of the file at its end."""
        size = self._terms.tsize
        if size is None or size == self.octets or self._habits.keeps_short_file:
            return None
        return BoardError(f"{self.octets} bytes came, the server had announced {size}")

    def _take_out_of_order(self, number: int) -> bool:
        """Acknowledges the last block in order, once for each gap (RFC 7440 section 4)."""
        is_again = self.blocks > 0 and number == wire_block(self.blocks, self._terms.rollover)
        if is_again and self._habits.counts_duplicates:
            self.blocks += 1
            return self._acknowledge()
        if not is_again and self._gap_after == self.blocks:
            return False
        self._gap_after = self.blocks
        return self._acknowledge()

    def _acknowledge(self) -> bool:
        self._acknowledged = self.blocks
        self.packets = [encode_ack(wire_block(self.blocks, self._terms.rollover))]
        return True


class Probe(Transfer):
    """A board asks how large a file is, as UEFI does: it answers the OACK with ERROR 8."""

    def __init__(self, name: str, options: Mapping[str, str]) -> None:
        super().__init__(RRQ, name, {"tsize": "0", **options})

    def _begin(self) -> bool:
        if self._terms.tsize is None:
            return self._refuse(8, "The OACK has no tsize")
        self.octets = self._terms.tsize
        self.packets = [encode_error(8, "User aborted the transfer")]
        self._end()
        return True

    def _take(self, packet: Packet) -> bool:
        if packet.kind != DATA:
            return False
        return self._refuse(8, "The server has no OACK with tsize")


class Upload(Transfer):
    """A board writes a file."""

    def __init__(self, name: str, options: Mapping[str, str], content: bytes) -> None:
        super().__init__(WRQ, name, options)
        self.octets = len(content)
        self._content = content
        self._has_begun = False

    def _begin(self) -> bool:
        if self._has_begun:
            return False
        self._has_begun = True
        return self._send_window()

    def _take(self, packet: Packet) -> bool:
        if packet.kind != ACK:
            return False
        if not self._has_begun:
            return packet.number == 0 and self._begin()
        # RFC 1123 section 4.2.3.1: an ACK that comes again must not be answered with DATA.
        last = self.blocks + len(self.packets)
        for block in range(self.blocks + 1, last + 1):
            if packet.number == wire_block(block, self._terms.rollover):
                self.blocks = block
                return self._send_window()
        return False

    def _send_window(self) -> bool:
        size, whole = self._terms.blksize, self.octets
        self.is_over = self.blocks * size > whole
        self.packets = []
        for block in range(self.blocks + 1, self.blocks + self._terms.windowsize + 1):
            start = (block - 1) * size
            if start > whole:
                break
            number = wire_block(block, self._terms.rollover)
            self.packets.append(encode_data(number, self._content[start : start + size]))
        return not self.is_over
