"""The recorder: marks, limits, waiting across threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from TftpLibrary.errors import TftpError
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording import recorder as module
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer
from utest.support.records import open_record, transfer


def open_one(recorder: Recorder, filename: str = "zImage") -> Transfer:
    """A running transfer with its id."""
    return open_record(recorder, transfer(filename))


def end(recorder: Recorder, running: Transfer) -> None:
    recorder.ended(running._replace(outcome=Outcome.completed))


def names(transfers: tuple[Transfer, ...]) -> list[str]:
    return [transfer.filename for transfer in transfers]


def is_there(filename: str) -> Callable[[tuple[Transfer, ...]], Transfer | None]:
    return lambda seen: next((t for t in seen if t.filename == filename), None)


def test_ids_count_from_one_in_the_order_of_requests() -> None:
    recorder = Recorder()
    assert [open_one(recorder).id for _ in range(3)] == [1, 2, 3]
    assert [t.id for t in recorder.transfers()] == [1, 2, 3]


def test_transfers_are_in_the_order_of_requests_whatever_ends_first() -> None:
    recorder = Recorder()
    first, second, third = (open_one(recorder, name) for name in "abc")
    end(recorder, third)
    end(recorder, first)
    assert names(recorder.transfers()) == ["a", "b", "c"]
    end(recorder, second)
    assert names(recorder.transfers()) == ["a", "b", "c"]


def test_mark_hides_what_ended_before_and_nothing_else() -> None:
    recorder = Recorder()
    old, across = open_one(recorder, "old"), open_one(recorder, "across")
    running = open_one(recorder, "running")
    end(recorder, old)
    mark = recorder.mark()
    end(recorder, across)
    end(recorder, open_one(recorder, "new"))
    assert names(recorder.transfers(mark)) == ["across", "running", "new"]
    end(recorder, running)
    assert names(recorder.transfers(recorder.mark())) == []


class Late:
    """An engine in whose sockets the end of a transfer lies until somebody asks."""

    def __init__(self, recorder: Recorder, running: Transfer | None = None) -> None:
        self.recorder, self.running = recorder, running

    def report_progress(self) -> None:
        end(self.recorder, self.running or open_one(self.recorder, "request"))


def test_what_an_engine_has_not_taken_yet_is_before_the_mark() -> None:
    recorder = Recorder()
    running = transfer("old", id=recorder.reserve())
    recorder.opened(running, Late(recorder, running))
    assert names(recorder.transfers(recorder.mark())) == []


def test_a_mark_asks_the_engines_that_have_joined_until_they_leave() -> None:
    recorder = Recorder()
    late = Late(recorder)
    for _ in range(2):
        recorder.join(late)
    recorder.leave(late)
    assert names(recorder.transfers(recorder.mark())) == []
    assert names(recorder.transfers()) == ["request"]
    recorder.leave(late)
    recorder.mark()
    assert names(recorder.transfers()) == ["request"]


def test_the_position_is_known_without_a_question() -> None:
    recorder = Recorder()
    recorder.join(Late(recorder))
    assert recorder.position == 0


def test_the_age_of_an_end_is_measured_on_a_clock_that_nobody_sets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder, now = Recorder(limit=2), 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    for _ in range(3):
        end(recorder, open_one(recorder))
        now += 1.0
    dropped, first, second = (transfer()._replace(id=number) for number in (1, 2, 3))
    assert (recorder.age(first), recorder.age(second)) == (2.0, 1.0)
    assert recorder.age(dropped) == float("inf")


def test_read_tells_the_position_from_which_nothing_is_seen_twice() -> None:
    recorder = Recorder()
    end(recorder, open_one(recorder, "a"))
    position, seen = recorder.read()
    assert names(seen) == ["a"]
    end(recorder, open_one(recorder, "b"))
    assert names(recorder.read(position)[1]) == ["b"]


def test_ends_are_told_in_their_order_and_once() -> None:
    recorder = Recorder()
    first, second, third = (open_one(recorder, name) for name in "abc")
    end(recorder, third)
    end(recorder, first)
    told, new = recorder.ends()
    assert names(new) == ["c", "a"]
    assert recorder.ends(told) == (told, ())
    end(recorder, second)
    assert names(recorder.ends(told)[1]) == ["b"]


def test_ends_that_were_dropped_show_in_the_difference() -> None:
    recorder = Recorder(limit=2)
    told, _ = recorder.ends()
    for name in "abcd":
        end(recorder, open_one(recorder, name))
    count, new = recorder.ends(told)
    assert names(new) == ["c", "d"]
    assert count - told - len(new) == 2


def test_progress_replaces_the_running_record_only() -> None:
    recorder = Recorder()
    running = open_one(recorder)
    recorder.progressed(running._replace(octets=512))
    assert recorder.transfers()[0].octets == 512
    end(recorder, running)
    recorder.progressed(running._replace(octets=1024))
    assert [t.octets for t in recorder.transfers()] == [0]


def test_progress_is_no_change_to_wait_for() -> None:
    recorder = Recorder()
    running = open_one(recorder)
    mark = recorder.mark()
    recorder.progressed(running._replace(octets=512))
    assert recorder.mark() == mark


def test_transfer_ends_once() -> None:
    recorder = Recorder()
    running = open_one(recorder)
    end(recorder, running)
    recorder.ended(running._replace(outcome=Outcome.aborted))
    assert [t.outcome for t in recorder.transfers()] == [Outcome.completed]


def test_oldest_ended_transfers_are_dropped_at_the_limit_and_running_ones_never() -> None:
    recorder = Recorder(limit=3)
    open_one(recorder, "running")
    start = recorder.mark()
    for name in "abcd":
        end(recorder, open_one(recorder, name))
    middle = recorder.mark()
    end(recorder, open_one(recorder, "e"))
    assert names(recorder.transfers()) == ["running", "c", "d", "e"]
    assert not recorder.is_complete(start)
    assert recorder.is_complete(middle)


def test_memory_stays_bounded_however_many_requests_come() -> None:
    recorder = Recorder(limit=100)
    for _ in range(10_000):
        end(recorder, open_one(recorder))
        recorder.defect("x")
    assert len(recorder.transfers()) == 100
    assert len(recorder.take_defects()) == module.DEFECT_LIMIT


class Engine:
    """Brings one record up to date whenever it is asked."""

    def __init__(self, recorder: Recorder, filename: str) -> None:
        self._recorder = recorder
        self._running = transfer(filename, id=recorder.reserve())
        self.asked = 0
        recorder.opened(self._running, self)

    def report_progress(self) -> None:
        self.asked += 1
        self._recorder.progressed(self._running._replace(octets=self.asked))

    def end(self) -> None:
        end(self._recorder, self._running)


def test_every_engine_that_runs_a_transfer_is_asked_before_a_look() -> None:
    recorder = Recorder()
    first, second = Engine(recorder, "a"), Engine(recorder, "b")
    assert [each.octets for each in recorder.transfers()] == [1, 1]
    second.end()
    assert [each.octets for each in recorder.transfers()] == [2, 0]
    assert (first.asked, second.asked) == (2, 1)


def test_an_engine_that_runs_many_transfers_is_asked_once() -> None:
    recorder = Recorder()
    engine = Engine(recorder, "a")
    recorder.opened(transfer("b", id=recorder.reserve()), engine)
    recorder.transfers()
    assert engine.asked == 1


def test_who_wants_the_ends_alone_asks_no_engine() -> None:
    recorder = Recorder()
    engine = Engine(recorder, "a")
    recorder.ends()
    assert engine.asked == 0


def test_progress_that_a_wait_asks_for_does_not_wake_it() -> None:
    recorder = Recorder()
    engine = Engine(recorder, "a")
    begun = time.monotonic()
    assert recorder.wait_for(lambda seen: seen[0].octets > 2 or None, timeout=10)
    assert engine.asked == 3
    # Two slices: each look is followed by one.
    assert time.monotonic() - begun >= 2 * module.SLICE


def test_wait_finds_what_is_there_already() -> None:
    recorder = Recorder()
    end(recorder, open_one(recorder))
    assert recorder.wait_for(is_there("zImage"), timeout=0).filename == "zImage"


def test_wait_gives_what_the_predicate_found_also_when_it_is_false() -> None:
    assert Recorder().wait_for(len, timeout=0) == 0


def test_wait_looks_back_to_the_mark_only() -> None:
    recorder = Recorder()
    end(recorder, open_one(recorder))
    with pytest.raises(TimeoutError):
        recorder.wait_for(is_there("zImage"), timeout=0.01, since=recorder.mark())


def test_wait_ends_after_its_time() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"nothing was found within 0\.3 s"):
        Recorder().wait_for(lambda _seen: None, timeout=0.3)
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("change", ["opening", "end", "defect"])
def test_wait_is_woken_at_once_by(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without the slices, which would hide a wake-up that is missing.
    monkeypatch.setattr(module, "SLICE", 30.0)
    recorder = Recorder()
    running = open_one(recorder)
    changes = {
        "opening": lambda: open_one(recorder),
        "end": lambda: end(recorder, running),
        "defect": lambda: recorder.defect("x"),
    }
    mark, began = recorder.mark(), time.monotonic()
    timer = threading.Timer(0.02, changes[change])
    timer.start()
    assert recorder.wait_for_change(mark, timeout=30)
    # Far more than a busy machine needs, and far less than without the wake-up.
    assert time.monotonic() - began < 10
    timer.join()


def test_wait_uses_no_processor_time_worth_speaking_of() -> None:
    recorder = Recorder()
    for _ in range(100):
        end(recorder, open_one(recorder))
    looks: list[int] = []
    began = time.thread_time()
    with pytest.raises(TimeoutError):
        recorder.wait_for(lambda seen: looks.append(len(seen)), timeout=1.0)
    assert time.thread_time() - began < 0.1
    assert len(looks) <= 8


def test_wait_in_a_flood_of_requests_leaves_time_to_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    looks: list[int] = []

    def look(_seen: object) -> bool | None:
        looks.append(len(looks))
        began = time.monotonic()
        while len(looks) == 1 and time.monotonic() < began + 0.02:
            pass
        return None if len(looks) == 1 else True

    assert Recorder().wait_for(look, timeout=10)
    assert slept == [module.LONGEST_PAUSE]


def test_defect_wakes_and_fails_the_next_wait_once() -> None:
    recorder = Recorder()
    recorder.defect("Traceback: ZeroDivisionError")
    with pytest.raises(TftpError) as error:
        recorder.wait_for(lambda _seen: None, timeout=10)
    assert str(error.value) == (
        "The TFTP engine met an unexpected exception; it goes on, but what this test saw may be "
        "incomplete. Please report it with this text:\nTraceback: ZeroDivisionError"
    )
    with pytest.raises(TimeoutError):
        recorder.wait_for(lambda _seen: None, timeout=0)


def test_defect_does_not_hide_what_was_found() -> None:
    recorder = Recorder()
    end(recorder, open_one(recorder))
    recorder.defect("x")
    assert recorder.wait_for(is_there("zImage"), timeout=0)
    assert recorder.take_defects() == ("x",)


def test_wait_for_change_tells_whether_something_is_new() -> None:
    recorder = Recorder()
    mark = recorder.mark()
    assert not recorder.wait_for_change(mark, timeout=0.01)
    open_one(recorder)
    assert recorder.wait_for_change(mark, timeout=10)
    assert not recorder.wait_for_change(recorder.mark(), timeout=-1)
    recorder.defect("x")
    assert recorder.wait_for_change(recorder.mark(), timeout=10)


def test_wait_for_change_blocks_one_slice_at_most() -> None:
    began = time.monotonic()
    assert not Recorder().wait_for_change(0, timeout=60)
    assert time.monotonic() - began < 30


def test_many_threads_read_what_one_writes() -> None:
    recorder = Recorder(limit=50)
    seen: list[int] = []

    def follow() -> None:
        position, count, last = 0, 0, 0
        while last < 300:
            recorder.wait_for_change(position, 1)
            position, transfers = recorder.read(position)
            ends = [t.id for t in transfers if not t.is_running]
            count += len(ends)
            last = max([last, *ends])
        seen.append(count)

    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        end(recorder, open_one(recorder))
    for thread in threads:
        thread.join(20)
    assert len(seen) == 3
    # Followers that are too slow lose what was dropped; none sees an end twice.
    assert all(50 <= count <= 300 for count in seen)
