"""What holds for every unit test: it leaves no thread and no socket behind."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

from utest.support.waiting import wait_until

settings.register_profile("ci", derandomize=True, max_examples=200, deadline=None)
settings.register_profile("explore", max_examples=5000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts the tests in the background switches Ctrl-C off, which some of them send.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Linux and macOS list a process's descriptors here; on Windows only threads are checked.
DESCRIPTORS = Path("/dev/fd")


@pytest.fixture(autouse=True)
def leaves_nothing_behind() -> Iterator[None]:
    """Fails a test that ends with a thread alive or a socket open that it had not found there."""
    threads, sockets = set(threading.enumerate()), open_sockets()

    def left() -> list[object]:
        return [*set(threading.enumerate()) - threads, *open_sockets() - sockets]

    yield
    with suppress(AssertionError):
        wait_until(lambda: not left(), 2.0)
    assert left() == [], "The test left threads or sockets behind."


def open_sockets() -> set[tuple[int, int]]:
    """Returns the descriptor and inode of each socket of this process."""
    found = set()
    for path in DESCRIPTORS.iterdir() if DESCRIPTORS.is_dir() else ():
        try:
            status = os.fstat(int(path.name))
        except OSError:
            continue  # The descriptor of the listing itself, which is closed by now.
        if stat.S_ISSOCK(status.st_mode):
            found.add((int(path.name), status.st_ino))
    return found
