"""Simulated boards for Robot Framework suites: TFTP on plain sockets, without TftpLibrary.

The keywords here are the board's moves; `board.resource` makes the steps of a story from them. Unit
tests use `board_client.py` and `board_server.py` directly.
"""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Protocol

from robot.api import logger
from robot.api.deco import keyword, library

from atest.equipment.board_client import Ask, Job, probe_size, read_file, write_file
from atest.equipment.board_crowd import CrowdReport, make_noise, read_by_many
from atest.equipment.board_exchange import Report, sort_arguments
from atest.equipment.board_network import Cable, Nat, board_address, open_socket
from atest.equipment.board_server import ServingBoard, sort_mischief
from TftpBoard.packets import (
    BoardError,
    Packet,
    RefusedError,
    decode,
    option_text,
    parse_options,
)
from TftpBoard.ports import MAX_DATAGRAM

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Server(Protocol):
    """A server that a board asks: anything with a host and a port."""

    @property
    def host(self) -> str:
        """The address."""

    @property
    def port(self) -> int:
        """The port."""


@library(scope="GLOBAL", doc_format="ROBOT", listener="SELF")
class BoardLibrary:
    """The moves of simulated boards. Stories use the steps of ``board.resource`` instead.

    Named arguments after the file are *habits* (see ``board_exchange.py``), the places
    ``host``, ``port``, ``local_host``, ``local_port`` and ``namespace``, the ``mode``; and every
    other name is an *option* of the request, asked in the order in which it is given. Options can
    also be given as one text, ``options=blksize=1468 tsize=0``.

    Everything that a board opened is closed when the test ends.
    """

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._jobs: list[Job] = []
        self._things: list[ServingBoard | Nat | Cable] = []

    def _end_test(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        """Ends every board, NAT and cable."""
        for job in self._jobs:
            job.ask.may_go_on.set()
        for sock in self._sockets:
            sock.close()
        for thing in self._things:
            thing.close()
        self._jobs, self._sockets, self._things = [], [], []

    @keyword
    def read_as_board(self, where: Server | None, name: str | bytes, **how: object) -> Report:
        """Reads a file and returns the board's report.

        Args:
            where: The server, unless ``host`` and ``port`` are given.
            name: The file to ask for.
            how: Habits, places and options.
        """
        ask, sock = self._ask(where, name, how)
        return self._told(lambda: read_file(ask, sock), ask)

    @keyword
    def write_as_board(
        self, where: Server | None, name: str | bytes, content: str | bytes, **how: object
    ) -> Report:
        """Writes a file and returns the board's report.

        Args:
            where: The server, unless ``host`` and ``port`` are given.
            name: The file to write.
            content: Its octets; text is written as UTF-8.
            how: Habits, places and options.
        """
        ask, sock = self._ask(where, name, how)
        octets = content.encode() if isinstance(content, str) else content
        return self._told(lambda: write_file(ask, octets, sock), ask)

    @keyword
    def probe_as_board(self, where: Server | None, name: str | bytes, **how: object) -> Report:
        """Asks only for the size of a file, as UEFI does, and ends with ERROR 8.

        Args:
            where: The server, unless ``host`` and ``port`` are given.
            name: The file to ask for.
            how: Habits, places and options.
        """
        ask, sock = self._ask(where, name, how)
        return self._told(lambda: probe_size(ask, sock), ask)

    @keyword
    def start_reading_as_board(self, where: Server | None, name: str | bytes, **how: object) -> Job:
        """Reads a file in the background and returns the job for `Finish Board`."""
        ask, sock = self._ask(where, name, how)
        return self._start(ask, lambda: read_file(ask, sock))

    @keyword
    def start_writing_as_board(
        self, where: Server | None, name: str | bytes, content: str | bytes, **how: object
    ) -> Job:
        """Writes a file in the background and returns the job for `Finish Board`."""
        ask, sock = self._ask(where, name, how)
        octets = content.encode() if isinstance(content, str) else content
        return self._start(ask, lambda: write_file(ask, octets, sock))

    @keyword
    def finish_board(self, job: Job | None = None, timeout: float = 30.0) -> Report:
        """Waits for a board in the background, by default the latest, and returns its report."""
        chosen = self._job(job)
        return self._told(lambda: chosen.finish(timeout), chosen.ask)

    @keyword
    def wait_until_board_pauses(self, job: Job | None = None, timeout: float = 10.0) -> None:
        """Waits until a board reached its ``pause_after``."""
        self._job(job).wait_for_pause(timeout)

    @keyword
    def let_board_go_on(self, job: Job | None = None) -> None:
        """Lets a board that paused go on."""
        self._job(job).ask.may_go_on.set()

    @keyword
    def read_in_vain_as_board(
        self, where: Server | None, name: str | bytes, code: int, text: str, **how: object
    ) -> RefusedError:
        """Reads a file, which must end with an ERROR, and returns that ERROR.

        Args:
            where: The server, unless ``host`` and ``port`` are given.
            name: The file to ask for.
            code: The code that must come.
            text: What must be part of its message; empty for anything.
            how: Habits, places and options.
        """
        ask, sock = self._ask(where, name, how)
        return self._refused(lambda: read_file(ask, sock), ask, code, text)

    @keyword
    def write_in_vain_as_board(
        self,
        where: Server | None,
        name: str | bytes,
        content: str | bytes,
        code: int,
        text: str,
        **how: object,
    ) -> RefusedError:
        """Writes a file, which must end with an ERROR, and returns that ERROR.

        Args:
            where: The server, unless ``host`` and ``port`` are given.
            name: The file to write.
            content: Its octets; text is written as UTF-8.
            code: The code that must come.
            text: What must be part of its message; empty for anything.
            how: Habits, places and options.
        """
        ask, sock = self._ask(where, name, how)
        octets = content.encode() if isinstance(content, str) else content
        return self._refused(lambda: write_file(ask, octets, sock), ask, code, text)

    @keyword
    def send_octets_as_board(
        self, where: Server | None, octets: bytes, patience: float = 1.0, **how: object
    ) -> Packet | None:
        """Sends one datagram as it is, and returns the answer, or None when none came.

        Args:
            where: The server, unless ``host`` and ``port`` are given.
            octets: The datagram.
            patience: Seconds to wait for an answer.
            how: Places.
        """
        ask, sock = self._ask(where, "octets", how)
        sock.settimeout(patience)
        sock.sendto(octets, (ask.host, ask.port))
        try:
            answer = decode(sock.recv(MAX_DATAGRAM))
        except (TimeoutError, BlockingIOError):
            return None
        logger.info(f"Answer: {answer}")
        return answer

    @keyword
    def read_again_and_again_as_board(
        self, where: Server | None, name: str, times: int
    ) -> dict[str, int]:
        """Reads a file many times, and returns how often which text, or ``ERROR 2``, came."""
        seen: Counter[str] = Counter()
        for _ in range(times):
            ask, sock = self._ask(where, name, {})
            try:
                seen[read_file(ask, sock).text] += 1
            except RefusedError as refusal:
                seen[f"ERROR {refusal.code}"] += 1
            sock.close()
        logger.info(f"{dict(seen)}")
        return dict(seen)

    @keyword
    def read_by_many_boards(
        self, where: Server | None, name: str, count: int, **how: object
    ) -> CrowdReport:
        """Lets many boards read one file at the same time and returns their report."""
        ask, _ = self._ask(where, name, how)
        report = read_by_many((ask.host, ask.port), name, count, ask.options)
        logger.info(f"{report}")
        return report

    @keyword
    def make_noise_at_server(
        self, where: Server | None, name: str, count: int, seed: int = 0
    ) -> int:
        """Sends random datagrams, and reads a small file between them; returns how often."""
        ask, _ = self._ask(where, name, {})
        return make_noise((ask.host, ask.port), name, count, seed=seed)

    @keyword
    def serve_as_board(
        self, name: str, content: str | bytes = b"", *, host: str = "", **how: object
    ) -> ServingBoard:
        """Starts a board that is the TFTP server of one file.

        Args:
            name: The file that it offers or takes.
            content: The content of a file that it offers.
            host: The address that it listens on, by default the one of boards.
            how: Habits, and mischief (see ``board_server.py``).
        """
        mischief, rest = sort_mischief(how)
        port = int(str(rest.pop("port", 0)))
        habits, options = sort_arguments(rest)
        if options:
            raise BoardError(f"A serving board grants options, it has none: {option_text(options)}")
        octets = content.encode() if isinstance(content, str) else content
        board = ServingBoard(
            name, octets, address=(host or board_address(), port), habits=habits, mischief=mischief
        )
        self._things.append(board)
        return board

    @keyword
    def finish_serving(
        self, board: ServingBoard, transfers: int = 1, timeout: float = 10.0
    ) -> Report:
        """Waits until a serving board has ended some transfers, and returns the last report."""
        report = board.wait(transfers, timeout)
        logger.info(_summary(report))
        return report

    @keyword
    def put_nat_before(self, server: Server) -> Nat:
        """Puts a NAT before a server, and returns it: ask its host and port instead."""
        nat = Nat((WILDCARDS.get(server.host, server.host), server.port))
        self._things.append(nat)
        return nat

    @keyword
    def plug_in_cable(self, *here: str, there: str) -> Cable:
        """Plugs in a cable to a network of its own, and returns it: use its ``namespace``.

        Args:
            here: The addresses of this machine at the cable, as ``198.51.100.1/24``.
            there: The address of the board.
        """
        cable = Cable(here, there)
        self._things.append(cable)
        return cable

    @keyword
    def random_octets(self, size: int, seed: int = 0) -> bytes:
        """Returns octets that are the same for the same seed."""
        return random.Random(seed).randbytes(size)

    def _ask(
        self, where: Server | None, name: str | bytes, how: Mapping[str, object]
    ) -> tuple[Ask, socket.socket]:
        rest = dict(how)
        rest.pop("server", None)
        place = {
            key: str(rest.pop(key, ""))
            for key in ("host", "port", "mode", "local_host", "local_port", "namespace")
        }
        text = str(rest.pop("options", ""))
        host = place["host"] or (where.host if where else "")
        port = int(place["port"] or (where.port if where else 69))
        habits, named = sort_arguments(rest)
        options = {**parse_options(text), **named}
        host = WILDCARDS.get(host, host)
        ask = Ask(name, host, port, place["mode"] or "octet", options, habits)
        local = (place["local_host"], int(place["local_port"] or 0))
        sock = open_socket(host, local, place["namespace"])
        self._sockets.append(sock)
        return ask, sock

    def _start(self, ask: Ask, work: Callable[[], Report]) -> Job:
        job = Job(ask, work)
        self._jobs.append(job)
        return job

    def _job(self, job: Job | None) -> Job:
        if job is None and not self._jobs:
            raise BoardError("No board works in the background: start one first.")
        return job or self._jobs[-1]

    def _refused(self, work: Callable[[], Report], ask: Ask, code: int, text: str) -> RefusedError:
        try:
            report = self._told(work, ask)
        except RefusedError as refusal:
            if refusal.code != code or text not in refusal.text:
                raise BoardError(f"ERROR {code} '{text}' was expected. {refusal}") from None
            logger.info(str(refusal))
            return refusal
        raise BoardError(
            f"ERROR {code} was expected for '{report.name}', but {report.size} octets went through."
        )

    def _told(self, work: Callable[[], Report], ask: Ask) -> Report:
        try:
            return work()
        finally:
            logger.info(_summary(ask.report))


def _summary(report: Report) -> str:
    return (
        f"'{report.name}': {report.size} octets, {report.blocks} blocks in {report.duration:.3f} s"
        f" with port {report.server_port}; granted: {option_text(report.granted) or 'none'}; "
        f"received {dict(report.received)}, sent {dict(report.sent)}"
    )
