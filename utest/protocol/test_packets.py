"""The codec: every packet there and back, and every octet string that is none."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from TftpLibrary.errors import PacketError
from TftpLibrary.protocol.packets import (
    Ack,
    Data,
    Direction,
    Error,
    ErrorCode,
    Mode,
    Oack,
    Opcode,
    Packet,
    Request,
    decode,
    octets_of_text,
    peek_opcode,
    printable,
)

# Text that `printable` leaves alone, so it comes back as it went.
_text = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Zs", "Cn", "Co")))
_word = _text.filter(bool)
_options = st.lists(st.tuples(_word, _text), max_size=5).map(tuple)
_wire_block = st.integers(0, 65535)
_packets: st.SearchStrategy[Packet] = st.one_of(
    st.builds(
        Request,
        direction=st.sampled_from(Direction),
        filename=st.binary(min_size=1).filter(lambda name: 0 not in name),
        mode=_word,
        options=_options,
    ),
    st.builds(Data, wire_block=_wire_block, payload=st.binary(max_size=2000)),
    st.builds(Ack, wire_block=_wire_block),
    st.builds(Error, code=_wire_block, text=_text),
    st.builds(Oack, options=_options),
)


@given(_packets)
def test_decode_gives_back_what_was_encoded(packet: Packet) -> None:
    assert decode(packet.encode()) == packet


@given(st.binary(max_size=1500))
@example(b"")
@example(b"\0")
@example(b"\0\0")
@example(b"\0\7")
@example(b"\0\3\0")
@example(b"\0\5\0\1")
@example(b"\0\6")
@example(b"\0\1\0\0\0")
@example(b"\0\1\xff\0\xff\0\xff\0\xff\0")
@example(b"\0\6\0\0")
def test_no_octets_make_decode_raise_anything_but_its_own_error(octets: bytes) -> None:
    decode_or_refuse(octets)


@given(st.sampled_from(Opcode), st.binary(max_size=200))
def test_no_body_of_a_known_opcode_breaks_decode(opcode: Opcode, body: bytes) -> None:
    decode_or_refuse(opcode.to_bytes(2, "big") + body)


@given(st.sampled_from(Opcode), st.lists(st.binary(max_size=9).map(lambda text: text + b"\0")))
def test_no_list_of_strings_breaks_decode(opcode: Opcode, strings: list[bytes]) -> None:
    decode_or_refuse(opcode.to_bytes(2, "big") + b"".join(strings))


def decode_or_refuse(octets: bytes) -> None:
    try:
        packet = decode(octets)
    except PacketError:
        return
    assert packet.encode()[:2] == octets[:2]
    assert decode(packet.encode()) == packet


@pytest.mark.parametrize(
    ("packet", "octets"),
    [
        (Request(Direction.read, b"boot.img"), b"\0\1boot.img\0octet\0"),
        (Request(Direction.write, b"log", "NetASCII"), b"\0\2log\0NetASCII\0"),
        (
            Request(Direction.read, b"\xff/x", "octet", (("tsize", "0"), ("BlkSize", "1428"))),
            b"\0\1\xff/x\0octet\0tsize\x000\0BlkSize\x001428\0",
        ),
        (Data(1, b"abc"), b"\0\3\0\1abc"),
        (Data(65535, b""), b"\0\3\xff\xff"),
        (Ack(258), b"\0\4\1\2"),
        (Error(ErrorCode.file_not_found, "File not found"), b"\0\5\0\1File not found\0"),
        (Oack((("blksize", "1428"),)), b"\0\6blksize\x001428\0"),
        (Oack(()), b"\0\6"),
    ],
)
def test_packets_look_on_the_wire_as_the_rfc_draws_them(packet: Packet, octets: bytes) -> None:
    """RFC 1350, section 5 (RRQ, WRQ, DATA, ACK, ERROR); RFC 2347 (options and OACK)."""
    assert packet.encode() == octets
    assert decode(octets) == packet


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"", "Packet too short"),
        (b"\0", "Packet too short"),
        (b"\0\0", "Illegal opcode 0"),
        (b"\0\7abc", "Illegal opcode 7"),
        (b"\1\1abc", "Illegal opcode 257"),
        (b"\0\1", "RRQ without a file name"),
        (b"\0\1\0octet\0", "RRQ without a file name"),
        (b"\0\2\0", "WRQ without a file name"),
        (b"\0\1boot.img", "RRQ without a final NUL"),
        (b"\0\1boot.img\0", "RRQ without a mode"),
        (b"\0\2boot.img\0\0", "WRQ without a mode"),
        (b"\0\2boot.img\0octet", "WRQ without a final NUL"),
        (b"\0\1boot.img\0octet\0blksize", "RRQ without a final NUL"),
        (b"\0\6blksize\x001428", "OACK without a final NUL"),
        (b"\0\3\0", "DATA without its number"),
        (b"\0\4", "ACK without its number"),
        (b"\0\5\1", "ERROR without its number"),
    ],
)
def test_octets_that_are_no_packet_are_told_apart(octets: bytes, text: str) -> None:
    """RFC 1350, section 5: what is wrong with a request goes to the peer in ERROR 4."""
    with pytest.raises(PacketError) as caught:
        decode(octets)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [(b"\0\5\0\1", ""), (b"\0\5\0\1no", "no"), (b"\0\5\0\1no\0rest", "no")],
)
def test_error_without_its_final_nul_is_still_an_error(octets: bytes, text: str) -> None:
    """RFC 1350, section 5 wants a NUL after the text; several implementations leave it out."""
    assert decode(octets) == Error(1, text)


def test_ack_with_more_octets_is_an_ack() -> None:
    assert decode(b"\0\4\0\1rest") == Ack(1)


def test_option_name_without_a_value_is_no_option() -> None:
    assert decode(b"\0\1x\0octet\0tsize\x000\0blksize\0") == Request(
        Direction.read, b"x", "octet", (("tsize", "0"),)
    )


def test_option_without_a_name_is_no_option() -> None:
    assert decode(b"\0\1x\0octet\0\x000\0tsize\x000\0") == Request(
        Direction.read, b"x", "octet", (("tsize", "0"),)
    )


def test_option_may_be_empty() -> None:
    """An option such as atftp's empty multicast must not shift what follows it."""
    request = decode(b"\0\1x\0octet\0multicast\0\0tsize\x000\0")
    assert request == Request(Direction.read, b"x", "octet", (("multicast", ""), ("tsize", "0")))


def test_text_with_a_nul_does_not_end_its_field_early() -> None:
    assert Error(0, "a\0b").encode() == b"\0\5\0\0ab\0"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"boot.img", "boot.img"),
        ("größe".encode(), "größe"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"a\nb\x1b[31m", "a\\x0ab\\x1b[31m"),
        ("\u202egpj.exe".encode(), "\\u202egpj.exe"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
    ],
)
def test_printable_leaves_nothing_that_harms_a_log(octets: bytes, text: str) -> None:
    assert printable(octets) == text


@given(st.binary())
def test_printable_is_always_printable(octets: bytes) -> None:
    text = printable(octets)
    assert text.isprintable()
    text.encode("utf-8")  # a lone surrogate would raise


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("zImage", b"zImage"),
        ("L\u00fc.bin", b"L\xc3\xbc.bin"),
        # As `printable` shows an octet that is no text, and characters that it does not show.
        (r"\xff\x1b", b"\xff\x1b"),
        (r"\u202ea", b"\xe2\x80\xaea"),
        (r"\U000e0001", b"\xf3\xa0\x80\x81"),
        ("\udcff", b"\xff"),
        # Any other backslash is one.
        (r"boot\new", rb"boot\new"),
        (r"a\x41", rb"a\x41"),
        (r"\u0041", rb"\u0041"),
        (r"\ud800", rb"\ud800"),
        (r"\Uffffffff", rb"\Uffffffff"),
        (r"boot\x86\wdsnbp.com", rb"boot\x86\wdsnbp.com"),
        (r"boot\x86/wdsnbp.com", rb"boot\x86/wdsnbp.com"),
        (r"\x86\x87", b"\x86\x87"),
    ],
)
def test_a_name_is_taken_as_it_was_shown(text: str, octets: bytes) -> None:
    assert octets_of_text(text) == octets


@given(st.binary(max_size=30).filter(lambda octets: b"\\" not in octets))
@example(b"\x86\x87")
def test_a_name_that_was_shown_gives_back_its_octets(octets: bytes) -> None:
    # All but this one, which is meant as the folder of Windows loaders.
    assume(b"\x86/" not in octets)
    assert octets_of_text(printable(octets)) == octets


def test_a_surrogate_that_stands_for_no_octet_is_no_name() -> None:
    with pytest.raises(UnicodeEncodeError):
        octets_of_text("\ud800")


@pytest.mark.parametrize("opcode", [*Opcode, 0, 7, 65535])
def test_peek_opcode_reads_the_opcode_alone(opcode: int) -> None:
    assert peek_opcode(opcode.to_bytes(2, "big") + b"\xff") == opcode


def test_peek_opcode_needs_two_octets() -> None:
    with pytest.raises(PacketError, match="Packet too short"):
        peek_opcode(b"\0")


def test_directions_and_modes_are_their_words() -> None:
    assert [str(word) for word in (*Direction, *Mode)] == ["read", "write", "octet", "netascii"]


@pytest.mark.parametrize(
    ("direction", "opcode", "name"),
    [(Direction.read, Opcode.rrq, "RRQ"), (Direction.write, Opcode.wrq, "WRQ")],
)
def test_each_direction_has_the_opcode_of_its_request(
    direction: Direction, opcode: Opcode, name: str
) -> None:
    """RFC 1350, section 5."""
    assert direction.opcode is opcode
    assert Direction.of_opcode(opcode) is direction
    assert opcode.packet == name


@pytest.mark.parametrize("opcode", [0, Opcode.data, Opcode.oack, 7])
def test_no_other_opcode_has_a_direction(opcode: int) -> None:
    assert Direction.of_opcode(opcode) is None
