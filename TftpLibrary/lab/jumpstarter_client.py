"""The carrier of Jumpstarter: the stream of a driver, in the shell that has a lease."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from anyio import EndOfStream, sleep_forever
from anyio.abc import ObjectStream, TaskStatus
from grpc.aio import AioRpcError
from jumpstarter.client import DriverClient
from jumpstarter.common.exceptions import JumpstarterException
from jumpstarter.utils.env import env

from TftpLibrary.errors import LabError


class TftpLabClient(DriverClient):
    """What Jumpstarter has at the runner for the driver `TftpLab`."""


class JumpstarterStream:
    """The stream of a driver; see `Stream`. Jumpstarter moves it on a thread of its own."""

    def __init__(self, client: DriverClient, stack: ExitStack) -> None:
        self._portal = client.portal
        self._task, self._stream = self._portal.start_task(_hold, client)
        self._stack = stack.pop_all()

    def receive(self) -> bytes:
        """See `Stream.receive`."""
        # Jumpstarter's own sign of life comes as no octets; the end is None.
        while (octets := self._call(self._stream.receive)) == b"":
            pass
        return octets or b""

    def send(self, octets: bytes) -> None:
        """See `Stream.send`."""
        self._call(self._stream.send, octets)

    def close(self) -> None:
        """See `Stream.close`."""
        # Without Jumpstarter's good-bye, which would wait for a link that is cut.
        self._task.cancel()
        self._stack.pop_all().close()

    def trouble(self) -> str:
        """See `Stream.trouble`."""
        return ""

    # Any: gRPC, which has no types, makes the stream.
    def _call(self, method: Callable[..., Any], *octets: bytes) -> bytes | None:
        try:
            result: bytes | None = self._portal.call(method, *octets)
        except EndOfStream:
            return None
        except Exception as error:
            # Those of gRPC, anyio and a loop that has ended have no class in common.
            raise OSError(_text(error.__cause__ or error)) from error
        return result


def open_jumpstarter(url: str) -> JumpstarterStream:
    """Opens the way to the driver of a name, `jumpstarter:NAME`.

    Raises:
        LabError: there is no lease, or no such driver in it.
    """
    name = url.partition(":")[2]
    if not os.environ.get("JUMPSTARTER_HOST"):
        raise LabError(
            f"lab={url!r} needs a lease of Jumpstarter, and there is none here. Run robot in the "
            "shell of one: jmp shell --selector board=left -- robot suite.robot"
        )
    with ExitStack() as stack:
        try:
            drivers = stack.enter_context(env()).children
            if name in drivers:
                return JumpstarterStream(drivers[name], stack)
        except (AioRpcError, JumpstarterException, OSError) as error:
            raise LabError(f"lab={url!r}: Jumpstarter said: {_text(error)}") from error
    known = ", ".join(sorted(drivers)) or "none"
    raise LabError(f"The lease has no driver '{name}' for lab={url!r}. It has: {known}.")


async def _hold(client: DriverClient, *, task_status: TaskStatus[ObjectStream[bytes]]) -> None:
    async with client.stream_async("connect") as stream:
        task_status.started(stream)
        await sleep_forever()


def _text(error: BaseException) -> str:
    """Returns what an error says, without what caused it."""
    said = error.details() if isinstance(error, AioRpcError) else getattr(error, "message", "")
    return (said or str(error) or type(error).__name__).strip()
