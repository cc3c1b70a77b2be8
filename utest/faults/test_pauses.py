from __future__ import annotations

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.pauses import Pause, parse_pause


def test_a_pause_is_found_by_its_name() -> None:
    assert [parse_pause(name) for name in ("silent", Pause.crash)] == [Pause.silent, Pause.crash]


def test_another_word_is_refused_with_the_names() -> None:
    with pytest.raises(UsageError, match="mode must be silent, busy, power_cut, crash, got 'off'."):
        parse_pause("off")


def test_a_pause_is_said_in_words() -> None:
    assert str(Pause.power_cut) == "power_cut"
    assert Pause.power_cut.words == "power cut on purpose"
