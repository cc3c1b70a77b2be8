"""The names of the kinds, and the words that people use instead."""

from __future__ import annotations

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.kinds import HINTS, TRAITS, FaultKind, parse_kind

ALL = (
    "drop, duplicate, delay, reorder, corrupt, short_block, long_block, runt, wrong_block, "
    "wrong_tid, stray, bad_opcode, error, unterminated, ignore_options, wrong_oack, stall, vanish"
)


@pytest.mark.parametrize("kind", list(FaultKind))
def test_each_kind_is_found_by_its_name_however_it_is_written(kind: FaultKind) -> None:
    assert parse_kind(kind.value) is kind
    assert parse_kind(f" {kind.value.upper().replace('_', '-')} ") is kind
    assert parse_kind(kind.value.replace("_", " ")) is kind
    assert str(kind) == kind.value


@pytest.mark.parametrize("kind", list(FaultKind))
def test_each_kind_is_documented_and_has_traits(kind: FaultKind) -> None:
    assert f"| ``{kind}``" in (FaultKind.__doc__ or "")
    traits = TRAITS[kind]
    assert not traits.only or traits.packet in traits.only


def test_a_misspelled_kind_has_the_nearest_name_and_all_names() -> None:
    with pytest.raises(UsageError) as caught:
        parse_kind("dropp")
    assert str(caught.value) == (f"There is no fault 'dropp'. Did you mean 'drop'? Faults: {ALL}.")


def test_a_kind_like_no_other_has_all_names() -> None:
    with pytest.raises(UsageError) as caught:
        parse_kind("xyzzy")
    assert str(caught.value) == f"There is no fault 'xyzzy'. Faults: {ALL}."


@pytest.mark.parametrize("word", list(HINTS))
def test_a_word_of_another_tool_has_the_way_to_write_it_here(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_kind(word.upper())
    assert str(caught.value) == f"There is no fault '{word.upper()}'. {HINTS[word]}"


def test_no_hint_is_a_kind() -> None:
    assert HINTS.keys().isdisjoint(FaultKind.__members__)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("loss", "One packet is lost with 'drop'; a share of all with Set TFTP Link Quality"),
        ("truncate", "'short_block' makes one block shorter; a whole file ends early with Damage"),
        ("no_reply", "A request without an answer is Inject TFTP Fault    drop    request."),
        ("timeout", "'stall' lets nothing pass from a packet on."),
        ("disconnect", "'vanish' closes the port from a packet on."),
        ("bandwidth", "Set TFTP Link Quality    rate=1 MB/s limits the rate."),
    ],
)
def test_hints_name_what_to_write(word: str, hint: str) -> None:
    assert HINTS[word].startswith(hint)


def test_packet_in_the_cell_of_the_kind_is_told_its_place() -> None:
    with pytest.raises(UsageError, match="The packet is an argument of its own: drop    DATA 3$"):
        parse_kind("Drop DATA 3")
    with pytest.raises(UsageError, match="First comes what happens, then the packet: drop    DATA"):
        parse_kind("DATA 3")
