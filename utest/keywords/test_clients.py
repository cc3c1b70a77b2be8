from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from TftpLibrary.errors import PeerError, TransferTimeout, UsageError
from TftpLibrary.keywords.clients import ClientKeywords
from TftpLibrary.keywords.conversions import to_size
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Mode
from TftpLibrary.station import Station


@pytest.fixture
def keywords(started: LibraryState) -> ClientKeywords:
    return ClientKeywords(started)


@pytest.fixture
def router(started: LibraryState) -> Station:
    """The board that is a server."""
    server = started.server()
    server.files.upload_bytes(b"hostname r7\n", "running-config")
    return server


def test_get_stores_the_file_at_the_destination(
    keywords: ClientKeywords, router: Station, tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "r7.cfg"
    got = keywords.tftp_get("127.0.0.1", "running-config", path, port=router.port)
    assert path.read_bytes() == b"hostname r7\n"
    assert (got.outcome, got.octets) == (Outcome.completed, 12)
    assert log.messages[-1].endswith(f", stored as {path}")


def test_get_stores_the_file_in_a_folder(
    keywords: ClientKeywords, router: Station, tmp_path: Path
) -> None:
    router.files.copy("running-config", "backup/r7")
    keywords.tftp_get("127.0.0.1", "backup/r7", tmp_path, port=router.port)
    assert (tmp_path / "r7").read_bytes() == b"hostname r7\n"


def test_get_without_destination_stores_the_file_with_the_results(
    keywords: ClientKeywords,
    router: Station,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    keywords.tftp_get("127.0.0.1", "running-config", port=router.port)
    assert (tmp_path / "running-config").is_file()


def test_get_and_put_ask_as_they_are_told(
    keywords: ClientKeywords, router: Station, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    asked = keywords.tftp_get(
        "127.0.0.1",
        "running-config",
        path,
        port=router.port,
        mode=Mode.netascii,
        blksize=to_size("1 KiB"),
        windowsize=4,
    )
    assert asked.mode == "netascii"
    assert asked.requested["blksize"] == "1024"
    assert asked.requested["windowsize"] == "4"
    plain = keywords.tftp_get(
        router.url("running-config"), destination=path, blksize=to_size("512"), windowsize=1
    )
    assert not plain.requested, "A request as RFC 1350 has it."
    put = keywords.tftp_put(path, "127.0.0.1", "b.txt", port=router.port, windowsize=1)
    assert "windowsize" not in put.requested


def test_a_url_names_server_and_file_and_the_destination_follows_it(
    keywords: ClientKeywords, router: Station, tmp_path: Path
) -> None:
    path = tmp_path / "r7.cfg"
    keywords.tftp_get(router.url("running-config"), str(path))
    assert path.read_bytes() == b"hostname r7\n"
    keywords.tftp_get(router.url("running-config"), destination=tmp_path)
    assert (tmp_path / "running-config").read_bytes() == b"hostname r7\n"
    text = keywords.tftp_put(path, router.url("new.cfg;mode=netascii"))
    put = keywords.tftp_put(path, router.url("backup/"))
    keywords.tftp_put(path, f"127.0.0.1:{router.port}", "colon.cfg")
    assert router.files.list() == ["backup/r7.cfg", "colon.cfg", "new.cfg", "running-config"]
    assert (text.mode, put.mode) == ("netascii", "octet")


def test_a_url_of_a_file_whose_name_must_be_encoded_finds_it(
    keywords: ClientKeywords, router: Station, tmp_path: Path
) -> None:
    router.files.upload_bytes(b"odd", "50% of a#b?.bin")
    keywords.tftp_get(router.url("50% of a#b?.bin"), destination=tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"odd"


def test_another_mode_of_a_url_is_refused(keywords: ClientKeywords, router: Station) -> None:
    with pytest.raises(UsageError, match="There is no mode 'mail'. Modes: octet, netascii."):
        keywords.tftp_get(router.url("running-config;mode=mail"))


def test_put_stores_the_file_under_its_own_name_or_another(
    keywords: ClientKeywords, router: Station, tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "firmware.bin"
    path.write_bytes(b"firmware")
    keywords.tftp_put(path, "127.0.0.1", port=router.port)
    keywords.tftp_put(path, "127.0.0.1", "new/firmware", port=router.port)
    assert router.files.list() == ["firmware.bin", "new/firmware", "running-config"]
    assert "write request for 'new/firmware' from our client to 127.0.0.1:" in log.messages[-1]


def test_an_error_of_the_server_is_told_with_its_number(
    keywords: ClientKeywords, router: Station, tmp_path: Path
) -> None:
    with pytest.raises(PeerError) as caught:
        keywords.tftp_get("127.0.0.1", "x", tmp_path, port=router.port)
    assert (
        str(caught.value) == f"File not found (TFTP error 1) from 127.0.0.1:{router.port} for 'x'"
    )
    assert list(tmp_path.iterdir()) == []


def test_no_answer_is_told_after_the_retries(
    keywords: ClientKeywords, router: Station, tmp_path: Path
) -> None:
    port = router.port
    keywords.state.stop()
    with pytest.raises(TransferTimeout, match=f"No answer from 127.0.0.1:{port} for 'x'"):
        keywords.tftp_get(
            "127.0.0.1", "x", tmp_path, port=port, timeout=timedelta(milliseconds=10), retries=0
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"port": 99999}, "port must be from 1 to 65535, got 99999"),
        ({"timeout": timedelta(seconds=-1)}, "timeout must be a time of 0 s or more"),
        ({"wait": timedelta(seconds=-1)}, "wait must be a time of 0 s or more"),
        ({"windowsize": 0}, "windowsize must be from 1 to 65535, got 0"),
    ],
)
def test_wrong_arguments_fail_at_once(
    state: LibraryState, tmp_path: Path, arguments: dict[str, object], message: str
) -> None:
    keywords = ClientKeywords(state)
    with pytest.raises(UsageError, match=message):
        keywords.tftp_get("127.0.0.1", "x", tmp_path, **arguments)
    assert not list(tmp_path.iterdir())
