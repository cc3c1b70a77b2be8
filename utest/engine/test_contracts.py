"""Whatever fulfils `Channel` can carry a transfer: here one that loses, repeats and overtakes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from TftpLibrary.engine import assembly
from TftpLibrary.engine.channel import TidChannel
from TftpLibrary.engine.contracts import Channel, Receive, ReceiveInto
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.poller import Handler
from TftpLibrary.engine.tap import Observer
from TftpLibrary.protocol.outcome import Outcome
from utest.support.stations import QUICK, station
from utest.support.stores import read
from utest.support.waiting import seconds

CONTENT = random.Random(7).randbytes(40_000)

Fates = Callable[[], int]
"""Returns how many copies of the next datagram arrive."""


@dataclass
class Wire:
    """A channel before another one: it counts what goes each way, and decides what arrives.

    Attributes:
        channel: what carries the datagrams.
        fates: what becomes of each.
        sent: datagrams that were to leave.
        received: datagrams that came.
        changed: how many of both were lost or repeated.
    """

    channel: Channel
    fates: Fates
    sent: int = 0
    received: int = 0
    changed: int = 0

    @property
    def peer(self) -> Address:
        return self.channel.peer

    @property
    def segment(self) -> int:
        return self.channel.segment

    @property
    def is_open(self) -> bool:
        return self.channel.is_open

    @property
    def may_block(self) -> bool:
        return False

    @property
    def receive(self) -> Receive:
        return self._receive

    @property
    def receive_into(self) -> ReceiveInto:
        return self._receive_into

    def _receive(self, size: int, flags: int) -> bytes:
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

    def deliver(self, datagram: bytes) -> None:
        self.channel.deliver(datagram)

    def descriptors(self, owner: Handler) -> tuple[tuple[int, Handler], ...]:
        return self.channel.descriptors(owner)

    def send(self, datagram: bytes | memoryview) -> None:
        self.sent += 1
        for _ in range(self._decide()):
            self.channel.send(bytes(datagram))

    def _decide(self) -> int:
        copies = self.fates()
        self.changed += copies != 1
        return copies

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

    def tap(self, observe: Observer) -> None:
        self.channel.tap(observe)

    def untap(self) -> None:
        self.channel.untap()

    def close(self) -> None:
        self.channel.close()


def lose_some() -> Fates:
    choose = random.Random(3).random
    return lambda: int(choose() > 0.15)


def repeat_some() -> Fates:
    choose = random.Random(4).random
    return lambda: 2 if choose() < 0.2 else 1


FATES: dict[str, Callable[[], Fates]] = {
    "nothing happens": lambda: lambda: 1,
    "some are lost": lose_some,
    "some come twice": repeat_some,
}


@pytest.mark.parametrize("fates", FATES)
@pytest.mark.parametrize("windowsize", [1, 8])
@pytest.mark.parametrize("is_read", [True, False])
def test_a_channel_can_stand_before_another_one(
    monkeypatch: pytest.MonkeyPatch, fates: str, windowsize: int, is_read: bool
) -> None:
    wires: list[Wire] = []

    def put_before(*arguments: object, **named: object) -> Wire:
        channel = TidChannel(*arguments, **named)  # type: ignore[arg-type]
        wires.append(Wire(channel, FATES[fates]()))
        return wires[-1]

    monkeypatch.setattr(assembly, "TidChannel", put_before)
    with station({"f": CONTENT}, writable=True, **QUICK) as found:
        if is_read:
            report = found.read(windowsize=windowsize, accept_duplicates=True)
            assert report.content == CONTENT
        else:
            found.write(
                CONTENT,
                "g",
                windowsize=windowsize,
                accept_duplicates=True,
                resend_after=seconds(0.05),
            )
            assert read(found.store, b"g") == CONTENT
        record = found.wait_for_end()
        assert record.outcome is Outcome.completed
        (wire,) = wires
        assert wire.sent > 10
        assert wire.received > 10
        assert (wire.changed > 0) == (fates != "nothing happens")
