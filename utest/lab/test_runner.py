from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from TftpLibrary.errors import LabError
from TftpLibrary.lab import runner
from TftpLibrary.lab.runner import Session
from TftpLibrary.recording.recorder import Recorder
from utest.support.labs import running_lab, running_service, unix_socket


@pytest.fixture
def stranger() -> Iterator[tuple[socket.socket, str]]:
    """A socket where something else listens than a lab."""
    with TemporaryDirectory(prefix="lab-") as folder, unix_socket() as listening:
        listening.bind(f"{folder}/lab.sock")
        listening.listen()
        yield listening, f"unix:{folder}/lab.sock"


def answer(listening: socket.socket, octets: bytes) -> None:
    connected, _ = listening.accept()
    with connected:
        connected.recv(1000)
        connected.sendall(octets)


def test_what_is_no_lab_is_named(stranger: tuple[socket.socket, str]) -> None:
    listening, url = stranger
    thread = threading.Thread(target=answer, args=(listening, b"Welcome to lab1\n"))
    thread.start()
    with pytest.raises(LabError, match="got 'Welcome to lab1'"):
        Session(url, Recorder())
    thread.join()


def test_another_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "VERSION_OF_WIRE", 99)
    with running_service() as (_, url), pytest.raises(LabError, match="Install the same version"):
        Session(url, Recorder())


def test_an_interrupted_upload_leaves_nothing_and_the_next_call_works(tmp_path: Path) -> None:
    path = tmp_path / "zImage"
    path.write_bytes(bytes(20_000_000))

    def interrupt(octets: int, _size: int | None) -> None:
        if octets > 5_000_000:
            raise KeyboardInterrupt

    with running_lab() as lab, lab.server() as server:
        with pytest.raises(KeyboardInterrupt):
            server.files.upload(path, progress=interrupt)
        assert server.files.list() == []
        assert server.files.upload_bytes(b"next", "next").size == 4
        assert server.files.upload(path).size == 20_000_000
