"""The load generator in Python, for machines without a C compiler: `load.c` describes what it does.

It takes the same arguments and prints the same line of JSON. It is slower than some of the
servers, so its ratios are nearer to 1 than they should be.

usage: load_client.py [-w] [-v FILE] [-b BLKSIZE] [-k WINDOWSIZE] [-c CLIENTS] [-n TRANSFERS] [-G]
                      [-u] [-s SIZE] HOST PORT NAME
"""

from __future__ import annotations

import argparse
import contextlib
import json
import selectors
import socket
import struct
import sys
import time
from pathlib import Path

_PATIENCE = 1.0
_RETRIES = 8
_LARGEST = 65507
"""Octets that one call sends at most."""
_MOST_SEGMENTS = 64
_QUEUE = 4 << 20
_UDP_SEGMENT, _UDP_GRO = 103, 104


_buffer = bytearray(2 * 65536)
_view = memoryview(_buffer)


class Transfer:
    """One client, from its request to its end.

    Args:
        options: the arguments.
        content: to compare with, or to send; None to compare with nothing.
        number: which transfer it is.
    """

    def __init__(self, options: argparse.Namespace, content: bytes | None, number: int) -> None:
        self.began = self.heard = time.perf_counter()
        self.octets = self.errors = self.tries = 0
        self._options = options
        self._content = content
        self._number = number
        self._is_open = self._has_segments = False
        self._blksize, self._windowsize = 512, 1
        self._acked = self._last = 0
        self._size: int = options.size if content is None else len(content)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((options.host, 0))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _QUEUE)
        self._ask()

    def read(self) -> bool:
        """Takes what one call brings, perhaps many datagrams. Returns whether it is over."""
        if self._is_open:
            length = self.sock.recv_into(_buffer)
        else:
            length, peer = self.sock.recvfrom_into(_buffer)
        self.heard, self.tries = time.perf_counter(), 0
        opcode = _buffer[1]
        if opcode == 5:
            print(f"ERROR {_buffer[3]} {bytes(_view[4:length])!r}", file=sys.stderr)
            self.errors += 1
            return True
        if not self._is_open:
            self._open(peer, bytes(_view[2:length]) if opcode == 6 else b"")
        if self._options.is_write:
            return self._take_ack(0 if opcode == 6 else int.from_bytes(_view[2:4], "big"))
        if opcode == 6:
            self._acknowledge()
            return False
        segment = self._blksize + 4
        return any(
            self._take_data(_view[at : min(at + segment, length)])
            for at in range(0, length, segment)
        )

    def repeat(self) -> bool:
        """Sends again after a silence. Returns whether it gives up."""
        self.tries += 1
        self.heard = time.perf_counter()
        if self.tries > _RETRIES:
            self.errors += 1
            return True
        if not self._is_open:
            self._ask()
        elif self._options.is_write:
            self._send_window()
        else:
            self._acknowledge()
        return False

    def _ask(self) -> None:
        options, name = self._options, self._options.name
        if options.is_write or options.is_unique:
            name = f"{name}-{self._number}"
        words = [name, "octet"]
        if options.blksize != 512:
            words += ["blksize", str(options.blksize)]
        if options.windowsize != 1:
            words += ["windowsize", str(options.windowsize)]
        packet = b"\0\2" if options.is_write else b"\0\1"
        packet += b"".join(word.encode() + b"\0" for word in words)
        self.sock.sendto(packet, (options.host, options.port))

    def _open(self, peer: tuple[str, int], oack: bytes) -> None:
        """The server has shown itself: its TID, and perhaps the options."""
        self._is_open = True
        self.sock.connect(peer)
        words = oack.lower().split(b"\0")
        granted = dict(zip(words[::2], words[1::2], strict=False))
        self._blksize = int(granted.get(b"blksize", 512))
        self._windowsize = int(granted.get(b"windowsize", 1))
        if self._windowsize == 1 or sys.platform != "linux":
            return
        # An old kernel has neither: then each datagram takes a call.
        with contextlib.suppress(OSError):
            if self._options.is_write:
                self.sock.setsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT, self._blksize + 4)
                self._has_segments = True
            elif self._options.with_gro:
                self.sock.setsockopt(socket.IPPROTO_UDP, _UDP_GRO, 1)

    def _take_data(self, packet: memoryview) -> bool:
        """One DATA. Returns whether it is the last one."""
        if packet[2] << 8 | packet[3] != (self._acked + 1) & 0xFFFF:
            return False
        size = len(packet) - 4
        if self._content is not None:
            self.errors += packet[4:] != self._content[self.octets : self.octets + size]
        self._acked += 1
        self.octets += size
        is_last = size < self._blksize
        if is_last:
            self.errors += self._content is not None and self.octets != self._size
        if is_last or self._acked - self._last == self._windowsize:
            self._acknowledge()
        return is_last

    def _take_ack(self, number: int) -> bool:
        """The ACK of a write. Returns whether it is the last one."""
        ahead = (number - self._acked) & 0xFFFF
        if ahead > self._last - self._acked or (self._last and not ahead):
            return False
        self._acked += ahead
        if self._acked == self._size // self._blksize + 1:
            self.octets = self._size
            return True
        self._send_window()
        return False

    def _acknowledge(self) -> None:
        self._last = self._acked
        self.sock.send(b"\0\4" + (self._acked & 0xFFFF).to_bytes(2, "big"))

    def _send_window(self) -> None:
        """Sends the blocks behind the last acknowledged one."""
        most = 1
        if self._has_segments:
            most = max(1, min(_LARGEST // (self._blksize + 4), _MOST_SEGMENTS))
        first = self._acked + 1
        self._last = min(self._acked + self._windowsize, self._size // self._blksize + 1)
        for start in range(first, self._last + 1, most):
            blocks = range(start, min(start + most, self._last + 1))
            self.sock.send(b"".join(map(self._frame, blocks)))

    def _frame(self, block: int) -> bytes:
        at = (block - 1) * self._blksize
        end = min(at + self._blksize, self._size)
        payload = bytes(end - at) if self._content is None else self._content[at:end]
        return b"\0\3" + (block & 0xFFFF).to_bytes(2, "big") + payload


class Load:
    """All transfers: one after the other, or several at once.

    Args:
        options: the arguments.
        content: as for `Transfer`.
    """

    def __init__(self, options: argparse.Namespace, content: bytes | None) -> None:
        self.durations: list[float] = []
        self.octets = self.errors = self.retries = 0
        self._options = options
        self._content = content
        self._live: set[Transfer] = set()
        self._started = 0

    def run_one(self) -> None:
        """Runs one transfer after the other, each on a blocking socket."""
        while self._started < self._options.transfers:
            transfer = self._start()
            _set_patience(transfer.sock)
            is_over = False
            while not is_over:
                try:
                    is_over = transfer.read()
                except (BlockingIOError, TimeoutError):
                    self.retries += 1
                    is_over = transfer.repeat()
            self._end(transfer)

    def run_many(self) -> None:
        """Runs as many at once as there are clients."""
        with selectors.DefaultSelector() as selector:
            for _ in range(min(self._options.clients, self._options.transfers)):
                self._watch(selector)
            swept = time.perf_counter()
            while self._live:
                for key, _ in selector.select(0.1):
                    self._read(selector, key.data)
                now = time.perf_counter()
                if now - swept > 0.1:
                    swept = now
                    self._sweep(selector, now)

    def report(self, seconds: float) -> dict[str, float]:
        """Returns the figures that `load.c` prints."""
        durations = sorted(self.durations)
        return {
            "seconds": seconds,
            "octets": self.octets,
            "transfers": len(durations),
            "errors": self.errors,
            "retries": self.retries,
            "p50": durations[len(durations) // 2],
            "p99": durations[len(durations) * 99 // 100],
        }

    def _start(self) -> Transfer:
        transfer = Transfer(self._options, self._content, self._started)
        self._started += 1
        self._live.add(transfer)
        return transfer

    def _end(self, transfer: Transfer) -> None:
        transfer.sock.close()
        self._live.remove(transfer)
        self.durations.append(time.perf_counter() - transfer.began)
        self.octets += transfer.octets
        self.errors += transfer.errors

    def _watch(self, selector: selectors.BaseSelector) -> None:
        transfer = self._start()
        transfer.sock.setblocking(False)
        selector.register(transfer.sock, selectors.EVENT_READ, transfer)

    def _read(self, selector: selectors.BaseSelector, transfer: Transfer) -> None:
        with contextlib.suppress(BlockingIOError):
            if transfer.read():
                self._replace(selector, transfer)

    def _replace(self, selector: selectors.BaseSelector, transfer: Transfer) -> None:
        """One client is done: the next one starts."""
        selector.unregister(transfer.sock)
        self._end(transfer)
        if self._started < self._options.transfers:
            self._watch(selector)

    def _sweep(self, selector: selectors.BaseSelector, now: float) -> None:
        for transfer in [each for each in self._live if now - each.heard > _PATIENCE]:
            self.retries += 1
            if transfer.repeat():
                self._replace(selector, transfer)


def _set_patience(sock: socket.socket) -> None:
    """Bounds the wait of a blocking socket."""
    if sys.platform == "win32":
        sock.settimeout(_PATIENCE)
    else:
        # `settimeout` would look with another call before each recv.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 1, 0))


def _allow_open_files() -> None:
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Windows has none

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Loads a TFTP server; see load.c.")
    parser.add_argument("-w", dest="is_write", action="store_true")
    parser.add_argument("-v", dest="verify")
    parser.add_argument("-b", dest="blksize", type=int, default=512)
    parser.add_argument("-k", dest="windowsize", type=int, default=1)
    parser.add_argument("-c", dest="clients", type=int, default=1)
    parser.add_argument("-n", dest="transfers", type=int, default=1)
    parser.add_argument("-s", dest="size", type=int, default=0)
    parser.add_argument("-G", dest="with_gro", action="store_false")
    parser.add_argument("-u", dest="is_unique", action="store_true")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("name")
    return parser.parse_args()


def main() -> int:
    """Runs the load, and prints one line of JSON."""
    options = _options()
    content = Path(options.verify).read_bytes() if options.verify else None
    _allow_open_files()
    load = Load(options, content)
    began = time.perf_counter()
    if options.clients == 1:
        load.run_one()
    else:
        load.run_many()
    print(json.dumps(load.report(time.perf_counter() - began)))
    return int(load.errors > 0)


if __name__ == "__main__":
    sys.exit(main())
