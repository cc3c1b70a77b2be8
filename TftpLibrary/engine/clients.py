"""The clients of one server: whom `clients=` names, and where two servers name the same ones."""

from __future__ import annotations

from collections.abc import Sequence

from TftpLibrary.networks import Mac, is_within, overlap, parse_clients


class Clients:
    """Whom a server serves: the named ones, or everybody.

    Args:
        texts: the value of `clients`; empty for everybody.

    Attributes:
        texts: as given.
        has_macs: whether MAC addresses are among them.
    """

    def __init__(self, texts: Sequence[str] = ()) -> None:
        self.texts = tuple(texts)
        self._named = parse_clients(self.texts)
        self._macs = frozenset(each.octets for each in self._named if isinstance(each, Mac))
        self._networks = tuple(each for each in self._named if not isinstance(each, Mac))
        self.has_macs = bool(self._macs)

    def __bool__(self) -> bool:
        """Whether any are named."""
        return bool(self.texts)

    def __str__(self) -> str:
        return ", ".join(self.texts)

    def name(self, host: str, mac: bytes | None = None) -> bool:
        """Whether a board is one of those that are named.

        Args:
            host: its address.
            mac: its MAC address; None if it is unknown.
        """
        return mac in self._macs or is_within(host, self._networks)

    def shared_with(self, other: Clients) -> tuple[str, str] | None:
        """Returns what names the same clients here and there; None where nothing does.

        An address and a MAC address cannot be compared: what a board has shows when it asks.
        """
        for text, one in zip(self.texts, self._named, strict=True):
            for its_text, its_one in zip(other.texts, other._named, strict=True):
                if overlap(one, its_one):
                    return text, its_text
        return None
