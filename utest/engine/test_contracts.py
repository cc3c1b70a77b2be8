"""Whatever fulfils `Channel` can carry a transfer: here one that loses and repeats datagrams."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from TftpLibrary.engine import assembly
from TftpLibrary.engine.channel import TidChannel
from TftpLibrary.protocol.outcome import Outcome
from utest.support.bench import QUICK, bench
from utest.support.stores import read
from utest.support.waiting import seconds
from utest.support.wires import Fates, Wire

CONTENT = random.Random(7).randbytes(40_000)


def lose_some() -> Fates:
    choose = random.Random(3).random
    return lambda: int(choose() > 0.15)


def repeat_some() -> Fates:
    choose = random.Random(4).random
    return lambda: 2 if choose() < 0.2 else 1


FATES: dict[str, Callable[[], Fates]] = {
    "nothing happens": lambda: lambda: 1,
    "some are lost": lose_some,
    "some come twice": repeat_some,
}


@pytest.mark.parametrize("fates", FATES)
@pytest.mark.parametrize("windowsize", [1, 8])
@pytest.mark.parametrize("is_read", [True, False])
def test_a_channel_can_stand_before_another_one(
    monkeypatch: pytest.MonkeyPatch, fates: str, windowsize: int, is_read: bool
) -> None:
    wires: list[Wire] = []

    def put_before(*arguments: object, **named: object) -> Wire:
        channel = TidChannel(*arguments, **named)  # type: ignore[arg-type]
        wires.append(Wire(channel, FATES[fates]()))
        return wires[-1]

    monkeypatch.setattr(assembly, "TidChannel", put_before)
    with bench({"f": CONTENT}, writable=True, **QUICK) as found:
        if is_read:
            report = found.read(windowsize=windowsize, accept_duplicates=True)
            assert report.content == CONTENT
        else:
            found.write(
                CONTENT,
                "g",
                windowsize=windowsize,
                accept_duplicates=True,
                resend_after=seconds(0.05),
            )
            assert read(found.store, b"g") == CONTENT
        record = found.wait_for_end()
        assert record.outcome is Outcome.completed
        (wire,) = wires
        assert wire.sent > 10
        assert wire.received > 10
        assert (wire.changed > 0) == (fates != "nothing happens")
