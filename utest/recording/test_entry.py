"""The life of a record: what it shows at its opening, on its way, and after its end."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest

from TftpLibrary.protocol.outcome import End, Outcome
from TftpLibrary.protocol.packets import Direction, ErrorCode, Request
from TftpLibrary.recording import entry as module
from TftpLibrary.recording.entry import MOST_SAMPLES, Entry, Tally
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import FaultMark, OptionValues, Sample, Transfer

STARTED = datetime(2026, 5, 17, 10, 30, tzinfo=timezone.utc)
ENDED = STARTED + timedelta(seconds=3)
BEGUN = 1000.0
ASKED = (("blksize", "1428"), ("tsize", "0"))
REQUEST = Request(Direction.read, b"zImage\x1b", "OCTET", ASKED)
END = End(Outcome.failed, ErrorCode.disk_full, "Disk full", by_peer=True)


class Engine:
    """Knows when the transfer started, then when it ended, and counts who asks for progress."""

    def __init__(self) -> None:
        self.wall_clock = iter((STARTED, ENDED)).__next__
        self.asked = 0

    def report_progress(self) -> None:
        self.asked += 1


def new(recorder: Recorder, engine: Engine | None = None) -> Entry:
    return Entry(recorder, engine or Engine(), REQUEST, "dut", ("127.0.0.1", 50312), BEGUN)


def only(recorder: Recorder) -> Transfer:
    (transfer,) = recorder.transfers()
    return transfer


def test_nothing_is_recorded_before_the_opening() -> None:
    recorder = Recorder()
    entry = new(recorder)
    assert recorder.transfers() == ()
    assert (entry.id, entry.begun, entry.end) == (0, BEGUN, None)


def test_the_opening_shows_what_was_asked_and_granted() -> None:
    recorder = Recorder()
    entry = new(recorder)
    entry.open(7800, (("blksize", "1400"),))
    assert only(recorder) == Transfer(
        id=1,
        server="dut",
        direction=Direction.read,
        filename="zImage\\x1b",
        client="127.0.0.1",
        client_port=50312,
        started=STARTED,
        mode="octet",
        requested=OptionValues(ASKED),
        granted=OptionValues((("blksize", "1400"),)),
        size=7800,
    )
    assert entry.id == 1


def test_a_client_adds_what_the_answer_told() -> None:
    recorder = Recorder()
    entry = new(recorder)
    entry.open()
    opened = only(recorder)
    entry.agree("10.0.0.2", "10.0.0.1:4711", 7800, (("tsize", "7800"),))
    assert only(recorder) == opened._replace(
        client="10.0.0.2",
        answered_by="10.0.0.1:4711",
        size=7800,
        granted=OptionValues((("tsize", "7800"),)),
    )


def test_the_engine_is_asked_for_progress_while_the_transfer_runs() -> None:
    recorder, engine = Recorder(), Engine()
    entry = new(recorder, engine)
    recorder.transfers()
    assert engine.asked == 0
    entry.open()
    recorder.transfers()
    assert engine.asked == 1
    entry.finish(END, Tally(), BEGUN + 1)
    recorder.transfers()
    assert engine.asked == 1


def test_progress_shows_without_a_change_to_wait_for() -> None:
    recorder = Recorder()
    entry = new(recorder)
    entry.open(7800)
    position = recorder.mark()
    entry.progress(Tally(7800, 1400, 1, 2, 3), idle=0.25, now=BEGUN + 0.01)
    shown = only(recorder)
    assert (shown.size, shown.octets, shown.blocks) == (7800, 1400, 1)
    assert (shown.retransmits, shown.duplicates, shown.idle) == (2, 3, 0.25)
    assert shown.duration == pytest.approx(0.01)
    assert shown.is_running
    assert recorder.mark() == position


def test_the_end_has_its_reason_its_figures_and_who_ended_it() -> None:
    recorder = Recorder()
    entry = new(recorder)
    entry.open(7800, (("blksize", "1400"),))
    opened = only(recorder)
    entry.progress(Tally(7800, 1400, 1), idle=0.25, now=BEGUN + 0.01)
    entry.finish(END, Tally(7800, 2800, 2, 3, 4), BEGUN + 2.5, "Traceback ...")
    record = only(recorder)
    assert record[:10] == opened[:10]
    assert entry.end == END
    assert record == entry.transfer
    assert (record.started, record.ended, record.duration) == (STARTED, ENDED, 2.5)
    assert (record.outcome, record.error_code, record.by_peer) == (Outcome.failed, 3, True)
    assert type(record.error_code) is int
    assert (record.error_message, record.traceback) == ("Disk full", "Traceback ...")
    assert (record.octets, record.blocks) == (2800, 2)
    assert (record.retransmits, record.duplicates, record.idle) == (3, 4, 0.0)


def test_a_request_that_was_refused_is_opened_and_ended_in_one() -> None:
    recorder = Recorder()
    entry = new(recorder)
    entry.finish(End(Outcome.refused, 1, "no such file"), Tally(), BEGUN)
    record = only(recorder)
    assert (record.outcome, record.error_code) == (Outcome.refused, 1)
    assert (record.started, record.ended) == (STARTED, ENDED)
    assert recorder.ends()[1] == (record,)


def test_the_first_end_counts() -> None:
    recorder = Recorder()
    entry = new(recorder)
    entry.open()
    entry.finish(End(Outcome.completed), Tally(3, 3, 1), BEGUN + 1)
    record = only(recorder)
    assert record.error_code is None
    entry.finish(END, Tally(), BEGUN + 2)
    entry.progress(Tally(), 9.0, BEGUN + 3)
    assert only(recorder) == record
    assert entry.transfer == record
    assert entry.end == End(Outcome.completed)


def test_a_sample_is_due_now_and_then() -> None:
    entry = new(Recorder())
    entry.open()
    interval = module.SAMPLE_INTERVAL
    assert not entry.is_sample_due(BEGUN + interval * 0.9)
    assert entry.is_sample_due(BEGUN + interval)
    entry.sample(Tally(octets=7, retransmits=2), BEGUN + 1.0)
    assert not entry.is_sample_due(BEGUN + 1.0 + interval * 0.9)
    entry.finish(END, Tally(octets=9), BEGUN + 5.0)
    assert entry.transfer.samples == (Sample(1.0, 7, 2),)


def test_the_samples_of_a_long_transfer_are_few_and_lie_evenly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SAMPLE_INTERVAL", 1.0)
    entry = new(Recorder())
    entry.open()
    for second in range(1000):
        if entry.is_sample_due(BEGUN + second):
            entry.sample(Tally(octets=second), BEGUN + second)
    entry.progress(Tally(), 0.0, BEGUN + 1000)
    samples = entry.transfer.samples
    assert MOST_SAMPLES // 2 <= len(samples) <= MOST_SAMPLES
    assert {later.seconds - each.seconds for each, later in pairwise(samples)} == {32.0}
    assert samples[0] == Sample(1.0, 1, 0)


def test_equal_things_that_a_fault_did_are_one_mark_with_a_count() -> None:
    entry = new(Recorder())
    entry.open()
    entry.add_fault("drop-1", "dropped DATA 3", BEGUN + 0.5)
    entry.add_fault("link", "lost packets", BEGUN + 0.75)
    entry.add_fault("drop-1", "dropped DATA 3", BEGUN + 0.875)
    marks = (FaultMark(0.5, "drop-1", "dropped DATA 3", 2), FaultMark(0.75, "link", "lost packets"))
    entry.progress(Tally(), 0.0, BEGUN + 1)
    assert (entry.transfer.faults, entry.transfer.fault_count) == (marks, 3)
    entry.sample(Tally(), BEGUN + 2)
    entry.finish(END, Tally(), BEGUN + 5)
    assert (entry.transfer.faults, entry.transfer.fault_count) == (marks, 3)
    assert entry.transfer.samples == (Sample(2.0, 0, 0, 3),)


def test_of_many_things_that_faults_did_the_first_and_the_latest_are_kept() -> None:
    """The latest says most about the end, and every one is counted."""
    entry = new(Recorder())
    for number in range(1000):
        entry.add_fault("drop-1", f"dropped DATA {number}", BEGUN + number)
    entry.add_fault("stall-2", "let nothing pass from DATA 1001 onwards", BEGUN + 1000)
    entry.finish(END, Tally(), BEGUN + 2000)
    marks = entry.transfer.faults
    assert (len(marks), entry.transfer.fault_count) == (module.MOST_FAULT_MARKS, 1001)
    assert [marks[0].words, marks[-2].words, marks[-1].fault] == [
        "dropped DATA 0",
        "dropped DATA 98",
        "stall-2",
    ]
