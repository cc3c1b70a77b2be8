"""The driver for Jumpstarter: an exporter starts the lab half, as `ssh` does."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from anyio import CancelScope, move_on_after, open_process
from anyio.abc import ByteStream
from anyio.streams.stapled import StapledByteStream
from jumpstarter.driver import Driver, exportstream

from TftpLibrary.networks import parse_client
from TftpLibrary.sizes import parse_size

_ENDS_IN = 10.0


@dataclass(kw_only=True)
class TftpLab(Driver):
    """Serves the boards of an exporter, for suites that have `lab=jumpstarter:NAME`.

    Its arguments stand under `config:` of the exporter; they are those of `tftplibrary lab`.
    """

    allow_roots: list[str] = field(default_factory=list)
    max_space: str = ""
    clients: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuses what the lab half would refuse, when the exporter starts.

        Raises:
            UsageError: a size or a board cannot be.
        """
        super().__post_init__()
        words = [sys.executable, "-m", "TftpLibrary", "lab", "--stdio"]
        words += [f"--allow-root={root}" for root in self.allow_roots]
        words += [f"--max-space={parse_size(self.max_space)}"] if self.max_space else []
        words += [f"--clients={parse_client(each, 'clients')}" for each in self.clients]
        self._command = words

    @classmethod
    def client(cls) -> str:
        """Returns the class that Jumpstarter makes for this driver at the runner."""
        return "TftpLibrary.lab.jumpstarter_client.TftpLabClient"

    @exportstream
    @asynccontextmanager
    async def connect(self) -> AsyncIterator[ByteStream]:
        """Starts a lab half, which Jumpstarter connects with the runner.

        It ends with the connection, which ends with the lease at the latest.
        """
        process = await open_process(self._command, stderr=None)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with StapledByteStream(process.stdin, process.stdout) as stream:
                yield stream
        finally:
            # Its end of the stream is closed, so it cleans up.
            with CancelScope(shield=True):
                with move_on_after(_ENDS_IN):
                    await process.wait()
                with suppress(ProcessLookupError):
                    process.kill()
                await process.aclose()
