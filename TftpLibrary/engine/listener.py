"""The port of one server: takes requests, decides on them, and starts sessions.

A request passes, in this order: decoding, the check for a repeated request, `clients` and the
limits, the mode, the store, the options, a port for the transfer. Each refusal is an ERROR with
the right code and a record. The OACK or first ACK leaves only after the store has opened the file,
so that a refusal of the store can still be an ERROR. ERROR, DATA, ACK and OACK that reach the port
are never answered: two servers could answer each other for ever.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic, time
from typing import TYPE_CHECKING, NamedTuple

from TftpLibrary.engine import hosts, udp
from TftpLibrary.engine.admission import Admission, Refusal
from TftpLibrary.engine.assembly import Assembly, Cargo
from TftpLibrary.engine.channel import SharedChannel
from TftpLibrary.engine.contracts import Channel
from TftpLibrary.engine.decoding import (
    MAX_REQUEST_SIZE,
    decode_malformed,
    decode_request,
    served_mode,
)
from TftpLibrary.engine.descriptors import allow_for
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.session import DEFECT, Session, explain_defect
from TftpLibrary.engine.tap import tapped
from TftpLibrary.errors import PacketError, UsageError
from TftpLibrary.protocol.datagrams import Observer, is_of_transfer, is_request
from TftpLibrary.protocol.options import Agreement, announced_size, grant
from TftpLibrary.protocol.outcome import Cause, End, Outcome
from TftpLibrary.protocol.packets import HEADER_SIZE, Direction, Error, ErrorCode, Request
from TftpLibrary.protocol.roles import Role
from TftpLibrary.recording.entry import Entry, Tally
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ServerSettings
from TftpLibrary.store.base import Store, StoreError

if TYPE_CHECKING:
    from TftpLibrary.engine.misbehaviour import Misbehaviour
    from TftpLibrary.faults.passage import Passage
    from TftpLibrary.faults.plan import Plan

_REQUESTS_AT_ONCE = 64
_MOST_SERVED = 1000
"""Requests of ended transfers that are remembered while more requests wait."""
_BROADCAST = "sent to a broadcast address, which is ignored without broadcast=True"
_IGNORED = End(Outcome.refused, None, _BROADCAST, cause=Cause.broadcast)
_MANY_TRANSFERS = 16
"""With more transfers than this each one keeps less of its file in memory."""


class _Arrival(NamedTuple):
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


class Listener:
    """Serves one address and port. Everything but the constructor runs on the engine's thread.

    Args:
        settings: how to serve.
        store: where files come from and go to.
        recorder: where the records go.
        alias: the server's name in the records.
        engine: what it runs on.

    Raises:
        UsageError: the port cannot be bound.
    """

    def __init__(
        self,
        settings: ServerSettings,
        store: Store,
        recorder: Recorder,
        alias: str,
        engine: Engine,
    ) -> None:
        allow_for(settings.max_transfers)
        host = hosts.default_address() if settings.host == "auto" else settings.host
        self._is_wildcard = hosts.is_wildcard(host)
        self._check(settings)
        self.sock = udp.bind_request_socket(host, settings.port)
        self._bound, self._family = self.sock.getsockname(), self.sock.family
        self.host, self.port = hosts.readable_host(self._bound), int(self._bound[1])
        self._alias = alias
        self._store = store
        self._recorder = recorder
        self._engine = engine
        self.change(settings)
        self._is_accepting = True
        self._admission = Admission()
        self._requests: dict[Address, bytes] = {}
        self._served: dict[tuple[Address, bytes], float] = {}
        self._observe: Observer | None = None
        self._faults: Misbehaviour | None = None

    # For the server object, on the engine's thread -----------------------------------------

    def begin(self) -> None:
        """Serves from now on."""
        self._engine.watch(self.sock.fileno(), self)

    def change(self, settings: ServerSettings) -> None:
        """Takes other settings, for the next request."""
        self._check(settings)
        self._settings = settings
        self._bounds = settings.bounds()
        self._write_policy = settings.write_policy()
        self._assembly = Assembly(
            Role.server, self._engine, settings.timing(), settings.offload, settings.max_duration
        )

    def _check(self, settings: ServerSettings) -> None:
        if settings.broadcast and not self._is_wildcard:
            raise UsageError(
                "A server that is bound to one address gets no request to a broadcast address: "
                f"broadcast=True needs host=0.0.0.0 or host=::, got host={settings.host}."
            )

    def tap(self, observe: Observer | None) -> None:
        """Shows each datagram from now on to an observer; to nobody any more if it is None."""
        self._observe = observe
        self.sock = tapped(self.sock, observe)
        for session in self.sessions:
            session.channel.tap(observe)

    def misbehave(self, plan: Plan) -> None:
        """Has the faults of a plan from now on, in running transfers too."""
        if self._faults is None:
            # A server without faults needs none of it.
            from TftpLibrary.engine.misbehaviour import Misbehaviour  # noqa: PLC0415

            self._faults = Misbehaviour(plan, self._engine, self)
        self._faults.reroute(self.sessions)

    def refuse_requests(self) -> None:
        """From now on requests are not answered; transfers go on."""
        self._is_accepting = False

    def stop(self) -> list[Transfer]:
        """Cuts every transfer short, with an ERROR to its peer, and closes the port."""
        self._is_accepting = False
        self._engine.forget(self.sock.fileno())
        cut = [session.stop() for session in self.sessions]
        if self._faults is not None:
            self._faults.stop()
        self.close()
        return [transfer for transfer in cut if transfer is not None]

    def close(self) -> None:
        """Frees the port. Idempotent."""
        self.sock.close()

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The live sessions."""
        return self._admission.sessions

    @property
    def is_idle(self) -> bool:
        """Whether every file has been moved; last ACKs may still be repeated."""
        return all(session.entry.end is not None for session in self.sessions)

    # For the engine ------------------------------------------------------------------------

    def ready(self) -> None:
        """Takes some of the requests that have come; then running transfers get their turn."""
        # One octet more than the bound shows a request that is too long. In single-port mode the
        # DATA of transfers comes through this port too.
        size = 65536 if self._settings.single_port else MAX_REQUEST_SIZE + 1
        take = self.take if self._faults is None else self._faults.take
        for _ in range(_REQUESTS_AT_ONCE):
            arrival = udp.receive_request(self.sock, size)
            if arrival is None:
                self._served.clear()
                return
            datagram, peer, local, is_broadcast, came = arrival
            if is_broadcast and not self._settings.broadcast:
                self._ignore(datagram, peer)
            # Not a copy that lay here while its transfer ran; a lone transfer may be over by now.
            elif came > self._served.get((peer, datagram), 0.0):
                take(datagram, peer, local if self._is_wildcard else None, came)

    def fail(self, error: BaseException) -> None:
        """An exception of our own code while a datagram was looked at."""
        message, traceback = explain_defect(error)
        self._recorder.defect(f"Server {self._alias!r} took a datagram, {message}.\n{traceback}")

    # A datagram ----------------------------------------------------------------------------

    def take(
        self,
        datagram: bytes,
        peer: Address,
        local: Address | None,
        came: float,
        passage: Passage | None = None,
    ) -> None:
        """Takes a datagram.

        Args:
            datagram: its octets.
            peer: who sent it.
            local: the address that was asked; None for the one that is bound.
            came: when it came, in seconds of the wall clock.
            passage: its way through the faults on purpose; None without any.
        """
        if self._settings.single_port and not is_request(datagram):
            session = self._admission.find(peer)
            if session is not None:
                session.take(datagram)
                return
        # A packet of a transfer is not answered, nor is a datagram too short for an opcode.
        if len(datagram) < 2 or is_of_transfer(datagram) or not self._is_accepting:
            return
        try:
            self._serve(datagram, peer, local, came, passage)
        except Refusal as refusal:
            packet = Error(refusal.code, refusal.public).encode()
            if passage is None or self._faults is None:
                self.answer(packet, peer, local)
            else:
                self._faults.answer(packet, peer, local, passage)

    def answer(self, octets: bytes, peer: Address, local: Address | None) -> None:
        """Sends from the port of the server."""
        udp.send_from(self.sock, octets, peer, local)

    def find_session(self, peer: Address) -> Session | None:
        """Returns the session with a peer; None without one."""
        return self._admission.find(peer)

    def _ignore(self, datagram: bytes, peer: Address) -> None:
        """Records a request to a broadcast address, without an answer (RFC 1123 4.2.3.5)."""
        if not self._is_accepting or not is_request(datagram):
            return
        with suppress(PacketError):
            request, client = decode_request(datagram), hosts.readable_host(peer)
            entry = self.make_entry(request, peer, client, monotonic())
            entry.finish(_IGNORED, Tally(), entry.begun)

    def _serve(
        self,
        datagram: bytes,
        peer: Address,
        local: Address | None,
        came: float,
        passage: Passage | None,
    ) -> None:
        begun, client = monotonic(), hosts.readable_host(peer)
        try:
            request = decode_request(datagram)
        except PacketError as error:
            refusal = Refusal(ErrorCode.illegal_operation, str(error), cause=Cause.malformed)
            malformed = decode_malformed(datagram)
            if malformed is not None:
                _record_refusal(self.make_entry(malformed, peer, client, begun), refusal)
            raise refusal from None
        if self._is_repeated(datagram, peer, came):
            return
        entry = self.make_entry(request, peer, client, begun)
        try:
            self._admission.check(client, self._settings, begun)
            session = self._make_session(_Arrival(request, peer, local, client, entry, passage))
        except Refusal as refusal:
            _record_refusal(entry, refusal)
            raise
        except Exception as error:
            reason, traceback = explain_defect(error)
            defect = Refusal(ErrorCode.not_defined, DEFECT, reason, traceback=traceback)
            _record_refusal(entry, defect)
            raise defect from error
        self._admission.add(peer, client, session)
        self._requests[peer] = datagram
        if self._observe is not None:
            session.channel.tap(self._observe)
        try:
            session.begin(monotonic())
        except Exception as error:
            session.fail(error)

    def _is_repeated(self, datagram: bytes, peer: Address, came: float) -> bool:
        """Whether the peer only repeats its request (RFC 1350 section 4: not a second transfer).

        A peer that asks again after a silence, or asks for something else, has started anew.
        """
        session = self._admission.find(peer)
        if session is None:
            return False
        # Its last ACK may still lie in its own socket: some boards soon use a port again.
        session.catch_up()
        if not session.channel.is_open:
            # Over just now: a copy that came early in the transfer lay here longer than its ACK.
            return came <= self._served.get((peer, datagram), 0.0)
        is_same = self._requests.get(peer) == datagram
        is_running = session.is_half_open or not session.is_silent
        if is_same and session.entry.end is None and is_running:
            return True
        # Without an ERROR: the peer would take it for the answer to its new request.
        session.lose("a new request came from the same port")
        return False

    def _forgetter(self, peer: Address, client: str) -> Callable[[Session], None]:
        def forget(session: Session) -> None:
            self._admission.forget(peer, client, session)
            if self._admission.find(peer) is None and peer in self._requests:
                if len(self._served) >= _MOST_SERVED:
                    self._served.clear()
                # A copy of the request comes early in the transfer. A later one may be a new
                # request from the same port: the peer is done before its last ACK is read here,
                # but not before its last DATA has left.
                now, begun = monotonic(), session.entry.begun
                early = min((begun + now) / 2, session.machine.answered_at)
                self._served[peer, self._requests.pop(peer)] = time() - (now - early)

        return forget

    # A session ------------------------------------------------------------------------------

    def make_entry(self, request: Request, peer: Address, client: str, begun: float) -> Entry:
        """Makes the record of a request."""
        tid = client, int(peer[1])
        return Entry(self._recorder, self._engine, request, self._alias, tid, begun)

    def _make_session(self, arrival: _Arrival) -> Session:
        """Opens the file, agrees the options and opens the port; its first packet has not left."""
        entry, passage, request = arrival.entry, arrival.passage, arrival.request
        cargo = self._open_file(arrival)
        try:
            if passage is not None:
                request = passage.known_options(request)
            agreement = grant(request, self._bounds, cargo.told)
            channel = self._open_channel(arrival, agreement, cargo)
            wire = None
            if passage is not None and self._faults is not None:
                channel = wire = self._faults.wire(channel, passage)
            entry.open(cargo.size_of(agreement), agreement.granted)
            session = self._assembly.make_session(
                cargo,
                agreement,
                channel,
                entry,
                entry.begun,
                forget=self._forgetter(arrival.peer, arrival.client),
                is_small=len(self._admission) > _MANY_TRANSFERS,
            )
            if wire is not None:
                wire.attach(session)
            return session
        except BaseException:
            cargo.release()
            raise

    def _open_file(self, arrival: _Arrival) -> Cargo:
        request, client, faults = arrival.request, arrival.client, self._faults
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

    def _open_channel(self, arrival: _Arrival, agreement: Agreement, cargo: Cargo) -> Channel:
        peer, ports = arrival.peer, self._settings.port_range
        if self._settings.single_port:
            return SharedChannel(self.sock, peer, HEADER_SIZE + agreement.blksize, arrival.local)
        try:
            sock = udp.open_tid(arrival.local or self._bound, self._family, ports)
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


def _record_refusal(entry: Entry, refusal: Refusal) -> None:
    outcome = Outcome.failed if refusal.traceback else Outcome.refused
    end = End(outcome, refusal.code, refusal.reason, cause=refusal.cause)
    entry.finish(end, Tally(), monotonic(), refusal.traceback)
