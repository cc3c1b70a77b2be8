"""The record of a transfer: a frozen value with printable text only.

It can be compared, sorted, hashed, copied and pickled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction, Mode, Options
from TftpLibrary.recording.wording import line_text


class OptionValues(Mapping[str, str]):
    """The values of options by their names, in order; it cannot be changed.

    Each is an attribute too, and a number there if it is one: `granted.blksize` is 1428, where
    `granted["blksize"]` is the text of the packet. Case does not matter for an attribute.

    A `MappingProxyType` would do the same, but cannot be copied or pickled.

    Args:
        options: names and values.
    """

    __slots__ = ("_values",)

    def __init__(self, options: Options = ()) -> None:
        self._values = dict(options)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __getattr__(self, name: str) -> int | str:
        """Returns the value of an option, as a number if it is one.

        Raises:
            AttributeError: there is no such option.
        """
        # Names of Python's own are asked for while it is copied, when there are no values yet.
        values = {} if name.startswith("_") else self._values
        for option, value in values.items():
            if option.lower() == name.lower():
                return int(value) if value.isascii() and value.isdigit() else value
        there = ", ".join(values) or "none"
        raise AttributeError(f"There is no option '{name}'. Options: {there}.")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return repr(self._values)

    def __reduce__(self) -> tuple[type[OptionValues], tuple[Options]]:
        return OptionValues, (tuple(self._values.items()),)


NO_OPTIONS = OptionValues()


class Sample(NamedTuple):
    """The progress of a transfer at one moment.

    Attributes:
        seconds: since the request.
        octets: bytes of the file that had arrived.
        retransmits: packets that had been sent again.
        faults: how often a fault on purpose had struck.
    """

    seconds: float
    octets: int
    retransmits: int
    faults: int = 0


class FaultMark(NamedTuple):
    """A fault on purpose that struck a transfer.

    Attributes:
        seconds: since the request, when it happened first.
        fault: the id of the fault; `link` for the quality of the link.
        words: what it did, such as `dropped DATA 3`.
        times: how often it did that.
    """

    seconds: float
    fault: str
    words: str
    times: int = 1


class Transfer(NamedTuple):
    """One request, and everything that followed from it.

    Text that a peer chose is printable: undecodable bytes and control characters are escaped.
    As a text a transfer is one line, and sorted transfers are in the order of their requests.
    The fields from `size` on change while it runs; `Entry` relies on their order.

    Attributes:
        id: counts the requests that this recorder saw, from 1, in the order of their arrival.
        server: alias of our server; for a transfer of our client the host and port it asked.
        direction: `read` (the board downloads) or `write` (the board uploads).
        filename: the name as it was asked.
        client: the client's address.
        client_port: the client's TID.
        mode: `octet` or `netascii`, or what the peer sent instead.
        requested: the options asked, in order; `requested.blksize` is a number.
        granted: the options granted, in order; `granted.blksize` is a number.
        is_ours: whether our client asked (`TFTP Get`, `TFTP Put`); False for a board.
        answered_by: host and port that answered our client; empty before.
        client_mac: the client's MAC address, where its server names MAC addresses; else empty.
        size: bytes of the whole file where known.
        octets: bytes of the file that arrived (acknowledged, for a sender).
        blocks: DATA blocks that arrived (acknowledged, for a sender).
        retransmits: packets that this end sent again.
        duplicates: packets that came again and were ignored.
        started: wall-clock time of the request.
        ended: wall-clock time of the end; None while it runs.
        duration: seconds from the request to the end, or until now.
        idle: seconds since the peer was last heard; 0.0 once it ended.
        outcome: how it ended; None while it runs.
        error_code: the code of the ERROR packet, sent or received.
        error_message: what ended it, in words; empty for a completed transfer.
        samples: how far it was at a few dozen moments; empty for a transfer that took no time.
        by_peer: whether an ERROR of the peer ended it.
        cause: the reason for which this end refused it, as a value; None where it is another one.
        traceback: that of an unexpected exception of our own; empty otherwise.
        remarks: sentences about what was odd and did no harm: where a peer bent the rules, or
            where the request was sent again without options.
        faults: what faults on purpose did to it until its end: the first and the latest of a
            hundred different things at most.
        fault_count: how often a fault on purpose struck it.
    """

    id: int
    server: str
    direction: Direction
    filename: str
    client: str
    client_port: int
    started: datetime
    mode: str = Mode.octet.value
    requested: OptionValues = NO_OPTIONS
    granted: OptionValues = NO_OPTIONS
    is_ours: bool = False
    answered_by: str = ""
    client_mac: str = ""
    size: int | None = None
    octets: int = 0
    blocks: int = 0
    retransmits: int = 0
    duplicates: int = 0
    ended: datetime | None = None
    duration: float = 0.0
    outcome: Outcome | None = None
    error_code: int | None = None
    error_message: str = ""
    by_peer: bool = False
    cause: Cause | None = None
    traceback: str = ""
    idle: float = 0.0
    samples: tuple[Sample, ...] = ()
    remarks: tuple[str, ...] = ()
    faults: tuple[FaultMark, ...] = ()
    fault_count: int = 0

    @property
    def rate(self) -> float:
        """Bytes per second over the whole duration."""
        return self.octets / self.duration if self.duration > 0 else 0.0

    @property
    def is_running(self) -> bool:
        """Whether the transfer has not ended yet."""
        return self.outcome is None

    def __str__(self) -> str:
        return line_text(self)

    # All four, since a tuple has all four, and would compare the first field.

    def __lt__(self, other: object) -> bool:
        return self._order() < other._order() if isinstance(other, Transfer) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self._order() <= other._order() if isinstance(other, Transfer) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self._order() > other._order() if isinstance(other, Transfer) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self._order() >= other._order() if isinstance(other, Transfer) else NotImplemented

    def _order(self) -> tuple[datetime, int]:
        """The time of the request comes first: ids of two recorders cannot be compared."""
        return self.started, self.id
