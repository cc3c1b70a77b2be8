from __future__ import annotations

from pathlib import Path

import pytest

from TftpLibrary.client import TftpClient
from TftpLibrary.errors import UsageError
from TftpLibrary.keywords.capture_files import Keep
from TftpLibrary.keywords.captures import CaptureKeywords
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.keywords.stations import StartRequest
from TftpLibrary.recording.capture import Captured
from TftpLibrary.settings import ServerSettings
from utest.support.captures import packets_in, tftp_of
from utest.support.suites import failures, messages, run_suite

SUITE = """
*** Settings ***
Library           OperatingSystem
Library           TftpLibrary    host=127.0.0.1    port=0
Suite Setup       Start With A File
Suite Teardown    Should Exist    ${OF_SUITE}

*** Test Cases ***
Board Boots: All Is Well
    ${path}=    Start Packet Capture    server=left
    Set Suite Variable    ${OF_PASSED}    ${path}
    TFTP Get    127.0.0.1    zImage    ${TEMPDIR}/zImage    port=${LEFT.port}
    Wait Until File Is Downloaded    zImage    server=left
    Should Exist    ${path}

Board Fails
    Should Not Exist    ${OF_PASSED}
    ${path}=    Start Packet Capture    server=left
    Set Suite Variable    ${OF_FAILED}    ${path}
    TFTP Get    127.0.0.1    none    ${TEMPDIR}/none    port=${LEFT.port}

Board Is Watched
    Should Exist    ${OF_FAILED}
    ${path}=    Start Packet Capture    server=left    keep=always
    ${again}=    Stop Packet Capture    server=left
    Should Be Equal    ${path}    ${again}

*** Keywords ***
Start With A File
    ${left}=    Start TFTP Server    alias=left
    Upload Text    octets    zImage
    Start TFTP Server    alias=dut
    Set Suite Variable    ${LEFT}    ${left}
    ${path}=    Start Packet Capture
    Set Suite Variable    ${OF_SUITE}    ${path}
"""


@pytest.fixture
def keywords(started: LibraryState) -> CaptureKeywords:
    return CaptureKeywords(started)


def fetch(state: LibraryState) -> None:
    server = state.server()
    server.files.upload_bytes(b"octets", "zImage")
    with TftpClient(server.host, server.port) as client:
        client.get_bytes("zImage")


def test_what_the_server_sends_and_gets_is_in_the_file(
    keywords: CaptureKeywords, tmp_path: Path
) -> None:
    path = keywords.start_packet_capture(tmp_path / "boot.pcapng")
    fetch(keywords.state)
    assert keywords.stop_packet_capture() == path == tmp_path / "boot.pcapng"
    story = [tftp_of(packet) for packet in packets_in(path)]
    assert story == ["< RRQ", "> OACK", "< ACK 0", "> DATA 1", "< ACK 1"]


@pytest.mark.parametrize("path", [None, Path()], ids=["none", "empty"])
def test_the_file_is_in_the_output_folder_by_default(
    keywords: CaptureKeywords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Path | None
) -> None:
    monkeypatch.chdir(tmp_path)
    assert keywords.start_packet_capture(path) == tmp_path / "capture-dut.pcapng"


def test_in_a_folder_that_is_given_the_file_gets_a_name(
    keywords: CaptureKeywords, tmp_path: Path
) -> None:
    names = [keywords.start_packet_capture(tmp_path).name]
    keywords.stop_packet_capture()
    names.append(keywords.start_packet_capture(tmp_path).name)
    assert names == ["capture-dut.pcapng", "capture-dut-2.pcapng"]


def test_each_server_has_a_capture_of_its_own(keywords: CaptureKeywords, tmp_path: Path) -> None:
    state = keywords.state
    state.start("left", StartRequest(None, ServerSettings()))
    left, dut = (keywords.start_packet_capture(tmp_path, server=name) for name in ("left", "dut"))
    fetch(state)
    keywords.stop_packet_capture(server="dut")
    keywords.stop_packet_capture()
    assert (len(packets_in(left)), len(packets_in(dut))) == (5, 0)


@pytest.mark.parametrize(
    ("keep", "sentence"),
    [
        (Keep.failed, "The file stays only if the test fails."),
        (Keep.always, "The file stays."),
        (Keep.never, "The file is removed when the test ends."),
    ],
)
def test_start_logs_a_link_and_what_becomes_of_the_file(
    keywords: CaptureKeywords,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: pytest.LogCaptureFixture,
    keep: Keep,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    keywords.start_packet_capture(tmp_path / "a <b>.pcapng", keep=keep)
    assert log.messages[-1] == (
        "Capturing the packets of 'dut' to "
        f'<a href="a%20%3Cb%3E.pcapng">a &lt;b&gt;.pcapng</a>. {sentence}'
    )


def test_stop_logs_what_was_captured_and_how_to_open_it(
    keywords: CaptureKeywords,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    keywords.start_packet_capture(tmp_path / "x.pcapng")
    fetch(keywords.state)
    keywords.stop_packet_capture()
    port = keywords.state.server().port
    assert log.messages[-2:] == [
        'Captured 5 packets, 105 bytes: <a href="x.pcapng">x.pcapng</a>',
        f"At port {port} Wireshark has to be told that it is TFTP: "
        f"wireshark -d udp.port=={port},tftp x.pcapng",
    ]


def test_a_capture_that_ended_early_is_a_warning(
    keywords: CaptureKeywords,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: pytest.LogCaptureFixture,
) -> None:
    ended = Captured(tmp_path / "x.pcapng", 1, 6, "The capture ended early: no space.")
    keywords.start_packet_capture(tmp_path / "x.pcapng")
    monkeypatch.setattr("TftpLibrary.recording.capture.Capture.summary", ended)
    keywords.stop_packet_capture()
    assert (log.records[-1].levelname, log.messages[-1]) == ("WARNING", ended.warning)
    assert log.messages[-3].startswith("Captured 1 packet, 6 bytes: ")


def test_stop_without_a_capture_is_a_warning(
    keywords: CaptureKeywords, log: pytest.LogCaptureFixture
) -> None:
    assert keywords.stop_packet_capture() is None
    assert log.records[-1].levelname == "WARNING"
    assert log.messages[-1] == "Nothing to stop: No capture of 'dut' is running."


def test_stop_without_a_server_is_a_warning(
    state: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    assert CaptureKeywords(state).stop_packet_capture() is None
    assert log.messages[-1] == "Nothing to stop: No TFTP server is running."


def test_start_without_a_server_fails(state: LibraryState, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No TFTP server is running. Start one with"):
        CaptureKeywords(state).start_packet_capture(tmp_path)


def test_start_where_nothing_can_be_written_fails(
    keywords: CaptureKeywords, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="Cannot write '.*x.pcapng': the folder cannot be made"):
        keywords.start_packet_capture(tmp_path / "file" / "x.pcapng")


def test_folder_of_a_capture_is_made(keywords: CaptureKeywords, tmp_path: Path) -> None:
    path = keywords.start_packet_capture(tmp_path / "new" / "folder" / "x.pcapng")
    assert path.is_file()


def test_captures_of_failed_tests_stay_and_others_are_removed(tmp_path: Path) -> None:
    """Robot's listener ends them; the log tells what became of each, and links it."""
    result = run_suite(tmp_path, SUITE, log="logs/log.html")
    assert list(failures(result)) == ["Board Fails"]
    files = {path.name: len(packets_in(path)) for path in tmp_path.glob("*.pcapng")}
    assert files == {
        "Suites.Suite-dut.pcapng": 0,
        "Board_Fails-left.pcapng": 2,
        "Board_Is_Watched-left.pcapng": 0,
    }
    told = [message.message for message in messages(result)]
    assert "Removed the capture 'Board_Boots_All_Is_Well-left.pcapng' (keep=failed)." in told
    link = '<a href="../Board_Fails-left.pcapng">Board_Fails-left.pcapng</a>'
    assert any(text.startswith("Capturing") and link in text for text in told)
    assert any(text.startswith("Captured 2 packets") and link in text for text in told)


def test_a_card_links_the_packets_of_its_transfer(tmp_path: Path) -> None:
    """That of the server, whose packets they are; `TFTP Get` has a card too."""
    result = run_suite(tmp_path, SUITE)
    cards = [each.message for each in messages(result) if each.message.startswith("<details")]
    links = {"none": "Board_Fails-left", "zImage": "Board_Boots_All_Is_Well-left"}
    for name, link in links.items():
        own = [card for card in cards if f"{name}</bdi>" in card]
        assert [f'href="{link}.pcapng"' in card for card in own].count(True) == 1
        assert [", server left" in card for card in own if "href" in card] == [True]
