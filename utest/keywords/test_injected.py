from __future__ import annotations

from collections.abc import Callable

import pytest

from TftpLibrary.client import TftpClient
from TftpLibrary.errors import PeerError, UsageError
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.keywords.injected import InjectedFaults
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.keywords.stations import Stations
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.station import Station, StationFaults

Place = Callable[[], StationFaults]


@pytest.fixture
def place() -> Place:
    """Makes places for faults, which number them together as the servers of a run do."""
    recorder = Recorder()
    return lambda: Stations(recorder).client_faults()


def inject(injected: InjectedFaults, at: StationFaults, scope: str, **how: object) -> str:
    fault = at.add(make_rule("drop", "DATA 3", **how))
    injected.note([fault], at, scope)
    return fault


def ids(at: StationFaults) -> list[str]:
    return [report.fault.id for report in at.reports()]


def test_faults_end_with_their_scope_and_those_around_it_stay(place: Place) -> None:
    injected, at = InjectedFaults(), place()
    suite = inject(injected, at, "s1")
    test = inject(injected, at, "s1-t1")
    assert [each.fault.id for each in injected.leave("s1-t1")] == [test]
    assert ids(at) == [suite]
    assert injected.leave("s1-t2") == []
    assert [each.fault.id for each in injected.leave("s1")] == [suite]
    assert (ids(at), injected.places()) == ([], [])


def test_fault_that_did_not_happen_says_why_unless_somebody_asked(place: Place) -> None:
    injected, at = InjectedFaults(), place()
    inject(injected, at, "t", name="forgotten")
    inject(injected, at, "t", name="asked")
    inject(injected, at, "t", name="by_chance", probability=0.5)
    assert injected.ask_for("asked") is at
    misses = {each.fault.id: each.miss for each in injected.leave("t")}
    assert misses["forgotten"].startswith("Fault forgotten did not happen: drop DATA 3.")
    assert (misses["asked"], misses["by_chance"]) == ("", "")


def test_who_asks_for_all_is_warned_of_none(place: Place) -> None:
    injected, at, other = InjectedFaults(), place(), place()
    inject(injected, at, "t")
    elsewhere = inject(injected, other, "t")
    injected.ask_for_all(at)
    assert [each.fault.id for each in injected.leave("t") if each.miss] == [elsewhere]


def test_links_are_as_before_when_the_scope_ends(place: Place) -> None:
    injected, at = InjectedFaults(), place()
    slow, poor = LinkQuality(rate=1e5), LinkQuality(loss=0.5)
    injected.note_links(at, "s1")
    at.set_link(slow)
    injected.note_links(at, "s1-t1")
    at.set_link(poor)
    injected.note_links(at, "s1-t1")
    at.set_link(LinkQuality())
    assert injected.places() == [at]
    injected.leave("s1-t1")
    assert at.links == (slow,)
    injected.leave("s1")
    assert not at.links
    assert not injected.places()


def test_everything_of_one_place_is_cleared_and_stays_so(place: Place) -> None:
    injected, at, other = InjectedFaults(), place(), place()
    inject(injected, at, "s1")
    kept = inject(injected, other, "s1")
    injected.note_links(at, "s1-t1")
    at.set_link(LinkQuality(loss=0.5))
    assert len(injected.clear(at)) == 1
    assert (ids(at), at.links, ids(other)) == ([], (), [kept])
    injected.leave("s1-t1")
    assert at.links == ()


def test_one_fault_is_cleared_and_its_place_found_by_its_name(place: Place) -> None:
    injected, at, other = InjectedFaults(), place(), place()
    gone, kept = inject(injected, at, "t"), inject(injected, other, "t")
    injected.clear(injected.place_of(gone), gone)
    assert (ids(at), ids(other)) == ([], [kept])
    assert (injected.has(gone), injected.has(kept)) == (False, True)


def test_fault_that_is_not_there_is_told_with_those_that_are(place: Place) -> None:
    injected, at, other = InjectedFaults(), place(), place()
    inject(injected, at, "t", name="lost")
    inject(injected, other, "t", name="late")
    with pytest.raises(UsageError) as error:
        injected.place_of("lots")
    assert str(error.value) == (
        "There is no fault 'lots'. Did you mean 'lost'? Faults: lost, late."
    )
    with pytest.raises(UsageError, match="There is no fault 'lost'. Faults: late."):
        injected.place_of("lost", other)


def test_fault_that_ended_is_told_so(place: Place) -> None:
    injected, at = InjectedFaults(), place()
    fault = inject(injected, at, "t")
    injected.leave("t")
    with pytest.raises(UsageError) as error:
        injected.ask_for(fault)
    assert str(error.value) == (
        f"Fault {fault} has ended: with its test or suite, or with `Clear TFTP Faults`. Ask for it "
        "before."
    )


def test_pause_ends_with_its_scope_or_when_everything_is_cleared(started: LibraryState) -> None:
    injected, server = InjectedFaults(), started.server()
    for end in (lambda: injected.resume("s1-t1"), lambda: injected.clear(server.faults)):
        server.pause("busy")
        injected.note_pause(server, "s1-t1")
        assert injected.places() == [server.faults]
        injected.resume("s1-t2")
        assert is_busy(server)
        end()
        assert not is_busy(server)
        assert injected.places() == []


def test_pause_of_a_server_that_stopped_meanwhile_is_over(started: LibraryState) -> None:
    injected, server = InjectedFaults(), started.server()
    server.pause("busy")
    injected.note_pause(server, "t")
    started.stop()
    injected.resume("t")
    assert not injected.places()


def is_busy(server: Station) -> bool:
    with TftpClient(server.host, server.port) as board:
        try:
            board.get_bytes("nothing")
        except PeerError as error:
            return "Server busy" in str(error)
    return False
