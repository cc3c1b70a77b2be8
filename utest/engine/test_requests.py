"""The memory of a server's requests; `test_listener` has what it is good for on the wire."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

import pytest

from TftpLibrary.engine import requests as module
from TftpLibrary.engine.requests import Requests
from TftpLibrary.engine.session import Session
from utest.support.bench import PATIENT, bench

PEER = ("127.0.0.1", 2000)
REQUEST = b"\0\1f\0octet\0"
LATER = 1e12
"""A wall-clock time after every test."""


class Over:
    """What is left of a session: when it began, and when its peer last answered."""

    def __init__(self, begun: float, answered_at: float) -> None:
        self.begun = begun
        self.answered_at = answered_at
        self.entry = self.machine = self


def over(ago: float, answered_ago: float = 0.0) -> Session:
    now = time.monotonic()
    return cast("Session", Over(now - ago, now - answered_ago))


def test_a_copy_that_came_early_in_an_ended_transfer_is_known() -> None:
    requests = Requests()
    requests.begin(PEER, REQUEST)
    requests.end(PEER, over(10.0))
    now = time.time()
    assert requests.has_ended(PEER, REQUEST, now - 9)
    assert not requests.has_ended(PEER, REQUEST, now - 1)
    assert not requests.has_ended(PEER, b"\0\1g\0octet\0", now - 9)
    assert not requests.has_ended(("127.0.0.1", 2001), REQUEST, now - 9)
    requests.forget_ended()
    assert not requests.has_ended(PEER, REQUEST, now - 9)


def test_early_ends_with_the_last_answer_of_the_peer() -> None:
    requests = Requests()
    requests.begin(PEER, REQUEST)
    requests.end(PEER, over(10.0, answered_ago=8.0))
    now = time.time()
    assert requests.has_ended(PEER, REQUEST, now - 9)
    assert not requests.has_ended(PEER, REQUEST, now - 7)


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_ENDED", 2)
    requests = Requests()
    for port in (1, 2, 3):
        requests.begin(("127.0.0.1", port), REQUEST)
        requests.end(("127.0.0.1", port), over(10.0))
    early = time.time() - 9
    known = [requests.has_ended(("127.0.0.1", port), REQUEST, early) for port in (1, 2, 3)]
    assert known == [False, False, True]


def test_the_end_of_a_session_without_a_request_is_nothing() -> None:
    requests = Requests()
    requests.end(PEER, over(1.0))
    assert not requests.has_ended(PEER, REQUEST, time.time() - 0.9)


@pytest.mark.parametrize(
    ("request_of", "is_repeated"),
    [(lambda right: right, True), (lambda _: b"\0\1other\0octet\0", False)],
)
def test_a_running_transfer_goes_on_for_a_copy_of_its_request_alone(
    request_of: Callable[[bytes], bytes], is_repeated: bool
) -> None:
    with bench({"f": bytes(2000)}, **PATIENT) as dut, dut.peer() as peer:
        peer.ask()
        peer.receive()
        session, requests = dut.only_session(), Requests()
        address = session.channel.peer
        requests.begin(address, REQUEST)

        def ask_again() -> bool:
            return requests.is_repeated(session, address, request_of(REQUEST), LATER)

        assert dut.engine.call(ask_again) is is_repeated
        (record,) = dut.transfers
        assert record.is_running is is_repeated
        assert "a new request" in record.error_message or is_repeated


def test_a_session_that_is_over_is_asked_when_its_copy_came() -> None:
    with bench({"f": bytes(2000)}, **PATIENT) as dut, dut.peer() as peer:
        peer.ask()
        peer.receive()
        session, requests = dut.only_session(), Requests()
        address = session.channel.peer
        requests.begin(address, REQUEST)

        def end_and_ask() -> tuple[bool, bool]:
            session.stop()
            requests.end(address, over(10.0))
            return (
                requests.is_repeated(session, address, REQUEST, time.time() - 9),
                requests.is_repeated(session, address, REQUEST, LATER),
            )

        assert dut.engine.call(end_and_ask) == (True, False)
