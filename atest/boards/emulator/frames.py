"""Ethernet, ARP, IPv4, ICMP and UDP as an emulated board's network card sends and gets them.

RFC 894, 826, 791, 792 and 768. Only what a boot loader or a small Linux needs: IPv4 without
options of its own, no VLANs. Anything else raises `FrameError`, and no other exception.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

ETHERTYPE_IPV4, ETHERTYPE_ARP = 0x0800, 0x0806
ICMP, UDP = 1, 17
ARP_REQUEST, ARP_REPLY = 1, 2
BROADCAST = b"\xff" * 6
NOWHERE = b"\0" * 6

_ETHERNET = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_UDP = struct.Struct("!HHHH")
_ECHO_REQUEST, _ECHO_REPLY = 8, 0
_MORE_FRAGMENTS, _OFFSET = 0x2000, 0x1FFF


class FrameError(Exception):
    """Octets that are no frame, packet or datagram that this network understands."""


class Frame(NamedTuple):
    """An Ethernet frame; addresses are the six octets of a network card."""

    target: bytes
    source: bytes
    ethertype: int
    payload: bytes

    @classmethod
    def decode(cls, octets: bytes) -> Frame:
        """Reads a frame, without the checksum that hardware adds and removes."""
        if len(octets) < _ETHERNET.size:
            raise FrameError(f"A frame has 14 octets or more, got {len(octets)}.")
        target, source, ethertype = _ETHERNET.unpack_from(octets)
        return cls(target, source, ethertype, octets[_ETHERNET.size :])

    @property
    def is_to_many(self) -> bool:
        """Whether it is a broadcast or a multicast."""
        return bool(self.target[0] & 1)

    def encode(self) -> bytes:
        """Writes the frame, filled up to the least length that Ethernet allows."""
        head = _ETHERNET.pack(self.target, self.source, self.ethertype)
        return (head + self.payload).ljust(60, b"\0")


class Arp(NamedTuple):
    """An ARP packet for IPv4: who has an address, or who says so."""

    operation: int
    sender_card: bytes
    sender: str
    target_card: bytes
    target: str

    @classmethod
    def decode(cls, octets: bytes) -> Arp:
        """Reads the payload of a frame with `ETHERTYPE_ARP`."""
        if len(octets) < _ARP.size:
            raise FrameError(f"An ARP packet has 28 octets, got {len(octets)}.")
        hardware, protocol, card_size, size, *rest = _ARP.unpack_from(octets)
        if (hardware, protocol, card_size, size) != (1, ETHERTYPE_IPV4, 6, 4):
            raise FrameError("ARP for something else than IPv4 on Ethernet.")
        operation, sender_card, sender, target_card, target = rest
        return cls(operation, sender_card, _text(sender), target_card, _text(target))

    def encode(self) -> bytes:
        """Writes the payload of a frame."""
        ends = (self.sender_card, _octets(self.sender), self.target_card, _octets(self.target))
        return _ARP.pack(1, ETHERTYPE_IPV4, 6, 4, self.operation, *ends)


class Packet(NamedTuple):
    """An IPv4 packet, or a fragment of one.

    `offset` counts octets, not units of eight; `more` means that fragments follow.
    """

    source: str
    target: str
    protocol: int
    payload: bytes
    identity: int = 0
    offset: int = 0
    more: bool = False

    @classmethod
    def decode(cls, octets: bytes) -> Packet:
        """Reads the payload of a frame with `ETHERTYPE_IPV4`; what Ethernet filled up is left."""
        if len(octets) < _IPV4.size:
            raise FrameError(f"An IPv4 packet has 20 octets or more, got {len(octets)}.")
        head = _IPV4.unpack_from(octets)
        size, total = (head[0] & 0x0F) * 4, head[2]
        if head[0] >> 4 != 4 or size < _IPV4.size or not size <= total <= len(octets):
            raise FrameError("The lengths in the header of an IPv4 packet are wrong.")
        if checksum(octets[:size]):
            raise FrameError("The checksum of an IPv4 header is wrong.")
        flags = head[4]
        return cls(
            source=_text(head[8]),
            target=_text(head[9]),
            protocol=head[6],
            payload=octets[size:total],
            identity=head[3],
            offset=(flags & _OFFSET) * 8,
            more=bool(flags & _MORE_FRAGMENTS),
        )

    def encode(self) -> bytes:
        """Writes the packet with its header's checksum."""
        flags = (_MORE_FRAGMENTS if self.more else 0) | self.offset // 8
        size = _IPV4.size + len(self.payload)
        ends = (_octets(self.source), _octets(self.target))
        head = _IPV4.pack(0x45, 0, size, self.identity, flags, 64, self.protocol, 0, *ends)
        return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + self.payload

    @property
    def is_fragment(self) -> bool:
        """Whether it is a part of a packet only."""
        return self.more or self.offset > 0


class Datagram(NamedTuple):
    """A UDP datagram with the addresses of the packet that carries it."""

    source: str
    source_port: int
    target: str
    target_port: int
    payload: bytes

    @classmethod
    def decode(cls, packet: Packet) -> Datagram:
        """Reads a whole packet; a checksum of zero means that there is none."""
        if len(packet.payload) < _UDP.size:
            raise FrameError(f"A UDP datagram has 8 octets or more, got {len(packet.payload)}.")
        source_port, target_port, size, check = _UDP.unpack_from(packet.payload)
        if not _UDP.size <= size <= len(packet.payload):
            raise FrameError("The length of a UDP datagram is wrong.")
        octets = packet.payload[:size]
        if check and checksum(_pseudo_header(packet.source, packet.target, size) + octets):
            raise FrameError("The checksum of a UDP datagram is wrong.")
        return cls(packet.source, source_port, packet.target, target_port, octets[_UDP.size :])

    def packet(self, identity: int = 0) -> Packet:
        """Writes the packet that carries the datagram."""
        size = _UDP.size + len(self.payload)
        head = _UDP.pack(self.source_port, self.target_port, size, 0)
        pseudo = _pseudo_header(self.source, self.target, size)
        # RFC 768: a checksum that comes out as zero is sent as all ones.
        check = checksum(pseudo + head + self.payload) or 0xFFFF
        octets = head[:6] + check.to_bytes(2, "big") + self.payload
        return Packet(self.source, self.target, UDP, octets, identity)


def echo_reply(packet: Packet) -> Packet | None:
    """Returns the answer to a ping, or None for another ICMP packet."""
    octets = packet.payload
    if len(octets) < 8 or checksum(octets):
        raise FrameError("An ICMP packet that is too short, or whose checksum is wrong.")
    if octets[0] != _ECHO_REQUEST:
        return None
    blank = bytes((_ECHO_REPLY, 0, 0, 0)) + octets[4:]
    answer = blank[:2] + checksum(blank).to_bytes(2, "big") + blank[4:]
    return Packet(packet.target, packet.source, ICMP, answer, packet.identity)


def checksum(octets: bytes) -> int:
    """Returns the checksum of RFC 1071; over octets that hold their own it is zero.

    The sum of 16-bit words with the carry added again is the number modulo 65535, where only the
    sum of zeros is zero.
    """
    number = int.from_bytes(octets if len(octets) % 2 == 0 else octets + b"\0", "big")
    if not number:
        return 0xFFFF
    return 0xFFFF - (number % 0xFFFF or 0xFFFF)


def _pseudo_header(source: str, target: str, size: int) -> bytes:
    return _octets(source) + _octets(target) + struct.pack("!BBH", 0, UDP, size)


def _text(address: bytes) -> str:
    return socket.inet_ntoa(address)


def _octets(address: str) -> bytes:
    return socket.inet_aton(address)
