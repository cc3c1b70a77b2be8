"""A rule for every unit test: it leaves no thread and no socket behind."""

from __future__ import annotations

import os
import signal
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

from TftpLibrary.engine.shared import SHARED_ENGINE
from utest.support.waiting import wait_until

settings.register_profile("ci", derandomize=True, max_examples=200, deadline=None)
settings.register_profile("explore", max_examples=5000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Tests start hundreds of programs, each of which would compile the library anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts the tests in the background switches Ctrl-C off, which some of them send.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Linux and macOS list a process's descriptors here; on Windows only threads are checked.
DESCRIPTORS = Path("/dev/fd")


def pytest_configure(config: pytest.Config) -> None:
    """Lets files begin in the order below; pytest-xdist would begin with those of most tests."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with the files at the top, which start programs: none is left for one core alone."""
    items.sort(key=lambda item: len(item.path.parts))


@pytest.fixture(autouse=True)
def ordinary_user(request: pytest.FixtureRequest) -> Iterator[None]:
    """Lets root be `nobody` in a test that is marked `ordinary_user`.

    Autouse fixtures come first, so those of the test are made by `nobody` too.
    """
    is_marked = request.node.get_closest_marker("ordinary_user") is not None
    if sys.platform != "linux" or not is_marked or os.geteuid() != 0:
        yield
        return
    import pwd  # noqa: PLC0415 - there is no such module on Windows

    nobody = pwd.getpwnam("nobody")
    folder: Path = request.getfixturevalue("tmp_path")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    for parent in folder.parents[: -len(Path(tempfile.gettempdir()).parts)]:
        # pytest keeps the folders above that of a test for its own user.
        parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
    # The saved ids stay, as the way back.
    os.setresgid(nobody.pw_gid, nobody.pw_gid, 0)
    os.setresuid(nobody.pw_uid, nobody.pw_uid, 0)
    yield
    os.setresuid(0, 0, 0)
    os.setresgid(0, 0, 0)


@pytest.fixture(autouse=True)
def leaves_nothing_behind() -> Iterator[None]:
    """Fails a test that ends with a thread alive or a socket open that it had not found there."""
    threads, sockets = set(threading.enumerate()), open_sockets()

    def left() -> list[object]:
        return [*set(threading.enumerate()) - threads, *open_sockets() - sockets]

    yield
    # What stays to repeat a client's last ACK stays for a moment only; the process ends it too.
    SHARED_ENGINE.end_lingering()
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
