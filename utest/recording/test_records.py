from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import NO_OPTIONS, Transfer


def transfer(**fields: Any) -> Transfer:
    record = Transfer(
        id=1,
        server="dut",
        direction=Direction.read,
        filename="zImage",
        client="192.168.1.50",
        client_port=1024,
        started=datetime(2026, 1, 31, tzinfo=timezone.utc),
    )
    return record._replace(**fields)


def test_record_begins_as_a_running_transfer_of_octets_without_options() -> None:
    record = transfer()
    assert record.is_running
    assert record.mode == "octet"
    assert record.requested is NO_OPTIONS
    assert record.granted is NO_OPTIONS
    assert not record.samples


def test_record_with_an_outcome_does_not_run_any_more() -> None:
    assert not transfer(outcome=Outcome.probed).is_running


def test_rate_is_octets_per_second() -> None:
    assert transfer(octets=3000, duration=1.5).rate == 2000.0


def test_rate_of_a_transfer_that_took_no_time_is_zero() -> None:
    assert transfer(octets=3000).rate == 0.0


def test_record_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        transfer().octets = 1  # type: ignore[misc]
