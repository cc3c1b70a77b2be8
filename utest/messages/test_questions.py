"""Each question finds its answer, and explains why there is none."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.boot.loaders import BootLoader
from TftpLibrary.errors import TftpError, UsageError
from TftpLibrary.messages.questions import (
    Download,
    Downloads,
    HopelessError,
    Idle,
    Question,
    Request,
    Upload,
    times_text,
)
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import View
from utest.support.boots import asked
from utest.support.records import (
    BOARD,
    DROPPED,
    completed,
    ended,
    partial,
    refused,
    struck,
    transfer,
)
from utest.support.views import not_downloaded, numbered, seen, why

OTHER = "192.168.1.51"
WRITE = Direction.write
UPLOADED = completed("core", 100, direction=WRITE)


# The whole message


def test_the_message_names_file_client_and_time_then_the_miss_then_the_requests() -> None:
    question = Download("zImage", BOARD)
    assert question.explain(numbered(refused()), 60) == (
        "'zImage' was not downloaded by 192.168.1.50 in 60 s: it was requested and refused: "
        "file not found. Upload the file under the name that the board asks for.\n"
        "Requests seen: 1 read request for 'zImage' from 192.168.1.50: file not found."
    )


@pytest.mark.parametrize(
    ("question", "waited", "head"),
    [
        (Download("zImage"), 5.0, "'zImage' was not downloaded in 5 s: nothing was requested."),
        (Download("zImage"), None, "'zImage' was not downloaded: nothing was requested."),
        (Download("z"), 0.0, not_downloaded("z") + " in 0 ms: nothing was requested."),
        (Download("z", BOARD), None, not_downloaded("z", BOARD) + ": nothing was requested."),
        (Upload("core", BOARD), 60, f"'core' was not received from {BOARD} in 60 s: nothing"),
        (Request("z", BOARD), 0.25, f"'z' was not requested by {BOARD} in 250 ms: nothing"),
    ],
)
def test_the_head_says_what_did_not_happen(
    question: Question[Any], waited: float | None, head: str
) -> None:
    assert question.explain(seen(), waited).startswith(head)


@pytest.mark.parametrize("question", [Download("a"), Upload("a"), Request("a"), Idle(1.0)])
def test_a_record_that_was_full_is_mentioned(question: Question[Any]) -> None:
    text = question.explain(seen(is_complete=False))
    assert text.endswith("No request was seen. Older ones were dropped: the record was full.")


@pytest.mark.parametrize("ask", [Download, Upload, Request, Idle])
def test_a_bad_client_is_refused_at_the_first_look(ask: Any) -> None:
    with pytest.raises(UsageError, match="client='board'"):
        ask("zImage", "board").find(seen())


def test_a_question_has_a_few_words_for_itself() -> None:
    subjects = [question.subject for question in (Download("a"), Upload("b"), Request("c"))]
    assert subjects == ["'a'", "'b'", "'c'"]
    assert Downloads(("a",)).subject == "'a'"
    assert Downloads(("a", "b", "c")).subject == "'a' and 2 more"
    assert Idle(2.0).subject == "2 s without a transfer"


# Download


def test_a_download_is_a_completed_read() -> None:
    done = completed(id=2)
    view = seen(refused(), partial(), ended("zImage", Outcome.probed), done, completed("x"))
    assert Download("zImage").find(view) is done
    assert Download("z*", BOARD).find(view) is done
    assert Download("zImage", OTHER).find(view) is None
    assert Download("zImage").find(seen(completed(direction=WRITE))) is None


def test_the_last_of_the_expected_downloads_is_the_answer() -> None:
    view = seen(*(completed(id=number) for number in (1, 2, 3)))
    assert [Download("zImage", times=times).find(view) for times in (2, 3, 4)] == [
        view.transfers[1],
        view.transfers[2],
        None,
    ]


def test_times_is_one_or_more() -> None:
    with pytest.raises(UsageError, match="Expected times to be 1 or more, got 0."):
        Download("zImage", times=0).find(seen())


def test_too_few_downloads() -> None:
    assert why(Download("zImage", times=2), completed(), refused("default")) == (
        "only 1 of 2 times. Let the board ask again, or lower times=."
    )


def test_too_few_downloads_and_half_a_one() -> None:
    assert why(Download("zImage", times=2), completed(), partial(idle=3)) == (
        "only 1 of 2 times; the last time 41 % (3.2 of 7.8 MB), block 2210, silent for 3 s. "
        "Look at the board's console, its power and its cable."
    )


def test_a_file_that_is_gone_the_second_time_has_near_names_too() -> None:
    view = seen(completed(), refused(), names=["zImage.old"])
    assert (
        "only 1 of 2 times; the last time it was requested and refused: file not found. "
        "The store has 'zImage.old'. "
    ) in Download("zImage", times=2).explain(view)


def test_more_downloads_than_expected_exactly() -> None:
    question = Download("zImage", "192.168.1.0/24", times=1, is_exact=True)
    assert question.find(seen(completed())) is not None
    view = numbered(*[completed()] * 3)
    assert question.find(view) is None
    assert question.explain(view).startswith(
        "'zImage' was downloaded by 192.168.1.0/24 3 times, expected once.\nRequests seen: 1 read"
    )
    # Once is too few, and is not too many.
    again = Download("zImage", times=2, is_exact=True)
    assert why(again, completed()).startswith("only 1 of 2 times. ")


@pytest.mark.parametrize("question", [Download("zImage"), Upload("zImage")])
def test_an_exception_of_our_own_is_no_miss(question: Question[Transfer]) -> None:
    direction = Direction.read if isinstance(question, Download) else WRITE
    broken = ended("zImage", Outcome.failed, traceback="Traceback: oops", direction=direction)
    with pytest.raises(TftpError, match="ended the transfer of 'zImage'. .*\nTraceback: oops"):
        question.find(seen(broken))
    assert question.find(seen(broken, completed(direction=direction)))


def test_a_refusal_ends_the_wait_for_a_file_where_that_was_asked() -> None:
    for view in (seen(refused()), seen(partial(), refused()), seen(refused(), refused())):
        assert Download("zImage").find(view) is None
        with pytest.raises(HopelessError, match="'zImage' was refused"):
            Download("zImage", fail_fast=True).find(view)


@pytest.mark.parametrize(
    "view",
    [
        seen(),
        seen(refused("other")),
        seen(refused(client=OTHER)),
        seen(refused(), partial()),
        seen(ended("zImage", Outcome.timed_out)),
    ],
)
def test_nothing_else_ends_it(view: View) -> None:
    assert Download("zImage", BOARD, fail_fast=True).find(view) is None


def test_a_refusal_matters_no_more_once_the_file_was_downloaded() -> None:
    assert Download("zImage", fail_fast=True).find(seen(refused(), completed()))
    assert Download("zImage", fail_fast=True).find(seen(completed(), refused()))
    with pytest.raises(HopelessError):
        Download("zImage", times=2, fail_fast=True).find(seen(completed(), refused()))


# Downloads


def test_each_name_needs_a_download_and_the_order_is_that_of_the_names() -> None:
    kernel, tree = completed(id=1), completed("board.dtb", id=2)
    view = seen(tree, refused("x"), kernel)
    assert Downloads(("zImage", "*.dtb")).find(view) == (kernel, tree)
    assert Downloads(("zImage", "*.dtb"), BOARD).find(view) == (kernel, tree)
    assert Downloads(("zImage", "*.dtb"), OTHER).find(view) is None
    assert Downloads(("zImage", "*.dtb", "initrd")).find(view) is None


def test_several_files_are_one_at_least() -> None:
    with pytest.raises(UsageError, match="Expected the name of at least one file."):
        Downloads(()).find(seen())


def test_the_files_that_are_missing_are_listed_with_their_near_misses() -> None:
    question = Downloads(("zImage", "board.dtb", "initrd"), BOARD)
    assert question.explain(numbered(refused(), completed("board.dtb")), 60) == (
        "2 of 3 files were not downloaded by 192.168.1.50 in 60 s:\n"
        "- 'zImage': it was requested and refused: file not found. Upload the file under the name "
        "that the board asks for.\n"
        "- 'initrd': no such name was requested, and none like it. Look at what the board is set "
        "to load or to send, and at its console.\n"
        "Requests seen: 1 read request for 'zImage' from 192.168.1.50: file not found; "
        "2 read request for 'board.dtb' from 192.168.1.50: completed, 7.8 MB."
    )


def test_an_advice_is_given_once() -> None:
    text = Downloads(("a", "b")).explain(seen())
    assert text.startswith("2 of 2 files were not downloaded:\n- 'a': nothing was requested. ")
    assert "\n- 'b': nothing was requested.\n" in text
    assert Downloads(("a",)).explain(seen(), 1.0).startswith("The file was not downloaded in 1 s:")
    text = Downloads(("a", "b")).explain(seen(completed("a")))
    assert text.startswith("1 of 2 files was not downloaded:\n- 'b'")


def test_the_refusal_of_one_ends_the_wait_for_all_where_that_was_asked() -> None:
    view = seen(completed("a"), refused("b"))
    assert Downloads(("a", "b", "c")).find(view) is None
    with pytest.raises(HopelessError, match="'b' was refused"):
        Downloads(("a", "b", "c"), fail_fast=True).find(view)
    assert "- 'b': it was requested and refused" in Downloads(("b",), "", True).explain(view)


# Upload


def test_a_refused_upload_ends_the_wait_where_that_was_asked() -> None:
    view = seen(refused("core", direction=WRITE))
    assert Upload("core").find(view) is None
    with pytest.raises(HopelessError):
        Upload("core", fail_fast=True).find(view)


def test_an_upload_is_a_completed_write() -> None:
    view = seen(completed("core"), partial("core", direction=WRITE), UPLOADED)
    assert Upload("co*", BOARD).find(view) is UPLOADED
    assert Upload("core", min_size=100).find(view) is UPLOADED
    assert Upload("core", min_size=101).find(view) is None
    assert Upload("core", OTHER).find(view) is None
    assert Upload("log").find(seen(completed("log", 0, direction=WRITE)))


def test_upload_that_is_too_short() -> None:
    assert why(Upload("core", min_size=2000), UPLOADED) == (
        "it came with 100 bytes only, of at least 2.0 kB. "
        "The board sent less than expected: look at its console, or lower min_size=."
    )


# Request


@pytest.mark.parametrize("request_", [refused(), partial(), completed(direction=WRITE)])
def test_a_request_counts_whatever_comes_of_it(request_: Transfer) -> None:
    view = seen(refused("other"), request_, completed())
    assert Request("z*", "192.168.1.0/24").find(view) is request_
    assert Request("z*", OTHER).find(view) is None


# Idle


def idle_view(*ages: float, **values: Any) -> Any:
    """A look at transfers that ended so many seconds ago, under the names 0, 1, 2 ..."""
    transfers = [completed(str(number), id=number) for number in range(len(ages))]
    return seen(*transfers, age=lambda transfer: ages[transfer.id], **values)


def test_idle_is_the_time_since_the_last_end() -> None:
    view = idle_view(9.0, 5.0, 7.0, watched=1.0)
    assert Idle(5.0).find(view) == 5.0
    assert Idle(5.1).find(view) is None


def test_nothing_is_idle_while_a_transfer_runs() -> None:
    view = seen(completed(), partial(), age=lambda _: 100.0, watched=100.0)
    assert Idle(0.0).find(view) is None
    assert Idle(0.0, OTHER).find(view) is not None


def test_a_silent_transfer_is_dead_once_its_board_has_asked_again() -> None:
    """As after a power cut: the server would try on for half a minute, for nobody."""
    cut, again = partial(idle=8.0, duration=9.0), completed(duration=2.0)
    assert Idle(5.0).find(seen(cut, again, age=lambda _: 5.0)) == 5.0
    assert Idle(5.0).find(seen(cut, partial(duration=2.0), age=lambda _: 5.0)) is None
    # Another board, a board that was heard since, and one that asked before: all still run.
    assert Idle(5.0).find(seen(cut, again._replace(client=OTHER), age=lambda _: 5.0)) is None
    assert Idle(5.0).find(seen(cut._replace(idle=6.9), again, age=lambda _: 5.0)) is None
    assert Idle(5.0).find(seen(again, cut, age=lambda _: 5.0)) is None


def test_it_is_quiet_since_a_dead_transfer_was_heard() -> None:
    view = seen(partial(idle=2.0), completed(duration=0.5), age=lambda _: 1.0)
    assert Idle(1.0).find(view) == 1.0
    view = seen(partial(idle=0.9), completed(duration=0.5), age=lambda _: 0.2)
    assert Idle(0.1).find(view) is None


def test_a_dead_transfer_is_not_what_moves() -> None:
    view = seen(partial("cut", idle=9.0), completed("again", 8, duration=1.0), age=lambda _: 1.0)
    told = Idle(5.0).explain(view).partition(": ")[2]
    assert told.startswith(
        "the last one was read request for 'again' from 192.168.1.50: completed, 8 bytes."
    )


def test_without_a_transfer_it_is_idle_since_the_watch_began() -> None:
    assert Idle(3.0).find(seen(watched=2.9)) is None
    assert Idle(3.0).find(seen(watched=3.0)) == 3.0


def test_what_still_runs_is_named() -> None:
    view = numbered(refused("a"), transfer("b"), partial(idle=3.0), refused("c", client=OTHER))
    assert Idle(2.0, "192.168.1.50/32").explain(view, 60.0) == (
        "Transfers from 192.168.1.50/32 were not idle for 2 s in 60 s: read request for "
        "'zImage' from 192.168.1.50 is running, 41 % (3.2 of 7.8 MB), silent for 3 s and 1 more. "
        "Raise timeout=, or look at the board's console.\n"
        "Requests seen: 1 read request for 'a' from 192.168.1.50: file not found; "
        "2 read request for 'b' from 192.168.1.50: running, 0 bytes; "
        "3 read request for 'zImage' from 192.168.1.50: running, 41 % (3.2 of 7.8 MB)."
    )


def test_what_still_runs_is_named_with_the_fault_that_struck_it() -> None:
    assert (
        "is running, 41 % (3.2 of 7.8 MB), silent for 3 s, after fault drop-1 (dropped DATA 3 on "
        "purpose, 2 times). Raise timeout="
    ) in Idle(2.0).explain(seen(partial(idle=3.0, **struck(DROPPED))))


def test_a_board_that_keeps_asking_is_named() -> None:
    told = "read request for 'zImage' from 192.168.1.50 is running, 41 % (3.2 of 7.8 MB)"
    advice = "Raise timeout=, or look at the board's console."
    assert why(Idle(2.0), partial(idle=0.5)) == f"{told}. {advice}"
    assert why(Idle(2.0), partial(idle=1.0)) == f"{told}, silent for 1 s. {advice}"
    text = Idle(2.0).explain(idle_view(4.0, 1.0, 3.0))
    assert text.startswith(
        "Transfers were not idle for 2 s: the last one was read request for '1' from 192.168.1.50: "
        "completed, 7.8 MB. The board keeps asking: raise timeout=, or lower idle=.\n"
    )


def test_a_wait_that_is_shorter_than_the_silence_does_not_blame_the_board() -> None:
    view = idle_view(4.0, 1.5, 3.0)
    assert (
        Idle(10.0)
        .explain(view, 1.0)
        .startswith(
            "Transfers were not idle for 10 s in 1 s: the last one was read request for '1' from "
            "192.168.1.50: completed, 7.8 MB, 1.5 s ago. Raise timeout= above idle=.\n"
        )
    )
    assert "The board keeps asking" in Idle(10.0).explain(view, 2.0)


def test_a_wait_that_is_too_short_for_any_silence() -> None:
    assert why(Idle(10.0), waited=5.0) == (
        "there was none, but the wait was shorter than that. Raise timeout= above idle=."
    )


# All of them


@pytest.mark.parametrize(
    ("count", "text"), [(0, "never"), (1, "once"), (2, "twice"), (3, "3 times")]
)
def test_counts_are_words(count: int, text: str) -> None:
    assert times_text(count) == text


RECORDS = st.builds(
    lambda name, client, direction, outcome, octets: transfer(
        name, client=client, direction=direction, outcome=outcome, octets=octets, size=100
    ),
    st.sampled_from(["zImage", "zimage", "boot/zImage", "x"]),
    st.sampled_from([BOARD, OTHER]),
    st.sampled_from(Direction),
    st.sampled_from([None, *Outcome]),
    st.integers(0, 100),
)
QUESTIONS: list[Question[Any]] = [
    Download("zImage"),
    Download("z*", BOARD, times=2, is_exact=True),
    Downloads(("zImage", "x")),
    Upload("zImage", OTHER, min_size=50),
    Request("*/zImage", BOARD),
    Idle(1.0, BOARD),
]


@given(st.lists(RECORDS, max_size=5), st.sampled_from(QUESTIONS), st.sampled_from([None, 0.0, 9.0]))
def test_a_question_has_an_answer_or_an_explanation(
    transfers: list[Transfer], question: Question[Any], waited: float | None
) -> None:
    view = numbered(*transfers)
    if question.find(view) is None:
        head, _, requests = question.explain(view, waited).rpartition("\n")
        assert head.endswith((".", "?"))
        assert re.match(r"Requests seen: \d |No request was seen", requests)


def test_loader_that_found_nothing_is_told_once_for_several_files() -> None:
    names = ["pxelinux.cfg/01-52-54-00-12-34-0b", "pxelinux.cfg/default"]
    view = numbered(*asked(names, BootLoader.u_boot))
    assert Downloads(("zImage", "initrd")).explain(view, 60.0).splitlines()[:4] == [
        "2 of 2 files were not downloaded in 60 s:",
        "- 'zImage': it was not requested.",
        "- 'initrd': it was not requested.",
        "The board runs U-Boot and found no configuration: it asked "
        "pxelinux.cfg/01-52-54-00-12-34-0b, default. The store has none of them. Upload the file "
        "under a name that the board asks for.",
    ]


def test_loader_that_found_nothing_is_the_reason_that_a_file_was_not_requested() -> None:
    names = ["pxelinux.cfg/01-52-54-00-12-34-0b", "pxelinux.cfg/default"]
    view = numbered(*asked(names, BootLoader.u_boot), names=["pxelinux.cfg/01-52-54-00-12-34-0B"])
    assert Download("zImage").explain(view, 60.0) == (
        "'zImage' was not downloaded in 60 s. The board runs U-Boot and found no configuration: it "
        "asked pxelinux.cfg/01-52-54-00-12-34-0b, default. The store has "
        "'pxelinux.cfg/01-52-54-00-12-34-0B': it differs in case only. Upload it under the name "
        "that the board asks for.\nRequests seen: 1 to 2 U-Boot from 192.168.1.50 looked for its "
        "configuration: 2 names, file not found."
    )
    # A board that asked for another name of the file itself says more.
    near = numbered(*asked(names, BootLoader.u_boot), refused("zimage"))
    assert "no such name was requested, the nearest: 'zimage'" in Download("zImage").explain(near)
