"""Boot loaders, and what is known of each: names that it asks for, in steps.

The table itself is in `boot/table.py`.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from TftpLibrary.errors import UsageError
from TftpLibrary.spelling import unknown


class BootLoader(Enum):
    """The program of a board that asks for files, by the way in which it looks for them.

    | ``pxelinux``          | PXELINUX: its configuration below ``pxelinux.cfg/``. |
    | ``u_boot``            | ``pxe get`` of U-Boot, which looks as PXELINUX does. |
    | ``u_boot_distro``     | U-Boot's boot over the network by itself: ``boot.scr.uimg``. |
    | ``u_boot_no_name``    | U-Boot that is told no name: the address, and ``.img``. |
    | ``grub``              | GRUB with an image of your own, which looks for a board's own file. |
    | ``grub_signed``       | GRUB as Debian and Ubuntu sign it, which does not. |
    | ``shim``              | shim, before a signed GRUB. |
    | ``uefi``              | The firmware of a PC, which loads what DHCP names. |
    | ``ipxe``              | iPXE, which loads what DHCP names. |
    | ``ipxe_uefi``         | iPXE as a UEFI program, which looks for ``autoexec.ipxe`` first. |
    | ``petitboot``         | Petitboot of OpenPOWER machines, which looks as PXELINUX does. |
    | ``raspberry_pi_3``    | Raspberry Pi 2B 1.2, 3B and 3B+. |
    | ``raspberry_pi_4``    | Raspberry Pi 4 and 400. |
    | ``raspberry_pi_5``    | Raspberry Pi 5 and 500. |
    | ``barebox``           | barebox: kernel, device tree and initramfs by user and host name. |
    | ``barebox_devboot``   | The command ``devboot`` of barebox. |
    | ``onie``              | ONIE of bare switches: the installer. |
    | ``cisco_autoinstall`` | AutoInstall of Cisco routers, by broadcast. |
    | ``netgear``           | Auto Install of NETGEAR M series, Dell 6200, Cisco SG200. |
    | ``dell``              | Auto Configuration of Dell 7000 and N series. |
    | ``cisco_phone``       | Cisco phones with SCCP, and with SIP of newer firmware. |
    | ``cisco_phone_sip``   | Cisco phones with SIP of older firmware. |
    """

    pxelinux = "pxelinux"
    u_boot = "u_boot"
    u_boot_distro = "u_boot_distro"
    u_boot_no_name = "u_boot_no_name"
    grub = "grub"
    grub_signed = "grub_signed"
    shim = "shim"
    uefi = "uefi"
    ipxe = "ipxe"
    ipxe_uefi = "ipxe_uefi"
    petitboot = "petitboot"
    raspberry_pi_3 = "raspberry_pi_3"
    raspberry_pi_4 = "raspberry_pi_4"
    raspberry_pi_5 = "raspberry_pi_5"
    barebox = "barebox"
    barebox_devboot = "barebox_devboot"
    onie = "onie"
    cisco_autoinstall = "cisco_autoinstall"
    netgear = "netgear"
    dell = "dell"
    cisco_phone = "cisco_phone"
    cisco_phone_sip = "cisco_phone_sip"


class Need(Enum):
    """What a loader does when a file is not there."""

    needed = "needed"
    """It cannot go on."""
    one_of = "one_of"
    """It asks for the next one: of the files of one search it needs the first that is there."""
    optional = "optional"
    """It goes on without it."""


class Step(NamedTuple):
    """A name that a loader asks for, or several that differ in one part.

    Attributes:
        name: the name, with parts in braces.
        source: where it stands.
        need: what the loader does when the file is not there.
        search: the search that it belongs to, of those of its loader.
        condition: when it is asked for; empty for always.
        is_listed: whether it is among the names that a board is expected to ask for.
    """

    name: str
    source: str
    need: Need = Need.one_of
    search: str = "configuration"
    condition: str = ""
    is_listed: bool = True


class Entry(NamedTuple):
    """What is known of a loader.

    Attributes:
        title: its name.
        seeks: what its search is for, in a sentence.
        steps: the names, in the order in which it asks.
        options: the options of its requests in their order, as globs; empty where not known.
        folder: the folder that it asks in, where none is given.
        defaults: parts of names that it has itself.
        is_ordered: whether it always asks in this order.
        described: the loader in a sentence, where that is not its name.
        config: the name of the text that it reads; empty for that of its search, None for no text.
    """

    title: str
    seeks: str
    steps: tuple[Step, ...]
    options: tuple[str, ...] = ()
    folder: str = ""
    defaults: tuple[tuple[str, str], ...] = ()
    is_ordered: bool = True
    described: str = ""
    config: str | None = ""


def optional(name: str, source: str, *, is_listed: bool = True) -> Step:
    """Returns the step of a file that the loader can do without."""
    return Step(name, source, Need.optional, is_listed=is_listed)


def needed(name: str, source: str) -> Step:
    """Returns the step of a file that the loader cannot do without."""
    return Step(name, source, Need.needed)


def parse_loader(text: str) -> BootLoader:
    """Returns the loader of a name; case, spaces, hyphens and underscores do not matter.

    Raises:
        UsageError: there is none; the text says which one was meant, and all that there are.
    """
    plain = _plain(text)
    for loader in BootLoader:
        if _plain(loader.name) == plain:
            return loader
    raise UsageError(unknown("boot loader", text, BootLoader.__members__))


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter not in " _-")
