from __future__ import annotations

from typing import Any

import pytest

from TftpLibrary.boot.configs import BootConfig, Kernel, boot_config
from TftpLibrary.boot.identity import parse_identity
from TftpLibrary.boot.loaders import BootLoader
from TftpLibrary.errors import UsageError

MAC = "52:54:00:ab:cd:07"
LINUX = Kernel("vmlinuz", "initrd.gz", "console=ttyS0 quiet")


def config(loader: str, kernel: Kernel | None = LINUX, text: str = "", **known: Any) -> BootConfig:
    only_for = known.pop("only_for", "")
    identity = parse_identity(**known)
    return boot_config(BootLoader[loader], identity, kernel, text, only_for=only_for)


def test_pxelinux_reads_a_label() -> None:
    assert config("pxelinux") == BootConfig(
        "pxelinux.cfg/default",
        "DEFAULT linux\nPROMPT 0\nLABEL linux\n  LINUX vmlinuz\n  INITRD initrd.gz\n"
        "  APPEND console=ttyS0 quiet\n",
    )


def test_names_in_a_label_are_those_behind_the_folder_of_the_boot_file() -> None:
    inside = Kernel("tftpboot/vmlinuz", "/images/initrd.gz")
    text = config("pxelinux", inside, boot_file="tftpboot/pxelinux.0").text
    assert "LINUX vmlinuz\n  INITRD ::images/initrd.gz\n" in text


def test_u_boot_reads_a_label_with_a_device_tree() -> None:
    made = config("u_boot", Kernel("d/Image", devicetree="d/b.dtb"), folder="d", mac=MAC)
    assert made.name == "d/pxelinux.cfg/01-52-54-00-ab-cd-07"
    assert made.text.endswith("  LINUX Image\n  FDT b.dtb\n")
    assert not made.warnings


def test_kernel_that_u_boot_cannot_reach_is_refused() -> None:
    with pytest.raises(UsageError, match="only files in the folder of its boot file, 'd/'"):
        config("u_boot", folder="d")


def test_grub_reads_a_script() -> None:
    assert config("grub_signed", LINUX._replace(devicetree="b.dtb")).text == (
        "set timeout=0\nlinux /vmlinuz console=ttyS0 quiet\ninitrd /initrd.gz\n"
        "devicetree /b.dtb\nboot\n"
    )
    assert config("grub_signed", Kernel("vmlinuz")).text.splitlines()[1] == "linux /vmlinuz"


def test_words_that_grub_would_read_otherwise_are_quoted() -> None:
    text = config("grub_signed", Kernel("vmlinuz", append="a=$x;y it's")).text
    assert "linux /vmlinuz 'a=$x;y' 'it'\\''s'\n" in text


def test_ipxe_reads_a_script() -> None:
    made = config("ipxe", boot_file="boot/own.ipxe")
    assert made == BootConfig(
        "boot/own.ipxe",
        "#!ipxe\nkernel /vmlinuz initrd=initrd.gz console=ttyS0 quiet\ninitrd /initrd.gz\nboot\n",
    )


def test_text_is_taken_as_it_is() -> None:
    assert config("raspberry_pi_5", None, "arm_64bit=1\n", serial="9ffefdef") == BootConfig(
        "9ffefdef/config.txt", "arm_64bit=1\n"
    )


@pytest.mark.parametrize(
    ("loader", "known", "warning"),
    [
        (
            "grub",
            {"mac": MAC},
            "GRUB and '/grub/grub.cfg-01-52-54-00-ab-cd-07': a GRUB that Debian or Ubuntu signed "
            "does not look for it: take loader=grub_signed with only_for=. For one with an image "
            "of your own give its prefix, folder=/grub.",
        ),
        (
            "grub_signed",
            {"mac": MAC},
            "GRUB and '/grub/grub.cfg': it looks for no name made of mac=, so every board gets "
            "this file. Give it to one board with only_for=.",
        ),
        (
            "u_boot",
            {"uuid": "11223344-5566-7788-99aa-bbccddeeff00"},
            "U-Boot and 'pxelinux.cfg/11223344-5566-7788-99aa-bbccddeeff00': it is asked for only "
            "if its variable pxeuuid is set, and then in the writing that it has there.",
        ),
        (
            "ipxe",
            {},
            "iPXE and 'boot.ipxe': iPXE loads what DHCP names: let it name 'boot.ipxe', or give "
            "boot_file=.",
        ),
    ],
)
def test_warning_says_where_the_loader_does_not_look(
    loader: str, known: dict[str, Any], warning: str
) -> None:
    assert config(loader, **known).warnings == (warning,)


def test_file_for_one_board_needs_no_name_of_its_own() -> None:
    assert not config("grub_signed", mac=MAC, only_for="192.168.1.50").warnings
    assert not config("pxelinux", mac=MAC).warnings


def test_grub_with_a_known_prefix_is_one_with_an_image_of_ones_own() -> None:
    assert not config("grub", mac=MAC, folder="/grub").warnings


@pytest.mark.parametrize(
    ("loader", "kernel", "text", "expected"),
    [
        ("pxelinux", None, "", "Expected either kernel= or text=: one of them, and not both."),
        ("pxelinux", LINUX, "x", "Expected either kernel= or text="),
        ("pxelinux", Kernel("", "initrd.gz"), "", "Expected kernel=: initrd=, append= and"),
        ("dell", LINUX, "", "No text for Auto Configuration can be made from kernel=, only for"),
        ("pxelinux", LINUX._replace(devicetree="x"), "", "PXELINUX loads no device tree."),
        ("pxelinux", LINUX._replace(append="a\nb"), "", "append: expected one line of text, got"),
        ("grub", LINUX._replace(kernel="a b"), "", "kernel: expected a name without spaces, got"),
        ("shim", LINUX, "", "shim reads no configuration."),
    ],
)
def test_call_that_cannot_be_meant_is_refused(
    loader: str, kernel: Kernel | None, text: str, expected: str
) -> None:
    with pytest.raises(UsageError) as error:
        config(loader, kernel, text)
    assert expected in str(error.value)
