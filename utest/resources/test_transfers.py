"""The transfers of the simulated board: datagrams go in, packets come out, no socket between."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpBoard.habits import Habits
from TftpBoard.packets import (
    RRQ,
    WRQ,
    RefusedError,
    decode,
    encode_ack,
    encode_data,
    encode_error,
    encode_oack,
    encode_request,
)
from TftpBoard.transfers import Download, Probe, Transfer, Upload

OACK = encode_oack({"windowsize": "4"})


def load(options: dict[str, str] | None = None) -> tuple[Download, bytearray]:
    content = bytearray()
    return Download("f", options or {}, content.extend), content


def load_weakly(
    options: dict[str, str] | None = None, **habits: bool
) -> tuple[Download, bytearray]:
    content = bytearray()
    return Download("f", options or {}, content.extend, Habits(**habits)), content


def data(block: int, size: int = 512) -> bytes:
    return encode_data(block, bytes([block % 256]) * size)


def sent(transfer: Transfer) -> list[str]:
    return [str(decode(packet)) for packet in transfer.packets]


def test_request_asks_for_the_options_in_their_order() -> None:
    download, _ = load({"tsize": "0", "blksize": "1408"})
    assert sent(download) == ["RRQ b'f' octet tsize=0 blksize=1408"]


def test_each_block_of_an_old_server_is_acknowledged() -> None:
    download, content = load()
    assert download.receive(data(1))
    assert sent(download) == ["ACK 1"]
    assert not download.is_over
    assert download.receive(data(2, 7))
    assert sent(download) == ["ACK 2"]
    assert (download.is_over, download.error) == (True, None)
    assert (download.blocks, download.octets, len(content)) == (2, 519, 519)


def test_window_is_acknowledged_at_its_end() -> None:
    download, _ = load({"windowsize": "4"})
    assert download.receive(OACK)
    assert sent(download) == ["ACK 0"]
    assert [download.receive(data(block)) for block in range(1, 5)] == [False, False, False, True]
    assert sent(download) == ["ACK 4"]
    assert download.receive(data(5, 0))
    assert download.is_over


def test_oack_that_comes_again_is_acknowledged_again_before_the_first_block_only() -> None:
    download, _ = load({"windowsize": "4"})
    assert [download.receive(OACK), download.receive(OACK)] == [True, True]
    download.receive(data(1))
    assert not download.receive(OACK)


def test_gap_is_told_once() -> None:
    download, content = load({"windowsize": "4"})
    download.receive(OACK)
    download.receive(data(1))
    assert download.receive(data(3))
    assert sent(download) == ["ACK 1"]
    assert not download.receive(data(4))
    assert len(content) == 512
    assert [download.receive(data(block)) for block in range(2, 6)] == [False, False, False, True]


def test_last_block_that_comes_again_is_acknowledged_again() -> None:
    """Its ACK was lost; a server that obeys RFC 1123 answers no second ACK with DATA."""
    download, content = load()
    download.receive(data(1))
    assert [download.receive(data(1)), download.receive(data(1))] == [True, True]
    assert sent(download) == ["ACK 1"]
    assert len(content) == 512


def test_block_numbers_start_again_at_zero() -> None:
    download, _ = load({"blksize": "8"})
    download.receive(encode_oack({"blksize": "8"}))
    for block in range(1, 65536):
        download.receive(encode_data(block, b"8 octets"))
    assert download.receive(encode_data(0, b"8 octets"))
    assert sent(download) == ["ACK 0"]
    assert (download.blocks, download.octets) == (65536, 524288)


def test_error_ends_a_transfer_without_an_answer() -> None:
    for transfer in (load()[0], Upload("f", {}, b"x"), Probe("f", {})):
        assert not transfer.receive(encode_error(1, "File not found"))
        assert transfer.is_over
        assert isinstance(transfer.error, RefusedError)
        assert (transfer.error.code, transfer.error.text) == (1, "File not found")


@pytest.mark.parametrize("options", [{"blksize": "9000"}, {"tsize": "5"}, {"blksize": "none"}])
def test_options_that_were_not_asked_are_refused(options: dict[str, str]) -> None:
    download, _ = load({"blksize": "1468"})
    assert download.receive(encode_oack(options))
    assert sent(download)[0].startswith("ERROR 8 ")
    assert download.is_over
    assert download.error


def test_block_that_is_too_long_is_refused() -> None:
    download, content = load()
    assert download.receive(data(1, 513))
    assert sent(download) == ["ERROR 4 'A block of 513 octets is too long'"]
    assert (download.is_over, bytes(content)) == (True, b"")


@pytest.mark.parametrize(
    "datagram",
    [b"", b"\0", b"\0\3\0", b"\0\x09abc", encode_error(1, "x")[:-1], b"\0\5\0\1\xff\0"],
)
@pytest.mark.parametrize("make", [lambda: load()[0], lambda: Upload("f", {}, b"x")])
def test_octets_that_are_no_packet_are_ignored(
    make: Callable[[], Transfer], datagram: bytes
) -> None:
    transfer = make()
    before = transfer.packets
    assert not transfer.receive(datagram)
    assert (transfer.packets, transfer.is_over) == (before, False)


def test_packets_that_have_no_place_are_ignored() -> None:
    download, _ = load()
    upload = Upload("f", {}, b"x")
    for stray in (encode_request(RRQ, b"f"), encode_request(WRQ, b"f")):
        assert not download.receive(stray)
        assert not upload.receive(stray)
    assert not download.receive(encode_ack(0))
    assert not upload.receive(data(1))
    assert not upload.receive(encode_ack(7))
    assert not Probe("f", {}).receive(encode_ack(0))


def test_probe_ends_with_error_8_and_knows_the_size() -> None:
    probe = Probe("f", {"blksize": "1468"})
    assert sent(probe) == ["RRQ b'f' octet tsize=0 blksize=1468"]
    assert probe.receive(encode_oack({"tsize": "70000", "blksize": "1468"}))
    assert sent(probe) == ["ERROR 8 'User aborted the transfer'"]
    assert (probe.is_over, probe.error, probe.octets) == (True, None, 70000)


@pytest.mark.parametrize("answer", [data(1), encode_oack({"blksize": "1468"})])
def test_probe_fails_without_a_size(answer: bytes) -> None:
    probe = Probe("f", {"blksize": "1468"})
    assert probe.receive(answer)
    assert sent(probe)[0].startswith("ERROR 8 ")
    assert probe.error


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024])
def test_upload_to_an_old_server_sends_block_after_block(size: int) -> None:
    upload = Upload("f", {}, bytes(size))
    assert sent(upload) == ["WRQ b'f' octet"]
    assert upload.receive(encode_ack(0))
    for block in range(1, size // 512 + 2):
        assert not upload.is_over
        expected = min(512, size - (block - 1) * 512)
        assert sent(upload) == [f"DATA {block} of {expected} octets"]
        assert upload.receive(encode_ack(block)) is not upload.is_over
    assert (upload.is_over, upload.packets, upload.error) == (True, [], None)


def test_ack_within_a_window_sends_the_rest_again() -> None:
    upload = Upload("f", {"windowsize": "4"}, bytes(512 * 6))
    assert upload.receive(OACK)
    assert [line.split()[1] for line in sent(upload)] == ["1", "2", "3", "4"]
    assert upload.receive(encode_ack(2))
    assert [line.split()[1] for line in sent(upload)] == ["3", "4", "5", "6"]
    assert upload.receive(encode_ack(6))
    assert sent(upload) == ["DATA 7 of 0 octets"]
    assert not upload.receive(encode_ack(7))
    assert upload.is_over


def test_ack_that_comes_again_is_not_answered_with_data() -> None:
    """RFC 1123 section 4.2.3.1; the same holds for the OACK."""
    upload = Upload("f", {"windowsize": "4"}, bytes(512 * 6))
    upload.receive(OACK)
    assert not upload.receive(OACK)
    upload.receive(encode_ack(4))
    assert not upload.receive(encode_ack(4))


def test_given_up_transfer_says_why_and_sends_nothing_new() -> None:
    upload = Upload("f", {}, b"x")
    upload.give_up("no answer")
    assert (upload.is_over, str(upload.error), sent(upload)) == (
        True,
        "no answer",
        ["WRQ b'f' octet"],
    )


@given(
    content=st.binary(max_size=600),
    windowsize=st.integers(1, 5),
    lost=st.sets(st.integers(0, 60)),
)
def test_board_to_board_any_content_arrives_whatever_is_lost(
    content: bytes, windowsize: int, lost: set[int]
) -> None:
    """An upload and a download face each other, with the request's answer in between."""
    options = {"blksize": "8", "windowsize": str(windowsize)}
    upload, received = Upload("f", options, content), bytearray()
    download = Download("f", options, received.extend)
    oack = encode_oack(options)
    upload.receive(oack)
    download.receive(oack)
    step = 0
    for _ in range(500):
        if upload.is_over:
            break
        answers = []
        for packet in upload.packets:
            if step not in lost and download.receive(packet):
                answers += download.packets
            step += 1
        for packet in answers or download.packets:
            if step not in lost:
                upload.receive(packet)
            step += 1
    assert (upload.is_over, download.is_over, bytes(received)) == (True, True, content)


# Weak boards


def test_board_that_counts_duplicates_acknowledges_a_block_that_never_came() -> None:
    download, content = load_weakly(counts_duplicates=True)
    download.receive(data(1))
    assert download.receive(data(1))
    assert sent(download) == ["ACK 2"]
    assert len(content) == 512


def test_board_without_rollover_knows_no_block_after_65535() -> None:
    download, content = load_weakly(no_rollover=True)
    for block in range(1, 65536):
        download.receive(data(block, 512))
    assert len(content) == 65535 * 512
    download.receive(data(0, 512))
    assert (len(content), download.is_over) == (65535 * 512, False)


def test_board_that_trusts_option_answers_takes_a_block_for_the_last_one() -> None:
    download, content = load_weakly(trusts_oack=True)
    assert download.receive(encode_oack({"blksize": "9000"}))
    assert download.receive(data(1))
    assert (download.is_over, download.error, len(content)) == (True, None, 512)


def test_board_that_keeps_a_short_file_takes_an_error_for_the_end() -> None:
    download, content = load_weakly(keeps_short_file=True)
    download.receive(data(1))
    download.receive(encode_error(3, "Disk full"))
    assert (download.is_over, download.error, len(content)) == (True, None, 512)
    refused, _ = load_weakly(keeps_short_file=True)
    refused.receive(encode_error(1, "File not found"))
    assert isinstance(refused.error, RefusedError)


@pytest.mark.parametrize("is_weak", [False, True])
def test_file_that_is_shorter_than_announced_is_for_weak_boards_only(is_weak: bool) -> None:
    download, _ = load_weakly({"tsize": "0"}, keeps_short_file=is_weak)
    download.receive(encode_oack({"tsize": "600"}))
    download.receive(data(1, 100))
    problem = None if is_weak else "100 bytes came, the server had announced 600"
    assert (download.is_over, str(download.error)) == (True, str(problem))


@pytest.mark.parametrize("is_weak", [False, True])
def test_board_that_assumes_its_options_takes_block_1_for_the_whole_file(is_weak: bool) -> None:
    download, _ = load_weakly({"tsize": "0", "blksize": "1468"}, assumes_options=is_weak)
    download.receive(data(1))
    assert (download.is_over, download.error) == (is_weak, None)
