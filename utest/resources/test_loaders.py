"""The requests of the simulated boot loaders."""

from __future__ import annotations

import pytest

from TftpBoard.loaders import beside, configuration_names, files_of_configuration

MAC = "52:54:00:AB:CD:01"


def test_pxelinux_tries_the_mac_the_address_and_default() -> None:
    assert configuration_names("pxelinux.0", MAC, "10.0.2.15") == [
        "pxelinux.cfg/01-52-54-00-ab-cd-01",
        "pxelinux.cfg/0A00020F",
        "pxelinux.cfg/0A00020",
        "pxelinux.cfg/0A0002",
        "pxelinux.cfg/0A000",
        "pxelinux.cfg/0A00",
        "pxelinux.cfg/0A0",
        "pxelinux.cfg/0A",
        "pxelinux.cfg/0",
        "pxelinux.cfg/default",
    ]


def test_configurations_are_beside_the_loader() -> None:
    names = configuration_names("boot/lpxelinux.0", MAC, "::1")
    assert names == ["boot/pxelinux.cfg/01-52-54-00-ab-cd-01", "boot/pxelinux.cfg/default"]


def test_default_label_names_the_files() -> None:
    text = """\
DEFAULT new
PROMPT 0
LABEL old
  KERNEL vmlinuz-old
LABEL new
  LINUX vmlinuz
  INITRD initrd.img,extra.img
  FDT  board.dtb
  APPEND console=ttyS0
"""
    assert files_of_configuration("", text) == ["vmlinuz", "initrd.img", "extra.img", "board.dtb"]


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("label a\nkernel one\nlabel b\nkernel two\n", ["one"]),
        ("default nothing\nlabel a\nkernel one\n", ["one"]),
        ("kernel alone\n", ["alone"]),
        ("kernel for-all\nlabel a\ninitrd one\n", ["for-all", "one"]),
        ("", []),
    ],
)
def test_without_a_default_it_is_the_first_label(text: str, files: list[str]) -> None:
    assert files_of_configuration("", text) == files


@pytest.mark.parametrize(
    ("first", "name", "found"),
    [
        ("pxelinux.0", "zImage", "zImage"),
        ("boot/pxelinux.0", "zImage", "boot/zImage"),
        ("boot/pxelinux.0", "/zImage", "/zImage"),
        ("/pxelinux.0", "zImage", "/zImage"),
    ],
)
def test_names_are_looked_for_beside_the_loader(first: str, name: str, found: str) -> None:
    assert beside(first, name) == found
