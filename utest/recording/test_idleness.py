from __future__ import annotations

from datetime import timedelta

from TftpLibrary.recording.idleness import explain_activity, idle_time
from utest.support.records import STARTED, completed, partial, refused, transfer

NOW = STARTED + timedelta(seconds=5)


def test_idle_time_counts_from_the_last_end() -> None:
    earlier = completed("a", ended=STARTED - timedelta(seconds=9))
    assert idle_time([completed("b"), earlier], NOW) == 5.0


def test_nothing_is_idle_while_a_transfer_runs() -> None:
    assert idle_time([completed(), partial()], NOW) == 0.0


def test_without_a_transfer_it_was_idle_for_ever() -> None:
    assert idle_time([], NOW) == float("inf")


def test_what_still_runs_is_told() -> None:
    seen = (refused("a"), transfer("b"), partial(idle=3.0))
    assert explain_activity(seen, 2.0, 60.0, "192.168.1.0/24") == (
        "Transfers from 192.168.1.0/24 were not idle for 2 s in 60 s: RRQ 'zImage' from "
        "192.168.1.50 is running, 41 % (3.2 of 7.8 MB), silent for 3 s and 1 more. Raise "
        "timeout=, or look at the board's console.\n"
        "Requests seen: 1 RRQ 'a' from 192.168.1.50: file not found; "
        "2 RRQ 'b' from 192.168.1.50: running, 0 octets; "
        "3 RRQ 'zImage' from 192.168.1.50: running, 41 % (3.2 of 7.8 MB)."
    )


def test_a_board_that_keeps_asking_is_told() -> None:
    seen = (refused("b", ended=NOW), refused("a"))
    assert explain_activity(seen, 2.0, 60.0, is_complete=False) == (
        "Transfers were not idle for 2 s in 60 s: the last one was RRQ 'b' from 192.168.1.50: "
        "file not found. The board keeps asking: raise timeout=, or lower idle=.\n"
        "Requests seen: 1 RRQ 'b' from 192.168.1.50: file not found; "
        "2 RRQ 'a' from 192.168.1.50: file not found. "
        "Older ones were dropped: the record was full."
    )


def test_a_wait_that_is_too_short_for_any_silence() -> None:
    assert explain_activity((), 10.0, 5.0) == (
        "Transfers were not idle for 10 s in 5 s: there was none, but the wait was shorter than "
        "that. Raise timeout= above idle=.\n"
        "No request was seen since the mark."
    )
