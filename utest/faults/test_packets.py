"""The packets that a fault is about, as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.packets import Packets, parse_packets
from utest.support.passages import passing

FORM = (
    "Expected DATA, ACK, OACK, ERROR, RRQ, WRQ, request, answer or any, and behind DATA and ACK "
    "blocks such as 3, 3-6, 100- or last."
)


def is_meant(text: str, packet: str, highest: int = 0) -> bool:
    packets, look = parse_packets(text), passing(packet, highest=highest)
    return packets.has_name(look) and packets.has_block(look)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("data", "DATA"),
        (" Ack ", "ACK"),
        ("REQUEST", "request"),
        ("DATA  LAST", "DATA last"),
        ("data 3", "DATA 3"),
        ("DATA 3 - 6", "DATA 3-6"),
        ("DATA 3,7 , 9-", "DATA 3, 7, 9-"),
        ("ACK 5-5", "ACK 5"),
    ],
)
def test_packets_are_shown_as_people_write_them(text: str, shown: str) -> None:
    assert str(parse_packets(text)) == shown
    assert str(parse_packets(shown)) == shown


@pytest.mark.parametrize(
    ("text", "meant", "others"),
    [
        ("DATA", ["S DATA 1 8", "C DATA 9 0"], ["C ACK 1", "C RRQ f octet"]),
        ("any", ["S DATA 1 8", "C RRQ f octet", "S ERROR 0 x", "S ? 00"], []),
        ("request", ["C RRQ f octet", "C WRQ f octet"], ["S DATA 1 8", "S OACK"]),
        ("WRQ", ["C WRQ f octet"], ["C RRQ f octet"]),
        ("answer", ["S OACK blksize=8", "S DATA 1 8", "S ACK 0", "S ERROR 1 x"], ["C DATA 1 8"]),
        ("DATA 3", ["S DATA 3 8"], ["S DATA 2 8", "S DATA 4 8", "S ACK 3", "S ? 00"]),
        ("DATA 3-5", ["S DATA 3 8", "S DATA 4 8", "S DATA 5 8"], ["S DATA 2 8", "S DATA 6 8"]),
        ("DATA 3, 7", ["S DATA 3 8", "S DATA 7 8"], ["S DATA 5 8"]),
        ("ACK 100-", ["C ACK 100", "C ACK 9999"], ["C ACK 99"]),
        ("DATA last", ["S DATA 3 7", "S DATA 4 0"], ["S DATA 3 8"]),
    ],
)
def test_packets_are_meant_by_name_and_block(
    text: str, meant: list[str], others: list[str]
) -> None:
    assert [each for each in meant + others if is_meant(text, each)] == meant


def test_the_block_after_65535_has_its_own_number() -> None:
    assert is_meant("DATA 65536", "S DATA 0 8", highest=65535)
    assert not is_meant("DATA 65536", "S DATA 65535 8", highest=65534)


def test_octets_without_a_block_are_no_named_block() -> None:
    """A datagram that is too short for its number."""
    look = passing("S ? 0003")
    assert look.packet == "DATA"
    assert not parse_packets("DATA 0-").has_block(look)


def test_an_open_range_has_no_end_and_others_have_one() -> None:
    assert parse_packets("DATA 3, 100-").is_endless
    assert not parse_packets("DATA 3-100").is_endless
    assert not parse_packets("DATA").is_endless


def test_the_lowest_block_is_that_of_the_lowest_range() -> None:
    assert parse_packets("DATA 7, 3-4").lowest == 3
    assert parse_packets("DATA").lowest == 0


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", f"packet: there is no packet ''. {FORM}"),
        ("DATTA 3", f"packet: there is no packet 'DATTA 3'. Did you mean DATA? {FORM}"),
        ("3", f"packet: there is no packet '3'. {FORM}"),
        ("OACK 3", f"packet: only DATA and ACK have blocks, got 'OACK 3'. {FORM}"),
        ("answer last", f"packet: only DATA and ACK have blocks, got 'answer last'. {FORM}"),
        ("DATA x", f"packet: 'x' names no blocks in 'DATA x'. {FORM}"),
        ("DATA 3,", f"packet: '' names no blocks in 'DATA 3,'. {FORM}"),
        ("DATA -3", f"packet: '-3' names no blocks in 'DATA -3'. {FORM}"),
        ("DATA last, 3", f"packet: 'last' names no blocks in 'DATA last, 3'. {FORM}"),
        ("DATA 6-3", f"packet: the blocks '6-3' end before they begin. {FORM}"),
    ],
)
def test_a_text_that_names_no_packets_is_refused_with_the_form(text: str, error: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_packets(text)
    assert str(caught.value) == error


def test_a_block_of_thousands_of_digits_is_refused_like_any_other_text() -> None:
    """Python itself refuses to make a number of them."""
    with pytest.raises(UsageError, match="names no blocks"):
        parse_packets(f"DATA {'9' * 5000}")


RANGES = st.lists(st.tuples(st.integers(0, 10**6), st.none() | st.integers(0, 9)), max_size=4)


@given(st.sampled_from(["DATA", "ACK"]), RANGES)
def test_what_is_shown_is_read_again(name: str, ranges: list[tuple[int, int | None]]) -> None:
    blocks = tuple((first, None if more is None else first + more) for first, more in ranges)
    packets = Packets(name, blocks)
    assert parse_packets(str(packets)) == packets
