from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.lab.servers import LabServer
from utest.support.labs import running_lab


@pytest.fixture
def server() -> Iterator[LabServer]:
    with running_lab() as lab, lab.server(alias="dut", writable=True) as found:
        yield found


def test_a_file_that_is_there_already_is_not_sent_again(server: LabServer, tmp_path: Path) -> None:
    path = tmp_path / "zImage"
    path.write_bytes(bytes(3_000_000))
    sent: list[int] = []

    def upload() -> bool:
        sent.clear()
        return server.files.upload(path, progress=lambda octets, _: sent.append(octets)).uploaded

    assert upload()
    assert sent[-1] == 3_000_000
    assert not upload()
    assert sent == []


def test_a_refused_upload_sends_nothing_and_the_next_call_works(
    server: LabServer, tmp_path: Path
) -> None:
    path = tmp_path / "zImage"
    path.write_bytes(bytes(3_000_000))
    with pytest.raises(UsageError, match=r"\.\./zImage"):
        server.files.upload(path, "../zImage")
    server.files.create("small", 5)
    with pytest.raises(UsageError, match="exists already"):
        server.files.upload(path, "small", overwrite=False)
    assert server.files.list() == ["small"]
