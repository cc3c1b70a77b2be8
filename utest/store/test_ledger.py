from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from TftpLibrary.store import ledger as ledger_module
from TftpLibrary.store.confined import open_root
from TftpLibrary.store.ledger import LEDGER, Held, Ledger, take
from TftpLibrary.store.names import is_hidden
from TftpLibrary.store.place import Place
from TftpLibrary.store.root import Root
from utest.support.stores import descriptors, names_in, ordinary_user, posix_only


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    before = descriptors()
    root = open_root(tmp_path)
    yield root
    root.close()
    assert descriptors() <= before


def taken(root: Root) -> Ledger:
    ledger = take(root, create=True)
    assert ledger
    ledger.begin()
    return ledger


def test_there_is_none_until_something_is_changed(root: Root) -> None:
    assert take(root, create=False) is None
    assert names_in(root.path) == set()


def test_it_tells_what_was_noted_and_whose_it_is(root: Root) -> None:
    ledger = taken(root)
    entries: list[dict[str, object]] = [{"name": ["caf\udce9"]}, {"name": ["boot", "dtb"]}]
    for entry in entries:
        ledger.note(entry, is_synced=True)
    assert list(ledger.entries())[1:] == entries
    assert ledger.by == f"process {os.getpid()} (robot)"
    ledger.begin()
    assert len(list(ledger.entries())) == 1
    ledger.remove()


def test_no_board_can_ask_for_it() -> None:
    assert is_hidden(LEDGER)


def test_it_is_held_by_one_only(root: Root) -> None:
    ledger = taken(root)
    for create in (True, False):
        with pytest.raises(Held) as caught:
            take(root, create=create)
        assert caught.value.by == ledger.by
    ledger.remove()
    ledger.close()
    assert names_in(root.path) == set()


def test_a_stale_one_is_no_lock(root: Root) -> None:
    taken(root).close()
    ledger = take(root, create=False)
    assert ledger
    ledger.remove()


def test_one_that_was_taken_and_not_begun_is_of_another_process(root: Root) -> None:
    ledger = take(root, create=True)
    assert ledger
    with pytest.raises(Held, match="another process"):
        take(root, create=True)
    ledger.remove()


def test_one_that_is_removed_while_it_is_taken_is_taken_anew(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process ends between the opening and the locking."""
    other = taken(root)
    lock = ledger_module._lock  # noqa: SLF001

    def end_and_lock(fd: int) -> bool:
        monkeypatch.undo()
        other.remove()
        return lock(fd)

    monkeypatch.setattr(ledger_module, "_lock", end_and_lock)
    ledger = taken(root)
    assert ledger.is_there
    assert names_in(root.path) == {LEDGER}
    ledger.remove()


@posix_only
def test_one_that_others_removed_or_replaced_is_not_there_any_more(root: Root) -> None:
    ledger = taken(root)
    (root.path / LEDGER).unlink()
    assert not ledger.is_there
    (root.path / LEDGER).write_bytes(b"not ours")
    ledger.remove()
    assert names_in(root.path) == {LEDGER}


def test_what_cannot_be_written_whole_is_refused(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = taken(root)
    monkeypatch.setattr(os, "write", lambda *_: 1)
    with pytest.raises(OSError, match="in part") as caught:
        ledger.note({"name": ["x"]})
    monkeypatch.undo()
    assert caught.value.errno == errno.ENOSPC
    ledger.remove()


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["/usr/bin/robot", "--variable", "PASSWORD:secret"], "robot"),
        (["/site-packages/robot/__main__.py"], "robot"),
        (["-c"], "python"),
        ([""], "python"),
        ([], "python"),
    ],
)
def test_the_program_is_named_without_its_arguments(
    root: Root, monkeypatch: pytest.MonkeyPatch, argv: list[str], name: str
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    ledger = taken(root)
    assert ledger.by == f"process {os.getpid()} ({name})"
    ledger.remove()


def test_it_is_closed_before_it_is_removed_where_that_is_needed(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "IS_WINDOWS", True)
    taken(root).remove()
    assert names_in(root.path) == set()


def test_one_that_cannot_be_written_is_read_and_locked(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken(root).close()

    def refuse(_: Place) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Place, "append", refuse)
    with pytest.raises(PermissionError):
        take(root, create=True)
    ledger = take(root, create=False)
    assert ledger
    assert ledger.by == f"process {os.getpid()} (robot)"
    ledger.remove()


@ordinary_user
def test_that_of_another_user_is_read_and_locked(root: Root) -> None:
    taken(root).close()
    (root.path / LEDGER).chmod(0o444)
    ledger = take(root, create=False)
    assert ledger
    with pytest.raises(PermissionError):
        take(root, create=True)
    ledger.remove()
