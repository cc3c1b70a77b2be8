"""Which machine each end gets, and how it begins, for each role, direction and habit."""

from __future__ import annotations

import pytest

from TftpLibrary.protocol.machine import Transmit
from TftpLibrary.protocol.options import Agreement
from TftpLibrary.protocol.packets import Direction, Request
from TftpLibrary.protocol.roles import (
    Role,
    Timing,
    make_opening,
    make_receiver,
    make_sender,
)
from utest.support.ends import sends_data
from utest.support.transcript import line

READ, WRITE = Direction
CLIENT, SERVER = Role
PLAIN = Agreement()
AGREED = Agreement(blksize=8, windowsize=2, granted=(("windowsize", "2"),), has_oack=True)
EMPTY = Agreement(has_oack=True)
TIMING = Timing(timeout=3.0, retries=2)


def shown(transmits: list[Transmit]) -> list[str]:
    """Packets as their lines, blocks as their numbers."""
    return [
        line("", each).strip() if isinstance(each, bytes) else f"blocks {each.first}-{each.last}"
        for each in transmits
    ]


@pytest.mark.parametrize(
    ("role", "direction", "agreement", "begins"),
    [
        # RFC 1350, section 4: DATA 1 answers an RRQ, ACK 0 a WRQ; RFC 2347: or an OACK does.
        (SERVER, READ, PLAIN, ["blocks 1-1"]),
        (SERVER, READ, AGREED, ["OACK   windowsize=2"]),
        (SERVER, WRITE, PLAIN, ["ACK    0"]),
        (SERVER, WRITE, AGREED, ["OACK   windowsize=2"]),
        # RFC 2347: an OACK is acknowledged with ACK 0 by a reader, and with DATA 1 by a writer.
        (CLIENT, READ, PLAIN, []),
        (CLIENT, READ, AGREED, ["ACK    0"]),
        (CLIENT, READ, EMPTY, ["ACK    0"]),
        (CLIENT, WRITE, PLAIN, ["blocks 1-1"]),
        (CLIENT, WRITE, AGREED, ["blocks 1-2"]),
    ],
)
def test_each_end_begins_as_the_rfcs_say(
    role: Role, direction: Direction, agreement: Agreement, begins: list[str]
) -> None:
    if sends_data(role, direction):
        sender = make_sender(role, agreement, TIMING, 5.0, size=1000)
        assert shown(sender.transmits()) == begins
        # Only a server's peer has not shown itself yet.
        assert sender.is_half_open is (role is SERVER)
    else:
        receiver = make_receiver(role, agreement, TIMING, 5.0)
        assert shown(receiver.transmits()) == begins
        assert receiver.deadline == 8.0


@pytest.mark.parametrize(("size", "last"), [(0, 1), (7, 1), (8, 2), (17, 3), (None, None)])
def test_the_size_of_the_file_gives_the_last_block(size: int | None, last: int | None) -> None:
    """RFC 1350, section 6: the last block is shorter than the others, empty perhaps."""
    assert make_sender(SERVER, AGREED, TIMING, 0.0, size=size).last_block == last


def test_a_request_is_repeated_after_the_whole_timeout() -> None:
    opening = make_opening(Request(READ, b"boot.img"), TIMING, 5.0)
    assert shown(opening.transmits()) == ["RRQ    boot.img octet"]
    for deadline in (8.0, 11.0, 14.0):
        assert opening.deadline == deadline
        opening.handle_timeout(deadline)
    assert opening.end is not None


def test_a_server_that_comes_up_late_is_asked_until_the_patience_ends() -> None:
    opening = make_opening(Request(READ, b"boot.img"), TIMING, 0.0, patience=20.0)
    asked = 0
    while opening.end is None:
        assert opening.deadline is not None
        opening.handle_timeout(opening.deadline)
        asked += 1
    assert asked == 7


@pytest.mark.parametrize(
    ("timing", "negotiated", "wait"),
    [
        # RFC 1123, section 4.2.3.2: the wait follows the round trip; but see `SHORTEST_WAIT`.
        (TIMING, None, 0.2),
        (TIMING._replace(is_adaptive=False), None, 3.0),
        # RFC 2349, section 3: a timeout that the client asked for is kept.
        (TIMING, 7.0, 7.0),
    ],
)
def test_after_a_quick_answer_the_wait_is_short_unless_it_is_fixed_or_negotiated(
    timing: Timing, negotiated: float | None, wait: float
) -> None:
    timer = timing.timer(Agreement(timeout=negotiated))
    timer.start(0.0)
    timer.measure(0.001)
    timer.start(0.001)
    assert timer.deadline == pytest.approx(0.001 + wait)


@pytest.mark.parametrize(
    ("timing", "windowsize", "is_paced"),
    [
        (TIMING, 2, True),
        (TIMING, 1, False),
        (TIMING._replace(is_adaptive=False), 2, False),
        (TIMING._replace(is_paced=False), 2, False),
    ],
)
def test_an_adaptive_sender_has_a_pace_for_its_windows(
    timing: Timing, windowsize: int, is_paced: bool
) -> None:
    agreement = Agreement(blksize=8, windowsize=windowsize)
    sender = make_sender(CLIENT, agreement, timing, 0.0, size=1000)
    assert sender.deadline is not None
    sender.handle_timeout(sender.deadline)
    assert sender.is_paced is is_paced
