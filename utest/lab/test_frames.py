from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.errors import LabError
from TftpLibrary.lab.frames import (
    MOST_MESSAGE,
    MOST_PIECE,
    Deframer,
    Message,
    Piece,
    message_frame,
    piece_frame,
)

HELLO: Message = {"jsonrpc": "2.0", "method": "greet", "params": {"who": "pi"}}


@given(st.integers(1, 40), st.binary(max_size=30))
def test_frames_come_out_as_they_went_in_however_they_are_cut(size: int, octets: bytes) -> None:
    sent = [HELLO, Piece(7, octets), HELLO]
    stream = message_frame(HELLO) + piece_frame(Piece(7, octets)) + message_frame(HELLO)
    deframer = Deframer()
    cut = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [each for part in cut for each in deframer.take(part)] == sent


def test_halves_of_characters_in_names_arrive() -> None:
    message: Message = {"jsonrpc": "2.0", "result": "caf\udcff"}
    assert next(Deframer().take(message_frame(message))) == message


@pytest.mark.parametrize(
    "octets",
    [
        b"Welcome to lab1, have a nice day\n",
        (MOST_MESSAGE + 1).to_bytes(4, "big") + b"M",
        (MOST_PIECE + 5).to_bytes(4, "big") + b"P",
        b"\0\0\0\1P\0",
        b"\0\0\0\2M{}",
        b"\0\0\0\4M[{}]",
        b"\0\0\0\1M{",
        b"\0\x01\0\0M" + b"[" * 65536,
    ],
)
def test_what_is_no_frame_is_refused(octets: bytes) -> None:
    with pytest.raises(LabError, match="expected"):
        list(Deframer().take(octets))


def test_the_text_that_a_login_prints_is_shown() -> None:
    with pytest.raises(LabError, match="got 'Welcome to lab1'"):
        list(Deframer().take(b"Welcome to lab1"))
