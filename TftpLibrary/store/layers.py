"""Several stores as one: the first that has a file serves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from TftpLibrary.networks import Network, is_within, network_text
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import (
    Sink,
    Source,
    Store,
    StoreError,
    WritePolicy,
    exists,
    forbidden,
    not_found,
)


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
        return self.clients is None or is_within(client, self.clients)


class LayeredStore:
    """Stores on top of each other.

    A file is read from the first layer that has it. An upload goes to the last layer that the
    board sees; without `overwrite`, a file in any layer above counts as an existing file.
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
        raise self._for_others(name, client) or missing or not_found("no layer is for this client")

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
            raise exists()
        return last.open_write(name, client, policy, size)

    def _for_others(self, name: bytes, client: str) -> StoreError | None:
        """The refusal that says for whom a file is there, where it is there for others."""
        for layer in self.layers:
            if layer.clients and not layer.serves(client) and _has(layer.store, name, client):
                allowed = ", ".join(map(network_text, layer.clients))
                return not_found(f"it is there for {allowed} only", Cause.for_others)
        return None


def _has(store: Store, name: bytes, client: str) -> bool:
    try:
        store.open_read(name, client).close()
    except StoreError as error:
        return error.code is not ErrorCode.file_not_found
    return True
