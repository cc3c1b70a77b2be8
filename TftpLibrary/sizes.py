"""Sizes: the one parser of `4 MiB`, and the words for a number of bytes.

The words are the same in messages, in logs and on the command line. Their units are decimal, as
on a disk's label: 1 MB is 1,000,000 bytes.
"""

from __future__ import annotations

import re

from TftpLibrary.errors import UsageError

_KILO = 1000
_UNITS = ("kB", "MB", "GB", "TB")
_SIZE = r"(\d[\d_]*)(?:\.(\d+))? ?(?:([kmgt])(i?)b?|b)?"


def parse_size(text: str) -> int:
    """Returns the octets of a size: `1468`, `64 kB` (thousands), `4 MiB` (1024 times 1024).

    Raises:
        UsageError: the text is no size, or no whole number of octets.
    """
    if match := re.fullmatch(_SIZE, text.strip().lower()):
        whole, fraction, prefix, binary = match.groups(default="")
        factor: int = (1024 if binary else _KILO) ** " kmgt".index(prefix or " ")
        # In integers: 4.35 kB is 4350 octets, and not 4349.999999999999.
        parts: int = 10 ** len(fraction)
        octets, rest = divmod(int(whole + fraction) * factor, parts)
        if not rest:
            return octets
    raise UsageError(
        f"Expected a size in whole bytes, such as 1468, 512 kB or 4 MiB, got '{text.strip()}'."
    )


def size_text(octets: int) -> str:
    """Returns a size in words: `1 byte`, `512 bytes`, `7.8 MB`."""
    if octets < _KILO:
        return "1 byte" if octets == 1 else f"{octets} bytes"
    factor, unit = _unit(octets)
    return f"{octets / factor:.1f} {unit}"


def part_text(octets: int, size: int) -> str:
    """Returns a part of a size in the unit of the whole: `3.2 of 7.8 MB`."""
    if size < _KILO:
        return f"{octets} of {size_text(size)}"
    return f"{octets / _unit(size)[0]:.1f} of {size_text(size)}"


def percent_text(octets: int, size: int) -> str:
    """Returns a part of a size in per cent, rounded down: `100 %` means the whole."""
    return f"{100 * octets // size if size else 100} %"


def rate_text(octets_per_second: float) -> str:
    """Returns a rate in words: `5.1 MB/s`."""
    return f"{size_text(round(octets_per_second))}/s"


def _unit(octets: int) -> tuple[int, str]:
    """The largest unit in which the size is at least 1.0, after it is rounded."""
    power = 1
    while power < len(_UNITS) and octets >= (_KILO - 0.05) * _KILO**power:
        power += 1
    return _KILO**power, _UNITS[power - 1]
