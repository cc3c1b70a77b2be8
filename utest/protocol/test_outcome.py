from __future__ import annotations

import pytest

from TftpLibrary.protocol.outcome import End, Outcome


def test_an_end_says_no_more_than_is_known() -> None:
    end = End(Outcome.completed)
    assert (end.code, end.message, end.by_peer) == (None, "", False)


@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome_reads_and_compares_as_its_name(outcome: Outcome) -> None:
    """Robot's `Should Be Equal    ${transfer.outcome}    completed` compares with text."""
    assert outcome == outcome.name
    assert str(outcome) == outcome.name
