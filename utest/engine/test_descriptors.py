"""The limit of open files: it is raised as far as the system allows.

A limit that cannot be put back afterwards is tried in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from TftpLibrary.engine.descriptors import allow_for

ROOT = Path(__file__).parents[2]

# Windows has no such limit.
resource = pytest.importorskip("resource")

PROGRAM = """
import resource, sys
from TftpLibrary.engine.descriptors import allow_for
limits = [resource.RLIM_INFINITY if text == "none" else int(text) for text in sys.argv[1:3]]
resource.setrlimit(resource.RLIMIT_NOFILE, tuple(limits))
if sys.argv[4:]:
    def refuse(*_):
        raise ValueError("not allowed to raise maximum limit")
    resource.setrlimit = refuse
allow_for(int(sys.argv[3]))
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def limits_after(soft: int, hard: int, transfers: int, *, refuses: bool = False) -> tuple[int, int]:
    more = ["refuses"] if refuses else []
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(soft), str(hard), str(transfers), *more],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    after, most = done.stdout.split()
    return int(after), int(most)


@pytest.fixture
def soft_limit() -> Iterator[Callable[[int], None]]:
    """Lowers the limit of this process for a test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def lower(limit: int) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))

    yield lower
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def present() -> int:
    return int(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def test_the_limit_is_raised_for_so_many_transfers(soft_limit: Callable[[int], None]) -> None:
    soft_limit(256)
    allow_for(100)
    assert 300 < present() < 1000
    raised = present()
    allow_for(10)
    assert present() == raised


def test_a_system_that_refuses_is_left_as_it_is(
    soft_limit: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("not allowed to raise maximum limit")

    soft_limit(256)
    with monkeypatch.context() as patch:
        patch.setattr(resource, "setrlimit", refuse)
        allow_for(100)
    assert present() == 256


def test_a_system_without_such_limits_needs_nothing(
    soft_limit: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    soft_limit(256)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        allow_for(100)
    assert present() == 256


def test_each_transfer_has_room_for_its_sockets_and_its_file() -> None:
    soft, hard = limits_after(256, 4000, 500)
    assert soft >= 3 * 500
    assert hard == 4000


@pytest.mark.parametrize(("soft", "hard"), [(256, 1000), (1000, 1000)])
def test_the_limit_of_the_system_is_kept(soft: int, hard: int) -> None:
    assert limits_after(soft, hard, 500) == (1000, 1000)


def test_a_limit_that_is_high_enough_is_left_alone() -> None:
    assert limits_after(3000, 4000, 10) == (3000, 4000)


def test_a_refusal_changes_nothing() -> None:
    assert limits_after(256, 4000, 500, refuses=True) == (256, 4000)
