from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.keywords.log.cards import Surroundings, card
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction, printable
from TftpLibrary.recording.records import FaultMark, Sample, Transfer
from utest.support.html import Page
from utest.support.records import (
    DROPPED,
    LINKED,
    STALLED,
    completed,
    ended,
    partial,
    refused,
    struck,
)

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ASKED = {"blksize": "65464", "tsize": "0", "multicast": ""}
GRANTED = {"blksize": "1468", "tsize": "7800000"}


def lines(record: Transfer, **around: Any) -> list[str]:
    """The card as a reader of output.xml sees it."""
    page = Page(card(record, Surroundings(**around)))
    assert not page.odd
    return page.lines


def test_a_card_of_a_download_tells_all_about_it() -> None:
    record = completed(
        id=7,
        server="dut",
        blocks=5314,
        duration=2.0,
        retransmits=3,
        duplicates=1,
        requested=ASKED,
        granted=GRANTED,
    )
    assert lines(record, sha256=SHA256, capture="captures/boot.pcapng") == [
        "7 completed read request for 'zImage' from 192.168.1.50: 7.8 MB in 2 s (3.9 MB/s)",
        "Board: 192.168.1.50:50312, server dut",
        "Time: 10:30:00.000, 2 s",
        "Options: blksize=65464 → 1468, tsize=0 → 7800000, multicast= → left out",
        "Bytes: 7,800,000 of 7,800,000 in 5,314 blocks, 3 retransmits, 1 duplicates",
        "File: sha256 9f86d081884c…",
        "Packets: boot.pcapng",
    ]


@pytest.mark.parametrize("record", [completed(duration=2.0), refused(), partial()])
def test_the_first_line_of_a_card_is_the_record_as_text(record: Transfer) -> None:
    assert lines(record)[0] == f"{record.id} {record}"


def test_the_link_to_the_packets_leads_there() -> None:
    page = Page(card(completed(), Surroundings(capture="a b&c.pcapng")))
    assert page.of("a", "href") == ["a b&c.pcapng"]


def test_a_card_of_a_miss_tells_what_the_store_has_instead() -> None:
    record = refused("zimage", server="dut", requested={"blksize": "512"})
    assert lines(record, near=("zImage", "boot/zImage")) == [
        "0 refused read request for 'zimage' from 192.168.1.50: file not found",
        "Board: 192.168.1.50:50312, server dut",
        "Answer: File not found (TFTP error 1)",
        "Store has: 'zImage', 'boot/zImage'",
        "Time: 10:30:00.000",
        "Options: blksize=512",
    ]


def test_a_card_of_half_a_download_tells_how_far_it_came() -> None:
    record = ended(
        "zImage",
        Outcome.failed,
        size=7_800_000,
        octets=3_244_280,
        blocks=2210,
        duration=48.0,
        error_code=3,
        error_message="Disk full",
        samples=(Sample(24.0, 2_000_000, 0),),
    )
    told = lines(record)
    assert told[0] == (
        "0 failed read request for 'zImage' from 192.168.1.50: at 41 % (3.2 of 7.8 MB), disk full"
    )
    assert "End: Disk full (TFTP error 3)" in told
    assert "Throughput: 67.6 kB/s on average, 83.3 kB/s at most" in told


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"outcome": Outcome.probed},
            "probed read request for 'zImage' from 192.168.1.50: only its size was",
        ),
        (
            {"outcome": Outcome.timed_out},
            "timed out read request for 'zImage' from 192.168.1.50: at 0 bytes",
        ),
        (
            {"outcome": Outcome.aborted, "direction": Direction.write},
            "aborted write request for 'zImage' from",
        ),
        (
            {"outcome": Outcome.failed},
            "failed read request for 'zImage' from 192.168.1.50: at 0 bytes, no ",
        ),
    ],
)
def test_the_line_that_is_always_seen_tells_the_outcome(values: dict[str, Any], line: str) -> None:
    record = ended("zImage", **values)
    page = Page(card(record))
    assert "".join(page.inside("summary")).startswith(f"0 {line}")


@pytest.mark.parametrize("outcome", Outcome)
def test_failures_are_open_and_successes_are_closed(outcome: Outcome) -> None:
    is_open = Page(card(ended("zImage", outcome))).of("details", "open") == [None]
    assert is_open is (outcome not in (Outcome.completed, Outcome.probed))


def test_an_instant_transfer_has_no_rate() -> None:
    assert lines(completed(octets=0))[0] == (
        "0 completed read request for 'zImage' from 192.168.1.50: 0 bytes in 0 ms"
    )


def test_a_mode_that_is_not_octet_is_told() -> None:
    assert "Options: blksize=8, mode netascii" in lines(
        refused(requested={"blksize": "8"}, mode="netascii")
    )


def test_a_request_of_our_client_without_an_answer_has_no_option_left_out() -> None:
    ours = {"server": "10.0.0.1:69", "is_ours": True, "requested": {"blksize": "1428"}}
    told = lines(ended("zImage", Outcome.timed_out, **ours))
    assert told[0].startswith(
        "0 timed out read request for 'zImage' from our client to 10.0.0.1:69"
    )
    assert "Our client: 192.168.1.50:50312, server 10.0.0.1:69" in told
    assert "Options: blksize=1428" in told
    told = lines(ended("zImage", Outcome.timed_out, answered_by="10.0.0.1:4711", **ours))
    assert "Options: blksize=1428 → left out" in told


def test_a_long_name_is_cut_in_the_summary_and_whole_below() -> None:
    name = f"boot/{'a' * 490}/end"
    told = lines(refused(name))
    assert f"File: '{name}'" in told
    assert len(told[0]) < 270
    assert not [line for line in lines(refused("zImage")) if line.startswith("File")]


def test_many_options_are_counted() -> None:
    record = refused(requested={f"option{number}": "1" for number in range(12)})
    assert "Options: " + ", ".join(f"option{n}=1" for n in range(8)) + ", and 4 more" in lines(
        record
    )


def test_an_exception_of_our_own_is_shown_with_its_end() -> None:
    traceback = "Traceback:\n" + "x\n" * 20 + "KeyError: 1\n"
    record = ended("zImage", Outcome.failed, traceback=traceback)
    told = lines(record)
    assert told[-1] == "KeyError: 1"
    assert "Traceback:" not in told


def hostile(text: str, outcome: Outcome) -> Transfer:
    """A transfer of which every text is that text, with as many numbers as there can be."""
    samples = tuple(Sample(n / 7, n * 10**11 + n, n * 10**6, n * 10**6) for n in range(1, 49))
    return ended(
        text,
        outcome,
        client=text,
        server=text,
        mode=text,
        requested={f"{text}{n}": text for n in range(20)},
        granted={f"{text}{n}": text for n in range(20)},
        error_code=99999,
        error_message=text,
        traceback=text if outcome is Outcome.failed else "",
        size=10**13,
        octets=49 * 10**11,
        blocks=10**12,
        retransmits=10**8,
        duplicates=10**8,
        duration=100.0,
        samples=samples,
        faults=tuple(FaultMark(n / 3, text, f"{text}{n}", 10**6) for n in range(100)),
        fault_count=10**9,
    )


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("unit", ["a", "&", "'", "😀", "<b>", "\\xff", "\udcff", "\n"])
def test_a_card_is_small_whatever_a_peer_sent(unit: str, outcome: Outcome) -> None:
    html = card(
        hostile(unit * 1000, outcome), Surroundings(SHA256, ("'" * 300,) * 9, "captures/a.pcapng")
    )
    size = len(html.encode())
    assert size < 12_000


@given(st.binary(max_size=80), st.sampled_from(Outcome))
def test_what_a_peer_sent_is_text_and_nothing_else(octets: bytes, outcome: Outcome) -> None:
    text = printable(octets) + "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    page = Page(card(hostile(text, outcome), Surroundings(near=[text])))
    assert not page.odd
    assert set(page.tags) <= set(Page(card(partial())).tags) | {
        "svg", "path", "g", "title", "pre", "span"
    }  # fmt: skip


def test_a_card_has_the_remarks_of_a_transfer() -> None:
    record = completed(remarks=("ACK 0 came", "<b>asked</b> again"))
    assert "Remarks: ACK 0 came; <b>asked</b> again" in lines(record)


def test_a_card_tells_what_was_done_on_purpose() -> None:
    told = lines(completed(duration=2.0, **struck(DROPPED, STALLED, LINKED)))
    assert told[0].endswith("7.8 MB in 2 s (3.9 MB/s), 15 faults on purpose")
    assert (
        "On purpose: drop-1 dropped DATA 3 (2 times), stall-2 let nothing pass from DATA 2210 "
        "onwards, link lost packets (12 times)"
    ) in told
    assert not [line for line in lines(completed()) if "purpose" in line]


def test_a_request_that_was_dropped_on_purpose_has_a_card_that_says_so() -> None:
    reason = "the request was dropped on purpose (fault drop-1)"
    lost = refused(
        error_code=None,
        error_message=reason,
        cause=Cause.on_purpose,
        **struck(FaultMark(0.0, "drop-1", "dropped RRQ")),
    )
    assert lines(lost)[:5] == [
        f"0 refused read request for 'zImage' from 192.168.1.50: {reason}",
        "Board: 192.168.1.50:50312",
        f"Answer: {reason}",
        "Time: 10:30:00.000",
        "On purpose: drop-1 dropped RRQ",
    ]
