"""The option extension: how the two ends agree, for both roles.

RFC 2347 (how options are asked and answered), RFC 2348 (blksize), RFC 2349 (timeout, tsize),
RFC 7440 (windowsize), and blksize2, utimeout and rollover as tftp-hpa has them. `grant` is the
server's part, `ask` and `check` are the client's.

An option that cannot be used is left out of the answer and never ends a transfer; a wrong answer
does, because then the two ends would cut the file into different blocks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from TftpLibrary.errors import NegotiationError
from TftpLibrary.protocol.packets import Direction, Options, Request

DEFAULT_BLKSIZE = 512
"""Octets of a block when blksize is not agreed (RFC 1350, section 2)."""
MIN_BLKSIZE = 8
MAX_BLKSIZE = 65464
MIN_WINDOWSIZE = 1
MAX_WINDOWSIZE = 65535
MIN_TIMEOUT = 1
MAX_TIMEOUT = 255
MIN_UTIMEOUT = 10_000
"""The shortest utimeout, in microseconds."""
MAX_UTIMEOUT = 255_000_000
MICROSECONDS = 1_000_000
MAX_TSIZE = 2**63 - 1


class Bounds(NamedTuple):
    """How much a server grants at most.

    Attributes:
        max_blksize: octets of a block, at most.
        max_windowsize: blocks of a window, at most.
        ignored: names of options, in lower case, that this server pretends not to know.
        rollover: the block number after 65535 where the client does not negotiate it.
        max_window_octets: octets of a window, at most; the windowsize is lowered to fit.
    """

    max_blksize: int = MAX_BLKSIZE
    max_windowsize: int = 64
    ignored: frozenset[str] = frozenset()
    rollover: int = 0
    max_window_octets: int = 16 * 1024 * 1024


class Agreement(NamedTuple):
    """The values that both ends hold to during a transfer.

    Attributes:
        blksize: octets of every block but the last.
        windowsize: blocks that are sent before an ACK is awaited.
        timeout: seconds until a packet is sent again; None where it was not agreed.
        tsize: octets of the file, where one end announced them.
        rollover: the block number after 65535: 0 or 1.
        granted: the options of the OACK, in the order and the spelling of the request.
        has_oack: whether an OACK opened the transfer; without one no option holds.
        unasked: what stands in the OACK although nobody asked for it, and changes nothing.
    """

    blksize: int = DEFAULT_BLKSIZE
    windowsize: int = MIN_WINDOWSIZE
    timeout: float | None = None
    tsize: int | None = None
    rollover: int = 0
    granted: Options = ()
    has_oack: bool = False
    unasked: Options = ()


def grant(request: Request, bounds: Bounds, size: int | None) -> Agreement:
    """Decides for a server which of the asked options it grants, and with which values.

    Each value is at most what was asked. Of two options for one thing (blksize and blksize2,
    timeout and utimeout) the first that can be used is granted.

    Args:
        request: the request with its options.
        bounds: the limits of this server.
        size: octets of the file for an RRQ; None where it is not known. Without effect for a WRQ.
    """
    if not request.options:
        return Agreement(rollover=bounds.rollover)
    granted: dict[str, tuple[str, int]] = {}
    for name, value in _once(request.options, bounds.ignored):
        option = name.lower()
        number = _number(value)
        if number is None or _RIVALS.get(option) in granted:
            continue
        if option == "tsize" and request.direction is Direction.read:
            # RFC 2349: a tsize of 0 in an RRQ asks. The size is left out where it is unknown, and
            # for an empty file, since curl takes an answer of 0 for an error.
            number = size or None
        else:
            number = _grant(option, number, bounds)
        if number is not None:
            granted[option] = (name, number)
    _bound_window(granted, bounds)
    options = tuple((name, str(number)) for name, number in granted.values())
    values = {option: number for option, (_, number) in granted.items()}
    return _agreement(values, options, bounds.rollover, has_oack=bool(options))


def announced_size(options: Options) -> int | None:
    """Returns the octets that a WRQ announces with its tsize (RFC 2349); None if it does not.

    It counts whether or not the server grants tsize: a file that cannot fit is refused at once.
    """
    for name, value in _once(options, frozenset()):
        if name.lower() == "tsize":
            return _number(value)
    return None


def ask(
    *,
    direction: Direction,
    blksize: int = DEFAULT_BLKSIZE,
    windowsize: int = MIN_WINDOWSIZE,
    timeout: float | None = None,
    tsize: int | None = None,
    rollover: int = 0,
) -> Options:
    """Returns the options of a client's request: only those that differ from plain RFC 1350.

    Args:
        direction: a read asks for the size with 0, whatever `tsize` is.
        blksize: octets of a block; 512 is not asked.
        windowsize: blocks of a window; 1 is not asked.
        timeout: seconds; None is not asked, a fraction of a second is asked as utimeout.
        tsize: octets of the file; None is not asked.
        rollover: the block number after 65535; 0 is not asked.
    """
    options = []
    if blksize != DEFAULT_BLKSIZE:
        options.append(("blksize", str(blksize)))
    if windowsize != MIN_WINDOWSIZE:
        options.append(("windowsize", str(windowsize)))
    if timeout is not None:
        if timeout == int(timeout):
            options.append(("timeout", str(int(timeout))))
        else:
            options.append(("utimeout", str(round(timeout * MICROSECONDS))))
    if tsize is not None:
        options.append(("tsize", "0" if direction is Direction.read else str(tsize)))
    if rollover:
        options.append(("rollover", str(rollover)))
    return tuple(options)


def check(asked: Options, granted: Options, rollover: int = 0) -> Agreement:
    """Checks for a client what a server granted.

    Args:
        asked: the options of the request.
        granted: those of the OACK.
        rollover: the block number after 65535 where the server does not negotiate it.

    Raises:
        NegotiationError: an option was not asked and would change the transfer, came twice, or
            has a value that breaks the rules or exceeds the value asked.
    """
    wishes = {name.lower(): value for name, value in asked}
    values: dict[str, int] = {}
    unasked = []
    for name, value in granted:
        option = name.lower()
        if option in values:
            raise NegotiationError(f"The server granted {name} twice. {_asked(asked)}")
        if option in wishes:
            values[option] = _checked(name, value, wishes[option], asked)
        elif option == "tsize" or _UNCHANGED.get(option) == _number(value) is not None:
            unasked.append((name, value))
        else:
            # RFC 2347: "The server must not include in the OACK any option which had not been
            # specifically requested by the client". An option without effect is taken nevertheless.
            raise NegotiationError(
                f"The server granted {name}={value}, which was not asked. {_asked(asked)}"
            )
    agreement = _agreement(values, granted, rollover, has_oack=True)
    return agreement._replace(unasked=tuple(unasked)) if unasked else agreement


# From here on: rules for individual options.

_AT_MOST: Mapping[str, int] = MappingProxyType(
    {"blksize": MIN_BLKSIZE, "blksize2": MIN_BLKSIZE, "windowsize": MIN_WINDOWSIZE}
)
"""Options that may be granted with a lower value than asked, and their lowest value."""

_EXACTLY: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "timeout": (MIN_TIMEOUT, MAX_TIMEOUT),
        "utimeout": (MIN_UTIMEOUT, MAX_UTIMEOUT),
        "rollover": (0, 1),
        "tsize": (0, MAX_TSIZE),
    }
)
"""Options that are granted as asked or not at all, and their bounds."""

KNOWN = (*_AT_MOST, *_EXACTLY)
"""Every option that a server may grant."""

_UNCHANGED: Mapping[str, int] = MappingProxyType(
    {
        "blksize": DEFAULT_BLKSIZE,
        "blksize2": DEFAULT_BLKSIZE,
        "windowsize": MIN_WINDOWSIZE,
        "rollover": 0,
    }
)
"""The values that hold without an option: one of these in an OACK changes nothing."""

_RIVALS: Mapping[str, str] = MappingProxyType(
    {
        "blksize": "blksize2",
        "blksize2": "blksize",
        "timeout": "utimeout",
        "utimeout": "timeout",
    }
)


def _grant(option: str, number: int, bounds: Bounds) -> int | None:
    """The value that a server grants, or None."""
    if option in _EXACTLY:
        low, high = _EXACTLY[option]
        return number if low <= number <= high else None
    if number < _AT_MOST.get(option, number + 1):
        return None
    if option == "windowsize":
        return min(number, bounds.max_windowsize)
    blksize = min(number, bounds.max_blksize)
    return blksize if option == "blksize" else 1 << blksize.bit_length() - 1


def _bound_window(granted: dict[str, tuple[str, int]], bounds: Bounds) -> None:
    """Lowers the windowsize to what the memory for one window allows."""
    if "windowsize" not in granted:
        return
    blksize = _blksize({option: number for option, (_, number) in granted.items()})
    name, windowsize = granted["windowsize"]
    most = max(1, bounds.max_window_octets // blksize)
    granted["windowsize"] = (name, min(windowsize, most))


def _checked(name: str, value: str, wish: str, asked: Options) -> int:
    """The granted value of an option that was asked once, with the value `wish`."""
    number, wished = _number(value), _number(wish)
    option = name.lower()
    if number is None or wished is None:
        raise NegotiationError(f"The server granted {name}={value!r}: no number. {_asked(asked)}")
    if option == "tsize":
        # In the answer to an RRQ any size is right. The answer to a WRQ should echo the size, but
        # nothing depends on that.
        return number
    least = _AT_MOST.get(option, wished)
    if not least <= number <= wished:
        bounds = f"{wished}" if least == wished else f"{least} to {wished}"
        raise NegotiationError(
            f"The server granted {name}={value}; expected {bounds}. {_asked(asked)}"
        )
    return number


def _agreement(
    values: Mapping[str, int], granted: Options, rollover: int, *, has_oack: bool
) -> Agreement:
    timeout: float | None = None
    if "timeout" in values:
        timeout = float(values["timeout"])
    elif "utimeout" in values:
        timeout = values["utimeout"] / MICROSECONDS
    return Agreement(
        blksize=_blksize(values),
        windowsize=values.get("windowsize", MIN_WINDOWSIZE),
        timeout=timeout,
        tsize=values.get("tsize"),
        rollover=values.get("rollover", rollover),
        granted=granted,
        has_oack=has_oack,
    )


def _blksize(values: Mapping[str, int]) -> int:
    return values.get("blksize", values.get("blksize2", DEFAULT_BLKSIZE))


def _once(options: Options, ignored: frozenset[str]) -> Options:
    """The options that may be granted: known or not, but not ignored and not asked twice.

    If an option comes twice, nobody can know which value counts.
    """
    counts = Counter(name.lower() for name, _ in options)
    return tuple(
        (name, value)
        for name, value in options
        if counts[name.lower()] == 1 and name.lower() not in ignored
    )


def _number(value: str) -> int | None:
    """A value as a number; None unless it is plain ASCII digits of a sensible length."""
    if value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS:
        return int(value)
    return None


_MAX_DIGITS = 20


def _asked(asked: Options) -> str:
    if not asked:
        return "No option was asked."
    return "Asked: " + " ".join(f"{name}={value}" for name, value in asked) + "."
