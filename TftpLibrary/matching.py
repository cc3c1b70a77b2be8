"""Matching: names with globs, clients with networks; for records, rules and stores alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

from TftpLibrary.networks import is_within, parse_network

_REMEMBERED = 1024
_WILDCARDS = frozenset("*?[")


def name_test(pattern: str) -> Callable[[str], bool]:
    r"""Returns a test of a name: whether it is the pattern, or matches it as a glob.

    A leading `/`, `//` and `./` do not count on either side, and `\` is a `/`. `*` matches `/`
    too. An empty pattern matches every name. The pattern is parsed once.
    """
    if not pattern:
        return lambda _name: True
    wanted, may_be_glob = plain_name(pattern), is_glob(pattern)

    def is_meant(name: str) -> bool:
        plain = plain_name(name)
        return plain == wanted or (may_be_glob and fnmatchcase(plain, wanted))

    return is_meant


def is_glob(pattern: str) -> bool:
    """Returns whether a pattern may match other names than itself."""
    return not pattern or not _WILDCARDS.isdisjoint(pattern)


def fitting_names(patterns: Iterable[str], names: Iterable[str]) -> dict[str, set[str]]:
    """Returns for each pattern the names that match it; only a glob is tried on every name."""
    same: dict[str, set[str]] = {}
    for name in names:
        same.setdefault(plain_name(name), set()).add(name)
    everything = {name for equal in same.values() for name in equal}
    return {
        pattern: set(filter(name_test(pattern), everything))
        if is_glob(pattern)
        else same.get(plain_name(pattern), set())
        for pattern in set(patterns)
    }


@lru_cache(maxsize=_REMEMBERED)
def plain_name(name: str) -> str:
    r"""Returns a name as the server reads it: with `/` for `\`, without what says nothing.

    That is a leading `/`, a `/` behind another, and a `./`.
    """
    plain = name.replace("\\", "/").lstrip("/")
    if "//" not in plain and "./" not in plain:
        return plain
    *folders, last = plain.split("/")
    return "/".join([*(folder for folder in folders if folder not in ("", ".")), last])


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
