from __future__ import annotations

import pytest

from TftpLibrary.protocol import datagrams
from TftpLibrary.protocol.datagrams import (
    UNKNOWN,
    Endpoint,
    Repeats,
    is_of_transfer,
    is_request,
    kind,
    wire_block,
)
from TftpLibrary.protocol.packets import Ack, Data, Direction, Error, Oack, Request

BOARD: Endpoint = ("192.168.1.50", 2070)
RRQ = Request(Direction.read, b"zImage").encode()


@pytest.fixture
def repeats() -> Repeats:
    return Repeats()


DATA_7 = Data(7, b"octets").encode()
WRQ = Request(Direction.write, b"a.log").encode()


@pytest.mark.parametrize(
    ("octets", "name", "block"),
    [
        (RRQ, "RRQ", None),
        (WRQ, "WRQ", None),
        (DATA_7, "DATA", 7),
        (Ack(65535).encode(), "ACK", 65535),
        (Error(7, "No").encode(), "ERROR", None),
        (Oack((("tsize", "5"),)).encode(), "OACK", None),
        # Cut short, or no packet at all.
        (b"\0\4\0", "ACK", None),
        (b"\0\0\0\1", UNKNOWN, None),
        (b"\0\7\0\1", UNKNOWN, None),
        (b"\3", UNKNOWN, None),
        (b"", UNKNOWN, None),
    ],
)
def test_the_first_octets_say_what_a_datagram_is(
    octets: bytes, name: str, block: int | None
) -> None:
    assert (kind(octets), wire_block(octets)) == (name, block)
    assert is_request(octets) is (name in ("RRQ", "WRQ"))
    assert is_of_transfer(octets) is (name in ("DATA", "ACK", "ERROR", "OACK"))


def sent_data(repeats: Repeats, *blocks: int) -> list[str]:
    """Returns what is said about each of these DATA, sent one after the other."""
    octets = [Data(block, b"octets").encode() for block in blocks]
    return [repeats.comment(BOARD, datagram, is_sent=True) for datagram in octets]


def test_blocks_in_their_order_are_no_repeats(repeats: Repeats) -> None:
    assert sent_data(repeats, 1, 2, 3, 4) == [""] * 4


def test_a_window_that_is_sent_again_is_told_block_by_block(repeats: Repeats) -> None:
    sent_data(repeats, 1, 2, 3)
    assert sent_data(repeats, 2, 3, 4) == [
        "retransmit: DATA 2 was sent again",
        "retransmit: DATA 3 was sent again",
        "",
    ]


@pytest.mark.parametrize("first", [0, 1])
def test_a_rollover_is_no_repeat(repeats: Repeats, first: int) -> None:
    assert sent_data(repeats, 65534, 65535, first, first + 1) == [""] * 4
    assert sent_data(repeats, 65535) == ["retransmit: DATA 65535 was sent again"]


def test_a_capture_that_begins_in_a_transfer_takes_its_first_block_as_new(
    repeats: Repeats,
) -> None:
    assert sent_data(repeats, 700, 701, 700) == ["", "", "retransmit: DATA 700 was sent again"]


def test_an_ack_that_is_sent_again_is_told(repeats: Repeats) -> None:
    said = [repeats.comment(BOARD, Ack(block).encode(), is_sent=True) for block in (0, 1, 1, 2)]
    assert said == ["", "", "retransmit: ACK 1 was sent again", ""]


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (Oack((("tsize", "5"),)).encode(), "OACK"),
        (Error(0, "No").encode(), "ERROR"),
        (RRQ, "RRQ"),
        (b"\0\3", "DATA"),
        (b"\0\4", "ACK"),
        (b"\xff\xff", "a datagram"),
        (b"", "a datagram"),
    ],
)
def test_any_packet_that_comes_twice_in_a_row_is_told(
    repeats: Repeats, octets: bytes, name: str
) -> None:
    assert repeats.comment(BOARD, octets, is_sent=False) == ""
    assert repeats.comment(BOARD, octets, is_sent=False) == f"repeat: {name} came again"


def test_the_two_ways_and_other_peers_do_not_matter(repeats: Repeats) -> None:
    ack = Ack(1).encode()
    assert repeats.comment(BOARD, ack, is_sent=True) == ""
    assert repeats.comment(BOARD, ack, is_sent=False) == ""
    assert repeats.comment(("192.168.1.51", 2070), ack, is_sent=True) == ""


def test_a_new_request_from_the_same_port_begins_anew(repeats: Repeats) -> None:
    repeats.comment(BOARD, RRQ, is_sent=False)
    sent_data(repeats, 1, 2)
    repeats.comment(BOARD, Ack(2).encode(), is_sent=False)
    assert repeats.comment(BOARD, RRQ, is_sent=False) == ""
    assert sent_data(repeats, 1, 2) == ["", ""]


def test_a_new_write_from_the_same_port_begins_anew(repeats: Repeats) -> None:
    for name in (b"a.log", b"b.log"):
        for packet in (Request(Direction.write, name), Data(1, b"octets")):
            assert repeats.comment(BOARD, packet.encode(), is_sent=False) == ""


def test_a_request_that_comes_again_does_not_begin_anew(repeats: Repeats) -> None:
    repeats.comment(BOARD, RRQ, is_sent=False)
    sent_data(repeats, 1)
    repeats.comment(BOARD, RRQ, is_sent=False)
    assert sent_data(repeats, 1) == ["retransmit: DATA 1 was sent again"]


def test_a_flood_of_peers_is_forgotten_again(
    repeats: Repeats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datagrams, "MOST_CONVERSATIONS", 2)
    ack = Ack(1).encode()
    repeats.comment(BOARD, ack, is_sent=True)
    for port in range(2000, 2004):
        repeats.comment(("192.168.1.51", port), ack, is_sent=True)
    assert repeats.comment(BOARD, ack, is_sent=True) == ""
    assert repeats.comment(BOARD, ack, is_sent=True) != ""
