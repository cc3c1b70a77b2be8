from __future__ import annotations

import pytest
from assertionengine import AssertionOperator

from TftpLibrary.boot.loaders import BootLoader
from TftpLibrary.errors import UsageError
from TftpLibrary.keywords.boot import BootKeywords
from TftpLibrary.keywords.state import LibraryState

MAC = "52:54:00:ab:cd:07"


@pytest.fixture
def keywords(started: LibraryState) -> BootKeywords:
    return BootKeywords(started)


def test_names_are_returned_in_their_order(keywords: BootKeywords) -> None:
    assert keywords.get_boot_file_names(BootLoader.pxelinux, mac="5254.00ab.cd07") == [
        "ldlinux.c32",
        "pxelinux.cfg/01-52-54-00-ab-cd-07",
        "pxelinux.cfg/default",
    ]


def test_names_can_be_checked(keywords: BootKeywords) -> None:
    contains = AssertionOperator["contains"]
    keywords.get_boot_file_names(BootLoader.pxelinux, contains, "*/default")
    with pytest.raises(AssertionError, match="Boot files:"):
        keywords.get_boot_file_names(BootLoader.pxelinux, contains, "*/01-*")


def test_configuration_is_stored_under_the_most_specific_name(
    keywords: BootKeywords, started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    file = keywords.upload_boot_config(BootLoader.pxelinux, kernel="vmlinuz", mac=MAC)
    assert file.name == "pxelinux.cfg/01-52-54-00-ab-cd-07"
    assert started.server().files.read_bytes(file.name).startswith(b"DEFAULT linux\n")
    assert [record.levelname for record in log.records] == ["INFO"]


def test_warning_says_where_the_loader_does_not_look(
    keywords: BootKeywords, log: pytest.LogCaptureFixture
) -> None:
    keywords.upload_boot_config(BootLoader.grub, kernel="vmlinuz", mac=MAC)
    warnings = [record for record in log.records if record.levelname == "WARNING"]
    assert [record.message.partition(": ")[0] for record in warnings] == [
        "GRUB and '/grub/grub.cfg-01-52-54-00-ab-cd-07'"
    ]


def test_configuration_for_one_board_is_seen_by_that_board_only(
    keywords: BootKeywords, started: LibraryState
) -> None:
    keywords.upload_boot_config(
        BootLoader.grub_signed, text="one", mac=MAC, only_for="192.168.1.50"
    )
    keywords.upload_boot_config(BootLoader.grub_signed, text="all")
    files = started.server().files
    assert files.read_bytes("grub/grub.cfg") == b"all"
    assert files.read_bytes("grub/grub.cfg", client="192.168.1.50") == b"one"


def test_call_that_cannot_be_meant_is_refused(keywords: BootKeywords) -> None:
    with pytest.raises(UsageError, match="Expected either kernel= or text="):
        keywords.upload_boot_config(BootLoader.pxelinux)
