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
    """

    retry_after: float = 1.0
    retries: int = 5
