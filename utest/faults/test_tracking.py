"""One transfer as the rules see it, learned from its datagrams."""

from __future__ import annotations

import pytest

from TftpLibrary.faults.tracking import MOST_OCCURRENCES, Passing, Track
from TftpLibrary.protocol.blocks import to_wire
from TftpLibrary.protocol.packets import Ack
from utest.support.passages import BOARD
from utest.support.transcript import datagram


def looks(*texts: str, side: str = "S", track: Track | None = None) -> list[Passing]:
    track = track or Track("f", BOARD, is_server=side == "S")
    return [track.look(datagram(text), is_sent=text.startswith(side)) for text in texts]


def test_a_look_has_the_transfer_and_the_datagram() -> None:
    track = Track("f", BOARD, 2)
    (look,) = looks("S DATA 1 512", track=track)
    assert look == Passing(
        file="f",
        client=BOARD,
        request=2,
        is_sent=True,
        packet="DATA",
        block=1,
        is_last=False,
        is_answer=True,
        occurrence=1,
        octets=datagram("S DATA 1 512"),
    )
    assert str(look) == "DATA 1"
    assert look.identity == ("f", 2, "sent", "DATA", 1, 1)


def test_the_client_has_no_part_in_the_identity() -> None:
    """Two boards with the same seed meet the same day."""
    first, second = (
        Track("f", client).look(datagram("C ACK 1"), is_sent=False)
        for client in (BOARD, "192.168.1.51")
    )
    assert first.identity == second.identity == ("f", 1, "received", "ACK", 1, 1)


@pytest.mark.parametrize(
    ("text", "packet", "words"),
    [
        ("C RRQ f octet", "RRQ", "RRQ"),
        ("S OACK blksize=8", "OACK", "OACK"),
        ("C ACK 7", "ACK", "ACK 7"),
        ("C ? ff", "?", "?"),
        ("C ? 0003", "DATA", "DATA"),
    ],
)
def test_each_datagram_has_a_name_for_people(text: str, packet: str, words: str) -> None:
    (look,) = looks(text)
    assert (look.packet, str(look)) == (packet, words)


def test_each_packet_is_counted_by_itself_and_each_way() -> None:
    found = looks("S DATA 1 512", "C ACK 1", "S DATA 1 512", "S DATA 2 512", "C DATA 1 512")
    assert [look.occurrence for look in found] == [1, 1, 2, 1, 1]


def test_occurrences_are_counted_only_where_somebody_asks_for_them() -> None:
    track = Track("f", BOARD)
    track.is_counting = False
    assert looks("S DATA 1 512", track=track)[0].occurrence == 1
    assert looks("S DATA 1 512", track=track)[0].occurrence == 1
    track.is_counting = True
    assert looks("S DATA 1 512", track=track)[0].occurrence == 1
    assert looks("S DATA 1 512", track=track)[0].occurrence == 2


def test_remembered_occurrences_are_bounded() -> None:
    track = Track("f", BOARD)
    for block in range(1, MOST_OCCURRENCES + 1):
        looks(f"S DATA {block} 512", track=track)
    assert looks("S DATA 1 512", track=track)[0].occurrence == 2
    looks(f"S DATA {MOST_OCCURRENCES + 1} 512", track=track)
    assert looks("S DATA 2 512", track=track)[0].occurrence == 2
    assert looks("S DATA 1 512", track=track)[0].occurrence == 1


# Answers


def test_the_answer_of_a_server_is_its_first_packet() -> None:
    for answer in ("S OACK blksize=8", "S DATA 1 512", "S ACK 0", "S ERROR 1 x"):
        found = looks("C RRQ f octet", answer, answer)
        assert [look.is_answer for look in found] == [False, True, True]


def test_what_follows_an_answer_is_none() -> None:
    found = looks("S OACK blksize=8", "S DATA 1 8", "S ACK 0", "C ACK 0", "S ERROR 0 x")
    assert [look.is_answer for look in found] == [True, False, False, False, False]


def test_an_error_in_the_middle_is_no_answer() -> None:
    assert not looks("S DATA 1 512", "S DATA 2 512", "S ERROR 0 x")[-1].is_answer


def test_our_client_receives_the_answer() -> None:
    found = looks("C RRQ f octet", "S DATA 1 512", "C ACK 1", side="C")
    assert [look.is_answer for look in found] == [False, True, False]


def test_a_transfer_that_runs_already_has_no_answer_any_more() -> None:
    track = Track("f", BOARD, highest=9)
    assert not looks("S DATA 1 512", track=track)[0].is_answer


# Blocks


def test_the_last_block_is_the_short_one_and_so_is_its_ack() -> None:
    found = looks("S DATA 1 512", "C ACK 1", "S DATA 2 511", "C ACK 2", "S DATA 2 511")
    assert [look.is_last for look in found] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("options", "size", "is_last"),
    [
        ("blksize=8", 8, False),
        ("BLKSIZE=8", 7, True),
        ("tsize=9", 511, True),
        ("blksize=x", 511, True),
        ("blksize=²", 511, True),
    ],
)
def test_the_size_of_a_block_is_that_of_the_option_answer(
    options: str, size: int, is_last: bool
) -> None:
    assert looks(f"S OACK {options}", f"S DATA 1 {size}")[-1].is_last is is_last


def test_an_option_answer_that_cannot_be_read_teaches_nothing() -> None:
    found = looks("S ? 0006ff", "S DATA 1 512")
    assert [look.packet for look in found] == ["OACK", "DATA"]
    assert not found[1].is_last


@pytest.mark.parametrize(("oack", "following"), [("", 0), ("rollover=0", 0), ("rollover=1", 1)])
def test_blocks_go_on_beyond_65535(oack: str, following: int) -> None:
    track = Track("f", BOARD)
    blocks = [30000, 60000, 65535, following, following + 1]
    texts = [f"S OACK {oack}"] if oack else []
    found = looks(*texts, *[f"S DATA {block} 512" for block in blocks], track=track)
    assert [look.block for look in found[-5:]] == [30000, 60000, 65535, 65536, 65537]
    assert looks("C ACK 65535", track=track)[0].block == 65535


@pytest.mark.parametrize("block", [40_000, 65_536, 69_999, 70_001, 100_000])
def test_a_block_is_the_one_that_is_nearest_to_the_highest(block: int) -> None:
    """One that is sent again may be a window behind, and one that comes a window ahead."""
    for rollover in (0, 1):
        track = Track("f", BOARD, rollover=rollover, highest=70_000)
        octets = Ack(to_wire(block, rollover)).encode()
        assert track.look(octets, is_sent=False).block == block


def test_another_rollover_than_0_and_1_is_none() -> None:
    found = looks("S OACK rollover=2", "S DATA 60000 512", "S DATA 65535 512", "S DATA 0 512")
    assert found[-1].block == 65536


def test_a_transfer_that_runs_already_goes_on_where_it_is() -> None:
    track = Track("f", BOARD, blksize=8, rollover=1, highest=65535)
    (look,) = looks("S DATA 1 7", track=track)
    assert (look.block, look.is_last) == (65536, True)
