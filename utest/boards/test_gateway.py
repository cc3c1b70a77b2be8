"""The network that a board sees, frame by frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atest.boards.emulator.advertisement import ETHERTYPE_IPV6
from atest.boards.emulator.dhcp import Offer
from atest.boards.emulator.fragments import cut
from atest.boards.emulator.frames import (
    ARP_REPLY,
    BROADCAST,
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    ICMP,
    UDP,
    Arp,
    Datagram,
    Frame,
    Packet,
)
from atest.boards.emulator.gateway import CARD, Gateway
from utest.boards.test_dhcp import REQUEST
from utest.boards.test_frames import ARP, PING, RRQ
from utest.boards.test_frames import CARD as BOARD_CARD

IPV6_SOLICITATION = bytes.fromhex(
    "33330000000252540012340b86dd6000000000103afffe80000000000000505400fffe12340bff0200000000000000"
    "000000000000028500724b00000000010152540012340b"
)


@pytest.fixture(name="gateway")
def new_gateway() -> Gateway:
    return Gateway(Offer("10.0.2.15", "10.0.2.2", boot_file="boot/zImage"))


def frame_of(datagram: Datagram, target: bytes = CARD) -> bytes:
    return Frame(target, BOARD_CARD, ETHERTYPE_IPV4, datagram.packet(1).encode()).encode()


def only_answer(gateway: Gateway, octets: bytes) -> Frame:
    (answer,) = gateway.receive(octets).answers
    return Frame.decode(answer)


def test_board_finds_the_gateway_by_arp(gateway: Gateway) -> None:
    answer = only_answer(gateway, ARP)
    assert (answer.target, answer.source) == (BOARD_CARD, CARD)
    told = Arp.decode(answer.payload)
    assert told == Arp(ARP_REPLY, CARD, "10.0.2.2", BOARD_CARD, "10.0.2.15")


def test_board_that_asks_for_its_own_address_hears_nothing(gateway: Gateway) -> None:
    asked = Arp.decode(Frame.decode(ARP).payload)._replace(target="10.0.2.15")
    octets = Frame(BROADCAST, BOARD_CARD, ETHERTYPE_ARP, asked.encode()).encode()
    assert gateway.receive(octets).answers == []


def test_ping_to_the_gateway_is_answered(gateway: Gateway) -> None:
    packet = Packet.decode(only_answer(gateway, PING).payload)
    assert (packet.target, packet.protocol) == ("10.0.2.15", ICMP)


def test_ping_to_another_address_is_not_answered(gateway: Gateway) -> None:
    ping = Packet.decode(Frame.decode(PING).payload)._replace(target="10.0.2.3")
    octets = Frame(CARD, BOARD_CARD, ETHERTYPE_IPV4, ping.encode()).encode()
    assert gateway.receive(octets).answers == []


def test_dhcp_is_answered_to_everybody(gateway: Gateway) -> None:
    asked = Datagram("0.0.0.0", 68, "255.255.255.255", 67, REQUEST)
    answer = only_answer(gateway, frame_of(asked, BROADCAST))
    told = Datagram.decode(Packet.decode(answer.payload))
    assert (told.target, told.target_port) == ("255.255.255.255", 68)
    assert b"boot/zImage" in told.payload


def test_router_for_ipv6_is_told_to_be_none(gateway: Gateway) -> None:
    answer = only_answer(gateway, IPV6_SOLICITATION)
    assert (answer.target, answer.ethertype) == (BOARD_CARD, ETHERTYPE_IPV6)


def test_request_is_carried_out(gateway: Gateway) -> None:
    datagram = gateway.receive(RRQ).datagram
    assert datagram
    assert (datagram.source, datagram.source_port) == ("10.0.2.15", 1353)
    assert (datagram.target, datagram.target_port) == ("10.0.2.2", 69)


def test_datagram_to_another_address_stays_inside(gateway: Gateway) -> None:
    assert gateway.receive(frame_of(Datagram("10.0.2.15", 9, "8.8.8.8", 53, b"?"))) == ([], None)


def test_frame_for_another_card_is_left_alone(gateway: Gateway) -> None:
    assert gateway.receive(b"\x52" + bytes(5) + RRQ[6:]) == ([], None)
    assert gateway.board_card == BROADCAST


def test_long_datagram_reaches_the_board_in_fragments(gateway: Gateway) -> None:
    gateway.receive(RRQ)
    datagram = Datagram("10.0.2.2", 50001, "10.0.2.15", 1353, bytes(4000))
    frames = [Frame.decode(octets) for octets in gateway.frames(datagram)]
    assert [frame.target for frame in frames] == [BOARD_CARD] * 3
    parts = [Packet.decode(frame.payload) for frame in frames]
    assert [part.offset for part in parts] == [0, 1480, 2960]
    assert len({part.identity for part in parts}) == 1


def test_each_datagram_has_an_identity_of_its_own(gateway: Gateway) -> None:
    datagram = Datagram("10.0.2.2", 50001, "10.0.2.15", 1353, b"data")
    identities = {
        Packet.decode(Frame.decode(gateway.frames(datagram)[0]).payload).identity
        for _ in range(70000)
    }
    assert identities == set(range(1, 65536))


def test_fragments_of_the_board_become_one_datagram(gateway: Gateway) -> None:
    whole = Datagram("10.0.2.15", 1353, "10.0.2.2", 50001, bytes(range(250)) * 12)
    frames = [
        Frame(CARD, BOARD_CARD, ETHERTYPE_IPV4, part.encode()).encode()
        for part in cut(whole.packet(5))
    ]
    assert [gateway.receive(octets).datagram for octets in frames] == [None, None, whole]


def test_frame_that_is_not_understood_is_counted(gateway: Gateway) -> None:
    assert gateway.receive(RRQ[:30]) == ([], None)
    assert gateway.broken == 1


@given(st.binary(max_size=120), st.sampled_from([ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6]))
def test_no_frame_breaks_the_gateway(payload: bytes, ethertype: int) -> None:
    gateway = Gateway(Offer("10.0.2.15", "10.0.2.2"))
    answers, _ = gateway.receive(ARP)
    gateway.receive(Frame(CARD, BOARD_CARD, ethertype, payload).encode())
    for protocol in (ICMP, UDP):
        packet = Packet("10.0.2.15", "10.0.2.2", protocol, payload)
        gateway.receive(Frame(CARD, BOARD_CARD, ETHERTYPE_IPV4, packet.encode()).encode())
    assert gateway.receive(ARP) == (answers, None)
