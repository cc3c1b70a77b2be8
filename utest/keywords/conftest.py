"""The state that keywords share: empty, or with one server; nothing runs when a test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from TftpLibrary.keywords.state import Defaults, LibraryState
from TftpLibrary.keywords.stations import StartRequest
from TftpLibrary.recording.records import Transfer
from TftpLibrary.settings import ServerSettings
from utest.support.records import write_record


@pytest.fixture
def state() -> Iterator[LibraryState]:
    """The state after an import; waits look once."""
    shared = LibraryState(Defaults(host="127.0.0.1", port=0, timeout=0.0))
    yield shared
    shared.stop_all()


@pytest.fixture
def started(state: LibraryState) -> LibraryState:
    """The state with a server that runs as `dut` and takes uploads."""
    state.start("dut", StartRequest(None, ServerSettings(writable=True)))
    return state


@pytest.fixture
def record(started: LibraryState) -> Callable[[Transfer], None]:
    """Writes into the record of the server as the engine does."""

    def write(seen: Transfer) -> None:
        write_record(started.recorder, seen._replace(server="dut"))

    return write


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The messages for Robot's log: outside of a run its logger uses `logging`."""
    caplog.set_level("DEBUG", "RobotFramework")
    return caplog
