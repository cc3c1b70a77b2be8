"""What holds for every row; `test_names.py` holds the rows against what was measured."""

from __future__ import annotations

import re

import pytest

from TftpLibrary.boot.loaders import BootLoader, Entry, Need
from TftpLibrary.boot.table import TABLE

FIELDS = {
    *("folder", "prefix", "found", "boot_file", "uuid", "label_uuid", "mac", "MAC", "IP", "IP*"),
    *("serial", "hostname", "hostname8", "user", "arch", "soc", "board", "platform", "cpu"),
    *("machine", "asic", "efi", "any", "digit", "variant", "stub", "chip", "kernel"),
}


def test_each_loader_has_a_row() -> None:
    assert list(TABLE) == sorted(TABLE, key=list(TABLE).index)
    assert set(TABLE) == set(BootLoader)


@pytest.mark.parametrize("entry", TABLE.values(), ids=lambda entry: entry.title)
def test_each_name_has_its_source_and_parts_that_are_known(entry: Entry) -> None:
    assert entry.steps
    for step in entry.steps:
        assert len(step.source) > 4
        assert set(re.findall(r"\{([^}]+)\}", step.name)) <= FIELDS


@pytest.mark.parametrize("entry", TABLE.values(), ids=lambda entry: entry.title)
def test_loader_whose_files_are_all_optional_is_one_that_goes_on_otherwise(entry: Entry) -> None:
    if all(step.need is Need.optional for step in entry.steps):
        assert entry is TABLE[BootLoader.u_boot_distro]
