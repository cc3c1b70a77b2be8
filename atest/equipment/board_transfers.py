"""The board's two machines: one receives DATA, the other sends it, on either end of a transfer.

RFC 1350 sections 2 and 6, RFC 7440 section 4. Both accept exactly what a correct peer sends, in
the right order and length, and nothing more often than the board's habits give a reason for.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from atest.equipment.board_exchange import Exchange
from TftpBoard.packets import (
    ACK,
    OACK,
    Terms,
    decode,
    encode_ack,
    encode_data,
    wire_block,
)

MAX_RESENDS = 5
A_MOMENT = 0.005


class Receiver:
    """Takes the blocks of a file and acknowledges the last one of each window."""

    def __init__(self, link: Exchange, terms: Terms, on_repeat: Callable[[], None]) -> None:
        """`on_repeat` sends again the answer to a repeated first packet."""
        self._link = link
        self._terms = terms
        self._on_repeat = on_repeat
        habits = link.habits
        self._to_drop = set(habits.drop_blocks)
        self._to_withhold = set(habits.withhold_acks) - {0}
        self._to_repeat = set(habits.repeat_acks)
        self._special = {habits.stop_after, habits.pause_after, habits.stranger_after}
        self._parts: list[bytes] = []
        self._last = 0
        self._acknowledged = 0
        self._gap_told_at = -1
        self._is_final = False
        self._is_done = False
        self._is_stopped = False

    def run(self, first: bytes = b"") -> bytes:
        """Receives the file; `first` is a DATA packet that came already."""
        datagram = first or self._next()
        while True:
            self._take(datagram)
            if self._is_done:
                break
            datagram = self._next()
        report = self._link.report
        report.blocks = self._last
        report.is_complete = not self._is_stopped
        content = b"".join(self._parts)
        if report.is_complete:
            self._check_whole(len(content))
        return content

    def _next(self) -> bytes:
        return self._link.receive_octets(lambda: f"DATA {self._last + 1}")

    def _take(self, datagram: bytes) -> None:
        if datagram[:2] != b"\0\3":
            self._take_other(datagram)
            return
        number = int.from_bytes(datagram[2:4], "big")
        if number == wire_block(self._last + 1, self._terms.rollover) and not self._is_final:
            self._take_in_order(datagram[4:])
        else:
            self._take_out_of_order(number)

    def _take_other(self, datagram: bytes) -> None:
        packet = decode(datagram)
        if packet.kind != OACK or self._last > 0 or not self._link.habits.is_lossy:
            self._link.fail(f"DATA {self._last + 1} was expected, got {packet}")
        self._link.report.duplicates += 1
        self._on_repeat()

    def _take_in_order(self, payload: bytes) -> None:
        block, blksize = self._last + 1, self._terms.blksize
        if len(payload) > blksize:
            self._link.fail(f"Block {block} has {len(payload)} octets, blksize is {blksize}")
        if block in self._to_drop:
            self._to_drop.discard(block)
            return
        self._last = block
        self._parts.append(payload)
        self._is_final = len(payload) < blksize
        if block in self._special:
            self._act_at(block)
        if self._is_done:
            return
        if self._is_final or block == self._acknowledged + self._terms.windowsize:
            self._acknowledge()

    def _act_at(self, block: int) -> None:
        habits = self._link.habits
        if block == habits.stranger_after:
            self._link.disturb(encode_ack(wire_block(block, self._terms.rollover)))
        if block == habits.pause_after:
            self._link.pause()
        if block == habits.stop_after:
            self._link.stop()
            self._is_stopped = self._is_done = True

    def _acknowledge(self) -> None:
        if self._last in self._to_withhold:
            self._to_withhold.discard(self._last)
            return
        packet = encode_ack(wire_block(self._last, self._terms.rollover))
        self._link.send(packet)
        if self._link.habits.duplicate_acks:
            self._link.send(packet)
        if self._last in self._to_repeat:
            self._to_repeat.discard(self._last)
            time.sleep(A_MOMENT)  # The other end has taken the first one by then.
            self._link.send(packet)
        self._acknowledged = self._last
        self._is_done = self._is_final

    def _take_out_of_order(self, number: int) -> None:
        report, rollover = self._link.report, self._terms.rollover
        if not self._link.habits.is_lossy:
            self._link.fail(f"DATA {self._last + 1} was expected, got DATA {number}")
        window = self._terms.windowsize
        behind = range(max(1, self._last - window + 1), self._last + 1)
        ahead = range(self._last + 2, self._acknowledged + 2 * window + 1)
        if any(wire_block(block, rollover) == number for block in behind):
            report.duplicates += 1
            is_awaited = self._last >= self._acknowledged + window or self._is_final
            was_last = wire_block(self._last, rollover) == number
            if was_last and (is_awaited or self._last == self._acknowledged):
                self._acknowledge()
        elif any(wire_block(block, rollover) == number for block in ahead):
            report.discarded += 1
            self._tell_the_gap()
        else:
            self._link.fail(f"DATA {self._last + 1} was expected, got DATA {number}")

    def _tell_the_gap(self) -> None:
        """Acknowledges in the middle of a window, once for each gap, as U-Boot does."""
        if self._gap_told_at != self._last:
            self._gap_told_at = self._acknowledged = self._last
            self._link.send(encode_ack(wire_block(self._last, self._terms.rollover)))

    def _check_whole(self, size: int) -> None:
        if never := self._to_drop | self._to_withhold | self._to_repeat:
            self._link.fail(
                f"Blocks {sorted(never)} should get lost or repeated, which never happened: "
                f"the file ended at {self._last}"
            )
        tsize = self._terms.tsize
        if tsize is not None and tsize != size:
            self._link.fail(f"tsize was {tsize}, the file has {size} octets")


class Sender:
    """Sends the blocks of a file, a window at a time, and waits for its ACK."""

    def __init__(self, link: Exchange, terms: Terms, content: bytes) -> None:
        self._link = link
        self._terms = terms
        self._content = content
        self._blocks = len(content) // terms.blksize + 1
        self._rollover = terms.rollover
        self._resends = 0
        self._to_drop = set(link.habits.drop_blocks)
        self._special = {
            link.habits.stop_after,
            link.habits.pause_after,
            link.habits.stranger_after,
        }

    def run(self) -> None:
        """Sends the file; the first packet of the other end has come already."""
        report = self._link.report
        acknowledged = 0
        while acknowledged < self._blocks:
            if self._stops_at(acknowledged):
                return
            end = min(acknowledged + self._terms.windowsize, self._blocks)
            missing = self._send_window(acknowledged + 1, end)
            acknowledged = self._await_ack(acknowledged, end, missing)
            report.blocks = acknowledged
        if self._link.habits.repeat_last_data:
            self._repeat_last()
        if self._to_drop:
            self._link.fail(f"Blocks {sorted(self._to_drop)} should get lost, there are none")
        report.is_complete = True

    def _stops_at(self, acknowledged: int) -> bool:
        passed = {block for block in self._special if block is not None and block <= acknowledged}
        self._special -= passed
        habits = self._link.habits
        if habits.stranger_after in passed:
            self._link.disturb(encode_data(wire_block(acknowledged + 1, 0), b"not yours"))
        if habits.pause_after in passed:
            self._link.pause()
        if habits.stop_after in passed:
            self._link.stop()
        return habits.stop_after in passed

    def _send_window(self, first: int, end: int) -> int | None:
        """Sends blocks `first` to `end`; returns the first one that got lost."""
        missing = None
        for block in range(first, end + 1):
            if block in self._to_drop:
                self._to_drop.discard(block)
                missing = missing or block
                continue
            self._send_block(block)
            if self._link.habits.duplicate_data:
                self._send_block(block)
        return missing

    def _send_block(self, block: int) -> None:
        start = (block - 1) * self._terms.blksize
        payload = self._content[start : start + self._terms.blksize]
        self._link.send(encode_data(wire_block(block, self._rollover), payload))

    def _await_ack(self, base: int, end: int, missing: int | None) -> int:
        """Returns the block that the next window follows; `base` sends the same one again."""
        wanted = end if missing is None else missing - 1
        while True:
            datagram = self._next_ack(wanted, missing is not None)
            if datagram is None:
                return base
            number = self._ack_number(datagram, base, wanted)
            if number == wire_block(wanted, self._rollover):
                self._resends = 0
                return wanted
            # RFC 7440 section 4: an ACK in the middle of a window means that the rest got lost.
            part = [n for n in range(base + 1, end) if number == wire_block(n, self._rollover)]
            if part and self._link.habits.is_lossy:
                return part[0]
            self._count_old_ack(number, base, wanted)

    def _next_ack(self, wanted: int, has_lost: bool) -> bytes | None:
        """Returns the next datagram, or None when the window shall be sent again."""
        if not has_lost and not self._link.habits.is_lossy:
            return self._link.receive_octets(lambda: f"ACK {wanted}")
        datagram = self._link.receive_within(self._link.habits.resend_after)
        if datagram is None:
            self._resends += 1
            if self._resends > MAX_RESENDS:
                self._link.fail(
                    f"ACK {wanted} was expected, the window went out {MAX_RESENDS} times"
                )
        return datagram

    def _ack_number(self, datagram: bytes, base: int, wanted: int) -> int:
        packet = decode(datagram)
        if packet.kind == OACK and base == 0 and self._link.habits.is_lossy:
            return 0  # RFC 2347: the OACK acknowledges the WRQ, so it may come again.
        if packet.kind != ACK:
            self._link.fail(f"ACK {wanted} was expected, got {packet}")
        return packet.number

    def _count_old_ack(self, number: int, base: int, wanted: int) -> None:
        old = range(max(0, base - self._terms.windowsize), wanted)
        is_old = any(wire_block(block, self._rollover) == number for block in old)
        if not is_old or not self._link.habits.is_lossy:
            self._link.fail(f"ACK {wanted} was expected, got ACK {number}")
        self._link.report.duplicates += 1

    def _repeat_last(self) -> None:
        self._send_block(self._blocks)
        datagram = self._link.receive_octets(lambda: f"ACK {self._blocks} again")
        number = self._ack_number(datagram, self._blocks, self._blocks)
        if number != wire_block(self._blocks, self._rollover):
            self._link.fail(f"ACK {self._blocks} should come again, got ACK {number}")
