"""What a machine gives its driver: packets, blocks to send, and how it ended.

A driver asks in this order after each thing that happened: `transmits()`, then `end`, then
`deadline`. A machine never calls its driver.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Blocks(NamedTuple):
    """DATA blocks to send, `first` to `last` inclusive, absolute numbers.

    The machine does not hold the file: the driver frames the blocks, which is the data path.
    """

    first: int
    last: int


Transmit = bytes | Blocks
"""A control packet as octets, or blocks of the file."""


class Ending(str, Enum):
    """How a machine ended."""

    completed = "completed"
    """Every block was acknowledged."""
    probed = "probed"
    """The peer answered the OACK with ERROR: it wanted only the size."""
    failed = "failed"
    """An ERROR from either end."""
    timed_out = "timed_out"
    """The peer stopped answering."""
    aborted = "aborted"
    """The driver gave up."""

    __str__ = str.__str__


class End(NamedTuple):
    """The end of a machine; final.

    `code` is that of the ERROR packet which was sent or received; `by_peer` tells which.
    """

    ending: Ending
    code: int | None = None
    message: str = ""
    by_peer: bool = False
