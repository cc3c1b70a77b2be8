"""The small Linux that a board boots: busybox, the drivers of its network card, and a shell.

The archive is of cpio's format "newc", as the kernel's documentation describes it (initramfs buffer
format). It is the same for the same files.
"""

from __future__ import annotations

import gzip
import lzma
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PROMPT = "board# "
_FOLDER, _FILE, _LINK, _DEVICE = 0o040755, 0o100755, 0o120777, 0o020600
_CONSOLE = (5, 1)
_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")
_FOLDERS = ("bin", "dev", "lib", "proc", "sys", "tmp")
_LINKS = ("sh", "mount", "insmod", "stty", "setsid", "cttyhack")

_INIT = """\
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
{drivers}
/bin/busybox --install -s /bin
# No line of a command is wrapped, and the kernel does not write between the lines.
stty columns 250
echo 1 >/proc/sys/kernel/printk
export PS1='{prompt}' HOME=/tmp
cd /tmp
exec setsid cttyhack sh
"""


class Entry(NamedTuple):
    """One entry of the archive."""

    name: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


def build(busybox: bytes, drivers: Mapping[str, bytes]) -> bytes:
    """Returns the initramfs.

    Args:
        busybox: the program, linked statically.
        drivers: the modules, by file name, in the order in which they are loaded.
    """
    commands = "\n".join(f"insmod /lib/{name}" for name in drivers)
    init = _INIT.format(drivers=commands, prompt=PROMPT).encode()
    entries = [
        *(Entry(name, _FOLDER) for name in _FOLDERS),
        Entry("dev/console", _DEVICE, device=_CONSOLE),
        Entry("bin/busybox", _FILE, busybox),
        *(Entry(f"bin/{name}", _LINK, b"busybox") for name in _LINKS),
        *(Entry(f"lib/{name}", _FILE, content) for name, content in drivers.items()),
        Entry("init", _FILE, init),
    ]
    return gzip.compress(archive(entries), mtime=0)


def archive(entries: Iterable[Entry]) -> bytes:
    """Returns a cpio archive."""
    octets = bytearray()
    for number, entry in enumerate([*entries, Entry("TRAILER!!!", 0)], start=1):
        name = entry.name.encode() + b"\0"
        fields = (
            *(number, entry.mode, 0, 0, 1, 0, len(entry.content), 0, 0),
            *(*entry.device, len(name), 0),
        )
        octets += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        octets += bytes(-len(octets) % 4) + entry.content
        octets += bytes(-len(octets) % 4)
    return bytes(octets)


def read_drivers(folder: Path, wanted: Sequence[str]) -> dict[str, bytes]:
    """Returns modules and all that they need, in the order in which they are loaded.

    Args:
        folder: the kernel's, with its modules somewhere below it.
        wanted: names of modules.

    Raises:
        FileNotFoundError: a module is not there.
    """
    found: dict[str, bytes] = {}
    for name in wanted:
        paths = (*folder.rglob(f"{name}.ko"), *folder.rglob(f"{name}.ko.xz"))
        if not paths:
            raise FileNotFoundError(f"There is no module {name} below {folder}.")
        octets = paths[0].read_bytes()
        content = lzma.decompress(octets) if paths[0].suffix == ".xz" else octets
        needs = _DEPENDS.search(content)
        names = needs[1].decode().split(",") if needs and needs[1] else []
        found.update(read_drivers(folder, names))
        found.setdefault(f"{name}.ko", content)
    return found
