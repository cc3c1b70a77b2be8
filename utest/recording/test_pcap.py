from __future__ import annotations

import errno
import io
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.protocol.datagrams import Datagram, Endpoint
from TftpLibrary.protocol.packets import Ack, Data, Direction, Oack, Request
from TftpLibrary.recording import pcap
from TftpLibrary.recording.pcap import PcapWriter
from utest.support.captures import GOOD, blocks_in, dissect, export, options_in, packets_in

SERVER: Endpoint = ("192.168.1.1", 69)
SERVER_TID: Endpoint = ("192.168.1.1", 40_000)
BOARD: Endpoint = ("192.168.1.50", 2070)
NOON = 1_900_000_000_000_000_007
LARGEST = {4: 65535 - 20 - 8, 6: 65535 - 8}
"""Octets that a datagram can carry: an IPv6 header does not count in its length field."""


class Slow(io.BytesIO):
    """Takes seven octets a call, as a file may."""

    def write(self, octets: memoryview, /) -> int:  # type: ignore[override]
        return super().write(octets[:7])


class Counting(io.BytesIO):
    """Counts the writes."""

    writes = 0

    def write(self, octets: memoryview, /) -> int:  # type: ignore[override]
        self.writes += 1
        return super().write(octets)


class Full(io.BytesIO):
    """Takes so many octets."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, octets: memoryview, /) -> int:  # type: ignore[override]
        if self.tell() >= self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(octets[: self.room - self.tell()])


def received(octets: bytes, source: Endpoint = BOARD, destination: Endpoint = SERVER) -> Datagram:
    return Datagram(NOON, source, destination, octets, is_sent=False)


def sent(octets: bytes, comment: str = "", when: int = NOON) -> Datagram:
    return Datagram(when, SERVER_TID, BOARD, octets, is_sent=True, comment=comment)


def test_header_tells_the_program_the_name_and_the_unit_of_time() -> None:
    file = io.BytesIO()
    PcapWriter(file, "TftpLibrary 1.2", "TFTP server dut", "As it was")
    (kind, section), (other, interface) = blocks_in(file.getvalue())
    assert (kind, other) == (0x0A0D0D0A, 1)
    assert section[:8] == b"\x4d\x3c\x2b\x1a\1\0\0\0"
    assert options_in(section[16:])[4] == b"TftpLibrary 1.2"
    assert interface[:2] == b"\x65\0", "LINKTYPE_RAW"
    options = options_in(interface[8:])
    assert (options[2], options[3], options[9]) == (b"TFTP server dut", b"As it was", b"\x09")


def test_a_datagram_is_one_packet_with_its_time_ends_direction_and_comment() -> None:
    ack, data = packets_in(capture_of(received(b"\0\4\0\1"), sent(b"\0\3\0\2abc", "said ü")))
    assert (ack.time_ns, ack.source, ack.destination) == (NOON, BOARD, SERVER)
    assert (ack.octets, ack.is_sent, ack.comment) == (b"\0\4\0\1", False, "")
    assert (data.source, data.destination) == (SERVER_TID, BOARD)
    assert (data.octets, data.is_sent, data.comment) == (b"\0\3\0\2abc", True, "said ü")


def capture_of(*datagrams: Datagram) -> bytes:
    """Returns what is written for these datagrams."""
    file = io.BytesIO()
    writer = PcapWriter(file, "TftpLibrary 1.2", "TFTP server dut", "As it was")
    for datagram in datagrams:
        writer.write(datagram)
    writer.flush()
    return file.getvalue()


def write_often(writer: PcapWriter, count: int) -> None:
    for _ in range(count):
        writer.write(sent(bytes(1000)))


@given(
    st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4))
    | st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6)),
    st.tuples(st.integers(0, 65535), st.integers(0, 65535)),
    st.binary(max_size=70) | st.integers(0, 2000).map(random.Random(1).randbytes),
)
def test_checksums_are_good_for_any_datagram(
    hosts: tuple[object, object], ports: tuple[int, int], octets: bytes
) -> None:
    ends = [(str(host), port) for host, port in zip(hosts, ports, strict=True)]
    (packet,) = packets_in(capture_of(Datagram(NOON, ends[0], ends[1], octets, is_sent=False)))
    assert (packet.octets, packet.source[1], packet.destination[1]) == (octets, *ports)


def test_a_checksum_of_zero_is_written_as_ones() -> None:
    """RFC 768: zero means that there is no checksum, so its complement stands for it."""
    with_zeros = capture_of(received(bytes(2)))
    checksum = with_zeros[with_zeros.index(b"\0\x0a", -60) + 2 :][:2]
    (packet,) = packets_in(capture_of(received(checksum)))
    assert packet.octets == checksum
    assert b"\0\x0a\xff\xff" + checksum in capture_of(received(checksum))


@pytest.mark.parametrize(("version", "host"), [(4, "127.0.0.1"), (6, "::1")])
def test_the_largest_datagram_is_one_packet(version: int, host: str) -> None:
    octets = random.Random(1).randbytes(LARGEST[version])
    (packet,) = packets_in(capture_of(received(octets, (host, 1), (host, 2))))
    assert packet.octets == octets


def test_few_writes_are_needed_and_nothing_waits_long() -> None:
    file = Counting()
    writer = PcapWriter(file, "", "", "")
    write_often(writer, 100)
    assert file.writes == 2, "the header, and the first 64 KiB"
    writer.write(sent(b"", when=NOON + 1_000_000_001))
    assert file.writes == 3
    assert len(packets_in(file.getvalue())) == 101
    writer.write(sent(b"", when=NOON + 9_000_000_000))
    assert file.writes == 3, "a datagram begins a buffer, however late it is"


def test_a_file_that_takes_few_octets_at_a_time_gets_all_of_them() -> None:
    file = Slow()
    writer = PcapWriter(file, "", "", "")
    writer.write(sent(b"\0\4\0\1"))
    writer.flush()
    assert packets_in(file.getvalue())[0].octets == b"\0\4\0\1"


def test_a_full_disk_is_told_and_what_is_whole_is_counted() -> None:
    file = Full(room=100_000)
    writer = PcapWriter(file, "", "", "")
    with pytest.raises(OSError, match="No space left"):
        write_often(writer, 200)
    whole = packets_in(file.getvalue()[: writer.size])
    assert (writer.packets, writer.octets) == (len(whole), 1000 * len(whole))
    assert 60 < len(whole) < 100


def test_many_boards_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcap, "_MOST_PATHS", 2)
    boards = [("192.168.1.50", port) for port in (1, 2, 3, 1)]
    packets = packets_in(capture_of(*(received(b"", board) for board in boards)))
    assert [packet.source for packet in packets] == boards


def test_tshark_finds_the_file_and_good_checksums(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(2000)
    options = (("blksize", "1428"), ("tsize", "2000"))
    request = Request(Direction.read, b"zImage", options=(("blksize", "1428"), ("tsize", "0")))
    path = tmp_path / "boot.pcapng"
    path.write_bytes(
        capture_of(
            received(request.encode()),
            sent(Oack(options).encode()),
            received(Ack(0).encode(), destination=SERVER_TID),
            sent(Data(1, content[:1428]).encode()),
            sent(Data(1, content[:1428]).encode(), "retransmit: DATA 1 was sent again"),
            received(Ack(1).encode(), destination=SERVER_TID),
            sent(Data(2, content[1428:]).encode()),
            received(Ack(2).encode(), destination=SERVER_TID),
        )
    )
    fields = ("tftp.opcode", "ip.checksum.status", "udp.checksum.status", "frame.comment")
    packets = dissect(path, SERVER[1], *fields)
    assert [packet[0] for packet in packets] == ["1", "6", "4", "3", "3", "4", "3", "4"]
    assert {packet[1:3] for packet in packets} == {(GOOD, GOOD)}
    assert [packet[3] for packet in packets if packet[3]] == ["retransmit: DATA 1 was sent again"]
    times = dissect(path, SERVER[1], "frame.time_epoch")
    assert times[0] == ("1900000000.000000007",)
    assert export(path, SERVER[1], tmp_path / "found") == {"zImage": content}


def lost(octets: bytes, comment: str = "fault drop-1: dropped DATA 2") -> Datagram:
    return sent(octets, comment)._replace(is_lost=True)


def test_datagrams_that_were_kept_from_the_wire_have_an_interface_of_their_own() -> None:
    capture = capture_of(sent(b"1"), lost(b"2"), received(b"3"), lost(b"4"), sent(b"5"))
    packets = packets_in(capture)
    assert [packet.octets for packet in packets if packet.is_lost] == [b"2", b"4"]
    assert {packet.comment for packet in packets if packet.is_lost} == {
        "fault drop-1: dropped DATA 2"
    }
    interfaces = [options_in(body[8:]) for kind, body in blocks_in(capture) if kind == 1]
    assert [each[2] for each in interfaces] == [b"TFTP server dut", b"lost on purpose"]
    assert b"nobody received them" in interfaces[1][3]
    assert interfaces[1][9] == b"\x09", "nanoseconds, as the first one"


def test_a_capture_without_faults_has_one_interface() -> None:
    assert [kind for kind, _ in blocks_in(capture_of(sent(b"1")))].count(1) == 1


def test_tshark_leaves_out_what_was_lost_on_purpose_and_still_finds_the_file(
    tmp_path: Path,
) -> None:
    content = random.Random(1).randbytes(1500)
    blocks = [Data(n + 1, content[512 * n : 512 * (n + 1)]).encode() for n in range(3)]
    acks = [received(Ack(n).encode(), destination=SERVER_TID) for n in range(4)]
    path = tmp_path / "boot.pcapng"
    path.write_bytes(
        capture_of(
            received(Request(Direction.read, b"zImage").encode()),
            sent(blocks[0]),
            acks[1],
            lost(blocks[1]),
            acks[1],
            sent(blocks[1], "retransmit: DATA 2 was sent again"),
            acks[2],
            lost(blocks[2], "fault drop-1: dropped DATA 3"),
            sent(blocks[2]),
            acks[3],
        )
    )
    seen = dissect(path, SERVER[1], "tftp.block", only=f'frame.interface_name != "{pcap.LOST}"')
    assert [block for (block,) in seen] == ["", "1", "1", "1", "2", "2", "3", "3"]
    lost_ones = dissect(
        path,
        SERVER[1],
        "tftp.block",
        "frame.comment",
        "udp.checksum.status",
        only=f'frame.interface_name == "{pcap.LOST}"',
    )
    assert lost_ones == [
        ("2", "fault drop-1: dropped DATA 2", GOOD),
        ("3", "fault drop-1: dropped DATA 3", GOOD),
    ]
    assert export(path, SERVER[1], tmp_path / "found") == {"zImage": content}
