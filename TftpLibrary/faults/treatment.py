"""The effect of each kind of fault on one copy of a packet."""

from __future__ import annotations

from collections.abc import Callable

from TftpLibrary.faults.deliveries import ALL, Delivery, Strike, Then
from TftpLibrary.faults.forge import flips_text, forged, strangers
from TftpLibrary.faults.kinds import FaultKind
from TftpLibrary.faults.placed import Placed
from TftpLibrary.faults.rules import Rule
from TftpLibrary.faults.tracking import Passing
from TftpLibrary.faults.wording import did_text

Copies = list[Delivery]


def treat(placed: Placed, passing: Passing, copy: Delivery) -> tuple[Copies, Strike]:
    """Returns what a fault makes of one copy, and the note that it happened."""
    rule = placed.rule
    assert rule is not None
    kind = rule.kind
    copies = _TREATMENTS.get(kind, _forge)(rule, passing, copy)
    strike = Strike(
        placed.id,
        did_text(rule, passing),
        passing.is_sent,
        b"" if copies else copy.octets,
        _THEN.get(kind, Then.go_on),
        rule.duration,
        _ignored(rule),
    )
    remark = strike.remark
    if kind is FaultKind.corrupt:
        remark += flips_text(copy.octets, copies[0].octets)
    # A copy that nothing was done to is the same object.
    copies = [each if each is copy else each.noted(remark) for each in copies]
    return copies, strike


def _ignored(rule: Rule) -> frozenset[str]:
    if rule.kind is not FaultKind.ignore_options:
        return frozenset()
    names = rule.options.replace(",", " ").lower().split()
    return frozenset(names or (ALL,))


def _lose(rule: Rule, passing: Passing, copy: Delivery) -> Copies:
    return []


def _keep(rule: Rule, passing: Passing, copy: Delivery) -> Copies:
    return [copy]


def _duplicate(rule: Rule, passing: Passing, copy: Delivery) -> Copies:
    again = copy._replace(delay=copy.delay + (rule.delay or 0.0))
    return [copy, *([again] * (rule.copies or 1))]


def _delay(rule: Rule, passing: Passing, copy: Delivery) -> Copies:
    return [copy._replace(delay=copy.delay + (rule.delay or 0.0))]


def _reorder(rule: Rule, passing: Passing, copy: Delivery) -> Copies:
    late = copy.delay + rule.reordered_for
    return [copy._replace(delay=late, overtaken_by=rule.whole_number(1))]


def _wrong_tid(rule: Rule, passing: Passing, copy: Delivery) -> Copies:
    return [copy._replace(is_foreign=True)]


def _stray(rule: Rule, passing: Passing, copy: Delivery) -> Copies:
    return [copy._replace(octets=strangers(copy.octets), is_foreign=True), copy]


def _forge(rule: Rule, passing: Passing, copy: Delivery) -> Copies:
    return [copy._replace(octets=forged(rule, passing, copy.octets))]


_TREATMENTS: dict[FaultKind, Callable[[Rule, Passing, Delivery], Copies]] = {
    FaultKind.drop: _lose,
    FaultKind.stall: _lose,
    FaultKind.vanish: _lose,
    FaultKind.ignore_options: _keep,
    FaultKind.duplicate: _duplicate,
    FaultKind.delay: _delay,
    FaultKind.reorder: _reorder,
    FaultKind.wrong_tid: _wrong_tid,
    FaultKind.stray: _stray,
}
_THEN = {
    FaultKind.stall: Then.stall,
    FaultKind.vanish: Then.vanish,
    FaultKind.error: Then.end,
}
