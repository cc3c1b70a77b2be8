"""Frames, packets and datagrams, read as real boards wrote them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from atest.boards.emulator.frames import (
    ARP_REPLY,
    ARP_REQUEST,
    BROADCAST,
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    ICMP,
    NOWHERE,
    UDP,
    Arp,
    Datagram,
    Frame,
    FrameError,
    Packet,
    checksum,
    echo_reply,
)

CARD = bytes.fromhex("52540012340b")
# Packets of U-Boot 2023.01: who has 10.0.2.2, a ping, and a request for boot/zImage.
ARP = bytes.fromhex(
    "ffffffffffff52540012340b0806000108000604000152540012340b0a00020f0000000000000a000202"
)
PING = bytes.fromhex(
    "52550002020252540012340b08004500001c00004000ff0163d00a00020f0a0002020800f7ff00000000"
)
RRQ = bytes.fromhex(
    "52550002020252540012340b08004500004700014000ff1163940a00020f0a00020205490045003300000001626f6f"
    "742f7a496d616765006f637465740074696d656f7574003100626c6b73697a65003134363800"
)
# A packet of iPXE, with the checksum of UDP that U-Boot leaves out.
IPXE_RRQ = bytes.fromhex(
    "450000430303000040115f970a00020f0a0002026e0f0045002f5c670001626f6f742e69707865006f6374657400"
    "626c6b73697a650031343332007473697a65003000"
)


def packet_in(octets: bytes) -> Packet:
    return Packet.decode(Frame.decode(octets).payload)


def test_frame_of_a_board_is_read() -> None:
    frame = Frame.decode(ARP)
    assert (frame.target, frame.source) == (BROADCAST, CARD)
    assert frame.ethertype == ETHERTYPE_ARP
    assert len(frame.payload) == 28


def test_frame_is_to_many_when_it_is_a_broadcast_or_a_multicast() -> None:
    to = Frame(BROADCAST, CARD, ETHERTYPE_ARP, b"")
    assert to.is_to_many
    assert to._replace(target=bytes.fromhex("333300000002")).is_to_many
    assert not to._replace(target=CARD).is_to_many


def test_short_frame_is_filled_up_to_the_least_length() -> None:
    octets = Frame(BROADCAST, CARD, ETHERTYPE_ARP, b"abc").encode()
    assert len(octets) == 60
    assert octets[:17] == BROADCAST + CARD + b"\x08\x06abc"


def test_question_for_an_address_is_read() -> None:
    asked = Arp.decode(Frame.decode(ARP).payload)
    assert asked == Arp(ARP_REQUEST, CARD, "10.0.2.15", NOWHERE, "10.0.2.2")


def test_answer_about_an_address_comes_back_as_it_was_written() -> None:
    answer = Arp(ARP_REPLY, BROADCAST, "10.0.2.2", CARD, "10.0.2.15")
    assert Arp.decode(answer.encode()) == answer


def test_arp_for_something_else_than_ipv4_is_refused() -> None:
    payload = Frame.decode(ARP).payload
    with pytest.raises(FrameError, match="something else"):
        Arp.decode(payload[:2] + b"\x86\xdd" + payload[4:])


def test_packet_of_a_board_is_read() -> None:
    packet = packet_in(RRQ)
    assert (packet.source, packet.target, packet.protocol) == ("10.0.2.15", "10.0.2.2", UDP)
    assert (packet.identity, packet.offset, packet.more) == (1, 0, False)
    assert not packet.is_fragment


def test_what_ethernet_filled_up_is_no_part_of_the_packet() -> None:
    assert packet_in(RRQ + bytes(9)) == packet_in(RRQ)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({0: 0x65}, "lengths"),
        ({0: 0x44}, "lengths"),
        ({3: 0xFF}, "lengths"),
        ({8: 0x01}, "checksum"),
    ],
)
def test_packet_with_a_wrong_header_is_refused(change: dict[int, int], reason: str) -> None:
    octets = bytearray(Frame.decode(RRQ).payload)
    for place, value in change.items():
        octets[place] = value
    with pytest.raises(FrameError, match=reason):
        Packet.decode(bytes(octets))


def test_fragment_comes_back_as_it_was_written() -> None:
    part = Packet("10.0.2.2", "10.0.2.15", UDP, b"part", identity=7, offset=1480, more=True)
    assert Packet.decode(part.encode()) == part
    assert part.is_fragment


def test_datagram_of_a_board_without_checksum_is_read() -> None:
    datagram = Datagram.decode(packet_in(RRQ))
    assert (datagram.source_port, datagram.target_port) == (1353, 69)
    assert datagram.payload == b"\0\1boot/zImage\0octet\0timeout\0001\0blksize\0001468\0"


def test_datagram_gets_the_checksum_that_a_boot_loader_computes_too() -> None:
    packet = Packet.decode(IPXE_RRQ)
    assert Datagram.decode(packet).packet(packet.identity).encode() == IPXE_RRQ


def test_datagram_whose_checksum_comes_out_as_zero_is_sent_with_all_ones() -> None:
    # 0.0.0.0 twice, protocol 17, twice the length of 10, and a payload that makes the sum 0xffff.
    payload = (0xFFFF - 17 - 10 - 10).to_bytes(2, "big")
    packet = Datagram("0.0.0.0", 0, "0.0.0.0", 0, payload).packet()
    assert packet.payload[6:8] == b"\xff\xff"
    assert Datagram.decode(packet).payload == payload


def test_datagram_with_a_wrong_checksum_or_length_is_refused() -> None:
    packet = Datagram("10.0.2.2", 69, "10.0.2.15", 1000, b"some data").packet()
    with pytest.raises(FrameError, match="checksum"):
        Datagram.decode(packet._replace(payload=packet.payload[:-1] + b"x"))
    with pytest.raises(FrameError, match="length"):
        Datagram.decode(packet._replace(payload=packet.payload[:-1]))


def test_ping_is_answered() -> None:
    reply = echo_reply(packet_in(PING))
    assert reply
    assert (reply.source, reply.target, reply.protocol) == ("10.0.2.2", "10.0.2.15", ICMP)
    assert reply.payload == bytes.fromhex("0000ffff00000000")


def test_icmp_packet_that_is_no_ping_is_not_answered() -> None:
    unreachable = bytes.fromhex("0303fcfc00000000")
    assert echo_reply(Packet("10.0.2.15", "10.0.2.2", ICMP, unreachable)) is None


def test_ping_with_a_wrong_checksum_is_refused() -> None:
    packet = packet_in(PING)
    with pytest.raises(FrameError, match="ICMP"):
        echo_reply(packet._replace(payload=packet.payload + b"x"))


def test_checksum_is_that_of_the_example_in_rfc_1071() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


def checksum_by_the_book(octets: bytes) -> int:
    """Adds word by word, with the carry at the end of each step, as RFC 1071 says."""
    total = 0
    for place in range(0, len(octets), 2):
        total += int.from_bytes(octets[place : place + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


@given(st.binary(max_size=60))
@example(b"")
@example(b"\0\0")
@example(b"\xff\xff")
@example(b"\xff\xff\xff\xff")
@example(b"\x80")
def test_checksum_is_the_sum_of_the_words(octets: bytes) -> None:
    assert checksum(octets) == checksum_by_the_book(octets)


@given(st.binary(max_size=1500))
def test_datagram_comes_back_through_packet_and_frame(payload: bytes) -> None:
    datagram = Datagram("10.0.2.2", 43117, "10.0.2.15", 1353, payload)
    octets = Frame(CARD, BROADCAST, ETHERTYPE_IPV4, datagram.packet(9).encode()).encode()
    assert Datagram.decode(packet_in(octets)) == datagram


@given(st.binary(max_size=80))
def test_octets_that_are_no_frame_make_a_frame_error_and_nothing_else(octets: bytes) -> None:
    for read in (
        Frame.decode,
        Arp.decode,
        Packet.decode,
        lambda octets: Datagram.decode(Packet("10.0.2.2", "10.0.2.15", UDP, octets)),
        lambda octets: echo_reply(Packet("10.0.2.2", "10.0.2.15", ICMP, octets)),
    ):
        try:
            read(octets)
        except FrameError:
            continue
