from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

from TftpLibrary.lab.mirror import Mirror
from TftpLibrary.lab.values import to_json
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.records import Transfer

YESTERDAY = datetime.now(timezone.utc) - timedelta(days=1)
OTHER = 1_000_000.0
"""How far the monotonic clock of the lab is from ours."""


class Quiet:
    def report_progress(self) -> None:
        """Has nothing to report."""


def transfer(**changes: object) -> Transfer:
    made = Transfer(7, "dut", Direction.read, "zImage", "192.168.1.50", 1024, YESTERDAY)
    return made._replace(**changes)  # type: ignore[arg-type] # by name


def tell(mirror: Mirror, event: str, at: float, record: Transfer) -> None:
    mirror.take({"method": event, "params": {"at": at, "transfer": to_json(record)}})


def test_records_have_the_ids_and_the_clock_of_the_test() -> None:
    recorder = Recorder()
    recorder.reserve()
    mirror = Mirror(recorder, Quiet())
    now = time.monotonic()
    mirror.compare_clocks(now + OTHER)
    tell(mirror, "opened", now + OTHER - 20, transfer())
    tell(mirror, "progressed", now + OTHER - 15, transfer(octets=5))
    (running,) = recorder.transfers()
    assert (running.id, running.octets, running.is_running) == (2, 5, True)
    tell(mirror, "ended", now + OTHER - 10, transfer(octets=9, outcome=Outcome.completed))
    (ended,) = recorder.transfers()
    assert ended.ended is not None
    assert timedelta(seconds=9.9) < ended.ended - ended.started < timedelta(seconds=10.1)
    assert abs(datetime.now().astimezone() - ended.ended) < timedelta(seconds=15)
    assert 10 <= recorder.age(ended) < 15
    assert mirror.transfers([7]) == [ended]


def test_the_quickest_sign_of_life_tells_most() -> None:
    recorder = Recorder()
    mirror = Mirror(recorder, Quiet())
    now = time.monotonic()
    mirror.compare_clocks(now + OTHER)
    # This one was on its way for six seconds.
    mirror.take({"method": "alive", "params": {"at": now + OTHER - 6}})
    tell(mirror, "opened", now + OTHER - 1, transfer())
    (running,) = recorder.transfers()
    assert datetime.now().astimezone() - running.started < timedelta(seconds=4)


def test_what_ran_when_the_lab_was_lost_has_ended() -> None:
    recorder = Recorder()
    mirror = Mirror(recorder, Quiet())
    tell(mirror, "opened", 0.0, transfer())
    mirror.break_off("the lab was lost")
    (ended,) = recorder.transfers()
    assert (ended.outcome, ended.error_message) == (Outcome.aborted, "the lab was lost")


def test_what_was_not_told_makes_the_record_incomplete() -> None:
    recorder = Recorder()
    mirror = Mirror(recorder, Quiet())
    tell(mirror, "opened", 0.0, transfer())
    mirror.take({"method": "missed", "params": {}})
    assert not recorder.is_complete()
    assert recorder.is_complete(recorder.mark())
