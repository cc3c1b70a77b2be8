"""Chance that comes again."""

from __future__ import annotations

import subprocess
import sys
from math import sqrt

import pytest

from TftpLibrary.faults.chance import share

COUNT = 10_000


def test_the_same_things_have_the_same_share_in_another_process() -> None:
    program = (
        "from TftpLibrary.faults.chance import share\n"
        "print(repr(share(7, 'drop DATA', 0, 'f', 1, 'sent', 'DATA', 3, 1)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    here = share(7, "drop DATA", 0, "f", 1, "sent", "DATA", 3, 1)
    assert float(run.stdout) == here == 0.12041006795546097


def test_another_seed_and_another_thing_have_another_share() -> None:
    assert len({share(0), share(1), share(0, "DATA"), share(0, "DATA", 1), share(0, "ACK", 1)}) == 5


def test_a_text_is_another_thing_than_a_number() -> None:
    assert share(0, "1") != share(0, 1)


def test_any_text_of_a_peer_has_a_share() -> None:
    assert 0 <= share(0, "\udcff\0\n'") < 1


@pytest.mark.parametrize("chance", [0.01, 0.05, 0.5, 0.99])
@pytest.mark.parametrize("seed", [0, 1, 48213])
def test_shares_are_spread_evenly(chance: float, seed: int) -> None:
    """Within 3 sigma of what pure chance would give."""
    hits = sum(share(seed, "drop DATA", block) < chance for block in range(COUNT))
    assert abs(hits - COUNT * chance) < 3 * sqrt(COUNT * chance * (1 - chance))


def test_shares_of_neighbours_have_nothing_to_do_with_each_other() -> None:
    pairs = [(share(0, block) < 0.5, share(0, block + 1) < 0.5) for block in range(COUNT)]
    both = sum(first and second for first, second in pairs)
    assert abs(both - COUNT / 4) < 3 * sqrt(COUNT * 3 / 16)
