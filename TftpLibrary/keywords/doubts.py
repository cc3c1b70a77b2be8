"""Says at the injection that a fault cannot happen, or hardly can, where its file is known."""

from __future__ import annotations

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.files import Damage, Damaging
from TftpLibrary.faults.rules import Rule
from TftpLibrary.faults.wording import Fault, fault_text
from TftpLibrary.matching import is_glob
from TftpLibrary.sizes import size_text
from TftpLibrary.station import Station
from TftpLibrary.store.advice import missing

_USUAL_BLKSIZE = 512
_LEAST_BLKSIZE = 8


def doubt_about(fault: Fault, server: Station) -> str:
    """Returns why a fault can hardly happen; empty where nothing speaks against it.

    Args:
        fault: the fault that is about to be injected.
        server: where it would be; its files may say that there is no such block or byte.

    Raises:
        UsageError: it cannot happen at all. The text says where it can.
    """
    if isinstance(fault, Rule):
        return _doubt_about_blocks(fault, server)
    if isinstance(fault, Damage):
        _check_damage(fault, server)
    return ""


def _doubt_about_blocks(rule: Rule, server: Station) -> str:
    first = rule.meant.lowest
    # A board that may write has blocks that nobody knows.
    if first < 2 or server.settings.writable:
        return ""
    size = _size_of(rule.file, rule.client, server)
    if size is None:
        return ""
    blksize = min(_USUAL_BLKSIZE, server.settings.max_blksize)
    count, name = size // blksize + 1, rule.meant.name
    if first <= count:
        return ""
    blocks = "1 block" if count == 1 else f"{count} blocks"
    has = f"the file has {size_text(size)}, {blocks} of {blksize}"
    # The last block is shorter than the others, and may be empty.
    largest = size // (first - 1)
    advice = f"Use {_up_to(name, count)} or {name} last, or a larger file."
    if largest < _LEAST_BLKSIZE:
        raise UsageError(f"{fault_text(rule)} cannot happen: {has}. {advice}")
    return (
        f"{fault_text(rule)} can only happen if the board asks for blocks of {largest} bytes or "
        f"less: {has}. {advice}"
    )


def _up_to(name: str, count: int) -> str:
    return f"{name} 1" if count == 1 else f"{name} 1 to {count}"


def _check_damage(damage: Damage, server: Station) -> None:
    if damage.how is Damaging.replace:
        files = server.files
        if not files.exists(damage.content, client=damage.client):
            names = files.list(client=damage.client)
            raise UsageError(f"content=: {missing(damage.content, names, damage.client)}")
        return
    size = _size_of(damage.file, damage.client, server)
    if size is None:
        return
    if not damage.changes(size):
        raise UsageError(_no_change(damage, size))


def _no_change(damage: Damage, size: int) -> str:
    given = damage.offset if damage.how is Damaging.flip_bit else damage.size
    if given is None or not size:
        return f"'{damage.file}' is empty, so nothing can be changed in it. Use append or replace."
    argument = "offset" if damage.how is Damaging.flip_bit else "size"
    return f"{argument}= must be below the {size} bytes of '{damage.file}', got {given}."


def _size_of(name: str, client: str, server: Station) -> int | None:
    """Returns the size of a file; None where several are meant, or it is not there yet."""
    if is_glob(name) or not server.files.exists(name, client=client):
        return None
    return server.files.get(name, client=client).size
