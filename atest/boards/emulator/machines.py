"""The machines that can be emulated: the arguments of QEMU, and the packages that they need."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

FIRMWARE = Path("/usr/lib/u-boot")
OVMF = Path("/usr/share/OVMF")
GRUB = Path("/usr/lib/grub/x86_64-efi/monolithic/grubnetx64.efi")
SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
SIGNED_GRUB = Path("/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed")
PXELINUX = Path("/usr/lib/PXELINUX/pxelinux.0")
LDLINUX = Path("/usr/lib/syslinux/modules/bios/ldlinux.c32")
PROJECT = Path(__file__).parents[3]
FETCH_LINUX = "python3 -m atest.boards.fetch_linux"

_DEBIAN = "On Debian: apt-get install --no-install-recommends "
_ALL = ("-nodefaults", "-no-reboot", "-nographic", "-serial", "stdio", "-monitor", "none")
_UBOOT_PACKAGES = ("qemu-system-arm", "u-boot-qemu")
_PC_PACKAGES = ("qemu-system-x86", "ipxe-qemu", "pxelinux", "syslinux-common")
_UEFI_PACKAGES = (
    *("qemu-system-x86", "ovmf", "grub-efi-amd64-bin", "grub-common"),
    *("grub-efi-amd64-signed", "shim-signed"),
)
_UBOOT_PC_PACKAGES = ("qemu-system-x86", "u-boot-qemu")


class Kind(Enum):
    """The boards that there are."""

    arm = "arm"
    """32-bit Arm with U-Boot."""
    arm64 = "arm64"
    """64-bit Arm with U-Boot."""
    linux = "linux"
    """64-bit Arm with U-Boot, and a Linux to boot."""
    pc = "pc"
    """A PC whose network card has iPXE in its ROM, and PXELINUX to boot."""
    uefi = "uefi"
    """A PC with UEFI firmware, and GRUB to boot."""
    pc_uboot = "pc_uboot"
    """A PC with U-Boot."""


@dataclass(frozen=True)
class Machine:
    """The parts of a kind of board.

    Attributes:
        program: QEMU's program for it.
        arguments: those of the program, without the network.
        card: QEMU's name of the network card.
        files: what must be there beside the program.
        install: how to get what is missing.
        uses_uboot: whether U-Boot's prompt comes.
    """

    program: str
    arguments: tuple[str, ...]
    card: str
    files: tuple[Path, ...]
    install: str
    uses_uboot: bool = True


def linux_folder(processor: str = "arm64") -> Path:
    """Returns where `fetch_linux` puts the kernel and the initramfs."""
    return Path(os.environ.get("TFTP_LIBRARY_PEERS") or PROJECT / ".peers", f"linux-{processor}")


def linux_files(processor: str = "arm64") -> tuple[Path, Path]:
    """Returns the kernel and the initramfs for the board `linux`, or for a PC: `amd64`."""
    folder = linux_folder(processor)
    return folder / "Image", folder / "initramfs.cpio.gz"


def machine(kind: Kind) -> Machine:
    """Returns what a kind of board is made of."""
    return _MACHINES[kind]()


def missing(kind: Kind) -> str:
    """Returns what is missing for a kind of board, and the command that installs it; or nothing."""
    board = machine(kind)
    lost = [str(path) for path in board.files if not path.exists()]
    if not shutil.which(board.program):
        lost.insert(0, board.program)
    if not lost:
        return ""
    return f"The emulated board '{kind.value}' needs {', '.join(lost)}. {board.install}"


def missing_linux(processor: str) -> str:
    """Returns how to get the Linux of a processor, or nothing where it is there."""
    lost = [str(path) for path in linux_files(processor) if not path.exists()]
    return f"The test needs {', '.join(lost)}. Run: {FETCH_LINUX}" if lost else ""


def _uboot(program: str, folder: str, *processor: str) -> Machine:
    firmware = FIRMWARE / folder / "u-boot.bin"
    arguments = (*_ALL, "-M", "virt", *processor, "-m", "256", "-bios", str(firmware))
    install = _DEBIAN + " ".join(_UBOOT_PACKAGES)
    return Machine(program, arguments, "virtio-net-device", (firmware,), install)


def _arm() -> Machine:
    return _uboot("qemu-system-arm", "qemu_arm")


def _arm64() -> Machine:
    return _uboot("qemu-system-aarch64", "qemu_arm64", "-cpu", "cortex-a57")


def _linux() -> Machine:
    board = _arm64()
    return Machine(
        board.program,
        board.arguments,
        board.card,
        (*board.files, *linux_files()),
        f"{board.install} && {FETCH_LINUX}",
    )


def _pc() -> Machine:
    rom = Path("/usr/lib/ipxe/qemu/efi-virtio.rom")
    # With less memory it cannot boot a Linux.
    arguments = (*_ALL, "-M", "pc", "-m", "512", "-boot", "n")
    install = _DEBIAN + " ".join(_PC_PACKAGES)
    files = (rom, PXELINUX, LDLINUX)
    return Machine("qemu-system-x86_64", arguments, "virtio-net-pci", files, install, False)


def _pc_uboot() -> Machine:
    # The one of 64 bits cannot start a kernel here.
    rom = FIRMWARE / "qemu-x86" / "u-boot.rom"
    arguments = (*_ALL, "-M", "pc", "-m", "512", "-bios", str(rom))
    install = _DEBIAN + " ".join(_UBOOT_PC_PACKAGES)
    return Machine("qemu-system-x86_64", arguments, "e1000", (rom,), install)


def _uefi() -> Machine:
    code, variables = OVMF / "OVMF_CODE_4M.fd", OVMF / "OVMF_VARS_4M.fd"
    flash = "if=pflash,format=raw,unit={},file={},{}=on".format
    arguments = (
        *(*_ALL, "-M", "q35", "-m", "512", "-boot", "n"),
        *("-drive", flash(0, code, "readonly")),
        # The variables that the firmware writes are forgotten with the board.
        *("-drive", flash(1, variables, "snapshot")),
    )
    return Machine(
        "qemu-system-x86_64",
        arguments,
        # Without the ROM of the card the firmware uses its own driver and its own PXE.
        "virtio-net-pci,romfile=",
        (code, variables, GRUB, SHIM, SIGNED_GRUB),
        _DEBIAN + " ".join(_UEFI_PACKAGES),
        False,
    )


_MACHINES = {
    Kind.arm: _arm,
    Kind.arm64: _arm64,
    Kind.linux: _linux,
    Kind.pc: _pc,
    Kind.uefi: _uefi,
    Kind.pc_uboot: _pc_uboot,
}
