"""One server at its port: takes requests, decides on them, and starts sessions.

Other servers may share the port (`engine/ports.py`), which gives each of them its own datagrams.

A request passes, in this order: decoding, the check for a repeated request, `clients` and the
limits, the mode, the store, the options, a port for the transfer. Each refusal is an ERROR with
the right code and a record. The OACK or first ACK leaves only after the store has opened the file,
so that a refusal of the store can still be an ERROR. ERROR, DATA, ACK and OACK that reach the port
are never answered: two servers could answer each other for ever.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from TftpLibrary.engine import hosts, udp
from TftpLibrary.engine.admission import Admission, Refusal
from TftpLibrary.engine.clients import Clients
from TftpLibrary.engine.decoding import (
    MAX_REQUEST_SIZE,
    decode_malformed,
    decode_request,
)
from TftpLibrary.engine.descriptors import allow_for
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.ports import RequestPort
from TftpLibrary.engine.reception import Arrival, Reception
from TftpLibrary.engine.requests import Requests
from TftpLibrary.engine.session import DEFECT, Session, explain_defect
from TftpLibrary.engine.tap import TappedSocket, tapped
from TftpLibrary.engine.tenancy import Tenancy
from TftpLibrary.engine.udp import Arrived
from TftpLibrary.errors import PacketError
from TftpLibrary.protocol.datagrams import Observer, is_of_transfer, is_request
from TftpLibrary.protocol.outcome import Cause, End, Outcome
from TftpLibrary.protocol.packets import Error, ErrorCode, Request
from TftpLibrary.recording.entry import Entry, Tally
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ServerSettings
from TftpLibrary.store.base import Store

if TYPE_CHECKING:
    from TftpLibrary.engine.misbehaviour import Misbehaviour
    from TftpLibrary.engine.presence import Presence
    from TftpLibrary.faults.passage import Passage
    from TftpLibrary.faults.pauses import Pause
    from TftpLibrary.faults.plan import Plan

_BROADCAST = "sent to a broadcast address, which is ignored without broadcast=True"
_IGNORED = End(Outcome.refused, None, _BROADCAST, cause=Cause.broadcast)
_MANY_TRANSFERS = 16
"""With more transfers than this each one keeps less of its file in memory."""


class Listener:
    """Serves at one address and port. The engine's thread runs all but constructor and `close`.

    Args:
        settings: how to serve.
        store: where files come from and go to.
        recorder: where the records go.
        alias: the server's name in the records.
        engine: what it runs on, and whose ports it uses.
        owner: who starts it, as others read it whom it is in the way.

    Raises:
        UsageError: the port cannot be bound, or another server there has the clients.

    Attributes:
        alias: as given.
        owner: as given.
        since: monotonic seconds of its start.
        recorder: as given.
        clients: whom it serves.
        sock: the socket of the port, with the observer of this server.
    """

    def __init__(
        self,
        settings: ServerSettings,
        store: Store,
        recorder: Recorder,
        alias: str,
        engine: Engine,
        owner: str = "",
    ) -> None:
        allow_for(settings.max_transfers)
        self.alias, self.owner, self.since = alias, owner, monotonic()
        self.recorder = recorder
        self.clients = Clients(settings.clients)
        self._tenancy = Tenancy(self, settings, engine)
        self.sock = self._tenancy.sock
        self._engine = engine
        self._reception = Reception(store, engine, self.sock, settings)
        self.host, self.port = hosts.readable_host(self.bound), int(self.bound[1])
        self._settings = settings
        self._is_accepting = True
        self._admission = Admission()
        self._requests = Requests()
        self.forget_ended = self._requests.forget_ended
        self._observe: Observer | None = None
        self._faults: Misbehaviour | None = None
        self._presence: Presence | None = None

    # For the server object, on the engine's thread -----------------------------------------

    def begin(self) -> None:
        """Serves from now on."""
        self._tenancy.begin()

    def change(self, settings: ServerSettings) -> None:
        """Takes other settings, for the next request.

        Raises:
            UsageError: another server at the port has the clients.
        """
        self._tenancy.check(settings)
        clients = Clients(settings.clients)
        self._tenancy.check_clients(clients)
        self._settings, self.clients = settings, clients
        self._reception.change(settings)
        self.at.sort()

    @property
    def at(self) -> RequestPort:
        """The port."""
        return self._tenancy.at

    def tap(self, observe: Observer | None) -> None:
        """Shows each datagram from now on to an observer; to nobody any more if it is None."""
        self._observe = observe
        self._use(self.sock)
        for session in self.sessions:
            session.channel.tap(observe)

    def _use(self, sock: socket.socket) -> None:
        """Has a socket from now on, with the observer, to whom faults tell more."""
        observe = self._observe if self._faults is None else self._faults.observer(self._observe)
        self.sock = self._reception.sock = tapped(sock, observe)
        self.at.sort()

    def misbehave(self, plan: Plan) -> None:
        """Has the faults of a plan from now on, in running transfers too."""
        if self._faults is None:
            # A server without faults needs none of it.
            from TftpLibrary.engine.misbehaviour import Misbehaviour  # noqa: PLC0415

            self._faults = self._reception.faults = Misbehaviour(plan, self._engine, self)
        self._faults.reroute(self.sessions)
        self.tap(self._observe)

    @property
    def paused(self) -> Pause | None:
        """How the server is away on purpose; None while it serves."""
        return None if self._presence is None else self._presence.mode

    def pause(self, mode: Pause, duration: float | None = None) -> None:
        """Is away on purpose from now on; `duration` seconds, or until `resume`.

        Raises:
            UsageError: a crash would close the port of other servers.
        """
        # A server that is never paused needs none of it.
        from TftpLibrary.engine.presence import Presence  # noqa: PLC0415

        self.resume()
        presence = Presence(mode, self, self._engine, duration, self.resume)
        presence.begin()
        self._presence = presence

    def resume(self) -> None:
        """Serves again. Idempotent.

        Raises:
            UsageError: the port was taken meanwhile.
        """
        presence = self._presence
        if presence is not None:
            try:
                # Whoever sees that it is not paused any more may ask at once.
                presence.reopen()
            finally:
                self._presence = None
            presence.end()

    def unbind(self) -> None:
        """Closes the port.

        Raises:
            UsageError: other servers share it.
        """
        self._tenancy.unbind()

    def rebind(self) -> None:
        """Opens the same port again.

        Raises:
            UsageError: it was taken meanwhile.
        """
        self._tenancy.rebind(self.bound)
        self._use(self._tenancy.sock)

    def refuse_requests(self) -> None:
        """From now on requests are not answered; transfers go on."""
        self._is_accepting = False

    def stop(self) -> list[Transfer]:
        """Cuts every transfer short, with an ERROR to its peer, and closes the port."""
        self._is_accepting = False
        presence, self._presence = self._presence, None
        if presence is not None:
            presence.stop()
        cut = [session.stop() for session in self.sessions]
        if self._faults is not None:
            self._faults.stop()
        self.close()
        return [transfer for transfer in cut if transfer is not None]

    def close(self) -> None:
        """Leaves the port. Idempotent; from any thread."""
        self._tenancy.close()

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The live sessions."""
        return self._admission.sessions

    @property
    def is_idle(self) -> bool:
        """Whether every file has been moved; last ACKs may still be repeated."""
        return all(session.entry.end is not None for session in self.sessions)

    # For the engine ------------------------------------------------------------------------

    @property
    def longest(self) -> int:
        """Octets of the longest datagram that it has to see."""
        # In single-port mode the DATA of transfers comes through the port too, and an observer sees
        # everything. Otherwise one octet more than the bound shows a request that is too long.
        is_whole = self._settings.single_port or self._observe is not None
        return 65536 if is_whole else MAX_REQUEST_SIZE + 1

    def owns(self, peer: Address, datagram: bytes) -> bool:
        """Whether a datagram belongs to a running transfer, or is a copy of its request."""
        if self._admission.find(peer) is None:
            return False
        if is_request(datagram):
            return self._requests.is_running(peer, datagram)
        return self._settings.single_port

    def arrive(self, arrival: Arrived) -> None:
        """Takes a datagram that came to the port."""
        datagram, peer, local, is_broadcast, came, control = arrival
        if self._observe is not None and isinstance(self.sock, TappedSocket):
            self.sock.show_received(datagram, peer, control)
        if is_broadcast and not self._settings.broadcast:
            self.overhear(datagram, peer, _IGNORED)
        # Not a copy that lay here while its transfer ran; a lone transfer may be over by now.
        elif not self._requests.has_ended(peer, datagram, came):
            take = self.take if self._faults is None else self._faults.take
            take(datagram, peer, local if self._tenancy.is_wildcard else None, came)

    @property
    def holds_datagrams(self) -> bool:
        """Whether faults hold back what an observer is shown."""
        return self._faults is not None

    def show_rest(self) -> None:
        """Shows an observer what was not taken."""
        if self._faults is not None:
            self._faults.show_rest()

    def fail(self, error: BaseException) -> None:
        """An exception of our own code while a datagram was looked at."""
        message, traceback = explain_defect(error)
        self.recorder.defect(f"Server {self.alias!r} took a datagram, {message}.\n{traceback}")

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
        if self._presence is not None:
            again = partial(self.take, datagram, peer, local, came, passage)
            if not self._presence.lets_in(again):
                return
        if self._settings.single_port and not is_request(datagram):
            session = self._admission.find(peer)
            if session is not None:
                session.take(datagram)
                return
        # A packet of a transfer is not answered, nor is a datagram too short for an opcode.
        if len(datagram) < 2 or is_of_transfer(datagram) or not self._is_accepting:
            return
        self._serve(datagram, peer, local, came, passage)

    def answer(self, octets: bytes, peer: Address, local: Address | None) -> None:
        """Sends from the port of the server."""
        udp.send_from(self.sock, octets, peer, local)

    @property
    def bound(self) -> Address:
        """The address that is bound."""
        return self._reception.bound

    def find_session(self, peer: Address) -> Session | None:
        """Returns the session with a peer; None without one."""
        return self._admission.find(peer)

    def overhear(self, datagram: bytes, peer: Address, end: End) -> None:
        """Records a request without an answer; of one to a broadcast address see RFC 1123."""
        if not self._is_accepting or not is_request(datagram):
            return
        with suppress(PacketError):
            request, client = decode_request(datagram), hosts.readable_host(peer)
            entry = self.make_entry(request, peer, client, monotonic())
            entry.finish(end, Tally(), entry.begun)

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
            entry = None if malformed is None else self.make_entry(malformed, peer, client, begun)
            self._refuse(refusal, peer, local, passage, entry)
            return
        session = self._admission.find(peer)
        if session is not None and self._requests.is_repeated(session, peer, datagram, came):
            return
        entry = self.make_entry(request, peer, client, begun)
        arrival = Arrival(request, peer, local, client, entry, passage)
        is_small = len(self._admission) > _MANY_TRANSFERS
        try:
            if self._presence is not None:
                self._presence.check()
            if self.clients.texts and not self.at.serves(self, peer):
                public, reason = "Access violation", self.at.why_not(peer)
                raise Refusal(ErrorCode.access_violation, public, reason, Cause.client)
            self._admission.check(client, self._settings, begun)
            forget = self._forgetter(peer, client)
            session = self._reception.receive(arrival, forget, is_small=is_small)
        except Refusal as refusal:
            self._refuse(refusal, peer, local, passage, entry)
            return
        except Exception as error:
            reason, traceback = explain_defect(error)
            defect = Refusal(ErrorCode.not_defined, DEFECT, reason, traceback=traceback)
            self._refuse(defect, peer, local, passage, entry)
            return
        self._admission.add(peer, client, session)
        self._requests.begin(peer, datagram)
        if self._observe is not None:
            session.channel.tap(self._observe)
        try:
            session.begin(monotonic())
        except Exception as error:
            session.fail(error)

    def _refuse(
        self,
        refusal: Refusal,
        peer: Address,
        local: Address | None,
        passage: Passage | None,
        entry: Entry | None,
    ) -> None:
        """Records a refusal, and answers with an ERROR."""
        packet = Error(refusal.code, refusal.public).encode()
        send: Callable[[], None] = partial(self.answer, packet, peer, local)
        if self._faults is not None:
            # Decided before the record ends, which shows what becomes of the answer.
            send = self._faults.answer(packet, (peer, local), passage, entry)
        if entry is not None:
            outcome = Outcome.failed if refusal.traceback else Outcome.refused
            end = End(outcome, refusal.code, refusal.reason, cause=refusal.cause)
            entry.finish(end, Tally(), monotonic(), refusal.traceback)
        send()

    def _forgetter(self, peer: Address, client: str) -> Callable[[Session], None]:
        def forget(session: Session) -> None:
            self._admission.forget(peer, client, session)
            if self._admission.find(peer) is None:
                self._requests.end(peer, session)

        return forget

    def make_entry(self, request: Request, peer: Address, client: str, begun: float) -> Entry:
        """Makes the record of a request."""
        tid = client, int(peer[1])
        entry = Entry(self.recorder, self._engine, request, self.alias, tid, begun)
        if self.clients.has_macs:
            entry.mac = self.at.mac_of(peer)
        return entry
