"""Many boards at once, and noise: a server must bear both without a single wrong octet.

The boards of a crowd behave as real ones under load: they ask again for lost packets. They keep no
content, only its digest, so that the memory of a server in the same process can be judged.
"""

from __future__ import annotations

import hashlib
import random
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from atest.equipment.board_client import Ask, read_file
from atest.equipment.board_exchange import Habits
from atest.equipment.board_network import open_socket
from TftpBoard.packets import (
    BoardError,
    encode_ack,
    encode_data,
    encode_error,
    encode_oack,
    encode_request,
)
from TftpBoard.ports import MAX_DATAGRAM, Address
from TftpBoard.transfers import Download

if sys.platform != "win32":
    import resource

PATIENCE = 1.0
TICK = 0.1
BATCH = 100


@dataclass
class CrowdReport:
    """The report of a crowd.

    Attributes:
        digests: how many boards ended with which sha256.
        errors: how many boards were refused with which ERROR.
        unfinished: boards that had no whole file in time.
        again: packets that boards sent again because no answer had come.
        durations: seconds from the start to the end of each board, sorted.
    """

    digests: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    unfinished: int = 0
    again: int = 0
    durations: list[float] = field(default_factory=list)


class _Reader:
    """One board of the crowd."""

    def __init__(self, sock: socket.socket, server: Address, name: str, options: Mapping[str, str]):
        self.sock = sock
        self.digest = hashlib.sha256()
        self.download = Download(name, options, self.digest.update)
        self.deadline = 0.0
        self._peer = server
        self._has_answer = False

    def send(self, now: float) -> None:
        for packet in self.download.packets:
            self.sock.sendto(packet, self._peer)
        self.deadline = now + PATIENCE

    def receive(self, now: float) -> None:
        octets, source = self.sock.recvfrom(MAX_DATAGRAM)
        if not self._has_answer:
            self._peer, self._has_answer = source[:2], True
        if source[:2] != self._peer:
            raise BoardError(f"The server's TID is {self._peer}, a packet came from {source}.")
        if self.download.receive(octets):
            self.send(now)


def read_by_many(
    server: Address, name: str, count: int, options: Mapping[str, str], timeout: float = 60.0
) -> CrowdReport:
    """Lets `count` boards read a file at the same time.

    Raises:
        BoardError: a board got a packet that it should not get.
    """
    report = CrowdReport()
    _allow_open_files(2 * count + 200)
    selector = selectors.DefaultSelector()
    started = time.monotonic()
    readers = [_Reader(open_socket(server[0]), server, name, options) for _ in range(count)]
    running = set(readers)
    try:
        for reader in readers:
            selector.register(reader.sock, selectors.EVENT_READ, reader)
            reader.send(started)
        next_look = started + TICK
        while running and time.monotonic() < started + timeout:
            events = selector.select(TICK)
            now = time.monotonic()
            for key, _ in events:
                reader = key.data
                reader.receive(now)
                if reader.download.is_over:
                    _settle(reader, report, now - started)
                    selector.unregister(reader.sock)
                    running.discard(reader)
            if now >= next_look:
                next_look = now + TICK
                report.again += _ask_again(running, now)
    finally:
        selector.close()
        for reader in readers:
            reader.sock.close()
    report.unfinished = len(running)
    return report


def _allow_open_files(count: int) -> None:
    """Raises this process's limit: the boards' ports and those of a server in it are files."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, count), hard), hard))


def _settle(reader: _Reader, report: CrowdReport, duration: float) -> None:
    if reader.download.error:
        report.errors[str(reader.download.error)] += 1
    else:
        report.digests[reader.digest.hexdigest()] += 1
    report.durations.append(duration)


def _ask_again(running: set[_Reader], now: float) -> int:
    late = [reader for reader in running if reader.deadline < now]
    for reader in late:
        reader.send(now)
    return len(late)


def make_noise(
    server: Address, name: str, count: int, *, seed: int = 0, patience: float = 5.0
) -> int:
    """Sends `count` random datagrams to a server, and reads a small file after each batch.

    Half of them are random octets, the others requests with a flaw and packets that have no place
    at the request port. The reading keeps the noise at the server's pace: nothing overflows.

    Returns:
        How often the file was read.

    Raises:
        BoardError: the server did not serve the file between the noise.
    """
    dice = random.Random(seed)
    reads = 0
    with open_socket(server[0]) as noisy:
        noisy.setblocking(False)
        for sent in range(0, count, BATCH):
            for _ in range(min(BATCH, count - sent)):
                noisy.sendto(noise(dice, name), server)
            _drain(noisy)
            with open_socket(server[0]) as sock:
                read_file(Ask(name, server[0], server[1], habits=Habits(patience=patience)), sock)
            reads += 1
    return reads


def noise(dice: random.Random, name: str) -> bytes:
    """Returns one datagram of noise."""
    kind = dice.randrange(6)
    if kind < 3:
        return dice.randbytes(dice.randrange(600))
    if kind == 3:
        return _flawed_request(dice, name)
    return dice.choice(
        [
            encode_data(dice.randrange(65536), dice.randbytes(dice.randrange(600))),
            encode_ack(dice.randrange(65536)),
            encode_error(dice.randrange(65536), "noise"),
            encode_oack({"blksize": str(dice.randrange(65536))}),
        ]
    )


def _flawed_request(dice: random.Random, name: str) -> bytes:
    options = {"blksize": str(dice.randrange(-9, 99999)), "windowsize": str(dice.randrange(99999))}
    asked = name if dice.randrange(50) == 0 else f"{name}.{dice.randrange(1000)}"
    octets = bytearray(encode_request(dice.choice((1, 2)), asked.encode(), "octet", options))
    for _ in range(dice.randrange(4)):
        octets[dice.randrange(1, len(octets))] = dice.randrange(256)
    return bytes(octets[: dice.randrange(len(octets) + 1)] if dice.randrange(3) == 0 else octets)


def _drain(sock: socket.socket) -> None:
    """Throws away the answers to noise."""
    while _has_received(sock):
        pass


def _has_received(sock: socket.socket) -> bool:
    try:
        sock.recv(MAX_DATAGRAM)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True  # A port that was closed meanwhile; there may be more.
    return True
