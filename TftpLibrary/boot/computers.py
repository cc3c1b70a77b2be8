"""Boot loaders of PCs and of boards with Linux; `boot/table.py` says how to read it."""

from __future__ import annotations

from TftpLibrary.boot.loaders import BootLoader, Entry, Step, needed, optional

_PXE = "syslinux core/fs/pxe/pxe.c"
_UBOOT_PXE = "U-Boot cmd/pxe.c"
_DISTRO = "U-Boot include/config_distro_bootcmd.h"
_GRUB_NET = "GRUB grub-core/net/net.c"
_GRUB_NORMAL = "GRUB grub-core/normal"
_PETITBOOT = "Petitboot discover/user-event.c"
_NET_BOOT = "barebox defaultenv/defaultenv-2-base/boot/net"
_LISTS = ("command", "fs", "crypto", "terminal")
_LIST_SOURCES = ("dyncmd.c:104", "autofs.c:65", "crypto.c:90", "term.c:327")
_GRUB_LISTS = tuple(
    optional(f"{{folder}}{{platform}}/{name}.lst", f"{_GRUB_NORMAL}/{source}; measured")
    for name, source in zip(_LISTS, _LIST_SOURCES, strict=True)
)
_GRUB_LISTS = tuple(
    optional(f"{{folder}}{{platform}}/{name}.lst", f"{_GRUB_NORMAL}/{source}; measured")
    for name, source in zip(_LISTS, _LIST_SOURCES, strict=True)
)
_GRUB_PLATFORM = (("grub", "x86_64-efi"),)
_GRUB_OPTIONS = ("blksize=1024 tsize=0",)
_UBOOT_OPTIONS = ("timeout=* blksize=*", "timeout=* tsize=* blksize=*")

COMPUTERS: dict[BootLoader, Entry] = {
    BootLoader.pxelinux: Entry(
        "PXELINUX",
        "configuration",
        (
            needed("{folder}ldlinux.c32", "syslinux core/elflink/load_env32.c; measured"),
            Step("{folder}pxelinux.cfg/{uuid}", f"{_PXE}:465; measured"),
            Step("{folder}pxelinux.cfg/01-{mac}", f"{_PXE}:471; measured"),
            Step("{folder}pxelinux.cfg/{IP*}", f"{_PXE}:476; measured"),
            Step("{folder}pxelinux.cfg/default", f"{_PXE}:487; measured"),
        ),
        # syslinux core/fs/pxe/tftp.c:194
        ("tsize=0 blksize=1408",),
    ),
    BootLoader.u_boot: Entry(
        "U-Boot",
        "configuration",
        (
            Step(
                "{folder}pxelinux.cfg/{label_uuid}",
                f"{_UBOOT_PXE}:52; measured",
                condition="its variable pxeuuid is set, and then in the writing that it has there",
            ),
            Step("{folder}pxelinux.cfg/01-{mac}", "U-Boot boot/pxe_utils.c:79; measured"),
            Step("{folder}pxelinux.cfg/{IP*}", f"{_UBOOT_PXE}:89; measured"),
            Step("{folder}pxelinux.cfg/default-{arch}-{soc}-{board}", f"{_UBOOT_PXE}:18; measured"),
            Step("{folder}pxelinux.cfg/default-{arch}-{soc}", f"{_UBOOT_PXE}:20; measured"),
            Step("{folder}pxelinux.cfg/default-{arch}", f"{_UBOOT_PXE}:22; measured"),
            Step("{folder}pxelinux.cfg/default", f"{_UBOOT_PXE}:23; measured"),
        ),
        # U-Boot net/tftp.c:348-366
        _UBOOT_OPTIONS,
    ),
    BootLoader.u_boot_distro: Entry(
        "U-Boot",
        "boot script",
        (
            optional("boot.scr.uimg", f"{_DISTRO}:391 and 473; measured"),
            optional("{boot_file}", f"{_DISTRO}:370; measured: without one the same again"),
        ),
        _UBOOT_OPTIONS,
        defaults=(("boot_file", "boot.scr.uimg"),),
        config=None,
    ),
    BootLoader.u_boot_no_name: Entry(
        "U-Boot",
        "image",
        (Step("{IP}.img", "U-Boot net/tftp.c:818; measured"),),
        _UBOOT_OPTIONS,
        config=None,
        described="a U-Boot that was told no name",
    ),
    BootLoader.grub: Entry(
        "GRUB",
        "configuration",
        (
            Step(
                "{folder}grub.cfg-{uuid}",
                f"{_GRUB_NET}:1803; measured",
                condition="the answer of the DHCP server has option 97",
            ),
            Step("{folder}grub.cfg-01-{mac}", f"{_GRUB_NET}:1817; measured"),
            Step("{folder}grub.cfg-{IP*}", f"{_GRUB_NET}:1836; measured"),
            *_GRUB_LISTS,
            Step("{folder}grub.cfg", f"{_GRUB_NORMAL}/main.c:339; measured"),
        ),
        _GRUB_OPTIONS,
        # `(tftp)/grub`, as the prefix of an image is most often built.
        "/grub/",
        _GRUB_PLATFORM,
    ),
    BootLoader.grub_signed: Entry(
        "GRUB",
        "configuration",
        (*_GRUB_LISTS, Step("{folder}grub.cfg", "measured: grubnetx64.efi.signed")),
        _GRUB_OPTIONS,
        "/grub/",
        _GRUB_PLATFORM,
        described="a GRUB that looks for no file of its own, as Debian and Ubuntu sign it",
    ),
    BootLoader.shim: Entry(
        "shim",
        "loader",
        (
            optional("{folder}revocations_sku.efi", "shim shim.c:805; measured"),
            optional("{folder}revocations_sbat.efi", "shim shim.c:806; measured"),
            optional("{folder}shim_certificate_0.efi", "shim shim.c:772; measured"),
            needed("{folder}grub{efi}.efi", "shim Make.defaults:31; measured"),
        ),
        ("blksize=512 windowsize=4",),
        defaults=(("efi", "x64"),),
        config=None,
    ),
    BootLoader.uefi: Entry(
        "UEFI firmware",
        "boot file",
        (
            needed("{boot_file}", "measured: the size first, which it ends with ERROR 8"),
            needed("{boot_file}", "measured: the content"),
        ),
        ("tsize=0 blksize=1468 windowsize=4", "blksize=1468 windowsize=4"),
        config=None,
    ),
    BootLoader.ipxe: Entry(
        "iPXE",
        "boot file",
        (needed("{boot_file}", "iPXE src/usr/autoboot.c:242; measured"),),
        # iPXE src/net/udp/tftp.c:380
        ("blksize=1432 tsize=0",),
        config="{boot_file}",
    ),
    BootLoader.ipxe_uefi: Entry(
        "iPXE",
        "script",
        (
            optional("{folder}autoexec.ipxe", "iPXE src/interface/efi/efi_autoexec.c:135"),
            # It takes the slash of a path away: iPXE src/net/udp/tftp.c:349
            optional("autoexec.ipxe", "iPXE src/interface/efi/efi_autoexec.c:137"),
            needed("{boot_file}", "iPXE src/usr/autoboot.c:242"),
        ),
        ("blksize=1432 tsize=0",),
        config="{folder}autoexec.ipxe",
    ),
    BootLoader.petitboot: Entry(
        "Petitboot",
        "configuration",
        (
            Step("{folder}pxelinux.cfg/01-{mac}", f"{_PETITBOOT}:375"),
            Step("{folder}pxelinux.cfg/{IP*}", f"{_PETITBOOT}:378"),
            Step("{folder}pxelinux.cfg/default", f"{_PETITBOOT}:382"),
        ),
    ),
    BootLoader.barebox: Entry(
        "barebox",
        "kernel",
        (
            optional("{user}-oftree-{hostname}", f"{_NET_BOOT}:7"),
            optional("{user}-initramfs-{hostname}", f"{_NET_BOOT}:15"),
            needed("{user}-linux-{hostname}", f"{_NET_BOOT}:5, which is read at the end"),
        ),
        # barebox defaultenv/defaultenv-2-base/bin/init:16-17
        defaults=(("user", "none"), ("hostname", "generic")),
        config=None,
    ),
    BootLoader.barebox_devboot: Entry(
        "barebox",
        "script",
        (
            Step(
                "{user}-devboot-{hostname}", "barebox defaultenv/defaultenv-2-base/bin/devboot:11"
            ),
            Step("{user}-devboot-{arch}", "barebox defaultenv/defaultenv-2-base/bin/devboot:13"),
        ),
        defaults=(("user", "none"), ("hostname", "generic")),
    ),
}
"""Those that look for the files of a pxelinux.cfg, a grub.cfg, and what DHCP names."""
