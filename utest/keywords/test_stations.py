from __future__ import annotations

from pathlib import Path

import pytest

from TftpLibrary.errors import ExpectationError, UsageError
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.keywords.stations import StartRequest, Stations
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.settings import ClientSettings, ServerSettings
from utest.support.labs import running_service


def test_server_is_made_as_it_was_asked_for_and_does_not_run(tmp_path: Path) -> None:
    settings = ServerSettings(host="127.0.0.1", port=0, writable=True)
    server = Stations(Recorder()).new_server("dut", StartRequest(tmp_path, settings))
    assert (server.alias, server.settings) == ("dut", settings)
    with pytest.raises(UsageError, match="Start it first"):
        server.port  # noqa: B018 - to read it is the test


@pytest.mark.parametrize("keeps", [True, False])
def test_files_of_a_server_are_kept_where_that_was_asked(tmp_path: Path, keeps: bool) -> None:
    request = StartRequest(tmp_path, ServerSettings(keep_files=keeps))
    server = Stations(Recorder()).new_server("dut", request)
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
    server = Stations(Recorder()).new_server("dut", request)
    server.start()
    try:
        assert server.files.exists("link") is follows
    finally:
        server.stop()


def test_servers_and_clients_record_in_the_recorder_of_the_test(tmp_path: Path) -> None:
    recorder = Recorder()
    stations = Stations(recorder)
    server = stations.new_server("dut", StartRequest(None, ServerSettings()))
    server.start()
    try:
        server.files.upload_bytes(b"content", "name")
        settings = ClientSettings(windowsize=1)
        with stations.new_client(server.host, server.port, settings) as client:
            record = client.get("name", tmp_path / "copy")
        assert record.requested["tsize"] == "0"
        assert "windowsize" not in record.requested
    finally:
        server.stop()
    ours, theirs = sorted(recorder.transfers(), key=lambda each: each.server == "dut")
    assert (ours, theirs.server, theirs.octets) == (record, "dut", 7)


def test_faults_of_our_client_can_be_asked_for_while_no_client_is_open() -> None:
    faults = Stations(Recorder()).client_faults()
    fault = faults.add(make_rule("drop", "DATA 3", is_of_client=True))
    with pytest.raises(ExpectationError, match=f"Fault {fault} did not happen: drop DATA 3"):
        faults.expect(fault)


def test_servers_clients_and_faults_of_a_lab_are_there(tmp_path: Path) -> None:
    recorder = Recorder()
    stations = Stations(recorder)
    with running_service() as (_, url):
        server = stations.new_server("dut", StartRequest(None, ServerSettings(), url))
        assert (server.lab, server.is_running) == (url, False)
        server.start()
        server.files.upload_bytes(b"content", "name")
        fault = stations.client_faults(url).add(make_rule("drop", "ACK last", is_of_client=True))
        with stations.new_client(server.host, server.port, ClientSettings(), url) as client:
            client.get("name", tmp_path / "copy")
        assert stations.client_faults(url).expect(fault).hits == 1
        assert {each.filename for each in recorder.transfers()} == {"name"}
        stations.close()
        assert not server.is_running
