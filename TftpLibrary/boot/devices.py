"""Firmware of devices that boot in their own way; `boot/table.py` says how to read it."""

from __future__ import annotations

from TftpLibrary.boot.loaders import BootLoader, Entry, Step, needed, optional

_PI_NET = "raspberrypi/documentation boot-net.adoc"
_PI_EEPROM = "raspberrypi/documentation eeprom-bootloader.adoc, TFTP_PREFIX"
_ONIE = "ONIE rootconf/default/bin/exec_installer"
_ONIE_NAMES = "ONIE rootconf/default/lib/onie/functions"
_AUTOINSTALL = "AI2524 Router Card User's Manual, page 5-4"
_NETGEAR = "NETGEAR M6100 Software Setup Manual, page 23"
_DELL = "Dell EMC N3100 User's Guide, page 593"
_PHONE = "Cisco Unified IP Phone 7931G Administration Guide, chapter 2"


def _pi_steps(first: str) -> tuple[Step, ...]:
    """The files that the firmware of a Pi looks for later on; most of them need not exist."""
    logged = "raspberrypi/firmware issues 935 and 1605, logs of tftpd and dnsmasq"
    names = (
        *("autoboot.txt", "vl805.sig", "vl805.bin", "pieeprom.sig", "pieeprom.upd"),
        *("recover4.elf", "recovery.elf", "fixup4rc.dat", "fixup_rc.dat", "dt-blob.bin"),
        *("bootcfg.txt", "recovery{digit}.img", "recovery.img", "armstub{stub}.bin"),
        *("overlays/{any}", "tryboot.txt", "boot.sig", "config.txt", "cmdline.txt"),
        *("fixup{digit}.dat", "fixup.dat", "user{digit}.txt"),
    )
    return (
        *(optional(f"{{found}}{name}", logged, is_listed=False) for name in names),
        Step(f"{{found}}{first}", logged, search="start file", is_listed=False),
        Step("{found}bcm{chip}.dtb", logged, search="device tree", is_listed=False),
        Step("{found}kernel{kernel}.img", logged, search="kernel", is_listed=False),
        Step("{found}kernel.img", logged, search="kernel", is_listed=False),
    )


DEVICES: dict[BootLoader, Entry] = {
    BootLoader.raspberry_pi_3: Entry(
        "Raspberry Pi 3",
        "start file",
        (
            needed("bootcode.bin", _PI_NET),
            optional("bootsig.bin", _PI_NET),
            Step("{prefix}start.elf", _PI_NET, search="start file"),
            optional("{found}autoboot.txt", "raspberrypi/firmware issue 1041, tcpdump"),
            optional("{found}config.txt", "raspberrypi/firmware issue 1041, tcpdump"),
            optional("{found}recovery.elf", "raspberrypi/firmware issue 1041, tcpdump"),
            Step(
                "{found}start.elf", "raspberrypi/firmware issue 1041, tcpdump", search="start file"
            ),
            optional("{found}fixup.dat", "raspberrypi/firmware issue 935, log of dnsmasq"),
            *_pi_steps("start.elf"),
        ),
        is_ordered=False,
        config="{prefix}config.txt",
        described="the firmware of a Raspberry Pi 3",
    ),
    BootLoader.raspberry_pi_4: Entry(
        "Raspberry Pi 4",
        "start file",
        (
            Step("{prefix}start4.elf", f"{_PI_EEPROM}; rpi-eeprom issue 74", search="start file"),
            Step("{prefix}start.elf", f"{_PI_EEPROM}; rpi-eeprom issue 74", search="start file"),
            optional("{found}config.txt", "raspberrypi/rpi-eeprom issue 74, tcpdump"),
            optional("{found}recover4.elf", "raspberrypi/rpi-eeprom issue 74, tcpdump"),
            optional("{found}recovery.elf", "raspberrypi/rpi-eeprom issue 74, tcpdump"),
            Step("{found}start4.elf", "raspberrypi/rpi-eeprom issue 74", search="start file"),
            Step("{found}start.elf", "raspberrypi/rpi-eeprom issue 74", search="start file"),
            *_pi_steps("start4{variant}.elf"),
        ),
        # raspberrypi/rpi-eeprom issue 74
        ("tsize=0 blksize=1024",),
        is_ordered=False,
        config="{prefix}config.txt",
        described="the firmware of a Raspberry Pi 4",
    ),
    BootLoader.raspberry_pi_5: Entry(
        "Raspberry Pi 5",
        "configuration",
        (
            Step("{prefix}config.txt", f"{_PI_EEPROM}; bootflow-eeprom.adoc"),
            Step("{found}config.txt", f"{_PI_EEPROM}; bootflow-eeprom.adoc"),
            *_pi_steps("boot.img"),
        ),
        # raspberrypi/rpi-eeprom issue 857
        ("tsize=0 blksize=1468",),
        is_ordered=False,
        described="the firmware of a Raspberry Pi 5",
    ),
    BootLoader.onie: Entry(
        "ONIE",
        "installer",
        (
            Step("{mac}/onie-installer-{platform}", f"{_ONIE}:350"),
            Step("{IP*}/onie-installer-{platform}", f"{_ONIE}:359"),
            Step("onie-installer-{platform}", f"{_ONIE}:365, {_ONIE_NAMES}:31"),
            Step("onie-installer-{platform}.bin", f"{_ONIE_NAMES}:51"),
            Step("onie-installer-{cpu}-{machine}", f"{_ONIE_NAMES}:32"),
            Step("onie-installer-{cpu}-{machine}.bin", f"{_ONIE_NAMES}:51"),
            Step("onie-installer-{machine}", f"{_ONIE_NAMES}:33"),
            Step("onie-installer-{machine}.bin", f"{_ONIE_NAMES}:51"),
            Step("onie-installer-{cpu}-{asic}", f"{_ONIE_NAMES}:34", is_listed=False),
            Step("onie-installer-{cpu}-{asic}.bin", f"{_ONIE_NAMES}:51", is_listed=False),
            Step("onie-installer-{cpu}", f"{_ONIE_NAMES}:35"),
            Step("onie-installer-{cpu}.bin", f"{_ONIE_NAMES}:51"),
            Step("onie-installer", f"{_ONIE_NAMES}:36"),
            Step("onie-installer.bin", f"{_ONIE_NAMES}:51"),
        ),
        config=None,
    ),
    BootLoader.cisco_autoinstall: Entry(
        "AutoInstall",
        "configuration",
        (
            optional("network-confg", _AUTOINSTALL),
            optional("cisconet.cfg", _AUTOINSTALL),
            Step("{hostname}-confg", "AI2524 Router Card User's Manual, page 5-9"),
            Step("{hostname8}.cfg", _AUTOINSTALL),
            Step("router-confg", _AUTOINSTALL),
            Step("ciscortr.cfg", _AUTOINSTALL),
        ),
    ),
    BootLoader.netgear: Entry(
        "Auto Install",
        "configuration",
        (
            Step("{boot_file}", f"{_NETGEAR}: by unicast only"),
            optional("fp-net.cfg", _NETGEAR),
            Step("{hostname8}.cfg", _NETGEAR),
            Step("host.cfg", _NETGEAR),
        ),
    ),
    BootLoader.dell: Entry(
        "Auto Configuration",
        "configuration",
        (
            Step("{boot_file}", _DELL),
            optional("dell-net.cfg", f"{_DELL}; PowerConnect 7048 User's Guide, page 381"),
            Step("{hostname}.cfg", _DELL),
            Step("host.cfg", _DELL),
        ),
    ),
    BootLoader.cisco_phone: Entry(
        "Cisco phone",
        "configuration",
        (
            optional("CTLSEP{MAC}.tlv", _PHONE),
            optional("ITLSEP{MAC}.tlv", _PHONE),
            Step("SEP{MAC}.cnf.xml", _PHONE),
            Step("XMLDefault.cnf.xml", _PHONE),
        ),
        described="the firmware of a Cisco phone",
    ),
    BootLoader.cisco_phone_sip: Entry(
        "Cisco phone",
        "configuration",
        (
            optional("CTLSEP{MAC}.tlv", _PHONE),
            Step("SIP{MAC}.cnf", "uoverip.com, look-up order"),
            Step("SIPDefault.cnf", "uoverip.com, look-up order"),
        ),
        described="the firmware of a Cisco phone",
    ),
}
"""Raspberry Pi, bare switches, network gear and phones."""
