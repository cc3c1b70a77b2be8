from __future__ import annotations

from TftpLibrary.boot.computers import COMPUTERS
from TftpLibrary.boot.loaders import BootLoader


def test_loaders_with_pxelinux_names_ask_with_different_options() -> None:
    """They are told apart by them."""
    own = [COMPUTERS[loader].options for loader in (BootLoader.pxelinux, BootLoader.u_boot)]
    assert not set(own[0]) & set(own[1])


def test_signed_grub_has_no_name_with_a_part_of_a_board() -> None:
    names = [step.name for step in COMPUTERS[BootLoader.grub_signed].steps]
    assert not [name for name in names if "{mac}" in name or "{IP" in name or "{uuid}" in name]
