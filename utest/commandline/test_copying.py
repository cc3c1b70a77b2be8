"""The commands `get` and `put`, in this process, against a server of our own."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from TftpLibrary.commandline import copying
from TftpLibrary.commandline.arguments import parser
from TftpLibrary.errors import PeerError, UsageError
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ServerSettings


@pytest.fixture
def server() -> Iterator[TftpServer]:
    with TftpServer(settings=ServerSettings(writable=True), content={"a/b": b"content"}) as server:
        yield server


def options(server: TftpServer, *arguments: str | Path) -> argparse.Namespace:
    return parser().parse_args([*map(str, arguments), "--port", str(server.port)])


@pytest.mark.parametrize("destination", [".", "b", ""])
def test_get_goes_into_a_folder_or_a_file_or_here(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: TftpServer,
    capsys: pytest.CaptureFixture[str],
    destination: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert copying.get(options(server, "get", server.host, "a/b", destination)) == 0
    assert (tmp_path / "b").read_bytes() == b"content"
    assert capsys.readouterr().out.startswith("get 'a/b': 7 bytes in ")


def test_a_url_names_server_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: TftpServer
) -> None:
    monkeypatch.chdir(tmp_path)
    url = parser().parse_args(["get", server.url("a/b")])
    assert copying.get(url) == 0
    assert copying.get(parser().parse_args(["get", server.url("a/b"), "copy"])) == 0
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"content"] * 2
    assert copying.put(parser().parse_args(["put", "copy", server.url("new/")])) == 0
    assert "new/copy" in server.files.list()


@pytest.mark.parametrize("tsize", [[], ["--no-tsize"]])
def test_a_plain_request_of_rfc_1350_can_be_sent(
    tmp_path: Path, server: TftpServer, tsize: list[str]
) -> None:
    plain = ["--blksize", "512", "--windowsize", "1", *tsize]
    url = server.url("a/b")
    assert copying.get(parser().parse_args(["get", url, str(tmp_path / "copy"), *plain])) == 0
    put = parser().parse_args(["put", str(tmp_path / "copy"), server.url("c"), *plain])
    assert copying.put(put) == 0
    assert [dict(transfer.requested) for transfer in server.transfers()] == [{}, {}]


def test_get_needs_the_name_of_a_file(server: TftpServer) -> None:
    with pytest.raises(UsageError, match="No file is named"):
        copying.get(options(server, "get", server.host))


def test_name_of_a_windows_loader_has_its_last_part_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: TftpServer
) -> None:
    monkeypatch.chdir(tmp_path)
    assert copying.get(options(server, "get", server.host, r"\a\b")) == 0
    assert (tmp_path / "b").read_bytes() == b"content"


@pytest.mark.parametrize("name", ["..", "a/..", ".", "a/", "/"])
def test_name_without_a_last_part_needs_a_destination(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: TftpServer, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for destination in ("", "."):
        with pytest.raises(UsageError) as error:
            copying.get(options(server, "get", server.host, name, destination))
        assert str(error.value) == (
            f"'{name}' does not end with the name of a file. Give the path of the file to write, "
            "not only the folder '.'."
        )


def test_refusal_leaves_nothing_behind(tmp_path: Path, server: TftpServer) -> None:
    with pytest.raises(PeerError):
        copying.get(options(server, "get", server.host, "missing", tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_put_has_the_name_of_the_file_unless_another_is_given(
    tmp_path: Path, server: TftpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_bytes(b"log")
    assert copying.put(options(server, "put", tmp_path / "log", server.host)) == 0
    assert copying.put(options(server, "put", tmp_path / "log", server.host, "c/d")) == 0
    assert server.files.read_bytes("log") == server.files.read_bytes("c/d") == b"log"
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["put 'log'", "put 'c/d'"]
