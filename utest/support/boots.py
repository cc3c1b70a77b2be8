"""Requests of boot loaders for tests, with the options that the real ones ask with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from TftpLibrary.boot.loaders import BootLoader
from TftpLibrary.boot.table import TABLE
from TftpLibrary.recording.records import OptionValues, Transfer
from utest.support.records import completed, refused

LISTS = [f"/grub/x86_64-efi/{name}.lst" for name in ("command", "fs", "crypto", "terminal")]


def options_of(loader: BootLoader | None) -> OptionValues:
    """The options of a loader; none for an unknown one."""
    known = TABLE[loader].options if loader else ()
    text = known[0].replace("*", "5") if known else ""
    pairs = (option.split("=") for option in text.split())
    return OptionValues(tuple((name, value) for name, value in pairs))


def asked(
    names: Iterable[str], loader: BootLoader | None = None, **values: Any
) -> tuple[Transfer, ...]:
    """Requests for files that are not there."""
    return tuple(refused(name, requested=options_of(loader), **values) for name in names)


def found(name: str, loader: BootLoader | None = None, **values: Any) -> Transfer:
    """A request for a file that is there."""
    return completed(name, requested=options_of(loader), **values)


def boot(config: str = "/grub/grub.cfg", **values: Any) -> tuple[Transfer, ...]:
    """A healthy boot by UEFI, shim and a signed GRUB, up to its configuration."""
    shim, grub = BootLoader.shim, BootLoader.grub_signed
    return (
        found("shimx64.efi", BootLoader.uefi, **values),
        *asked(["revocations_sku.efi", "revocations_sbat.efi"], shim, **values),
        *asked(["shim_certificate_0.efi"], shim, **values),
        found("grubx64.efi", shim, **values),
        *asked(LISTS, grub, **values),
        found(config, grub, **values),
    )
