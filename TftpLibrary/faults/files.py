"""Faults of a file: it is refused, or its content is another one each time it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from TftpLibrary.errors import UsageError
from TftpLibrary.networks import parse_network
from TftpLibrary.spelling import unknown

MOST_APPENDED = 1 << 30


class Damaging(Enum):
    """How the content of a file changes on its way to the board.

    | ``flip_bit`` | One bit is another one, by default in the middle of the file. |
    | ``truncate`` | Only the first ``size`` bytes are sent, by default half of them. |
    | ``append``   | ``size`` zero bytes, or ``content``, follow the end of the file. |
    | ``replace``  | Another file of the store, ``content``, is sent under this name. |
    """

    flip_bit = "flip_bit"
    truncate = "truncate"
    append = "append"
    replace = "replace"

    def __str__(self) -> str:
        return self.value


class ToldSize(str, Enum):
    """The size that the server tells for a damaged file.

    | ``damaged``  | The size of what is sent. |
    | ``original`` | The size of the good file: a board that compares finds the damage. |
    """

    damaged = "damaged"
    original = "original"

    __str__ = str.__str__


def parse_damaging(text: str) -> Damaging:
    """Returns the damage of a name.

    Raises:
        UsageError: there is none; the text has the nearest name and all names.
    """
    if text not in Damaging.__members__:
        raise UsageError(unknown("damage", text, Damaging.__members__, "Choose one of"))
    return Damaging[text]


_TAKES = {
    Damaging.flip_bit: ("offset",),
    Damaging.truncate: ("size",),
    Damaging.append: ("size", "content"),
    Damaging.replace: ("content",),
}


@dataclass(frozen=True, slots=True)
class Damage:
    """A change of a file's content on its way out; it is checked when it is made.

    Attributes:
        file: name or glob of the file.
        how: what changes.
        offset: the byte whose bit flips, from 0; None for the one in the middle.
        size: bytes that are left, or that are added.
        content: bytes that are added, or the name of the file that is sent instead.
        tsize: the size that is told.
        client: address or network of the board; empty for every one.
        times: how many transfers of each client are damaged; None for all.
        after: transfers of each client that are good first.

    Raises:
        UsageError: it cannot be.
    """

    file: str
    how: Damaging
    offset: int | None = None
    size: int | None = None
    content: str = ""
    tsize: ToldSize = ToldSize.damaged
    client: str = ""
    times: int | None = None
    after: int = 0

    def __post_init__(self) -> None:
        """Checks everything."""
        takes = _TAKES[self.how]
        for name in ("offset", "size", "content"):
            if name not in takes and getattr(self, name) not in (None, ""):
                what = " and ".join(f"{each}=" for each in takes)
                raise UsageError(f"{self.how} takes no {name}=; it takes {what}.")
        for name in ("offset", "size"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise UsageError(f"{name}= must be 0 bytes or more, got {value}.")
        if self.how is Damaging.append and (self.size or 0) > MOST_APPENDED:
            raise UsageError(
                f"size= must be at most {MOST_APPENDED} bytes to append, got {self.size}."
            )
        if self.how is Damaging.replace and not self.content:
            raise UsageError("replace needs content=, the name of the file that is sent instead.")
        if self.how is Damaging.append and self.content and self.size is not None:
            raise UsageError("append takes size= or content=, not both.")
        check_scope(self.file, self.client, self.times, self.after)

    def kept(self, size: int) -> int:
        """Returns how many bytes of a file are sent, from its beginning on."""
        if self.how is Damaging.truncate:
            return min(size, size // 2 if self.size is None else self.size)
        return size

    @property
    def added(self) -> int:
        """How many bytes follow the end of the file."""
        if self.how is not Damaging.append:
            return 0
        return len(self.content.encode()) if self.content else 1 if self.size is None else self.size

    def added_octets(self, offset: int, count: int) -> bytes:
        """Returns the added bytes from an offset on, `count` at most; zeros if none were given."""
        count = max(0, min(count, self.added - offset))
        return self.content.encode()[offset : offset + count] if self.content else bytes(count)

    def flipped_at(self, size: int) -> int | None:
        """Returns the byte whose lowest bit flips; None where none does."""
        if self.how is not Damaging.flip_bit or not size:
            return None
        offset = size // 2 if self.offset is None else self.offset
        return offset if offset < size else None

    def changes(self, size: int) -> bool:
        """Whether a file of that size is another one with it."""
        if self.how is Damaging.flip_bit:
            return self.flipped_at(size) is not None
        return self.how is Damaging.replace or self.added > 0 or self.kept(size) < size


@dataclass(frozen=True, slots=True)
class Denial:
    """A file that is refused although it is there, or could be written.

    Attributes:
        file: name or glob of the file.
        code: the error code of the answer.
        message: its text; empty for the usual one of the code.
        client: address or network of the board; empty for every one.
        times: how often each client is refused; None for always.
        after: requests of each client that are served first.

    Raises:
        UsageError: it cannot be.
    """

    file: str
    code: int = 2
    message: str = ""
    client: str = ""
    times: int | None = None
    after: int = 0

    def __post_init__(self) -> None:
        """Checks everything."""
        if not 0 <= self.code <= 65535:
            raise UsageError(f"code= must be from 0 to 65535, got {self.code}.")
        check_scope(self.file, self.client, self.times, self.after)


def check_scope(file: str, client: str, times: int | None, after: int) -> None:
    """Checks what faults of packets and of files have in common.

    Raises:
        UsageError: it cannot be.
    """
    if not file:
        raise UsageError("The name of a file is expected, or * for every file.")
    if client:
        parse_network(client, "client")
    if times is not None and times < 1:
        raise UsageError(f"times= must be 1 or more, or unlimited, got {times}.")
    if after < 0:
        raise UsageError(f"after= must be 0 or more, got {after}.")
