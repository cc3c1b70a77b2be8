"""Whom a server names, and where two servers name the same clients."""

from __future__ import annotations

import pytest

from TftpLibrary.engine.clients import Clients
from TftpLibrary.errors import UsageError


@pytest.mark.parametrize(
    ("named", "host", "is_named"),
    [
        ("192.168.1.50", "192.168.1.50", True),
        ("192.168.1.50", "192.168.1.5", False),
        ("192.168.1.0/24", "192.168.1.5", True),
        ("192.168.1.0/24", "::ffff:192.168.1.5", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("fe80::/10", "fd00::1%eth0", False),
    ],
)
def test_an_address_is_named_by_itself_or_by_its_network(
    named: str, host: str, is_named: bool
) -> None:
    clients = Clients((named,))
    assert [clients.name(host) for _ in range(2)] == [is_named, is_named]


def test_who_names_nobody_serves_everybody_who_is_not_named() -> None:
    assert not Clients()
    assert not Clients().name("192.168.1.50")
    assert Clients(("192.168.1.50",))


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (("192.168.1.50",), ("192.168.1.51",), None),
        (("192.168.1.50",), ("192.168.1.50",), ("192.168.1.50", "192.168.1.50")),
        (("10.0.0.1", "192.168.1.50"), ("192.168.0.0/16",), ("192.168.1.50", "192.168.0.0/16")),
        (("192.168.0.0/16",), ("::1", "192.168.1.50"), ("192.168.0.0/16", "192.168.1.50")),
        (("::ffff:10.0.0.1",), ("10.0.0.0/8",), ("::ffff:10.0.0.1", "10.0.0.0/8")),
        (("::/0",), ("10.0.0.0/8",), None),
        ((), ("10.0.0.0/8",), None),
    ],
)
def test_what_two_servers_both_name_is_found(
    one: tuple[str, ...], other: tuple[str, ...], shared: tuple[str, str] | None
) -> None:
    assert Clients(one).shared_with(Clients(other)) == shared


def test_a_mac_address_is_named_in_any_writing() -> None:
    mac = bytes.fromhex("525400abcd07")
    for text in ("52:54:00:ab:cd:07", "52-54-00-AB-CD-07", "5254.00ab.cd07", "525400ABCD07"):
        clients = Clients((text, "10.0.0.1"))
        assert clients.has_macs
        assert clients.name("192.168.1.50", mac)
        assert clients.name("10.0.0.1", None)
        assert not clients.name("192.168.1.50", None)
        assert not clients.name("192.168.1.50", bytes(6))
        assert clients.shared_with(Clients(("5254.00ab.cd07",))) == (text, "5254.00ab.cd07")
        assert clients.shared_with(Clients(("52:54:00:ab:cd:08", "0.0.0.0/1"))) == (
            "10.0.0.1",
            "0.0.0.0/1",
        )
    assert not Clients(("10.0.0.1",)).has_macs


def test_what_is_no_client_is_refused() -> None:
    with pytest.raises(UsageError, match="clients='left' is neither an address, a network nor"):
        Clients(("left",))
