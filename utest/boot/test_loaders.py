from __future__ import annotations

import pytest

from TftpLibrary.boot.loaders import BootLoader, Need, needed, optional, parse_loader
from TftpLibrary.errors import UsageError


@pytest.mark.parametrize("text", ["u_boot", "U-Boot", "uboot", "U BOOT"])
def test_loader_is_found_in_any_writing_of_its_name(text: str) -> None:
    assert parse_loader(text) is BootLoader.u_boot


def test_unknown_loader_fails_with_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError, match="no boot loader 'pxelinx'. Did you mean 'pxelinux'?"):
        parse_loader("pxelinx")


def test_each_loader_is_explained() -> None:
    assert [
        each.name for each in BootLoader if f"``{each.name}``" not in str(BootLoader.__doc__)
    ] == []


def test_file_that_may_be_missing_and_one_that_may_not_are_steps_of_their_own() -> None:
    assert needed("a", "source").need is Need.needed
    assert optional("a", "source").need is Need.optional
