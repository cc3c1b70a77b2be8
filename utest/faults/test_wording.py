"""Faults in words: as they were asked for, and as they happened."""

from __future__ import annotations

from typing import Any

import pytest

from TftpLibrary.faults.files import Damage, Damaging, Denial
from TftpLibrary.faults.kinds import FaultKind
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.rules import Way, make_rule
from TftpLibrary.faults.wording import (
    Fault,
    did_text,
    fault_text,
    injected_text,
    link_text,
    time_text,
)
from utest.support.passages import passing


@pytest.mark.parametrize(
    ("kind", "packet", "more", "text"),
    [
        ("drop", "DATA 3", {"file": "zImage"}, "drop DATA 3 of 'zImage'"),
        ("drop", "data", {}, "drop DATA"),
        ("drop", "ACK last", {"times": 2}, "drop ACK last, 2 times"),
        ("drop", "", {"every": 12}, "drop every 12th DATA"),
        ("drop", "", {"every": 2, "times": 1}, "drop every 2nd DATA, once"),
        ("drop", "", {"every": 103, "after": 5}, "drop every 103rd DATA, after the first 5"),
        ("drop", "", {"every": 111}, "drop every 111th DATA"),
        ("drop", "", {"every": 13}, "drop every 13th DATA"),
        ("drop", "", {"probability": 0.025}, "drop 2.5 % of DATA"),
        ("drop", "", {"client": "10.0.0.1", "times": 3}, "drop DATA for 10.0.0.1, 3 times"),
        ("drop", "any", {"direction": "received"}, "drop any received"),
        ("delay", "answer", {"delay": 0.5}, "delay answer (delay=500 ms)"),
        ("stall", "", {"duration": 10.0}, "stall DATA (duration=10 s)"),
        ("corrupt", "", {"number": "2"}, "corrupt DATA (number=2)"),
        ("runt", "", {"size": 0}, "runt DATA (size=0)"),
        ("duplicate", "DATA 5", {"copies": 20}, "duplicate DATA 5 (copies=20)"),
        ("error", "", {"code": 0, "message": "Oh"}, "error DATA (code=0, message=Oh)"),
        (
            "wrong_oack",
            "",
            {"options": "blksize=9", "padding": 4, "file": "f"},
            "wrong_oack OACK of 'f' (options=blksize=9, padding=4)",
        ),
    ],
)
def test_a_rule_is_written_as_it_was_asked_for(
    kind: str, packet: str, more: dict[str, Any], text: str
) -> None:
    assert fault_text(make_rule(kind, packet, **more)) == text


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Denial("f"), "error 2 in answer to requests for 'f'"),
        (
            Denial("f", 1, client="10.0.0.0/8", times=1, after=2),
            "error 1 in answer to requests for 'f' for 10.0.0.0/8, after the first 2, once",
        ),
        (Damage("f", Damaging.flip_bit), "flip a bit in the middle of 'f'"),
        (Damage("f", Damaging.flip_bit, 7, times=2), "flip a bit of byte 7 of 'f', 2 times"),
        (Damage("f", Damaging.truncate), "truncate 'f' to half of its bytes"),
        (Damage("f", Damaging.truncate, size=9), "truncate 'f' to 9 bytes"),
        (Damage("f", Damaging.append, content="xyz"), "append 3 bytes to 'f'"),
        (Damage("f", Damaging.replace, content="old"), "send 'old' as 'f'"),
    ],
)
def test_a_fault_of_a_file_is_written_as_it_was_asked_for(
    fault: Denial | Damage, text: str
) -> None:
    assert fault_text(fault) == text


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (make_rule("drop"), "drop DATA, once for each client"),
        (make_rule("drop", times=2), "drop DATA, 2 times for each client"),
        (make_rule("drop", every=2, times=1), "drop every 2nd DATA, once for each client"),
        (make_rule("drop", is_of_client=True), "drop DATA, once"),
        (make_rule("drop", every=2), "drop every 2nd DATA"),
        (
            Denial("f", times=3),
            "error 2 in answer to requests for 'f', 3 times for each client",
        ),
    ],
)
def test_the_log_says_how_often_a_fault_happens(fault: Fault, text: str) -> None:
    assert injected_text(fault) == text


@pytest.mark.parametrize(
    ("quality", "text"),
    [
        (LinkQuality(), "perfect"),
        (LinkQuality(0.02, 0.01, 0.05, 1.0), "loss 2 %, duplicate 1 %, reorder 5 %, corrupt 100 %"),
        (LinkQuality(delay=0.02, jitter=1.5), "delay 20 ms, jitter 1.5 s"),
        (
            LinkQuality(rate=1e6, queue=8, client="10.0.0.1", direction=Way.sent),
            "rate 1.0 MB/s, queue 8, only what is sent, for 10.0.0.1",
        ),
    ],
)
def test_a_link_is_written_with_what_differs_from_a_perfect_one(
    quality: LinkQuality, text: str
) -> None:
    assert link_text(quality) == text


@pytest.mark.parametrize("kind", list(FaultKind))
def test_each_kind_has_words_for_what_it_did_to_a_packet(kind: FaultKind) -> None:
    needed: dict[str, dict[str, Any]] = {"delay": {"delay": 0.5}, "wrong_oack": {"padding": 1}}
    rule = make_rule(kind, **needed.get(kind, {}))
    words = did_text(rule, passing("S DATA 3 8"))
    assert " DATA 3" in words
    assert words.endswith(" by 500 ms") is (kind is FaultKind.delay)


def test_what_happened_names_the_packet() -> None:
    assert did_text(make_rule("drop"), passing("C ACK 7")) == "dropped ACK 7"
    assert did_text(make_rule("drop", "any"), passing("C RRQ f octet")) == "dropped RRQ"
    block = passing("S DATA 3 8")
    assert did_text(make_rule("corrupt", number=3), block) == "changed 3 bits of DATA 3"
    assert did_text(make_rule("corrupt"), block) == "changed a bit of DATA 3"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0 ms"), (0.0005, "0.5 ms"), (0.3, "300 ms"), (2.5, "2.5 s")]
)
def test_times_are_in_the_unit_that_people_would_use(seconds: float, text: str) -> None:
    assert time_text(seconds) == text
