"""A rule as it is asked for: its defaults, and each mistake with the way to write it."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.kinds import TRAITS, FaultKind
from TftpLibrary.faults.packets import Packets
from TftpLibrary.faults.rules import LONGEST, Rule, Way, make_rule, parse_options, parse_way

NEEDED: dict[FaultKind, dict[str, Any]] = {
    FaultKind.delay: {"delay": 0.5},
    FaultKind.wrong_oack: {"options": "blksize=9000"},
}
"""Arguments without which a kind cannot be."""


@pytest.mark.parametrize("kind", list(FaultKind))
def test_each_kind_strikes_its_own_packet_once_by_default(kind: FaultKind) -> None:
    rule = make_rule(kind, **NEEDED.get(kind, {}))
    assert rule.meant == Packets(TRAITS[kind].packet)
    assert (rule.times, rule.every, rule.after, rule.file) == (1, 1, 0, "*")
    assert make_rule(kind.value.upper(), **NEEDED.get(kind, {})) == rule


@pytest.mark.parametrize(
    ("packet", "more", "times"),
    [
        ("DATA", {}, 1),
        ("DATA 3-6", {}, 1),
        ("DATA 100-", {}, None),
        ("DATA", {"every": 10}, None),
        ("DATA", {"every": 1}, 1),
        ("DATA", {"probability": 0.05}, None),
        ("DATA", {"every": 10, "times": 2}, 2),
        ("DATA", {"times": None}, None),
    ],
)
def test_a_fault_happens_once_unless_it_is_for_many_packets(
    packet: str, more: dict[str, Any], times: int | None
) -> None:
    assert make_rule("drop", packet, **more).times == times


def test_packets_and_directions_are_taken_as_values_and_as_words() -> None:
    packets = Packets("ACK", is_last=True)
    words = make_rule("drop", "ack last", direction="received")
    assert words == make_rule(FaultKind.drop, packets, direction=Way.received)
    assert [parse_way(str(way)) for way in Way] == list(Way)


def test_numbers_are_taken_as_numbers_and_as_text() -> None:
    assert make_rule("corrupt", number=3) == make_rule("corrupt", number="3")
    assert make_rule("corrupt", number=3).whole_number(1) == 3
    assert make_rule("corrupt").whole_number(1) == 1


@pytest.mark.parametrize(
    ("number", "block"), [("", 8), ("+1", 8), ("-1", 6), ("+300", 307), ("9", 9), ("0", 0)]
)
def test_another_block_is_so_many_on_or_one_by_its_number(number: str, block: int) -> None:
    assert make_rule("wrong_block", number=number).wrong_block(7) == block


def test_an_overtaken_packet_waits_for_a_moment_only() -> None:
    assert make_rule("reorder").reordered_for == 0.2
    assert make_rule("reorder", delay=1.0).reordered_for == 1.0


def test_a_rule_of_our_client_may_strike_the_request_that_it_sends() -> None:
    assert make_rule("bad_opcode", "RRQ", is_of_client=True).meant == Packets("RRQ")


ERRORS = [
    ("loss", "", {}, "There is no fault 'loss'. One packet is lost with 'drop'; a share of all"),
    ("drop", "DATTA", {}, "packet: there is no packet 'DATTA'. Did you mean DATA? Expected DATA,"),
    ("drop", "", {"foo": 1}, "There is no argument 'foo'. Arguments: after, client, code, copies,"),
    # Arguments
    (
        "drop",
        "",
        {"code": 3},
        "drop takes no code=; it takes only what every fault takes, such as file= and times=.",
    ),
    (
        "drop",
        "",
        {"delay": 1.0},
        "drop takes no delay=; it takes only what every fault takes, such as file= and times=.",
    ),
    ("duplicate", "", {"size": 3}, "duplicate takes no size=; it takes copies=, delay=."),
    ("error", "", {"duration": 1.0}, "error takes no duration=; it takes code=, message=."),
    ("stall", "", {"message": "x"}, "stall takes no message=; it takes duration=."),
    ("corrupt", "", {"padding": 1}, "corrupt takes no padding=; it takes number=."),
    ("runt", "", {"options": "a=1"}, "runt takes no options=; it takes size=."),
    (
        "vanish",
        "",
        {"copies": 2},
        "vanish takes no copies=; it takes only what every fault takes, such as file= and times=.",
    ),
    ("delay", "", {}, "delay needs a time above 0, such as delay=500 ms."),
    ("delay", "", {"delay": 0.0}, "delay needs a time above 0, such as delay=500 ms."),
    (
        "wrong_oack",
        "",
        {},
        "wrong_oack needs options=, such as options=blksize=9000, or padding=.",
    ),
    (
        "wrong_oack",
        "",
        {"options": "blksize"},
        "options= must be such as 'blksize=9000 tsize=-' (a - leaves the option out), got",
    ),
    (
        "ignore_options",
        "",
        {"options": "blksize=8"},
        "options= of ignore_options are names, such as options=blksize tsize, got 'blksize=8'.",
    ),
    # Packets
    (
        "corrupt",
        "ACK",
        {},
        "corrupt strikes DATA only, got ACK. To change the number of an ACK use wrong_block.",
    ),
    ("short_block", "OACK", {}, "short_block strikes DATA only, got OACK."),
    (
        "vanish",
        "RRQ",
        {},
        "vanish closes the port of a transfer, and a request comes to the port of the server. "
        "To close that use Pause TFTP Server    crash; to close the other write answer.",
    ),
    ("wrong_block", "RRQ", {}, "wrong_block strikes DATA or ACK only, got RRQ."),
    ("ignore_options", "OACK", {}, "ignore_options strikes RRQ or WRQ or request only, got OACK."),
    (
        "runt",
        "",
        {"direction": "received"},
        "runt changes packets that this library sends: direction=received cannot be. Use drop, "
        "duplicate, delay, reorder, stall or vanish for received packets.",
    ),
    (
        "bad_opcode",
        "request",
        {},
        "bad_opcode changes packets that this library sends, and a server receives request. To "
        "change the answer to a request write answer.",
    ),
    (
        "ignore_options",
        "",
        {"is_of_client": True},
        "ignore_options is a fault of servers: role=client cannot have it.",
    ),
    (
        "drop",
        "",
        {"is_of_client": True, "client": "10.0.0.1"},
        "client= names a board that asks our server: it does not go with role=client.",
    ),
    ("drop", "DATA 0", {}, "packet: the first block of a file is DATA 1, got DATA 0."),
    ("drop", "", {"client": "board"}, "client='board' is neither an address nor a network."),
    ("drop", "", {"direction": "up"}, "direction= must be any, sent or received, got 'up'."),
    # Counts
    (
        "drop",
        "",
        {"every": 2, "probability": 0.5},
        "every= and probability= cannot be given together: use one of them.",
    ),
    ("drop", "", {"every": 0}, "every= must be 1 or more, got 0."),
    ("drop", "", {"after": -1}, "after= must be 0 or more, got -1."),
    ("drop", "", {"times": -1}, "times= must be 1 or more, or unlimited, got -1."),
    ("drop", "", {"probability": 2.0}, "probability= must be from 0 % to 100 %, got 200 %."),
    ("drop", "", {"probability": nan}, "probability= must be from 0 % to 100 %, got nan %."),
    # Values
    ("delay", "", {"delay": 3601.0}, "delay= must be from 0 to 3600 seconds, got 3601."),
    ("delay", "", {"delay": nan}, "delay= must be from 0 to 3600 seconds, got nan."),
    ("delay", "", {"delay": -1.0}, "delay= must be from 0 to 3600 seconds, got -1."),
    ("stall", "", {"duration": inf}, "duration= must be from 0 to 3600 seconds, got inf."),
    ("duplicate", "", {"copies": 0}, "copies= must be from 1 to 1000, got 0."),
    ("duplicate", "", {"copies": 1001}, "copies= must be from 1 to 1000, got 1001."),
    ("error", "", {"code": 65536}, "code= must be from 0 to 65535, got 65536."),
    ("wrong_oack", "", {"padding": 1001}, "padding= must be from 1 to 1000, got 1001."),
    ("short_block", "", {"size": -1}, "size= must be from 0 to 65000, got -1."),
    ("long_block", "", {"size": 0}, "size= must be from 1 to 65000, got 0."),
    ("runt", "", {"size": 4}, "size= of a runt must be from 0 to 3, got 4."),
    # Numbers
    ("corrupt", "", {"number": "x"}, "number= must be a whole number, got 'x'."),
    ("corrupt", "", {"number": "+1"}, "number= must be a whole number, got '+1'."),
    ("corrupt", "", {"number": "²"}, "number= must be a whole number, got '²'."),
    ("reorder", "", {"number": "0"}, "number= must be from 1 to 1000, got 0."),
    ("reorder", "", {"number": "1001"}, "number= must be from 1 to 1000, got 1001."),
    ("wrong_block", "", {"number": "+"}, "number= must be +1, -1 or a block such as 7, got '+'."),
    ("wrong_block", "", {"number": "65536"}, "number= must be from 0 to 65535, got 65536."),
    ("bad_opcode", "", {"number": "5"}, "number= must be an opcode that TFTP does not have, got 5"),
    ("bad_opcode", "", {"number": "65536"}, "number= must be from 1 to 65535, got 65536."),
]


@pytest.mark.parametrize(("kind", "packet", "more", "error"), ERRORS)
def test_a_rule_that_cannot_happen_is_refused_with_the_reason_and_the_right_form(
    kind: str, packet: str, more: dict[str, Any], error: str
) -> None:
    with pytest.raises(UsageError) as caught:
        make_rule(kind, packet, **more)
    assert str(caught.value).startswith(error)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("delay", {"delay": LONGEST}),
        ("stall", {"duration": 0.0}),
        ("drop", {"probability": 0.0}),
        ("drop", {"probability": 1.0}),
        ("error", {"code": 0}),
        ("short_block", {"size": 0}),
        ("runt", {"size": 0}),
        ("runt", {"size": 3}),
        ("wrong_block", {"number": "0"}),
        ("wrong_block", {"number": "65535"}),
        ("bad_opcode", {"number": "65535"}),
        ("bad_opcode", {"number": "7"}),
        ("reorder", {"number": "1000"}),
        ("wrong_oack", {"padding": 4}),
        ("drop", {"client": "192.168.1.0/24"}),
    ],
)
def test_values_at_their_bounds_are_taken(kind: str, more: dict[str, Any]) -> None:
    assert make_rule(kind, **more).kind is FaultKind[kind]


def test_options_are_read_with_blanks_or_commas_between_them() -> None:
    assert parse_options("blksize=9000 tsize=-") == (("blksize", "9000"), ("tsize", "-"))
    assert parse_options("a=1, b=x=y") == (("a", "1"), ("b", "x=y"))
    assert parse_options("") == ()


@pytest.mark.parametrize("text", ["blksize", "=9000", "blksize=", "a=1 b"])
def test_words_that_are_no_options_are_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_options(text)
    assert str(caught.value) == (
        "options= must be such as 'blksize=9000 tsize=-' (a - leaves the option out), got "
        f"'{text}'."
    )


@pytest.mark.parametrize("kind", list(FaultKind))
def test_each_kind_that_changes_packets_is_for_those_that_are_sent(kind: FaultKind) -> None:
    forged = {
        "corrupt",
        "short_block",
        "long_block",
        "runt",
        "wrong_block",
        "wrong_tid",
        "stray",
        "bad_opcode",
        "error",
        "unterminated",
        "wrong_oack",
    }
    more = NEEDED.get(kind, {})
    if kind.value in forged:
        with pytest.raises(UsageError, match="direction=received cannot be"):
            make_rule(kind, direction="received", **more)
    else:
        assert make_rule(kind, direction="received", **more).direction is Way.received


def test_the_seed_decides_which_packets_or_which_bits() -> None:
    assert make_rule("drop", probability=0.5).has_chance
    assert make_rule("corrupt").has_chance
    assert not make_rule("drop", every=2).has_chance


def test_the_first_block_and_the_first_ack_are_taken() -> None:
    assert [str(make_rule("drop", text).meant) for text in ("DATA 1", "ACK 0")] == [
        "DATA 1",
        "ACK 0",
    ]


def test_a_rule_is_a_value() -> None:
    first, second = (Rule(FaultKind.drop, Packets("DATA"), file="f") for _ in range(2))
    assert first == second
    assert len({first, second}) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("link", "name=link stands for the quality of the link. Choose another name=."),
        ("a\nb", "name= must be at most 100 printable characters, got 3: 'a\\nb'."),
        ("x" * 101, f"name= must be at most 100 printable characters, got 101: '{'x' * 100}'."),
    ],
)
def test_a_name_that_no_reader_could_tell_apart_is_refused(name: str, text: str) -> None:
    with pytest.raises(UsageError) as refused:
        make_rule("drop", name=name)
    assert str(refused.value) == text


def test_any_other_name_is_taken() -> None:
    assert make_rule("drop", name="<first> Block").name == "<first> Block"
    assert make_rule("drop", name="x" * 100).name == "x" * 100
