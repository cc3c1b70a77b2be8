"""Clients in networks: addresses, networks, zones and IPv4 in IPv6."""

from __future__ import annotations

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.networks import (
    Mac,
    holds,
    is_within,
    overlap,
    parse_client,
    parse_clients,
    parse_mac,
    parse_network,
)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.168.1.50", "192.168.1.50"),
        ("192.168.1.50", " 192.168.1.0/24 "),
        ("192.168.1.50", "192.168.1.1/24"),
        ("fe80::1", "fe80:0::1"),
        ("::1", "::1"),
        ("fe80::1%eth0", "fe80::/10"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("fe80::1%eth0", "fe80::1%eth1"),
        ("fe80::2", "fe80::1%eth0/64"),
        ("::ffff:192.168.1.50", "192.168.1.0/24"),
        ("192.168.1.50", "::ffff:192.168.1.50"),
        ("192.168.1.50", "::ffff:192.168.1.0/120"),
        ("::ffff:192.168.1.50", "::ffff:192.168.1.0/120"),
    ],
)
def test_an_address_is_in_its_network(address: str, network: str) -> None:
    assert is_within(address, [parse_network(network, "client")])


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.168.1.51", "192.168.1.50"),
        ("10.0.0.1", "192.168.1.0/24"),
        ("fe80::1", "192.168.1.0/24"),
        ("192.168.1.50", "fe80::/10"),
        ("::ffff:192.168.2.50", "::ffff:192.168.1.0/120"),
        ("fec0::1%eth0", "fe80::1%eth0/64"),
        ("not an address", "0.0.0.0/0"),
        ("", "0.0.0.0/0"),
    ],
)
def test_an_address_outside_is_not_in_the_network(address: str, network: str) -> None:
    assert not is_within(address, [parse_network(network, "client")])


def test_one_network_of_several_is_enough() -> None:
    networks = [parse_network(text, "clients") for text in ("10.0.0.0/8", "192.168.1.0/24")]
    assert is_within("192.168.1.50", networks)
    assert not is_within("192.168.2.50", networks)
    assert not is_within("192.168.1.50", [])


@pytest.mark.parametrize("text", ["", "board-7", "192.168.1.300", "10.0.0.0/33", "fe80::1/129"])
def test_text_that_is_no_network_is_refused_with_the_name_of_the_argument(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_network(text, "only_for")
    assert str(error.value) == (
        f"only_for='{text}' is neither an address nor a network. Expected for example "
        "192.168.1.50, 192.168.1.0/24 or fe80::/10."
    )


@pytest.mark.parametrize(
    ("network", "other", "is_held"),
    [
        ("192.168.1.0/24", "192.168.1.50", True),
        ("192.168.1.0/24", "192.168.1.0/24", True),
        ("192.168.1.0/24", "192.168.0.0/16", False),
        ("192.168.1.0/24", "::1", False),
        ("fe80::/10", "fe80::1", True),
        ("fe80::/10", "192.168.1.50", False),
    ],
)
def test_a_network_holds_the_networks_within_it(network: str, other: str, is_held: bool) -> None:
    assert holds(parse_network(network, "a"), parse_network(other, "b")) is is_held


@pytest.mark.parametrize(
    "text", ["52:54:00:AB:cd:07", " 52-54-00-ab-cd-07 ", "5254.00ab.cd07", "525400ABCD07"]
)
def test_a_mac_address_has_many_writings(text: str) -> None:
    mac = parse_mac(text)
    assert mac == parse_client(text, "clients") == Mac(bytes.fromhex("525400abcd07"))
    assert str(mac) == "52:54:00:ab:cd:07"


@pytest.mark.parametrize(
    "text", ["", "52:54:00:ab:cd", "52:54-00:ab-cd:07", "52:54:00:ab:cd:0g", "192.168.1.50", "::1"]
)
def test_what_is_no_mac_address(text: str) -> None:
    assert parse_mac(text) is None


def test_clients_are_addresses_networks_and_mac_addresses() -> None:
    clients = ("192.168.1.77/24", "10.0.0.1", "fd00::/8", "5254.00AB.cd07")
    assert [str(each) for each in parse_clients(clients)] == [
        "192.168.1.0/24",
        "10.0.0.1/32",
        "fd00::/8",
        "52:54:00:ab:cd:07",
    ]


def test_text_that_names_no_client_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        parse_client("board-7", "clients")
    assert str(error.value) == (
        "clients='board-7' is neither an address, a network nor a MAC address. Expected for "
        "example 192.168.1.50, 192.168.1.0/24, fe80::/10 or 52:54:00:ab:cd:07."
    )


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        ("192.168.1.0/24", "192.168.1.50", True),
        ("192.168.1.50", "192.168.1.0/24", True),
        ("192.168.1.50", "192.168.1.51", False),
        ("52:54:00:ab:cd:07", "5254.00ab.cd07", True),
        ("52:54:00:ab:cd:07", "5254.00ab.cd08", False),
        ("52:54:00:ab:cd:07", "0.0.0.0/0", False),
        ("::/0", "52:54:00:ab:cd:07", False),
    ],
)
def test_two_texts_may_name_the_same_board(one: str, other: str, is_shared: bool) -> None:
    assert overlap(parse_client(one, "a"), parse_client(other, "b")) is is_shared
