from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import StoreError
from TftpLibrary.store.folder import Folder, FolderSink
from TftpLibrary.store.ledger import LEDGER
from TftpLibrary.store.memory import MemoryStore
from TftpLibrary.store.names import HIDDEN_PREFIX, Parts
from TftpLibrary.store.originals import Originals
from TftpLibrary.store.place import Place
from utest.support.stores import (
    BOARD,
    OVERWRITING,
    WRITABLE,
    descriptors,
    names_in,
    ordinary_user,
    posix_only,
    read,
    refused,
    snapshot,
    write,
)

RUNS = 3000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "srv"
    (root / "boot").mkdir(parents=True)
    (root / "zImage").write_bytes(b"kernel")
    (root / "boot" / "dtb").write_bytes(b"tree")
    return root


@pytest.fixture
def served(folder: Path) -> Iterator[Folder]:
    """A folder that a server serves, whose clean-up is checked."""
    before, opened = snapshot(folder), descriptors()
    served = Folder(folder, MemoryStore())
    yield served
    assert served.close() == []
    assert snapshot(folder) == before
    assert descriptors() <= opened


def put(folder: Path, name: str, data: bytes) -> None:
    """Puts a file in one step, as another program does."""
    (folder / "fresh").write_bytes(data)
    (folder / "fresh").replace(folder / name)


def visible_in(folder: Path) -> set[str]:
    return {name for name in names_in(folder) if HIDDEN_PREFIX not in name}


# Two threads


def commit_each(sinks: list[FolderSink], barrier: threading.Barrier) -> None:
    for sink in sinks:
        barrier.wait()
        sink.commit()


def test_a_folder_is_as_it_was_when_board_and_test_upload_one_name_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both commits of a name are let go together, 3,000 times."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # The disk's speed is not tested.
    names = [b"%03d" % number for number in range(100)]
    for name in names:
        (tmp_path / name.decode()).write_bytes(b"original of " + name)
    before = snapshot(tmp_path)
    barrier = threading.Barrier(2, timeout=60)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    spoilt = 0
    try:
        for _ in range(RUNS // len(names)):
            served = Folder(tmp_path, MemoryStore())
            sinks = [
                [served.open_write(name, BOARD, OVERWRITING, None) for name in names]
                for _ in range(2)
            ]
            engine = threading.Thread(target=commit_each, args=(sinks[0], barrier))
            engine.start()
            commit_each(sinks[1], barrier)
            engine.join()
            warnings = served.close()
            after = snapshot(tmp_path)
            spoilt += len(warnings) + len(after.items() ^ before.items())
    finally:
        sys.setswitchinterval(interval)
    assert spoilt == 0


NAMES = [("zImage",), ("boot", "dtb"), ("new",), ("logs", "board", "1"), ("boot", "new")]
STEPS = st.one_of(
    st.tuples(st.just("open"), st.sampled_from(NAMES), st.booleans()),
    st.tuples(st.sampled_from(["commit", "discard"]), st.integers(0, 3)),
    st.tuples(st.just("put"), st.sampled_from(NAMES), st.binary(max_size=3)),
    st.tuples(st.just("remove"), st.sampled_from(NAMES)),
    st.tuples(st.just("rename"), st.sampled_from(NAMES), st.sampled_from(NAMES), st.booleans()),
    st.tuples(st.just("start")),
    st.tuples(st.just("stop")),
)


class Interleaving:
    """Servers of one folder, or of a folder in it, whose uploads run at the same time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.originals = Originals()
        self.served: list[Folder] = []
        self.sinks: list[FolderSink] = []
        self.start(0)

    def take(self, server: int, step: tuple[object, ...]) -> None:
        """Takes a step at one of the servers; a refusal is an answer as any other."""
        method, *arguments = step
        action: Callable[..., object] = getattr(self, str(method))
        try:
            action(server, *arguments)
        except StoreError as error:
            assert error.code is not ErrorCode.not_defined  # noqa: PT017 - of many it is one

    def start(self, server: int) -> None:
        root = self.folder / "boot" if server % 3 == 2 else self.folder
        if root.is_dir():
            self.served.append(Folder(root, MemoryStore(), originals=self.originals))

    def stop(self, server: int) -> None:
        if self.served:
            assert self.served.pop(server % len(self.served)).close() == []

    def open(self, server: int, parts: Parts, overwrite: bool) -> None:
        policy = OVERWRITING if overwrite else WRITABLE
        sink = self._at(server).open_write("/".join(parts).encode(), BOARD, policy, None)
        sink.write([b"from a board"])
        self.sinks.append(sink)

    def commit(self, _: int, sink: int) -> None:
        if self.sinks:
            chosen = self.sinks.pop(sink % len(self.sinks))
            try:
                chosen.commit()
            finally:
                chosen.discard()

    def discard(self, _: int, sink: int) -> None:
        if self.sinks:
            self.sinks.pop(sink % len(self.sinks)).discard()

    def put(self, server: int, parts: Parts, data: bytes) -> None:
        served = self._at(server)
        served.put(parts, [data], overwrite=True)
        assert read(served, "/".join(parts).encode()) == data

    def remove(self, server: int, parts: Parts) -> None:
        self._at(server).remove(parts)

    def rename(self, server: int, old: Parts, new: Parts, overwrite: bool) -> None:
        if old != new:
            self._at(server).rename(old, new, overwrite=overwrite)

    def end(self) -> None:
        while self.served:
            self.stop(len(self.sinks))
        for sink in self.sinks:
            sink.discard()

    def _at(self, server: int) -> Folder:
        if not self.served:
            self.start(server)
        if not self.served:
            self.start(0)
        return self.served[server % len(self.served)]


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 5), STEPS), max_size=25))
def test_a_folder_is_as_it_was_whatever_was_done_in_whatever_order(
    steps: list[tuple[int, tuple[object, ...]]],
) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        folder = Path(name)
        (folder / "boot").mkdir()
        (folder / "zImage").write_bytes(b"kernel")
        (folder / "boot" / "dtb").write_bytes(b"tree")
        before, opened = snapshot(folder), descriptors()
        interleaving = Interleaving(folder)
        for server, step in steps:
            interleaving.take(server, step)
        interleaving.end()
        assert snapshot(folder) == before
        assert descriptors() <= opened


# One server


def test_what_was_replaced_twice_returns_as_it_was_at_first(served: Folder) -> None:
    write(served, b"boot/dtb", b"first", OVERWRITING)
    write(served, b"boot/dtb", b"second", OVERWRITING)
    assert read(served, b"boot/dtb") == b"second"


def test_what_was_removed_and_put_anew_returns_as_it_was(served: Folder) -> None:
    assert served.remove(("zImage",))
    assert not served.remove(("zImage",))
    served.put(("zImage",), [b"new"], overwrite=True)
    assert served.remove(("zImage",))
    assert served.names() == {("boot", "dtb")}


def test_what_was_added_and_removed_stays_away(served: Folder, folder: Path) -> None:
    served.put(("new",), [b"x"], overwrite=True)
    served.remove(("new",))
    assert visible_in(folder) == {"zImage", "boot", "boot/dtb"}


@posix_only
def test_a_file_that_is_reached_by_two_names_is_kept_once(tmp_path: Path) -> None:
    """A folder and a link to it: what was done by one name is the store's by the other too."""
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot" / "dtb").write_bytes(b"tree")
    (tmp_path / "link").symlink_to("boot")
    before = snapshot(tmp_path)
    served = Folder(tmp_path, MemoryStore())
    for name in (b"boot/dtb", b"link/dtb", b"boot/dtb"):
        write(served, name, b"new", OVERWRITING)
    assert served.close() == []
    assert snapshot(tmp_path) == before


def test_an_upload_that_cannot_take_its_place_leaves_nothing_to_put_back(
    served: Folder, folder: Path
) -> None:
    sink = served.open_write(b"new", BOARD, WRITABLE, None)
    put(folder, "new", b"theirs")
    with refused(ErrorCode.file_exists):
        sink.commit()
    assert not any("kept" in name for name in names_in(folder))
    (folder / "new").unlink()


def test_a_change_that_fails_after_it_was_made_is_undone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two steps, where a file system knows no other way."""
    before = snapshot(folder)
    served = Folder(folder, MemoryStore())
    sink = served.open_write(b"zImage", BOARD, OVERWRITING, None)
    replace = Place.replace

    def replace_and_fail(self: Place, other: Place) -> None:
        replace(self, other)
        raise OSError(5, "I/O error")

    monkeypatch.setattr(Place, "replace", replace_and_fail)
    with refused(ErrorCode.not_defined):
        sink.commit()
    monkeypatch.undo()
    assert served.close() == []
    assert snapshot(folder) == before


def test_a_second_change_that_fails_leaves_the_first_to_be_undone(
    served: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(served, b"zImage", b"first", OVERWRITING)
    sink = served.open_write(b"zImage", BOARD, OVERWRITING, None)

    def fail(*_: object) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(Place, "replace", fail)
    with refused(ErrorCode.access_violation):
        sink.commit()
    monkeypatch.undo()
    assert read(served, b"zImage") == b"first"


def test_a_folder_with_files_of_others_is_left_and_told(folder: Path) -> None:
    served = Folder(folder, MemoryStore())
    write(served, b"a/b/new", b"x")
    (folder / "a" / "others").write_bytes(b"x")
    assert served.close() == ["The folder 'a' is not empty: left."]
    assert names_in(folder / "a") == {"others"}


def test_a_folder_that_came_by_itself_is_noted_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder was there when the store looked, and gone when it came."""
    before = snapshot(folder)
    served = Folder(folder, MemoryStore())
    monkeypatch.setattr("TftpLibrary.store.directory.missing_folders", lambda *_: ())
    write(served, b"a/new", b"x")
    assert served.close() == []
    assert snapshot(folder) == before


def test_files_whose_folder_is_gone_are_told_only_if_they_were_there_before(folder: Path) -> None:
    served = Folder(folder, MemoryStore())
    write(served, b"boot/dtb", b"x", OVERWRITING)
    write(served, b"boot/new", b"x")
    shutil.rmtree(folder / "boot")
    assert served.close() == ["'boot/dtb' cannot be put back: No such file or directory."]


@posix_only
def test_nothing_is_put_back_through_a_link_out_of_the_root(folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "new").write_bytes(b"not ours")
    served = Folder(folder, MemoryStore())
    write(served, b"boot/new", b"x")
    (folder / "boot").rename(folder / "away")
    (folder / "boot").symlink_to("../outside")
    assert served.close() == ["'boot/new' cannot be put back: a link leads out of the root."]
    assert names_in(outside) == {"new"}


def test_a_root_that_is_made_anew_gets_a_ledger_of_its_own(folder: Path) -> None:
    served = Folder(folder, MemoryStore())
    write(served, b"new", b"x")
    shutil.rmtree(folder)
    folder.mkdir()
    write(served, b"new", b"x")
    assert (folder / LEDGER).exists()
    assert served.close() == []
    assert names_in(folder) == set()


def test_a_folder_that_nobody_changes_gets_no_file(served: Folder, folder: Path) -> None:
    read(served, b"zImage")
    with refused(ErrorCode.file_exists):
        served.open_write(b"zImage", BOARD, WRITABLE, None)
    assert not served.remove(("missing",))
    assert names_in(folder) == {"zImage", "boot", "boot/dtb"}


@posix_only
@pytest.mark.parametrize("is_renamed", [True, False])
def test_a_folder_that_is_made_through_a_link_is_removed(folder: Path, is_renamed: bool) -> None:
    (folder / "link").symlink_to("made")
    before = {name: data for name, data in snapshot(folder).items() if name != "link"}
    served = Folder(folder, MemoryStore())
    if is_renamed:
        served.rename(("zImage",), ("link", "deep", "new"), overwrite=False)
    else:
        write(served, b"link/deep/new", b"x")
    assert (folder / "made" / "deep" / "new").exists()
    assert served.close() == []
    (folder / "link").unlink()
    assert snapshot(folder) == before


def test_the_disk_is_waited_for_once_for_each_original(
    served: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []
    monkeypatch.setattr(os, "fsync", waits.append)
    for number in range(3):
        write(served, b"new", b"%d" % number, OVERWRITING)
    assert waits == []
    for number in range(3):
        write(served, b"zImage", b"%d" % number, OVERWRITING)
    assert len(waits) == 1


@ordinary_user
def test_a_folder_in_a_root_that_is_not_ours_is_put_back_too(folder: Path) -> None:
    """An administrator's folder with one for uploads in it: it has no ledger, and works."""
    before = snapshot(folder)
    folder.chmod(0o555)
    served = Folder(folder, MemoryStore())
    write(served, b"boot/dtb", b"x", OVERWRITING)
    write(served, b"boot/new", b"x")
    assert served.close() == []
    folder.chmod(0o755)
    assert snapshot(folder) == before


# Several servers


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
@pytest.mark.parametrize("roots", [("", "", ""), ("", "boot", ""), ("boot", "", "boot")])
def test_each_server_finds_its_files_until_it_stops_and_the_last_puts_all_back(
    folder: Path, order: tuple[int, ...], roots: tuple[str, ...]
) -> None:
    before, opened = snapshot(folder), descriptors()
    servers = [Folder(folder / root, MemoryStore()) for root in roots]
    names = []
    for number, (served, root) in enumerate(zip(servers, roots, strict=True)):
        write(served, b"dtb" if root else b"boot/dtb", b"%d" % number, OVERWRITING)
        write(served, b"own/%d" % number, b"own")
        names.append(b"own/%d" % number)
    running = dict(enumerate(servers))
    for number in order:
        for other, served in running.items():
            assert read(served, names[other]) == b"own"
            assert read(served, b"dtb" if roots[other] else b"boot/dtb") == b"2"
        assert running.pop(number).close() == []
    assert snapshot(folder) == before
    assert descriptors() <= opened


def test_a_folder_that_holds_two_that_are_served_is_put_back_with_them(folder: Path) -> None:
    (folder / "log").mkdir()
    before = snapshot(folder)
    inner = [Folder(folder / name, MemoryStore()) for name in ("boot", "log")]
    for number, served in enumerate(inner):
        write(served, b"new", b"%d" % number)
    outer = Folder(folder, MemoryStore())
    write(outer, b"boot/new", b"outer", OVERWRITING)
    write(outer, b"log/new", b"outer", OVERWRITING)
    assert outer.close() == []
    assert inner[0].close() == []
    assert (folder / "boot" / "new").exists()
    assert inner[1].close() == []
    assert snapshot(folder) == before


def test_a_folder_that_one_server_made_may_be_served_by_another(folder: Path) -> None:
    before = snapshot(folder)
    outer = Folder(folder, MemoryStore())
    write(outer, b"made/new", b"x")
    inner = Folder(folder / "made", MemoryStore())
    write(inner, b"deep/new", b"x")
    assert outer.close() == []
    assert inner.close() == []
    assert snapshot(folder) == before


def test_folders_beside_each_other_are_put_back_one_by_one(folder: Path) -> None:
    (folder / "log").mkdir()
    boot, log = (Folder(folder / name, MemoryStore()) for name in ("boot", "log"))
    write(boot, b"new", b"x")
    write(log, b"new", b"x")
    boot.close()
    assert visible_in(folder) == {"zImage", "boot", "boot/dtb", "log", "log/new"}
    log.close()


# Several processes

CHANGE = """
import sys
from pathlib import Path
from TftpLibrary.store.folder import Folder
from TftpLibrary.store.memory import MemoryStore
served = Folder(Path(sys.argv[1]), MemoryStore())
served.put(("zImage",), [b"of the other run"], overwrite=True)
print("changed", flush=True)
sys.stdin.read()
print(served.close(), flush=True)
"""


@contextmanager
def another_run(folder: Path) -> Iterator[int]:
    """A process that changes the folder, and its id."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHANGE, str(folder)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        assert process.stdout.readline() == "changed\n"
        yield process.pid
    finally:
        out, _ = process.communicate()
    assert out == "[]\n"


def test_a_folder_that_another_process_changes_is_served_and_not_changed(folder: Path) -> None:
    before = snapshot(folder)
    with another_run(folder) as pid:
        (warning,) = Originals().look(folder)
        assert warning == (
            f"Another run, process {pid} (python), is changing '{folder}'. Its files are served "
            "here too, and nothing can be changed here until it has stopped."
        )
        served = Folder(folder, MemoryStore())
        assert read(served, b"zImage") == b"of the other run"
        reason = rf"another run, process {pid} \(python\), is changing the folder '.*srv'"
        with refused(ErrorCode.access_violation, reason):
            served.open_write(b"new", BOARD, WRITABLE, None)
        with refused(ErrorCode.access_violation, reason):
            served.remove(("zImage",))
        with refused(ErrorCode.access_violation, reason):
            served.rename(("zImage",), ("new",), overwrite=True)
        assert visible_in(folder) == {"zImage", "boot", "boot/dtb"}
    # It has stopped, and put the folder back: the next one may change it.
    assert snapshot(folder) == before
    served.put(("zImage",), [b"of this run"], overwrite=True)
    assert served.close() == []
    assert snapshot(folder) == before
