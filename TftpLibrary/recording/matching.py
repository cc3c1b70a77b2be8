"""What matches what: names and globs, clients and networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from TftpLibrary.networks import is_within, parse_network
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Transfer


def matches_name(transfer: Transfer, pattern: str) -> bool:
    r"""Returns whether the name asked is the pattern, or matches it as a glob.

    A leading `/` does not count on either side, and `\` is `/`. `*` matches `/` too. An empty
    pattern matches every name.
    """
    return name_test(pattern)(transfer.filename)


def name_test(pattern: str) -> Callable[[str], bool]:
    """Returns a test of a name for `matches_name`; the pattern is parsed once."""
    if not pattern:
        return lambda _name: True
    wanted = plain_name(pattern)

    def is_meant(name: str) -> bool:
        plain = plain_name(name)
        return plain == wanted or fnmatchcase(plain, wanted)

    return is_meant


def select(
    transfers: Iterable[Transfer],
    name: str = "",
    client: str = "",
    outcome: Outcome | None = None,
    direction: Direction | None = None,
) -> tuple[Transfer, ...]:
    """Returns the transfers that match all that is given, in their order.

    Raises:
        UsageError: `client` is neither an address nor a network.
    """
    is_name, is_client = name_test(name), client_test(client)
    return tuple(
        transfer
        for transfer in transfers
        if (outcome is None or transfer.outcome is outcome)
        and (direction is None or transfer.direction is direction)
        and is_name(transfer.filename)
        and is_client(transfer.client)
    )


def plain_name(name: str) -> str:
    r"""Returns a name as it is compared: without a leading `/`, with `/` for `\`."""
    return name.replace("\\", "/").lstrip("/")


def client_test(client: str) -> Callable[[str], bool]:
    """Returns a test of an address; the text is parsed once.

    Args:
        client: an address, or a network such as `192.168.1.0/24`; empty fits every address.

    Raises:
        UsageError: the text is neither an address nor a network.
    """
    if not client:
        return lambda _address: True
    networks = (parse_network(client, "client"),)
    # One answer per address: a record holds thousands of transfers of a few clients.
    known: dict[str, bool] = {client: True}

    def is_in(address: str) -> bool:
        if address not in known:
            known[address] = is_within(address, networks)
        return known[address]

    return is_in
