from __future__ import annotations

import pytest
from assertionengine import AssertionOperator

from TftpLibrary.engine.settings import ServerSettings
from TftpLibrary.errors import ExpectationError, UsageError
from TftpLibrary.keywords.server_info import ServerInfoKeywords, TftpServerInfo
from TftpLibrary.keywords.state import LibraryState, StartRequest

EQUAL = AssertionOperator["=="]


@pytest.fixture
def keywords(started: LibraryState) -> ServerInfoKeywords:
    return ServerInfoKeywords(started)


def test_a_server_is_told_by_its_alias_or_the_active_one(keywords: ServerInfoKeywords) -> None:
    server = keywords.state.server()
    info = keywords.get_tftp_server()
    assert info == keywords.get_tftp_server("dut")
    assert info == TftpServerInfo(
        "dut", "127.0.0.1", server.port, server.url(), server.root, writable=True
    )


def test_host_port_and_url_are_the_real_ones(keywords: ServerInfoKeywords) -> None:
    port = keywords.state.server().port
    assert keywords.get_tftp_server_host() == "127.0.0.1"
    assert keywords.get_tftp_server_port() == port
    assert keywords.get_tftp_server_url() == f"tftp://127.0.0.1:{port}/"
    assert keywords.get_tftp_server_url("boot/zImage") == f"tftp://127.0.0.1:{port}/boot/zImage"


def test_the_getters_check(keywords: ServerInfoKeywords) -> None:
    port = keywords.state.server().port
    keywords.get_tftp_server_host(EQUAL, "127.0.0.1")
    keywords.get_tftp_server_port(EQUAL, str(port))
    with pytest.raises(AssertionError, match=r"Host '127.0.0.1' \(str\) should be '::1' \(str\)"):
        keywords.get_tftp_server_host(EQUAL, "::1")
    with pytest.raises(AssertionError, match=r"Port '\d+' .* should be '0.0'"):
        keywords.get_tftp_server_port(EQUAL, "0")
    with pytest.raises(AssertionError, match=r"URL 'tftp://.*/' \(str\) should be 'x' \(str\)"):
        keywords.get_tftp_server_url("", EQUAL, "x")


def test_the_address_for_a_client_is_that_of_the_route(state: LibraryState) -> None:
    state.start("all", StartRequest(None, ServerSettings(host="0.0.0.0")))
    keywords = ServerInfoKeywords(state)
    assert keywords.get_tftp_server_host() == "0.0.0.0"
    assert keywords.get_tftp_server_host(for_client="127.0.0.5") == "127.0.0.1"


def test_a_server_should_be_running(keywords: ServerInfoKeywords) -> None:
    keywords.tftp_server_should_be_running()
    keywords.tftp_server_should_be_running("dut")
    with pytest.raises(ExpectationError) as caught:
        keywords.tftp_server_should_be_running("x")
    assert str(caught.value) == "No TFTP server 'x'. Running: dut."


def test_a_server_should_not_be_running(keywords: ServerInfoKeywords) -> None:
    url = keywords.state.server().url()
    keywords.tftp_server_should_not_be_running("x")
    for alias in ("", "dut"):
        with pytest.raises(ExpectationError) as caught:
            keywords.tftp_server_should_not_be_running(alias)
        assert str(caught.value) == (
            f"TFTP server 'dut' should not be running, but it is, at {url}."
        )
    keywords.state.stop()
    keywords.tftp_server_should_not_be_running()


def test_without_a_server_getters_name_the_keyword_that_starts_one(state: LibraryState) -> None:
    keywords = ServerInfoKeywords(state)
    for getter in (
        keywords.get_tftp_server,
        keywords.get_tftp_server_host,
        keywords.get_tftp_server_port,
        keywords.get_tftp_server_url,
    ):
        with pytest.raises(UsageError, match="Start one with `Start TFTP Server`"):
            getter()
