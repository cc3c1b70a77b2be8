"""What a record and a capture show of faults."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import cast

from TftpLibrary.engine.commentary import Commentary
from TftpLibrary.engine.evidence import Evidence
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.passage import Passage
from TftpLibrary.faults.plan import Plan
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.faults.tracking import Track
from TftpLibrary.protocol.datagrams import Datagram
from TftpLibrary.protocol.packets import Ack, Data, Direction, Request
from TftpLibrary.recording.entry import Entry, Tally, Writer
from TftpLibrary.recording.recorder import Recorder

HERE, THERE = ("127.0.0.1", 69), ("127.0.0.1", 2000)
DATA, ACK = Data(1, b"x").encode(), Ack(1).encode()


class Clock:
    def wall_clock(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=timezone.utc)

    def report_progress(self) -> None:
        """Nothing is left to report."""


class Scene:
    """A passage with one fault, its evidence and a record."""

    def __init__(self, kind: str, packet: str, **how: object) -> None:
        self.plan = Plan()
        self.fault = self.plan.add(make_rule(kind, packet, **how), 0.0)
        self.passage = Passage(self.plan, Track("f", "127.0.0.1"))
        self.evidence = Evidence(self.passage, Commentary())
        request = Request(Direction.read, b"f", "octet", ())
        client = "127.0.0.1", 2000
        self.entry = Entry(Recorder(), cast("Writer", Clock()), request, "dut", client, 0.0)
        self.entry.open()
        self.shown: list[Datagram] = []
        self.see = self.evidence.commentary.observer(self.shown.append)

    def carry(self, octets: bytes, *, is_sent: bool) -> None:
        self.passage.carry(octets, 1.0, is_sent=is_sent)

    def note(self, *, has_come: bool = False) -> None:
        self.evidence.note(1.0, HERE, THERE, has_come=has_come)

    def marks(self) -> list[tuple[str, str]]:
        self.entry.progress(Tally(), 0.0, 1.0)
        return [(mark.fault, mark.words) for mark in self.entry.transfer.faults]


def test_faults_wait_for_the_record() -> None:
    scene = Scene("drop", "DATA")
    scene.carry(DATA, is_sent=True)
    scene.note()
    scene.evidence.entry = scene.entry
    scene.note()
    assert scene.marks() == [(scene.fault, "dropped DATA 1")]


def test_a_fault_that_ends_the_transfer_is_its_reason() -> None:
    for kind, words in (("error", "sent an error instead of"), ("vanish", "closed the port at")):
        scene = Scene(kind, "DATA")
        scene.evidence.entry = scene.entry
        scene.carry(DATA, is_sent=True)
        scene.note()
        assert scene.evidence.ending == f"{words} DATA 1, on purpose (fault {scene.fault})"


def test_what_happened_to_a_packet_is_told_to_the_capture_too() -> None:
    scene = Scene("drop", "any", times=None)
    scene.evidence.entry = scene.entry
    assert scene.see is not None
    scene.see(Datagram(1, THERE, HERE, ACK, is_sent=False))
    scene.carry(ACK, is_sent=False)
    scene.note(has_come=True)
    scene.carry(DATA, is_sent=True)
    scene.note()
    assert [(each.octets, each.is_lost, each.comment) for each in scene.shown] == [
        (ACK, False, f"fault {scene.fault}: dropped ACK 1"),
        (DATA, True, f"fault {scene.fault}: dropped DATA 1"),
    ]


def test_what_a_stall_holds_up_later_is_told_to_the_capture_only() -> None:
    scene = Scene("stall", "DATA")
    scene.evidence.entry = scene.entry
    for _ in range(2):
        scene.carry(DATA, is_sent=True)
        scene.note()
    assert scene.marks() == [(scene.fault, "let nothing pass from DATA 1 onwards")]
    assert [each.comment for each in scene.shown] == [
        f"fault {scene.fault}: let nothing pass from DATA 1 onwards",
        f"fault {scene.fault}: let nothing pass",
    ]
    assert all(each.is_lost for each in scene.shown)


def test_what_a_link_does_is_counted_in_the_record_and_told_of_each_packet_in_a_capture() -> None:
    scene = Scene("drop", "WRQ")
    scene.plan.set_link(LinkQuality(loss=1.0))
    scene.evidence.entry = scene.entry
    for block in (1, 2):
        scene.carry(Data(block, b"x").encode(), is_sent=True)
        scene.note()
    assert scene.marks() == [("link", "lost packets")]
    assert [each.comment for each in scene.shown] == ["link: lost DATA 1", "link: lost DATA 2"]
