"""The network that a board sees: a gateway that answers ARP, ping and DHCP, and takes UDP out.

No socket, thread or clock: frames go in, frames and datagrams come out.
"""

from __future__ import annotations

from typing import NamedTuple

from atest.boards.emulator import dhcp
from atest.boards.emulator.advertisement import ETHERTYPE_IPV6, advertise
from atest.boards.emulator.fragments import Reassembly, cut
from atest.boards.emulator.frames import (
    ARP_REPLY,
    ARP_REQUEST,
    BROADCAST,
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    ICMP,
    UDP,
    Arp,
    Datagram,
    Frame,
    FrameError,
    Packet,
    echo_reply,
)

CARD = bytes.fromhex("525500020202")
"""The hardware address of the gateway."""


class Received(NamedTuple):
    """The result of a frame: frames for the board, and a datagram to carry out."""

    answers: list[bytes]
    datagram: Datagram | None = None


_NOTHING = Received([])


class Gateway:
    """The gateway of one board.

    Args:
        offer: the offer of DHCP to the board; `offer.server` is the gateway's own address.

    Attributes:
        board_card: the hardware address of the board, or that of everybody before it was heard.
        broken: frames that were not understood.
    """

    def __init__(self, offer: dhcp.Offer) -> None:
        self.address = offer.server
        self.board_card = BROADCAST
        self.broken = 0
        self._offer = offer
        self._reassembly = Reassembly()
        self._identity = 0

    def receive(self, octets: bytes) -> Received:
        """Takes a frame of the board."""
        try:
            frame = Frame.decode(octets)
            if frame.target != CARD and not frame.is_to_many:
                return _NOTHING
            self.board_card = frame.source
            if frame.ethertype == ETHERTYPE_ARP:
                return self._receive_arp(Arp.decode(frame.payload))
            if frame.ethertype == ETHERTYPE_IPV4:
                return self._receive_packet(Packet.decode(frame.payload))
            if frame.ethertype == ETHERTYPE_IPV6:
                answer = advertise(frame.payload)
                return Received([self._frame(ETHERTYPE_IPV6, answer)]) if answer else _NOTHING
        except FrameError:
            self.broken += 1
        return _NOTHING

    def frames(self, datagram: Datagram) -> list[bytes]:
        """Returns the frames that bring a datagram to the board."""
        self._identity = self._identity % 0xFFFF + 1
        packet = datagram.packet(self._identity)
        return [self._frame(ETHERTYPE_IPV4, part.encode()) for part in cut(packet)]

    def _receive_arp(self, asked: Arp) -> Received:
        # Boards also ask who has their own address, to see that nobody else has it: silence.
        if asked.operation != ARP_REQUEST or asked.target != self.address:
            return _NOTHING
        answer = Arp(ARP_REPLY, CARD, self.address, asked.sender_card, asked.sender)
        return Received([self._frame(ETHERTYPE_ARP, answer.encode())])

    def _receive_packet(self, part: Packet) -> Received:
        packet = self._reassembly.receive(part)
        if packet is None:
            return _NOTHING
        if packet.protocol == ICMP and packet.target == self.address:
            reply = echo_reply(packet)
            parts = cut(reply) if reply else ()
            return Received([self._frame(ETHERTYPE_IPV4, part.encode()) for part in parts])
        if packet.protocol == UDP:
            return self._receive_datagram(Datagram.decode(packet))
        return _NOTHING

    def _receive_datagram(self, datagram: Datagram) -> Received:
        if datagram.target_port == dhcp.SERVER_PORT:
            return self._receive_question(dhcp.Question.decode(datagram.payload))
        return Received([], datagram) if datagram.target == self.address else _NOTHING

    def _receive_question(self, question: dhcp.Question) -> Received:
        answer = self._offer.answer(question)
        if answer is None:
            return _NOTHING
        # The board has no address yet, so everybody gets the answer.
        ports = (dhcp.SERVER_PORT, dhcp.CLIENT_PORT)
        datagram = Datagram(self.address, ports[0], "255.255.255.255", ports[1], answer)
        return Received(self.frames(datagram))

    def _frame(self, ethertype: int, payload: bytes) -> bytes:
        return Frame(self.board_card, CARD, ethertype, payload).encode()
