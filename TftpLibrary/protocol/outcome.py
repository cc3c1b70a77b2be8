"""How a transfer ended: one enum for machines, records and suites, and the end of a machine."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Outcome(str, Enum):
    """How a transfer ended.

    | ``completed`` | Every octet was acknowledged. |
    | ``refused``   | The request was answered with ERROR: no transfer began. |
    | ``probed``    | The peer took the option answer and ended: it wanted only the size. |
    | ``failed``    | An ERROR, from either end, cut the transfer short. |
    | ``timed_out`` | The peer stopped answering. |
    | ``aborted``   | This end was stopped while the transfer ran. |
    """

    completed = "completed"
    refused = "refused"
    probed = "probed"
    failed = "failed"
    timed_out = "timed_out"
    aborted = "aborted"

    __str__ = str.__str__


class End(NamedTuple):
    """The end of a machine; final.

    Attributes:
        outcome: how it ended.
        code: the code of the ERROR packet, sent or received; None without one.
        message: what ended it, in words; empty for a completed transfer.
        by_peer: whether an ERROR of the peer ended it.
    """

    outcome: Outcome
    code: int | None = None
    message: str = ""
    by_peer: bool = False
