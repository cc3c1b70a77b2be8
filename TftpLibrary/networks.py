"""The one parser of addresses and networks, and the one test whether a client is in a network.

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

from TftpLibrary.errors import UsageError

Network = IPv4Network | IPv6Network

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


def holds(network: Network, other: Network) -> bool:
    """Whether every address of the other network is in this one."""
    if isinstance(network, IPv4Network):
        return isinstance(other, IPv4Network) and other.subnet_of(network)
    return isinstance(other, IPv6Network) and other.subnet_of(network)


def overlap(network: Network, other: Network) -> bool:
    """Whether an address is in both networks."""
    return holds(network, other) or holds(other, network)


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
