"""The client's first exchange: calls a server, and hands over to a session that moves the file."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from functools import partial
from time import monotonic
from typing import NamedTuple

from TftpLibrary.engine import hosts, udp
from TftpLibrary.engine.assembly import Assembly, Cargo
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.hosts import Address
from TftpLibrary.engine.poller import Handler
from TftpLibrary.engine.session import STOPPING, Session, explain_defect
from TftpLibrary.engine.strangers import turn_away
from TftpLibrary.engine.tap import tapped, untapped
from TftpLibrary.engine.udp import DONTWAIT
from TftpLibrary.protocol.datagrams import Observer, is_request
from TftpLibrary.protocol.options import Agreement, ask
from TftpLibrary.protocol.outcome import Cause, End, Outcome
from TftpLibrary.protocol.packets import Direction, Mode, Request, octets_of_text
from TftpLibrary.protocol.roles import Role, make_opening
from TftpLibrary.recording.entry import Entry, Tally
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ClientSettings

_CLOSED = "nothing listens at that port"
_LARGEST_DATAGRAM = 65536
_MOST_OTHERS = 3
"""Addresses that are named of those that answered without being asked."""


class Order(NamedTuple):
    """A client's order: one file, from or to one server.

    Attributes:
        name: the name to ask for.
        cargo: the file to write, or the place of the file to read.
        servers: family and address of the server's request port; a name may have several.
        settings: how to ask.
        recorder: where the record goes.
    """

    name: str
    cargo: Cargo
    servers: tuple[tuple[int, Address], ...]
    settings: ClientSettings
    recorder: Recorder

    def request(self) -> Request:
        """Returns the RRQ or WRQ."""
        settings, cargo = self.settings, self.cargo
        direction = Direction.read if cargo.source is None else Direction.write
        # RFC 2349: a read asks with 0. Text has no size to ask for or to announce.
        is_text = cargo.mode is Mode.netascii
        size = cargo.size if direction is Direction.write else 0
        wishes = partial(
            ask,
            direction=direction,
            blksize=settings.blksize,
            windowsize=settings.windowsize,
            rollover=settings.rollover,
        )
        options = wishes()
        # A request without any option is one that every device knows.
        is_size_wished = bool(options) if settings.tsize is None else settings.tsize
        if is_size_wished and not is_text:
            options = wishes(tsize=size)
        # The name of a local file may be octets that are no text.
        name = octets_of_text(self.name)
        return Request(direction, name, cargo.mode.value, options)


class Caller:
    """Asks until the server answers; then a session takes over. Engine's thread only.

    Args:
        order: the file and the server; the file is released when there is no transfer.
        engine: what it runs on.

    Attributes:
        entry: the record.
        session: the session that took over; None before.
        others: addresses that answered although they were not asked.

    Raises:
        OSError: no socket can be had.
    """

    def __init__(self, order: Order, engine: Engine) -> None:
        settings = order.settings
        self._socks = _open_socks(order)
        # Each try asks the next one, and so does the news that nothing listens at the last one.
        self._servers = [each for each in order.servers if each[0] in self._socks]
        self._turn = 0
        self._asked = ("", b"")
        self._troubled = ""
        self._troubles: dict[str, str] = {}
        self._cause: Cause | None = None
        self.others: list[str] = []
        self.armed = float("inf")
        self.session: Session | None = None
        self._observe: Observer | None = None
        self._order = order
        self._engine = engine
        self._assembly = Assembly(Role.client, engine, settings.timing(), settings.offload)
        request, begun = order.request(), monotonic()
        # Each address is asked, however few the tries are.
        timing = settings.timing()
        timing = timing._replace(retries=timing.retries + len(self._servers) - 1)
        self._machine = make_opening(
            request, timing, begun, patience=settings.wait, rollover=settings.rollover
        )
        family, first = self._servers[0]
        here = self._socks[family].getsockname()
        server = _address_text(first)
        client = hosts.readable_host(here), int(here[1])
        self.entry = Entry(order.recorder, engine, request, server, client, begun, is_ours=True)
        self.entry.open(order.cargo.size)

    # For the engine ------------------------------------------------------------------------

    @property
    def descriptors(self) -> tuple[tuple[int, Handler], ...]:
        """The sockets to watch, one for each family."""
        return tuple((sock.fileno(), self) for sock in self._socks.values())

    @property
    def deadline(self) -> float | None:
        """When `handle_timeout` is due."""
        return self._machine.deadline

    def begin(self) -> None:
        """Sends the request, and goes on when there is an answer."""
        self._engine.add(self)
        self._flush()

    def ready(self) -> None:
        """An answer, usually."""
        for family, sock in self._socks.items():
            try:
                datagram, address = sock.recvfrom(_LARGEST_DATAGRAM, DONTWAIT)
            except OSError as error:
                self._note_troubles(sock, error)
                self._pass_over()
                continue
            if self._is_awaited(sock, datagram, address):
                self._take(family, datagram, address)
                return

    def settle(self) -> None:
        """Does nothing: the server's TID is not known yet."""

    def run_alone(self) -> None:
        """Does nothing: waiting here for one answer gains nothing."""

    def handle_writable(self) -> None:
        """Does nothing: nothing waits for room."""

    def handle_timeout(self, now: float) -> None:
        """The deadline passed: asks again, or gives up."""
        self._machine.handle_timeout(now)
        self._flush()

    def fail(self, error: BaseException) -> None:
        """An exception of our own code: ends this transfer, and nothing else."""
        if self.session is not None:
            self.session.fail(error)
        else:
            message, traceback = explain_defect(error)
            self._finish(End(Outcome.failed, None, message), traceback)

    def sample(self, now: float) -> None:
        """Does nothing: nothing has arrived yet."""

    def report(self, now: float) -> None:
        """Brings the record up to date."""
        self.entry.progress(self._tally(), now - self.entry.begun, now)

    def stop(self, reason: str = STOPPING) -> Transfer | None:
        """Gives up at once.

        Returns:
            The record if a transfer was cut short; None if it had ended.
        """
        if self.session is not None:
            return self.session.stop(reason)
        if self.entry.end is not None:
            return None
        self._machine.abort(0, reason, Outcome.aborted)
        self._flush()
        return self.entry.transfer

    # For the client ------------------------------------------------------------------------

    def tap(self, observe: Observer | None) -> None:
        """Shows each datagram from now on to an observer; to nobody any more if it is None."""
        self._observe = observe
        if self.session is not None:
            self.session.channel.tap(observe)
        elif self.entry.end is None:
            self._tap_sockets(observe)

    # Inside --------------------------------------------------------------------------------

    def _tally(self) -> Tally:
        machine = self._machine
        return Tally(
            self._order.cargo.size,
            retransmits=machine.retransmits,
            duplicates=machine.duplicates,
        )

    def _tap_sockets(self, observe: Observer | None) -> None:
        self._socks = {family: tapped(sock, observe) for family, sock in self._socks.items()}

    def _is_awaited(self, sock: socket.socket, datagram: bytes, address: Address) -> bool:
        """Whether the host was asked: the port is one of the server's own choice."""
        if self._order.settings.any_address:
            return True
        if any(address[0] == server[0] for _, server in self._servers):
            return True
        host = hosts.readable_host(address)
        if host not in self.others and len(self.others) < _MOST_OTHERS:
            self.others.append(host)
        turn_away(sock, datagram, address)
        return False

    def _take(self, family: int, datagram: bytes, address: Address) -> None:
        self._machine.receive(datagram, monotonic())
        agreement = self._machine.agreement
        if agreement is not None:
            self._hand_over(family, agreement, datagram, address)
            return
        for number, (_, server) in enumerate(self._servers):
            if server[0] == address[0]:
                # Whoever refuses the options is asked again, and nobody else.
                self._turn = number
        self._flush((family, address))

    def _flush(self, answerer: tuple[int, Address] | None = None) -> None:
        """Sends, and records the end; an ERROR goes to the TID that answered."""
        for transmit in self._machine.transmits():
            assert isinstance(transmit, bytes)
            if answerer is None or is_request(transmit):
                self._ask(transmit)
            else:
                with contextlib.suppress(OSError):
                    self._socks[answerer[0]].sendto(transmit, answerer[1])
        if self._machine.end is None:
            self._engine.arm(self)
        else:
            self._finish(self._explained(self._machine.end))

    def _ask(self, octets: bytes) -> None:
        """Asks the next address; one that nothing can be sent to is passed over."""
        for _ in self._servers:
            family, server = self._servers[self._turn % len(self._servers)]
            self._turn += 1
            host = hosts.readable_host(server)
            self._asked, self._troubled = (host, octets), ""
            try:
                self._send(self._socks[family], octets, server)
            except OSError as error:
                self._note(host, error.errno or 0)
            else:
                return

    def _pass_over(self) -> None:
        """Asks the next address at once if the last one is closed, up to the last of the name."""
        host, octets = self._asked
        if host == self._troubled and self._turn % len(self._servers):
            self._ask(octets)

    def _send(self, sock: socket.socket, octets: bytes, server: Address) -> None:
        try:
            sock.sendto(octets, server)
        except ConnectionError as error:
            # News of an earlier datagram: this one did not leave.
            self._note_troubles(sock, error)
            sock.sendto(octets, server)

    def _note_troubles(self, sock: socket.socket, error: OSError) -> None:
        """Keeps what the network says of the hosts that were asked; only the deadline ends."""
        for host, number in udp.take_troubles(untapped(sock)):
            self._note(host, number)
        if isinstance(error, ConnectionError) and not self._troubles:
            # A system that does not say whose port it is.
            _, server = self._servers[(self._turn - 1) % len(self._servers)]
            self._note(hosts.readable_host(server), errno.ECONNREFUSED)

    def _note(self, host: str, number: int) -> None:
        is_closed = number in (errno.ECONNREFUSED, errno.ECONNRESET)
        self._troubled = host
        self._troubles[host] = _CLOSED if is_closed else os.strerror(number).lower()
        self._cause = Cause.no_listener if is_closed else Cause.no_way

    def _explained(self, end: End) -> End:
        """Adds to an end without an answer who was asked, and who answered instead."""
        if end.outcome is not Outcome.timed_out:
            return end
        asked = [hosts.readable_host(server) for _, server in self._servers]
        parts = [end.message]
        if len(asked) > 1:
            parts.append(f"asked {' and '.join(asked)}")
        parts += [f"{host}: {text}" for host, text in self._troubles.items()]
        if self.others:
            parts.append(f"{' and '.join(self.others)} answered, which was not asked")
        is_for_all = len(self._troubles) == len(set(asked))
        return end._replace(message="; ".join(parts), cause=self._cause if is_for_all else None)

    def _finish(self, end: End, traceback: str = "") -> None:
        if self.entry.end is not None:
            return
        self._engine.remove(self)
        for sock in self._socks.values():
            sock.close()
        self._order.cargo.release()
        self.entry.remark(*self._machine.remarks)
        self.entry.finish(end, self._tally(), monotonic(), traceback)

    def _hand_over(self, family: int, agreement: Agreement, datagram: bytes, peer: Address) -> None:
        """The server has shown its TID: a session of the usual kind takes over."""
        cargo = self._order.cargo
        self._engine.remove(self)
        self._tap_sockets(None)
        sock = self._socks.pop(family)
        udp.hear_of_trouble(sock, is_wanted=False)
        for other in self._socks.values():
            other.close()
        self._socks = {family: sock}
        try:
            channel = self._assembly.open_channel(sock, peer, agreement, cargo)
        except OSError as error:
            text = f"there is no way to the server's port: {error.strerror}"
            self._finish(End(Outcome.failed, None, text))
            return
        if self._observe is not None:
            channel.tap(self._observe)
        waiting = channel.take_early()
        if not agreement.has_oack and cargo.sink is not None:
            waiting.insert(0, datagram)
        now = monotonic()
        client = hosts.readable_host(sock.getsockname())
        self.entry.remark(*self._machine.remarks)
        self.entry.agree(client, _address_text(peer), cargo.size_of(agreement), agreement.granted)
        self.session = self._assembly.make_session(cargo, agreement, channel, self.entry, now)
        self.session.begin(now)
        for each in waiting:
            self.session.take(each)


def _address_text(address: Address) -> str:
    return f"{hosts.url_host(hosts.readable_host(address))}:{address[1]}"


def _open_socks(order: Order) -> dict[int, socket.socket]:
    """Opens a socket for each family that the server has, and this machine.

    Raises:
        OSError: there is none.
    """
    socks: dict[int, socket.socket] = {}
    trouble: OSError | None = None
    for family in dict.fromkeys(family for family, _ in order.servers):
        any_host = "::" if family == socket.AF_INET6 else "0.0.0.0"
        try:
            sock = udp.open_tid((order.settings.local_address or any_host, 0), family)
            socks[family] = sock
            udp.hear_of_trouble(sock, is_wanted=True)
        except OSError as error:
            trouble = error
    if not socks:
        assert trouble is not None
        raise trouble
    return socks
