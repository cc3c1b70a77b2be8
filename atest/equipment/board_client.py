"""The board as TFTP client: it asks a server for a file, or sends it one.

RFC 1350 section 2 to 4, RFC 2347 to 2349, RFC 7440. Plain functions for unit tests; the Robot
library is `board.py`.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from atest.equipment.board_exchange import Exchange, Habits, Report
from atest.equipment.board_transfers import Receiver, Sender
from TftpBoard.packets import (
    ACK,
    DATA,
    OACK,
    RRQ,
    WRQ,
    BoardError,
    Packet,
    Terms,
    check_answer,
    encode_ack,
    encode_error,
    encode_request,
    from_netascii,
    to_netascii,
)


@dataclass
class Ask:
    """One request of a board, and where it goes.

    Attributes:
        name: the file; text is sent as UTF-8, octets as they are.
        host: the address that the board asks; every answer must come from it.
        port: the port that the board asks.
        mode: `octet`, `netascii`, or a mode that a test wants to see refused.
        options: the options, in the order in which they are asked.
        habits: how the board behaves.
        report: what the board saw, also after a failure.
        is_paused: set when the board pauses, as a habit makes it do.
        may_go_on: set by the test to let it go on.
    """

    name: str | bytes
    host: str
    port: int
    mode: str = "octet"
    options: Mapping[str, str] = field(default_factory=dict)
    habits: Habits = field(default_factory=Habits)
    report: Report = field(default_factory=Report, init=False)
    is_paused: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.report.name = os.fsdecode(self.name).encode(errors="backslashreplace").decode()
        self.report.asked = dict(self.options)

    def request(self, kind: int) -> bytes:
        """Returns the octets of the RRQ or WRQ."""
        name = self.name if isinstance(self.name, bytes) else self.name.encode()
        return encode_request(kind, name, self.mode, self.options)


class Job:
    """A board at work on a thread of its own."""

    def __init__(self, ask: Ask, work: Callable[[], Report]) -> None:
        self.ask = ask
        self._work = work
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="board", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as problem:
            self._failure = problem

    def finish(self, timeout: float) -> Report:
        """Waits for the board to end and returns its report, or raises its failure."""
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise BoardError(f"The board with '{self.ask.report.name}' did not end in {timeout} s.")
        if self._failure:
            raise self._failure
        return self.ask.report

    def wait_for_pause(self, timeout: float) -> None:
        """Waits until the board pauses as its habits say, or raises its failure."""
        until = time.monotonic() + timeout
        while not self.ask.is_paused.wait(0.02):
            if not self._thread.is_alive():
                raise self._failure or BoardError("The board came to its end without a pause.")
            if time.monotonic() > until:
                raise BoardError(f"The board did not pause in {timeout} s.")


def read_file(ask: Ask, sock: socket.socket) -> Report:
    """Reads a file over a socket that stays open: a board that stopped is silent, not gone.

    Raises:
        RefusedError: the server answered with an ERROR.
        BoardError: the server did something else that it should not do.
    """
    with _exchange(ask, sock) as link:
        first = _ask(link, ask, RRQ)
        terms = _agree(link, ask, RRQ, first)
        if ask.habits.stop_after == 0:
            link.stop()
            return ask.report
        answer = b""
        if first.kind == OACK:
            _acknowledge_options(link)
        else:
            answer = first_data(first)
        receiver = Receiver(link, terms, on_repeat=lambda: link.send(encode_ack(0)))
        content = receiver.run(answer)
        ask.report.content = from_netascii(content) if _is_text(ask.mode) else content
        _end(link, ask)
    return ask.report


def write_file(ask: Ask, content: bytes, sock: socket.socket) -> Report:
    """Writes a file over a socket that stays open.

    Raises:
        RefusedError: the server answered with an ERROR.
        BoardError: the server did something else that it should not do.
    """
    with _exchange(ask, sock) as link:
        first = _ask(link, ask, WRQ)
        terms = _agree(link, ask, WRQ, first)
        octets = to_netascii(content) if _is_text(ask.mode) else content
        ask.report.content = content
        Sender(link, terms, octets).run()
        _end(link, ask)
    return ask.report


def probe_size(ask: Ask, sock: socket.socket) -> Report:
    """Asks for a file's size as EDK2 does: takes the OACK and answers ERROR 8.

    Raises:
        RefusedError: the server answered with an ERROR.
        BoardError: no OACK came, or one without tsize.
    """
    with _exchange(ask, sock) as link:
        first = _ask(link, ask, RRQ)
        _agree(link, ask, RRQ, first)
        if "tsize" not in ask.report.granted:
            link.fail(f"An OACK with tsize was expected, got {first}")
        link.send(encode_error(8, "User aborted the transfer"))
        link.must_be_quiet(ask.habits.linger)
        ask.report.is_complete = True
    return ask.report


def first_data(packet: Packet) -> bytes:
    """Returns the octets of a DATA packet that was decoded already."""
    return b"\0\3" + packet.number.to_bytes(2, "big") + packet.payload


@contextmanager
def _exchange(ask: Ask, sock: socket.socket) -> Iterator[Exchange]:
    found = socket.getaddrinfo(ask.host, ask.port, sock.family, socket.SOCK_DGRAM)
    host = str(found[0][4][0])
    link = Exchange(sock, (host, ask.port), ask.report, ask.habits)
    link.paused, link.may_go_on = ask.is_paused, ask.may_go_on
    started = time.monotonic()
    try:
        yield link
    finally:
        link.close_books()
        ask.report.duration = time.monotonic() - started


def _ask(link: Exchange, ask: Ask, kind: int) -> Packet:
    request = ask.request(kind)
    for _ in range(1 + ask.habits.repeat_request):
        link.send(request)
    answers = "OACK or DATA 1" if kind == RRQ else "OACK or ACK 0"
    return link.receive(answers if ask.options else answers[8:])


def _agree(link: Exchange, ask: Ask, kind: int, first: Packet) -> Terms:
    """Checks the first answer and returns the terms from here on."""
    if first.kind == OACK:
        check_answer(kind, ask.options, first.options)
        ask.report.granted = dict(first.options)
    elif (first.kind, first.number) != ((DATA, 1) if kind == RRQ else (ACK, 0)):
        link.fail(f"The first answer cannot be {first}")
    return Terms(ask.report.granted)


def _acknowledge_options(link: Exchange) -> None:
    if 0 in link.habits.withhold_acks:
        again = link.receive("the OACK again")
        if again.kind != OACK:
            link.fail(f"The OACK was expected again, got {again}")
        link.report.duplicates += 1
    link.send(encode_ack(0))
    if link.habits.duplicate_acks:
        link.send(encode_ack(0))


def _end(link: Exchange, ask: Ask) -> None:
    if ask.report.is_complete and not ask.habits.is_lossy:
        link.must_be_quiet(ask.habits.linger)


def _is_text(mode: str) -> bool:
    return mode.lower() == "netascii"
