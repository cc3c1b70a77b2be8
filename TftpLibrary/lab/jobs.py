"""The calls of a session at the lab: each with the file that comes with it, or goes back."""

from __future__ import annotations

from collections.abc import Iterator

from TftpLibrary.errors import UsageError
from TftpLibrary.lab.connection import Connection, Mailbox
from TftpLibrary.lab.frames import MOST_PIECE, Piece
from TftpLibrary.store.digests import Digests


class Cancelled(Exception):
    """The runner does not wait for this call any more."""


class Job:
    """One call, on a thread of its own.

    Args:
        number: of the call.
        connection: to the runner.

    Attributes:
        pieces: the content of the file that belongs to the call.
        is_wanted: whether the runner waits for it.
    """

    def __init__(self, number: int, connection: Connection) -> None:
        self.pieces: Mailbox[bytes] = Mailbox()
        self.is_wanted = True
        self._number = number
        self._connection = connection

    def cancel(self) -> None:
        """The runner does not wait any more."""
        self.is_wanted = False
        self.pieces.close()

    def check(self) -> None:
        """Raises Cancelled if the runner does not wait any more."""
        if not self.is_wanted:
            raise Cancelled

    def receive(self, size: int | None = None) -> Iterator[bytes]:
        """Asks for the file of the call, and yields its content.

        Raises:
            Cancelled: the runner does not wait any more.
            UsageError: it has another size.
        """
        call = {"call": self._number}
        self._connection.send({"jsonrpc": "2.0", "method": "send", "params": call})
        octets = 0
        while piece := self.pieces.get():
            octets += len(piece)
            yield piece
        self.check()
        if size not in (None, octets):
            raise UsageError(f"The file ended after {octets} of {size} bytes. Send it again.")

    def send(self, octets: bytes | memoryview) -> None:
        """Sends content of a file to the runner.

        Raises:
            Cancelled: the runner does not wait any more.
        """
        for start in range(0, len(octets), MOST_PIECE):
            piece = Piece(self._number, bytes(octets[start : start + MOST_PIECE]))
            self._connection.send_piece(piece, lambda: self.is_wanted)
        if not self.is_wanted or self._connection.lost:
            raise Cancelled


class Arriving:
    """A file that a runner is about to upload; see `Incoming`.

    Args:
        label: its name in messages.
        size: octets, where they are known.
        digests: of its content, where the runner computed them.
        job: the call that uploads it.
    """

    name = ""

    def __init__(self, label: str, size: int | None, digests: Digests | None, job: Job) -> None:
        self.label = label
        self.size = size
        self._digests = digests
        self._job = job

    def chunks(self) -> Iterator[bytes]:
        """Asks for the content, and yields it."""
        return self._job.receive(self.size)

    def digests(self) -> Digests | None:
        """Returns the checksums that the runner computed; None where it did not."""
        return self._digests

    def close(self) -> None:
        """Does nothing."""
