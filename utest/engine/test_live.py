"""What an engine and its sessions ask of each other: each side has what the other one calls.

That the signatures match too is checked by mypy, where a session is given to an engine.
"""

from __future__ import annotations

import pytest

from TftpLibrary.engine.asking import Asking
from TftpLibrary.engine.engine import Engine
from TftpLibrary.engine.live import Driver, Live
from TftpLibrary.engine.receiving import ReceivingSession
from TftpLibrary.engine.sending import SendingSession


def asked_by(protocol: type) -> set[str]:
    """Returns the public names of a protocol."""
    found = set()
    for kind in protocol.__mro__:
        if kind.__module__.startswith("TftpLibrary"):
            found |= {*vars(kind), *vars(kind).get("__annotations__", {})}
    return {name for name in found if not name.startswith("_")}


@pytest.mark.parametrize("session", [Asking, SendingSession, ReceivingSession])
def test_a_session_has_what_the_engine_asks_of_it(session: type) -> None:
    # `armed` is an attribute of the instances.
    assert asked_by(Live) - {"armed"} <= set(dir(session))


def test_the_engine_has_what_a_session_asks_of_it() -> None:
    assert asked_by(Driver) <= set(dir(Engine))
    assert "arm" in asked_by(Driver)
