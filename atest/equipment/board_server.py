"""The board as TFTP server: it offers one file, or takes one, and may do it wrong on purpose.

RFC 1350, 2347 to 2349, 7440. It serves one request after the other, each from a TID of its own,
and checks every ACK, DATA and option of the client as strictly as the board's client end does.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from atest.equipment.board_exchange import Exchange, Habits, Report
from atest.equipment.board_transfers import Receiver, Sender
from TftpBoard.packets import (
    ACK,
    RRQ,
    WRQ,
    BoardError,
    Packet,
    RefusedError,
    Terms,
    decode,
    encode_ack,
    encode_data,
    encode_error,
    encode_oack,
    from_netascii,
    parse_options,
    to_netascii,
)
from TftpBoard.ports import MAX_DATAGRAM, Address

KNOWN_OPTIONS = ("blksize", "timeout", "tsize", "windowsize", "rollover")


@dataclass(frozen=True)
class Mischief:
    """The wrong things that a serving board does. The default is none.

    Attributes:
        grant: values that replace or join those of the OACK: more than asked, or never asked.
        no_oack: options are ignored, as a server of 1992 does.
        ignore_requests: number of requests without an answer; the boot loader is not ready yet.
        refuse_code: the code of an ERROR in answer to every request.
        refuse_text: its text.
        first_answer: these octets come instead of the first answer.
        foreign_data: right behind the OACK, or the ACK 0 of a write, comes DATA from a foreign
            TID, which the client must answer with ERROR 5. (Without an OACK use `stranger_after`:
            the first answer to an RRQ may come from any port.)
    """

    grant: Mapping[str, str] = field(default_factory=dict)
    no_oack: bool = False
    ignore_requests: int = 0
    refuse_code: int | None = None
    refuse_text: str = "Refused by the board"
    first_answer: bytes = b""
    foreign_data: bool = False


def sort_mischief(how: Mapping[str, object]) -> tuple[Mischief, dict[str, object]]:
    """Takes the mischief from named arguments and returns it with the rest."""
    rest = dict(how)
    code = rest.pop("refuse_code", None)
    first = rest.pop("first_answer", b"")
    return (
        Mischief(
            grant=parse_options(str(rest.pop("grant", ""))),
            no_oack=_is_true(rest.pop("no_oack", False)),
            ignore_requests=int(str(rest.pop("ignore_requests", 0))),
            refuse_code=None if code is None else int(str(code)),
            refuse_text=str(rest.pop("refuse_text", "Refused by the board")),
            first_answer=first if isinstance(first, bytes) else str(first).encode(),
            foreign_data=_is_true(rest.pop("foreign_data", False)),
        ),
        rest,
    )


class ServingBoard:
    """A board with a TFTP server. Use it as a context manager, or call `close`.

    Attributes:
        host: the address that it listens on.
        port: the port that it listens on.
        reports: one report for each request that was answered, in order.
        ignored: requests that got no answer.
        content: the file that the board serves, or that it was sent.
    """

    def __init__(
        self,
        name: str,
        content: bytes = b"",
        *,
        address: Address = ("127.0.0.1", 0),
        habits: Habits | None = None,
        mischief: Mischief | None = None,
    ) -> None:
        self.content = content
        self.reports: list[Report] = []
        self.ignored = 0
        self._name = name
        self._habits = habits or Habits()
        self._mischief = mischief or Mischief()
        self._failure: BaseException | None = None
        self._changed = threading.Condition()
        self._kept: list[socket.socket] = []
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_DGRAM)
        self._sock.bind(address)
        self.host, self.port = self._sock.getsockname()[:2]
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="serving board", daemon=True)
        self._thread.start()

    def __enter__(self) -> ServingBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, transfers: int = 1, timeout: float = 10.0) -> Report:
        """Waits until some requests have been answered to the end, and returns the last report.

        Raises:
            BoardError: the client did something wrong, or not enough requests came.
        """
        until = time.monotonic() + timeout
        with self._changed:
            while not self._failure and len(self.reports) < transfers:
                left = until - time.monotonic()
                if left <= 0:
                    raise BoardError(
                        f"{transfers} transfers of '{self._name}' were expected in {timeout} s, "
                        f"{len(self.reports)} ended and {self.ignored} requests were ignored."
                    )
                self._changed.wait(min(left, 0.2))
        if self._failure:
            raise self._failure
        return self.reports[transfers - 1]

    def close(self) -> None:
        """Ends the thread and closes every port. Idempotent."""
        self._waker.close()
        self._thread.join(self._habits.patience + 5)
        for sock in (self._sock, self._wake, *self._kept):
            sock.close()

    def _run(self) -> None:
        while True:
            readable, _, _ = select.select([self._sock, self._wake], [], [])
            if self._wake in readable:
                return
            try:
                octets, source = self._sock.recvfrom(MAX_DATAGRAM)
                self._take_request(decode(octets), source[:2])
            except ConnectionError:
                continue  # Windows reports a closed port at the next call.
            except Exception as problem:
                with self._changed:
                    self._failure = problem
                    self._changed.notify_all()
                return

    def _take_request(self, request: Packet, client: Address) -> None:
        if request.kind not in (RRQ, WRQ):
            raise BoardError(f"A request was expected at port {self.port}, got {request}.")
        if self.ignored < self._mischief.ignore_requests:
            self.ignored += 1
            return
        report = Report(request.filename.decode(), dict(request.options))
        sock = socket.socket(self._sock.family, socket.SOCK_DGRAM)
        sock.bind((self.host, 0))
        self._kept.append(sock)  # A board that fell silent is silent, not gone.
        link = Exchange(sock, client, report, self._habits, has_tid=True)
        started = time.monotonic()
        try:
            self._serve(request, link)
        except RefusedError:
            pass  # The client's ERROR stands in the report; the test judges it.
        finally:
            link.close_books()
            report.duration = time.monotonic() - started
        with self._changed:
            self.reports.append(report)
            self._changed.notify_all()

    def _serve(self, request: Packet, link: Exchange) -> None:
        mischief = self._mischief
        if mischief.refuse_code is not None:
            link.send(encode_error(mischief.refuse_code, mischief.refuse_text))
        elif request.kind == RRQ and link.report.name != self._name:
            link.send(encode_error(1, "The board has no such file"))
        elif mischief.first_answer:
            link.send(mischief.first_answer)
            packet = link.receive("an ERROR")
            link.fail(f"The client should refuse the first answer with ERROR, it sent {packet}")
        elif request.kind == RRQ:
            self._send_file(request, link)
        else:
            self._receive_file(request, link)

    def _send_file(self, request: Packet, link: Exchange) -> None:
        is_text = request.text.lower() == "netascii"
        octets = to_netascii(self.content) if is_text else self.content
        granted = self._grants(request, len(octets))
        link.report.content = self.content
        link.report.granted = granted
        if granted:
            link.send(encode_oack(granted))
            self._disturb(link)
            packet = link.receive("ACK 0")
            if (packet.kind, packet.number) != (ACK, 0):
                link.fail(f"ACK 0 was expected in answer to the OACK, got {packet}")
        Sender(link, Terms(granted), octets).run()
        self._end(link)

    def _receive_file(self, request: Packet, link: Exchange) -> None:
        granted = self._grants(request, None)
        link.report.granted = granted
        answer = encode_oack(granted) if granted else encode_ack(0)
        link.send(answer)
        self._disturb(link)
        octets = Receiver(link, Terms(granted), on_repeat=lambda: link.send(answer)).run()
        is_text = request.text.lower() == "netascii"
        self.content = link.report.content = from_netascii(octets) if is_text else octets
        self._end(link)

    def _end(self, link: Exchange) -> None:
        if link.report.is_complete and not self._habits.is_lossy:
            link.must_be_quiet(self._habits.linger)

    def _grants(self, request: Packet, size: int | None) -> dict[str, str]:
        """Grants every option that the board knows as it was asked, then does its mischief."""
        if self._mischief.no_oack:
            return {}
        granted = {n: v for n, v in request.options.items() if n.lower() in KNOWN_OPTIONS}
        for name in granted:
            if name.lower() == "tsize" and size is not None:
                granted[name] = str(size)
        return {**granted, **self._mischief.grant}

    def _disturb(self, link: Exchange) -> None:
        if self._mischief.foreign_data:
            link.disturb(encode_data(1, b"not yours"))


def _is_true(value: object) -> bool:
    return str(value).lower() in ("true", "yes", "on", "1")
