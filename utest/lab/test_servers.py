from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from TftpLibrary import TftpClient
from TftpLibrary.errors import UsageError
from TftpLibrary.lab.servers import LabServer
from utest.support.labs import running_lab


@pytest.fixture
def server() -> Iterator[LabServer]:
    with running_lab() as lab, lab.server(alias="dut", writable=True) as found:
        yield found


def test_a_capture_is_written_there_and_ends_up_here(server: LabServer, tmp_path: Path) -> None:
    path = tmp_path / "boot.pcapng"
    server.start_capture(path)
    assert server.is_capturing
    server.files.create("zImage", 100)
    with TftpClient(server.host, server.port) as board:
        board.get_bytes("zImage")
    assert server.capture is not None
    captured = server.stop_capture()
    assert captured == (path, 5, captured.octets, "")
    assert path.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    assert not server.is_capturing


def test_a_capture_ends_with_its_server(server: LabServer, tmp_path: Path) -> None:
    path = tmp_path / "boot.pcapng"
    server.start_capture(path)
    server.stop()
    assert server.capture is not None
    assert server.capture.path == path
    assert path.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"


def test_settings_change_there(server: LabServer) -> None:
    before = server.change(writable=False)
    assert before.writable
    assert not server.settings.writable
    with pytest.raises(UsageError, match="port cannot change"):
        server.change(port=5)
    server.pause("busy")
    assert "paused" in server.bound
    server.resume()
    assert server.bound == f"{server.host}:{server.port}"
    assert server.url("zImage") == f"tftp://{server.bound}/zImage"
