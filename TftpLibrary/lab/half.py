"""The lab half of one session: takes the calls of a runner, and tells it what the boards do.

Everything that a session started ends with it: servers, transfers, private folders.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from functools import partial
from threading import Thread
from time import monotonic

from TftpLibrary.errors import TftpError
from TftpLibrary.lab.carriers import Stream
from TftpLibrary.lab.connection import Connection
from TftpLibrary.lab.desk import Desk, Refused
from TftpLibrary.lab.failures import failure
from TftpLibrary.lab.frames import MOST_MESSAGE, Message, Piece
from TftpLibrary.lab.jobs import Cancelled, Job
from TftpLibrary.lab.limits import Limits
from TftpLibrary.lab.operations import Visitor
from TftpLibrary.lab.values import to_json
from TftpLibrary.recording.recorder import Recorder, Reporter
from TftpLibrary.recording.records import Transfer

MOST_EVENTS = 20_000
"""Messages that wait for a slow connection; later requests are not recorded."""
MOST_CALLS = 100
"""Calls at once; a runner makes one after the other."""
_SHORT = ("fence", "server.bound", "server.is_capturing")
"""Calls that are done before the next one is read: a thread of their own would take longer."""
_FAILED, _DEFECT = -32000, -32603


class Telling(Recorder):
    """The record of a session, which tells the runner of each change."""

    def __init__(
        self, tell: Callable[[str, Transfer], None], tell_defect: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._tell = tell
        self._tell_defect = tell_defect

    def opened(self, transfer: Transfer, reporter: Reporter) -> None:
        """See `Recorder.opened`."""
        super().opened(transfer, reporter)
        self._tell("opened", transfer)

    def progressed(self, transfer: Transfer) -> None:
        """See `Recorder.progressed`."""
        super().progressed(transfer)
        self._tell("progressed", transfer)

    def ended(self, transfer: Transfer, moment: float | None = None) -> None:
        """See `Recorder.ended`."""
        super().ended(transfer, moment)
        self._tell("ended", transfer)

    def defect(self, text: str) -> None:
        """See `Recorder.defect`; the runner raises it."""
        self._tell_defect(text)


class Half:
    """One session at the lab.

    Args:
        stream: the way to the runner.
        limits: what runners may do here.
        visitors: returns all sessions of this lab.
    """

    def __init__(
        self, stream: Stream, limits: Limits, visitors: Callable[[], Sequence[Visitor]]
    ) -> None:
        self._desk = Desk(limits, visitors, Telling(self._tell, self._tell_defect))
        self._jobs: dict[int, Job] = {}
        self._untold: set[int] = set()
        self._connection = Connection(stream, self._take, self._lose, MOST_MESSAGE)

    def run(self) -> None:
        """Serves the runner until the connection ends, then cleans up."""
        self._connection.start()
        try:
            self._connection.wait()
        finally:
            self.clean_up()

    def close(self) -> None:
        """Ends the session. From any thread, idempotent."""
        self._connection.close("the lab was closed")

    @property
    def visitor(self) -> Visitor:
        """Who it is, and what it has here."""
        return self._desk.visitor

    def clean_up(self) -> None:
        """Stops every server, so that boards get an ERROR, and removes what is private."""
        self._desk.clean_up()

    # Frames, on the reading thread -----------------------------------------------------------

    def _take(self, came: Message | Piece) -> None:
        if isinstance(came, Piece):
            # A piece without a call is late: its call has failed.
            if (job := self._jobs.get(came.call)) is not None:
                job.pieces.put(came.octets)
            return
        method, number = came.get("method"), came.get("id")
        params = came.get("params")
        if not isinstance(params, dict):
            params = {}
        if method == "cancel":
            if (job := self._jobs.get(params.get("call", 0))) is not None:
                job.cancel()
        elif isinstance(number, int) and isinstance(method, str):
            job = Job(number, self._connection)
            work = partial(self._work, number, method, params, job)
            if method in _SHORT:
                work()
            elif len(self._jobs) < MOST_CALLS:
                self._jobs[number] = job
                Thread(target=work, name=f"TftpLibrary {method}", daemon=True).start()
            else:
                error = {"code": _FAILED, "message": f"more than {MOST_CALLS} calls at once"}
                self._connection.send({"jsonrpc": "2.0", "id": number, "error": error})

    def _lose(self) -> None:
        for job in list(self._jobs.values()):
            job.cancel()

    def _tell(self, event: str, transfer: Transfer) -> None:
        """Tells of a change, on the engine's thread; JSON is made later."""
        at = monotonic()
        if event == "opened" and self._connection.backlog > MOST_EVENTS:
            self._untold.add(transfer.id)
            self._connection.send(_notification("missed", {}))
        if transfer.id in self._untold:
            if event == "ended":
                self._untold.discard(transfer.id)
            return
        self._connection.send(
            lambda: _notification(event, {"at": at, "transfer": to_json(transfer)})
        )

    def _tell_defect(self, text: str) -> None:
        self._connection.send(_notification("defect", {"text": text}))

    # Calls, the longer ones each on its own thread -------------------------------------------

    def _work(self, number: int, method: str, params: Message, job: Job) -> None:
        answer: Message = {"jsonrpc": "2.0", "id": number}
        try:
            answer["result"] = to_json(self._desk.call(method, params, job))
        except Cancelled:
            answer["error"] = {"code": _FAILED, "message": "it was cancelled"}
        except Refused as error:
            answer["error"] = {"code": error.code, "message": str(error)}
        except TftpError as error:
            answer["error"] = {"code": _FAILED, "message": str(error), "data": failure(error)}
        except Exception:
            text = f"unexpected exception, please report it: {traceback.format_exc()}"
            answer["error"] = {"code": _DEFECT, "message": text}
        finally:
            job.pieces.close()
            self._jobs.pop(number, None)
        self._connection.send(answer)


def _notification(event: str, params: Message) -> Message:
    return {"jsonrpc": "2.0", "method": event, "params": params}
