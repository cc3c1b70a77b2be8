"""A lab as the runner sees it: one connection, opened by the first call, and the calls over it."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from datetime import datetime
from itertools import count
from time import monotonic
from typing import Any

from TftpLibrary.errors import LabError, TftpError
from TftpLibrary.lab.carriers import open_carrier
from TftpLibrary.lab.connection import Connection, Mailbox
from TftpLibrary.lab.failures import error_of
from TftpLibrary.lab.frames import MOST_ANSWER, MOST_PIECE, Message, Piece
from TftpLibrary.lab.mirror import Mirror
from TftpLibrary.lab.operations import OPERATIONS, VERSION_OF_WIRE, Greeting
from TftpLibrary.lab.values import from_json, to_json
from TftpLibrary.recording.recorder import SLICE, Recorder
from TftpLibrary.version import VERSION

# Arguments and results of operations are of any type.
Chunks = Iterable[bytes | memoryview]
Sink = Callable[[bytes], object]

_LONGEST_GREETING = 15.0


class Session:
    """One connection to a lab, until it ends.

    Args:
        url: the lab host.
        recorder: the record of the test.

    Raises:
        UsageError: it is no URL of a lab.
        LabError: there is no way to the lab, or it has another version.
    """

    def __init__(self, url: str, recorder: Recorder) -> None:
        self.url = url
        self.recorder = recorder
        self.mirror = Mirror(recorder, self)
        self._numbers = count(1)
        self._calls: dict[int, Mailbox[Message | Piece]] = {}
        self._heard = monotonic()
        self._connection = Connection(open_carrier(url), self._take, self._lose, MOST_ANSWER)
        self._connection.start()
        try:
            self._greet()
        except BaseException:
            self._connection.close()
            raise

    def call(self, method: str, server: int = 0, *, sink: Sink | None = None, **more: Any) -> Any:
        """Has the lab half do something, and returns the result.

        Args:
            method: a name in the table of operations.
            server: the server that it is about.
            sink: takes the content of a file that the lab half sends.
            more: as for `fetch`.

        Raises:
            LabError: the lab is lost.
            TftpError: as the operation raises it.
        """
        with closing(self.fetch(method, server, **more)) as answer:
            while True:
                try:
                    octets = next(answer)
                except StopIteration as end:
                    return end.value
                if sink is not None:
                    sink(octets)

    def fetch(
        self,
        method: str,
        server: int = 0,
        *,
        body: Chunks | None = None,
        idle: Callable[[], object] | None = None,
        timeout: float | None = None,
        **arguments: Any,
    ) -> Generator[bytes, None, Any]:
        """Has the lab half do something: yields the content that it sends, returns the result.

        Args:
            method: a name in the table of operations.
            server: the server that it is about.
            body: the content of a file, which is sent when the lab half asks for it.
            idle: called five times a second while there is no answer.
            timeout: seconds; by default as long as the lab lives.
            arguments: of the operation.

        Raises:
            LabError: the lab is lost.
            TftpError: as the operation raises it.
        """
        self.check()
        number, answers = next(self._numbers), Mailbox[Message | Piece]()
        self._calls[number] = answers
        params = {name: to_json(each) for name, each in arguments.items()} | {"server": server}
        latest = None if timeout is None else monotonic() + timeout
        answer: Message | None = None
        try:
            self._tell(method, params, number)
            while answer is None:
                came = answers.get(SLICE)
                if isinstance(came, Piece):
                    yield came.octets
                elif came is None:
                    self._check_life(latest)
                    if idle is not None:
                        idle()
                elif "method" in came:
                    self._send(number, body or (), answers)
                else:
                    answer = came
        finally:
            answers.close()
            self._calls.pop(number, None)
            if answer is None:
                self._tell("cancel", {"call": number})
        return _result(OPERATIONS[method].result, answer, method)

    def report_progress(self) -> None:
        """Returns when everything that has happened at the lab is in the record."""
        with suppress(TftpError):
            self.call("fence")

    @property
    def lost(self) -> str:
        """Why the session has ended; empty while it lives."""
        return self._connection.lost

    def check(self) -> None:
        """Raises LabError if the session has ended."""
        if self.lost:
            raise LabError(
                f"The lab '{self.url}' was lost: {self.lost}. What the boards did there since "
                f"{self._heard_at():%H:%M:%S} is not known. Look at the network and at "
                "'tftplibrary lab' there; the next `Start TFTP Server` connects anew."
            )

    def close(self) -> None:
        """Ends the session, and with it everything that it started there. Idempotent."""
        self._connection.close()

    def _greet(self) -> None:
        who = f"{_user()}@{socket.gethostname()}"
        try:
            greeting: Greeting = self.call(
                "greet",
                timeout=_LONGEST_GREETING,
                version=VERSION,
                wire=VERSION_OF_WIRE,
                who=who,
            )
        except LabError as error:
            raise LabError(f"No lab at '{self.url}': {self.lost or error}") from error
        self.mirror.compare_clocks(greeting.at)

    def _check_life(self, latest: float | None) -> None:
        self.check()
        if latest is not None and monotonic() > latest:
            raise LabError("it does not answer. Expected 'tftplibrary lab' there.")

    def _heard_at(self) -> datetime:
        return datetime.fromtimestamp(datetime.now().timestamp() - (monotonic() - self._heard))

    def _send(self, number: int, body: Chunks, answers: Mailbox[Message | Piece]) -> None:
        """Sends a file, as long as there is no answer."""
        for chunk in body:
            for start in range(0, len(chunk), MOST_PIECE):
                piece = Piece(number, bytes(chunk[start : start + MOST_PIECE]))
                self._connection.send_piece(piece, lambda: answers.is_empty)
            if not answers.is_empty or self.lost:
                return
        self._connection.send_piece(Piece(number, b""), lambda: answers.is_empty)

    def _tell(self, method: str, params: Message, number: int | None = None) -> None:
        message: Message = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        self._connection.send(message)

    def _take(self, came: Message | Piece) -> None:
        """Takes what comes, on the reading thread."""
        self._heard = monotonic()
        if isinstance(came, Piece):
            number = came.call
        elif came.get("method") == "send":
            number = came["params"]["call"]
        elif "method" in came:
            self.mirror.take(came)
            return
        else:
            number = came.get("id", 0)
        if (answers := self._calls.get(number)) is not None:
            answers.put(came)

    def _lose(self) -> None:
        self.mirror.break_off(f"the lab '{self.url}' was lost: {self.lost}")
        for answers in list(self._calls.values()):
            answers.close()


def _result(kind: Any, answer: Message, method: str) -> Any:
    error = answer.get("error")
    if error is None:
        return from_json(kind, answer.get("result"), method)
    if "data" in error:
        raise error_of(error["data"])
    raise LabError(f"The lab half refuses '{method}': {error.get('message')}")


def _user() -> str:
    """Returns the name of the user; in a container she may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
