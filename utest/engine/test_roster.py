from __future__ import annotations

import pytest

from TftpLibrary.engine.roster import Roster, Standing
from utest.engine.test_engine import Session


@pytest.fixture
def sessions() -> list[Session]:
    made = [Session() for _ in range(3)]
    for each in made:
        each.close()
    return made


def test_a_session_is_fresh_then_busy_then_resting(sessions: list[Session]) -> None:
    roster, session = Roster(), sessions[0]
    standings = [roster.standing(session)]
    roster.add(session)
    standings.append(roster.standing(session))
    assert list(roster.take_fresh()) == [session]
    standings.append(roster.standing(session))
    assert roster.rest(session) is Standing.busy
    standings.append(roster.standing(session))
    assert roster.remove(session) is Standing.resting
    standings.append(roster.standing(session))
    assert standings == [None, Standing.fresh, Standing.busy, Standing.resting, None]
    assert roster.all() == ()


def test_each_session_is_fresh_once(sessions: list[Session]) -> None:
    roster = Roster()
    for session in sessions:
        roster.add(session)
    over, resting, busy = sessions
    assert roster.remove(over) is Standing.fresh
    assert roster.rest(over) is None
    assert roster.rest(resting) is Standing.fresh
    assert list(roster.take_fresh()) == [busy]
    assert list(roster.take_fresh()) == []


def test_one_that_begins_while_the_fresh_ones_are_looked_at_is_looked_at_too(
    sessions: list[Session],
) -> None:
    roster, (first, second, _) = Roster(), sessions
    roster.add(first)
    seen = []
    for session in roster.take_fresh():
        seen.append(session)
        if session is first:
            roster.add(second)
    assert seen == [first, second]


def test_those_that_move_a_file_are_counted(sessions: list[Session]) -> None:
    roster, (first, second, third) = Roster(), sessions
    for session in sessions:
        roster.add(session)
    assert (roster.busy, roster.all_busy()) == (3, (first, second, third))
    roster.rest(second)
    roster.rest(second)
    assert (roster.busy, roster.all_busy()) == (2, (first, third))
    for _ in range(2):
        roster.remove(first)
        roster.remove(second)
        roster.rest(first)
    assert (roster.busy, roster.all_busy(), roster.all()) == (1, (third,), (third,))


def test_a_session_is_lone_while_no_other_moves_a_file(sessions: list[Session]) -> None:
    roster, (first, second, _) = Roster(), sessions
    assert not roster.is_lone(None)
    roster.add(first)
    assert roster.is_lone(first)
    assert not roster.is_lone(second)
    roster.add(second)
    assert not roster.is_lone(first)
    list(roster.take_fresh())
    roster.rest(first)
    assert roster.is_lone(second)
    assert not roster.is_lone(first)
