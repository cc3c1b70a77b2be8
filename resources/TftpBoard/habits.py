"""The habits of a board: the one place for things that real boards do differently, or wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Habits:
    """The habits of a board. The default is a board that does everything right.

    A weak board is this board with one more habit: a field here, and the line in `transfers.py`
    or `board.py` that obeys it. `Switch Board On` takes each field as a named argument.

    Attributes:
        retry_after: seconds without an answer after which the board sends its last packets again.
        retries: how often it does so before it gives up a file.
        believes_strangers: whether it takes packets that come from another port.
        counts_duplicates: whether it takes a block that comes again for the next one.
        no_rollover: whether it knows no block after 65535.
        trusts_oack: whether it takes every value of an option answer, asked or not.
        assumes_options: whether it uses the options that it asked for without any answer to them.
        keeps_short_file: whether an error in the middle of a download counts as its end, and a file
            for whole that is shorter than announced.
    """

    retry_after: float = 1.0
    retries: int = 5
    believes_strangers: bool = False
    counts_duplicates: bool = False
    no_rollover: bool = False
    trusts_oack: bool = False
    assumes_options: bool = False
    keeps_short_file: bool = False
