"""Framed DATA for the tests of channels, and the handler of a channel."""

from __future__ import annotations

import socket

SEGMENT = 104


class Owner:
    """The handler of a channel."""

    def ready(self) -> None:
        raise NotImplementedError

    def fail(self, error: BaseException) -> None:
        raise error


OWNER = Owner()


def frames(count: int, last: int = 40) -> memoryview:
    """`count` segments that differ, the last one shorter."""
    full = b"".join(number.to_bytes(2, "big") * (SEGMENT // 2) for number in range(count - 1))
    return memoryview(full + b"z" * last)


def cut(framed: memoryview) -> list[bytes]:
    return [bytes(framed[at : at + SEGMENT]) for at in range(0, len(framed), SEGMENT)]


def receive(peer: socket.socket, count: int) -> list[bytes]:
    return [peer.recv(70_000) for _ in range(count)]
