"""DHCP and BOOTP, as boards ask."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atest.boards.emulator import dhcp
from atest.boards.emulator.dhcp import Offer, Question
from atest.boards.emulator.frames import FrameError

CARD = bytes.fromhex("52540012340b")
# U-Boot's DHCPREQUEST, without the zeros of the fields `sname` and `file`.
HEAD = bytes.fromhex("0101060000123d35000000000000000000000000000000000000000052540012340b")
OPTIONS = bytes.fromhex(
    "638253633501033902024036040a00020232040a00020f5d0200155e030100003c0c552d426f6f742e61726d763737"
    "050103060c11ff"
)
REQUEST = HEAD.ljust(236, b"\0") + OPTIONS
OFFER = Offer("10.0.2.15", "10.0.2.2", boot_file="boot/zImage")


def question(kind: int, options: dict[int, bytes] | None = None) -> Question:
    return Question(kind, b"\0\x12\x3d\x35", CARD, options=options or {})


def options_of(answer: bytes) -> dict[int, bytes]:
    """Reads options in its own way, so that one mistake cannot hide another."""
    options, rest = {}, answer[240:]
    while rest[0] != 255:
        options[rest[0]], rest = rest[2 : 2 + rest[1]], rest[2 + rest[1] :]
    return options


def answer_to(asked: Question, offer: Offer = OFFER) -> bytes:
    answer = offer.answer(asked)
    assert answer
    return answer


def test_question_of_a_board_is_read() -> None:
    asked = Question.decode(REQUEST)
    assert (asked.kind, asked.transaction, asked.card) == (3, b"\0\x12\x3d\x35", CARD)
    assert asked.options[dhcp.REQUESTED_ADDRESS] == bytes((10, 0, 2, 15))


def test_discovery_is_answered_with_an_offer() -> None:
    answer = answer_to(question(dhcp.DISCOVER))
    assert answer[:8] == b"\2\1\6\0" + b"\0\x12\x3d\x35"
    assert answer[16:20] == bytes((10, 0, 2, 15))
    assert answer[20:24] == bytes((10, 0, 2, 2))
    assert answer[28:34] == CARD
    assert answer[108:120] == b"boot/zImage\0"
    options = options_of(answer)
    assert options[53] == b"\2"
    assert options[1] == bytes((255, 255, 255, 0))
    assert options[3] == options[54] == bytes((10, 0, 2, 2))
    assert options[66] == b"10.0.2.2"
    assert options[67] == b"boot/zImage"


def test_request_is_acknowledged() -> None:
    assert options_of(answer_to(Question.decode(REQUEST)))[53] == b"\5"


def test_request_for_another_address_is_refused() -> None:
    wanted = {dhcp.REQUESTED_ADDRESS: bytes((10, 0, 2, 99))}
    answer = answer_to(question(dhcp.REQUEST, options=wanted))
    assert options_of(answer)[53] == b"\6"
    assert answer[16:24] == bytes(8)


def test_board_that_only_looks_around_may_wish_for_another_address() -> None:
    wish = {dhcp.REQUESTED_ADDRESS: bytes((10, 0, 2, 99))}
    answer = answer_to(question(dhcp.DISCOVER, options=wish))
    assert (options_of(answer)[53], answer[16:20]) == (b"\2", bytes((10, 0, 2, 15)))


def test_board_that_has_an_address_gets_the_rest() -> None:
    options = options_of(answer_to(question(dhcp.INFORM)._replace(address="10.0.2.15")))
    assert options[53] == b"\5"
    assert dhcp.LEASE not in options


def test_bootp_is_answered_without_a_kind() -> None:
    answer = answer_to(Question.decode(HEAD.ljust(236, b"\0")))
    assert answer[16:20] == bytes((10, 0, 2, 15))
    assert 53 not in options_of(answer)
    assert len(answer) >= 300


def test_without_a_boot_file_none_is_offered() -> None:
    answer = answer_to(question(dhcp.DISCOVER), Offer("10.0.2.15", "10.0.2.2"))
    assert not {66, 67, 175} & set(options_of(answer))
    assert answer[108:236] == bytes(128)


def test_board_that_gives_its_address_back_gets_no_answer() -> None:
    release = 7
    assert OFFER.answer(question(release)) is None


def test_boot_file_with_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="127 octets"):
        Offer("10.0.2.15", "10.0.2.2", boot_file="x" * 128)


@pytest.mark.parametrize("octets", [REQUEST[:200], b"\2" + REQUEST[1:], b"\1\6" + REQUEST[2:]])
def test_what_is_no_question_is_refused(octets: bytes) -> None:
    with pytest.raises(FrameError):
        Question.decode(octets)


@given(st.binary(max_size=40))
def test_broken_options_break_nothing(octets: bytes) -> None:
    asked = Question.decode(HEAD.ljust(236, b"\0") + b"\x63\x82\x53\x63" + octets)
    OFFER.answer(asked)
