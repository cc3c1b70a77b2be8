"""The mirror: writes what happens at a lab to the record of the test, with its ids and its clock.

Clocks of lab hosts are often wrong. So each event has the monotonic time there, and signs of life
tell how that differs from the one here; a message that was long on its way differs by more, and
the least difference counts.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from time import monotonic

from TftpLibrary.lab.frames import Message
from TftpLibrary.lab.values import from_json
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording.recorder import Recorder, Reporter
from TftpLibrary.recording.records import Transfer

_SIGNS = 12
"""Differences that are kept: those of the last minute, since clocks drift."""
_MOST_IDS = 20_000


class Mirror:
    """The records of one session.

    Args:
        recorder: the record of the test.
        reporter: asks the lab for news.
    """

    def __init__(self, recorder: Recorder, reporter: Reporter) -> None:
        self._recorder = recorder
        self._reporter = reporter
        self._differences: deque[float] = deque(maxlen=_SIGNS)
        self._ids: dict[int, int] = {}
        self._running: dict[int, Transfer] = {}
        self._writers = {
            "opened": self._open,
            "progressed": self._progress,
            "ended": self._finish,
        }

    def compare_clocks(self, at: float) -> None:
        """A message has just come, which left when it was `at` there."""
        self._differences.append(monotonic() - at)

    def take(self, message: Message) -> None:
        """Takes an event.

        Raises:
            UsageError: it is none.
        """
        params = message.get("params", {})
        at = from_json(float, params.get("at", 0.0), "at")
        if message["method"] == "alive":
            self.compare_clocks(at)
        elif message["method"] == "defect":
            self._recorder.defect(from_json(str, params.get("text"), "text"))
        elif message["method"] == "missed":
            self._recorder.miss()
        elif (write := self._writers.get(message["method"])) is not None:
            write(from_json(Transfer, params.get("transfer"), "transfer"), at)

    def transfers(self, ids: list[int]) -> list[Transfer]:
        """Returns the records of transfers, by their ids there."""
        wanted = [self._ids.get(number) for number in ids]
        return [each for each in self._recorder.transfers() if each.id in wanted]

    def break_off(self, reason: str) -> None:
        """Ends the records of what runs: nobody knows how it went on."""
        for number, transfer in list(self._running.items()):
            lost = transfer._replace(outcome=Outcome.aborted, error_message=reason)
            self._end(lost._replace(id=number), monotonic())

    def _open(self, transfer: Transfer, at: float) -> None:
        moment = self._moment(at)
        own = transfer._replace(id=self._recorder.reserve(), started=_wall_clock(moment))
        self._ids[transfer.id] = own.id
        if len(self._ids) > _MOST_IDS:
            del self._ids[next(iter(self._ids))]
        self._running[transfer.id] = own
        self._recorder.opened(own, self._reporter)

    def _progress(self, transfer: Transfer, _at: float) -> None:
        known = self._running.get(transfer.id)
        if known is not None:
            own = transfer._replace(id=known.id, started=known.started)
            self._running[transfer.id] = own
            self._recorder.progressed(own)

    def _finish(self, transfer: Transfer, at: float) -> None:
        self._end(transfer, self._moment(at))

    def _end(self, transfer: Transfer, moment: float) -> None:
        known = self._running.pop(transfer.id, None)
        if known is not None:
            ended = _wall_clock(moment)
            own = transfer._replace(id=known.id, started=known.started, ended=ended)
            self._recorder.ended(own, moment)

    def _moment(self, at: float) -> float:
        """Returns a monotonic time there as one here; never one in the future."""
        now = monotonic()
        return min(now, at + min(self._differences, default=now - at))


def _wall_clock(moment: float) -> datetime:
    return datetime.now().astimezone() - timedelta(seconds=monotonic() - moment)
