"""Faults in words: as they were asked for, and as they happened."""

from __future__ import annotations

from TftpLibrary.faults.files import Damage, Damaging, Denial
from TftpLibrary.faults.kinds import FaultKind
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.rules import Rule, Way
from TftpLibrary.faults.tracking import Passing
from TftpLibrary.sizes import rate_text

Fault = Rule | Denial | Damage

_DID = {
    FaultKind.drop: "dropped {}",
    FaultKind.duplicate: "duplicated {}",
    FaultKind.delay: "delayed {} by {}",
    FaultKind.reorder: "let others overtake {}",
    FaultKind.corrupt: "changed {2} of {0}",
    FaultKind.short_block: "shortened {}",
    FaultKind.long_block: "lengthened {}",
    FaultKind.runt: "cut {}",
    FaultKind.wrong_block: "gave {} another number",
    FaultKind.wrong_tid: "sent {} from another port",
    FaultKind.stray: "sent a stranger's copy of {}",
    FaultKind.bad_opcode: "gave {} an unknown opcode",
    FaultKind.error: "sent an error instead of {}",
    FaultKind.unterminated: "left out the last zero byte of {}",
    FaultKind.ignore_options: "ignored the options of {}",
    FaultKind.wrong_oack: "changed the values of {}",
    FaultKind.stall: "let nothing pass from {} onwards",
    FaultKind.vanish: "closed the port at {}",
}


def fault_text(fault: Fault) -> str:
    """Returns a fault as it was asked for: `drop DATA 3 of 'zImage' for 192.168.1.50, 2 times`."""
    if isinstance(fault, Denial):
        words = [f"error {fault.code} in answer to requests for '{fault.file}'"]
    elif isinstance(fault, Damage):
        words = [_damage_text(fault)]
    else:
        words = [_rule_text(fault)]
    if fault.client:
        words.append(f"for {fault.client}")
    return f"{' '.join(words)}{_count_text(fault)}"


def injected_text(fault: Fault) -> str:
    """Returns a fault as it was asked for, with the usual number of times too."""
    text = fault_text(fault)
    if fault.times is None:
        return text
    times = _times_text(fault.times)
    each = "" if isinstance(fault, Rule) and fault.is_of_client else " for each client"
    return f"{text.removesuffix(f', {times}')}, {times}{each}"


def link_text(quality: LinkQuality) -> str:
    """Returns the quality of a link in words: `loss 2 %, rate 1.0 MB/s, for 192.168.1.51`."""
    shares = {name: getattr(quality, name) for name in ("loss", "duplicate", "reorder", "corrupt")}
    words = [f"{name} {value * 100:g} %" for name, value in shares.items() if value]
    words += [
        f"{name} {time_text(value)}"
        for name, value in (("delay", quality.delay), ("jitter", quality.jitter))
        if value
    ]
    if quality.rate is not None:
        words += [f"rate {rate_text(quality.rate)}", f"queue {quality.queue}"]
    words = words or ["perfect"]
    if quality.direction is not Way.any:
        words.append(f"only what is {quality.direction}")
    if quality.client:
        words.append(f"for {quality.client}")
    return ", ".join(words)


def did_text(rule: Rule, passing: Passing) -> str:
    """Returns what a fault did to a packet: `dropped DATA 3`."""
    bits = "a bit" if rule.whole_number(1) == 1 else f"{rule.number} bits"
    return _DID[rule.kind].format(passing, time_text(rule.delay or 0.0), bits)


def time_text(seconds: float) -> str:
    """Returns a delay in words: `500 ms`, `2.5 s`."""
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def _rule_text(rule: Rule) -> str:
    file = "" if rule.file == "*" else f" of '{rule.file}'"
    way = "" if rule.direction is Way.any else f" {rule.direction}"
    details = [
        f"{name}={shown}"
        for name, shown in (
            ("delay", "" if rule.delay is None else time_text(rule.delay)),
            ("duration", "" if rule.duration is None else time_text(rule.duration)),
            ("number", rule.number),
            ("size", "" if rule.size is None else str(rule.size)),
            ("copies", "" if rule.copies is None else str(rule.copies)),
            ("code", "" if rule.code is None else str(rule.code)),
            ("message", rule.message),
            ("options", rule.options),
            ("padding", "" if rule.padding is None else str(rule.padding)),
        )
        if shown
    ]
    more = f" ({', '.join(details)})" if details else ""
    return f"{rule.kind} {_share_text(rule)}{rule.meant}{way}{file}{more}"


def _share_text(rule: Rule) -> str:
    if rule.probability is not None:
        return f"{rule.probability * 100:g} % of "
    return f"every {_ordinal(rule.every)} " if rule.every > 1 else ""


def _count_text(fault: Fault) -> str:
    parts = []
    if fault.after:
        parts.append(f"after the first {fault.after}")
    usual = 1 if isinstance(fault, Rule) and not fault.is_for_many else None
    if fault.times != usual:
        parts.append(_times_text(fault.times))
    return "".join(f", {part}" for part in parts)


def _times_text(times: int | None) -> str:
    return "each time" if times is None else "once" if times == 1 else f"{times} times"


def _damage_text(damage: Damage) -> str:
    file = f"'{damage.file}'"
    if damage.how is Damaging.flip_bit:
        where = "in the middle" if damage.offset is None else f"of byte {damage.offset}"
        return f"flip a bit {where} of {file}"
    if damage.how is Damaging.truncate:
        left = "half of its" if damage.size is None else f"{damage.size}"
        return f"truncate {file} to {left} bytes"
    if damage.how is Damaging.append:
        return f"append {damage.added} bytes to {file}"
    return f"send '{damage.content}' as {file}"


def _ordinal(number: int) -> str:
    ending = (
        "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{ending}"
