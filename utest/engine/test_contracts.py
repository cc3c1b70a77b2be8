"""Whatever fulfils `Channel` can carry a transfer: here the wire, which has faults on purpose."""

from __future__ import annotations

import random

import pytest

from TftpLibrary.engine.wire import Wire
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.protocol.outcome import Outcome
from utest.support.bench import QUICK, bench
from utest.support.stores import read
from utest.support.waiting import seconds

CONTENT = random.Random(7).randbytes(40_000)
LINKS = {
    "nothing happens": LinkQuality(delay=1e-6),
    "some are lost": LinkQuality(loss=0.15, seed=3),
    "some come twice": LinkQuality(duplicate=0.2, seed=4),
}


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("windowsize", [1, 8])
@pytest.mark.parametrize("is_read", [True, False])
def test_a_channel_can_stand_before_another_one(link: str, windowsize: int, is_read: bool) -> None:
    with bench({"f": CONTENT}, writable=True, **QUICK) as found:
        found.faults.set_link(LINKS[link])
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
        assert (record.fault_count > 0) == (link != "nothing happens")


def test_a_session_does_not_see_what_stands_behind_its_channel() -> None:
    with bench({"f": CONTENT}, **QUICK) as found, found.peer() as peer:
        found.faults.set_link(LINKS["nothing happens"])
        peer.ask()
        peer.receive()
        assert isinstance(found.only_session().channel, Wire)
