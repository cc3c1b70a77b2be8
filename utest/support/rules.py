"""Hypothesis strategies for rules that strike now and then, but not for ever."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from TftpLibrary.faults.kinds import TRAITS, FaultKind
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.packets import REQUESTS
from TftpLibrary.faults.rules import Rule, Way, make_rule

HARMLESS = (FaultKind.drop, FaultKind.duplicate, FaultKind.delay, FaultKind.reorder)
"""Kinds that a network has of its own."""

_NAMES = ("DATA", "ACK", "OACK", "ERROR", *REQUESTS, "answer", "any")
_ARGUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "delay": st.sampled_from([0.0005, 0.003, 0.3, 1.2, 4.0]),
    "duration": st.sampled_from([None, 0.1, 1.5, 5.0]),
    "copies": st.integers(1, 3),
    "code": st.integers(0, 9),
    "message": st.sampled_from(["", "Oh"]),
    "padding": st.sampled_from([None, 4]),
    "size": st.sampled_from([None, 1, 2, 3]),
}
_NUMBERS = {
    FaultKind.reorder: ["1", "2", "3"],
    FaultKind.corrupt: ["1", "5"],
    FaultKind.wrong_block: ["+1", "-1", "0", "7", "65535"],
    FaultKind.bad_opcode: ["", "7", "300"],
}
_OPTIONS = {
    FaultKind.ignore_options: ["", "blksize", "windowsize, tsize"],
    FaultKind.wrong_oack: ["blksize=9000", "blksize=0 windowsize=0", "tsize=-", "x=1", "BLKSIZE=8"],
}


@st.composite
def rules(
    draw: st.DrawFn, kinds: tuple[FaultKind, ...] = tuple(FaultKind), side: str = "S"
) -> Rule:
    """Returns a rule that strikes a few times at most."""
    kind = draw(st.sampled_from([each for each in kinds if side == "S" or _is_of_both(each)]))
    traits = TRAITS[kind]
    how: dict[str, Any] = {
        name: draw(_ARGUMENTS[name]) for name in traits.takes if name in _ARGUMENTS
    }
    for name, values in (("number", _NUMBERS), ("options", _OPTIONS)):
        if kind in values:
            how[name] = draw(st.sampled_from(values[kind]))
    names = traits.only or _NAMES
    if (traits.is_forged or kind is FaultKind.vanish) and side == "S":
        names = tuple(name for name in names if name not in REQUESTS)
    if not traits.is_forged:
        how["direction"] = draw(st.sampled_from(Way))
    packet = draw(st.sampled_from(names))
    if packet in ("DATA", "ACK"):
        packet += draw(st.sampled_from(["", "", " 1", " 2-3", " 1, 4", " last"]))
    how["times"] = draw(st.integers(1, 3))
    how["after"] = draw(st.sampled_from([0, 0, 0, 1, 5]))
    share = draw(st.sampled_from([None, None, 0.1, 0.5]))
    how |= (
        {"every": draw(st.sampled_from([1, 1, 2, 4]))} if share is None else {"probability": share}
    )
    seed = draw(st.integers(0, 3))
    return make_rule(kind, packet, seed=seed, is_of_client=side == "C", **how)


def links() -> st.SearchStrategy[LinkQuality]:
    """Returns links of any quality, from a perfect one to one that no transfer survives."""
    share = st.sampled_from([0.0, 0.0, 0.01, 0.1, 0.4])
    return st.builds(
        LinkQuality,
        loss=share,
        duplicate=share,
        reorder=share,
        corrupt=share,
        delay=st.sampled_from([0.0, 0.01, 0.4]),
        jitter=st.sampled_from([0.0, 0.005, 0.3]),
        rate=st.sampled_from([None, 2000.0, 1e5]),
        queue=st.sampled_from([1, 4, 1000]),
        seed=st.integers(0, 3),
        direction=st.sampled_from(Way),
    )


def _is_of_both(kind: FaultKind) -> bool:
    return not TRAITS[kind].is_of_server
