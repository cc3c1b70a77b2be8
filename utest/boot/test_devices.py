from __future__ import annotations

from TftpLibrary.boot.devices import DEVICES
from TftpLibrary.boot.loaders import BootLoader, Need


def test_raspberry_pi_looks_in_its_folder_first() -> None:
    firsts = [
        DEVICES[loader].steps[place].name
        for loader, place in (
            (BootLoader.raspberry_pi_3, 2),
            (BootLoader.raspberry_pi_4, 0),
            (BootLoader.raspberry_pi_5, 0),
        )
    ]
    assert firsts == ["{prefix}start.elf", "{prefix}start4.elf", "{prefix}config.txt"]


def test_most_files_that_a_raspberry_pi_asks_for_need_not_exist() -> None:
    steps = DEVICES[BootLoader.raspberry_pi_4].steps
    assert sum(step.need is Need.optional for step in steps) > len(steps) / 2


def test_trust_lists_of_a_phone_need_not_exist() -> None:
    lists = [s for s in DEVICES[BootLoader.cisco_phone].steps if s.name.endswith(".tlv")]
    assert {step.need for step in lists} == {Need.optional}
