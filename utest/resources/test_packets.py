"""The board's own codec is strict: what no correct implementation sends is an error."""

from __future__ import annotations

import pytest

from TftpBoard.packets import (
    ACK,
    DATA,
    ERROR,
    OACK,
    RRQ,
    WRQ,
    BoardError,
    Packet,
    check_answer,
    decode,
    encode_ack,
    encode_data,
    encode_error,
    encode_oack,
    encode_request,
    from_netascii,
    to_netascii,
    wire_block,
)


@pytest.mark.parametrize(
    ("octets", "packet"),
    [
        (
            encode_request(RRQ, b"f", "octet", {"blksize": "8"}),
            Packet(RRQ, options={"blksize": "8"}, filename=b"f", text="octet"),
        ),
        (encode_request(WRQ, b"\xff", "mail"), Packet(WRQ, filename=b"\xff", text="mail")),
        (encode_data(65535, b"ab"), Packet(DATA, 65535, b"ab")),
        (encode_ack(0), Packet(ACK, 0)),
        (encode_error(8, "no"), Packet(ERROR, 8, text="no")),
        (encode_oack({"tsize": "1"}), Packet(OACK, options={"tsize": "1"})),
    ],
)
def test_a_packet_is_decoded_as_it_was_encoded(octets: bytes, packet: Packet) -> None:
    assert decode(octets) == packet


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\0\3\0", "at least 4 octets"),
        (b"\0\4\0\1\0", "An ACK has 4 octets"),
        (b"\0\5\0\1no", "no final NUL"),
        (b"\0\5\0\1no\0\0", "2 strings"),
        (b"\0\6tsize\0", "no value"),
        (b"\0\6a\x001\0a\x002\0", "twice"),
        (b"\0\1f\0", "1 strings"),
        (b"\0\7\0\0", "No packet has opcode 7"),
    ],
)
def test_octets_that_are_no_packet_are_an_error(octets: bytes, text: str) -> None:
    with pytest.raises(BoardError, match=text):
        decode(octets)


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ({"blksize": "1468"}, {"blksize": "1469"}),
        ({"blksize": "1468"}, {"blksize": "7"}),
        ({"blksize": "1468"}, {"blksize": "01468"}),
        ({"blksize": "x"}, {"blksize": "512"}),
        ({"blksize": "1468"}, {"blksize": "-8"}),
        ({"windowsize": "4"}, {"windowsize": "5"}),
        ({"windowsize": "4"}, {"windowsize": "0"}),
        ({"timeout": "4"}, {"timeout": "3"}),
        ({"rollover": "0"}, {"rollover": "1"}),
        ({"tsize": "0"}, {"tsize": ""}),
        ({"tsize": "0"}, {"tsize": "0", "blksize": "8"}),
        ({"tsize": "0"}, {"TSIZE": "0"}),
        ({"tsize": "0", "blksize": "9"}, {"blksize": "8", "tsize": "0"}),
    ],
)
def test_an_answer_that_grants_more_or_other_than_asked_is_an_error(
    asked: dict[str, str], granted: dict[str, str]
) -> None:
    with pytest.raises(BoardError, match="OACK"):
        check_answer(RRQ, asked, granted)


def test_an_answer_to_a_wrq_repeats_its_tsize() -> None:
    check_answer(WRQ, {"tsize": "9"}, {"tsize": "9"})
    with pytest.raises(BoardError, match="tsize=8"):
        check_answer(WRQ, {"tsize": "9"}, {"tsize": "8"})


def test_block_numbers_roll_over_to_0_or_to_1() -> None:
    assert [wire_block(n, 0) for n in (65535, 65536, 131072)] == [65535, 0, 0]
    assert [wire_block(n, 1) for n in (65535, 65536, 131071)] == [65535, 1, 1]


def test_netascii_is_translated_both_ways() -> None:
    assert to_netascii(b"a\nb\rc\r\n") == b"a\r\nb\r\0c\r\0\r\n"
    assert from_netascii(b"a\r\nb\r\0c") == b"a\nb\rc"
    with pytest.raises(BoardError, match="CR LF or CR NUL"):
        from_netascii(b"a\rb")
