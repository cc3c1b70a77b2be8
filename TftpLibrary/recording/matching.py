"""What matches what: names and globs, clients and networks, names that are near to another.

Pure functions over records; `query.py` builds its sentences on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from fnmatch import fnmatchcase

from TftpLibrary.networks import is_within, parse_network
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Transfer

LIKENESS = 0.6
"""From here on, of 1.0, a name counts as near to another."""

_NAME_LENGTH = 120
"""Characters of a name that are compared: a peer may send thousands."""

_NAME_COUNT = 1000
"""Names that are compared, the latest ones."""

_NO_WILDCARDS = str.maketrans("", "", "*?[]")


def matches_name(transfer: Transfer, pattern: str) -> bool:
    r"""Returns whether the name asked is the pattern, or matches it as a glob.

    A leading `/` does not count on either side, and `\` is `/`. `*` matches `/` too. An empty
    pattern matches every name.
    """
    if not pattern:
        return True
    name, wanted = plain_name(transfer.filename), plain_name(pattern)
    return name == wanted or fnmatchcase(name, wanted)


def matches_client(transfer: Transfer, client: str) -> bool:
    """Returns whether the client has that address, or lies in that network.

    Args:
        transfer: the record.
        client: an address, or a network such as `192.168.1.0/24`; empty matches every client.

    Raises:
        UsageError: the text is neither an address nor a network.
    """
    return client_test(client)(transfer.client)


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
    is_client = client_test(client)
    return tuple(
        transfer
        for transfer in transfers
        if (outcome is None or transfer.outcome is outcome)
        and (direction is None or transfer.direction is direction)
        and matches_name(transfer, name)
        and is_client(transfer.client)
    )


def nearest_names(name: str, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Returns the names that are most like a name, the nearest first.

    The same name in another case or in another folder is the nearest of all.
    """
    scores = {other: _likeness(name, other) for other in _unique(names)}
    near = [other for other, score in scores.items() if score >= LIKENESS]
    return tuple(sorted(near, key=lambda other: -scores[other])[:limit])


def plain_name(name: str) -> str:
    r"""Returns a name as it is compared: without a leading `/`, with `/` for `\`."""
    return name.replace("\\", "/").lstrip("/")


def client_test(client: str) -> Callable[[str], bool]:
    """Returns a test of an address for `matches_client`; the text is parsed once.

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


def _unique(names: Iterable[str]) -> list[str]:
    """The last of the different names: comparing thousands would take seconds."""
    return list(dict.fromkeys(names))[-_NAME_COUNT:]


def _likeness(name: str, other: str) -> float:
    wanted, found = (plain_name(text).lower()[-_NAME_LENGTH:] for text in (name, other))
    wanted = wanted.translate(_NO_WILDCARDS)
    if wanted == found:
        return 1.0
    if wanted.rpartition("/")[2] == found.rpartition("/")[2]:
        return 0.95
    matcher = SequenceMatcher(None, wanted, found, autojunk=False)
    if matcher.real_quick_ratio() < LIKENESS or matcher.quick_ratio() < LIKENESS:
        return 0.0
    return matcher.ratio()
