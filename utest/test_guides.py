"""The lines for a DHCP server in the guides, tried with dnsmasq."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from utest.support.bench import linux_only
from utest.support.dhcp_lab import SERVER, ask, dhcp_lab
from utest.support.peers import require

GUIDES = Path(__file__).parent.parent / "docs" / "guides"
LINE = re.compile(r"^ {4,}((?:dhcp|pxe)-[a-z]+=.+)$", re.MULTILINE)

pytestmark = [
    linux_only,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root"),
]


def lines_of(guide: str) -> list[str]:
    return LINE.findall((GUIDES / guide).read_text("utf-8"))


@pytest.fixture(autouse=True)
def dnsmasq() -> None:
    require("dnsmasq", "dnsmasq-base")
    require("ip", "iproute2")


def test_lines_for_pcs_name_the_boot_file_of_each(tmp_path: Path) -> None:
    with dhcp_lab(lines_of("pxe_uefi_ipxe.md"), tmp_path) as board:
        answers = ask(board, "BIOS", "UEFI", "iPXE")
    assert [answer.options[67] for answer in answers] == ["pxelinux.0", "shimx64.efi", "boot.ipxe"]
    assert {answer.server for answer in answers} == {SERVER}
    # So GRUB does not ask for the UUID, as the guide says.
    assert not any(97 in answer.options for answer in answers)


def test_lines_for_u_boot_name_its_address_and_its_boot_file(tmp_path: Path) -> None:
    with dhcp_lab(lines_of("u_boot.md"), tmp_path) as board:
        (answer,) = ask(board, "U-Boot")
    assert (answer.address, answer.server, answer.options[67]) == ("192.168.1.60", SERVER, "zImage")


def test_lines_for_a_raspberry_pi_have_the_words_that_it_waits_for(tmp_path: Path) -> None:
    with dhcp_lab(lines_of("raspberry_pi.md"), tmp_path) as board:
        (answer,) = ask(board, "Raspberry Pi")
    assert answer.options[66] == SERVER
    assert "Raspberry Pi Boot" in answer.options[43]


def test_lines_for_network_gear_name_the_server_and_the_configuration(tmp_path: Path) -> None:
    with dhcp_lab(lines_of("network_gear.robot.md"), tmp_path) as board:
        (answer,) = ask(board, "switch")
    assert (answer.options[66], answer.options[67]) == (SERVER, "switch7.cfg")
