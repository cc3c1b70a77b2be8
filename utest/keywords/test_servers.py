from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

import pytest
from assertionengine import AssertionOperator

from TftpLibrary.client import TftpClient
from TftpLibrary.errors import ExpectationError, PeerError, UsageError
from TftpLibrary.fields import UNLIMITED
from TftpLibrary.keywords.conversions import to_path, to_size
from TftpLibrary.keywords.servers import ServerKeywords, TftpServerInfo
from TftpLibrary.keywords.state import Defaults, LibraryState
from TftpLibrary.keywords.stations import StartRequest
from TftpLibrary.settings import ServerSettings

EQUAL = AssertionOperator["=="]


@pytest.fixture
def keywords(state: LibraryState) -> ServerKeywords:
    return ServerKeywords(state)


def test_start_returns_what_the_server_is(keywords: ServerKeywords, tmp_path: Path) -> None:
    info = keywords.start_tftp_server(tmp_path, alias="dut", writable=True)
    assert info.port > 0
    assert (info.alias, info.host, info.root, info.writable) == ("dut", "127.0.0.1", tmp_path, True)
    assert info.url == f"tftp://127.0.0.1:{info.port}/"


def test_start_logs_where_the_server_is(
    keywords: ServerKeywords, tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    info = keywords.start_tftp_server(tmp_path, alias="dut")
    assert log.messages == [f"TFTP server 'dut' serves {tmp_path} at {info.url} (read-only)."]


def test_start_takes_the_root_of_the_import(state: LibraryState, tmp_path: Path) -> None:
    state.defaults = Defaults(host="127.0.0.1", port=0, root=tmp_path)
    assert ServerKeywords(state).start_tftp_server().root == tmp_path


def test_an_empty_root_is_that_of_the_import(state: LibraryState, tmp_path: Path) -> None:
    state.defaults = Defaults(host="127.0.0.1", port=0, root=tmp_path)
    assert ServerKeywords(state).start_tftp_server(to_path("")).root == tmp_path


def test_start_gives_the_server_all_its_settings(
    keywords: ServerKeywords, state: LibraryState
) -> None:
    keywords.start_tftp_server(
        host="0.0.0.0",
        max_upload_size=to_size("1 kB"),
        timeout=timedelta(seconds=2),
        retries=1,
        max_blksize=to_size(1024),
        max_windowsize=4,
        refuse_options="tsize",
        single_port=True,
        port_range="6000-6100",
        clients=["127.0.0.0/8"],
        rollover=1,
        max_transfers=7,
        max_transfers_per_client=2,
        max_half_open=3,
        max_duration=timedelta(minutes=1),
    )
    settings = state.server().settings
    assert (settings.host, settings.max_upload_size, settings.timeout) == ("0.0.0.0", 1000, 2.0)
    assert (settings.retries, settings.max_blksize, settings.max_windowsize) == (1, 1024, 4)
    assert (settings.refuse_options, settings.single_port) == (frozenset({"tsize"}), True)
    assert (settings.port_range, settings.clients) == ((6000, 6100), ("127.0.0.0/8",))
    assert (settings.rollover, settings.max_transfers) == (1, 7)
    assert (settings.max_transfers_per_client, settings.max_half_open) == (2, 3)
    assert settings.max_duration == 60.0


def test_files_stay_and_links_are_followed_where_the_test_wants_it(
    keywords: ServerKeywords, tmp_path: Path
) -> None:
    root, outside = tmp_path / "root", tmp_path / "zImage"
    root.mkdir()
    outside.write_bytes(b"kernel")
    (root / "link").symlink_to(outside)
    info = keywords.start_tftp_server(root, keep_files=True, follow_symlinks=True)
    keywords.state.server().files.upload_bytes(b"kept", "new")
    with TftpClient(info.host, info.port) as board:
        assert board.get_bytes("link") == b"kernel"
    keywords.stop_tftp_server()
    assert (root / "new").read_bytes() == b"kept"


def test_the_same_server_again_is_a_warning(
    keywords: ServerKeywords, log: pytest.LogCaptureFixture
) -> None:
    first = keywords.start_tftp_server(alias="dut")
    again = keywords.start_tftp_server(alias="DUT")
    assert again == first
    assert log.records[-1].levelname == "WARNING"
    assert log.messages[-1] == f"TFTP server 'dut' is running already at {first.url}."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"port": 99999}, "port must be from 0 to 65535, got 99999"),
        ({"host": "203.0.113.7"}, "203.0.113.7"),
        ({"clients": "the board"}, "clients='the board' is neither an address, a network nor"),
        ({"port_range": "high"}, "port_range must be two ports such as 6000-6100, got 'high'."),
        ({"timeout": timedelta(seconds=-1)}, "timeout must be a time of 0 s or more"),
        ({"timeout": timedelta(0)}, "timeout must be above 0"),
    ],
)
def test_what_cannot_be_fails_at_once_and_says_what_would_be_right(
    keywords: ServerKeywords, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        keywords.start_tftp_server(**arguments)
    assert message in str(caught.value)


def test_a_port_that_is_taken_is_told(keywords: ServerKeywords) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=rf"Cannot bind 127.0.0.1:{port}: .*port=0"):
            keywords.start_tftp_server(port=port)


def test_stop_returns_the_transfers_that_were_cut_short(
    keywords: ServerKeywords, log: pytest.LogCaptureFixture
) -> None:
    info = keywords.start_tftp_server(alias="dut")
    keywords.state.server().files.upload_bytes(bytes(5000), "zImage")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as board:
        board.settimeout(5)
        board.sendto(b"\0\1zImage\0octet\0", (info.host, info.port))
        board.recvfrom(1024)
        cut = keywords.stop_tftp_server("dut")
        error = board.recvfrom(1024)[0]
    assert [transfer.filename for transfer in cut] == ["zImage"]
    assert error[:2] == b"\0\5"
    assert any(
        text.startswith("Cut short: read request for 'zImage' from 127.0.0.1:")
        for text in log.messages
    )


def test_stop_gives_transfers_the_grace_to_end(keywords: ServerKeywords) -> None:
    info = keywords.start_tftp_server(alias="dut")
    keywords.state.server().files.upload_bytes(bytes(100), "zImage")
    with TftpClient(info.host, info.port) as board:
        board.get_bytes("zImage")
    assert keywords.stop_tftp_server(grace=timedelta(seconds=1)) == []


def test_stop_of_what_does_not_run_is_a_warning(
    keywords: ServerKeywords, log: pytest.LogCaptureFixture
) -> None:
    assert keywords.stop_tftp_server("dut") == []
    assert log.records[-1].levelname == "WARNING"
    assert log.messages[-1] == "Nothing to stop: No TFTP server 'dut'. Running: none."
    assert keywords.stop_tftp_server() == []
    assert log.messages[-1] == "Nothing to stop: No TFTP server is running."


def test_a_negative_grace_is_refused_and_the_server_runs_on(keywords: ServerKeywords) -> None:
    keywords.start_tftp_server(alias="dut")
    with pytest.raises(UsageError, match="grace must be a time of 0 s or more, got -1 s."):
        keywords.stop_tftp_server(grace=timedelta(seconds=-1))
    assert keywords.state.is_running("dut")


def test_stop_tells_what_could_not_be_cleaned_up(
    keywords: ServerKeywords, tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    keywords.start_tftp_server(tmp_path)
    keywords.state.server().files.upload_bytes(b"ours", "zImage")
    (tmp_path / "zImage").write_bytes(b"changed by another program")
    keywords.stop_tftp_server()
    assert (tmp_path / "zImage").read_bytes() == b"changed by another program"
    assert log.records[-1].levelname == "WARNING"
    assert "'zImage' was changed by another program" in log.messages[-1]


def test_stop_all_stops_every_server(keywords: ServerKeywords) -> None:
    keywords.start_tftp_server(alias="left")
    keywords.start_tftp_server(alias="right")
    keywords.stop_all_tftp_servers()
    assert keywords.state.running() == []


def test_switch_returns_the_previous_alias(keywords: ServerKeywords) -> None:
    keywords.start_tftp_server(alias="left")
    keywords.start_tftp_server(alias="right")
    assert keywords.switch_tftp_server("left") == "right"


def test_set_options_takes_effect_for_the_next_request(keywords: ServerKeywords) -> None:
    info = keywords.start_tftp_server()
    with TftpClient(info.host, info.port) as board:
        with pytest.raises(PeerError):
            board.put_bytes(b"log", "board.log")
        keywords.set_tftp_server_options(writable=True)
        board.put_bytes(b"log", "board.log")
    assert keywords.state.server().files.read_bytes("board.log") == b"log"


def test_set_options_returns_the_old_values_which_can_be_given_back(
    keywords: ServerKeywords,
) -> None:
    keywords.start_tftp_server(port_range="6000-6100")
    before = keywords.state.server().settings
    old = keywords.set_tftp_server_options(
        writable=True, max_upload_size=to_size("4 MiB"), timeout=timedelta(seconds=3), port_range=""
    )
    assert old == {
        "writable": False,
        "max_upload_size": "unlimited",
        "timeout": timedelta(seconds=1),
        "port_range": "6000-6100",
    }
    assert keywords.state.server().settings != before
    keywords.set_tftp_server_options(**old)
    assert keywords.state.server().settings == before


def test_a_limit_can_be_set_lifted_and_given_back(keywords: ServerKeywords) -> None:
    keywords.start_tftp_server(max_transfers_per_client=1)
    before = keywords.set_tftp_server_options(max_transfers_per_client=UNLIMITED, max_half_open=20)
    assert before == {"max_transfers_per_client": 1, "max_half_open": UNLIMITED}
    lifted = keywords.set_tftp_server_options(**before)
    assert lifted == {"max_transfers_per_client": UNLIMITED, "max_half_open": 20}


def test_set_options_without_a_server_fails(keywords: ServerKeywords) -> None:
    with pytest.raises(UsageError, match="Start one with `Start TFTP Server`"):
        keywords.set_tftp_server_options(writable=True)


# Asking


@pytest.fixture
def running(started: LibraryState) -> ServerKeywords:
    return ServerKeywords(started)


def test_a_server_is_told_by_its_alias_or_the_active_one(running: ServerKeywords) -> None:
    server = running.state.server()
    info = running.get_tftp_server()
    assert info == running.get_tftp_server("dut")
    assert info == TftpServerInfo(
        "dut", "127.0.0.1", server.port, server.url(), server.root, writable=True
    )


def test_host_port_and_url_are_the_real_ones(running: ServerKeywords) -> None:
    port = running.state.server().port
    assert running.get_tftp_server_host() == "127.0.0.1"
    assert running.get_tftp_server_port() == port
    assert running.get_tftp_server_url() == f"tftp://127.0.0.1:{port}/"
    assert running.get_tftp_server_url("boot/zImage") == f"tftp://127.0.0.1:{port}/boot/zImage"


def test_the_getters_check(running: ServerKeywords) -> None:
    port = running.state.server().port
    running.get_tftp_server_host(EQUAL, "127.0.0.1")
    running.get_tftp_server_port(EQUAL, str(port))
    with pytest.raises(AssertionError, match=r"Host '127.0.0.1' \(str\) should be '::1' \(str\)"):
        running.get_tftp_server_host(EQUAL, "::1")
    with pytest.raises(AssertionError, match=r"Port '\d+' .* should be '0'"):
        running.get_tftp_server_port(EQUAL, "0")
    with pytest.raises(AssertionError, match=r"URL 'tftp://.*/' \(str\) should be 'x' \(str\)"):
        running.get_tftp_server_url("", EQUAL, "x")


def test_the_address_for_a_client_is_that_of_the_route(state: LibraryState) -> None:
    state.start("all", StartRequest(None, ServerSettings(host="0.0.0.0")))
    running = ServerKeywords(state)
    assert running.get_tftp_server_host() == "0.0.0.0"
    assert running.get_tftp_server_host(for_client="127.0.0.5") == "127.0.0.1"


def test_a_server_should_be_running(running: ServerKeywords) -> None:
    running.tftp_server_should_be_running()
    running.tftp_server_should_be_running("dut")
    with pytest.raises(ExpectationError) as caught:
        running.tftp_server_should_be_running("x")
    assert str(caught.value) == "No TFTP server 'x'. Running: dut."


def test_a_server_should_not_be_running(running: ServerKeywords) -> None:
    url = running.state.server().url()
    running.tftp_server_should_not_be_running("x")
    for alias in ("", "dut"):
        with pytest.raises(ExpectationError) as caught:
            running.tftp_server_should_not_be_running(alias)
        assert str(caught.value) == (
            f"TFTP server 'dut' should not be running, but it is, at {url}."
        )
    running.state.stop()
    running.tftp_server_should_not_be_running()


def test_without_a_server_getters_name_the_keyword_that_starts_one(state: LibraryState) -> None:
    running = ServerKeywords(state)
    for getter in (
        running.get_tftp_server,
        running.get_tftp_server_host,
        running.get_tftp_server_port,
        running.get_tftp_server_url,
    ):
        with pytest.raises(UsageError, match="Start one with `Start TFTP Server`"):
            getter()


def test_all_running_servers_are_described_in_the_order_of_their_start(
    keywords: ServerKeywords, state: LibraryState
) -> None:
    assert keywords.get_tftp_servers() == []
    started = [keywords.start_tftp_server(alias=alias) for alias in ("right", "left")]
    assert keywords.get_tftp_servers() == started
    assert keywords.get_tftp_servers(EQUAL, ["left", "right"]) == started
    assert keywords.get_tftp_servers(EQUAL, ["LEFT", "ri ght"]) == started
    assert keywords.get_tftp_servers(AssertionOperator["contains"], "left") == started
    with pytest.raises(AssertionError, match="should not contain 'left'"):
        keywords.get_tftp_servers(AssertionOperator["not contains"], "Left")
    with pytest.raises(AssertionError, match="TFTP servers"):
        keywords.get_tftp_servers(EQUAL, "left")
    state.stop("right")
    assert keywords.get_tftp_servers() == started[1:]
