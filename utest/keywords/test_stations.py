from __future__ import annotations

from pathlib import Path

import pytest

from TftpLibrary.errors import ExpectationError, UsageError
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.keywords.stations import StartRequest, new_client, new_faults, new_server
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.settings import ClientSettings, ServerSettings


def test_server_is_made_as_it_was_asked_for_and_does_not_run(tmp_path: Path) -> None:
    settings = ServerSettings(host="127.0.0.1", port=0, writable=True)
    server = new_server("dut", StartRequest(tmp_path, settings), Recorder())
    assert (server.alias, server.settings) == ("dut", settings)
    with pytest.raises(UsageError, match="Start it first"):
        server.port  # noqa: B018 - to read it is the test


@pytest.mark.parametrize("keeps", [True, False])
def test_files_of_a_server_are_kept_where_that_was_asked(tmp_path: Path, keeps: bool) -> None:
    server = new_server("dut", StartRequest(tmp_path, ServerSettings(keep_files=keeps)), Recorder())
    server.start()
    server.files.upload_bytes(b"", "new")
    server.stop()
    assert (tmp_path / "new").exists() is keeps


@pytest.mark.parametrize("follows", [True, False])
def test_links_of_a_server_are_followed_where_that_was_asked(tmp_path: Path, follows: bool) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "outside")
    request = StartRequest(root, ServerSettings(follow_symlinks=follows))
    server = new_server("dut", request, Recorder())
    server.start()
    try:
        assert server.files.exists("link") is follows
    finally:
        server.stop()


def test_servers_and_clients_record_in_the_recorder_of_the_test(tmp_path: Path) -> None:
    recorder = Recorder()
    server = new_server("dut", StartRequest(None, ServerSettings()), recorder)
    server.start()
    try:
        server.files.upload_bytes(b"content", "name")
        settings = ClientSettings(windowsize=1)
        with new_client(server.host, server.port, settings, recorder) as client:
            record = client.get("name", tmp_path / "copy")
        assert record.requested["tsize"] == "0"
        assert "windowsize" not in record.requested
    finally:
        server.stop()
    ours, theirs = sorted(recorder.transfers(), key=lambda each: each.server == "dut")
    assert (ours, theirs.server, theirs.octets) == (record, "dut", 7)


def test_faults_of_our_client_can_be_asked_for_while_no_client_is_open() -> None:
    faults = new_faults(Recorder())
    fault = faults.add(make_rule("drop", "DATA 3", is_of_client=True))
    with pytest.raises(ExpectationError, match=f"Fault {fault} did not happen: drop DATA 3"):
        faults.expect(fault)
