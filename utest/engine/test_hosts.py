"""Names and addresses; what a failure to bind says is tested where it is bound, in test_udp."""

from __future__ import annotations

import errno
import socket
from contextlib import closing

import pytest

from TftpLibrary.engine import hosts, udp
from TftpLibrary.errors import UsageError


def test_the_default_address_is_one_of_this_machine() -> None:
    with closing(udp.bind_request_socket(hosts.default_address(), 0)) as sock:
        assert sock.getsockname()[0] not in ("0.0.0.0", "::")


def test_without_a_route_the_default_address_is_the_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreachable(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    assert hosts.default_address() == "127.0.0.1"


def test_the_source_address_is_that_of_the_route() -> None:
    assert hosts.source_address("127.0.0.9") == "127.0.0.1"


@pytest.mark.parametrize("host", ["no.such.host.invalid", "127.0.0.1.5", "a" * 70])
def test_a_host_without_a_route_is_told(host: str) -> None:
    with pytest.raises(UsageError, match=f"^There is no route to '{host}'.* Expected the address"):
        hosts.source_address(host)


def test_a_server_is_resolved_to_its_family_and_address() -> None:
    assert hosts.resolve_peer("127.0.0.1", 69) == (socket.AF_INET, ("127.0.0.1", 69))
    assert hosts.resolve_peer("::1", 69) == (socket.AF_INET6, ("::1", 69, 0, 0))


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a" * 70])
def test_a_server_that_is_not_found_is_told(host: str) -> None:
    with pytest.raises(UsageError, match=f"^Cannot find the host '{host}'.* can resolve.$"):
        hosts.resolve_peer(host, 69)


def test_addresses_are_written_as_people_write_them() -> None:
    assert hosts.readable_host(("::ffff:192.168.1.50", 1, 0, 0)) == "192.168.1.50"
    assert hosts.readable_host(("::ffff:1", 1, 0, 0)) == "::ffff:1"
    assert hosts.readable_host(("fd00::1", 1, 0, 0)) == "fd00::1"
    assert hosts.url_host("fd00::1") == "[fd00::1]"
    assert hosts.url_host("192.168.1.50") == "192.168.1.50"


def test_a_wildcard_is_told_from_an_address_and_a_name() -> None:
    all_of_them = ("0.0.0.0", "::", "127.0.0.1", "::1", "localhost")
    assert [hosts.is_wildcard(host) for host in all_of_them] == [True, True, False, False, False]
