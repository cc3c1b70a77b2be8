"""Hosts: resolves names, finds addresses of this machine, and explains why one cannot be used.

An address is one of the socket module; a host is its first part, as people write it. No socket is
kept open, and one that looks a route up sends nothing.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

from TftpLibrary.engine.interfaces import interfaces, share_an_interface
from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.datagrams import Endpoint

Address = tuple[Any, ...]
"""An address of the socket module: (host, port) or (host, port, flow, scope)."""

_TEST_NETWORKS = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that nobody has (RFC 5737, RFC 3849): the way to them is the default route."""


def default_address() -> str:
    """Returns the address of the interface with the default route; loopback without one."""
    for family, host in _TEST_NETWORKS:
        with contextlib.suppress(OSError):
            return _source_address(family, (host, 9))
    return "127.0.0.1"


def doubts(host: str) -> list[str]:
    """Returns a sentence if the address that was found for `auto` is one that no board reaches."""
    if not _is_loopback(host):
        return []
    others = ", ".join(map(str, interfaces()))
    has = f" This machine has {others}: give one of these as host=." if others else ""
    return [
        f"There is no default route, so host=auto is bound to loopback ({host}), which boards "
        f"cannot reach.{has}"
    ]


def address_for(client: str, bound: str) -> str:
    """Returns the address by which a client reaches a server that is bound to an address.

    Raises:
        UsageError: there is no route to the client, or it reaches this machine only by another
            address.
    """
    if not is_wildcard(bound) and _is_loopback(client):
        return bound
    source = source_address(client)
    # A client on this machine reaches each of its addresses.
    if is_wildcard(bound) or source == bound:
        return source
    if source == client or share_an_interface(source, bound):
        return bound
    raise UsageError(
        f"The board {client} reaches this machine at {source}, but the server is bound to {bound}. "
        f"Start it with host={source}, or with host=0.0.0.0 for all addresses."
    )


def source_address(host: str) -> str:
    """Returns the local address from which datagrams to `host` leave.

    Raises:
        UsageError: the host is no address, or there is no route to it.
    """
    try:
        infos = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)
        return _source_address(infos[0][0], infos[0][4])
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"There is no route to {host!r} ({_reason(error)}). Expected the address of a board "
            "in a network that this machine is connected to."
        ) from error


def resolve_peer(host: str, port: int) -> tuple[tuple[int, Address], ...]:
    """Returns the families and addresses of a server: a name may have several.

    Raises:
        UsageError: the name cannot be resolved.
    """
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"Cannot find the host {host!r} ({_reason(error)}). Expected an address or a name "
            "that this machine can resolve."
        ) from error
    return tuple(dict.fromkeys((info[0], info[4]) for info in infos))


def resolve_local(host: str, port: int) -> tuple[int, Address]:
    """Returns the family and the address to bind.

    Raises:
        UsageError: the name cannot be resolved.
    """
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"Cannot bind {host!r}: {_reason(error)}. Expected an address of this machine, such "
            "as 127.0.0.1, 0.0.0.0 for all of them, or auto."
        ) from error
    return infos[0][0], infos[0][4]


def unbound(host: str, bound: str) -> list[str]:
    """Returns a sentence if the name of a server stands for more addresses than the bound one."""
    infos = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    found = dict.fromkeys(readable_host(info[4]) for info in infos)
    others = [each for each in found if each != bound]
    if not others:
        return []
    return [
        f"The name {host} stands for {' and '.join(found)}; the server is bound to {bound} alone, "
        f"and nobody reaches it at {' or '.join(others)}."
    ]


def bind_trouble(host: str, port: int, error: OSError) -> str:
    """Returns why an address cannot be bound, and what to do."""
    where = f"Cannot bind {url_host(host)}:{port}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"{where}: permission denied. Use port=0 or a port above 1023, or allow it: "
            f"sysctl net.ipv4.ip_unprivileged_port_start={port}"
        )
    if error.errno == errno.EADDRINUSE:
        return (
            f"{where}: the port is in use by another program. Stop that program, or use port=0 "
            "to take a free port."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{where}: this machine does not have the address {host}. Use one of its own "
            "addresses, 0.0.0.0 for all of them, or auto."
        )
    return f"{where}: {_reason(error)}."


def readable_host(address: Address) -> str:
    """Returns the host of an address as people write it, without the mapping of IPv4 into IPv6."""
    host = str(address[0])
    return host[7:] if host.startswith("::ffff:") and "." in host else host


def is_wildcard(host: str) -> bool:
    """Whether an address stands for all of this machine."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def url_host(host: str) -> str:
    """Returns a host as it stands in a URL: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def server_url(host: str, port: int, name: str = "") -> str:
    """Returns the URL of a file, or of a server: `tftp://host:port/name`."""
    path = quote(name.lstrip("/"), safe="/;=+,:@!$&'()*~", errors="surrogateescape")
    return f"tftp://{url_host(host)}:{port}/{path}"


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return str(text)[:1].lower() + str(text)[1:]


def _source_address(family: int, address: Address) -> str:
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        # Connecting a UDP socket sends nothing: it looks the route up.
        sock.connect(address)
        return readable_host(sock.getsockname())


def endpoint(address: Address) -> Endpoint:
    """Returns an address and its port as captures show them."""
    return readable_host(address).partition("%")[0], int(address[1])
