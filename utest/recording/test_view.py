"""One look at the record, and the watch that gives it."""

from __future__ import annotations

import time

import pytest

from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.view import View, Watch
from utest.support.records import BOARD, completed, open_record, refused, transfer, write_record


def names_of(view: View) -> list[str]:
    return [seen.filename for seen in view.transfers]


def test_a_view_selects_what_matches_all_that_is_given() -> None:
    first = completed("zImage", id=1)
    missing = refused("zImage", id=2)
    upload = completed("zImage", id=3, direction=Direction.write)
    other = completed("zImage", id=4, client="192.168.1.51")
    dtb = completed("board.dtb", id=5)
    view = View((first, missing, upload, other, dtb))
    assert view.select() == view.transfers
    assert view.select("zImage") == (first, missing, upload, other)
    assert view.select(client="192.168.1.51") == (other,)
    assert view.select(outcome=Outcome.refused) == (missing,)
    assert view.select(direction=Direction.write) == (upload,)
    assert view.select("z*", BOARD, Outcome.completed, Direction.read) == (first,)


def test_a_client_may_be_named_by_its_mac_address() -> None:
    own = completed("zImage", id=1, client_mac="52:54:00:ab:cd:07")
    other = completed("zImage", id=2, client_mac="52:54:00:ab:cd:08")
    assert View((own, other, completed("zImage", id=3))).select(client="5254.00AB.CD07") == (own,)


def test_a_part_of_a_view_is_the_same_look() -> None:
    view = View((completed("a"), completed("b")), is_complete=False, server="dut", watched=2.0)
    part = view.of("b", BOARD)
    assert names_of(part) == ["b"]
    assert (part.is_complete, part.server, part.watched) == (False, "dut", 2.0)
    assert view.of(client="192.168.1.51").transfers == ()


def test_a_view_that_is_made_by_hand_knows_no_store_and_no_age() -> None:
    view = View((completed(),))
    assert (view.is_complete, view.is_live) == (True, True)
    assert [*view.names()] == []
    assert view.age(view.transfers[0]) == 0.0


def test_a_watch_shows_one_server_or_all_since_a_mark() -> None:
    recorder = Recorder()
    write_record(recorder, completed("early", server="left"))
    mark = recorder.mark()
    open_record(recorder, transfer("mine", server="left"))
    open_record(recorder, transfer("other", server="right"))
    assert names_of(Watch(recorder, "left").look()) == ["early", "mine"]
    assert names_of(Watch(recorder, "left", mark).look()) == ["mine"]
    assert names_of(Watch(recorder, None, mark).look()) == ["mine", "other"]
    view = Watch(recorder, "left", mark).look()
    assert [seen.filename for seen in view.others()] == ["other"]
    assert [seen.filename for seen in view.whole()] == ["early", "mine", "other"]


def test_a_look_shows_what_the_watch_knows() -> None:
    recorder = Recorder(limit=1)
    watch = Watch(recorder, "dut", names=lambda: ["zImage"])
    view = watch.look()
    assert (view.is_complete, view.is_live, view.server) == (True, True, "dut")
    assert view.names() == ["zImage"]
    for _ in range(2):
        write_record(recorder, completed(server="dut"))
    view = watch.look()
    assert not view.is_complete
    assert 0 <= view.age(view.transfers[0]) < 60
    assert not Watch(recorder, is_live=False).look().is_live


def test_a_wait_looks_until_something_is_found() -> None:
    recorder = Recorder()
    open_record(recorder, transfer("mine", server="dut"))
    open_record(recorder, transfer("other", server="x"))
    assert Watch(recorder, "dut").wait_for(names_of, 0.0) == ["mine"]
    with pytest.raises(TimeoutError):
        Watch(recorder, "dut").wait_for(lambda _: None, 0.0)


def test_a_wait_knows_how_long_it_has_watched() -> None:
    def watched(view: View) -> float | None:
        return view.watched if view.watched >= 0.1 else None

    watch = Watch(Recorder())
    assert 0.1 <= watch.wait_for(watched, 60.0) < 60
    assert watch.look().watched == 0.0


def test_a_wait_for_what_cannot_come_does_not_last() -> None:
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        Watch(Recorder(), is_live=False).wait_for(lambda _: None, 60.0)
    assert time.monotonic() - begun < 30
