"""The life of a record: opened once, brought up to date while its transfer runs, ended once.

Only an `Entry` writes records to a `Recorder`: for servers and for clients, for transfers and for
refused requests.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from TftpLibrary.protocol.outcome import End
from TftpLibrary.protocol.packets import Options, Request, printable
from TftpLibrary.recording.recorder import Recorder, Reporter
from TftpLibrary.recording.records import NO_OPTIONS, FaultMark, OptionValues, Sample, Transfer

SAMPLE_INTERVAL = 0.05
"""Shortest time in seconds between two samples of a transfer's progress."""
MOST_SAMPLES = 48
MOST_FAULT_MARKS = 100
_AGREED = Transfer._fields.index("size")
"""The number of fields that do not change after the agreement."""
_NOTHING_YET = tuple(Transfer._field_defaults[name] for name in Transfer._fields[_AGREED + 1 :])
"""The fields behind `size`, of a transfer that begins."""


class Tally(NamedTuple):
    """The progress of a transfer; the fields are those of `Transfer`."""

    size: int | None = None
    octets: int = 0
    blocks: int = 0
    retransmits: int = 0
    duplicates: int = 0


class Writer(Reporter, Protocol):
    """An engine as its entries see it."""

    def wall_clock(self) -> datetime:
        """Returns the time of day."""


class Entry:
    """The record of one request, from its opening to its end. Engine's thread only.

    Args:
        recorder: where the record goes.
        writer: the engine, which brings the record up to date when somebody reads it.
        request: the request.
        server: alias of our server, or the host and port that our client asked.
        client: address and TID of the client.
        begun: monotonic seconds of the request.
        is_ours: whether our client asks.

    Attributes:
        begun: as given.
        end: how the transfer ended; None while it runs.
        id: the record's number; 0 before `open`.
        mac: MAC address of the client; empty where it is not known. Set it before `open`.
        transfer: the record as last written; there is none before `open`.
    """

    __slots__ = (
        "_client",
        "_fault_count",
        "_faults",
        "_interval",
        "_is_ours",
        "_next_sample",
        "_recorder",
        "_remarks",
        "_request",
        "_samples",
        "_server",
        "_writer",
        "begun",
        "end",
        "id",
        "mac",
        "transfer",
    )

    def __init__(
        self,
        recorder: Recorder,
        writer: Writer,
        request: Request,
        server: str,
        client: tuple[str, int],
        begun: float,
        *,
        is_ours: bool = False,
    ) -> None:
        self.begun = begun
        self.end: End | None = None
        self.id = 0
        self.mac = ""
        self.transfer: Transfer
        self._recorder = recorder
        self._writer = writer
        self._request = request
        self._server = server
        self._client = client
        self._is_ours = is_ours
        self._remarks: tuple[str, ...] = ()
        self._faults: dict[tuple[str, str], FaultMark] = {}
        self._fault_count = 0
        self._samples: list[Sample] = []
        self._interval = SAMPLE_INTERVAL
        self._next_sample = begun + SAMPLE_INTERVAL

    def open(self, size: int | None = None, granted: Options = ()) -> None:
        """Shows the request to those who read or wait. It is called once.

        Args:
            size: octets of the file, where known.
            granted: the options that a server grants; a client learns them later, see `agree`.
        """
        request = self._request
        client, port = self._client
        self.id = self._recorder.reserve()
        # By position, here and at the end: names would take two to three times as long, and the
        # call of a class with so many fields twice.
        self.transfer = Transfer._make(
            (
                self.id,
                self._server,
                request.direction,
                printable(request.filename),
                client,
                port,
                self._writer.wall_clock(),
                request.mode.lower(),
                OptionValues(request.options) if request.options else NO_OPTIONS,
                OptionValues(granted) if granted else NO_OPTIONS,
                self._is_ours,
                "",
                self.mac,
                size,
                *_NOTHING_YET,
            )
        )
        self._recorder.opened(self.transfer, self._writer)

    def agree(self, client: str, answered_by: str, size: int | None, granted: Options) -> None:
        """Adds the answer to a client's request.

        Args:
            client: the client's address, on the route to the server.
            answered_by: host and port of the server's answer.
            size: octets of the file, where known.
            granted: the options granted.
        """
        self.transfer = self.transfer._replace(
            client=client,
            answered_by=answered_by,
            size=size,
            granted=OptionValues(granted),
        )
        self._recorder.progressed(self.transfer)

    def remark(self, *remarks: str) -> None:
        """Adds to what was odd and did no harm; the record has it from its end on."""
        self._remarks += remarks

    def add_fault(self, fault: str, words: str, now: float) -> None:
        """Notes that a fault on purpose struck the transfer. Without effect after the end.

        Args:
            fault: its id.
            words: what it did.
            now: monotonic seconds.
        """
        self._fault_count += 1
        known = self._faults.get((fault, words))
        if known is not None:
            self._faults[fault, words] = known._replace(times=known.times + 1)
            return
        if len(self._faults) == MOST_FAULT_MARKS:
            # The latest one says most about the end.
            self._faults.popitem()
        self._faults[fault, words] = FaultMark(now - self.begun, fault, words)

    def is_sample_due(self, now: float) -> bool:
        """Whether it is time for a sample."""
        return now >= self._next_sample

    def sample(self, tally: Tally, now: float) -> None:
        """Keeps the present progress; the longer a transfer lasts, the rarer its samples become.

        Args:
            tally: how far the transfer is.
            now: monotonic seconds.
        """
        self._samples.append(
            Sample(now - self.begun, tally.octets, tally.retransmits, self._fault_count)
        )
        if len(self._samples) > MOST_SAMPLES:
            del self._samples[1::2]
            self._interval *= 2
        self._next_sample = now + self._interval

    def progress(self, tally: Tally, idle: float, now: float) -> None:
        """Brings the record up to date. Without effect after the end.

        Args:
            tally: how far the transfer is.
            idle: seconds since the peer was last heard.
            now: monotonic seconds.
        """
        if self.end is None:
            self.transfer = self.transfer._replace(
                duration=now - self.begun,
                idle=idle,
                samples=tuple(self._samples),
                faults=tuple(self._faults.values()),
                fault_count=self._fault_count,
                **tally._asdict(),
            )
            self._recorder.progressed(self.transfer)

    def finish(self, end: End, tally: Tally, now: float, traceback: str = "") -> None:
        """Ends the record; one that was not opened is opened first. The first end counts.

        Args:
            end: how the transfer ended.
            tally: how far it came.
            now: monotonic seconds.
            traceback: that of an exception of our own which ended it.
        """
        if self.end is not None:
            return
        self.end = end
        if not self.id:
            self.open()
        self.transfer = Transfer._make(
            (
                *self.transfer[:_AGREED],
                *tally,
                self._writer.wall_clock(),
                now - self.begun,
                end.outcome,
                None if end.code is None else int(end.code),
                end.message,
                end.by_peer,
                end.cause,
                traceback,
                0.0,
                tuple(self._samples),
                self._remarks,
                tuple(self._faults.values()),
                self._fault_count,
            )
        )
        self._recorder.ended(self.transfer)
