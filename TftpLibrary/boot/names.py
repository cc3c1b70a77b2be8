"""The names that a loader asks for, as it writes them, from the identity of a board."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from TftpLibrary.boot.identity import Identity
from TftpLibrary.boot.loaders import BootLoader, Entry, Need, Step
from TftpLibrary.boot.table import TABLE
from TftpLibrary.errors import UsageError
from TftpLibrary.matching import plain_name

_FIELD = re.compile(r"\{([^}]+)\}")
_MOST_SHOWN = 20
_OF_NO_BOARD = {"folder", "prefix", "found"}
"""Parts of a name that may be the same for all boards."""


def boot_file_names(loader: BootLoader, identity: Identity, until: str = "") -> list[str]:
    """Returns the names that a loader asks for, in its order, as far as the identity is known.

    Without `until` these are all of them, as it asks where no file is there.

    Args:
        loader: the loader.
        identity: what is known of the board.
        until: the file that is found, or the end of its name; no name comes behind it.

    Raises:
        UsageError: the loader does not ask for `until`, or nothing is known that it asks for.
    """
    names = list(_asked(loader, identity, has_prefix=_is_prefixed(identity, until)))
    if not names:
        raise UsageError(
            f"{TABLE[loader].title} asks for names of which nothing is known. "
            f"Give {_missing_parts(loader, identity)}."
        )
    if not until:
        return names
    wanted = plain_name(until)
    for place, name in enumerate(names):
        if f"/{plain_name(name)}".endswith(f"/{wanted}"):
            return names[: place + 1]
    raise UsageError(
        f"until: expected one of the names that {TABLE[loader].title} asks for, got {until!r}. "
        f"Names: {', '.join(names[:_MOST_SHOWN])}."
    )


def config_name(loader: BootLoader, identity: Identity) -> tuple[str, Step]:
    """Returns the most specific name under which a loader finds the text that it reads.

    A name that the loader asks for under a condition only is the last choice.

    Returns:
        The name, and the step of the table that it is of.

    Raises:
        UsageError: it reads no text, or nothing is known that it asks for.
    """
    entry = TABLE[loader]
    if entry.config is None:
        readers = ", ".join(each.name for each in TABLE if TABLE[each].config is not None)
        raise UsageError(
            f"{entry.title} reads no configuration. Give the loader that does: {readers}."
        )
    steps = [Step(entry.config, "")] if entry.config else entry.steps
    found = [
        (name, step)
        for step in steps
        if step.need is Need.one_of and step.is_listed
        for name in _expanded(step.name, _parts_of(entry, identity))
    ]
    if not found:
        raise UsageError(
            f"{entry.title} asks for names of which nothing is known. "
            f"Give {_missing_parts(loader, identity)}."
        )
    own = [each for each in found if set(_FIELD.findall(each[1].name)) - _OF_NO_BOARD]
    certain = [each for each in own if not each[1].condition]
    return (certain or own or found[-1:])[0]


def _asked(loader: BootLoader, identity: Identity, *, has_prefix: bool) -> Iterator[str]:
    entry = TABLE[loader]
    parts = _parts_of(entry, identity)
    parts["found"] = parts["prefix"] if has_prefix else ""
    seen: set[str] = set()
    is_found = False
    for step in entry.steps:
        if not step.is_listed or (is_found and "{prefix}" in step.name):
            continue
        for name in _expanded(step.name, parts):
            # Only firmware of a PC asks for the same name twice.
            if "{found}" not in step.name or name not in seen:
                seen.add(name)
                yield name
        is_found = is_found or (has_prefix and "{prefix}" in step.name)


def _parts_of(entry: Entry, identity: Identity) -> dict[str, str]:
    parts = {**dict(entry.defaults), **identity.fields()}
    parts["folder"] = entry.folder if identity.folder is None else identity.folder
    parts["prefix"] = _prefix(identity)
    if "efi" in parts:
        parts["efi"] = _EFI.get(identity.arch, parts["efi"])
    if "grub" in dict(entry.defaults):
        parts["platform"] = _GRUB.get(identity.arch, parts["grub"])
    return parts


def _expanded(name: str, parts: Mapping[str, str]) -> Iterator[str]:
    """Yields the names that a step stands for; none where a part is not known."""
    if "{IP*}" in name:
        digits = parts.get("IP", "")
        for length in range(len(digits), 0, -1):
            yield from _expanded(name.replace("{IP*}", digits[:length]), parts)
        return
    fields = set(_FIELD.findall(name))
    if all(parts.get(field) is not None for field in fields) and all(
        parts[field] for field in fields - {"folder", "prefix", "found"}
    ):
        yield _FIELD.sub(lambda match: parts[match[1]], name)


def _prefix(identity: Identity) -> str:
    """The folder of a Raspberry Pi: what is set in its EEPROM, or else its serial number."""
    if identity.folder is not None:
        return identity.folder
    if identity.serial:
        return f"{identity.serial}/"
    return f"{identity.mac.replace(':', '-')}/" if identity.mac else ""


def _is_prefixed(identity: Identity, until: str) -> bool:
    prefix = plain_name(_prefix(identity))
    return bool(prefix) and plain_name(until).startswith(prefix)


def _missing_parts(loader: BootLoader, identity: Identity) -> str:
    known = identity.fields().keys()
    wanted = {
        argument: None
        for step in TABLE[loader].steps
        for part in _FIELD.findall(step.name)
        if part not in known and (argument := _ARGUMENTS.get(part, ""))
    }
    return " or ".join(f"{argument}=" for argument in wanted) or "more of the board"


_ARGUMENTS = {
    "uuid": "uuid",
    "label_uuid": "uuid",
    "mac": "mac",
    "MAC": "mac",
    "IP": "ip",
    "IP*": "ip",
    "serial": "serial",
    "hostname": "hostname",
    "hostname8": "hostname",
    "arch": "arch",
    "platform": "arch",
    "cpu": "arch",
    "machine": "arch",
    "boot_file": "boot_file",
}
"""The argument that makes a part of a name known."""

_EFI = {"x86_64": "x64", "amd64": "x64", "arm64": "aa64", "aarch64": "aa64", "arm": "arm"}
_EFI |= {"i386": "ia32", "riscv64": "riscv64"}
"""The ending that shim gives the name of its loader, for each architecture (shim Make.defaults)."""

_GRUB = {"x86_64": "x86_64-efi", "amd64": "x86_64-efi", "arm64": "arm64-efi", "arm": "arm-efi"}
_GRUB |= {"aarch64": "arm64-efi", "i386": "i386-efi", "bios": "i386-pc", "riscv64": "riscv64-efi"}
"""The folder of GRUB's modules for each architecture."""
