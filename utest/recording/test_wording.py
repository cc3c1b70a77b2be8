"""The words of messages: times, outcomes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import FaultMark
from TftpLibrary.recording.wording import (
    ALL_OUT,
    after_faults_text,
    duration_text,
    faults_text,
    line_text,
    on_purpose_text,
    outcome_text,
    outcome_word,
    progress_text,
    reason_text,
    request_text,
    result_text,
    running_text,
    short_text,
)
from utest.support.records import (
    DROPPED,
    LINKED,
    STALLED,
    completed,
    ended,
    partial,
    refused,
    struck,
    transfer,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0004, "0.4 ms"),
        (0.0054, "5.4 ms"),
        (0.012, "12 ms"),
        (0.25, "250 ms"),
        (0.9996, "1 s"),
        (2.5, "2.5 s"),
        (9.96, "10 s"),
        (60, "60 s"),
        (119.4, "119 s"),
        (125, "2 min 5 s"),
        (180, "3 min"),
        (3599.7, "1 h"),
        (3660, "1 h 1 min"),
    ],
)
def test_time_is_told_in_units_that_people_use(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@given(st.floats(min_value=0, max_value=1e7))
def test_time_in_words_is_never_far_from_the_time(seconds: float) -> None:
    units = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
    words = duration_text(seconds).split()
    told = sum(
        float(count) * units[unit] for count, unit in zip(words[::2], words[1::2], strict=True)
    )
    assert told == pytest.approx(seconds, rel=0.06, abs=0.00006)


def test_long_text_keeps_both_its_ends() -> None:
    text = short_text("boot/" + "a" * 500 + "/zImage", 50)
    assert len(text) <= 50
    assert text.startswith("boot/a")
    assert text.endswith("a/zImage")
    assert short_text("zImage", 6) == "zImage"


def test_request_names_packet_name_and_client() -> None:
    assert request_text(transfer()) == "read request for 'zImage' from 192.168.1.50"
    write = transfer("core.txt", direction=Direction.write)
    assert request_text(write) == "write request for 'core.txt' from 192.168.1.50"


def test_progress_without_a_known_size_tells_the_octets() -> None:
    assert progress_text(partial()) == "41 % (3.2 of 7.8 MB)"
    assert progress_text(partial(size=None)) == "3.2 MB"


@pytest.mark.parametrize(
    ("code", "message", "text"),
    [
        (1, "No such file or directory", "file not found"),
        (0, "Server is stopping.", "server is stopping"),
        (8, "OACK refused", "OACK refused"),
        (2, "", "access violation"),
        (99, "", "error 99"),
        (None, "", "no reason was given"),
        (0, "x", "x"),
    ],
)
def test_reason_is_the_error_in_words(code: int | None, message: str, text: str) -> None:
    assert reason_text(refused(error_code=code, error_message=message)) == text


def test_every_outcome_has_its_words() -> None:
    partly = {"size": 7_800_000, "octets": 3_244_280}
    texts = {
        outcome: outcome_text(ended("zImage", outcome, error_message="Disk full", **partly))
        for outcome in Outcome
    }
    assert texts == {
        Outcome.completed: "completed, 3.2 MB",
        Outcome.refused: "disk full",
        Outcome.probed: "only its size was asked",
        Outcome.failed: "failed at 41 % (3.2 of 7.8 MB): disk full",
        Outcome.timed_out: "timed out at 41 % (3.2 of 7.8 MB)",
        Outcome.unconfirmed: ALL_OUT,
        Outcome.aborted: "stopped at 41 % (3.2 of 7.8 MB): disk full",
    }
    assert outcome_text(partial()) == "running, 41 % (3.2 of 7.8 MB)"
    assert outcome_text(completed(octets=1)) == "completed, 1 byte"


def test_what_came_of_a_transfer_without_its_outcome() -> None:
    partly = {"size": 7_800_000, "octets": 3_244_280, "duration": 2.0}
    texts = {
        outcome: result_text(ended("zImage", outcome, error_message="Disk full", **partly))
        for outcome in Outcome
    }
    assert texts == {
        Outcome.completed: "3.2 MB in 2 s (1.6 MB/s)",
        Outcome.refused: "disk full",
        Outcome.probed: "only its size was asked",
        Outcome.failed: "at 41 % (3.2 of 7.8 MB), disk full",
        Outcome.timed_out: "at 41 % (3.2 of 7.8 MB), disk full",
        Outcome.unconfirmed: ALL_OUT,
        Outcome.aborted: "at 41 % (3.2 of 7.8 MB), disk full",
    }
    assert result_text(partial()) == "at 41 % (3.2 of 7.8 MB)"
    assert result_text(completed(octets=5)) == "5 bytes in 0 ms"


def test_a_running_transfer_fits_on_a_line() -> None:
    running = partial("kernel.img", duration=0.636)
    assert running_text(running) == "kernel.img 41 % 3.2/7.8 MB 5.1 MB/s from 192.168.1.50"
    assert running_text(partial(size=None)) == "zImage 3.2 MB 67.6 kB/s from 192.168.1.50"
    assert running_text(partial(idle=12.0)).endswith("from 192.168.1.50, silent for 12 s")
    assert len(running_text(partial("a" * 500), 40)) < 90


def test_an_outcome_is_a_word_or_two() -> None:
    words = [outcome_word(outcome) for outcome in (Outcome.completed, Outcome.timed_out, None)]
    assert words == ["completed", "timed out", "running"]


def test_a_transfer_is_one_line() -> None:
    assert line_text(partial(outcome=Outcome.timed_out, error_message="No answer")) == (
        "timed out read request for 'zImage' from 192.168.1.50: at 41 % (3.2 of 7.8 MB), no answer"
    )


# Faults on purpose


def test_result_says_how_many_faults_struck() -> None:
    assert result_text(completed(duration=2.0, **struck(DROPPED, STALLED))) == (
        "7.8 MB in 2 s (3.9 MB/s), 3 faults on purpose"
    )
    once = partial(outcome=Outcome.timed_out, error_message="No answer", **struck(STALLED))
    assert line_text(once).endswith(": at 41 % (3.2 of 7.8 MB), no answer, 1 fault on purpose")
    assert faults_text(completed()) == ""


def test_faults_are_named_once_each_and_many_are_counted() -> None:
    assert faults_text(partial(**struck(DROPPED, STALLED, DROPPED))) == (
        ", 5 faults on purpose: drop-1, stall-2"
    )
    marks = [FaultMark(0.0, f"drop-{number}", "dropped DATA 1", 1000) for number in range(12)]
    assert faults_text(partial(**struck(*marks))) == (
        ", 12,000 faults on purpose: "
        + ", ".join(f"drop-{number}" for number in range(10))
        + " and 2 more"
    )


def test_a_reason_that_names_the_faults_is_not_repeated() -> None:
    dropped = FaultMark(0.0, "drop-1", "dropped RRQ")
    lost = refused(
        error_code=None,
        error_message="the request was dropped on purpose (fault drop-1)",
        cause=Cause.on_purpose,
        **struck(dropped),
    )
    assert outcome_text(lost) == "the request was dropped on purpose (fault drop-1)"
    assert result_text(lost) == outcome_text(lost)
    assert (faults_text(lost), after_faults_text(lost)) == ("", "")
    assert on_purpose_text(lost) == "drop-1 dropped RRQ"
    both = lost._replace(**struck(STALLED, dropped))
    assert faults_text(both) == ", 2 faults on purpose: stall-2, drop-1"


def test_each_fault_is_told_with_what_it_did() -> None:
    delayed = FaultMark(0.5, "delay-2", "delayed ACK 7 by 500 ms")
    assert on_purpose_text(completed(**struck(DROPPED, delayed, LINKED))) == (
        "drop-1 dropped DATA 3 (2 times), delay-2 delayed ACK 7 by 500 ms, "
        "link lost packets (12 times)"
    )
    assert on_purpose_text(completed()) == ""


def test_of_many_things_that_faults_did_a_few_of_each_are_told() -> None:
    dropped = [FaultMark(n, "drop-1", f"dropped DATA {n}") for n in range(1, 60)]
    others = [FaultMark(n, f"delay-{n}", "delayed ACK 1 by 2 s") for n in range(60, 70)]
    text = on_purpose_text(completed(faults=(*dropped, *others), fault_count=2000))
    assert text.startswith(
        "drop-1 dropped DATA 1, drop-1 dropped DATA 2, drop-1 dropped DATA 3, delay-60 delayed"
    )
    assert text.endswith("delay-66 delayed ACK 1 by 2 s, and 1,990 more")


def test_the_faults_that_struck_last_are_told_behind_an_end() -> None:
    assert after_faults_text(partial(**struck(STALLED))) == (
        ", after fault stall-2 (let nothing pass from DATA 2210 onwards on purpose)"
    )
    later = FaultMark(0.3, "drop-1", "dropped DATA 9")
    assert after_faults_text(partial(**struck(DROPPED, later, LINKED))) == (
        ", after fault drop-1 (dropped DATA 9 on purpose) and the link lost packets on purpose "
        "(12 times)"
    )
    reordered = FaultMark(0.4, "link", "reordered packets")
    assert after_faults_text(partial(**struck(LINKED, reordered))).endswith(
        "(12 times) and the link reordered packets on purpose"
    )
    many = [DROPPED._replace(fault=f"drop-{number}") for number in range(5)]
    text = after_faults_text(partial(**struck(*many)))
    assert text.startswith(", after fault drop-2 (dropped DATA 3 on purpose, 2 times) and fault ")
    assert text.endswith(" and 2 more")


def test_a_long_name_of_a_fault_is_cut() -> None:
    long = partial(**struck(DROPPED._replace(fault="x" * 5000)))
    for text in (faults_text(long), on_purpose_text(long), after_faults_text(long)):
        assert len(text) < 200
