"""The reception of a request: its file, its options, its port, and the session for all of them.

It is asked for one request at a time, after everything that can be said without the file.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from TftpLibrary.engine import udp
from TftpLibrary.engine.admission import Refusal
from TftpLibrary.engine.assembly import Assembly, Cargo
from TftpLibrary.engine.contracts import Channel
from TftpLibrary.engine.decoding import served_mode
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.session import Session
from TftpLibrary.engine.single_port import SharedChannel
from TftpLibrary.protocol.options import Agreement, announced_size, grant
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import HEADER_SIZE, Direction, ErrorCode, Request
from TftpLibrary.protocol.roles import Role
from TftpLibrary.recording.entry import Entry
from TftpLibrary.settings import ServerSettings
from TftpLibrary.store.base import Store, StoreError

if TYPE_CHECKING:
    from TftpLibrary.engine.misbehaviour import Misbehaviour
    from TftpLibrary.faults.passage import Passage


class Arrival(NamedTuple):
    """One request as it came.

    Attributes:
        request: decoded.
        peer: the peer's address, as the socket module writes it.
        local: the address asked, where the request socket is bound to a wildcard.
        client: the peer's address as people write it.
        entry: the record, not yet opened.
        passage: its way through the faults on purpose; None without any.
    """

    request: Request
    peer: Address
    local: Address | None
    client: str
    entry: Entry
    passage: Passage | None


class Reception:
    """Makes the session of each request of one server. Engine's thread only.

    Args:
        store: where files come from and go to.
        engine: runs the sessions.
        sock: the request socket.
        settings: how to serve.

    Attributes:
        sock: the request socket, as it is now.
        bound: the address that it is bound to.
        faults: the faults on purpose; None without any.
    """

    def __init__(
        self, store: Store, engine: Engine, sock: socket.socket, settings: ServerSettings
    ) -> None:
        self.sock = sock
        self.bound: Address = sock.getsockname()
        self.faults: Misbehaviour | None = None
        self._family = sock.family
        self._store = store
        self._engine = engine
        self.change(settings)

    def change(self, settings: ServerSettings) -> None:
        """Takes other settings, for the next request."""
        self._settings = settings
        self._bounds = settings.bounds()
        self._write_policy = settings.write_policy()
        self._assembly = Assembly(
            Role.server, self._engine, settings.timing(), settings.offload, settings.max_duration
        )

    def receive(
        self, arrival: Arrival, forget: Callable[[Session], None], *, is_small: bool
    ) -> Session:
        """Opens the file, agrees the options and opens the port; its first packet has not left.

        Args:
            arrival: the request.
            forget: called once, when the session is over.
            is_small: whether to keep few octets of the file in memory.

        Raises:
            Refusal: the request is not served.
        """
        entry, passage, request = arrival.entry, arrival.passage, arrival.request
        cargo = self._open_file(arrival)
        try:
            if passage is not None:
                request = passage.known_options(request)
            agreement = grant(request, self._bounds, cargo.told)
            channel = self._open_channel(arrival, agreement, cargo)
            wire = None
            if passage is not None and self.faults is not None:
                channel = wire = self.faults.wire(channel, passage)
            entry.open(cargo.size_of(agreement), agreement.granted)
            session = self._assembly.make_session(
                cargo,
                agreement,
                channel,
                entry,
                entry.begun,
                forget=forget,
                is_small=is_small,
            )
            if wire is not None:
                wire.attach(session)
            return session
        except BaseException:
            cargo.release()
            raise

    def _open_file(self, arrival: Arrival) -> Cargo:
        request, client = arrival.request, arrival.client
        faults = self.faults if self.faults is not None and self.faults.is_about_files else None
        mode = served_mode(request)
        if faults is not None:
            faults.check(request, client, arrival.entry)
        try:
            if request.direction is Direction.read:
                source, told = self._store.open_read(request.filename, client), None
                if faults is not None:
                    open_read = partial(self._store.open_read, client=client)
                    source, told = faults.damage(source, request, client, arrival.entry, open_read)
                return Cargo.to_send(source, mode, told)
            size = announced_size(request.options)
            sink = self._store.open_write(request.filename, client, self._write_policy, size)
            return Cargo.to_fill(sink, mode)
        except StoreError as error:
            raise Refusal(error.code, error.public, str(error), error.cause) from error

    def _open_channel(self, arrival: Arrival, agreement: Agreement, cargo: Cargo) -> Channel:
        peer, ports = arrival.peer, self._settings.port_range
        if self._settings.single_port:
            return SharedChannel(self.sock, peer, HEADER_SIZE + agreement.blksize, arrival.local)
        try:
            sock = udp.open_tid(arrival.local or self.bound, self._family, ports)
            try:
                return self._assembly.open_channel(sock, peer, agreement, cargo)
            except BaseException:
                sock.close()
                raise
        except OSError as error:
            if ports is not None and error.errno == errno.EADDRINUSE:
                reason = f"no port of the range {ports[0]}-{ports[1]} is free"
            else:
                reason = f"no port for the transfer: {error.strerror}"
            public = "Server busy, try again later"
            raise Refusal(ErrorCode.not_defined, public, reason, Cause.ports) from error
