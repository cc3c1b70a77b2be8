"""netascii, both ways, in pieces that end anywhere."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from TftpLibrary.protocol.netascii import Decoder, Encoder

_octets = st.sampled_from([b"\r", b"\n", b"\0", b"a"])
_pieces = st.lists(st.lists(_octets, max_size=5).map(b"".join), max_size=8)

PAIRS = [
    (b"", b""),
    (b"plain", b"plain"),
    (b"one\ntwo\n", b"one\r\ntwo\r\n"),
    (b"a\rb", b"a\r\0b"),
    (b"dos\r\n", b"dos\r\0\r\n"),
    (b"\r\r\n\n", b"\r\0\r\0\r\n\r\n"),
    (b"\0\xff", b"\0\xff"),
    (b"\r\0", b"\r\0\0"),
]


def encoded(pieces: list[bytes]) -> bytes:
    encoder = Encoder()
    return b"".join(encoder.feed(piece) for piece in pieces) + encoder.finish()


def decoded(pieces: list[bytes]) -> bytes:
    decoder = Decoder()
    return b"".join(decoder.feed(piece) for piece in pieces) + decoder.finish()


@pytest.mark.parametrize(("text", "wire"), PAIRS)
def test_line_ends_are_translated_both_ways(text: bytes, wire: bytes) -> None:
    """RFC 1350, section 1 and RFC 764: LF is CR LF on the wire, CR is CR NUL."""
    assert encoded([text]) == wire
    assert decoded([wire]) == text


@pytest.mark.parametrize(("text", "wire"), PAIRS)
def test_pieces_may_end_between_the_octets_of_a_pair(text: bytes, wire: bytes) -> None:
    """RFC 1350, section 1: a pair may lie across the border of two blocks."""
    for cut in range(len(wire) + 1):
        assert decoded([wire[:cut], b"", wire[cut:]]) == text


@given(_pieces)
@example([b"\r", b"\n"])
@example([b"\r", b"\0"])
def test_text_comes_back_as_it_was(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    assert encoded(pieces) == encoded([text])
    assert decoded([encoded([octet]) for octet in pieces]) == text


@given(_pieces)
@example([b"\r", b"\r\n"])
@example([b"\r\r", b"\n\0"])
@example([b"\r", b"\0\n"])
def test_pieces_make_no_difference_even_for_wire_that_breaks_the_rule(pieces: list[bytes]) -> None:
    assert decoded(pieces) == decoded([b"".join(pieces)])


@pytest.mark.parametrize(
    ("wire", "text"), [(b"a\rb", b"a\rb"), (b"a\r", b"a\r"), (b"a\nb", b"a\nb"), (b"\r\r", b"\r\r")]
)
def test_bare_cr_and_lf_stay_as_they_are(wire: bytes, text: bytes) -> None:
    assert decoded([wire]) == text


def test_views_of_a_buffer_are_taken() -> None:
    buffer = memoryview(b"a\nb\r\n")
    assert Encoder().feed(buffer[:3]) == b"a\r\nb"
    assert Decoder().feed(buffer) == b"a\nb\n"


def test_finished_decoder_has_nothing_left() -> None:
    decoder = Decoder()
    decoder.feed(b"\r")
    assert decoder.finish() == b"\r"
    assert decoder.finish() == b""
