"""The one parser of addresses, networks and MAC addresses, and the tests whether one fits.

Zone identifiers (`fe80::1%eth0`) name an interface of this machine and never count. An IPv4
address that a dual-stack socket shows as `::ffff:192.168.1.50` counts as the IPv4 address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import NamedTuple

from TftpLibrary.errors import UsageError

Network = IPv4Network | IPv6Network


class Mac(NamedTuple):
    """The MAC address of a board.

    Attributes:
        octets: six of them.
    """

    octets: bytes

    def __str__(self) -> str:
        return self.octets.hex(":")


Client = Network | Mac
"""A board, or some boards, as a server names them."""

_MACS = (
    "([0-9a-f]{2}:){5}[0-9a-f]{2}",
    "([0-9a-f]{2}-){5}[0-9a-f]{2}",
    r"([0-9a-f]{4}\.){2}[0-9a-f]{4}",
    "[0-9a-f]{12}",
)
"""As Linux, Windows and network gear write it, and without any signs."""
_MAC = re.compile("|".join(_MACS), re.IGNORECASE)
_MAPPED = IPv6Network("::ffff:0:0/96")


def parse_network(text: str, argument: str) -> Network:
    """Returns the network that an address (`192.168.1.50`) or a CIDR names.

    Args:
        text: the address or the network; `192.168.1.50/24` is the network of that board.
        argument: the name of the argument that has it, for the message.

    Raises:
        UsageError: it is neither.
    """
    try:
        network = ip_network(re.sub("%[^/]*", "", text.strip()), strict=False)
    except ValueError:
        raise UsageError(
            f"{argument}={text!r} is neither an address nor a network. Expected for example "
            "192.168.1.50, 192.168.1.0/24 or fe80::/10."
        ) from None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return IPv4Network((_unmapped(network.network_address), network.prefixlen - 96))
    return network


def parse_mac(text: str) -> Mac | None:
    """Returns the MAC address that a text is, in any common writing; None if it is none."""
    plain = text.strip()
    return Mac(bytes.fromhex(re.sub("[:.-]", "", plain))) if _MAC.fullmatch(plain) else None


def parse_client(text: str, argument: str) -> Client:
    """Returns whom an address, a CIDR or a MAC address names.

    Args:
        text: one of them.
        argument: the name of the argument that has it, for the message.

    Raises:
        UsageError: it is none of them.
    """
    mac = parse_mac(text)
    if mac is not None:
        return mac
    try:
        return parse_network(text, argument)
    except UsageError:
        raise UsageError(
            f"{argument}={text!r} is neither an address, a network nor a MAC address. Expected for "
            "example 192.168.1.50, 192.168.1.0/24, fe80::/10 or 52:54:00:ab:cd:07."
        ) from None


def parse_clients(texts: Iterable[str]) -> tuple[Client, ...]:
    """Returns whom the setting `clients` names."""
    return tuple(parse_client(text, "clients") for text in texts)


def network_text(network: Network) -> str:
    """Returns a network as people write it; that of a single address is the address."""
    is_single = network.num_addresses == 1
    return str(network.network_address if is_single else network)


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address lies in one of the networks; text that is no address lies in none."""
    try:
        found = _unmapped(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return any(found in network for network in networks)


def holds(client: Client, other: Client) -> bool:
    """Whether every board of the other one is one of these; a MAC address is in no network."""
    if isinstance(client, IPv4Network):
        return isinstance(other, IPv4Network) and other.subnet_of(client)
    if isinstance(client, IPv6Network):
        return isinstance(other, IPv6Network) and other.subnet_of(client)
    return client == other


def overlap(client: Client, other: Client) -> bool:
    """Whether two name the same board, as far as their texts show it."""
    return holds(client, other) or holds(other, client)


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
