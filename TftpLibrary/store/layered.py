"""Several stores as one: the first that has a file serves it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import Sink, Source, Store, StoreError, WritePolicy
from TftpLibrary.store.names import forbidden, not_found

Network = IPv4Network | IPv6Network


def network_of(text: str) -> Network:
    """Returns the network that an address or a CIDR names.

    Raises:
        UsageError: it names none.
    """
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise UsageError(
            f"'{text}' is no client. Expected an address such as 192.168.1.50, or a network such "
            "as 192.168.1.0/24."
        ) from error


class Layer(NamedTuple):
    """One store of several.

    Attributes:
        store: what serves the files.
        clients: the networks whose boards see this layer; None is everyone.
    """

    store: Store
    clients: tuple[Network, ...] | None = None

    def serves(self, client: str) -> bool:
        """Whether a board at this address sees the layer."""
        if self.clients is None:
            return True
        try:
            address = ip_address(client)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.clients)


class LayeredStore:
    """Stores on top of each other.

    A file is read from the first layer that has it. An upload goes to the last layer that the
    board sees; when `overwrite` is not allowed, a file in any layer above is a file that exists.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)

    def open_read(self, name: bytes, client: str) -> Source:
        """Opens a file for a board."""
        missing: StoreError | None = None
        for layer in self.layers:
            if layer.clients is not None and not layer.serves(client):
                continue
            try:
                return layer.store.open_read(name, client)
            except StoreError as error:
                if error.code is not ErrorCode.file_not_found:
                    raise
                missing = error
        raise missing or not_found("no layer is for this client")

    def open_write(self, name: bytes, client: str, policy: WritePolicy, size: int | None) -> Sink:
        """Opens a file for a board's upload."""
        visible = [layer.store for layer in self.layers if layer.serves(client)]
        if not visible:
            raise forbidden("no layer is for this client")
        *above, last = visible
        if (
            policy.writable
            and not policy.overwrite
            and any(_has(store, name, client) for store in above)
        ):
            raise StoreError(ErrorCode.file_exists, "File already exists")
        return last.open_write(name, client, policy, size)


def _has(store: Store, name: bytes, client: str) -> bool:
    try:
        store.open_read(name, client).close()
    except StoreError as error:
        return error.code is not ErrorCode.file_not_found
    return True
