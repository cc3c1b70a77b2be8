from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from TftpLibrary import ServerSettings, TftpServer
from utest.support.waiting import wait_until

CLIENT = Path(__file__).parents[2] / "atest" / "performance" / "load_client.py"
CONTENT = bytes(range(256)) * 400


@pytest.fixture
def server() -> Iterator[TftpServer]:
    settings = ServerSettings(writable=True)
    with TftpServer(content={"image": CONTENT}, settings=settings) as running:
        yield running


def load(server: TftpServer, *words: str) -> tuple[int, dict[str, float]]:
    """Runs the clients. Returns their exit status and what they printed."""
    done = subprocess.run(
        [sys.executable, str(CLIENT), *words[:-1], server.host, str(server.port), words[-1]],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "image"
    path.write_bytes(CONTENT)
    return str(path)


@pytest.mark.parametrize(
    "words", ["", "-b 1468", "-b 1468 -k 16", "-b 1468 -k 16 -G", "-b 1024 -k 8 -c 3 -n 5"]
)
def test_every_octet_is_compared(server: TftpServer, image: str, words: str) -> None:
    status, report = load(server, *words.split(), "-v", image, "image")
    transfers = 5 if "-n" in words else 1
    assert (status, report["errors"], report["transfers"]) == (0, 0, transfers)
    assert report["octets"] == transfers * len(CONTENT)
    assert 0 < report["p50"] <= report["p99"] <= report["seconds"]


def test_other_octets_are_errors(server: TftpServer, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(CONTENT[:-1] + b"?")
    status, report = load(server, "-v", str(other), "image")
    assert (status, report["errors"]) == (1, 1)


def test_a_refusal_is_an_error(server: TftpServer) -> None:
    status, report = load(server, "missing")
    assert (status, report["errors"], report["octets"]) == (1, 1, 0)


@pytest.mark.parametrize("words", ["", "-b 1468 -k 16", "-b 1468 -c 3 -n 5"])
def test_files_are_written(server: TftpServer, image: str, words: str) -> None:
    status, report = load(server, *words.split(), "-w", "-v", image, "up")
    assert (status, report["errors"]) == (0, 0)
    written = server.root / "up-0"
    wait_until(lambda: written.exists() and written.read_bytes() == CONTENT)
