"""The limits of one server: real requests, and what those get that are too many."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from TftpBoard.packets import RefusedError
from TftpLibrary.engine.admission import Refusal
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Ack, Data, Error, ErrorCode
from TftpLibrary.recording.records import Transfer
from utest.support.bench import Bench, Peer, bench, linux_only
from utest.support.waiting import wait_until

CONTENT = random.Random(5).randbytes(5000)
BUSY = Error(0, "Server busy, try again later")
LONG: dict[str, Any] = {"timeout": 60.0}


@contextmanager
def peers(found: Bench, *hosts: str) -> Iterator[list[Peer]]:
    """Opens a peer at each address."""
    with ExitStack() as stack:
        yield [stack.enter_context(found.peer(host)) for host in hosts]


def begin(peer: Peer, *, is_acknowledged: bool = True) -> None:
    """Begins a read, and shows itself by an ACK."""
    peer.ask()
    assert peer.receive_data().wire_block == 1
    if is_acknowledged:
        peer.send(Ack(1))
        assert peer.receive_data().wire_block == 2


def reason(found: Bench) -> str:
    """Returns why the last request was refused."""
    record = found.transfers[-1]
    assert record.outcome is Outcome.refused
    assert record.error_code == 0
    return record.error_message


def outcome_of(found: Bench, peer: Peer) -> Transfer:
    return next(each for each in found.transfers if each.client_port == peer.port)


# Clients


@linux_only
@pytest.mark.parametrize(
    ("clients", "served"),
    [
        (("127.0.0.2",), True),
        (("127.0.0.0/30",), True),
        (("10.0.0.0/8", "127.0.0.2/32"), True),
        (("::1", "127.0.0.3"), False),
        (("127.0.0.4/30",), False),
    ],
)
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_only_the_named_clients_are_served(
    clients: tuple[str, ...], served: bool, host: str
) -> None:
    with bench({"f": CONTENT}, host=host, clients=clients) as found:
        how = {"asked_host": "127.0.0.1", "local_host": "127.0.0.2"}
        if served:
            assert found.read(**how).content == CONTENT
            return
        with pytest.raises(RefusedError, match="ERROR 2 'Access violation'"):
            found.read(**how)
        assert found.transfers[0].error_message == (
            f"client 127.0.0.2 is not served, only {', '.join(clients)}"
        )


# How many


def test_transfers_over_the_limit_are_refused_until_one_ends() -> None:
    with (
        bench({"f": CONTENT}, max_transfers=2, **LONG) as found,
        peers(found, *["127.0.0.1"] * 3) as (one, two, three),
    ):
        begin(one)
        begin(two)
        three.ask()
        assert three.receive() == BUSY
        assert reason(found) == "the limit of 2 transfers at once is reached"
        one.send(Error(0, "enough"))
        wait_until(lambda: not outcome_of(found, one).is_running)
        begin(three)


@linux_only
def test_a_client_may_have_so_many_transfers_and_others_theirs() -> None:
    with (
        bench({"f": CONTENT}, host="0.0.0.0", max_transfers_per_client=1, **LONG) as found,
        peers(found, "127.0.0.1", "127.0.0.1", "127.0.0.2") as (one, two, other),
    ):
        begin(one)
        two.ask()
        assert two.receive() == BUSY
        assert reason(found) == "the limit of 1 transfers at once for one client is reached"
        begin(other)
        one.send(Error(0, "enough"))
        wait_until(lambda: not outcome_of(found, one).is_running)
        begin(two)


@pytest.mark.parametrize(
    "limit", [{"max_transfers": 1}, {"max_transfers_per_client": 1}, {"max_half_open": 1}]
)
def test_a_transfer_that_only_repeats_its_last_ack_takes_no_place(limit: dict[str, int]) -> None:
    """Otherwise a board that uploads twice had to wait for the dallying."""
    with bench(writable=True, **LONG, **limit) as found:
        for name in ("one", "two", "three"):
            found.write(b"content", name)
        assert [record.outcome for record in found.transfers] == [Outcome.completed] * 3


def test_the_oldest_unanswered_request_gives_way() -> None:
    """Its address may be spoofed."""
    with (
        bench({"f": CONTENT}, max_half_open=2, **LONG) as found,
        peers(found, *["127.0.0.1"] * 4) as (oldest, old, shown, new),
    ):
        begin(shown)
        begin(oldest, is_acknowledged=False)
        begin(old, is_acknowledged=False)
        # It keeps its place for a moment, whatever comes.
        new.ask()
        assert new.receive() == BUSY
        assert reason(found) == "the limit of 2 unanswered requests at once is reached"
        wait_until(lambda: outcome_of(found, oldest).duration > 0.05)
        begin(new)
        record = outcome_of(found, oldest)
        assert record.outcome is Outcome.failed
        assert record.error_message == "no answer yet, and newer requests needed the place"
        assert oldest.is_silent()
        assert outcome_of(found, old).is_running
        assert outcome_of(found, shown).is_running


def test_unanswered_requests_give_way_where_all_places_are_taken() -> None:
    with (
        bench({"f": CONTENT}, writable=True, max_transfers=2, **LONG) as found,
        peers(found, *["127.0.0.1"] * 4) as (shown, waiting, new, last),
    ):
        shown.offer("g")
        shown.receive()
        shown.send(Data(1, bytes(512)))
        shown.receive()
        begin(waiting, is_acknowledged=False)
        wait_until(lambda: outcome_of(found, waiting).duration > 0.05)
        begin(new)
        assert outcome_of(found, shown).is_running
        assert not outcome_of(found, waiting).is_running
        last.ask()
        assert last.receive() == BUSY
        assert reason(found) == "the limit of 2 transfers at once is reached"


@pytest.mark.parametrize("limit", [{"max_transfers": 1}, {"max_transfers_per_client": 1}])
def test_a_board_that_reads_one_file_after_the_other_needs_one_place(limit: dict[str, int]) -> None:
    """Its next request must not overtake the last ACK of the transfer before it."""
    with bench({"f": b"tiny"}, **LONG, **limit) as found:
        for _ in range(50):
            assert found.read().content == b"tiny"
        assert len(found.wait_for_ends(50)) == 50


def test_the_peer_that_asks_again_keeps_its_place() -> None:
    with (
        bench({"f": CONTENT, "g": b"other"}, max_transfers_per_client=1, **LONG) as found,
        found.peer() as peer,
    ):
        begin(peer)
        peer.ask("g")
        assert peer.receive() == Data(1, b"other")
        peer.send(Ack(1))
        found.wait_until_empty()


def test_a_refusal_tells_the_peer_less_than_the_record() -> None:
    refusal = Refusal(ErrorCode.disk_full, "Disk full", "/srv/tftp has no room")
    assert (refusal.public, refusal.reason) == ("Disk full", "/srv/tftp has no room")
    assert Refusal(ErrorCode.disk_full, "Disk full").reason == "Disk full"
    assert "srv" not in str(refusal)
