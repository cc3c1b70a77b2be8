from __future__ import annotations

import copy
import pickle
import random
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import NO_OPTIONS, FaultMark, OptionValues, Sample, Transfer
from utest.support.records import completed, refused


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
    assert not any(record[record._fields.index("size") :])


def test_record_with_an_outcome_does_not_run_any_more() -> None:
    assert not transfer(outcome=Outcome.probed).is_running


def test_rate_is_octets_per_second() -> None:
    assert transfer(octets=3000, duration=1.5).rate == 2000.0
    assert transfer(octets=3000, duration=0.5).rate == 6000.0


def test_rate_of_a_transfer_that_took_no_time_is_zero() -> None:
    assert transfer(octets=3000).rate == 0.0


# Options


def test_options_are_a_mapping_in_the_order_given() -> None:
    options = OptionValues((("blksize", "1468"), ("tsize", "0")))
    assert [*options.items()] == [("blksize", "1468"), ("tsize", "0")]
    assert (options["tsize"], options.get("timeout"), len(options)) == ("0", None, 2)
    assert options == {"tsize": "0", "blksize": "1468"}
    assert str(options) == "{'blksize': '1468', 'tsize': '0'}"


def test_options_are_attributes_too_and_numbers_there() -> None:
    options = OptionValues((("BLKSIZE", "1468"), ("tsize", "0"), ("x", "1.5"), ("y", "²")))
    assert (options.blksize, options.tsize, options.x, options.y) == (1468, 0, "1.5", "²")
    with pytest.raises(AttributeError, match="no option 'timeout'. Options: BLKSIZE, tsize, x, y."):
        options.timeout  # noqa: B018 - the look is the test
    assert not hasattr(NO_OPTIONS, "blksize")


def test_equal_options_have_one_hash() -> None:
    names = (("blksize", "1468"), ("tsize", "0"))
    assert OptionValues(names) == OptionValues(names[::-1])
    assert hash(OptionValues(names)) == hash(OptionValues(names[::-1]))
    assert OptionValues(names) != OptionValues(names[:1])


# As values

PRINTABLE = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=30)
OPTIONS = st.builds(
    lambda values: OptionValues(tuple(values.items())),
    st.dictionaries(st.sampled_from(["blksize", "tsize", "x"]), PRINTABLE, max_size=3),
)
RECORDS = st.builds(
    Transfer,
    id=st.integers(1, 4),
    server=PRINTABLE,
    direction=st.sampled_from(Direction),
    filename=PRINTABLE,
    client=st.sampled_from(["192.168.1.50", "fe80::1%eth0"]),
    client_port=st.integers(1, 65535),
    started=st.integers(0, 3).map(
        lambda seconds: datetime(2026, 1, 31, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    ),
    requested=OPTIONS,
    granted=OPTIONS,
    size=st.none() | st.integers(0, 10**12),
    octets=st.integers(0, 10**12),
    # A clock shows nanoseconds at the most.
    duration=st.just(0.0) | st.floats(1e-9, 10**6),
    idle=st.floats(0, 10**6),
    outcome=st.none() | st.sampled_from(Outcome),
    error_code=st.none() | st.integers(0, 9),
    error_message=PRINTABLE,
    samples=st.lists(st.builds(Sample, st.floats(0, 9), st.just(1), st.just(0))).map(tuple),
    remarks=st.lists(PRINTABLE, max_size=2).map(tuple),
    faults=st.lists(st.builds(FaultMark, st.floats(0, 9), PRINTABLE, PRINTABLE)).map(tuple),
)


@given(RECORDS, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_a_record_can_be_pickled_copied_compared_and_hashed(
    record: Transfer, protocol: int
) -> None:
    for other in (pickle.loads(pickle.dumps(record, protocol)), copy.deepcopy(record)):
        assert type(other) is Transfer
        assert other == record
        assert hash(other) == hash(record)
        assert [*other.granted.items()] == [*record.granted.items()]
        assert str(other) == str(record)
    assert record != record._replace(octets=record.octets + 1)


# The fields that decide the order, and one that does not.
REQUESTS = st.builds(
    lambda number, second, port: transfer(
        id=number, started=transfer().started + timedelta(seconds=second), client_port=port
    ),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(1, 3),
)


@given(st.lists(REQUESTS, max_size=8))
def test_records_are_sorted_by_request_whatever_their_order_was(records: list[Transfer]) -> None:
    """Also those of several recorders, in which ids come again."""
    random.Random(1).shuffle(records)
    ordered = sorted(records)
    assert [(t.started, t.id) for t in ordered] == sorted((t.started, t.id) for t in records)
    for first, second in pairwise(ordered):
        assert first <= second
        assert second >= first
        assert not second < first
        assert not first > second


def test_a_record_is_not_compared_with_something_else() -> None:
    for compare in ("__lt__", "__le__", "__gt__", "__ge__"):
        assert getattr(transfer(), compare)((1, "dut")) is NotImplemented


@given(RECORDS)
def test_a_record_is_one_line_of_text(record: Transfer) -> None:
    text = str(record)
    assert text.splitlines() == [text]
    peer = f"our client to {record.server}" if record.is_ours else record.client
    assert f" request for '{record.filename}' from {peer}: " in text


def test_the_line_has_the_remarks_behind_the_result() -> None:
    record = completed(duration=2.0, remarks=("ACK 0 came", "asked again"))
    assert str(record).endswith(": 7.8 MB in 2 s (3.9 MB/s); ACK 0 came; asked again")


def test_the_line_has_the_outcome_the_request_and_the_result() -> None:
    assert str(completed(duration=2.0)) == (
        "completed read request for 'zImage' from 192.168.1.50: 7.8 MB in 2 s (3.9 MB/s)"
    )
    assert str(refused()) == "refused read request for 'zImage' from 192.168.1.50: file not found"
    assert str(transfer(direction=Direction.write, octets=512)) == (
        "running write request for 'zImage' from 192.168.1.50: at 512 bytes"
    )
