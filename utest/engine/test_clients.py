"""Whom a server names, and where two servers name the same clients."""

from __future__ import annotations

import pytest

from TftpLibrary.engine import clients as module
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


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    clients = Clients(("10.0.0.0/8",))
    assert [clients.name(f"10.0.0.{n}") for n in range(5)] == [True] * 5
    assert len(clients._known) <= 2  # noqa: SLF001 - it has no other effect


def test_what_is_no_client_is_refused() -> None:
    with pytest.raises(UsageError, match="clients='left' is neither"):
        Clients(("left",))
