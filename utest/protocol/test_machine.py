"""Shared by opening, sender and receiver: their tables, and how each of them ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from TftpLibrary.protocol.machine import (
    OPENING,
    OVER,
    RECEIVER,
    SENDER,
    Event,
    Phase,
    Transitions,
)
from TftpLibrary.protocol.opening import Opening
from TftpLibrary.protocol.options import Agreement
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import Ack, Data, Direction, Error, Oack, Packet, Request
from TftpLibrary.protocol.receiver import Receiver
from TftpLibrary.protocol.retry import RetryTimer
from TftpLibrary.protocol.sender import Sender

AnyMachine = Opening | Sender | Receiver
Make = Callable[[], AnyMachine]
M = TypeVar("M", Opening, Sender, Receiver)

ARCHITECTURE = Path(__file__).parent.parent.parent / "docs" / "architecture.md"
# asking, half_open --silence, ERROR came--> ended
ARROW = re.compile(r"^ *(\w+(?:, \w+)*) +--([^->]+)--> +(\w+)$", re.MULTILINE)
AGREEMENT = Agreement(blksize=8)
RRQ = Request(Direction.read, b"boot.img")
BLOCK = Data(1, bytes(8))


def timer() -> RetryTimer:
    return RetryTimer(1.0, 2, is_adaptive=False)


def asking() -> Opening:
    return begun(Opening(RRQ, timer(), 0.0))


def answered() -> Opening:
    return fed(asking(), BLOCK)


def sender() -> Sender:
    return begun(Sender(AGREEMENT, timer(), 0.0, last_block=3))


def sending() -> Sender:
    return fed(sender(), Ack(1))


def receiver() -> Receiver:
    return begun(Receiver(AGREEMENT, timer(), 0.0, invitation=Ack(0).encode()))


def receiving() -> Receiver:
    return fed(receiver(), BLOCK)


def closing() -> Receiver:
    return fed(receiver(), Data(1, b""))


def dallying() -> Receiver:
    machine = closing()
    machine.confirm(0.2)
    return begun(machine)


def begun(machine: M) -> M:
    """A machine whose packets so far have left."""
    machine.transmits()
    return machine


def fed(machine: M, packet: Packet) -> M:
    machine.receive(packet.encode(), 0.1)
    return begun(machine)


# Those that an event can still end, and what an ERROR of the peer means to them.
RUNNING: list[tuple[Make, Outcome]] = [
    (asking, Outcome.refused),
    (sender, Outcome.failed),
    (sending, Outcome.failed),
    (receiver, Outcome.failed),
    (receiving, Outcome.failed),
    (closing, Outcome.failed),
]
PHASES: list[Make] = [*(make for make, _ in RUNNING), answered, dallying]
each_running = pytest.mark.parametrize("make", [make for make, _ in RUNNING])


@pytest.mark.parametrize(
    ("heading", "table"), [("Opening", OPENING), ("Sender", SENDER), ("Receiver", RECEIVER)]
)
def test_the_drawing_is_the_table(heading: str, table: Transitions) -> None:
    page = ARCHITECTURE.read_text("utf-8")
    section = page.split(f"\n### {heading}:")[1].split("\n##")[0]
    drawn = {
        (Phase[phase], Event(event.strip()), Phase[then])
        for phases, events, then in ARROW.findall(section)
        for phase in phases.split(", ")
        for event in events.split(",")
    }
    written = {
        (phase, event, then) for phase, events in table.items() for event, then in events.items()
    }
    assert drawn == written, f"Draw in {ARCHITECTURE.name} what machine.py says."


def test_every_phase_and_event_belongs_to_a_machine() -> None:
    tables = (OPENING, SENDER, RECEIVER)
    assert {phase for table in tables for phase in table} == set(Phase)
    assert {event for table in tables for events in table.values() for event in events} == set(
        Event
    )


@pytest.mark.parametrize("table", [OPENING, SENDER, RECEIVER])
def test_a_phase_that_nothing_changes_is_the_end(table: Transitions) -> None:
    for phase, events in table.items():
        assert (phase in OVER) is (not events)
        assert set(events.values()) <= set(table)


def test_an_event_that_the_table_does_not_have_is_refused() -> None:
    machine = receiving()
    with pytest.raises(RuntimeError, match="Receiver: no 'file safe' while receiving"):
        machine.confirm(0.2)
    assert machine.phase is Phase.receiving


@pytest.mark.parametrize("make", PHASES)
@pytest.mark.parametrize(
    "packet", [RRQ, Data(1, b""), Data(7, b""), Ack(0), Ack(7), Error(0, "No"), Oack(())]
)
def test_every_packet_is_taken_in_every_phase(make: Make, packet: Packet) -> None:
    machine = make()
    before = machine.phase
    machine.receive(packet.encode(), 0.3)
    assert machine.phase in {before, *machine.TRANSITIONS[before].values()}


@pytest.mark.parametrize(("make", "outcome"), RUNNING)
def test_error_ends_it_at_once_and_is_not_answered(make: Make, outcome: Outcome) -> None:
    """RFC 1350, section 7: an ERROR ends the transfer and is never acknowledged."""
    machine = make()
    machine.receive(Error(3, "Disk full").encode(), 0.3)
    assert machine.end == End(outcome, 3, "Disk full", by_peer=True)
    assert_over(machine)


@each_running
def test_octets_that_are_no_packet_get_error_4(make: Make) -> None:
    """RFC 1350, section 2: a packet that nothing explains ends the transfer with an ERROR."""
    machine = make()
    machine.receive(b"\0\x63\0\0", 0.3)
    assert machine.transmits() == [Error(4, "Illegal opcode 99").encode()]
    assert machine.end == End(Outcome.failed, 4, "Illegal opcode 99")
    assert_over(machine)


@each_running
def test_abort_tells_the_peer(make: Make) -> None:
    machine = make()
    machine.abort(0, "Server stopped", Outcome.aborted, reason="stopped by the test")
    assert machine.transmits() == [Error(0, "Server stopped").encode()]
    assert machine.end == End(Outcome.aborted, 0, "stopped by the test")
    assert_over(machine)


@each_running
def test_peer_that_is_gone_gets_no_packet(make: Make) -> None:
    machine = make()
    machine.lose("the port is closed")
    assert machine.end == End(Outcome.failed, None, "the port is closed")
    assert_over(machine)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (sender, []),
        (receiver, []),
        (sending, [Error(0, "Timed out").encode()]),
        (receiving, [Error(0, "Timed out").encode()]),
    ],
)
def test_silence_is_told_to_a_peer_that_had_answered(make: Make, told: list[bytes]) -> None:
    """RFC 1350, section 2: an end that hears nothing sends again, and gives up in the end."""
    machine = make()
    tries = 0
    while machine.deadline is not None:
        assert machine.is_silent is (tries > 1)
        machine.transmits()
        machine.handle_timeout(machine.deadline)
        tries += 1
    assert tries == 3
    assert machine.transmits() == told
    assert machine.end is not None
    assert machine.end.outcome is Outcome.timed_out
    assert machine.end.message.startswith("no answer: ")
    assert_over(machine)


def test_a_machine_is_half_open_until_its_peer_shows_itself() -> None:
    assert [make().is_half_open for make in (sender, receiver)] == [True, True]
    assert [make().is_half_open for make in (sending, receiving)] == [False, False]
    assert sending().answered_at == 0.1


@pytest.mark.parametrize("farewell", ["abort", "lose", "error", "octets", "silence"])
def test_completed_stays_completed(farewell: str) -> None:
    """A receiver that dallies has its end: whatever comes ends only the dallying."""
    machine = dallying()
    if farewell == "abort":
        machine.abort(0, "Stopped", Outcome.aborted)
    elif farewell == "lose":
        machine.lose("gone")
    elif farewell == "silence":
        assert machine.deadline is not None
        machine.handle_timeout(machine.deadline)
    else:
        machine.receive(Error(0, "Bye").encode() if farewell == "error" else b"", 0.3)
    assert machine.end == End(Outcome.completed)
    assert_over(machine)


def test_an_answered_opening_does_not_end_any_more() -> None:
    machine = answered()
    machine.abort(0, "Stopped")
    assert machine.end is None
    assert machine.phase is Phase.answered


def assert_over(machine: AnyMachine) -> None:
    """Nothing is sent or taken any more, whatever happens."""
    end = machine.end
    for _ in range(2):
        assert machine.is_over
        assert machine.transmits() == []
        assert machine.deadline is None
        assert machine.end is end
        machine.receive(BLOCK.encode(), 0.4)
        machine.receive(b"no packet", 0.4)
        machine.handle_timeout(99.0)
        machine.abort(0, "Stopped")
        machine.lose("gone")


def test_an_end_that_stops_at_the_highest_number_is_told_of_the_other_rollover() -> None:
    machine = receiver()
    while machine.received < 65535:
        machine.accept(machine.full_size, 0.1)
    for now in (2.0, 4.0, 6.0):
        machine.handle_timeout(now)
    assert machine.end is not None
    assert machine.end.message.endswith("try the other rollover=")
