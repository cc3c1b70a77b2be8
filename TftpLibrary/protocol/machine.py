"""What every machine gives its session: packets and blocks to send.

A session asks in this order after each event: `transmits()`, then `end`, then `deadline`. A machine
never calls its session.
"""

from __future__ import annotations

from typing import NamedTuple


class Blocks(NamedTuple):
    """DATA blocks to send, `first` to `last` inclusive, absolute numbers.

    The machine does not hold the file: the session frames the blocks, which is the data path.
    """

    first: int
    last: int


Transmit = bytes | Blocks
"""A control packet as octets, or blocks of the file."""
