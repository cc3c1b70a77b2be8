"""The board's end of one transfer: its socket, its habits, and its report.

An `Exchange` is one end of a transfer. It checks the source address of every datagram, counts the
packets of each kind, and remembers the last ones for the message of a failure.
"""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn

from TftpBoard.packets import (
    ERROR,
    KINDS,
    BoardError,
    Packet,
    RefusedError,
    decode,
    encode_error,
    option_text,
)
from TftpBoard.ports import MAX_DATAGRAM, Address


@dataclass(frozen=True)
class Habits:
    """The habits of a board. The default is a board that does everything right.

    Blocks are absolute numbers from 1. A habit that names a block must take effect, or the
    transfer fails: a test would believe in something that never happened.

    Attributes:
        patience: seconds that the board waits for the next packet.
        linger: seconds that it listens after the end; a packet then is a failure.
        drop_blocks: DATA that get lost, once each, on their way to or from the board.
        withhold_acks: blocks whose ACK gets lost, once each; 0 is the answer to the OACK.
        duplicate_acks: every ACK is sent twice.
        repeat_acks: blocks whose ACK comes a second time, a moment later.
        duplicate_data: every DATA is sent twice.
        repeat_request: how often the request is sent again at once.
        repeat_last_data: the last DATA is sent again after its ACK, which must come again.
        resend_after: seconds after which lost DATA is sent again if no ACK shows the loss.
        accept_duplicates: packets that the network repeats are accepted.
        stop_after: the block after which the board stops; 0 stops at the first answer.
        stop_with: `silence` says nothing more, `listen` neither but waits for the other end to
            give up, `error` sends an ERROR, `vanish` closes the port.
        stop_code: the code of that ERROR.
        pause_after: the block after which the board waits until the test lets it go on.
        stranger_after: the block after which a packet from another port disturbs the other end;
            it must be answered with ERROR 5.
    """

    patience: float = 5.0
    linger: float = 0.0
    drop_blocks: tuple[int, ...] = ()
    withhold_acks: tuple[int, ...] = ()
    duplicate_acks: bool = False
    repeat_acks: tuple[int, ...] = ()
    duplicate_data: bool = False
    repeat_request: int = 0
    repeat_last_data: bool = False
    resend_after: float = 2.0
    accept_duplicates: bool = False
    stop_after: int | None = None
    stop_with: str = "silence"
    stop_code: int = 0
    pause_after: int | None = None
    stranger_after: int | None = None

    @property
    def is_lossy(self) -> bool:
        """Whether the other end has a reason to send something again."""
        is_repeating = self.repeat_request > 0 or self.accept_duplicates or self.duplicate_data
        is_losing = bool(self.drop_blocks or self.withhold_acks)
        return is_losing or is_repeating or self.pause_after is not None


FLAGS = ("accept_duplicates", "duplicate_acks", "duplicate_data", "repeat_last_data")
HABITS = frozenset(item.name for item in fields(Habits))


def sort_arguments(arguments: Mapping[str, object]) -> tuple[Habits, dict[str, str]]:
    """Sorts named arguments into habits and the options to ask for, which keep their order.

    Raises:
        BoardError: a name that looks like a habit, but is none.
    """
    habits: dict[str, Any] = {}  # Any: each habit has its own type.
    options: dict[str, str] = {}
    for name, value in arguments.items():
        if name in HABITS:
            habits[name] = _habit(name, value)
        elif "_" in name:
            raise BoardError(
                f"The board has no habit '{name}', and no TFTP option has an underscore. "
                f"Habits: {', '.join(sorted(HABITS))}."
            )
        else:
            options[name] = str(value)
    return Habits(**habits), options


def _habit(name: str, value: object) -> object:
    text = str(value)
    if name in ("drop_blocks", "repeat_acks", "withhold_acks"):
        return numbers(value)
    if name in FLAGS:
        return text.lower() in ("true", "yes", "on", "1")
    if name in ("patience", "linger", "resend_after"):
        return float(text.removesuffix("s"))
    if name == "stop_with":
        if text not in ("silence", "listen", "error", "vanish"):
            raise BoardError(f"stop_with is silence, listen, error or vanish, not '{text}'.")
        return text
    return int(text)


def numbers(value: object) -> tuple[int, ...]:
    """Returns the numbers of a list, or of text such as `3, 7` or `3-6`."""
    if isinstance(value, (list, tuple)):
        return tuple(int(item) for item in value)
    found: list[int] = []
    for part in str(value).replace(",", " ").split():
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


@dataclass
class Report:
    """The board's report of one transfer.

    Attributes:
        name: the file.
        asked: the options of the request.
        granted: the options of the OACK; empty when none came.
        content: the octets of the file, as the board keeps them.
        blocks: the last block that counted.
        received: packets received, by kind: `{"OACK": 1, "DATA": 3}`.
        sent: packets sent, by kind.
        duplicates: blocks or ACKs that came again, where the board's habits allow it.
        discarded: blocks that came after a gap.
        error_code: the code of the ERROR that the other end sent.
        error_text: the text of that ERROR.
        server_host: the address of the other end.
        server_port: its TID.
        local_port: the TID of the board.
        duration: seconds from the request to the end.
        is_complete: whether the whole file came to its end.
    """

    name: str = ""
    asked: dict[str, str] = field(default_factory=dict)
    granted: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    blocks: int = 0
    received: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    discarded: int = 0
    error_code: int | None = None
    error_text: str = ""
    server_host: str = ""
    server_port: int = 0
    local_port: int = 0
    duration: float = 0.0
    is_complete: bool = False

    @property
    def size(self) -> int:
        """Octets of the content."""
        return len(self.content)

    @property
    def sha256(self) -> str:
        """Digest of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def options(self) -> str:
        """The options granted, as one text: `blksize=1468 tsize=5000`."""
        return option_text(self.granted)

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode()


class Exchange:
    """The board's end of one transfer.

    `peer` is where the board sends to. Until the first answer came it is the port of the request;
    afterwards the other end's TID, and nothing from elsewhere is accepted.
    """

    def __init__(
        self,
        sock: socket.socket,
        peer: Address,
        report: Report,
        habits: Habits,
        *,
        has_tid: bool = False,
    ) -> None:
        self.report = report
        self.habits = habits
        self.paused = threading.Event()
        self.may_go_on = threading.Event()
        self._sock = sock
        self.peer = peer
        self._has_tid = has_tid
        self._counts: Counter[int] = Counter()
        self._sent: Counter[int] = Counter()
        self._last: deque[tuple[str, bytes]] = deque(maxlen=10)
        report.local_port = sock.getsockname()[1]
        sock.settimeout(habits.patience)

    def send(self, octets: bytes) -> None:
        """Sends a packet to the other end."""
        self._sent[octets[1]] += 1
        self._last.append(("sent", octets))
        self._sock.sendto(octets, self.peer)

    def receive_octets(self, expected: str | Callable[[], str]) -> bytes:
        """Returns the next datagram, and fails unless it comes from the right address.

        Raises:
            RefusedError: it is an ERROR.
            BoardError: nothing came, or it came from elsewhere.
        """
        try:
            octets, source = self._sock.recvfrom(MAX_DATAGRAM)
        except (TimeoutError, BlockingIOError):
            text = expected if isinstance(expected, str) else expected()
            self.fail(f"{text} was expected, nothing came in {self._sock.gettimeout()} s")
        except ConnectionError:
            self.fail("The other end's port is closed")
        return self._accept(octets, source)

    def _accept(self, octets: bytes, source: tuple[Any, ...]) -> bytes:
        self._last.append(("got", octets))
        self._check_source(source)
        self._counts[int.from_bytes(octets[:2], "big")] += 1
        if octets[:2] == b"\0\5":
            self._end_by_error(decode(octets))
        return octets

    def receive(self, expected: str) -> Packet:
        """Returns the next packet, decoded."""
        return decode(self.receive_octets(expected))

    def receive_within(self, seconds: float) -> bytes | None:
        """Returns the next datagram, or None when none comes in this time."""
        patience = self._sock.gettimeout()
        self._sock.settimeout(seconds)
        try:
            octets, source = self._sock.recvfrom(MAX_DATAGRAM)
        except (TimeoutError, BlockingIOError, ConnectionError):
            return None
        finally:
            self._sock.settimeout(patience)
        return self._accept(octets, source)

    def must_be_quiet(self, seconds: float) -> None:
        """Fails when a packet comes in this time."""
        octets = self.receive_within(seconds)
        if octets is not None:
            self.fail(f"The transfer had ended, but {_describe(octets)} came")

    def stop(self) -> None:
        """Ends the transfer as the habits say; the port stays open unless it shall vanish."""
        how = self.habits.stop_with
        if how == "error":
            self.send(encode_error(self.habits.stop_code, "Stopped by the board"))
        elif how == "vanish":
            self._sock.close()
        elif how == "listen":
            self._listen_to_the_end()

    def pause(self) -> None:
        """Waits until the test lets the board go on."""
        self.paused.set()
        if not self.may_go_on.wait(60):
            self.fail("The board paused, and nobody let it go on in 60 s")

    def disturb(self, octets: bytes) -> None:
        """Lets a stranger, another port of this board, send a packet to the other end's TID.

        Raises:
            BoardError: it was not answered with ERROR 5.
        """
        with socket.socket(self._sock.family, socket.SOCK_DGRAM) as stranger:
            stranger.bind((self._sock.getsockname()[0], 0))
            stranger.settimeout(self.habits.patience)
            stranger.sendto(octets, self.peer)
            try:
                answer = decode(stranger.recv(MAX_DATAGRAM))
            except (TimeoutError, ConnectionError):
                self.fail("A packet from a foreign TID gets ERROR 5, this one got no answer")
            if answer.kind != ERROR or answer.number != 5:
                self.fail(f"A packet from a foreign TID gets ERROR 5, this one got {answer}")

    def close_books(self) -> None:
        """Writes the counts into the report."""
        self.report.received = Counter({_name(kind): n for kind, n in self._counts.items()})
        self.report.sent = Counter({_name(kind): n for kind, n in self._sent.items()})

    def fail(self, text: str) -> NoReturn:
        """Raises a `BoardError` with the packets that led to it."""
        lines = [f"  {way:4} {_describe(octets)}" for way, octets in self._last]
        raise BoardError("\n".join([f"{text}. The last packets of '{self.report.name}':", *lines]))

    def _check_source(self, source: tuple[Any, ...]) -> None:
        host, port = source[0], source[1]
        if host != self.peer[0]:
            self.fail(f"An answer comes from the address asked, {self.peer[0]}, not from {host}")
        if not self._has_tid:
            self.peer, self._has_tid = (host, port), True
            self.report.server_host, self.report.server_port = host, port
        elif port != self.peer[1]:
            self.fail(f"The other end's TID is {self.peer[1]}, a packet came from port {port}")

    def _end_by_error(self, packet: Packet) -> NoReturn:
        self.report.error_code, self.report.error_text = packet.number, packet.text
        raise RefusedError(packet.number, packet.text, f"'{self.report.name}'")

    def _listen_to_the_end(self) -> None:
        until = time.monotonic() + self.habits.patience
        while (left := until - time.monotonic()) > 0:
            try:
                if self.receive_within(left) is not None:
                    self.report.duplicates += 1
            except RefusedError:
                return
        self.fail(f"The other end did not give up in {self.habits.patience} s")


def _name(kind: int) -> str:
    return KINDS.get(kind, f"opcode {kind}")


def _describe(octets: bytes) -> str:
    try:
        return str(decode(octets))
    except (BoardError, UnicodeDecodeError):
        return repr(octets[:40])
