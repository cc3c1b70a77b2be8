"""The clients of one server: whom `clients=` names, and where two servers name the same ones."""

from __future__ import annotations

from collections.abc import Sequence

from TftpLibrary.networks import is_within, overlap, parse_network

_REMEMBERED = 1000
"""Addresses of which the answer is remembered; anybody may send from any address."""


class Clients:
    """Whom a server serves: the named ones, or everybody.

    Args:
        texts: the value of `clients`; empty for everybody.

    Attributes:
        texts: as given.
    """

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self.texts = tuple(texts)
        self._networks = tuple(parse_network(text, "clients") for text in self.texts)
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        """Whether any are named."""
        return bool(self.texts)

    def __str__(self) -> str:
        return ", ".join(self.texts)

    def name(self, host: str) -> bool:
        """Whether an address is one of those that are named."""
        known = self._known.get(host)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[host] = is_within(host, self._networks)
        return known

    def shared_with(self, other: Clients) -> tuple[str, str] | None:
        """Returns what names the same clients here and there; None where nothing does."""
        for text, network in zip(self.texts, self._networks, strict=True):
            for its_text, its_network in zip(other.texts, other._networks, strict=True):
                if overlap(network, its_network):
                    return text, its_text
        return None
