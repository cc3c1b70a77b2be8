"""How a transfer ended: one enum for machines, records and suites, and the end of a machine."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Outcome(str, Enum):
    """How a transfer ended.

    | ``completed``   | Every byte was acknowledged. |
    | ``refused``     | No transfer began: an ERROR was the answer, or there was none. |
    | ``probed``      | The peer took the option answer and ended: it wanted only the size. |
    | ``failed``      | An ERROR cut the transfer short, or fewer bytes came than announced. |
    | ``timed_out``   | The peer stopped answering. |
    | ``unconfirmed`` | Everything was sent, but the last ACK is missing: the peer may have it. |
    | ``aborted``     | This end was stopped while the transfer ran. |
    """

    completed = "completed"
    refused = "refused"
    probed = "probed"
    failed = "failed"
    timed_out = "timed_out"
    unconfirmed = "unconfirmed"
    aborted = "aborted"

    __str__ = str.__str__


class Cause(str, Enum):
    """The reason for which our own end refused a request, or had no answer to its own.

    An error code stands for several of them: "Access violation" is a folder that is read-only, a
    client that is not served, and more. Whoever refuses names the cause; nobody guesses it later.
    """

    missing = "missing"
    """No file has that name."""
    for_others = "for_others"
    """There is such a file, but not for this client."""
    bad_name = "bad_name"
    """The name leads out of the root, names a folder, or is one that no file can have."""
    link = "link"
    """A link leads where boards may not go."""
    no_file = "no_file"
    """A folder, a device, a FIFO or a socket lies there."""
    forbidden = "forbidden"
    """The system forbids it to the user who runs the server."""
    client = "client"
    """The server does not serve this client."""
    taken = "taken"
    """Another server at the port serves this client, and came first."""
    read_only = "read_only"
    """The server takes no files."""
    no_creation = "no_creation"
    """The server takes only files that exist already."""
    exists = "exists"
    """The file exists already, and may not be replaced."""
    too_large = "too_large"
    """The upload has more octets than are allowed."""
    disk_full = "disk_full"
    """The disk has no room."""
    held = "held"
    """Another run is changing the folder."""
    transfers = "transfers"
    """Too many transfers run at once."""
    transfers_of_client = "transfers_of_client"
    """Too many transfers of this client run at once."""
    half_open = "half_open"
    """Too many requests at once have had no answer to their first packet."""
    ports = "ports"
    """There is no port for the transfer."""
    mode = "mode"
    """The mode is neither octet nor netascii."""
    malformed = "malformed"
    """The datagram is no request."""
    broadcast = "broadcast"
    """The request went to a broadcast address, and the server does not answer those."""
    on_purpose = "on_purpose"
    """A fault on purpose refused the request, or kept it from arriving."""
    no_listener = "no_listener"
    """A host answered our client that nothing listens at the port."""
    no_way = "no_way"
    """Our client has no way to the server: no route, no such host, or a firewall forbids it."""

    __str__ = str.__str__


class End(NamedTuple):
    """The end of a machine; final.

    Attributes:
        outcome: how it ended.
        code: the code of the ERROR packet, sent or received; None without one.
        message: what ended it, in words; empty for a completed transfer.
        by_peer: whether an ERROR of the peer ended it.
        cause: the reason where this end refused; None where it is another one.
    """

    outcome: Outcome
    code: int | None = None
    message: str = ""
    by_peer: bool = False
    cause: Cause | None = None
