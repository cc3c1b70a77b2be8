"""The simulated board reads from its own server over loopback, and writes to it.

The Robot library on top is tested by the stories, which have nothing else.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from contextlib import closing
from functools import partial

import pytest

from atest.equipment.board_client import Ask, Job, probe_size, read_file, write_file
from atest.equipment.board_crowd import make_noise, noise, read_by_many
from atest.equipment.board_exchange import Habits, Report, numbers, sort_arguments
from atest.equipment.board_network import Nat, open_socket
from atest.equipment.board_server import Mischief, ServingBoard
from TftpBoard.packets import (
    BoardError,
    RefusedError,
)

CONTENT = random.Random(7).randbytes(5000)
BRIEF = Habits(patience=0.3)


def read(board: ServingBoard | Nat, habits: Habits | None = None, /, **options: int) -> Report:
    asked = {key: str(value) for key, value in options.items()}
    ask = Ask("f", board.host, board.port, options=asked, habits=habits or Habits())
    with closing(open_socket(board.host)) as sock:
        return read_file(ask, sock)


def write(
    board: ServingBoard, content: bytes, habits: Habits | None = None, /, **options: int
) -> Report:
    asked = {key: str(value) for key, value in options.items()}
    ask = Ask("f", board.host, board.port, options=asked, habits=habits or Habits())
    with closing(open_socket(board.host)) as sock:
        return write_file(ask, content, sock)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 5000])
@pytest.mark.parametrize("windowsize", [0, 1, 4])
def test_the_board_reads_from_its_own_server(size: int, windowsize: int) -> None:
    options = {"windowsize": windowsize} if windowsize else {}
    with ServingBoard("f", CONTENT[:size]) as board:
        report = read(board, Habits(linger=0.02), **options)
        board.wait()
    assert report.content == CONTENT[:size]
    assert report.received["DATA"] == size // 512 + 1
    assert report.received["OACK"] == (1 if windowsize else 0)
    assert report.is_complete


@pytest.mark.parametrize("size", [0, 1, 512, 5000])
@pytest.mark.parametrize("windowsize", [0, 1, 4])
def test_the_board_writes_to_its_own_server(size: int, windowsize: int) -> None:
    options = {"windowsize": windowsize, "blksize": 100} if windowsize else {}
    with ServingBoard("f") as board:
        report = write(board, CONTENT[:size], **options)
        assert board.wait().content == CONTENT[:size]
    assert report.sent["DATA"] == size // (100 if windowsize else 512) + 1


def test_the_report_tells_what_was_granted_and_by_whom() -> None:
    with ServingBoard("f", CONTENT) as board:
        report = read(board, tsize=0, blksize=1468, nonsense=3)
        assert report.granted == {"tsize": "5000", "blksize": "1468"}
        assert report.asked == {"tsize": "0", "blksize": "1468", "nonsense": "3"}
        assert report.server_host == "127.0.0.1"
        assert report.server_port not in (0, board.port)
        assert report.blocks == 4


def test_both_ends_roll_over() -> None:
    content = CONTENT * 110
    for rollover in (0, 1):
        with ServingBoard("f", content) as board:
            report = read(board, blksize=8, windowsize=64, rollover=rollover)
            assert report.content == content
            assert report.blocks > 65536


def test_netascii_arrives_as_local_text() -> None:
    text = b"one\ntwo\r\n" * 200
    with ServingBoard("f", text) as board, closing(open_socket(board.host)) as sock:
        report = read_file(Ask("f", board.host, board.port, "netascii"), sock)
        assert report.content == text
    with ServingBoard("f") as board, closing(open_socket(board.host)) as sock:
        write_file(Ask("f", board.host, board.port, "NETASCII"), text, sock)
        assert board.wait().content == text


def test_a_refusal_tells_code_and_text() -> None:
    with (
        ServingBoard("f", mischief=Mischief(refuse_code=2, refuse_text="Not today")) as board,
        pytest.raises(RefusedError, match="ERROR 2 'Not today' came in answer to 'f'") as refusal,
    ):
        read(board)
    assert (refusal.value.code, refusal.value.text) == (2, "Not today")


def test_a_size_probe_ends_with_error_8() -> None:
    with ServingBoard("f", CONTENT) as board, closing(open_socket(board.host)) as sock:
        ask = Ask("f", board.host, board.port, options={"tsize": "0"})
        assert probe_size(ask, sock).granted == {"tsize": "5000"}
        assert board.wait().error_code == 8


LOSSY = Habits(accept_duplicates=True, resend_after=0.1)


@pytest.mark.parametrize("windowsize", [1, 2, 4, 16])
@pytest.mark.parametrize("drop", [(1,), (3,), (3, 4), (4, 10)])
def test_lost_data_is_asked_for_again(windowsize: int, drop: tuple[int, ...]) -> None:
    with ServingBoard("f", CONTENT, habits=LOSSY) as board:
        report = read(board, Habits(drop_blocks=drop), windowsize=windowsize)
        board.wait()
    assert report.content == CONTENT


def test_a_gap_is_told_once_in_the_middle_of_its_window() -> None:
    with ServingBoard("f", CONTENT, habits=LOSSY) as board:
        report = read(board, Habits(drop_blocks=(3,)), windowsize=8)
    # ACK 0 to the OACK, ACK 2 in the middle, then 10 and no more: 4 to 8 were sent in vain.
    assert report.sent["ACK"] == 3
    assert report.discarded == 5
    assert report.content == CONTENT


@pytest.mark.parametrize("withheld", [(0,), (1,), (2, 4), (10,)])
def test_a_lost_ack_makes_the_other_end_send_again(withheld: tuple[int, ...]) -> None:
    options = {"windowsize": 1} if withheld == (0,) else {}
    served = Habits(patience=0.2, resend_after=0.1, accept_duplicates=True)
    with ServingBoard("f", CONTENT, habits=served) as board:
        if withheld == (0,):
            with pytest.raises(BoardError, match="the OACK again was expected"):
                read(board, Habits(patience=0.3, withhold_acks=(0,)), **options)
            return
        report = read(board, Habits(withhold_acks=withheld), **options)
    assert report.content == CONTENT
    assert report.duplicates == len(withheld)


@pytest.mark.parametrize("windowsize", [1, 2, 4])
@pytest.mark.parametrize("drop", [(1,), (2,), (3, 4), (10,)])
def test_lost_data_of_a_write_is_sent_again(windowsize: int, drop: tuple[int, ...]) -> None:
    with ServingBoard("f", habits=Habits(accept_duplicates=True)) as board:
        habits = Habits(drop_blocks=drop, resend_after=0.1)
        write(board, CONTENT, habits, windowsize=windowsize)
        assert board.wait().content == CONTENT


def test_duplicate_data_and_acks_change_nothing() -> None:
    with ServingBoard("f", CONTENT, habits=Habits(duplicate_data=True)) as board:
        report = read(board, Habits(accept_duplicates=True))
        assert report.content == CONTENT
        assert report.duplicates > 0
    with ServingBoard("f", habits=Habits(accept_duplicates=True)) as board:
        write(board, CONTENT, Habits(duplicate_data=True))
        assert board.wait().content == CONTENT


def test_the_ack_of_one_block_comes_twice() -> None:
    with ServingBoard("f", CONTENT, habits=Habits(accept_duplicates=True)) as board:
        report = read(board, Habits(repeat_acks=(3,)))
        assert report.content == CONTENT
        assert report.sent["ACK"] == report.blocks + 1


@pytest.mark.parametrize("habit", ["drop_blocks", "withhold_acks", "repeat_acks"])
def test_what_never_happened_fails_the_transfer(habit: str) -> None:
    habits = Habits(**{habit: (99,)})  # type: ignore[arg-type]
    with (
        ServingBoard("f", CONTENT, habits=LOSSY) as board,
        pytest.raises(BoardError, match=r"Blocks \[99\] should get lost or repeated"),
    ):
        read(board, habits)


@pytest.mark.parametrize("how", ["silence", "error", "vanish", "listen"])
def test_a_board_stops_in_the_middle(how: str) -> None:
    served = Habits(patience=0.2)
    habits = Habits(stop_after=2, stop_with=how, stop_code=3, patience=0.5)
    with ServingBoard("f", CONTENT, habits=served) as board:
        if how == "listen":
            with pytest.raises(BoardError, match="did not give up"):
                read(board, habits)
            return
        report = read(board, habits)
        assert (report.blocks, report.is_complete) == (2, False)
        if how == "error":
            assert board.wait().error_code == 3
        else:
            with pytest.raises(BoardError, match=r"ACK 2|port is closed"):
                board.wait()


def test_a_board_pauses_until_it_may_go_on() -> None:
    with ServingBoard("f", CONTENT) as board, closing(open_socket(board.host)) as sock:
        ask = Ask("f", board.host, board.port, habits=Habits(pause_after=3))
        thread = threading.Thread(target=read_file, args=(ask, sock))
        thread.start()
        assert ask.is_paused.wait(5)
        assert not board.reports
        ask.may_go_on.set()
        thread.join(5)
        assert ask.report.content == CONTENT


def test_a_job_that_ends_before_its_pause_says_why() -> None:
    with ServingBoard("f", b"short") as board, closing(open_socket(board.host)) as sock:
        for name, text in (("f", "without a pause"), ("g", "ERROR 1")):
            ask = Ask(name, board.host, board.port, habits=Habits(pause_after=9))
            with pytest.raises(BoardError, match=text):
                Job(ask, partial(read_file, ask, sock)).wait_for_pause(5)


def test_a_board_that_serves_is_not_ready_at_once() -> None:
    with ServingBoard("f", CONTENT, mischief=Mischief(ignore_requests=1)) as board:
        with pytest.raises(BoardError, match="DATA 1 was expected, nothing came"):
            read(board, BRIEF)
        assert read(board).content == CONTENT
        assert board.ignored == 1


def test_a_test_that_waits_in_vain_is_told_what_came() -> None:
    with (
        ServingBoard("f", mischief=Mischief(ignore_requests=9)) as board,
        pytest.raises(BoardError, match="0 ended and 0 requests were ignored"),
    ):
        board.wait(timeout=0.01)


def test_arguments_are_habits_or_options_in_their_order() -> None:
    habits, options = sort_arguments(
        {"tsize": 0, "drop_blocks": "3, 7-9", "blksize": "1468", "patience": "2s", "linger": 1}
    )
    assert list(options.items()) == [("tsize", "0"), ("blksize", "1468")]
    assert habits == Habits(drop_blocks=(3, 7, 8, 9), patience=2.0, linger=1.0)
    assert numbers([1, "2"]) == (1, 2)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [({"drop_block": 3}, "no habit 'drop_block'"), ({"stop_with": "x"}, "stop_with is silence")],
)
def test_a_habit_that_does_not_exist_is_refused(arguments: dict[str, object], text: str) -> None:
    with pytest.raises(BoardError, match=text):
        sort_arguments(arguments)


def test_the_same_seed_makes_the_same_noise() -> None:
    first, second = (
        [noise(dice, "f") for _ in range(50)] for dice in (random.Random(3), random.Random(3))
    )
    assert first == second
    assert len(set(first)) > 40


def test_a_crowd_reads_one_board_after_the_other() -> None:
    with ServingBoard("f", CONTENT) as board:
        report = read_by_many((board.host, board.port), "f", 5, {"windowsize": "4"})
    assert sum(report.digests.values()) == 5
    assert len(report.digests) == 1
    assert len(report.durations) == 5
    assert report.unfinished == 0


def test_noise_ends_a_server_that_is_not_prepared_for_it() -> None:
    with (
        ServingBoard("f", b"small", habits=BRIEF) as board,
        pytest.raises(BoardError, match="DATA 1 was expected, nothing came"),
    ):
        make_noise((board.host, board.port), "f", 200, patience=0.3)


def test_a_nat_loses_answers_from_another_port() -> None:
    with ServingBoard("f", CONTENT, habits=BRIEF) as board:
        nat = Nat((board.host, board.port))
        with closing(nat), pytest.raises(BoardError, match="nothing came"):
            read(nat, BRIEF)
        assert nat.lost == 1


def test_a_nat_carries_answers_from_the_port_asked() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        nat = Nat(server.getsockname())
        with closing(nat), closing(open_socket(nat.host)) as board:
            board.settimeout(5)
            board.sendto(b"out", (nat.host, nat.port))
            octets, outer = server.recvfrom(99)
            server.sendto(b"and back", outer)
            assert (octets, board.recvfrom(99)) == (b"out", (b"and back", (nat.host, nat.port)))


def test_closing_a_serving_board_leaves_no_thread() -> None:
    before = threading.active_count()
    started = time.monotonic()
    with ServingBoard("f", CONTENT) as board:
        read(board)
    assert threading.active_count() == before
    # It would take longer than this if the end had to wait for the thread.
    assert time.monotonic() - started < 5
