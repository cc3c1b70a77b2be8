"""Which packets are meant, written as people write them: `DATA 3`, `ACK last`, `answer`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from TftpLibrary.errors import UsageError
from TftpLibrary.spelling import nearest

ANY, REQUEST, ANSWER, LAST = "any", "request", "answer", "last"
_NUMBERED = ("DATA", "ACK")
_KINDS_OF_REQUEST = ("RRQ", "WRQ")
REQUESTS = (*_KINDS_OF_REQUEST, REQUEST)
_NAMES = ("DATA", "ACK", "OACK", "ERROR", *REQUESTS, ANSWER, ANY)
_RANGE = re.compile(r"(\d{1,12})(?:\s*(-)\s*(\d{0,12}))?")
_FORM = (
    "Expected DATA, ACK, OACK, ERROR, RRQ, WRQ, request, answer or any, and behind DATA and ACK "
    "blocks such as 3, 3-6, 100- or last"
)

Range = tuple[int, int | None]
"""The first and the last block; None goes on without end."""


class Look(Protocol):
    """A packet as it is compared."""

    @property
    def packet(self) -> str:
        """RRQ, WRQ, DATA, ACK, ERROR, OACK, or a question mark."""

    @property
    def block(self) -> int | None:
        """The absolute block of DATA and ACK."""

    @property
    def is_last(self) -> bool:
        """Whether it is the block that ends the file, or the ACK of that block."""

    @property
    def is_answer(self) -> bool:
        """Whether it is the packet that answers a request."""


@dataclass(frozen=True, slots=True)
class Packets:
    """The packets that a fault is about.

    | ``DATA``, ``ACK``, ``OACK``, ``ERROR``, ``RRQ``, ``WRQ`` | Every packet of that name. |
    | ``request`` | A read request or a write request. |
    | ``answer``  | The first packet that answers a request. |
    | ``any``     | Every packet. |
    | ``DATA 3``  | That block of the file. ``DATA 65536`` is the one after 65535. |
    | ``DATA 3-6``, ``DATA 3, 7, 9``, ``DATA 100-`` | Several blocks. |
    | ``DATA last``, ``ACK last`` | The block that ends the file, and its acknowledgement. |

    Attributes:
        name: the name of the packet.
        blocks: the blocks; empty for all.
        is_last: whether only the last block is meant.
    """

    name: str = "DATA"
    blocks: tuple[Range, ...] = ()
    is_last: bool = False

    def __str__(self) -> str:
        words = [self.name]
        if self.is_last:
            words.append(LAST)
        if self.blocks:
            words.append(", ".join(_range_text(each) for each in self.blocks))
        return " ".join(words)

    @property
    def is_endless(self) -> bool:
        """Whether a range goes on without end."""
        return any(last is None for _, last in self.blocks)

    @property
    def lowest(self) -> int:
        """The lowest block that is meant; 0 where blocks are not named."""
        return min((first for first, _ in self.blocks), default=0)

    def has_name(self, look: Look) -> bool:
        """Whether a packet has the name, whatever its block is."""
        if self.name == ANY:
            return True
        if self.name == REQUEST:
            return look.packet in _KINDS_OF_REQUEST
        return look.is_answer if self.name == ANSWER else look.packet == self.name

    def has_block(self, look: Look) -> bool:
        """Whether a packet of that name has a block that is meant."""
        if self.is_last:
            return look.is_last
        if not self.blocks:
            return True
        block = look.block
        return block is not None and any(
            first <= block and (last is None or block <= last) for first, last in self.blocks
        )


def parse_packets(text: str) -> Packets:
    """Returns the packets that a text names; case does not matter.

    Raises:
        UsageError: it names none; the text has the right form.
    """
    words = text.split(maxsplit=1)
    name = _name(words[0] if words else "", text)
    if len(words) < 2:
        return Packets(name)
    if name not in _NUMBERED:
        raise UsageError(f"packet: only DATA and ACK have blocks, got '{text}'. {_FORM}.")
    if words[1].strip().lower() == LAST:
        return Packets(name, is_last=True)
    return Packets(name, tuple(_range(part, text) for part in words[1].split(",")))


def _name(word: str, text: str) -> str:
    names = {name.lower(): name for name in _NAMES}
    found = names.get(word.lower())
    if found is None:
        near = nearest(word.lower(), names)
        meant = f" Did you mean {names[near]}?" if near else ""
        raise UsageError(f"packet: there is no packet '{text}'.{meant} {_FORM}.")
    return found


def _range(part: str, text: str) -> Range:
    match = _RANGE.fullmatch(part.strip())
    if match is None:
        raise UsageError(f"packet: '{part.strip()}' names no blocks in '{text}'. {_FORM}.")
    first = int(match[1])
    last = first if not match[2] else int(match[3]) if match[3] else None
    if last is not None and last < first:
        raise UsageError(f"packet: the blocks '{part.strip()}' end before they begin. {_FORM}.")
    return first, last


def _range_text(each: Range) -> str:
    first, last = each
    return str(first) if last == first else f"{first}-{'' if last is None else last}"
