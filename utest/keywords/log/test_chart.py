from __future__ import annotations

from itertools import pairwise

import pytest

from TftpLibrary.keywords.log import chart
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording.records import Sample, Transfer
from utest.support.html import Page
from utest.support.records import completed, ended

MB = 1_000_000
STALLED = (Sample(1.0, 4 * MB, 0), Sample(2.0, 4 * MB, 3), Sample(3.0, 5 * MB, 3))


def stalled() -> Transfer:
    """Eight megabytes in four seconds, of which one went by without any."""
    return completed(octets=8 * MB, duration=4.0, retransmits=3, samples=STALLED)


def path(html: str, attribute: str) -> str:
    """Returns what the path with that attribute draws."""
    return next(line for line in html.splitlines() if attribute in line).split('"')[1]


def test_a_course_has_a_column_between_two_samples() -> None:
    course = chart.columns(stalled())
    assert [(c.start, c.end, c.octets, c.retransmits) for c in course] == [
        (0.0, 1.0, 4 * MB, 0),
        (1.0, 2.0, 0, 3),
        (2.0, 3.0, 1 * MB, 0),
        (3.0, 4.0, 3 * MB, 0),
    ]
    assert [column.rate for column in course] == [4 * MB, 0, MB, 3 * MB]


def test_the_silence_before_a_timeout_is_part_of_the_course() -> None:
    gone = ended(
        "zImage", Outcome.timed_out, octets=5 * MB, duration=9.0, retransmits=8, samples=STALLED
    )
    assert chart.columns(gone)[-1] == chart.Column(3.0, 9.0, 0, 5 * MB, 5)


def test_a_transfer_without_samples_has_no_course() -> None:
    assert chart.throughput(completed(duration=0.01)) == ""


def test_samples_at_one_instant_count_once() -> None:
    twice = completed(
        octets=8, duration=1.0, samples=(Sample(0.0, 0, 0), Sample(1.0, 8, 0), Sample(1.0, 8, 0))
    )
    assert len(chart.columns(twice)) == 1


@pytest.mark.parametrize("count", [29, 30, 31, 48, 200])
def test_a_long_course_is_drawn_in_wider_columns(count: int) -> None:
    samples = tuple(Sample(n, n * MB, n) for n in range(1, count + 1))
    size = (count + 1) * MB
    course = chart.columns(
        completed(octets=size, duration=count + 1.0, retransmits=count, samples=samples)
    )
    assert len(course) <= chart.MOST_COLUMNS + 1
    assert (course[0].start, course[-1].end) == (0.0, count + 1.0)
    assert all(a.end == b.start for a, b in pairwise(course))
    assert sum(column.octets for column in course) == size
    assert sum(column.retransmits for column in course) == count


def test_bars_are_as_high_as_their_rate() -> None:
    html = chart.throughput(stalled())
    assert path(html, "fill=") == "M0 60V0H250V60zM500 60V45H750V60zM750 60V15H1000V60z"


def test_a_trickle_is_seen() -> None:
    samples = (Sample(1.0, 8 * MB, 0),)
    html = chart.throughput(completed(octets=8 * MB + 1, duration=2.0, samples=samples))
    assert path(html, "fill=").endswith("M500 60V59H1000V60z")


def test_ticks_tell_where_packets_were_sent_again() -> None:
    html = chart.throughput(stalled())
    assert path(html, 'stroke-width="3"') == "M375 62V70"
    assert "ticks: packets sent again" in html
    assert "ticks" not in chart.throughput(completed(duration=4.0, samples=(Sample(1.0, 1, 0),)))


def test_hovering_and_the_text_tell_the_numbers() -> None:
    page = Page(chart.throughput(stalled()))
    assert not page.odd
    assert page.lines == [
        "Throughput: 2.0 MB/s on average, 4.0 MB/s at most; ticks: packets sent again",
        "at 1 s: 4.0 MB/s, 4.0 of 8.0 MB",
        "at 2 s: 0 bytes/s, 4.0 of 8.0 MB, 3 sent again",
        "at 3 s: 1.0 MB/s, 5.0 of 8.0 MB",
        "at 4 s: 3.0 MB/s, 8.0 of 8.0 MB",
        "0 s 4 s",
    ]
    assert len(page.inside("title")) == 4


def test_the_end_of_a_file_of_unknown_size_is_not_told() -> None:
    upload = ended("log", Outcome.failed, octets=5 * MB, duration=4.0, samples=STALLED)
    assert "at 1 s: 4.0 MB/s, 4.0 MB" in Page(chart.throughput(upload)).lines


def test_a_course_without_any_octet_is_drawn() -> None:
    silent = ended("zImage", Outcome.timed_out, size=8, duration=5.0, samples=(Sample(1.0, 0, 1),))
    html = chart.throughput(silent)
    assert path(html, "fill=") == ""
    assert "0 bytes/s on average" in html
