"""The addresses of this machine, in network namespaces that the tests make themselves."""

from __future__ import annotations

import socket
import subprocess
import sys
from functools import cache

import pytest

from TftpLibrary.engine import interfaces as module
from TftpLibrary.engine.interfaces import Interface, interfaces, share_an_interface
from utest.support.bench import linux_only

NETWORKS = """
ip link set lo up
for name in office bench; do
    ip link add $name type veth peer name ${name}-far
    ip link set $name up
    ip link set ${name}-far up
done
ip address add 10.50.0.5/24 dev office
ip address add 192.168.77.1/24 dev bench
ip address add 192.168.77.2/24 dev bench label bench:1
"""
OFFICE = "ip route add default via 10.50.0.1\n"


@cache
def may_make_networks() -> bool:
    """Whether this user and this machine can make network namespaces with two networks."""
    try:
        done = subprocess.run(
            ["unshare", "-n", "sh", "-e", "-c", NETWORKS], capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def run_there(program: str, setup: str = NETWORKS) -> list[str]:
    """Runs a Python program where only these networks are, and returns the lines it prints."""
    if not may_make_networks():
        pytest.skip("needs root, unshare and ip, to make a network namespace")
    script = f'{setup}\nexec "$0" -c "$1"'
    words = ["unshare", "-n", "sh", "-e", "-c", script, sys.executable, program]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


SERVE = """
from TftpLibrary import ExpectationError, Request, ServerSettings, TftpServer, UsageError
with TftpServer(settings=ServerSettings(host="auto")) as server:
    print(server.host)
    print(*server.warnings)
    for board in "192.168.77.50", "10.50.0.9":
        try:
            print(server.address_for(board))
        except UsageError as error:
            print(error)
    try:
        server.wait_until(Request("zImage"), 0.0)
    except ExpectationError as error:
        print(str(error).replace(str(server.port), "PORT"))
"""


def test_the_addresses_are_those_of_the_interfaces() -> None:
    program = (
        "from TftpLibrary.engine.interfaces import interfaces; print(*interfaces(), sep='\\n')"
    )
    assert sorted(run_there(program)) == [
        "10.50.0.5 (office)",
        "192.168.77.1 (bench)",
        "192.168.77.2 (bench)",
    ]


def test_a_server_in_another_network_than_the_board_says_so() -> None:
    host, warnings, for_bench, for_office, *failure = run_there(SERVE, NETWORKS + OFFICE)
    assert (host, warnings, for_office) == ("10.50.0.5", "", "10.50.0.5")
    assert for_bench.startswith(
        "The board 192.168.77.50 reaches this machine at 192.168.77.1, but the server is bound to "
        "10.50.0.5."
    )
    assert failure[0].startswith("'zImage' was not requested in 0 ms: nothing was requested at ")
    assert failure[-1] == "No request was seen at 10.50.0.5:PORT."


def test_on_a_bench_without_a_default_route_the_start_warns() -> None:
    host, warning, for_bench, _, *failure = run_there(SERVE)
    assert host == "127.0.0.1"
    assert warning.startswith("There is no default route, so host=auto is bound to loopback")
    assert "192.168.77.1 (bench)" in warning
    assert "reaches this machine at 192.168.77.1, but" in for_bench
    assert "at 127.0.0.1:PORT. Only this machine reaches that address" in failure[0]


def test_addresses_of_one_interface_are_known_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    all_of_them = [Interface("10.0.0.1", "a"), Interface("10.0.0.2", "a"), Interface("10.0.0.3")]
    monkeypatch.setattr(module, "_all", lambda: all_of_them)
    assert share_an_interface("10.0.0.1", "10.0.0.2")
    assert not share_an_interface("10.0.0.1", "10.0.0.3")
    assert not share_an_interface("10.0.0.3", "10.0.0.3")


def test_an_interface_reads_as_its_address_and_its_name() -> None:
    assert [str(Interface("10.0.0.1")), str(Interface("10.0.0.1", "eth1"))] == [
        "10.0.0.1",
        "10.0.0.1 (eth1)",
    ]


@linux_only
def test_loopback_is_not_an_address_for_boards() -> None:
    assert not any(each.address.startswith("127.") for each in interfaces())


def test_a_system_that_does_not_tell_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(socket, "socket", fail)
    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert interfaces() == []
