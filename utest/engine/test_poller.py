from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from TftpLibrary.engine import poller as module
from TftpLibrary.engine.poller import WRITABLE, Handler, Poller
from utest.support.bench import linux_only
from utest.support.waiting import seconds, wait_until

MOMENT = seconds(0.05)
FINE = 0.0003
"""Seconds of a wait that is shorter than what epoll knows."""


class Named:
    """A handler that is only told from others."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def ready(self) -> None:
        """Nothing reads."""

    def fail(self, error: BaseException) -> None:
        """Nothing fails."""


A, B = Named("A"), Named("B")


@pytest.fixture(params=["epoll", "selectors"])
def poller(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Poller]:
    if request.param == "selectors":
        monkeypatch.delattr(select, "epoll", raising=False)
    elif not hasattr(select, "epoll"):
        pytest.skip("this system has no epoll")
    with closing(Poller()) as found:
        yield found


@pytest.fixture
def socks() -> Iterator[list[socket.socket]]:
    """Two sockets that send to each other, by hand."""
    pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for sock in pair:
        sock.bind(("127.0.0.1", 0))
    yield pair
    for sock in pair:
        sock.close()


def tell(sock: socket.socket) -> None:
    """Sends a datagram to a socket, from itself."""
    sock.sendto(b"x", sock.getsockname())


def poll(poller: Poller, timeout: float | None = MOMENT) -> list[tuple[Handler, int, bool]]:
    """The handlers that get a turn, as the engine finds them; one that went meanwhile gets none."""
    events = poller.poll(timeout)
    handlers = poller.handlers
    return [(handlers[each], each, event == WRITABLE) for each, event in events if each in handlers]


def test_a_socket_is_watched_for_datagrams(poller: Poller, socks: list[socket.socket]) -> None:
    first, second = socks
    poller.add(first.fileno(), A)
    poller.add(second.fileno(), B)
    assert poll(poller, 0) == []
    tell(second)
    assert poll(poller) == [(B, second.fileno(), False)]
    tell(first)
    assert sorted(poll(poller), key=str) == [
        (A, first.fileno(), False),
        (B, second.fileno(), False),
    ]


def test_a_poll_ends_after_its_time(poller: Poller, socks: list[socket.socket]) -> None:
    poller.add(socks[0].fileno(), A)
    begun = time.monotonic()
    assert poll(poller) == []
    assert time.monotonic() - begun >= 0.9 * MOMENT


def test_a_poll_without_a_time_waits_for_a_datagram(
    poller: Poller, socks: list[socket.socket]
) -> None:
    poller.add(socks[0].fileno(), A)
    later = threading.Timer(MOMENT, tell, socks[:1])
    later.start()
    assert poll(poller, None) == [(A, socks[0].fileno(), False)]
    later.join()


def test_room_in_the_buffer_is_told_only_to_those_who_want_it(
    poller: Poller, socks: list[socket.socket]
) -> None:
    descriptor = socks[0].fileno()
    poller.add(descriptor, A)
    poller.want_write(descriptor, is_wanted=True)
    assert poll(poller) == [(A, descriptor, True)]
    poller.want_write(descriptor, is_wanted=False)
    assert poll(poller, 0) == []


def test_a_datagram_comes_before_the_room(poller: Poller, socks: list[socket.socket]) -> None:
    descriptor = socks[0].fileno()
    poller.add(descriptor, A)
    poller.want_write(descriptor, is_wanted=True)
    tell(socks[0])
    assert poll(poller) == [(A, descriptor, False)]


def test_what_is_removed_is_not_watched(poller: Poller, socks: list[socket.socket]) -> None:
    poller.add(socks[0].fileno(), A)
    poller.remove(socks[0].fileno())
    poller.remove(socks[0].fileno())
    tell(socks[0])
    assert poll(poller, 0) == []


def test_what_is_dropped_is_told_to_nobody_until_it_is_closed(
    poller: Poller, socks: list[socket.socket]
) -> None:
    first, second = socks
    poller.add(first.fileno(), A)
    poller.add(second.fileno(), B)
    tell(first)
    tell(second)
    poller.drop(first.fileno())
    poller.drop(first.fileno())
    assert poll(poller) == [(B, second.fileno(), False)]
    first.close()
    assert poll(poller) == [(B, second.fileno(), False)]


def test_what_was_dropped_may_be_watched_for_another_before_it_is_closed(
    poller: Poller, socks: list[socket.socket]
) -> None:
    """A client's request and its transfer have the same socket."""
    poller.add(socks[0].fileno(), A)
    poller.want_write(socks[0].fileno(), is_wanted=True)
    poller.drop(socks[0].fileno())
    poller.add(socks[0].fileno(), B)
    assert poll(poller, 0) == []
    tell(socks[0])
    assert poll(poller) == [(B, socks[0].fileno(), False)]


def test_what_was_removed_in_the_turn_of_another_has_no_handler(
    poller: Poller, socks: list[socket.socket]
) -> None:
    owners = {socks[0].fileno(): A, socks[1].fileno(): B}
    for descriptor, handler in owners.items():
        poller.add(descriptor, handler)
    for sock in socks:
        tell(sock)
    first, second = [descriptor for descriptor, _ in poller.poll(MOMENT)]
    poller.remove(second)
    assert poller.handlers == {first: owners[first]}


def test_closing_leaves_no_descriptor(socks: list[socket.socket]) -> None:
    poller = Poller()
    poller.add(socks[0].fileno(), A)
    poller.close()
    with pytest.raises((ValueError, OSError, KeyError)):
        poller.add(socks[1].fileno(), B)


# Short waits


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="this system has no epoll")
def test_a_short_wait_is_no_whole_millisecond() -> None:
    """At least one of many: a busy machine wakes a thread late, but not each time."""
    with closing(Poller()) as poller:

        def wait() -> bool:
            begun = time.monotonic()
            assert poll(poller, FINE) == []
            took = time.monotonic() - begun
            assert took >= 0.9 * FINE
            return took < 0.0009

        wait_until(wait)


def test_a_short_wait_ends_with_a_datagram(poller: Poller, socks: list[socket.socket]) -> None:
    first, second = socks
    poller.add(first.fileno(), A)
    poller.add(second.fileno(), B)
    tell(second)
    assert poll(poller, FINE) == [(B, second.fileno(), False)]


def test_a_short_wait_ends_with_room_in_the_buffer(
    poller: Poller, socks: list[socket.socket]
) -> None:
    descriptor = socks[0].fileno()
    poller.add(descriptor, A)
    poller.want_write(descriptor, is_wanted=True)
    assert poll(poller, FINE) == [(A, descriptor, True)]


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="this system has no epoll")
def test_a_poller_that_select_cannot_wait_for_waits_a_whole_millisecond(
    socks: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process with more than a thousand open files: `select` takes no such descriptor."""
    monkeypatch.setattr(module, "_MOST_SELECTABLE", 0)
    with closing(Poller()) as poller:
        poller.add(socks[0].fileno(), A)
        begun = time.monotonic()
        assert poll(poller, FINE) == []
        assert time.monotonic() - begun >= 0.0009
        tell(socks[0])
        assert poll(poller, FINE) == [(A, socks[0].fileno(), False)]


@linux_only
def test_from_its_first_short_wait_on_a_thread_is_woken_without_slack() -> None:
    found: list[str] = []

    def wait() -> None:
        slack = Path(f"/proc/{threading.get_native_id()}/timerslack_ns")
        # A thread has at first the slack of the one that started it.
        slack.write_text("50000", "ascii")
        with closing(Poller()) as poller:
            for timeout in (0.0, FINE):
                poller.poll(timeout)
                found.append(slack.read_text("ascii").strip())

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join()
    assert found == ["50000", "1"]
