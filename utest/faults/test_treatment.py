"""The effect of each kind on one copy of a packet."""

from __future__ import annotations

from typing import Any

import pytest

from TftpLibrary.faults.deliveries import ALL, Delivery, Strike, Then
from TftpLibrary.faults.kinds import FaultKind
from TftpLibrary.faults.placed import Placed
from TftpLibrary.faults.rules import make_rule
from TftpLibrary.faults.treatment import treat
from utest.support.passages import passing
from utest.support.transcript import datagram

DATA = datagram("S DATA 3 8")
COPY = Delivery(DATA)


def treated(
    kind: str, packet: str = "", copy: Delivery = COPY, **more: Any
) -> tuple[list[Delivery], Strike]:
    placed = Placed(make_rule(kind, packet, **more), 1, 0.0)
    copies, strike = treat(placed, passing("S DATA 3 8"), copy)
    assert strike.fault == f"{kind}-1"
    return [each._replace(remark="") for each in copies], strike


@pytest.mark.parametrize("kind", ["drop", "stall", "vanish"])
def test_a_packet_that_does_not_arrive_is_kept_for_the_capture(kind: str) -> None:
    copies, strike = treated(kind)
    assert not copies
    assert strike.lost == DATA


@pytest.mark.parametrize(
    ("kind", "more", "copies"),
    [
        ("duplicate", {}, [COPY, COPY]),
        (
            "duplicate",
            {"copies": 3, "delay": 0.5},
            [COPY, *[COPY._replace(delay=0.5)] * 3],
        ),
        ("delay", {"delay": 0.5}, [COPY._replace(delay=0.5)]),
        ("reorder", {}, [COPY._replace(delay=0.2, overtaken_by=1)]),
        ("reorder", {"number": 3, "delay": 1.0}, [COPY._replace(delay=1.0, overtaken_by=3)]),
        ("wrong_tid", {}, [COPY._replace(is_foreign=True)]),
        ("stray", {}, [Delivery(DATA[:4] + b"\xfc" * 8, is_foreign=True), COPY]),
        ("wrong_block", {}, [Delivery(b"\0\3\0\4" + DATA[4:])]),
        ("runt", {"size": 2}, [Delivery(b"\0\3")]),
        ("ignore_options", {}, [COPY]),
    ],
)
def test_each_kind_makes_its_copies(
    kind: str, more: dict[str, Any], copies: list[Delivery]
) -> None:
    found, strike = treated(kind, **more)
    assert found == copies
    assert not strike.lost


@pytest.mark.parametrize(
    ("kind", "late"), [("delay", 0.75), ("duplicate", 0.75), ("reorder", 0.45), ("wrong_tid", 0.25)]
)
def test_what_an_earlier_fault_has_delayed_comes_later_still(kind: str, late: float) -> None:
    more: dict[str, Any] = {} if kind in ("reorder", "wrong_tid") else {"delay": 0.5}
    copies, _ = treated(kind, copy=COPY._replace(delay=0.25), **more)
    assert copies[-1].delay == late


@pytest.mark.parametrize(
    ("kind", "then"),
    [("stall", Then.stall), ("vanish", Then.vanish), ("error", Then.end), ("drop", Then.go_on)],
)
def test_some_kinds_decide_what_becomes_of_the_transfer(kind: str, then: Then) -> None:
    assert treated(kind)[1].then is then


def test_a_stall_has_its_duration() -> None:
    assert treated("stall", duration=2.0)[1].duration == 2.0
    assert treated("stall")[1].duration is None


def test_options_are_ignored_by_name_or_all() -> None:
    assert treated("ignore_options")[1].ignored == {ALL}
    assert treated("ignore_options", options="BLKSIZE, tsize")[1].ignored == {"blksize", "tsize"}
    assert not treated("drop")[1].ignored


def test_the_remark_names_the_fault_and_what_it_did() -> None:
    placed = Placed(make_rule("delay", delay=0.5), 7, 0.0)
    copies, strike = treat(placed, passing("S DATA 3 8"), COPY.noted("link: second copy"))
    assert strike.words == "delayed DATA 3 by 500 ms"
    assert copies[0].remark == "link: second copy; fault delay-7: delayed DATA 3 by 500 ms"


@pytest.mark.parametrize("kind", ["duplicate", "stray", "ignore_options"])
def test_a_copy_to_which_nothing_was_done_has_no_remark(kind: str) -> None:
    copies, _ = treat(Placed(make_rule(kind), 1, 0.0), passing("S DATA 3 8"), COPY)
    assert COPY in copies


@pytest.mark.parametrize("kind", list(FaultKind))
def test_each_kind_has_a_treatment(kind: FaultKind) -> None:
    needed: dict[str, dict[str, Any]] = {"delay": {"delay": 0.5}, "wrong_oack": {"padding": 1}}
    placed = Placed(make_rule(kind, **needed.get(kind, {})), 1, 0.0)
    text = "S OACK a=1" if kind is FaultKind.wrong_oack else "S DATA 3 8"
    copies, strike = treat(placed, passing(text), Delivery(datagram(text)))
    assert bool(copies) is not bool(strike.lost)


def test_a_capture_is_told_which_bit_was_changed() -> None:
    placed = Placed(make_rule("corrupt"), 1, 0.0)
    (copy,), strike = treat(placed, passing("S DATA 3 8"), COPY)
    (place,) = [at for at in range(len(DATA)) if copy.octets[at] != DATA[at]]
    bit = (copy.octets[place] ^ DATA[place]).bit_length() - 1
    assert copy.remark == f"fault corrupt-1: changed a bit of DATA 3 (bit {bit} of byte {place})"
    assert strike.words == "changed a bit of DATA 3"
