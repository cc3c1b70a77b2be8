"""The end that receives DATA: a server's write, a client's read."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.protocol.blocks import to_wire
from TftpLibrary.protocol.machine import Phase
from TftpLibrary.protocol.options import Agreement
from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import Ack, Data, Direction, Oack
from TftpLibrary.protocol.receiver import Receiver
from TftpLibrary.protocol.retry import RetryTimer
from TftpLibrary.protocol.roles import Timing
from utest.support.ends import ReceivingEnd
from utest.support.link import LATENCY, Fate, Fault, Schedule, lose
from utest.support.transcript import Player, options
from utest.support.transfers import PATIENT, Job, carry, jobs, schedules

READ, WRITE = Direction


def receiving(
    *,
    windowsize: int = 1,
    oack: str = "",
    is_client: bool = False,
    rollover: int = 0,
    is_fast: bool = False,
    retry: RetryTimer | None = None,
) -> ReceivingEnd:
    """An end that receives blocks of 8 octets; a client has acknowledged an OACK."""
    granted = options(oack.split())
    agreement = Agreement(blksize=8, windowsize=windowsize, rollover=rollover, granted=granted)
    answer = Oack(granted).encode() if granted and not is_client else Ack(0).encode()
    timer = retry or RetryTimer(1.0, 2, is_adaptive=False)
    machine = Receiver(agreement, timer, 0.0, invitation=answer)
    return ReceivingEnd("C" if is_client else "S", machine, is_fast=is_fast)


class TestLockStep:
    def test_each_block_is_acknowledged(self) -> None:
        """RFC 1350, section 2: each block is acknowledged; a short one ends the file."""
        end = receiving()
        Player(end).play("""
            S  ACK    0
            C  DATA   1 8
            S  ACK    1
            C  DATA   2 8
            S  ACK    2
            C  DATA   3 5
            S  ACK    3
            => completed
        """)
        assert end.content == b"\1" * 8 + b"\2" * 8 + b"\3" * 5

    def test_empty_file_is_one_empty_block(self) -> None:
        """RFC 1350, section 6: a file whose size is a multiple of blksize ends with no octets."""
        Player(receiving()).play("""
            S  ACK    0
            C  DATA   1 0
            S  ACK    1
            => completed
        """)

    def test_block_that_comes_again_is_acknowledged_and_not_written(self) -> None:
        """RFC 1350, section 2: the ACK may have been lost."""
        end = receiving()
        Player(end).play("""
            S  ACK    0
            C  DATA   1 8
            S  ACK    1
            C  DATA   1 8
            S  ACK    1
            C  DATA   2 8
            S  ACK    2
            C  DATA   1 8
        """)
        assert end.content == b"\1" * 8 + b"\2" * 8
        assert end.machine.duplicates == 2
        assert end.machine.retransmits == 1

    @pytest.mark.parametrize("number", [0, 3, 4, 65535])
    def test_blocks_that_cannot_be_are_ignored(self, number: int) -> None:
        end = receiving()
        Player(end).play(f"""
            S  ACK    0
            C  DATA   1 8
            S  ACK    1
            C  DATA   {number} 8
            C  DATA   2 8
            S  ACK    2
        """)
        assert end.content == b"\1" * 8 + b"\2" * 8

    def test_silence_brings_the_ack_again_and_then_an_error(self) -> None:
        """RFC 1350, section 2: a time-out sends again what was sent last."""
        end = receiving()
        Player(end).play("""
            S  ACK    0
            C  DATA   1 8
            S  ACK    1
            wait 0.99
            wait 0.01
            S  ACK    1
            wait 1
            S  ACK    1
            wait 1
            S  ERROR  0 Timed out
            => timed_out 0 no answer: DATA 2 did not come, 3 tries
            wait 60
            C  DATA   2 8
        """)
        assert end.machine.is_silent
        assert end.machine.retransmits == 2

    def test_answer_is_awaited_as_long_as_the_round_trip_suggests(self) -> None:
        """RFC 1123, section 4.2.3.2: an adaptive timeout."""
        machine = Receiver(Agreement(blksize=8), RetryTimer(5.0, 2), 0.0, invitation=b"\0\4\0\0")
        Player(ReceivingEnd("S", machine, is_fast=False)).play("""
            S  ACK    0
            C  DATA   1 8
            S  ACK    1
            C  DATA   2 8
            S  ACK    2
            wait 0.2
            S  ACK    2
            wait 0.39
            wait 0.01
            S  ACK    2
        """)


class TestOpening:
    def test_option_answer_invites_the_first_block(self) -> None:
        """RFC 2347: the OACK answers a WRQ, and DATA 1 follows."""
        end = receiving(oack="blksize=8")
        assert end.machine.is_half_open
        Player(end).play("""
            S  OACK   blksize=8
            C  DATA   1 8
            S  ACK    1
        """)
        assert not end.machine.is_half_open

    def test_option_answer_is_sent_again(self) -> None:
        """RFC 2347: an OACK is retransmitted as an ACK is. One packet only: no amplification."""
        Player(receiving(oack="blksize=8 windowsize=4", windowsize=4)).play("""
            S  OACK   blksize=8 windowsize=4
            wait 1
            S  OACK   blksize=8 windowsize=4
            C  DATA   2 8
            S  OACK   blksize=8 windowsize=4
            wait 60
            S  OACK   blksize=8 windowsize=4
            => timed_out no answer: DATA 1 did not come, 4 tries
        """)

    def test_client_acknowledges_the_option_answer(self) -> None:
        """RFC 2347: ACK 0 answers the OACK of an RRQ."""
        Player(receiving(oack="blksize=8", is_client=True)).play("""
            C  ACK    0
            S  DATA   1 8
            C  ACK    1
            S  DATA   2 0
            C  ACK    2
            => completed
        """)

    def test_client_of_a_server_without_options_has_the_first_block(self) -> None:
        """RFC 1350, section 2: DATA 1 answers an RRQ."""
        machine = Receiver(Agreement(blksize=8), RetryTimer(1.0, 2), 0.0, invitation=None)
        Player(ReceivingEnd("C", machine, is_fast=False)).play("""
            S  DATA   1 8
            C  ACK    1
        """)

    def test_request_or_option_answer_that_comes_again_opens_nothing(self) -> None:
        """RFC 1350, section 4: the same TID is the same transfer."""
        end = receiving()
        Player(end).play("""
            S  ACK    0
            C  WRQ    log.txt octet
            C  OACK   blksize=8
            C  DATA   1 8
            S  ACK    1
        """)
        assert end.machine.duplicates == 2

    @pytest.mark.parametrize("before", ["", "C  DATA   1 8\nS  ACK    1\n"])
    def test_ack_0_of_a_client_that_writes_is_taken_for_politeness(self, before: str) -> None:
        """RFC 2347 has it for reads alone; boot monitors are known that send it in a write."""
        end = receiving(oack="blksize=8")
        last = 2 if before else 1
        Player(end).play(f"""
S  OACK   blksize=8
{before}C  ACK    0
C  DATA   {last} 5
S  ACK    {last}
=> completed
C  ACK    0
        """)
        assert end.machine.remarks == (
            "ACK 0 came in answer to the OACK, which a write does not need",
        )

    def test_block_0_is_no_block(self) -> None:
        Player(receiving(windowsize=2, is_client=True)).play("""
            C  ACK    0
            S  DATA   0 8
            S  DATA   1 8
            S  DATA   2 8
            C  ACK    2
        """)


class TestWindow:
    def test_one_ack_answers_for_a_window(self) -> None:
        """RFC 7440, section 4: one ACK for the last block of a window, or of the file."""
        Player(receiving(windowsize=2, is_client=True)).play("""
            C  ACK    0
            S  DATA   1 8
            S  DATA   2 8
            C  ACK    2
            S  DATA   3 8
            S  DATA   4 8
            C  ACK    4
            S  DATA   5 3
            C  ACK    5
            => completed
        """)

    def test_gap_is_reported_once_and_at_once(self) -> None:
        """RFC 7440, section 4: the ACK of the block before the gap asks for what is missing."""
        end = receiving(windowsize=4, is_client=True)
        Player(end).play("""
            C  ACK    0
            S  DATA   1 8
            S  DATA   3 8
            C  ACK    1
            S  DATA   4 8
            S  DATA   2 8
            S  DATA   3 8
            S  DATA   4 8
            S  DATA   5 8
            C  ACK    5
            S  DATA   7 8
            C  ACK    5
        """)
        assert end.content == b"".join(bytes([block]) * 8 for block in range(1, 6))
        assert end.machine.retransmits == 2

    def test_missing_first_block_is_reported_with_the_last_ack(self) -> None:
        """RFC 7440, section 4."""
        Player(receiving(windowsize=2, is_client=True)).play("""
            C  ACK    0
            S  DATA   2 8
            C  ACK    0
            S  DATA   1 8
            S  DATA   2 8
            C  ACK    2
            S  DATA   4 8
            C  ACK    2
        """)

    def test_rest_of_a_window_lost_is_asked_for_after_a_while(self) -> None:
        """RFC 7440, section 4: after a time-out the last block that came is acknowledged."""
        Player(receiving(windowsize=4, is_client=True)).play("""
            C  ACK    0
            S  DATA   1 8
            S  DATA   2 8
            wait 1
            C  ACK    2
            S  DATA   3 8
            S  DATA   4 8
            S  DATA   5 8
            S  DATA   6 8
            C  ACK    6
        """)

    def test_window_that_comes_again_is_acknowledged_once(self) -> None:
        """Our ACK was lost: only the last block of the window is answered."""
        Player(receiving(windowsize=2, is_client=True)).play("""
            C  ACK    0
            S  DATA   1 8
            S  DATA   2 8
            C  ACK    2
            S  DATA   1 8
            S  DATA   2 8
            C  ACK    2
        """)

    def test_copies_within_a_window_are_not_acknowledged(self) -> None:
        """Each ACK within a window would cost a window (RFC 1123, section 4.2.3.1)."""
        Player(receiving(windowsize=3, is_client=True)).play("""
            C  ACK    0
            S  DATA   1 8
            S  DATA   1 8
            S  DATA   2 8
            S  DATA   1 8
            S  DATA   2 8
            S  DATA   3 8
            C  ACK    3
            S  DATA   4 8
            S  DATA   4 8
        """)

    def test_sender_that_missed_our_report_ends_its_window_earlier(self) -> None:
        """ACK 2 reported a gap and was lost: the window still is 1 to 4, not 3 to 6."""
        Player(receiving(windowsize=4, is_client=True)).play("""
            C  ACK    0
            S  DATA   1 8
            S  DATA   2 8
            S  DATA   4 8
            C  ACK    2
            S  DATA   1 8
            S  DATA   3 8
            S  DATA   4 8
            C  ACK    4
        """)

    def test_each_block_of_a_window_gives_the_next_one_its_time(self) -> None:
        Player(receiving(windowsize=4, is_client=True)).play("""
            C  ACK    0
            S  DATA   1 8
            wait 0.8
            S  DATA   2 8
            wait 0.8
            S  DATA   3 8
            wait 1
            C  ACK    3
        """)

    def test_window_that_came_again_is_over_with_the_next_ack(self) -> None:
        """The meaning of a copy in the next window does not depend on the last one."""
        Player(receiving(windowsize=2, is_client=True)).play("""
            C  ACK    0
            S  DATA   1 8
            S  DATA   2 8
            C  ACK    2
            S  DATA   1 8
            S  DATA   3 8
            S  DATA   4 8
            C  ACK    4
            S  DATA   5 8
            S  DATA   5 8
        """)

    def test_block_that_was_acknowledged_last_is_acknowledged_again(self) -> None:
        """The sender missed the report: told again where we stand, it goes on from there."""
        Player(receiving(windowsize=4, is_client=True)).play("""
            C  ACK    0
            S  DATA   1 8
            S  DATA   3 8
            C  ACK    1
            S  DATA   1 8
            C  ACK    1
            S  DATA   2 8
            S  DATA   3 8
            S  DATA   4 8
            S  DATA   5 8
            C  ACK    5
        """)

    def test_sender_that_went_back_to_what_is_here_is_answered_at_its_window_s_end(self) -> None:
        """ACK 2 was lost, and of the window that came again its first block: 2 ends it."""
        Player(receiving(windowsize=3, is_client=True)).play("""
            C  ACK    0
            S  DATA   1 8
            S  DATA   2 8
            wait 1
            C  ACK    2
            S  DATA   1 8
            S  DATA   1 8
            S  DATA   3 8
            C  ACK    3
            S  DATA   4 8
            S  DATA   2 8
            S  DATA   4 8
            C  ACK    4
        """)


class TestEnd:
    def test_last_ack_is_repeated_while_dallying(self) -> None:
        """RFC 1350, section 6: the last DATA comes again when the last ACK was lost."""
        end = receiving()
        Player(end).play("""
            S  ACK    0
            C  DATA   1 0
            S  ACK    1
            => completed
            wait 1.5
            C  DATA   1 0
            S  ACK    1
            wait 1.2
            C  DATA   1 0
            S  ACK    1
            C  DATA   2 0
            C  OACK   blksize=8
            wait 60
            C  DATA   1 0
        """)
        assert end.content == b""
        assert end.machine.phase is Phase.ended

    @pytest.mark.parametrize("is_fast", [False, True])
    def test_nothing_is_taken_behind_the_last_block(self, is_fast: bool) -> None:
        end = receiving(is_fast=is_fast)
        Player(end).play("""
            S  ACK    0
            C  DATA   1 8
            S  ACK    1
            C  DATA   2 3
            S  ACK    2
            => completed
            C  DATA   3 8
            C  ?
            wait 60
            C  DATA   3 8
        """)
        assert end.content == b"\1" * 8 + b"\2" * 3

    @pytest.mark.parametrize("is_fast", [False, True])
    def test_nothing_is_taken_after_a_failure(self, is_fast: bool) -> None:
        end = receiving(is_fast=is_fast)
        Player(end).play("""
            S  ACK    0
            C  ERROR  0 Bye
            => failed by the peer 0 Bye
            C  DATA   1 8
        """)
        assert end.content == b""

    def test_dallying_is_longer_than_a_client_waits_that_has_five_seconds(self) -> None:
        """RFC 1350, section 6: tftp-hpa and atftp send their last DATA again only then."""
        Player(receiving()).play("""
            S  ACK    0
            C  DATA   1 0
            S  ACK    1
            => completed
            wait 5
            C  DATA   1 0
            S  ACK    1
            wait 5
            C  DATA   1 0
            S  ACK    1
            wait 6.1
            C  DATA   1 0
        """)

    def test_dallying_ends(self) -> None:
        """RFC 1350, section 6: for a while. A peer cannot keep it up for ever."""
        end = receiving()
        player = Player(end)
        player.play("""
            S  ACK    0
            C  DATA   1 0
            S  ACK    1
            => completed
        """)
        while end.machine.phase is not Phase.ended:
            player.now += 0.5
            if end.machine.deadline is not None and end.machine.deadline <= player.now:
                end.machine.handle_timeout(player.now)
            end.machine.receive(Data(1, b"").encode(), player.now)
            end.machine.transmits()
        assert player.now <= 31.0

    def test_the_senders_own_timer_gets_its_turn_in_lock_step(self) -> None:
        """The timer of tftp-hpa's client begins anew with each packet, and lasts five seconds."""
        Player(receiving(retry=RetryTimer(1.0, 5))).play("""
            S  ACK    0
            C  DATA   1 8
            S  ACK    1
            C  DATA   2 8
            S  ACK    2
            wait 5.7
            S  ACK    2
            S  ACK    2
            C  DATA   3 0
            S  ACK    3
            => completed
        """)

    def test_nothing_is_acknowledged_before_the_file_is_safe(self) -> None:
        """The last ACK says that the file has arrived: a full disk can still become an ERROR."""
        machine = receiving().machine
        machine.transmits()
        assert machine.receive(Data(1, b"x").encode(), 0.1)
        assert machine.phase is Phase.closing
        assert machine.deadline is None
        machine.handle_timeout(5.0)
        assert not machine.receive(Data(1, b"x").encode(), 5.0)
        assert not machine.receive(Data(2, b"x").encode(), 5.0)
        assert machine.transmits() == []
        machine.abort(3, "Disk full")
        assert machine.transmits() == [b"\0\5\0\3Disk full\0"]
        assert machine.end is not None
        assert machine.end.outcome is Outcome.failed

    def test_ack_to_a_receiver_gets_error_4(self) -> None:
        """RFC 1350, section 5: illegal operation."""
        Player(receiving()).play("""
            S  ACK    0
            C  ACK    0
            S  ERROR  4 Expected DATA, got ACK
            => failed 4 Expected DATA, got ACK
        """)

    def test_block_larger_than_agreed_gets_error_4(self) -> None:
        """RFC 2348: blksize is the number of octets of a block, at most."""
        end = receiving()
        Player(end).play("""
            S  ACK    0
            C  DATA   1 9
            S  ERROR  4 DATA of 9 octets, blksize is 8
            => failed 4 DATA of 9 octets, blksize is 8
        """)
        assert end.content == b""


@pytest.mark.parametrize(("rollover", "wire_blocks"), [(0, [65535, 0, 1]), (1, [65535, 1, 2])])
def test_numbers_roll_over(rollover: int, wire_blocks: list[int]) -> None:
    """RFC 1350 ends at block 65535; we go on with 0, or with 1 on request."""
    machine = receiving(rollover=rollover, is_client=True).machine
    machine.transmits()
    while machine.received < 65534:
        machine.accept(machine.full_size, 1.0)
    assert not machine.is_silent
    for wire_block in wire_blocks:
        assert machine.receive(Data(wire_block, bytes(8)).encode(), 2.0)
        assert machine.transmits() == [Ack(wire_block).encode()]
        assert not machine.receive(Data(wire_block, bytes(8)).encode(), 2.0)
        assert machine.transmits() == [Ack(wire_block).encode()]
    assert machine.received == 65537


@pytest.mark.parametrize(("rollover", "wire_blocks"), [(0, [0, 2]), (1, [1, 3])])
def test_block_from_before_the_rollover_is_told_from_a_new_one(
    rollover: int, wire_blocks: list[int]
) -> None:
    """The sender missed our report of a gap: its window still begins before the rollover."""
    machine = receiving(windowsize=7, rollover=rollover, is_client=True).machine
    while machine.received < 65534:
        machine.accept(machine.full_size, 1.0)
    machine.transmits()
    second, fourth = wire_blocks
    for wire_block in (65535, second, fourth, 65535):
        machine.receive(Data(wire_block, bytes(8)).encode(), 2.0)
    # The report of the gap, and nothing for the old block.
    assert machine.transmits() == [Ack(second).encode()]
    # Its window is 65535 and six more, and ours ends with it.
    assert machine.received == 65536
    assert machine.room == 5


@pytest.mark.parametrize("rollover", [0, 1])
@pytest.mark.parametrize("windowsize", [1, 2, 7])
def test_around_the_rollover_only_numbers_of_near_blocks_mean_something(
    rollover: int, windowsize: int
) -> None:
    """With rollover 1 no block is 0 on the wire: it is no copy of 65535."""
    machine = receiving(windowsize=windowsize, rollover=rollover, is_client=True).machine
    while machine.received < 65530:
        machine.accept_run(min(machine.room, 65530 - machine.received), 1.0)
    machine.transmits()
    while (newest := machine.received) < 65540:
        near = {
            to_wire(block, rollover)
            for block in range(newest - 2 * windowsize, newest + windowsize + 1)
        }
        for wire_block in (*range(10), *range(65525, 65536)):
            tried = copy.deepcopy(machine)
            is_next = tried.receive(Data(wire_block, bytes(8)).encode(), 2.0)
            assert is_next is (wire_block == to_wire(newest + 1, rollover))
            if wire_block not in near:
                assert tried.transmits() == []
                assert (tried.received, tried.room) == (newest, machine.room)
        machine.accept(machine.full_size, 1.0)


def test_sender_that_stops_at_block_65535_is_named_as_such() -> None:
    machine = receiving(is_client=True).machine
    while machine.received < 65535:
        machine.accept(machine.full_size, 1.0)
    for now in (2.0, 3.0, 4.0):
        machine.handle_timeout(now)
    assert machine.end is not None
    assert machine.end.message == (
        "no answer: DATA 65536 did not come, 3 tries; the other end stopped at block 65535, the "
        "highest number of a block: raise blksize=, or try the other rollover="
    )


class TestDoubt:
    """Some devices agree to a block size and do not use it: their first block looks like all."""

    SCRIPT = """
        C  ACK    0
        S  DATA   1 512
        C  ACK    1
    """

    @staticmethod
    def end(tsize: int | None = None) -> ReceivingEnd:
        agreement = Agreement(blksize=1428, tsize=tsize, has_oack=True)
        timer = RetryTimer(1.0, 2, is_adaptive=False)
        return ReceivingEnd(
            "C", Receiver(agreement, timer, 0.0, invitation=Ack(0).encode()), is_fast=False
        )

    @pytest.mark.parametrize("tsize", [None, 0])
    def test_more_data_behind_a_lone_block_of_512_shows_the_other_block_size(
        self, tsize: int | None
    ) -> None:
        Player(self.end(tsize)).play(f"""{self.SCRIPT}
        S  DATA   2 512
        C  ERROR  8 blksize: granted 1428, sent 512
        => failed 8 blksize: granted 1428, sent 512
        S  DATA   2 512
        """)

    def test_lone_block_of_512_is_a_file_when_nothing_follows(self) -> None:
        Player(self.end()).play(f"""{self.SCRIPT}
        wait 0.24
        S  DATA   1 512
        C  ACK    1
        wait 0.01
        => completed
        S  DATA   1 512
        C  ACK    1
        wait 1.9
        S  DATA   2 512
        S  DATA   1 512
        C  ACK    1
        wait 60
        """)

    @pytest.mark.parametrize(("tsize", "octets"), [(512, 512), (None, 511), (None, 513), (None, 0)])
    def test_any_other_lone_block_is_a_file_at_once(self, tsize: int | None, octets: int) -> None:
        Player(self.end(tsize)).play(f"""
        C  ACK    0
        S  DATA   1 {octets}
        C  ACK    1
        => completed
        """)

    def test_later_block_of_512_is_the_last_one(self) -> None:
        Player(self.end()).play("""
        C  ACK    0
        S  DATA   1 1428
        C  ACK    1
        S  DATA   2 512
        C  ACK    2
        => completed
        """)

    def test_file_may_be_found_wrong_by_the_session(self) -> None:
        machine = self.end(1200).machine
        machine.accept(516, 0.0)
        machine.confirm(0.0, End(Outcome.failed, None, "too short"))
        assert machine.end == End(Outcome.failed, None, "too short")
        assert machine.transmits() == [Ack(0).encode(), Ack(1).encode()]


def test_file_of_more_than_65535_blocks_arrives() -> None:
    """RFC 1350 names no limit for a file; its numbers have 16 bits."""
    job = Job(READ, size=65536 * 8 + 100, windowsize=64)
    carried = carry(job, lose("DATA 65530, 65600"))
    assert carried.is_completed


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("windowsize", [1, 2, 5, 64])
@pytest.mark.parametrize(
    ("fault", "most"),
    [
        # Which ACKs there are depends on the window; the first is always there.
        (lose("ACK"), 65),
        (lose("ACK", 2), 65),
        (lose("OACK"), 0),
        (lose("RRQ"), 0),
        (lose("WRQ", times=2), 0),
        (make_rule("duplicate", "DATA", times=None), 0),
        (make_rule("duplicate", "OACK", times=None), 0),
        (make_rule("duplicate", "RRQ", times=None), 0),
        (make_rule("duplicate", "WRQ", times=None), 0),
        (make_rule("delay", "ACK", after=1, delay=0.3), 65),
        (make_rule("delay", "DATA", after=1, delay=0.3), 65),
        (LinkQuality(delay=0.05), 0),
    ],
)
def test_one_fault_costs_at_most_one_window(
    direction: Direction, windowsize: int, fault: Fault, most: int
) -> None:
    """RFC 1350, section 2: what is lost is sent again, and not much more."""
    job = Job(direction, 800, windowsize=windowsize)
    carried = carry(job, fault)
    assert carried.is_completed
    # After a time-out a window goes out in halves, and its ACK may come between them.
    most = min(most, windowsize + windowsize // 2)
    assert carried.link.sent["DATA"] <= job.blocks + most


@given(
    windowsize=st.integers(1, 9),
    runs=st.lists(st.integers(1, 9), max_size=20),
    rollover=st.integers(0, 1),
    gap=st.booleans(),
)
def test_run_of_blocks_is_what_its_blocks_are(
    windowsize: int, runs: list[int], rollover: int, gap: bool
) -> None:
    """Blocks that the kernel hands over together change the machine as single ones do."""
    one, many = (receiving(windowsize=windowsize, rollover=rollover).machine for _ in range(2))
    for step, run in enumerate(runs):
        now = 0.1 * step
        if gap:
            later = Data(many.received + 2, bytes(8)).encode()
            assert one.receive(later, now) == many.receive(later, now)
        count = min(run, many.room)
        acks = [one.accept(one.full_size, now) for _ in range(count)]
        assert acks[-1] == many.accept_run(count, now)
        assert not any(acks[:-1])
        for name in ("received", "expected", "phase", "deadline", "room", "answered_at"):
            assert getattr(one, name) == getattr(many, name)
        assert one.transmits() == many.transmits()


@given(jobs(Timing()), st.floats(0, LATENCY / 2))
@example(Job(READ, 400, windowsize=64), 0.0)
def test_copies_of_every_block_never_double_the_data(job: Job, delay: float) -> None:
    """RFC 1123, section 4.2.3.1: the Sorcerer's Apprentice, from the other side."""
    carried = carry(job, make_rule("duplicate", "DATA", times=None, delay=delay))
    assert carried.is_completed
    assert carried.link.sent["DATA"] <= job.blocks * 2
    if delay == 0 or job.windowsize == 1:
        assert carried.link.sent["DATA"] == job.blocks


@given(jobs(PATIENT), schedules(), st.integers(0, 7), st.booleans())
def test_octets_are_those_that_were_sent_or_none_at_all(
    job: Job, fates: list[Fate], retries: int, is_fast: bool
) -> None:
    """A receiver that says completed has the file; what it has at any time is its beginning."""
    hasty = replace(job, timing=Timing(retries=retries), is_fast=is_fast)
    carried = carry(hasty, Schedule(fates))
    received = carried.receiver.content
    assert job.content.startswith(received)
    end = carried.receiver.end
    if end is not None and end.outcome is Outcome.completed:
        assert received == job.content


@given(
    datagrams=st.lists(
        st.binary(max_size=8)
        | st.builds(
            lambda block, size: Data(block, bytes([block]) * size).encode(),
            st.integers(0, 9),
            st.sampled_from([8, 8, 8, 0, 9]),
        )
    ),
    windowsize=st.integers(1, 4),
)
def test_no_datagrams_break_a_receiver(datagrams: list[bytes], windowsize: int) -> None:
    end = receiving(windowsize=windowsize, is_client=True)
    sent = 0
    for step, datagram in enumerate(datagrams):
        end.receive(datagram, step * 0.01)
        sent += len(end.take(step * 0.01))
    blocks = [end.content[at : at + 8] for at in range(0, len(end.content), 8)]
    assert blocks == [
        bytes([number]) * len(blocks[number - 1]) for number in range(1, len(blocks) + 1)
    ]
    # Never more packets than came, after the one that invites DATA 1.
    assert sent <= 1 + len(datagrams)
