"""The texts about faults on purpose that did not happen, or not as often as expected."""

from __future__ import annotations

import pytest

from TftpLibrary.errors import ExpectationError
from TftpLibrary.faults.files import Damage, Damaging, Denial
from TftpLibrary.faults.passage import Passage
from TftpLibrary.faults.plan import Plan
from TftpLibrary.faults.reports import FaultReport, report_of
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.faults.wording import Fault
from TftpLibrary.messages.faults import count_of, expect_happened, explain_miss
from TftpLibrary.protocol.packets import Ack, Data, Direction, Oack, Packet, Request
from TftpLibrary.recording.records import OptionValues, Transfer
from utest.support.records import BOARD, completed, partial, refused, transfer
from utest.support.views import seen

OTHER = "192.168.1.51"
LARGE = OptionValues((("blksize", "1468"),))


class Day:
    """A plan with one fault, and what passed by it.

    Attributes:
        report: what is known of the fault after 12 seconds.
    """

    def __init__(self, fault: Fault) -> None:
        self.plan = Plan()
        self.fault = self.plan.add(fault, 0.0)

    @property
    def report(self) -> FaultReport:
        return report_of(self.plan.find(self.fault), 12.0, "dut")

    def load(self, *packets: Packet, file: str = "zImage", client: str = BOARD) -> None:
        """A board asks, and the packets of its transfer pass by: DATA and OACK are sent."""
        passage = Passage(self.plan, self.plan.begin(file, client))
        passage.carry(
            Request(Direction.read, file.encode(), "octet", ()).encode(), 1.0, is_sent=False
        )
        for number, packet in enumerate(packets):
            is_sent = not isinstance(packet, Ack)
            passage.carry(packet.encode(), 1.0 + number / 100, is_sent=is_sent)

    def download(self, blocks: int, **how: str) -> None:
        """A board loads a file of so many blocks, the last one short."""
        packets: list[Packet] = []
        for block in range(1, blocks + 1):
            packets += [Data(block, bytes(512 if block < blocks else 5)), Ack(block)]
        self.load(*packets, **how)

    def miss(self, *transfers: Transfer, client: str = "") -> str:
        return explain_miss(self.report, seen(*transfers), client)


def rule(kind: str, packet: str = "", **how: object) -> Fault:
    return make_rule(kind, packet, **how)


# It happened


def test_a_fault_that_happened_is_the_answer() -> None:
    day = Day(rule("drop", "DATA 3"))
    day.download(4)
    report = day.report
    assert expect_happened(report, seen()) is report.fault
    assert expect_happened(report, seen(), 1, BOARD) is report.fault
    assert expect_happened(report, seen(), client="192.168.1.0/24") is report.fault


def test_hits_are_counted_for_an_address_a_network_or_all() -> None:
    day = Day(rule("drop", "DATA"))
    day.download(3)
    day.download(3, client=OTHER)
    report = day.report
    assert count_of(report) == 2
    assert count_of(report, OTHER) == 1
    assert count_of(report, "192.168.1.0/24") == 2
    assert count_of(report, "10.0.0.1") == 0


# It happened too often, or not often enough


def test_a_wrong_count_shows_whom_it_struck_and_when() -> None:
    day = Day(rule("drop", "DATA 3", file="zImage"))
    day.download(4)
    day.download(4, client=OTHER)
    with pytest.raises(ExpectationError) as caught:
        expect_happened(day.report, seen(), 1)
    assert str(caught.value) == (
        "Fault drop-1 happened 2 times, expected 1: drop DATA 3 of 'zImage'.\n"
        f"1.04 s {BOARD} dropped DATA 3; 1.04 s {OTHER} dropped DATA 3. "
        "Counts are kept for each client: client= narrows a fault to one."
    )


def test_a_wrong_count_of_one_client_shows_its_hits_alone() -> None:
    day = Day(rule("drop", "DATA 3"))
    day.download(4)
    day.download(4, client=OTHER)
    with pytest.raises(ExpectationError) as caught:
        expect_happened(day.report, seen(), 2, BOARD)
    assert str(caught.value) == (
        f"Fault drop-1 happened once, expected 2: drop DATA 3.\n1.04 s {BOARD} dropped DATA 3."
    )


def test_of_many_hits_the_first_are_shown() -> None:
    day = Day(rule("duplicate", "DATA", times=7))
    day.download(9)
    with pytest.raises(ExpectationError) as caught:
        expect_happened(day.report, seen(), 9)
    text = str(caught.value)
    assert text.startswith("Fault duplicate-1 happened 7 times, expected 9: ")
    assert text.count(" s ") == 5
    assert text.endswith("duplicated DATA 5 and 2 more.")


def test_the_hits_of_our_own_client_are_its_own() -> None:
    day = Day(rule("drop", "ACK", is_of_client=True))
    day.load(Data(1, b"x"), Ack(1), client="")
    with pytest.raises(ExpectationError, match="s our client dropped ACK 1"):
        expect_happened(day.report, seen(), 2)


# It did not happen: packets passed by it


def test_a_file_without_that_block_is_the_nearest_miss() -> None:
    day = Day(rule("drop", "DATA 3", file="zImage"))
    day.download(2)
    loaded = completed(granted=LARGE, blocks=2)
    assert day.miss(loaded) == (
        "Fault drop-1 did not happen: drop DATA 3 of 'zImage'.\n"
        f"In 12 s 1 transfer passed by it: read request for 'zImage' from {BOARD}, "
        "2 blocks of 1468.\n"
        "It was left alone 5 times: 3 were no DATA, 2 were DATA 1-2. "
        "The file has no block 3: use a smaller blksize, or DATA last."
    )


def test_an_ack_within_a_window_is_the_nearest_miss_too() -> None:
    day = Day(rule("drop", "ACK 3"))
    day.load(*(Data(block, bytes(512)) for block in (1, 2, 3, 4)), Ack(4))
    assert day.miss(transfer(granted=LARGE, blocks=4)).endswith(
        "1 were ACK 4. In windows not every block has an ACK: ACK without a number strikes the "
        "next one."
    )


def test_a_window_without_that_ack_is_the_nearest_miss() -> None:
    day = Day(rule("drop", "ACK 7"))
    day.load(*(Data(block, bytes(512)) for block in (1, 2, 3, 4)), Ack(4))
    assert day.miss(transfer(granted=LARGE, blocks=1)).endswith(
        "In 12 s 1 transfer passed by it: read request for 'zImage' from 192.168.1.50, "
        "1 block of 1468.\n"
        "It was left alone 6 times: 5 were no ACK, 1 were ACK 4. "
        "In windows not every block has an ACK: ACK without a number strikes the next one."
    )


@pytest.mark.parametrize(
    ("fault", "left_alone"),
    [
        (
            rule("drop", "DATA", direction="received"),
            "5 times: 2 went the other way, 3 were no DATA",
        ),
        (rule("wrong_block", "ACK"), "5 times: 3 went the other way, 2 were no ACK"),
        (rule("drop", "DATA", after=9), "5 times: 3 were no DATA, 2 were not its turn"),
        (rule("drop", "DATA", probability=0.0), "5 times: 3 were no DATA, 2 were spared by chance"),
        (rule("drop", "ERROR"), "5 times: 5 were no ERROR"),
        (
            rule("drop", "DATA 1, 9", after=1),
            "5 times: 3 were no DATA, 1 were DATA 2, 1 were",
        ),
    ],
)
def test_each_reason_to_leave_a_packet_alone_is_counted(fault: Fault, left_alone: str) -> None:
    day = Day(fault)
    day.download(2)
    assert f"It was left alone {left_alone}" in day.miss(completed())


def test_without_an_option_answer_the_board_had_asked_for_none() -> None:
    day = Day(rule("wrong_oack", options="blksize=9000"))
    day.download(1)
    text = day.miss(completed())
    assert text.endswith("There was no option answer: the board asked for no option.")
    day = Day(rule("unterminated", "OACK"))
    day.load(Oack((("blksize", "600"),)), file="other")
    assert day.report.fault.hits == 1


def test_at_most_three_transfers_are_listed() -> None:
    day = Day(rule("drop", "DATA 99"))
    for _ in range(5):
        day.download(1)
    text = day.miss(*(completed(blocks=block) for block in range(1, 6)))
    assert "In 12 s 5 transfers passed by it: " in text
    assert text.count("read request") == 3
    assert "3 blocks of 512; " in text


def test_a_transfer_that_ran_already_is_no_missing_request() -> None:
    """Its request came before the fault, but its packets passed by."""
    day = Day(rule("drop", "DATA 99"))
    passage = Passage(day.plan, Passage(day.plan, day.plan.begin("x", BOARD)).track)
    passage.carry(Data(5, b"x").encode(), 1.0, is_sent=True)
    day.plan.find(day.fault).requests = 0
    assert "No request for it came" not in day.miss(partial())


# It did not happen: nobody asked


def test_a_file_with_another_name_is_the_nearest_miss() -> None:
    day = Day(Denial("zimage", code=1))
    day.download(2)
    assert day.miss(completed()) == (
        "Fault deny-1 did not happen: error 1 in answer to requests for 'zimage'.\n"
        "No request for it came in 12 s. Nearest: 'zImage' (completed, 7.8 MB). "
        "Names match exactly, with case and folders."
    )


def test_without_any_request_there_is_no_nearest_one() -> None:
    day = Day(Damage("zImage", Damaging.flip_bit))
    assert day.miss() == (
        "Fault damage-1 did not happen: flip a bit in the middle of 'zImage'.\n"
        "No request for it came in 12 s."
    )


def test_a_request_of_another_board_is_named() -> None:
    day = Day(rule("drop", "DATA", file="z*", client=OTHER))
    day.download(2)
    assert day.miss(completed()).endswith(
        f"No request for it came in 12 s. The read request for 'zImage' from {BOARD} came from "
        "another client."
    )


def test_a_request_before_the_fault_is_named() -> None:
    day = Day(rule("drop", "RRQ", file="zImage"))
    assert day.miss(partial()).endswith(
        f"The read request for 'zImage' from {BOARD} had come before the fault."
    )


def test_a_fault_of_a_file_whose_turn_did_not_come_says_so() -> None:
    day = Day(Denial("zImage", after=1))
    day.download(2)
    assert day.plan.denial("zImage", BOARD, 1.0) is None
    assert day.miss(completed()).endswith("It was left alone: it was not its turn yet (after=).")


def test_a_damage_that_would_change_nothing_says_so() -> None:
    day = Day(Damage("zImage", Damaging.flip_bit, offset=10**9))
    day.download(2)
    assert day.plan.damage("zImage", BOARD, 1000, 1.0) is None
    assert day.miss(completed()).endswith(
        "It was left alone: the file is too short to be changed so."
    )


def test_a_fault_that_struck_others_says_whom() -> None:
    day = Day(rule("drop", "DATA"))
    day.download(2)
    assert day.miss(completed(), client=OTHER) == (
        f"Fault drop-1 did not happen to {OTHER}: drop DATA.\nIt happened to {BOARD} (1)."
    )
    with pytest.raises(ExpectationError, match=f"did not happen to {OTHER}"):
        expect_happened(day.report, seen(), client=OTHER)


def test_a_refused_request_passed_by_too() -> None:
    day = Day(rule("drop", "DATA 3"))
    day.load()
    text = day.miss(refused())
    assert "In 12 s 1 transfer passed by it" in text
    assert text.endswith("It was left alone once: 1 were no DATA.")
