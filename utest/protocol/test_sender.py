"""The end that sends DATA: a server's read, a client's write."""

from __future__ import annotations

import copy
import random
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.protocol.blocks import to_wire
from TftpLibrary.protocol.machine import Blocks
from TftpLibrary.protocol.options import Agreement, Bounds
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.pace import LONGEST_PAUSE, Pace
from TftpLibrary.protocol.packets import Ack, Direction, Oack
from TftpLibrary.protocol.retry import RetryTimer
from TftpLibrary.protocol.roles import Timing
from TftpLibrary.protocol.sender import Sender
from utest.support.ends import SendingEnd, ServerEnd
from utest.support.link import LATENCY, Fate, Fault, Link, Schedule, forever, lose, ring
from utest.support.transcript import Player, options
from utest.support.transfers import PATIENT, Job, carry, jobs, schedules
from utest.support.uboot import UBootEnd

READ, WRITE = Direction


def sending(
    blocks: int = 3,
    *,
    windowsize: int = 1,
    oack: str = "",
    is_client: bool = False,
    retry: RetryTimer | None = None,
) -> SendingEnd:
    """An end that sends a file of so many blocks, the last one empty."""
    granted = options(oack.split())
    tsize = 8 if "tsize" in oack else None
    agreement = Agreement(blksize=8, windowsize=windowsize, tsize=tsize, granted=granted)
    machine = Sender(
        agreement,
        retry or RetryTimer(1.0, 2, is_adaptive=False),
        0.0,
        last_block=blocks,
        oack=Oack(granted).encode() if granted else None,
        is_answered=is_client,
    )
    content = bytes(8 * (blocks - 1))
    return SendingEnd("C" if is_client else "S", machine, content, agreement, is_fast=False)


class TestLockStep:
    def test_each_ack_brings_the_next_block(self) -> None:
        """RFC 1350, section 2: a block is acknowledged before the next is sent."""
        Player(sending()).play("""
            S  DATA   1 8
            C  ACK    1
            S  DATA   2 8
            C  ACK    2
            S  DATA   3 0
            C  ACK    3
            => completed
            wait 60
        """)

    def test_client_begins_when_the_server_has_answered(self) -> None:
        """RFC 1350, section 4: ACK 0 answers a WRQ, and DATA 1 follows."""
        Player(sending(2, is_client=True)).play("""
            C  DATA   1 8
            S  ACK    1
            C  DATA   2 0
            S  ACK    2
            => completed
        """)

    def test_duplicate_ack_is_not_answered_with_data(self) -> None:
        """RFC 1123, section 4.2.3.1: never resend DATA on a duplicate ACK."""
        end = sending()
        Player(end).play("""
            S  DATA   1 8
            C  ACK    1
            S  DATA   2 8
            C  ACK    1
            C  ACK    1
            C  ACK    2
            S  DATA   3 0
            C  ACK    1
            C  ACK    2
        """)
        assert end.machine.duplicates == 4
        assert end.machine.retransmits == 0

    @pytest.mark.parametrize("number", [0, 2, 3, 65535])
    def test_old_and_future_acks_are_ignored(self, number: int) -> None:
        """RFC 1350, section 2: only the ACK of what is in flight brings the next block."""
        Player(sending()).play(f"""
            S  DATA   1 8
            C  ACK    {number}
            C  ACK    1
            S  DATA   2 8
        """)

    def test_silence_brings_the_block_again_and_then_an_error(self) -> None:
        """RFC 1350, section 2: a time-out sends again what was sent last."""
        end = sending()
        Player(end).play("""
            S  DATA   1 8
            C  ACK    1
            S  DATA   2 8
            wait 0.99
            wait 0.01
            S  DATA   2 8
            wait 1
            S  DATA   2 8
            wait 1
            S  ERROR  0 Timed out
            => timed_out 0 no answer: ACK 2 did not come, 3 tries
            wait 60
            C  ACK    2
        """)
        assert end.machine.retransmits == 2

    def test_answer_after_a_retry_goes_on(self) -> None:
        end = sending()
        player = Player(end)
        assert not end.machine.is_silent
        player.play("""
            S  DATA   1 8
            wait 1
            S  DATA   1 8
        """)
        assert not end.machine.is_silent
        player.play("""
            wait 1
            S  DATA   1 8
        """)
        assert end.machine.is_silent
        assert end.machine.answered_at == 0.0
        player.play("""
            C  ACK    1
            S  DATA   2 8
            C  ACK    1
        """)
        assert not end.machine.is_silent
        assert end.machine.answered_at == pytest.approx(2.01)


class TestOpening:
    OACK = "blksize=8 tsize=8"

    def test_ack_of_the_option_answer_brings_the_first_block(self) -> None:
        """RFC 2347: the client acknowledges the OACK with ACK 0."""
        end = sending(2, oack=self.OACK)
        assert end.machine.is_half_open
        Player(end).play("""
            S  OACK   blksize=8 tsize=8
            C  ACK    0
            S  DATA   1 8
            C  ACK    1
            S  DATA   2 0
            C  ACK    2
            => completed
        """)
        assert not end.machine.is_half_open

    def test_option_answer_is_sent_again_and_then_given_up(self) -> None:
        """RFC 2347: an OACK is retransmitted as DATA is. One packet only: no amplification."""
        end = sending(60, oack="blksize=8 windowsize=16", windowsize=16)
        Player(end).play("""
            S  OACK   blksize=8 windowsize=16
            wait 2
            S  OACK   blksize=8 windowsize=16
            S  OACK   blksize=8 windowsize=16
            wait 1
            => timed_out no answer: the first ACK did not come, 3 tries
        """)
        assert end.machine.retransmits == 2

    def test_a_false_address_gets_little(self) -> None:
        """RFC 1123, section 4.2.3.2: the waits double until the peer shows itself."""
        Player(sending(retry=RetryTimer(1.0, 5))).play("""
            S  DATA   1 8
            wait 1
            S  DATA   1 8
            wait 1.9
            wait 0.1
            S  DATA   1 8
            wait 2.9
            wait 60
            => timed_out no answer: the first ACK did not come, 3 tries
        """)

    def test_a_board_that_loses_the_first_packet_or_answers_late_is_served_as_before(self) -> None:
        Player(sending(retry=RetryTimer(1.0, 5))).play("""
            S  DATA   1 8
            wait 2.5
            S  DATA   1 8
            C  ACK    1
            S  DATA   2 8
            wait 1
            S  DATA   2 8
        """)

    def test_first_block_is_sent_again(self) -> None:
        Player(sending()).play("""
            S  DATA   1 8
            wait 1
            S  DATA   1 8
        """)

    def test_wrong_first_ack_does_not_open_the_transfer(self) -> None:
        Player(sending(oack=self.OACK)).play("""
            S  OACK   blksize=8 tsize=8
            C  ACK    1
            C  ACK    7
            C  ACK    0
            S  DATA   1 8
            C  ACK    0
        """)

    def test_error_in_answer_to_the_size_is_a_probe(self) -> None:
        """UEFI asks for the size, answers the OACK with ERROR 8, and asks again without tsize."""
        Player(sending(oack=self.OACK)).play("""
            S  OACK   blksize=8 tsize=8
            C  ERROR  8 User aborted the transfer
            => probed by the peer 8 User aborted the transfer
        """)

    def test_error_in_answer_to_other_options_is_a_failure(self) -> None:
        """RFC 2347: a client that rejects the OACK sends ERROR 8, and the transfer ends."""
        Player(sending(oack="blksize=8")).play("""
            S  OACK   blksize=8
            C  ERROR  8 No
            => failed by the peer 8 No
        """)

    def test_request_that_comes_again_opens_nothing(self) -> None:
        """RFC 1350, section 4: the same TID is the same transfer."""
        end = sending(oack=self.OACK)
        Player(end).play("""
            S  OACK   blksize=8 tsize=8
            C  RRQ    boot.img octet blksize=8 tsize=0
            C  ACK    0
            S  DATA   1 8
            C  RRQ    boot.img octet blksize=8 tsize=0
        """)
        assert end.machine.duplicates == 2

    def test_client_ignores_a_copy_of_the_option_answer(self) -> None:
        Player(sending(is_client=True)).play("""
            C  DATA   1 8
            S  OACK   blksize=8
            S  ACK    0
        """)


class TestWindow:
    def test_one_ack_brings_the_next_window(self) -> None:
        """RFC 7440, section 4: a window is sent, and one ACK answers for all of it."""
        Player(sending(5, windowsize=2, oack="windowsize=2")).play("""
            S  OACK   windowsize=2
            C  ACK    0
            S  DATA   1 8
            S  DATA   2 8
            C  ACK    2
            S  DATA   3 8
            S  DATA   4 8
            C  ACK    4
            S  DATA   5 0
            C  ACK    5
            => completed
        """)

    def test_ack_in_the_window_goes_on_from_there(self) -> None:
        """RFC 7440, section 4: the sender goes back to the block after the one acknowledged."""
        end = sending(9, windowsize=4, is_client=True)
        Player(end).play("""
            C  DATA   1 8
            C  DATA   2 8
            C  DATA   3 8
            C  DATA   4 8
            S  ACK    1
            C  DATA   2 8
            C  DATA   3 8
            C  DATA   4 8
            C  DATA   5 8
            S  ACK    5
            C  DATA   6 8
            C  DATA   7 8
            C  DATA   8 8
            C  DATA   9 0
        """)
        assert end.machine.retransmits == 3

    def test_silence_brings_the_whole_window_again(self) -> None:
        """RFC 7440, section 4: after a time-out the window is sent from its first block."""
        end = sending(9, windowsize=2, is_client=True)
        Player(end).play("""
            C  DATA   1 8
            C  DATA   2 8
            wait 1
            C  DATA   1 8
            C  DATA   2 8
            S  ACK    2
            C  DATA   3 8
            C  DATA   4 8
        """)
        assert end.machine.retransmits == 2

    def test_copy_of_an_ack_is_not_answered_with_a_window(self) -> None:
        """RFC 1123, section 4.2.3.1, for windows: a copy comes together with the first."""
        Player(sending(9, windowsize=2, oack="windowsize=2")).play("""
            S  OACK   windowsize=2
            C  ACK    0
            S  DATA   1 8
            S  DATA   2 8
            C  ACK    0  (copy)
            C  ACK    2
            S  DATA   3 8
            S  DATA   4 8
            C  ACK    2  (copy)
            C  ACK    2  (copy)
        """)

    def test_ack_repeated_late_reports_that_the_first_block_is_missing(self) -> None:
        """RFC 7440, section 4: the ACK of a gap before the first block is that of the last window.

        It is believed once, and not behind a window that went out twice: its ACK comes twice.
        """
        end = sending(9, windowsize=2, is_client=True)
        Player(end).play("""
            C  DATA   1 8
            C  DATA   2 8
            S  ACK    0
            C  DATA   1 8
            C  DATA   2 8
            S  ACK    0
            S  ACK    2
            C  DATA   3 8
            C  DATA   4 8
            S  ACK    2  (copy)
            S  ACK    4
            C  DATA   5 8
            C  DATA   6 8
            S  ACK    4
            C  DATA   5 8
            C  DATA   6 8
        """)
        assert end.machine.retransmits == 4
        assert end.machine.duplicates == 4

    def test_second_ack_of_a_window_that_went_out_twice_brings_nothing(self) -> None:
        """RFC 1123, section 4.2.3.1: or each window would go out twice from then on."""
        end = sending(9, windowsize=2, is_client=True)
        Player(end).play("""
            C  DATA   1 8
            C  DATA   2 8
            wait 1
            C  DATA   1 8
            C  DATA   2 8
            S  ACK    2
            C  DATA   3 8
            C  DATA   4 8
            S  ACK    2
            S  ACK    4
            C  DATA   5 8
            C  DATA   6 8
        """)
        assert end.machine.retransmits == 2

    def test_ack_that_crossed_a_repeated_window_brings_no_other(self) -> None:
        Player(sending(9, windowsize=2, is_client=True)).play("""
            C  DATA   1 8
            C  DATA   2 8
            wait 1
            C  DATA   1 8
            C  DATA   2 8
            S  ACK    0  (copy)
        """)

    def test_ack_within_a_window_that_a_copy_brought_does_not_double_the_rest(self) -> None:
        """U-Boot acknowledges a block that comes again, and counts its window from there."""
        end = sending(13, windowsize=4, is_client=True)
        Player(end).play("""
            C  DATA   1 8
            C  DATA   2 8
            C  DATA   3 8
            C  DATA   4 8
            S  ACK    2
            C  DATA   3 8
            C  DATA   4 8
            C  DATA   5 8
            C  DATA   6 8
            S  ACK    4
            C  DATA   7 8
            C  DATA   8 8
            S  ACK    8
            C  DATA   9 8
            C  DATA   10 8
            C  DATA   11 8
            C  DATA   12 8
        """)
        assert end.machine.retransmits == 2

    def test_ack_within_a_window_that_was_a_gap_after_all_brings_the_rest_soon(self) -> None:
        Player(sending(9, windowsize=4, is_client=True)).play("""
            C  DATA   1 8
            C  DATA   2 8
            C  DATA   3 8
            C  DATA   4 8
            S  ACK    2
            C  DATA   3 8
            C  DATA   4 8
            C  DATA   5 8
            C  DATA   6 8
            S  ACK    3
            C  DATA   7 8
            wait 0.1
            C  DATA   4 8
            C  DATA   5 8
            C  DATA   6 8
            C  DATA   7 8
        """)

    def test_window_after_an_ack_within_it_may_end_the_file(self) -> None:
        Player(sending(3, windowsize=4, is_client=True)).play("""
            C  DATA   1 8
            C  DATA   2 8
            C  DATA   3 0
            S  ACK    2
            C  DATA   3 0
            S  ACK    3
            => completed
        """)


class TestEnd:
    def test_data_to_a_sender_gets_error_4(self) -> None:
        """RFC 1350, section 5: illegal operation."""
        Player(sending()).play("""
            S  DATA   1 8
            C  DATA   1 8
            S  ERROR  4 Expected ACK, got DATA
            => failed 4 Expected ACK, got DATA
        """)


class TestSizeThatIsFoundOnTheWay:
    @pytest.mark.parametrize("size", [0, 7, 8, 9, 31, 32, 33])
    def test_session_tells_the_last_block_when_it_frames_it(self, size: int) -> None:
        """Text changes its length on the wire, so its end is found as it is sent."""
        job = Job(READ, size, windowsize=4, is_size_known=False)
        carried = carry(job)
        assert carried.is_completed
        assert carried.link.sent["DATA"] == job.blocks

    def test_end_behind_the_window_changes_nothing_in_it(self) -> None:
        machine = Sender(
            Agreement(windowsize=2), RetryTimer(1.0, 2), 0.0, last_block=None, is_answered=True
        )
        machine.set_last_block(3)
        assert machine.sent == 2
        assert machine.acknowledge_window(0.1)
        assert machine.sent == 3
        assert machine.expected == Ack(3).encode()


class TestManyBlocks:
    @pytest.mark.parametrize("windowsize", [1, 16])
    def test_receiver_that_stops_at_block_65535_is_named_as_such(self, windowsize: int) -> None:
        machine = Sender(
            Agreement(blksize=8, windowsize=windowsize),
            RetryTimer(1.0, 2, is_adaptive=False),
            0.0,
            last_block=70000,
            is_answered=True,
        )
        while machine.sent <= 65535:
            machine.acknowledge_window(1.0)
        machine.receive(Ack(65535).encode(), 1.0)
        for now in (2.0, 3.0, 4.0):
            machine.handle_timeout(now)
        assert machine.end is not None
        assert machine.end.message.endswith(
            "; the other end stopped at block 65535, the highest number of a block: raise "
            "blksize=, or try the other rollover="
        )

    @pytest.mark.parametrize(("rollover", "wire_blocks"), [(0, [65535, 0, 1]), (1, [65535, 1, 2])])
    def test_numbers_roll_over(self, rollover: int, wire_blocks: list[int]) -> None:
        """RFC 1350 ends at block 65535; we go on with 0, or with 1 on request."""
        machine = Sender(
            Agreement(blksize=8, windowsize=3, rollover=rollover),
            RetryTimer(1.0, 2),
            0.0,
            last_block=65540,
            is_answered=True,
        )
        while machine.sent < 65535:
            assert machine.acknowledge_window(1.0)
        assert machine.expected == Ack(65535).encode()
        for wire_block in wire_blocks:
            machine.receive(Ack(wire_block).encode(), 2.0)
        assert machine.acked == 65537
        assert machine.sent == 65540
        assert machine.expected == Ack(4 + rollover).encode()

    @pytest.mark.parametrize("rollover", [0, 1])
    @pytest.mark.parametrize("windowsize", [1, 2, 7])
    def test_around_the_rollover_only_numbers_of_the_window_mean_something(
        self, rollover: int, windowsize: int
    ) -> None:
        machine = Sender(
            Agreement(blksize=8, windowsize=windowsize, rollover=rollover),
            RetryTimer(1.0, 2),
            0.0,
            last_block=70000,
            is_answered=True,
        )
        while machine.sent < 65530:
            machine.acknowledge_window(1.0)
        machine.transmits()
        while (acked := machine.acked) < 65540:
            window = {to_wire(block, rollover): block for block in range(acked, machine.sent + 1)}
            for wire_block in (*range(10), *range(65520, 65536)):
                tried = copy.deepcopy(machine)
                tried.receive(Ack(wire_block).encode(), 1.0)
                assert tried.acked == window.get(wire_block, acked)
                assert tried.transmits() or wire_block not in window or window[wire_block] == acked
            machine.receive(Ack(to_wire(acked + 1, rollover)).encode(), 1.0)
            machine.transmits()


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("windowsize", [1, 2, 5, 64])
class TestOverTheLink:
    def test_nothing_lost_nothing_sent_twice(self, direction: Direction, windowsize: int) -> None:
        job = Job(direction, 800, windowsize=windowsize)
        carried = carry(job)
        assert carried.is_completed
        assert carried.link.sent["DATA"] == job.blocks
        assert carried.link.sent["ACK"] <= job.blocks // windowsize + 2

    def test_first_block_of_a_window_lost(self, direction: Direction, windowsize: int) -> None:
        job = Job(direction, 800, windowsize=windowsize)
        carried = carry(job, lose("DATA", windowsize + 1))
        assert carried.is_completed
        assert carried.link.sent["DATA"] <= job.blocks + windowsize

    def test_last_block_lost(self, direction: Direction, windowsize: int) -> None:
        job = Job(direction, 800, windowsize=windowsize)
        carried = carry(job, lose("DATA", job.blocks))
        assert carried.is_completed
        assert carried.link.sent["DATA"] <= job.blocks + windowsize

    def test_every_seventh_block_lost(self, direction: Direction, windowsize: int) -> None:
        job = Job(direction, 800, windowsize=windowsize)
        carried = carry(job, make_rule("drop", "DATA", every=7))
        assert carried.is_completed

    def test_blocks_that_overtake_each_other(self, direction: Direction, windowsize: int) -> None:
        job = Job(direction, 800, windowsize=windowsize)
        carried = carry(job, make_rule("delay", "any", every=4, delay=0.0003))
        assert carried.is_completed

    def test_nobody_there(self, direction: Direction, windowsize: int) -> None:
        """Giving up takes the patience and no more, on both ends."""
        job = Job(direction, 800, windowsize=windowsize)
        # The request, its answer, an ACK and a window arrive, in either direction.
        carried = carry(job, make_rule("stall", "any", after=3 + windowsize))
        assert carried.sender.end is not None
        assert carried.receiver.end is not None
        assert carried.receiver.end.outcome is Outcome.timed_out
        # The second window of 64 has the rest of the file: all of it left, as far as is known.
        is_all_out = (windowsize, direction) == (64, WRITE)
        awaited = Outcome.unconfirmed if is_all_out else Outcome.timed_out
        assert carried.sender.end.outcome is awaited
        # A window that goes out in bursts gets the time that it takes besides.
        pauses = 0.0 if windowsize == 1 else windowsize * LONGEST_PAUSE
        assert job.patience <= carried.link.now <= job.patience + 0.1 + pauses


@pytest.mark.parametrize(
    ("acks", "outcome"),
    [
        (0, Outcome.timed_out),
        (1, Outcome.timed_out),
        (2, Outcome.unconfirmed),
    ],
)
def test_a_sender_of_which_only_the_last_ack_is_missing_says_so(
    acks: int, outcome: Outcome
) -> None:
    """Nobody can know whether the peer has the last block; it is not dead for sure."""
    sender = sending().machine
    for block in range(1, acks + 1):
        sender.receive(Ack(block).encode(), 0.0)
    while sender.deadline is not None:
        sender.handle_timeout(sender.deadline)
    assert sender.end is not None
    assert sender.end.outcome is outcome


@pytest.mark.parametrize(("acks", "outcome"), [(1, Outcome.failed), (2, Outcome.unconfirmed)])
def test_a_peer_that_closes_its_port_instead_of_the_last_ack_may_have_it_all(
    acks: int, outcome: Outcome
) -> None:
    sender = sending().machine
    for block in range(1, acks + 1):
        sender.receive(Ack(block).encode(), 0.0)
    sender.lose("the peer closed its port")
    assert sender.end is not None
    assert sender.end.outcome is outcome


@given(jobs(PATIENT), schedules())
@example(Job(WRITE, 0, timing=PATIENT), [(0.0,), (0.0,), (0.0,), (), ()])
def test_any_finite_schedule_leaves_both_ends_complete(job: Job, fates: list[Fate]) -> None:
    """RFC 1350, section 2: lost, copied and late packets are made good.

    Section 6 knows one exception: whoever waits for the last ACK cannot know that it was lost
    again and again.
    """
    carried = carry(job, Schedule(fates))
    assert carried.is_delivered
    assert carried.is_completed or carried.late_faults > 1


@given(jobs(Timing(retries=2)), schedules(min_size=1))
def test_any_schedule_at_all_ends_in_bounded_time_with_bounded_traffic(
    job: Job, fates: list[Fate]
) -> None:
    carried = carry(job, forever(fates))
    assert carried.client.end is not None
    assert carried.link.now <= job.patience * (job.blocks + 3) + max(map(sum, fates))
    # A window leaves for an ACK that is news, for one that is repeated, and for each time-out.
    retries = job.timing.retries + 5
    windows = (job.blocks + 1) * (2 + retries)
    sent = carried.link.sent
    assert sent["DATA"] <= job.windowsize * windows
    # An ACK answers a block that is news, one that is not, or a time-out.
    assert sent["ACK"] <= (job.blocks + 1) * (2 + retries) + 3 * sent["DATA"]
    assert sent["RRQ"] + sent["WRQ"] + sent["OACK"] <= 2 * (1 + retries)
    assert sent["ERROR"] <= 2


@given(jobs(Timing()), st.floats(0, LATENCY / 2))
@example(Job(READ, 0, windowsize=2, timing=Timing(is_adaptive=False)), 0.0002)
def test_copies_of_every_ack_never_double_the_data(job: Job, delay: float) -> None:
    """RFC 1123, section 4.2.3.1: the Sorcerer's Apprentice, for every windowsize."""
    carried = carry(job, make_rule("duplicate", "ACK", times=None, delay=delay))
    assert carried.is_completed
    assert carried.link.sent["DATA"] == job.blocks


@given(jobs(Timing()), st.floats(0, 0.19))
def test_late_copies_of_every_ack_cost_at_most_one_window_each(job: Job, delay: float) -> None:
    """RFC 1123, section 4.2.3.1. In a window a late copy looks like a report of a gap."""
    carried = carry(job, make_rule("duplicate", "ACK", times=None, delay=delay))
    assert carried.is_completed
    most = job.blocks if job.windowsize == 1 else 2 * job.blocks
    assert carried.link.sent["DATA"] <= most


@given(jobs(PATIENT), schedules())
def test_fast_path_sends_what_the_slow_path_sends(job: Job, fates: list[Fate]) -> None:
    fast = carry(replace(job, is_fast=True), Schedule(fates))
    slow = carry(replace(job, is_fast=False), Schedule(fates))
    assert fast.link.transcript == slow.link.transcript
    assert fast.link.now == slow.link.now
    assert fast.client.end == slow.client.end
    assert fast.server.end == slow.server.end


@given(st.lists(st.binary(max_size=8) | st.builds(lambda n: Ack(n).encode(), st.integers(0, 9))))
def test_no_datagrams_break_a_sender(datagrams: list[bytes]) -> None:
    machine = Sender(
        Agreement(blksize=8, windowsize=3), RetryTimer(1.0, 2), 0.0, last_block=7, is_answered=True
    )
    machine.transmits()
    windows = 0
    for now, datagram in enumerate(datagrams):
        machine.receive(datagram, now * 0.01)
        for transmit in machine.transmits():
            if isinstance(transmit, Blocks):
                assert machine.acked < transmit.first <= transmit.last <= 7
                windows += 1
    assert 0 <= machine.acked <= machine.sent <= 7
    # One for each block that is acknowledged, and one for an ACK of it that is repeated.
    assert windows <= 2 * 7


def paced(
    windowsize: int = 16, *, last_block: int | None = 100, timeouts: int = 1, start: float = 0.0
) -> tuple[Sender, float]:
    """A sender that got no answer to its first window, so often, and what time it is."""
    machine = Sender(
        Agreement(blksize=8, windowsize=windowsize),
        RetryTimer(1.0, 9),
        start,
        last_block=last_block,
        is_answered=True,
        pace=Pace(windowsize),
    )
    assert machine.transmits() == [Blocks(1, windowsize)]
    assert not machine.is_paced
    now = start
    for number in range(timeouts):
        if number:
            now = send_bursts(machine)
        machine.transmits()
        assert machine.deadline is not None
        now = machine.deadline
        machine.handle_timeout(now)
    return machine, now


def send_bursts(machine: Sender) -> float:
    """Lets the rest of a window go out. Returns when its last burst did."""
    while machine.sent < machine.acked + machine.windowsize:
        assert machine.deadline is not None
        now = machine.deadline
        machine.handle_timeout(now)
    return now


class TestPace:
    """A board that loses the tail of a window gets bursts that it can take."""

    def test_after_a_time_out_half_a_window_leaves_and_soon_the_other_half(self) -> None:
        machine, now = paced()
        assert machine.is_paced
        assert machine.transmits() == [Blocks(1, 8)]
        assert machine.deadline is not None
        assert now < machine.deadline < now + 0.01
        last = send_bursts(machine)
        assert machine.transmits() == [Blocks(9, 16)]
        # From here on an answer is awaited, as long as before.
        assert machine.deadline == pytest.approx(last + 1.0)
        machine.receive(Ack(16).encode(), last + 0.001)
        assert machine.transmits() == [Blocks(17, 24)]
        assert machine.retransmits == 16

    @pytest.mark.parametrize("start", [0.0, 86_400.0])
    def test_a_larger_burst_is_tried_after_as_much_time_as_the_time_out_took(
        self, start: float
    ) -> None:
        """The monotonic clock begins anywhere: the cost is what was waited, not what time it is."""
        machine, began = paced(last_block=None, start=start)
        now = began
        while machine.is_paced and now < began + 3.0:
            now = 0.01 + (send_bursts(machine) if machine.sent < machine.acked + 16 else now)
            machine.receive(Ack(machine.sent).encode(), now)
        assert now - began == pytest.approx(1.0, abs=0.05)

    def test_an_ack_of_what_has_left_brings_the_next_burst_at_once(self) -> None:
        machine, now = paced()
        machine.transmits()
        machine.receive(Ack(8).encode(), now + 0.0001)
        assert (machine.acked, machine.transmits()) == (8, [Blocks(9, 16)])

    def test_an_ack_of_the_window_before_the_pace_is_believed(self) -> None:
        """It had arrived, and its ACK was slow: what goes out again meanwhile gets its time."""
        machine, now = paced()
        machine.transmits()
        before = machine.deadline
        machine.receive(Ack(12).encode(), now + 0.0001)
        assert (machine.acked, machine.transmits(), machine.deadline) == (12, [], before)
        send_bursts(machine)
        assert machine.transmits() == [Blocks(13, 20), Blocks(21, 28)]

    def test_what_never_left_is_not_acknowledged(self) -> None:
        machine, now = paced()
        machine.transmits()
        machine.receive(Ack(17).encode(), now)
        assert (machine.acked, machine.duplicates, machine.transmits()) == (0, 1, [])

    def test_an_ack_within_a_burst_is_doubted_and_the_rest_goes_on(self) -> None:
        """Its blocks left twice. If it was a gap after all, the window comes again soon."""
        machine, now = paced()
        machine.transmits()
        machine.receive(Ack(4).encode(), now + 0.0001)
        assert (machine.acked, machine.transmits()) == (4, [])
        last = send_bursts(machine)
        assert machine.transmits() == [Blocks(9, 16), Blocks(17, 20)]
        assert machine.deadline == pytest.approx(last + 0.02)
        machine.handle_timeout(last + 0.02)
        assert machine.transmits() == [Blocks(5, 8)]

    def test_a_window_has_nothing_more_to_send_behind_a_doubted_ack_at_the_end(self) -> None:
        machine, _ = paced(last_block=16)
        last = send_bursts(machine)
        machine.transmits()
        machine.receive(Ack(4).encode(), last + 0.0001)
        assert (machine.acked, machine.transmits()) == (4, [])

    def test_while_bursts_become_smaller_the_wait_does_not_double(self) -> None:
        machine = Sender(
            Agreement(blksize=8, windowsize=4),
            RetryTimer(9.0, 9),
            0.0,
            last_block=None,
            is_answered=True,
            pace=Pace(4),
        )
        for number in range(1, 60):
            # The first window was answered in a moment.
            machine.receive(Ack(4 * number).encode(), 0.03 * number)
        waits = []
        for _ in range(5):
            assert machine.deadline is not None
            now = machine.deadline
            machine.handle_timeout(now)
            if machine.sent < machine.acked + 4:
                now = send_bursts(machine)
            assert machine.deadline is not None
            waits.append(machine.deadline - now)
        # Of the first the wire is to blame; the next two halve the burst.
        assert waits == pytest.approx([0.4, 0.4, 0.4, 0.8, 1.6])

    @pytest.mark.parametrize("end", [5, 8])
    def test_the_end_of_a_text_may_come_before_the_rest_of_a_window(self, end: int) -> None:
        machine, now = paced(last_block=None)
        machine.transmits()
        machine.set_last_block(end)
        assert machine.deadline == pytest.approx(now + 1.0)
        machine.receive(Ack(16).encode(), now + 0.0001)
        assert machine.end is None
        machine.receive(Ack(end).encode(), now + 0.0001)
        assert machine.end is not None
        assert machine.end.outcome is Outcome.completed

    def test_an_end_leaves_no_deadline_of_a_burst(self) -> None:
        machine, _ = paced()
        machine.abort(0, "Stopped")
        assert machine.deadline is None

    @pytest.mark.parametrize("is_adaptive", [True, False])
    def test_without_a_loss_there_is_no_pace(self, is_adaptive: bool) -> None:
        job = Job(READ, 8 * 2000, windowsize=64, timing=Timing(is_adaptive=is_adaptive))
        without = replace(job, timing=job.timing._replace(is_paced=False))
        assert carry(job).link.transcript == carry(without).link.transcript
        assert carry(job).link.now == carry(without).link.now

    @pytest.mark.parametrize("direction", Direction)
    @pytest.mark.parametrize(
        ("places", "block_time", "windowsize"),
        [(32, 20e-6, 64), (8, 50e-6, 16), (8, 50e-6, 64), (4, 100e-6, 16), (16, 100e-6, 32)],
    )
    def test_a_board_with_few_receive_buffers_is_served_in_its_time(
        self, direction: Direction, places: int, block_time: float, windowsize: int
    ) -> None:
        job = Job(direction, 8 * 5000, windowsize=windowsize, timing=PATIENT)
        carried = carry(job, ring(places, block_time))
        assert carried.is_completed
        # Ten milliseconds for a window, and some time-outs to find out what the board can take:
        # of a second in a write, which has measured no round trip before.
        assert max(carried.link.ended.values()) < job.blocks / windowsize * 0.01 + 6.0
        assert carried.link.sent["DATA"] < 1.3 * job.blocks

    @pytest.mark.parametrize("direction", Direction)
    def test_a_window_is_not_sent_again_while_it_is_still_arriving(
        self, direction: Direction
    ) -> None:
        """100 kB/s and 20 ms one way: a window takes nearly a second, the OACK only 40 ms."""
        job = Job(direction, 1428 * 500, blksize=1428, windowsize=64, timing=Timing())
        carried = carry(job, LinkQuality(rate=100e3), latency=0.02)
        assert carried.is_completed
        assert carried.link.sent["DATA"] == job.blocks
        assert max(carried.link.ended.values()) < 1.1 * 500 * 0.01432

    @pytest.mark.parametrize("direction", Direction)
    def test_a_window_that_takes_longer_than_the_timeout_arrives(
        self, direction: Direction
    ) -> None:
        """50 kB/s: the first window is sent again, then the wait follows what it took."""
        job = Job(direction, 1428 * 1000, blksize=1428, windowsize=64, timing=Timing())
        carried = carry(job, LinkQuality(rate=50e3), latency=0.02)
        assert carried.is_completed
        assert carried.link.sent["DATA"] < 2.2 * job.blocks

    def test_whole_windows_again_take_a_time_out_for_each_handful(self) -> None:
        timing = PATIENT._replace(is_paced=False)
        carried = carry(Job(READ, 8 * 500, windowsize=64, timing=timing), ring(8, 50e-6))
        assert carried.is_completed
        assert carried.link.now > 0.2 * 500 / 64

    def test_u_boot_with_few_receive_buffers_waits_for_few_time_outs(self) -> None:
        """It negotiates five seconds, and counts its time-outs over the whole file."""
        board, link = boot(16, 5000, ring(8, 50e-6))
        assert board.timeouts <= 2
        assert link.ended["C"] < 15.0

    @pytest.mark.parametrize("windowsize", [16, 64])
    def test_a_wire_that_loses_one_of_a_thousand_stays_nearly_as_fast(
        self, windowsize: int
    ) -> None:
        """The pace costs less than a fifth of what the time-outs of such a wire cost."""
        job = Job(READ, 8 * 10_000, windowsize=windowsize, timing=PATIENT)
        without = replace(job, timing=PATIENT._replace(is_paced=False))
        seconds = {
            each: sum(
                carry(each, LinkQuality(loss=0.001, seed=seed), latency=0.00005).link.ended["C"]
                for seed in range(3)
            )
            for each in (job, without)
        }
        assert seconds[job] < 1.2 * seconds[without]

    def test_a_single_loss_is_over_after_as_much_time_as_it_cost(self) -> None:
        """The last block of the first window: no ACK can tell of it."""
        job = Job(READ, 8 * 10_000, windowsize=64)
        at_rest = carry(job, latency=0.00005).link
        disturbed = carry(job, lose("DATA", 64), latency=0.00005).link
        waited = 0.2
        assert disturbed.now - at_rest.now < 2.2 * waited


def boot(windowsize: int, blocks: int, fault: Fault) -> tuple[UBootEnd, Link]:
    """U-Boot reads a file, octet for octet."""
    board = UBootEnd(8, windowsize, most_timeouts=1000)
    content = random.Random(blocks).randbytes(8 * blocks - 3)
    server = ServerEnd(content=content, bounds=Bounds(max_windowsize=64), timing=PATIENT)
    link = Link(fault, latency=0.0001)
    link.join(board, server)
    assert board.end is not None
    assert board.end.outcome is Outcome.completed
    assert board.content == content
    return board, link


@given(st.sampled_from([2, 4, 16]), schedules(max_size=100))
def test_u_boot_has_the_file_after_any_finite_schedule(windowsize: int, fates: list[Fate]) -> None:
    """Whatever it acknowledges within a window, and whatever it does not."""
    boot(windowsize, 60, Schedule(fates))
