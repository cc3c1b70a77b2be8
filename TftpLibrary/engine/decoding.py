"""The decoding of requests: as far as they are well formed, and what can be shown of the others.

RFC 1350 sections 1 and 5, RFC 2347. `packets` decodes every packet; here are the bounds that a
server sets to what may come to its port.
"""

from __future__ import annotations

from functools import lru_cache

from TftpLibrary.engine.admission import Refusal
from TftpLibrary.errors import PacketError
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import (
    Direction,
    ErrorCode,
    Mode,
    Request,
    decode,
    peek_opcode,
)

MAX_REQUEST_SIZE = 2048
"""Octets. RFC 2347 allows 512; some loaders ask with longer names."""
_REMEMBERED = 256
_SHOWN_NAME = 500
"""Octets of a malformed request's name that its record keeps."""
_MODES = {mode.value: mode for mode in Mode}


@lru_cache(maxsize=_REMEMBERED)
def decode_request(datagram: bytes) -> Request:
    """Decodes a datagram whose opcode is not that of any other packet.

    Boards ask for the same files, and faults look at a request before it is served.

    Raises:
        PacketError: it is no well-formed request, or longer than `MAX_REQUEST_SIZE`.
    """
    if len(datagram) > MAX_REQUEST_SIZE:
        raise PacketError(f"Request longer than {MAX_REQUEST_SIZE} octets")
    request = decode(datagram)
    assert isinstance(request, Request)
    return request


def decode_malformed(datagram: bytes) -> Request | None:
    """Decodes a malformed request as far as its record can show it; None for anything else."""
    direction = Direction.of_opcode(peek_opcode(datagram))
    if direction is None:
        return None
    return Request(direction, datagram[2 : 2 + _SHOWN_NAME].split(b"\0")[0], "")


def served_mode(request: Request) -> Mode:
    """Returns the mode of a request, which may be written in any case.

    Raises:
        Refusal: no such mode is served; RFC 1350 section 1 has one more, and calls it obsolete.
    """
    mode = _MODES.get(request.mode.lower())
    if mode is None:
        raise Refusal(
            ErrorCode.illegal_operation,
            "Unknown mode: use octet or netascii",
            f"mode {request.mode!r} is not served; expected octet or netascii",
            Cause.mode,
        )
    return mode
