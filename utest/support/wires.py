"""Channels that stand before another one, where a test can watch and disturb the datagrams."""

from __future__ import annotations

from collections.abc import Callable

from TftpLibrary.engine.contracts import Channel, Receive, ReceiveInto
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.poller import Handler
from TftpLibrary.protocol.datagrams import Observer

Fates = Callable[[], int]
"""Returns how many copies of the next datagram arrive."""


class Wire:
    """A channel that loses and repeats datagrams.

    Attributes:
        channel: the channel that carries them.
        fates: returns how many copies of each arrive.
        sent: datagrams that were to leave.
        received: datagrams that came.
        changed: how many of both were lost or repeated.
        blocked: how often somebody waited for one in a blocking call.
    """

    def __init__(self, channel: Channel, fates: Fates = lambda: 1) -> None:
        self.channel = channel
        self.fates = fates
        self.sent = self.received = self.changed = self.blocked = 0

    @property
    def peer(self) -> Address:
        return self.channel.peer

    @property
    def local(self) -> Address:
        return self.channel.local

    @property
    def segment(self) -> int:
        return self.channel.segment

    @property
    def is_open(self) -> bool:
        return self.channel.is_open

    @property
    def may_block(self) -> bool:
        return self.channel.may_block

    @property
    def receive(self) -> Receive:
        return self._receive

    @property
    def receive_into(self) -> ReceiveInto:
        return self._receive_into

    def deliver(self, datagram: bytes) -> None:
        self.channel.deliver(datagram)

    def descriptors(self, owner: Handler) -> tuple[tuple[int, Handler], ...]:
        return self.channel.descriptors(owner)

    def send(self, datagram: bytes | memoryview) -> None:
        self.sent += 1
        for _ in range(self._decide()):
            self.channel.send(bytes(datagram))

    def send_frame(self, frame: memoryview) -> None:
        self.send(frame)

    def send_window(self, frames: memoryview) -> bool:
        return self.send_frames(frames) == len(frames)

    def send_frames(self, frames: memoryview) -> int:
        for at in range(0, len(frames), self.segment):
            self.send(frames[at : at + self.segment])
        return len(frames)

    def make_room(self) -> None:
        self.channel.make_room()

    def merge(self) -> None:
        """Leaves the datagrams single."""

    def settle(self) -> list[bytes]:
        return self.channel.settle()

    def tap(self, observe: Observer | None) -> None:
        self.channel.tap(observe)

    def close(self) -> None:
        self.channel.close()

    def _decide(self) -> int:
        copies = self.fates()
        self.changed += copies != 1
        return copies

    def _receive(self, size: int, flags: int) -> bytes:
        self.blocked += not flags
        copies = 0
        while not copies:
            datagram = self.channel.receive(size, flags)
            self.received += 1
            copies = self._decide()
        for _ in range(copies - 1):
            self.channel.deliver(datagram)
        return datagram

    def _receive_into(self, view: memoryview, flags: int) -> tuple[int, int]:
        datagram = self._receive(len(view), flags)
        view[: len(datagram)] = datagram
        return len(datagram), len(datagram)
