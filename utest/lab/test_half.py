from __future__ import annotations

import socket
from pathlib import Path

import pytest

from TftpLibrary import TftpClient
from TftpLibrary.errors import TransferTimeout, UsageError
from TftpLibrary.lab import desk, half
from TftpLibrary.lab.lab import Lab
from utest.support.labs import running_service
from utest.support.waiting import wait_until


def test_everything_of_a_session_ends_with_it() -> None:
    with running_service() as (service, url):
        lab = Lab(url)
        server = lab.server(alias="dut").start()
        host, port, root = server.host, server.port, server.root
        assert root.is_dir()
        assert [visitor.servers[0].alias for visitor in service.visitors()] == ["dut"]
        lab.close()
        wait_until(lambda: not root.exists())
        wait_until(lambda: not service.visitors())
        with (
            TftpClient(host, port, timeout=0.1, retries=0) as board,
            pytest.raises(TransferTimeout),
        ):
            board.get_bytes("zImage")


def test_two_runners_see_their_own_boards_only() -> None:
    with (
        running_service() as (_, url),
        Lab(url) as one,
        Lab(url) as other,
        one.server(alias="left") as left,
        other.server(alias="right") as right,
    ):
        left.files.create("zImage", 10)
        with TftpClient(left.host, left.port) as board:
            board.get_bytes("zImage")
        assert len(one.recorder.transfers()) == 1
        assert other.recorder.transfers() == ()
        assert right.files.list() == []
        with pytest.raises(UsageError, match="the TFTP server .left., which runs at"):
            other.server(port=left.port).start()


def test_a_flood_that_the_runner_does_not_take_is_not_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(half, "MOST_EVENTS", -1)
    with running_service() as (_, url), Lab(url) as lab, lab.server() as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as board:
            board.sendto(b"\0\1zImage\0octet\0", (server.host, server.port))
            board.settimeout(5)
            assert board.recv(100)[:2] == b"\0\5"
        assert server.transfers() == ()
        assert not server.recorder.is_complete()


def test_a_server_starts_again_and_a_session_may_have_any_number_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(desk, "MOST_SERVERS", 2)
    with running_service() as (_, url), Lab(url) as lab:
        for _ in range(3):
            server = lab.server().start()
            server.start_capture(tmp_path / "capture")
            server.stop()
            server.start()
            server.stop()
        with (
            lab.server(),
            lab.server(),
            pytest.raises(UsageError, match="at most 2 servers"),
        ):
            lab.server().start()


def test_two_runners_share_a_port_and_a_third_is_told_who_has_the_board() -> None:
    with (
        running_service() as (_, url),
        Lab(url) as one,
        Lab(url) as other,
        Lab(url) as third,
        one.server(alias="left", clients=("127.0.0.1",)) as left,
        other.server(alias="right", port=left.port, clients=("127.0.0.2",)) as right,
    ):
        left.files.upload_bytes(b"left", "zImage")
        right.files.upload_bytes(b"right", "zImage")
        for address, content in (("127.0.0.1", b"left"), ("127.0.0.2", b"right")):
            with TftpClient("127.0.0.1", left.port, local_address=address) as board:
                assert board.get_bytes("zImage") == content
        assert [each.client for each in one.recorder.transfers()] == ["127.0.0.1"]
        assert [each.client for each in other.recorder.transfers()] == ["127.0.0.2"]
        with pytest.raises(UsageError, match=r"'right' .*, started by .*@"):
            third.server(port=left.port, clients=("127.0.0.2",)).start()
        left.stop()
        with TftpClient("127.0.0.1", right.port, local_address="127.0.0.2") as board:
            assert board.get_bytes("zImage") == b"right"
