"""The text that a loader reads to boot a kernel, and the name under which it looks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from TftpLibrary.boot.identity import Identity
from TftpLibrary.boot.loaders import BootLoader
from TftpLibrary.boot.names import config_name
from TftpLibrary.boot.table import TABLE
from TftpLibrary.errors import UsageError
from TftpLibrary.matching import plain_name

_GRUB_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=.,:/@%~")
_DEFAULT_SCRIPT = "boot.ipxe"


class Kernel(NamedTuple):
    """What a board boots. Names are those of files in the store.

    Attributes:
        kernel: the kernel.
        initrd: the initramfs; empty for none.
        append: the command line of the kernel.
        devicetree: the device tree; empty for none.
    """

    kernel: str
    initrd: str = ""
    append: str = ""
    devicetree: str = ""


class BootConfig(NamedTuple):
    """What a loader reads, and where it looks for it.

    Attributes:
        name: the name of the file.
        text: its content.
        warnings: sentences about why a loader may not look there.
    """

    name: str
    text: str
    warnings: tuple[str, ...] = ()


def boot_config(
    loader: BootLoader,
    identity: Identity,
    kernel: Kernel | None = None,
    text: str = "",
    *,
    only_for: str = "",
) -> BootConfig:
    """Returns a configuration under the most specific name that the identity allows.

    Args:
        loader: the loader that reads it.
        identity: what is known of the board.
        kernel: what it boots; a text is made of it.
        text: the whole content instead.
        only_for: the boards that get the file; empty for all.

    Raises:
        UsageError: both are given, or none; the loader reads no such text; or a file is not where
            it can reach it.
    """
    if (kernel is None) is (not text):
        raise UsageError("Expected either kernel= or text=: one of them, and not both.")
    if kernel is not None and not kernel.kernel:
        raise UsageError("Expected kernel=: initrd=, append= and devicetree= go with it.")
    if loader is BootLoader.ipxe and not identity.boot_file:
        folder = identity.folder or ""
        identity = identity._replace(folder=folder, boot_file=f"{folder}{_DEFAULT_SCRIPT}")
        name, notes = identity.boot_file, [_name_by_dhcp(identity.boot_file)]
    else:
        name, step = config_name(loader, identity)
        notes = [f"it is asked for only if {step.condition}."] if step.condition else []
    notes += _unused(loader, identity, only_for)
    content = text or _text_for(loader, identity, kernel)
    warnings = tuple(f"{TABLE[loader].title} and '{name}': {note}" for note in notes)
    return BootConfig(name, content, warnings)


def _text_for(loader: BootLoader, identity: Identity, kernel: Kernel | None) -> str:
    assert kernel is not None
    if loader not in _WRITERS:
        writers = ", ".join(each.name for each in _WRITERS)
        raise UsageError(
            f"No text for {TABLE[loader].title} can be made from kernel=, only for {writers}. "
            "Expected text=."
        )
    for argument, value in kernel._asdict().items():
        if not value.isprintable():
            raise UsageError(f"{argument}: expected one line of text, got {value!r}.")
    for argument in ("kernel", "initrd", "devicetree"):
        if " " in getattr(kernel, argument):
            raise UsageError(
                f"{argument}: expected a name without spaces, got {getattr(kernel, argument)!r}. "
                "Boot loaders read it in a line with other words."
            )
    if kernel.devicetree and loader in _WITHOUT_DEVICETREE:
        raise UsageError(
            f"{TABLE[loader].title} loads no device tree. Leave devicetree= out, or give text=."
        )
    return _WRITERS[loader](kernel, _folder_of(loader, identity))


def _folder_of(loader: BootLoader, identity: Identity) -> str:
    """The folder below which the loader asks for files that its configuration names."""
    folder = TABLE[loader].folder if identity.folder is None else identity.folder
    return plain_name(folder)


def _pxelinux(kernel: Kernel, folder: str) -> str:
    """A name that begins with `::` is not below the folder: syslinux doc/pxelinux.txt."""
    return _label(kernel, lambda name: _below(name, folder) or f"::{plain_name(name)}")


def _u_boot(kernel: Kernel, folder: str) -> str:
    """U-Boot puts the folder before each name: boot/pxe_utils.c, get_relfile()."""

    def reached(name: str) -> str:
        inner = _below(name, folder)
        if not inner:
            raise UsageError(
                f"U-Boot loads only files in the folder of its boot file, '{folder}', and "
                f"'{name}' is not there. Upload it there, or give another folder=."
            )
        return inner

    return _label(kernel, reached)


def _label(kernel: Kernel, reached: Callable[[str], str]) -> str:
    lines = ["DEFAULT linux", "PROMPT 0", "LABEL linux", f"  LINUX {reached(kernel.kernel)}"]
    if kernel.initrd:
        lines.append(f"  INITRD {reached(kernel.initrd)}")
    if kernel.devicetree:
        lines.append(f"  FDT {reached(kernel.devicetree)}")
    if kernel.append:
        lines.append(f"  APPEND {kernel.append}")
    return "\n".join([*lines, ""])


def _grub(kernel: Kernel, _folder: str) -> str:
    words = " ".join(map(_quoted, kernel.append.split()))
    lines = ["set timeout=0", f"linux /{_quoted(plain_name(kernel.kernel))} {words}".rstrip()]
    if kernel.initrd:
        lines.append(f"initrd /{_quoted(plain_name(kernel.initrd))}")
    if kernel.devicetree:
        lines.append(f"devicetree /{_quoted(plain_name(kernel.devicetree))}")
    return "\n".join([*lines, "boot", ""])


def _ipxe(kernel: Kernel, _folder: str) -> str:
    """A UEFI kernel finds its initramfs by `initrd=`; on a BIOS it does no harm."""
    initrd = plain_name(kernel.initrd)
    words = [f"kernel /{plain_name(kernel.kernel)}"]
    words += [f"initrd={initrd.rpartition('/')[2]}"] if initrd else []
    words += [kernel.append] if kernel.append else []
    lines = ["#!ipxe", " ".join(words)]
    lines += [f"initrd /{initrd}"] if initrd else []
    return "\n".join([*lines, "boot", ""])


def _below(name: str, folder: str) -> str:
    """Returns a name as it is in a folder; empty where it is not in it."""
    plain = plain_name(name)
    return plain[len(folder) :] if plain.startswith(folder) else ""


def _quoted(word: str) -> str:
    if _GRUB_PLAIN.issuperset(word):
        return word
    return "'{}'".format(word.replace("'", "'\\''"))


def _name_by_dhcp(name: str) -> str:
    return f"iPXE loads what DHCP names: let it name '{name}', or give boot_file=."


def _unused(loader: BootLoader, identity: Identity, only_for: str) -> list[str]:
    """Sentences about what is known of the board, and does not lead the loader to the file."""
    given = [part for part in _PARTS if getattr(identity, part)]
    if loader is BootLoader.grub and given and identity.folder is None:
        return [
            "a GRUB that Debian or Ubuntu signed does not look for it: take loader=grub_signed "
            "with only_for=. For one with an image of your own give its prefix, folder=/grub."
        ]
    fields = "".join(step.name for step in TABLE[loader].steps)
    is_used = any(f"{{{field}" in fields for part in given for field in _PARTS[part])
    if not given or is_used or only_for:
        return []
    listed = " and ".join(f"{part}=" for part in given)
    return [
        f"it looks for no name made of {listed}, so every board gets this file. Give it to one "
        "board with only_for=."
    ]


_PARTS: Mapping[str, tuple[str, ...]] = {
    "mac": ("mac", "MAC", "prefix"),
    "ip": ("IP",),
    "uuid": ("uuid", "label_uuid"),
    "serial": ("serial", "prefix"),
}
_WRITERS: Mapping[BootLoader, Callable[[Kernel, str], str]] = {
    BootLoader.pxelinux: _pxelinux,
    BootLoader.u_boot: _u_boot,
    BootLoader.petitboot: _u_boot,
    BootLoader.grub: _grub,
    BootLoader.grub_signed: _grub,
    BootLoader.ipxe: _ipxe,
    BootLoader.ipxe_uefi: _ipxe,
}
_WITHOUT_DEVICETREE = frozenset((BootLoader.pxelinux, BootLoader.ipxe, BootLoader.ipxe_uefi))
