"""Sockets of transfers that fail now and then, as on a busy or broken system."""

from __future__ import annotations

import socket
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from TftpLibrary.engine import udp

Fault = Callable[[int], BaseException | None]
"""Gets the octets of a send, and returns the exception to raise instead; None lets it leave."""


class FaultySocket(socket.socket):
    """A real socket that fails when a test wants it to.

    Attributes:
        fault: looks at each `send` and `sendto`.
        failing: exceptions that the next calls that receive raise.
        sent: octets of each send that left.
        received: how many datagrams `recv` and `recvfrom` returned.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.fault: Fault | None = None
        self.failing: deque[BaseException] = deque()
        self.sent: list[int] = []
        self.received = 0

    def send(self, data: Any, *arguments: Any) -> int:
        self._look(len(data))
        return super().send(data, *arguments)

    def sendto(self, data: Any, *arguments: Any) -> int:
        self._look(len(data))
        return super().sendto(data, *arguments)

    def recv(self, *arguments: Any) -> bytes:
        self._fail()
        datagram = super().recv(*arguments)
        self.received += 1
        return datagram

    def recvfrom(self, *arguments: Any) -> Any:
        self._fail()
        arrival = super().recvfrom(*arguments)
        self.received += 1
        return arrival

    def recv_into(self, *arguments: Any) -> int:
        self._fail()
        return super().recv_into(*arguments)

    if sys.platform != "win32":

        def recvmsg_into(self, *arguments: Any) -> Any:
            self._fail()
            return super().recvmsg_into(*arguments)

    def _look(self, octets: int) -> None:
        error = self.fault(octets) if self.fault is not None else None
        if error is not None:
            raise error
        self.sent.append(octets)

    def _fail(self) -> None:
        if self.failing:
            raise self.failing.popleft()


def make_faulty(monkeypatch: pytest.MonkeyPatch, fault: Fault | None = None) -> list[FaultySocket]:
    """Lets each transfer run on a socket that can fail. Returns them as they are made."""
    made: list[FaultySocket] = []
    open_tid = udp.open_tid

    def open_faulty(*arguments: Any, **named: Any) -> socket.socket:
        plain = open_tid(*arguments, **named)
        sock = FaultySocket(fileno=plain.detach())
        sock.settimeout(plain.gettimeout())
        sock.fault = fault
        made.append(sock)
        return sock

    monkeypatch.setattr(udp, "open_tid", open_faulty)
    return made


def refuse_segmentation(segment: int) -> Fault:
    """A fault: the kernel does not cut a send into datagrams, as with some network adapters."""

    def fault(octets: int) -> BaseException | None:
        return OSError(5, "Input/output error") if octets > segment else None

    return fault


def refuse_now_and_then(every: int, error: type[OSError] = BlockingIOError) -> Fault:
    """A fault: each n-th send fails."""
    count = 0

    def fault(_: int) -> BaseException | None:
        nonlocal count
        count += 1
        return error() if count % every == 0 else None

    return fault


def refuse_from(first: int, error: type[OSError]) -> Fault:
    """A fault: the n-th send fails, and all that follow."""
    count = 0

    def fault(_: int) -> BaseException | None:
        nonlocal count
        count += 1
        return error() if count >= first else None

    return fault
