"""Requests as they come: whole, malformed, and in a mode that nobody serves."""

from __future__ import annotations

import pytest

from TftpLibrary.engine.admission import Refusal
from TftpLibrary.engine.decoding import (
    MAX_REQUEST_SIZE,
    decode_malformed,
    decode_request,
    served_mode,
)
from TftpLibrary.errors import PacketError
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import Direction, ErrorCode, Mode, Request


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(
    ("body", "name", "text"),
    [
        (b"", b"", "{} without a file name"),
        (b"\0octet\0", b"", "{} without a file name"),
        (b"f\0", b"f", "{} without a mode"),
        (b"f\0\0", b"f", "{} without a mode"),
        (b"f\0octet", b"f", "{} without a final NUL"),
        (b"f", b"f", "{} without a final NUL"),
        (b"f" * MAX_REQUEST_SIZE, b"f" * 500, f"Request longer than {MAX_REQUEST_SIZE} octets"),
    ],
)
def test_of_a_malformed_request_direction_and_name_can_be_shown(
    direction: Direction, body: bytes, name: bytes, text: str
) -> None:
    datagram = direction.opcode.to_bytes(2, "big") + body
    with pytest.raises(PacketError) as error:
        decode_request(datagram)
    assert str(error.value) == text.format(direction.opcode.packet)
    assert decode_malformed(datagram) == Request(direction, name, "")


@pytest.mark.parametrize("opcode", [0, 7, 9, 0x0100, 65535])
def test_of_an_opcode_that_tftp_does_not_have_nothing_can_be_shown(opcode: int) -> None:
    datagram = opcode.to_bytes(2, "big") + b"whatever\0octet\0"
    with pytest.raises(PacketError, match=f"^Illegal opcode {opcode}$"):
        decode_request(datagram)
    assert decode_malformed(datagram) is None


def test_a_request_may_be_as_long_as_the_bound() -> None:
    request = Request(Direction.read, b"f" * (MAX_REQUEST_SIZE - 9))
    assert len(request.encode()) == MAX_REQUEST_SIZE
    assert decode_request(request.encode()) == request


@pytest.mark.parametrize(
    ("written", "mode"),
    [("octet", Mode.octet), ("OCTET", Mode.octet), ("NetASCII", Mode.netascii)],
)
def test_the_mode_may_be_written_in_any_case(written: str, mode: Mode) -> None:
    """RFC 1350, section 1."""
    assert served_mode(Request(Direction.read, b"f", written)) is mode


@pytest.mark.parametrize("mode", ["mail", "MAIL", "binary", "<b>\n"])
def test_a_mode_that_is_not_served_is_refused_with_those_that_are(mode: str) -> None:
    """RFC 1350, section 1: mail mode is obsolete."""
    with pytest.raises(Refusal, match="^Unknown mode: use octet or netascii$") as refusal:
        served_mode(Request(Direction.read, b"f", mode))
    assert refusal.value.code is ErrorCode.illegal_operation
    assert refusal.value.cause is Cause.mode
    assert refusal.value.reason == f"mode {mode!r} is not served; expected octet or netascii"
