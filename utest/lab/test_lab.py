from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from TftpLibrary import Download, PeerError, TftpClient, Upload, UsageError
from TftpLibrary.errors import ExpectationError, LabError
from TftpLibrary.lab.lab import Lab
from utest.support.labs import running_lab, running_service


@pytest.fixture
def lab() -> Iterator[Lab]:
    with running_lab() as found:
        yield found


def test_a_board_is_served_at_the_lab_and_recorded_here(lab: Lab, tmp_path: Path) -> None:
    with lab.server(alias="dut", writable=True) as server:
        stored = server.files.upload_bytes(b"kernel" * 1000, "zImage")
        assert (stored.size, stored.path, stored.uploaded) == (6000, None, True)
        with TftpClient(server.host, server.port) as board:
            assert board.get_bytes("zImage") == b"kernel" * 1000
            board.put_bytes(b"log", "crash.log")
        kernel = server.wait_until(Download("zImage"), 5)
        assert (kernel.server, kernel.octets) == ("dut", 6000)
        server.wait_until(Upload("crash.log"), 5)
        target = server.files.download("crash.log", tmp_path)
        assert target.read_bytes() == b"log"
        with pytest.raises(ExpectationError, match="'initrd' was not"):
            server.wait_until(Download("initrd"), 0)


def test_a_client_at_the_lab_asks_a_board_and_the_file_is_here(lab: Lab, tmp_path: Path) -> None:
    with lab.server(writable=True) as board:
        board.files.upload_bytes(b"config", "startup")
        client = lab.client(board.host, board.port)
        record = client.get("startup", tmp_path / "got")
        assert (record.is_ours, record.octets) == (True, 6)
        assert (tmp_path / "got").read_bytes() == b"config"
        client.put(tmp_path / "got", "back")
        assert board.files.read_bytes("back") == b"config"
        with pytest.raises(PeerError) as caught:
            client.get("missing", tmp_path / "no")
        assert (caught.value.code, (tmp_path / "no").exists()) == (1, False)


def test_the_next_server_connects_anew_after_a_loss() -> None:
    with running_service() as (_, url), Lab(url) as lab:
        first = lab.server().start()
        lab.close()
        assert not first.is_running
        with pytest.raises(LabError, match="was lost"):
            first.files.list()
        assert first.stop() == []
        with lab.server() as second:
            assert second.files.list() == []


def test_faults_are_at_the_lab(lab: Lab) -> None:
    with lab.server() as server:
        server.files.create("zImage", 5000)
        assert server.faults.use("lost_block", "zImage") == ["drop-1", "drop-2"]
        with TftpClient(server.host, server.port, timeout=0.2) as board:
            board.get_bytes("zImage")
        assert server.faults.expect("drop-1").hits == 1
        with pytest.raises(UsageError, match="drop-9"):
            server.faults.expect("drop-9")


def test_no_way_to_a_lab_is_one_sentence() -> None:
    with pytest.raises(LabError, match="No lab half answers at '/no/such'"):
        Lab("unix:/no/such").server()
