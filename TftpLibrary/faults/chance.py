"""Chance that comes again: a share from 0 to 1 that follows from a seed and a packet's identity.

Clock, address, port and other transfers have no part in it, so the same board meets the same day
in another lab, under load and beside others.
"""

from __future__ import annotations

from hashlib import blake2b

_SPAN = 1 << 64


def share(seed: int, *what: object) -> float:
    """Returns a number from 0 up to 1, the same one for the same arguments in every process."""
    identity = repr((seed, *what)).encode("utf-8", "backslashreplace")
    return int.from_bytes(blake2b(identity, digest_size=8).digest(), "big") / _SPAN
