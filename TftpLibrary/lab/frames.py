"""Frames: how messages and pieces of files follow each other on one stream; pure.

A frame is its length (4 octets, big-endian), its kind (1 octet) and its content. A message is
JSON-RPC 2.0 in UTF-8. A piece begins with the number of its call (4 octets); an empty piece ends
the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from TftpLibrary.errors import LabError

MESSAGE, PIECE = b"M", b"P"
MOST_MESSAGE = 1 << 20
"""Octets of a message to the lab half; its answers may be longer."""
MOST_ANSWER = 64 << 20
MOST_PIECE = 256 << 10
"""Octets of a file in one frame."""
_HEAD = 5
_NUMBER = 4
_SHOWN = 60

Message = dict[str, Any]
"""A JSON object, whose values are of any type."""


class Piece(NamedTuple):
    """A piece of a file.

    Attributes:
        call: the number of the call that it belongs to.
        octets: the content; empty at the end of the file.
    """

    call: int
    octets: bytes


def message_frame(message: Message) -> bytes:
    """Returns the frame of a message."""
    # ASCII alone: names of files may hold halves of characters, which UTF-8 does not know.
    content = json.dumps(message, separators=(",", ":")).encode("ascii")
    return len(content).to_bytes(4, "big") + MESSAGE + content


def piece_frame(piece: Piece) -> bytes:
    """Returns the frame of a piece."""
    head = (_NUMBER + len(piece.octets)).to_bytes(4, "big") + PIECE
    return b"".join((head, piece.call.to_bytes(_NUMBER, "big"), piece.octets))


class Deframer:
    """Takes octets as they come, and returns the frames that are complete.

    Args:
        most: octets of a message at most.
    """

    def __init__(self, most: int = MOST_MESSAGE) -> None:
        self._most = most
        self._buffer = bytearray()

    def take(self, octets: bytes) -> Iterator[Message | Piece]:
        """Yields each frame that is complete now.

        Raises:
            LabError: these are no frames, or one is too long.
        """
        self._buffer += octets
        while len(self._buffer) >= _HEAD:
            kind, length = bytes(self._buffer[4:5]), int.from_bytes(self._buffer[:4], "big")
            most = {MESSAGE: self._most, PIECE: _NUMBER + MOST_PIECE}.get(kind)
            if most is None or (kind == PIECE and length < _NUMBER):
                shown = bytes(self._buffer[:_SHOWN]).decode("ascii", "replace").strip()
                raise LabError(f"expected messages of a lab, got {shown!r}")
            if length > most:
                raise LabError(f"expected messages of at most {most:,} bytes, got {length:,}")
            if len(self._buffer) < _HEAD + length:
                return
            content = bytes(memoryview(self._buffer)[_HEAD : _HEAD + length])
            del self._buffer[: _HEAD + length]
            yield _message(content) if kind == MESSAGE else _piece(content)


def _piece(content: bytes) -> Piece:
    return Piece(int.from_bytes(content[:_NUMBER], "big"), content[_NUMBER:])


def _message(content: bytes) -> Message:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise LabError(f"expected JSON, got {content[:_SHOWN]!r}") from error
    if not isinstance(found, dict) or found.get("jsonrpc") != "2.0":
        raise LabError(f"expected a message of JSON-RPC 2.0, got {content[:_SHOWN]!r}")
    return found
