"""The named days, and the faults that they are made of."""

from __future__ import annotations

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.files import Damage, Denial
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.rules import Rule
from TftpLibrary.faults.scenarios import Scenario, Where, parse_scenario, parts_of
from TftpLibrary.faults.wording import fault_text

DAYS = {
    "lost_block": ["drop DATA 3 of 'f'", "drop DATA last of 'f'"],
    "lost_ack": ["drop ACK 3 of 'f'"],
    "lost_last_ack": ["drop ACK last of 'f', 2 times"],
    "lost_first_answer": ["drop answer of 'f', 2 times"],
    "slow_first_answer": ["delay answer of 'f' (delay=4 s), each time"],
    "double_answer": ["duplicate answer of 'f' (delay=300 ms)"],
    "sorcerers_apprentice": ["duplicate DATA of 'f', each time", "duplicate ACK of 'f', each time"],
    "duplicate_storm": ["duplicate DATA 5 of 'f' (copies=20)"],
    "every_twelfth_lost": ["drop every 12th DATA of 'f'"],
    "lost_window_end": ["drop DATA 8 of 'f'"],
    "reordered": ["reorder every 5th DATA of 'f'"],
    "rollover": [
        "drop DATA 65535 of 'f'",
        "duplicate DATA 65536 of 'f'",
        "drop ACK 65536 of 'f'",
    ],
    "rfc1350_server": ["ignore_options request of 'f', each time"],
    "wrong_option_answer": ["wrong_oack OACK of 'f' (options=blksize=65464), each time"],
    "zero_option_answer": ["wrong_oack OACK of 'f' (options=blksize=0 windowsize=0), each time"],
    "odd_option_answer": ["wrong_oack OACK of 'f' (options=x-unknown=1, padding=4), each time"],
    "stranger": ["stray DATA 3 of 'f'"],
    "early_end": ["short_block DATA 10 of 'f'"],
    "truncated_image": ["truncate 'f' to half of its bytes"],
    "flipped_bit": ["flip a bit in the middle of 'f'"],
    "error_in_the_middle": ["error DATA 50 of 'f' (code=0)"],
    "server_reboot": ["stall DATA 50 of 'f' (duration=10 s)"],
    "server_gone": ["vanish DATA 50 of 'f'"],
    "missing_then_there": ["error 1 in answer to requests for 'f', once"],
}
LINKS = {
    "lossy_wifi": "loss=0.02 duplicate=0.01 reorder=0.01 delay=0.005 jitter=0.01",
    "slow_link": "rate=100000 delay=0.02 queue=64",
    "small_ring": "rate=5000000.0 queue=8 direction=sent",
}


@pytest.mark.parametrize("scenario", list(Scenario))
def test_each_scenario_is_documented_and_made_of_its_faults(scenario: Scenario) -> None:
    assert f"- ``{scenario}``: " in (Scenario.__doc__ or "")
    parts = parts_of(scenario, Where("f", seed=7))
    faults = [fault_text(part) for part in parts if not isinstance(part, LinkQuality)]
    assert faults == DAYS.get(scenario.value, [])
    links = [part for part in parts if isinstance(part, LinkQuality)]
    for link in links:
        for word in LINKS[scenario.value].split():
            name, _, value = word.partition("=")
            assert str(getattr(link, name)) == value
    assert len(links) == (scenario.value in LINKS)
    assert parts


@pytest.mark.parametrize("scenario", list(Scenario))
def test_each_scenario_is_for_its_board_with_its_seed(scenario: Scenario) -> None:
    for part in parts_of(scenario, Where("f", "192.168.1.50", 7)):
        assert part.client == "192.168.1.50"
        if not isinstance(part, Damage | Denial):
            assert part.seed == 7


def test_a_scenario_is_found_by_its_name() -> None:
    assert [parse_scenario(str(each)) for each in Scenario] == list(Scenario)
    with pytest.raises(UsageError) as caught:
        parse_scenario("lostack")
    assert str(caught.value) == (
        "There is no scenario 'lostack'. Did you mean 'lost_ack'? Scenarios: "
        f"{', '.join(Scenario)}."
    )


def test_a_scenario_of_no_file_is_for_every_file() -> None:
    for scenario in Scenario:
        for part in parts_of(scenario, Where()):
            assert isinstance(part, LinkQuality) or part.file == "*"


def test_what_happens_once_needs_no_count_and_the_rest_is_without_end() -> None:
    endless = {
        scenario.value
        for scenario in Scenario
        for part in parts_of(scenario, Where())
        if isinstance(part, Rule) and part.times is None
    }
    assert endless == {
        "slow_first_answer",
        "sorcerers_apprentice",
        "every_twelfth_lost",
        "reordered",
        "rfc1350_server",
        "wrong_option_answer",
        "zero_option_answer",
        "odd_option_answer",
    }
