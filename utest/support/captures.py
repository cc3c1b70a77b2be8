"""Captures as others read them: block by block with plain Python, and with tshark."""

from __future__ import annotations

import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from TftpLibrary.protocol.datagrams import Datagram, kind, wire_block
from TftpLibrary.recording.pcap import LOST
from utest.support.peers import require

CHECK = ("-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE")
GOOD = "1"
"""The value of tshark's `*.checksum.status` for a good checksum."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of a capture; its checksums were good."""

    time_ns: int
    source: tuple[str, int]
    destination: tuple[str, int]
    octets: bytes
    is_sent: bool
    comment: str
    is_lost: bool = False


@contextmanager
def disk_for(octets: int) -> Iterator[None]:
    """Lets no file grow beyond that, as a full disk does. Windows has no such limit."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def blocks_in(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the type and the body of each block."""
    while octets:
        kind, length = struct.unpack_from("<II", octets)
        assert length % 4 == 0, "a block is a multiple of 32 bits"
        assert length <= len(octets), "the last block is cut"
        assert struct.unpack_from("<I", octets, length - 4) == (length,)
        yield kind, octets[8 : length - 4]
        octets = octets[length:]


def options_in(octets: bytes) -> dict[int, bytes]:
    """Returns the options at the end of a block's body."""
    found = {}
    while octets:
        code, length = struct.unpack_from("<HH", octets)
        if code == 0:
            assert octets == bytes(4), "something follows the end of the options"
            break
        found[code] = octets[4 : 4 + length]
        octets = octets[4 + length + -length % 4 :]
    return found


def packets_in(capture: Path | bytes) -> list[Packet]:
    """Returns the packets of a capture, and checks every length and checksum."""
    octets = capture.read_bytes() if isinstance(capture, Path) else capture
    (section, _), *blocks = blocks_in(octets)
    assert section == 0x0A0D0D0A
    interfaces: list[str] = []
    packets = []
    for block, body in blocks:
        assert block in (1, 6)
        if block == 1:
            interfaces.append(options_in(body[8:])[2].decode())
        else:
            packets.append(_packet(body, interfaces))
    assert interfaces.index(LOST) == 1 if LOST in interfaces else len(interfaces) == 1
    return packets


def tftp_of(packet: Packet | Datagram) -> str:
    """Returns a packet in short: `> DATA 3` for one that was sent, `< ACK 3` for the other way."""
    block = wire_block(packet.octets)
    words = [">" if packet.is_sent else "<", kind(packet.octets)]
    return " ".join(words if block is None else [*words, str(block)])


def dissect(path: Path, port: int, *fields: str, only: str = "") -> list[tuple[str, ...]]:
    """Returns fields of each packet as tshark sees them, with checksums checked.

    Args:
        path: the capture.
        port: where the server takes requests.
        fields: names of the fields.
        only: a display filter that chooses the packets.
    """
    asked = [part for field in fields for part in ("-e", field)]
    lines = _tshark(path, port, "-Y", only, "-T", "fields", *asked).splitlines()
    return [tuple(line.split("\t")) for line in lines]


def export(path: Path, port: int, folder: Path) -> dict[str, bytes]:
    """Returns the files that tshark finds in a capture."""
    _tshark(path, port, "-q", "--export-objects", f"tftp,{folder}")
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def _tshark(path: Path, port: int, *arguments: str) -> str:
    program = require("tshark")
    command = [program, "-r", str(path), *CHECK, "-d", f"udp.port=={port},tftp", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _packet(body: bytes, interfaces: list[str]) -> Packet:
    interface, high, low, length, original = struct.unpack_from("<IIIII", body)
    assert length == original
    options = options_in(body[20 + length + -length % 4 :])
    source, destination, octets = _datagram(body[20 : 20 + length])
    return Packet(
        (high << 32) + low,
        source,
        destination,
        octets,
        {b"\1\0\0\0": False, b"\2\0\0\0": True}[options[2]],
        options.get(1, b"").decode(),
        # It fails where the interface is described later.
        interfaces[interface] == LOST,
    )


def _datagram(packet: bytes) -> tuple[tuple[str, int], tuple[str, int], bytes]:
    if packet[0] >> 4 == 4:
        assert _words(packet[:20]) == 0xFFFF, "the checksum of the IP header"
        length, protocol, family = int.from_bytes(packet[2:4], "big"), packet[9], socket.AF_INET
        hosts, udp = (packet[12:16], packet[16:20]), packet[20:]
    else:
        length, protocol = 40 + int.from_bytes(packet[4:6], "big"), packet[6]
        hosts, udp, family = (packet[8:24], packet[24:40]), packet[40:], socket.AF_INET6
    assert (length, protocol) == (len(packet), 17)
    ports, udp_length = struct.unpack("!HH", udp[:4]), int.from_bytes(udp[4:6], "big")
    assert udp_length == len(udp)
    assert udp[6:8] != b"\0\0", "there is no checksum"
    pseudo = b"".join(hosts) + struct.pack("!HH", protocol, udp_length)
    assert _words(pseudo + udp) == 0xFFFF, "the checksum of the datagram"
    names = [socket.inet_ntop(family, host) for host in hosts]
    return (names[0], ports[0]), (names[1], ports[1]), udp[8:]


def _words(octets: bytes) -> int:
    """The ones' complement sum of 16-bit words, as RFC 1071 writes it."""
    octets += b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total
