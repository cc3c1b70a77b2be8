"""What a record and a capture show of faults."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import cast

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
DATA = Data(1, b"x").encode()


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
        self.evidence = Evidence(self.passage)
        request = Request(Direction.read, b"f", "octet", ())
        client = "127.0.0.1", 2000
        self.entry = Entry(Recorder(), cast("Writer", Clock()), request, "dut", client, 0.0)
        self.entry.open()
        self.shown: list[Datagram] = []

    def carry(self, octets: bytes, *, is_sent: bool) -> None:
        self.passage.carry(octets, 1.0, is_sent=is_sent)

    def note(self, *, has_come: bool = False) -> None:
        self.evidence.note(1.0, HERE, THERE, has_come=has_come)

    def marks(self) -> list[tuple[str, str]]:
        self.entry.progress(Tally(), 0.0, 1.0)
        return [(mark.fault, mark.words) for mark in self.entry.transfer.faults]


def datagram(octets: bytes, *, is_sent: bool, comment: str = "") -> Datagram:
    ends = (HERE, THERE) if is_sent else (THERE, HERE)
    return Datagram(1, *ends, octets, is_sent, comment)


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


def test_a_packet_that_was_kept_from_the_wire_is_shown_as_lost() -> None:
    scene = Scene("drop", "DATA")
    scene.evidence.entry = scene.entry
    scene.evidence.observer(scene.shown.append)
    scene.carry(DATA, is_sent=True)
    scene.note()
    (shown,) = scene.shown
    assert (shown.octets, shown.is_lost, shown.is_sent) == (DATA, True, True)
    assert (shown.source, shown.destination) == (HERE, THERE)
    assert shown.comment == f"fault {scene.fault}: dropped DATA 1"


def test_this_end_has_an_address_where_it_is_bound_to_every_one() -> None:
    scene = Scene("drop", "DATA")
    scene.evidence.entry = scene.entry
    scene.evidence.observer(scene.shown.append)
    scene.carry(DATA, is_sent=True)
    scene.evidence.note(1.0, ("0.0.0.0", 69), THERE)
    assert scene.shown[0].source == HERE


def test_a_packet_that_came_and_was_dropped_is_shown_with_its_comment() -> None:
    scene = Scene("drop", "ACK")
    scene.evidence.entry = scene.entry
    see = scene.evidence.observer(scene.shown.append)
    assert see is not None
    octets = Ack(1).encode()
    see(datagram(octets, is_sent=False, comment="repeat: ACK 1 came again"))
    assert scene.shown == []
    scene.carry(octets, is_sent=False)
    scene.note(has_come=True)
    comment = f"repeat: ACK 1 came again; fault {scene.fault}: dropped ACK 1"
    assert scene.shown == [datagram(octets, is_sent=False, comment=comment)]


def test_a_packet_that_left_has_its_remark() -> None:
    scene = Scene("duplicate", "DATA")
    scene.evidence.remark = "fault duplicate-1: second copy"
    scene.evidence.see(datagram(DATA, is_sent=True))
    see = scene.evidence.observer(scene.shown.append)
    assert see is not None
    see(datagram(DATA, is_sent=True))
    assert [each.comment for each in scene.shown] == ["fault duplicate-1: second copy"]
    assert scene.evidence.observer(None) is None


def test_what_leaves_before_a_datagram_that_came_was_looked_at_has_remarks_of_its_own() -> None:
    """Two ACKs may be read at once: the first one lets a block leave."""
    scene = Scene("drop", "DATA")
    scene.evidence.entry = scene.entry
    see = scene.evidence.observer(scene.shown.append)
    assert see is not None
    for block in (1, 2):
        see(datagram(Ack(block).encode(), is_sent=False))
    for is_sent, octets in ((False, Ack(1).encode()), (True, DATA), (False, Ack(2).encode())):
        scene.carry(octets, is_sent=is_sent)
        scene.note(has_come=not is_sent)
    assert [each.octets for each in scene.shown] == [Ack(1).encode(), DATA, Ack(2).encode()]
    assert [each.comment for each in scene.shown] == [
        "",
        f"fault {scene.fault}: dropped DATA 1",
        "",
    ]


def test_what_a_link_does_is_counted_in_the_record_and_told_of_each_packet_in_a_capture() -> None:
    scene = Scene("drop", "WRQ")
    scene.plan.set_link(LinkQuality(loss=1.0))
    scene.evidence.entry = scene.entry
    scene.evidence.observer(scene.shown.append)
    for block in (1, 2):
        scene.carry(Data(block, b"x").encode(), is_sent=True)
        scene.note()
    assert scene.marks() == [("link", "lost packets")]
    assert [each.comment for each in scene.shown] == ["link: lost DATA 1", "link: lost DATA 2"]
