"""Names and addresses, and what is said where one cannot be had."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from TftpLibrary.engine import hosts, interfaces, udp
from TftpLibrary.engine.interfaces import Interface
from TftpLibrary.errors import UsageError
from utest.support.bench import linux_only

ROOT = Path(__file__).parents[2]
NOT_OURS = "192.0.2.77"
"""An address that nobody has (RFC 5737)."""


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


def have(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, str]) -> None:
    """Lets this machine have these addresses at these interfaces."""
    monkeypatch.setattr(hosts, "interfaces", lambda: [Interface(*each) for each in addresses])
    monkeypatch.setattr(interfaces, "interfaces", lambda: [Interface(*each) for each in addresses])


def route(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Lets datagrams to every client leave from an address."""
    monkeypatch.setattr(hosts, "source_address", lambda _client: source)


def test_a_board_reaches_the_address_that_is_bound_or_that_of_its_route(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    route(monkeypatch, "10.0.0.1")
    assert hosts.address_for("10.0.0.9", "10.0.0.1") == "10.0.0.1"
    assert hosts.address_for("10.0.0.9", "0.0.0.0") == "10.0.0.1"
    assert hosts.address_for("127.0.0.9", "127.0.0.1") == "127.0.0.1"


def test_a_client_on_this_machine_reaches_each_of_its_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    route(monkeypatch, "10.0.0.1")
    assert hosts.address_for("10.0.0.1", "127.0.0.1") == "127.0.0.1"


def test_a_board_that_reaches_one_address_of_an_interface_reaches_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    route(monkeypatch, "10.0.0.1")
    have(monkeypatch, ("10.0.0.1", "eth1"), ("10.0.0.2", "eth1"))
    assert hosts.address_for("10.0.0.9", "10.0.0.2") == "10.0.0.2"


def test_a_board_that_reaches_this_machine_elsewhere_is_told_where(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    route(monkeypatch, "192.168.77.1")
    have(monkeypatch, ("10.50.0.5", "eth0"), ("192.168.77.1", "eth1"))
    with pytest.raises(UsageError) as caught:
        hosts.address_for("192.168.77.50", "10.50.0.5")
    assert str(caught.value) == (
        "The board 192.168.77.50 reaches this machine at 192.168.77.1, but the server is bound to "
        "10.50.0.5. Start it with host=192.168.77.1, or with host=0.0.0.0 for all addresses."
    )


def test_a_server_that_found_no_address_but_loopback_is_doubted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    have(monkeypatch, ("192.168.1.1", "eth1"))
    assert hosts.doubts("192.168.1.1") == []
    text = (
        "There is no default route, so host=auto is bound to loopback (127.0.0.1), which boards "
        "cannot reach."
    )
    assert hosts.doubts("127.0.0.1") == [
        f"{text} This machine has 192.168.1.1 (eth1): give one of these as host=."
    ]
    have(monkeypatch)
    assert hosts.doubts("127.0.0.1") == [text]


@pytest.mark.parametrize("host", ["127.0.0.9", "::1", "localhost"])
def test_loopback_is_known(host: str) -> None:
    assert hosts.doubts(host)
    assert not hosts.doubts("board-7")


def test_a_server_is_resolved_to_its_family_and_address() -> None:
    assert hosts.resolve_peer("127.0.0.1", 69) == ((socket.AF_INET, ("127.0.0.1", 69)),)
    assert hosts.resolve_peer("::1", 69) == ((socket.AF_INET6, ("::1", 69, 0, 0)),)


def test_a_name_with_several_addresses_is_resolved_to_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    six, four = (socket.AF_INET6, ("::1", 69, 0, 0)), (socket.AF_INET, ("127.0.0.1", 69))
    found = [(family, socket.SOCK_DGRAM, 17, "", address) for family, address in (six, four, six)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert hosts.resolve_peer("localhost", 69) == (six, four)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a" * 70])
def test_a_server_that_is_not_found_is_told(host: str) -> None:
    with pytest.raises(UsageError, match=f"^Cannot find the host '{host}'.* can resolve.$"):
        hosts.resolve_peer(host, 69)


def test_a_server_whose_name_has_several_addresses_says_which_one_is_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert hosts.unbound("127.0.0.1", "127.0.0.1") == []
    assert hosts.unbound("::", "::") == []
    found = [(0, 0, 0, "", ("::1", 0, 0, 0)), (0, 0, 0, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert hosts.unbound("localhost", "::1") == [
        "The name localhost stands for ::1 and 127.0.0.1; the server is bound to ::1 alone, and "
        "nobody reaches it at 127.0.0.1."
    ]


def test_addresses_are_written_as_people_write_them() -> None:
    assert hosts.readable_host(("::ffff:192.168.1.50", 1, 0, 0)) == "192.168.1.50"
    assert hosts.readable_host(("::ffff:1", 1, 0, 0)) == "::ffff:1"
    assert hosts.readable_host(("fd00::1", 1, 0, 0)) == "fd00::1"
    assert hosts.url_host("fd00::1") == "[fd00::1]"
    assert hosts.url_host("192.168.1.50") == "192.168.1.50"


def test_a_wildcard_is_told_from_an_address_and_a_name() -> None:
    all_of_them = ("0.0.0.0", "::", "127.0.0.1", "::1", "localhost")
    assert [hosts.is_wildcard(host) for host in all_of_them] == [True, True, False, False, False]


# Addresses that cannot be bound


def test_an_address_of_another_machine_is_told_with_what_to_do() -> None:
    with pytest.raises(UsageError) as error:
        udp.bind_request_socket(NOT_OURS, 6969)
    assert str(error.value) == (
        f"Cannot bind {NOT_OURS}:6969: this machine does not have the address {NOT_OURS}. Use one "
        "of its own addresses, 0.0.0.0 for all of them, or auto."
    )


@pytest.mark.parametrize("host", ["no.such.host.invalid", "300.1.1.1", "a" * 70])
def test_a_host_that_does_not_resolve_is_told_with_what_would_be_right(host: str) -> None:
    with pytest.raises(UsageError) as error:
        udp.bind_request_socket(host, 0)
    assert str(error.value).startswith(f"Cannot bind '{host}': ")
    assert str(error.value).endswith(
        ". Expected an address of this machine, such as 127.0.0.1, 0.0.0.0 for all of them, or "
        "auto."
    )


def test_an_unusual_trouble_is_told_in_the_words_of_the_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def bind(*_: object) -> None:
        raise OSError(errno.ENOBUFS, "No buffer space available")

    monkeypatch.setattr(socket.socket, "bind", bind)
    with pytest.raises(UsageError, match="^Cannot bind 127.0.0.1:69: no buffer space available.$"):
        udp.bind_request_socket("127.0.0.1", 69)


BIND_WITHOUT_RIGHTS = """
import encodings.idna, os, sys
from TftpLibrary.engine import udp
from TftpLibrary.errors import UsageError
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    udp.bind_request_socket("127.0.0.1", int(sys.argv[1]))
except UsageError as error:
    print(error)
"""


@linux_only
def test_a_port_that_needs_a_right_is_told_with_how_to_allow_it() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if lowest < 2:
        pytest.skip("every user may bind every port here")
    done = subprocess.run(
        [sys.executable, "-c", BIND_WITHOUT_RIGHTS, str(lowest - 1)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.stdout.strip() == (
        f"Cannot bind 127.0.0.1:{lowest - 1}: permission denied. Use port=0 or a port above 1023, "
        f"or allow it: sysctl net.ipv4.ip_unprivileged_port_start={lowest - 1}"
    )


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    error = OSError(errno.EADDRINUSE, "Address already in use")
    assert hosts.bind_trouble("::1", 69, error) == (
        "Cannot bind [::1]:69: the port is in use by another program. Stop that program, or use "
        "port=0 to take a free port."
    )
