from __future__ import annotations

from itertools import pairwise

import pytest

from TftpLibrary.keywords.log import chart, markup
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording.records import FaultMark, Sample, Transfer
from utest.support.html import Page
from utest.support.records import completed, ended, struck

MB = 1_000_000
STALLED = (Sample(1.0, 4 * MB, 0), Sample(2.0, 4 * MB, 3), Sample(3.0, 5 * MB, 3))


def stalled() -> Transfer:
    """Eight megabytes in four seconds, of which one went by without any."""
    return completed(octets=8 * MB, duration=4.0, retransmits=3, samples=STALLED)


def path(html: str, attribute: str) -> str:
    """Returns what the path with that attribute draws."""
    return next(line for line in html.splitlines() if attribute in line).split('"')[1]


def ticks(html: str, colour: str) -> str:
    """Returns the ticks of a colour."""
    return path(html, f'stroke="{colour}" stroke-width="3"')


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
    assert ticks(html, markup.ODD) == "M375 62V70"
    assert "; ticks: packets sent again\n" in Page(html).text
    assert ticks(html, markup.PLANNED) == ""
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


def faulty(*marks: FaultMark, counts: tuple[int, int, int]) -> Transfer:
    """The stalled transfer, after whose samples faults had struck so often."""
    samples = tuple(
        sample._replace(faults=count) for sample, count in zip(STALLED, counts, strict=True)
    )
    return stalled()._replace(samples=samples, **struck(*marks))


DROPPED = FaultMark(1.2, "drop-1", "dropped DATA 9", 3)


def test_faults_on_purpose_have_ticks_of_their_own_colour_below_the_others() -> None:
    late = FaultMark(3.5, "delay-2", "delayed ACK 7 by 500 ms")
    html = chart.throughput(faulty(DROPPED, late, counts=(0, 3, 3)))
    assert ticks(html, markup.ODD) == "M375 62V70"
    assert ticks(html, markup.PLANNED) == "M375 72V80M875 72V80"
    assert 'viewBox="0 0 1000 80"' in html
    page = Page(html)
    assert not page.odd
    assert page.lines == [
        "Throughput: 2.0 MB/s on average, 4.0 MB/s at most; ticks: packets sent again, and below "
        "them faults on purpose",
        "at 1 s: 4.0 MB/s, 4.0 of 8.0 MB",
        "at 2 s: 0 bytes/s, 4.0 of 8.0 MB, 3 sent again, 3 on purpose: drop-1 dropped DATA 9 "
        "(3 times)",
        "at 3 s: 1.0 MB/s, 5.0 of 8.0 MB",
        "at 4 s: 3.0 MB/s, 8.0 of 8.0 MB, 1 on purpose: delay-2 delayed ACK 7 by 500 ms",
        "0 s 4 s",
    ]


def test_faults_have_a_legend_also_where_nothing_was_sent_again() -> None:
    record = faulty(DROPPED, counts=(0, 3, 3))._replace(
        samples=(Sample(2.0, MB, 0, 3),), retransmits=0
    )
    assert Page(chart.throughput(record)).lines[0].endswith("; ticks: faults on purpose")


def test_what_a_fault_does_again_and_again_is_counted_in_each_column() -> None:
    lost = FaultMark(0.5, "link", "lost packets", 9)
    told = Page(chart.throughput(faulty(lost, counts=(2, 5, 5)))).lines
    assert told[1].endswith("MB, 2 on purpose: link lost packets (2 times)")
    assert told[2].endswith("again, 3 on purpose")
    assert told[4].endswith("MB, 4 on purpose")


def test_many_faults_in_one_column_are_cut() -> None:
    marks = [FaultMark(0.5, "drop-1", f"dropped DATA {n}") for n in range(100)]
    told = Page(chart.throughput(faulty(*marks, counts=(100, 100, 100)))).lines[1]
    assert told.endswith(
        "100 on purpose: drop-1 dropped DATA 0, drop-1 dropped DATA 1, drop-1 dropped DATA 2, "
        "and 97 more"
    )
    names = [FaultMark(0.5, f"<{n}>" * 50, "did it") for n in range(100)]
    html = chart.throughput(faulty(*names, counts=(100, 100, 100)))
    assert not Page(html).odd
    assert len(html) < 2000
