"""Whole transfers over the simulated link, and hypothesis strategies for them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st

from TftpLibrary.protocol.blocks import last_block
from TftpLibrary.protocol.options import Bounds, ask
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import Direction, Request
from TftpLibrary.protocol.roles import Timing
from utest.support.ends import ClientEnd, ServerEnd
from utest.support.link import LATENCY, Fate, Fault, Link

COMPLETED = End(Outcome.completed)

PATIENT = Timing(retries=60)
"""More retries than any schedule of these tests uses up."""


@dataclass(frozen=True, slots=True)
class Job:
    """A transfer to be made: its file and its options.

    Attributes:
        direction: read (the server sends) or write (the client sends).
        size: octets of the file.
        blksize: 512 is not asked.
        windowsize: 1 is not asked.
        rollover: 0 is not asked.
        asked_timeout: seconds; None is not asked.
        is_size_known: False when the server finds the end of the file as it reads.
        is_fast: whether the sessions use the machines' data path.
        timing: how both ends wait.
    """

    direction: Direction
    size: int = 100
    blksize: int = 8
    windowsize: int = 1
    rollover: int = 0
    asked_timeout: float | None = None
    is_size_known: bool = True
    is_fast: bool = True
    timing: Timing = field(default_factory=Timing)

    @property
    def content(self) -> bytes:
        """Octets in which every block differs from its neighbours."""
        return random.Random(self.size).randbytes(self.size)

    @property
    def blocks(self) -> int:
        """How many blocks the file has."""
        return last_block(self.size, self.blksize)

    @property
    def request(self) -> Request:
        """The request that a client makes for it."""
        options = ask(
            direction=self.direction,
            blksize=self.blksize,
            windowsize=self.windowsize,
            timeout=self.asked_timeout,
            rollover=self.rollover,
        )
        return Request(self.direction, b"boot.img", "octet", options)

    @property
    def patience(self) -> float:
        """Seconds that an end waits for something new before it gives up."""
        timeout = max(self.timing.timeout, self.asked_timeout or 0.0)
        return timeout * (self.timing.retries + 1)


@dataclass(frozen=True, slots=True)
class Carried:
    """The result of a transfer."""

    job: Job
    link: Link
    client: ClientEnd
    server: ServerEnd

    @property
    def sender(self) -> ServerEnd | ClientEnd:
        return self.server if self.job.direction is Direction.read else self.client

    @property
    def receiver(self) -> ServerEnd | ClientEnd:
        return self.client if self.job.direction is Direction.read else self.server

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has the file, all of it and nothing else."""
        return self.receiver.end == COMPLETED and self.receiver.content == self.job.content

    @property
    def is_completed(self) -> bool:
        """Whether both ends know that the file was delivered."""
        return self.is_delivered and self.sender.end == COMPLETED

    @property
    def late_faults(self) -> int:
        """How many datagrams were lost or late after the receiver had all of the file."""
        ended = self.link.ended[self.receiver.side]
        return sum(now >= ended for now in self.link.faults)


def carry(job: Job, *faults: Fault, side: str = "S", latency: float = LATENCY) -> Carried:
    """Runs a transfer over a link with faults, to its end."""
    link = Link(*faults, side=side, latency=latency)
    is_read = job.direction is Direction.read
    client = ClientEnd(
        job.request,
        content=b"" if is_read else job.content,
        timing=job.timing,
        is_fast=job.is_fast,
    )
    server = ServerEnd(
        content=job.content if is_read else b"",
        bounds=Bounds(max_windowsize=65535),
        timing=job.timing,
        is_fast=job.is_fast,
        is_size_known=job.is_size_known,
    )
    link.join(client, server)
    if currently_in_test_context():
        note(repr(link))
    return Carried(job, link, client, server)


def jobs(timing: Timing) -> st.SearchStrategy[Job]:
    """Transfers of both directions, of sizes around the borders of blocks and windows."""
    return st.builds(
        _fit,
        st.builds(
            Job,
            direction=st.sampled_from(Direction),
            size=st.integers(0, 400),
            blksize=st.sampled_from([8, 8, 9, 16, 100, 512]),
            windowsize=st.sampled_from([1, 1, 2, 3, 4, 7, 16, 64]),
            rollover=st.integers(0, 1),
            asked_timeout=st.sampled_from([None, None, 1.0, 0.5]),
            is_size_known=st.booleans(),
            is_fast=st.booleans(),
            timing=st.sampled_from([timing, timing._replace(is_adaptive=False)]),
        ),
        st.booleans(),
    )


def schedules(*, min_size: int = 0, max_size: int = 40) -> st.SearchStrategy[list[Fate]]:
    """Lists of fates: lost, delivered, copied, and late by less or more than a time-out."""
    delays = st.sampled_from([0.0, 0.0, 0.0005, 0.003, 0.3, 1.2, 4.0])
    fates = st.lists(delays, max_size=3).map(tuple)
    return st.lists(fates, min_size=min_size, max_size=max_size)


def _fit(job: Job, is_even: bool) -> Job:
    """Half of the files end with an empty block."""
    return replace(job, size=job.size - job.size % job.blksize) if is_even else job
