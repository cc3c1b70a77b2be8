"""The answer to a board that looks for an IPv6 router."""

from __future__ import annotations

import socket

import pytest

from atest.boards.emulator.advertisement import advertise
from atest.boards.emulator.frames import FrameError, checksum

# A packet of iPXE.
SOLICITATION = bytes.fromhex(
    "6000000000103afffe80000000000000505400fffe12340bff0200000000000000000000000000028500724b000000"
    "00010152540012340b"
)


def test_board_is_told_that_there_is_no_router_and_no_dhcp() -> None:
    """RFC 4861 section 4.2: a lifetime of 0 means that it is no default router."""
    answer = advertise(SOLICITATION)
    assert answer
    assert answer[:8] == bytes.fromhex("6000000000103aff")
    assert answer[8:24] == socket.inet_pton(socket.AF_INET6, "fe80::2")
    assert answer[24:40] == SOLICITATION[8:24]
    kind, _, _, _, _, flags, *lifetime = answer[40:48]
    assert (kind, flags, lifetime) == (134, 0, [0, 0])


def test_checksum_of_the_answer_is_right() -> None:
    answer = advertise(SOLICITATION)
    assert answer
    pseudo = answer[8:40] + bytes((0, 0, 0, 16, 0, 0, 0, 58))
    assert checksum(pseudo + answer[40:]) == 0


def test_other_packets_are_not_answered() -> None:
    neighbour = SOLICITATION[:40] + b"\x87" + SOLICITATION[41:]
    assert advertise(neighbour) is None
    assert advertise(SOLICITATION[:6] + b"\x11" + SOLICITATION[7:]) is None
    assert advertise(SOLICITATION[:40]) is None


def test_packet_that_is_too_short_is_refused() -> None:
    with pytest.raises(FrameError, match="40 octets"):
        advertise(SOLICITATION[:39])
