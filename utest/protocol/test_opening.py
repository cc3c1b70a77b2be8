"""The first exchange of a client, as scripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.protocol.machine import Phase
from TftpLibrary.protocol.opening import Opening
from TftpLibrary.protocol.options import Agreement
from TftpLibrary.protocol.outcome import End
from TftpLibrary.protocol.packets import Request, decode
from TftpLibrary.protocol.retry import RetryTimer
from utest.support.transcript import Player, datagram

ASKING = "C  RRQ    boot.img octet blksize=1428 tsize=0"
WRITING = "C  WRQ    log.txt octet blksize=1428"


class OpeningEnd:
    """An `Opening` and nothing behind it."""

    side = "C"

    def __init__(self, asking: str, *, timer: RetryTimer | None = None) -> None:
        request = decode(datagram(asking))
        assert isinstance(request, Request)
        self.machine = Opening(request, timer or RetryTimer(1.0, 2), 0.0)

    @property
    def deadline(self) -> float | None:
        return self.machine.deadline

    @property
    def end(self) -> End | None:
        return self.machine.end

    def receive(self, octets: bytes, now: float) -> None:
        self.machine.receive(octets, now)

    def handle_timeout(self, now: float) -> None:
        self.machine.handle_timeout(now)

    def take(self, _: float) -> list[bytes]:
        return [octets for octets in self.machine.transmits() if isinstance(octets, bytes)]


def opened(asking: str, answer: str) -> Opening:
    """An opening that got one answer."""
    end = OpeningEnd(asking)
    Player(end).play(f"{asking}\n{answer}")
    return end.machine


def test_option_answer_opens_the_transfer() -> None:
    """RFC 2347: the options of the OACK are used, and no other."""
    machine = opened(ASKING, "S  OACK   blksize=1024 tsize=99")
    assert machine.phase is Phase.answered
    assert machine.agreement == Agreement(
        blksize=1024,
        tsize=99,
        granted=(("blksize", "1024"), ("tsize", "99")),
        has_oack=True,
    )
    assert machine.deadline is None


@pytest.mark.parametrize(
    ("asking", "answer"), [(ASKING, "S  DATA   1 512"), (WRITING, "S  ACK    0")]
)
def test_server_without_options_opens_the_transfer(asking: str, answer: str) -> None:
    """RFC 2347: DATA 1 or ACK 0 in answer means as if no option had been asked."""
    machine = opened(asking, answer)
    assert machine.phase is Phase.answered
    assert machine.agreement == Agreement()


@pytest.mark.parametrize(
    ("asking", "answer"),
    [
        (ASKING, "S  DATA   2 512"),
        (ASKING, "S  ACK    0"),
        (WRITING, "S  ACK    1"),
        (WRITING, "S  DATA   1 512"),
        (ASKING, "S  RRQ    boot.img octet"),
    ],
)
def test_packets_of_an_earlier_transfer_are_ignored(asking: str, answer: str) -> None:
    machine = opened(asking, answer)
    assert machine.phase is Phase.asking
    assert machine.duplicates == 1


def test_option_that_was_not_asked_and_changes_nothing_is_remarked() -> None:
    machine = opened(WRITING, "S  OACK   blksize=1428 windowsize=1")
    assert machine.phase is Phase.answered
    assert machine.remarks == (
        "the server answered windowsize=1, which was not asked and changes nothing",
    )


@pytest.mark.parametrize("code", [4, 8])
def test_server_that_refuses_the_options_is_asked_once_more_without_any(code: int) -> None:
    """RFC 2347, section 2: after ERROR 8 a client may ask again without options."""
    end = OpeningEnd(ASKING)
    Player(end).play(f"""
        {ASKING}
        S  ERROR  {code} No options
        C  RRQ    boot.img octet
        wait 1
        C  RRQ    boot.img octet
        S  ERROR  {code} Go away
        => refused by the peer {code} Go away
    """)
    assert end.machine.remarks == (
        f"ERROR {code} (No options) to the options: asked again without any",
    )


def test_refusals_of_each_copy_of_the_request_are_one_refusal() -> None:
    end = OpeningEnd(ASKING)
    Player(end).play(f"""
        {ASKING}
        wait 1
        {ASKING}
        S  ERROR  8
        C  RRQ    boot.img octet
        S  ERROR  8
        S  DATA   1 3
    """)
    assert end.machine.agreement == Agreement()
    assert end.machine.remarks == ("ERROR 8 to the options: asked again without any",)


@pytest.mark.parametrize("code", [0, 1, 2, 3, 5, 6])
def test_refusal_of_something_else_is_not_asked_again(code: int) -> None:
    Player(OpeningEnd(ASKING)).play(f"""
        {ASKING}
        S  ERROR  {code} No
        => refused by the peer {code} No
    """)


def test_rollover_holds_without_its_option() -> None:
    """Devices go on with block 1 and have never heard of the option."""
    request = decode(datagram("C  RRQ    boot.img octet rollover=1"))
    assert isinstance(request, Request)
    for answer in ("S  DATA   1 512", "S  OACK"):
        machine = Opening(request, RetryTimer(1.0, 2), 0.0, rollover=1)
        machine.receive(datagram(answer), 0.0)
        assert machine.agreement is not None
        assert machine.agreement.rollover == 1


def test_refusal_ends_it_and_is_not_answered() -> None:
    """RFC 1350, section 7: an ERROR is never answered."""
    Player(OpeningEnd(ASKING)).play(f"""
        {ASKING}
        S  ERROR  1 File not found
        => refused by the peer 1 File not found
        S  ERROR  1 File not found
        wait 60
    """)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("blksize=1429", "The server granted blksize=1429; expected 8 to 1428."),
        ("windowsize=4", "The server granted windowsize=4, which was not asked."),
    ],
)
def test_wrong_option_answer_gets_error_8(answer: str, message: str) -> None:
    """RFC 2347: a client that rejects the OACK answers ERROR 8. Our reason stays here."""
    Player(OpeningEnd(ASKING)).play(f"""
        {ASKING}
        S  OACK   {answer}
        C  ERROR  8 Options were not agreed
        => failed 8 {message} Asked: blksize=1428 tsize=0.
    """)


def test_request_is_asked_again_until_the_tries_are_used() -> None:
    """RFC 1350, section 2: a lost packet makes its sender wait and send it again."""
    Player(OpeningEnd(ASKING)).play(f"""
        {ASKING}
        wait 0.9
        wait 0.2
        {ASKING}
        wait 1
        {ASKING}
        wait 1
        => timed_out no answer to the request, 3 tries
        wait 60
    """)


def test_server_that_opens_late_is_waited_for() -> None:
    """A boot loader may listen for seconds only; the patience is how long to keep asking."""
    end = OpeningEnd(ASKING, timer=RetryTimer(1.0, 0, patience=30.0))
    player = Player(end)
    player.play("\n".join([ASKING, "wait 20", *[ASKING] * 20, "S  OACK   tsize=5"]))
    assert end.machine.phase is Phase.answered
    assert end.machine.retransmits == 20


def test_what_is_over_stays_as_it_is() -> None:
    machine = opened(ASKING, "S  OACK   tsize=5")
    machine.receive(datagram("S  OACK   tsize=6"), 1.0)
    machine.handle_timeout(1.0)
    machine.abort(0, "Stopped")
    machine.lose("gone")
    assert machine.phase is Phase.answered
    assert machine.end is None
    assert machine.transmits() == []


@given(st.binary(max_size=60), st.sampled_from([ASKING, WRITING]))
def test_no_octets_break_an_opening(octets: bytes, asking: str) -> None:
    end = OpeningEnd(asking)
    end.machine.receive(octets, 0.5)
    assert (end.machine.phase is Phase.answered) == (end.machine.agreement is not None)
    assert (end.machine.phase is Phase.ended) == (end.machine.end is not None)
