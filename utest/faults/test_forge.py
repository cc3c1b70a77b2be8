"""Changed packets: octets in, octets out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.faults.forge import changed_options, flipped, flips_text, forged, strangers
from TftpLibrary.faults.rules import make_rule
from utest.support.passages import passing
from utest.support.transcript import datagram, line


def forge(kind: str, text: str, **more: Any) -> str:
    """Returns the line of the changed packet; what is no packet is shown as octets."""
    look = passing(text)
    octets = forged(make_rule(kind, look.packet, **more), look, look.octets)
    return " ".join(line(text[0], octets).split())


@pytest.mark.parametrize(
    ("kind", "text", "more", "changed"),
    [
        ("short_block", "S DATA 3 9", {}, "S DATA 3 4"),
        ("short_block", "S DATA 3 9", {"size": 8}, "S DATA 3 8"),
        ("short_block", "S DATA 3 9", {"size": 0}, "S DATA 3 0"),
        ("short_block", "S DATA 3 9", {"size": 512}, "S DATA 3 8"),
        ("long_block", "S DATA 3 8", {}, "S DATA 3 9"),
        ("long_block", "S DATA 3 8", {"size": 100}, "S DATA 3 108"),
        ("runt", "S DATA 3 8", {}, "S ? 000300"),
        ("runt", "S DATA 3 8", {"size": 0}, "S ?"),
        ("wrong_block", "S DATA 3 8", {}, "S DATA 4 8"),
        ("wrong_block", "S ACK 3", {"number": "-4"}, "S ACK 65535"),
        ("wrong_block", "S DATA 65535 8", {}, "S DATA 0 8"),
        ("wrong_block", "S DATA 3 8", {"number": "0"}, "S DATA 0 8"),
        ("bad_opcode", "S ACK 3", {}, "S ? 00090003"),
        ("bad_opcode", "S ACK 3", {"number": "300"}, "S ? 012c0003"),
        ("error", "S DATA 3 8", {}, "S ERROR 0 Error on purpose"),
        ("error", "S OACK tsize=1", {"code": 8, "message": "No"}, "S ERROR 8 No"),
        ("wrong_oack", "S OACK blksize=8", {"options": "blksize=9000"}, "S OACK blksize=9000"),
        ("wrong_oack", "S OACK blksize=8 tsize=9", {"options": "tsize=-"}, "S OACK blksize=8"),
        (
            "wrong_oack",
            "S OACK blksize=8 tsize=9",
            {"options": "x=1 BLKSIZE=9"},
            "S OACK x=1 BLKSIZE=9 tsize=9",
        ),
    ],
)
def test_each_kind_changes_its_octets_and_no_others(
    kind: str, text: str, more: dict[str, Any], changed: str
) -> None:
    assert forge(kind, text, **more) == changed


@pytest.mark.parametrize("text", ["S ERROR 0 too", "S OACK a=1"])
def test_a_packet_without_its_last_zero_has_one_octet_less(text: str) -> None:
    look = passing(text)
    rule = make_rule("unterminated", look.packet)
    assert forged(rule, look, look.octets) + b"\0" == look.octets


def test_padding_stands_behind_the_end_of_the_option_answer() -> None:
    look = passing("S OACK a=1")
    rule = make_rule("wrong_oack", padding=2)
    assert forged(rule, look, look.octets) == look.octets + b"\0\0"


def test_a_shorter_block_keeps_its_first_octets() -> None:
    look = passing("S DATA 3 9")
    content = look.octets[:4] + bytes(range(9))
    assert forged(make_rule("short_block"), look, content) == content[:8]


def test_octets_that_an_earlier_fault_has_changed_are_changed_as_they_are() -> None:
    look = passing("S DATA 3 8")
    assert forged(make_rule("wrong_block"), look, b"\0\3\0") == b"\0\3\0"
    assert forged(make_rule("unterminated", "OACK"), look, b"\0\6a\0001") == b"\0\6a\0001"
    assert forged(make_rule("bad_opcode"), look, b"\0") == b"\0\11"
    wrong = make_rule("wrong_oack", options="a=1")
    for octets in (b"\0\6a", datagram("S ACK 0")):
        assert forged(wrong, look, octets) == octets


@pytest.mark.parametrize("bits", [1, 3, 64])
def test_corruption_changes_so_many_bits_of_the_content_and_no_header(bits: int) -> None:
    look = passing("S DATA 3 8")
    changed = forged(make_rule("corrupt", number=bits), look, look.octets)
    assert changed[:4] == look.octets[:4]
    assert different_bits(changed, look.octets) == bits


def test_corruption_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    look = passing("S DATA 3 512")
    first, again, other = (
        forged(make_rule("corrupt", seed=seed), look, look.octets) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_block_that_is_sent_again_is_corrupted_elsewhere() -> None:
    look = passing("S DATA 3 512")
    rule = make_rule("corrupt")
    again = forged(rule, look._replace(occurrence=2), look.octets)
    assert again != forged(rule, look, look.octets)


@given(st.binary(max_size=20), st.integers(0, 5), st.integers(0, 200), st.integers(0, 9))
def test_bits_flip_from_an_offset_on_as_many_as_there_are(
    octets: bytes, start: int, count: int, seed: int
) -> None:
    changed = flipped(octets, start, count, seed)
    assert len(changed) == len(octets)
    assert changed[:start] == octets[:start]
    assert different_bits(changed, octets) == min(count, max(0, len(octets) - start) * 8)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (b"abc", b"abc", ""),
        (b"", b"", ""),
        (bytes(900), bytes(812) + b"\x20" + bytes(87), " (bit 5 of byte 812)"),
        (bytes(3), b"\x81\0\1", " (bit 0 of byte 0, bit 7 of byte 0, bit 0 of byte 2)"),
        (bytes(2), b"\xff\1", " (bit 0 of byte 0, bit 1 of byte 0, bit 2 of byte 0, 6 more)"),
    ],
)
def test_flipped_bits_are_told_by_their_places(before: bytes, after: bytes, text: str) -> None:
    assert flips_text(before, after) == text


def test_a_stranger_sends_another_content_under_the_same_number() -> None:
    octets = strangers(datagram("S DATA 3 8"))
    assert octets == b"\0\3\0\3" + b"\xfc" * 8
    assert strangers(octets) == datagram("S DATA 3 8")


def test_options_that_are_not_named_stay_as_they_are() -> None:
    options = (("tsize", "9"), ("blksize", "8"))
    assert changed_options(options, ()) == options
    assert changed_options(options, (("TSIZE", "-"),)) == (("blksize", "8"),)
    assert changed_options((), (("x", "-"),)) == ()


def different_bits(first: bytes, second: bytes) -> int:
    return sum((a ^ b).bit_count() for a, b in zip(first, second, strict=True))
