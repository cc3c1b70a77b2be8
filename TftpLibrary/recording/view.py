"""The view, which is the one value that questions look at, and the watch that makes views."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from TftpLibrary.matching import client_test, name_test
from TftpLibrary.networks import parse_mac
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer

T = TypeVar("T")

Transfers = tuple[Transfer, ...]


def _no_age(_transfer: Transfer) -> float:
    return 0.0


class View(NamedTuple):
    """One look at the transfers of one server, or of all, since a mark.

    Attributes:
        transfers: the transfers seen, in the order of their requests.
        is_complete: False when the record was full and dropped some of them.
        is_live: whether more may come: False once the server is stopped.
        server: alias of the server; None for every server and client.
        watched: seconds since the wait began; 0.0 for a look without one.
        names: lists the names in the store; called only when they are needed.
        age: returns the seconds since a transfer ended, see `Recorder.age`.
        at: host and port to which the server is bound; empty where none is, or for all servers.
        others: lists what was seen at other servers; called only when it is needed.
        whole: lists every transfer of the run, at any server; called only when it is needed.
    """

    transfers: Transfers = ()
    is_complete: bool = True
    is_live: bool = True
    server: str | None = None
    watched: float = 0.0
    names: Callable[[], Sequence[str]] = tuple
    age: Callable[[Transfer], float] = _no_age
    at: str = ""
    others: Callable[[], Transfers] = tuple
    whole: Callable[[], Transfers] = tuple

    def select(
        self,
        name: str = "",
        client: str = "",
        outcome: Outcome | None = None,
        direction: Direction | None = None,
    ) -> Transfers:
        """Returns the transfers that match all given criteria, in their order.

        Raises:
            UsageError: `client` is neither an address, a network nor a MAC address.
        """
        is_name, is_client = name_test(name), _board_test(client)
        return tuple(
            transfer
            for transfer in self.transfers
            if (outcome is None or transfer.outcome is outcome)
            and (direction is None or transfer.direction is direction)
            and is_name(transfer.filename)
            and is_client(transfer)
        )

    def of(self, name: str = "", client: str = "") -> View:
        """Returns the view of the transfers of one file and one client."""
        return self._replace(transfers=self.select(name, client))


def _board_test(client: str) -> Callable[[Transfer], bool]:
    """Returns a test whether a transfer is one of a client; a MAC address may name it too."""
    mac = parse_mac(client)
    if mac is not None:
        text = str(mac)
        return lambda transfer: transfer.client_mac == text
    is_client = client_test(client)
    return lambda transfer: is_client(transfer.client)


class Watch(NamedTuple):
    """A watch over the record: the transfers of one server, or of all, since a mark.

    Attributes:
        recorder: where the transfers are kept.
        server: alias of the server; None for every server and client.
        since: the mark, see `Recorder.mark`.
        is_live: whether more may come.
        names: lists the names in the store of the server.
        at: host and port to which the server is bound; empty where none is, or for all servers.
        check: raises an error where nobody knows any more what happens there.
    """

    recorder: Recorder
    server: str | None = None
    since: int = 0
    is_live: bool = True
    names: Callable[[], Sequence[str]] = tuple
    at: str = ""
    check: Callable[[], object] = tuple

    def look(self) -> View:
        """Returns the present view."""
        return self._view(self.recorder.transfers(self.since), 0.0)

    def wait_for(self, find: Callable[[View], T | None], timeout: float) -> T:
        """Waits as `Recorder.wait_for` does; looks only once if no more transfers can come."""
        begun = time.monotonic()

        def look(seen: Transfers) -> T | None:
            self.check()
            return find(self._view(seen, time.monotonic() - begun))

        return self.recorder.wait_for(look, timeout if self.is_live else 0.0, self.since)

    def _view(self, seen: Transfers, watched: float) -> View:
        own = seen if self.server is None else tuple(t for t in seen if t.server == self.server)
        return View(
            own,
            is_complete=self.recorder.is_complete(self.since),
            is_live=self.is_live,
            server=self.server,
            watched=watched,
            names=self.names,
            age=self.recorder.age,
            at=self.at,
            others=lambda: tuple(t for t in seen if t.server != self.server),
            whole=self.recorder.transfers,
        )
