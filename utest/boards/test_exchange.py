"""The notes of the packets on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atest.boards.emulator.exchange import TO_BOARD, TO_SERVER, Exchange, describe

RRQ = b"\0\1boot/zImage\0octet\0blksize\0001468\0Tsize\0000\0"


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (RRQ, "RRQ 'boot/zImage' octet blksize=1468 tsize=0"),
        (b"\0\2config\0netascii\0", "WRQ 'config' netascii"),
        (b"\0\3\0\7abc", "DATA 7, 3 octets"),
        (b"\0\4\xff\xff", "ACK 65535"),
        (b"\0\5\0\1File not found\0", "ERROR 1 'File not found'"),
        (b"\0\6tsize\x0099\0", "OACK tsize=99"),
        (b"\0\1a\n\xff\0octet\0", r"RRQ 'a\\x0a\\xff' octet"),
        (b"hello", "no TFTP: 68 65 6c 6c 6f"),
        (b"\0\4", "no TFTP: 00 04"),
    ],
)
def test_packet_is_one_line_of_text(payload: bytes, text: str) -> None:
    assert describe(payload) == text


@given(st.binary(max_size=40))
def test_any_octets_are_one_printable_line(octets: bytes) -> None:
    for beginning in (b"", b"\0\1", b"\0\5", b"\0\6"):
        assert describe(beginning + octets).isprintable()


def test_blocks_are_counted_as_the_board_gets_them() -> None:
    exchange = Exchange()
    for copies in (1, 0, 2, 2):
        exchange.note(TO_BOARD, (1353, 50001), copies, b"\0\3\0\1abc")
    exchange.note(TO_SERVER, (1353, 50001), 1, b"\0\3\0\1abc")
    assert exchange.blocks == 5


def test_lines_tell_direction_ports_and_fate() -> None:
    exchange = Exchange()
    exchange.note(TO_SERVER, (1353, 69), 1, RRQ)
    exchange.note(TO_BOARD, (1353, 50001), 0, b"\0\3\0\1" + bytes(1468))
    exchange.note(TO_SERVER, (1353, 50001), 2, b"\0\4\0\0")
    first, second, third = exchange.lines()
    assert first.split(maxsplit=1)[1].startswith("B->S   1353    69  RRQ 'boot/zImage'")
    assert second.endswith("S->B   1353 50001  DATA 1, 1468 octets  (lost)")
    assert third.endswith("ACK 0  (2 times)")


def test_only_the_last_of_data_and_ack_are_kept() -> None:
    exchange = Exchange()
    exchange.note(TO_SERVER, (1353, 69), 1, RRQ)
    for number in range(6000):
        exchange.note(TO_SERVER, (1353, 50001), 1, b"\0\4" + number.to_bytes(2, "big"))
    lines = list(exchange.lines())
    assert lines[0] == "1000 DATA and ACK of the beginning are left out."
    assert "RRQ" in lines[1]
    assert lines[-1].endswith("ACK 5999")
