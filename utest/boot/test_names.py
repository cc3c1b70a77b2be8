"""The names as the loaders write them.

Those of PXELINUX, U-Boot, GRUB, shim and UEFI are what the real ones asked of our server under
QEMU, on a machine with this identity; `atest/boards/what_boards_ask.robot` asks them again. The
others are the examples of their sources.
"""

from __future__ import annotations

import pytest

from TftpLibrary.boot.identity import parse_identity
from TftpLibrary.boot.loaders import BootLoader
from TftpLibrary.boot.names import boot_file_names, config_name
from TftpLibrary.errors import UsageError

MAC, IP = "52:54:00:ab:cd:07", "10.0.2.15"
UUID = "11223344-5566-7788-99aa-bbccddeeff00"
ADDRESSES = ["0A00020F", "0A00020", "0A0002", "0A000", "0A00", "0A0", "0A", "0"]
LISTS = [f"/grub/x86_64-efi/{name}.lst" for name in ("command", "fs", "crypto", "terminal")]


def names(loader: str, until: str = "", **known: str) -> list[str]:
    return boot_file_names(BootLoader[loader], parse_identity(**known), until)


def test_names_of_pxelinux() -> None:
    assert names("pxelinux", mac=MAC, ip=IP, uuid=UUID) == [
        "ldlinux.c32",
        "pxelinux.cfg/44332211-6655-8877-99aa-bbccddeeff00",
        "pxelinux.cfg/01-52-54-00-ab-cd-07",
        *(f"pxelinux.cfg/{digits}" for digits in ADDRESSES),
        "pxelinux.cfg/default",
    ]


def test_folder_of_the_boot_file_is_before_each_name_of_pxelinux() -> None:
    assert names("pxelinux", boot_file="sub/dir/pxelinux.0", until="default") == [
        "sub/dir/ldlinux.c32",
        "sub/dir/pxelinux.cfg/default",
    ]


def test_names_of_u_boot() -> None:
    assert names("u_boot", mac="52:54:00:12:34:0b", ip=IP, arch="arm") == [
        "pxelinux.cfg/01-52-54-00-12-34-0b",
        *(f"pxelinux.cfg/{digits}" for digits in ADDRESSES),
        "pxelinux.cfg/default-arm",
        "pxelinux.cfg/default",
    ]
    assert names("u_boot", arch="x86-qemu-qemu-x86") == [
        "pxelinux.cfg/default-x86-qemu-qemu-x86",
        "pxelinux.cfg/default-x86-qemu",
        "pxelinux.cfg/default-x86",
        "pxelinux.cfg/default",
    ]


def test_uuid_of_u_boot_is_that_of_its_variable_and_not_in_the_order_of_the_wire() -> None:
    assert names("u_boot", uuid=UUID)[0] == f"pxelinux.cfg/{UUID}"


def test_names_of_u_boot_that_boots_by_itself() -> None:
    assert names("u_boot_distro") == ["boot.scr.uimg", "boot.scr.uimg"]
    assert names("u_boot_distro", boot_file="d/boot.bin") == ["boot.scr.uimg", "d/boot.bin"]
    assert names("u_boot_no_name", ip=IP) == ["0A00020F.img"]


def test_names_of_grub_with_an_image_of_ones_own() -> None:
    assert names("grub", mac=MAC, ip=IP, uuid=UUID) == [
        "/grub/grub.cfg-44332211-6655-8877-99aa-bbccddeeff00",
        "/grub/grub.cfg-01-52-54-00-ab-cd-07",
        *(f"/grub/grub.cfg-{digits}" for digits in ADDRESSES),
        *LISTS,
        "/grub/grub.cfg",
    ]
    # An image without a prefix has that of its own folder, without the slash.
    assert names("grub", folder="img", arch="arm64")[-2:] == [
        "img/arm64-efi/terminal.lst",
        "img/grub.cfg",
    ]


def test_signed_grub_asks_for_no_file_of_its_board() -> None:
    assert names("grub_signed", mac=MAC, ip=IP, uuid=UUID) == [*LISTS, "/grub/grub.cfg"]


def test_names_of_shim_and_of_the_firmware_before_it() -> None:
    assert names("shim", boot_file="a\\b\\shimx64.efi") == [
        "a\\b\\revocations_sku.efi",
        "a\\b\\revocations_sbat.efi",
        "a\\b\\shim_certificate_0.efi",
        "a\\b\\grubx64.efi",
    ]
    assert names("shim", arch="arm64")[-1] == "grubaa64.efi"
    assert names("uefi", boot_file="shimx64.efi") == ["shimx64.efi", "shimx64.efi"]


def test_names_of_ipxe() -> None:
    assert names("ipxe", boot_file="boot.ipxe") == ["boot.ipxe"]
    assert names("ipxe_uefi", boot_file="a/ipxe.efi") == [
        "a/autoexec.ipxe",
        "autoexec.ipxe",
        "a/ipxe.efi",
    ]


def test_names_of_petitboot() -> None:
    assert names("petitboot", mac=MAC, ip="192.168.0.1")[:2] == [
        "pxelinux.cfg/01-52-54-00-ab-cd-07",
        "pxelinux.cfg/C0A80001",
    ]


def test_names_of_a_raspberry_pi_3() -> None:
    """As tcpdump saw them in issue 1041 of its firmware."""
    assert names("raspberry_pi_3", serial="e1ffda08")[:6] == [
        "bootcode.bin",
        "bootsig.bin",
        "e1ffda08/start.elf",
        "autoboot.txt",
        "config.txt",
        "recovery.elf",
    ]


def test_names_of_a_raspberry_pi_4_whose_folder_is_not_there() -> None:
    """As tcpdump saw them in issue 74 of its boot loader."""
    assert names("raspberry_pi_4", serial="d9780558") == [
        "d9780558/start4.elf",
        "d9780558/start.elf",
        "config.txt",
        "recover4.elf",
        "recovery.elf",
        "start4.elf",
        "start.elf",
    ]


def test_names_of_a_raspberry_pi_with_its_folder() -> None:
    assert names("raspberry_pi_4", "d9780558/config.txt", serial="d9780558") == [
        "d9780558/start4.elf",
        "d9780558/config.txt",
    ]
    assert names("raspberry_pi_5", folder="tftp_test") == ["tftp_test/config.txt", "config.txt"]
    assert names("raspberry_pi_5", mac="dc:a6:32:01:36:c2")[0] == "dc-a6-32-01-36-c2/config.txt"


def test_names_of_barebox() -> None:
    assert names("barebox", hostname="sha@board7") == [
        "sha-oftree-board7",
        "sha-initramfs-board7",
        "sha-linux-board7",
    ]
    assert names("barebox")[-1] == "none-linux-generic"
    assert names("barebox_devboot", hostname="sha@board7", arch="arm") == [
        "sha-devboot-board7",
        "sha-devboot-arm",
    ]


def test_names_of_onie() -> None:
    found = names("onie", mac=MAC, ip="192.168.42.66", arch="powerpc-VENDOR_MODEL-r0")
    assert found[:3] == [
        "52-54-00-ab-cd-07/onie-installer-powerpc-VENDOR_MODEL-r0",
        "C0A82A42/onie-installer-powerpc-VENDOR_MODEL-r0",
        "C0A82A4/onie-installer-powerpc-VENDOR_MODEL-r0",
    ]
    assert found[9:] == [
        "onie-installer-powerpc-VENDOR_MODEL-r0",
        "onie-installer-powerpc-VENDOR_MODEL-r0.bin",
        "onie-installer-powerpc-VENDOR_MODEL",
        "onie-installer-powerpc-VENDOR_MODEL.bin",
        "onie-installer-VENDOR_MODEL",
        "onie-installer-VENDOR_MODEL.bin",
        "onie-installer-powerpc",
        "onie-installer-powerpc.bin",
        "onie-installer",
        "onie-installer.bin",
    ]


def test_names_of_network_gear() -> None:
    assert names("cisco_autoinstall", hostname="australia") == [
        "network-confg",
        "cisconet.cfg",
        "australia-confg",
        "australi.cfg",
        "router-confg",
        "ciscortr.cfg",
    ]
    assert names("netgear", hostname="switch_to_setup", boot_file="own.cfg") == [
        "own.cfg",
        "fp-net.cfg",
        "switch_t.cfg",
        "host.cfg",
    ]
    assert names("dell") == ["dell-net.cfg", "host.cfg"]
    assert names("cisco_phone", mac=MAC) == [
        "CTLSEP525400ABCD07.tlv",
        "ITLSEP525400ABCD07.tlv",
        "SEP525400ABCD07.cnf.xml",
        "XMLDefault.cnf.xml",
    ]
    assert names("cisco_phone_sip", mac=MAC)[1:] == ["SIP525400ABCD07.cnf", "SIPDefault.cnf"]


def test_list_ends_at_the_file_that_is_found() -> None:
    found = "pxelinux.cfg/01-52-54-00-ab-cd-07"
    assert names("pxelinux", found, mac=MAC, ip=IP) == ["ldlinux.c32", found]
    assert names("grub", "grub/grub.cfg")[-1] == "/grub/grub.cfg"


def test_file_that_the_loader_does_not_ask_for_is_refused_as_the_end() -> None:
    with pytest.raises(UsageError) as error:
        names("pxelinux", "pxelinux.cfg/01-52-54-00-AB-CD-07", mac=MAC)
    assert str(error.value) == (
        "until: expected one of the names that PXELINUX asks for, got "
        "'pxelinux.cfg/01-52-54-00-AB-CD-07'. Names: ldlinux.c32, "
        "pxelinux.cfg/01-52-54-00-ab-cd-07, pxelinux.cfg/default."
    )


def test_loader_of_which_too_little_is_known_says_what_to_give() -> None:
    with pytest.raises(UsageError, match="UEFI firmware asks for names of which nothing is known"):
        names("uefi")
    with pytest.raises(UsageError, match="Give ip=."):
        names("u_boot_no_name")


@pytest.mark.parametrize(
    ("loader", "known", "name"),
    [
        ("pxelinux", {}, "pxelinux.cfg/default"),
        ("pxelinux", {"ip": IP}, "pxelinux.cfg/0A00020F"),
        ("pxelinux", {"ip": IP, "mac": MAC}, "pxelinux.cfg/01-52-54-00-ab-cd-07"),
        (
            "pxelinux",
            {"mac": MAC, "uuid": UUID},
            "pxelinux.cfg/44332211-6655-8877-99aa-bbccddeeff00",
        ),
        # Only some U-Boots and GRUBs ask for the UUID.
        ("u_boot", {"mac": MAC, "uuid": UUID}, "pxelinux.cfg/01-52-54-00-ab-cd-07"),
        ("u_boot", {"uuid": UUID}, f"pxelinux.cfg/{UUID}"),
        ("grub", {"mac": MAC, "uuid": UUID}, "/grub/grub.cfg-01-52-54-00-ab-cd-07"),
        ("grub_signed", {"mac": MAC}, "/grub/grub.cfg"),
        ("ipxe", {"boot_file": "a/b.ipxe"}, "a/b.ipxe"),
        ("ipxe_uefi", {}, "autoexec.ipxe"),
        ("raspberry_pi_4", {"serial": "9ffefdef"}, "9ffefdef/config.txt"),
        ("raspberry_pi_5", {}, "config.txt"),
        ("cisco_autoinstall", {"hostname": "australia"}, "australia-confg"),
        ("netgear", {"boot_file": "own.cfg", "hostname": "x"}, "own.cfg"),
        ("dell", {}, "host.cfg"),
        ("cisco_phone", {"mac": MAC}, "SEP525400ABCD07.cnf.xml"),
    ],
)
def test_name_of_a_configuration_is_the_most_specific_one(
    loader: str, known: dict[str, str], name: str
) -> None:
    assert config_name(BootLoader[loader], parse_identity(**known))[0] == name


def test_loader_that_reads_no_text_has_no_configuration() -> None:
    with pytest.raises(UsageError, match="shim reads no configuration. Give the loader that does"):
        config_name(BootLoader.shim, parse_identity())
    with pytest.raises(UsageError, match="Give boot_file=."):
        config_name(BootLoader.ipxe, parse_identity())
