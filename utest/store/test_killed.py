from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from TftpLibrary.store.confined import open_root
from TftpLibrary.store.folder import Folder
from TftpLibrary.store.killed import SHOWN, recover
from TftpLibrary.store.ledger import LEDGER, Ledger, take
from TftpLibrary.store.memory import MemoryStore
from TftpLibrary.store.names import HIDDEN_PREFIX
from TftpLibrary.store.originals import Originals
from TftpLibrary.store.root import Root
from utest.support.stores import (
    BOARD,
    OVERWRITING,
    names_in,
    ordinary_user,
    posix_only,
    read,
    snapshot,
    write,
)

KEPT = f"{HIDDEN_PREFIX}kept-1"
LEAVES = f"{HIDDEN_PREFIX}upload-1"

# A run that is killed before its nth change, for each n, and then the look of the next one.
KILL_AT_EACH_STEP = """
import errno, hashlib, json, os, signal, sys
from pathlib import Path
from TftpLibrary.store.base import WritePolicy
from TftpLibrary.store.folder import Folder
from TftpLibrary.store.memory import MemoryStore
from TftpLibrary.store.originals import Originals
from utest.support.stores import snapshot

STEPS = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
OVERWRITING = WritePolicy(writable=True, overwrite=True)
folder, has_links = Path(sys.argv[1]), sys.argv[2] == "links"

def refuse(*_, **__):
    raise OSError(errno.EPERM, "no links here")

def change():
    served = Folder(folder, MemoryStore())
    sink = served.open_write(b"new/folders/log", "", OVERWRITING, None)
    sink.write([b"half a lo"])
    for data in (b"first", b"second"):
        served.put(("zImage",), [data], overwrite=True)
    served.put(("added",), [b"x"], overwrite=True)
    served.remove(("boot", "dtb"))
    served.put(("boot", "dtb"), [b"anew"], overwrite=True)
    served.rename(("old",), ("moved", "here"), overwrite=False)
    served.rename(("boot", "dtb"), ("zImage",), overwrite=True)
    served.remove(("added",))
    served.close()

def kill_before(steps):
    def count(event, arguments):
        nonlocal steps
        if event in STEPS or (event == "open" and arguments[2] & os.O_CREAT):
            steps -= 1
            if steps < 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)

def told(step, warnings):
    return {"step": step, "before": before, "after": names(), "warnings": warnings}

def names():
    # A copy is another file, with the content and the times of the original.
    last = 3 if has_links else 2
    return {name: [data.decode(), *rest][:last] for name, (data, *rest) in snapshot(folder).items()}

os.fsync = lambda _: None  # It is the process that ends, and not the machine.
if not has_links:
    os.link = refuse
before = names()
results = []
for step in range(1000):
    child = os.fork()
    if not child:
        kill_before(step)
        change()
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    results.append(told(step, Originals().look(folder)))
print(json.dumps(results))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "srv"
    (root / "boot").mkdir(parents=True)
    (root / "zImage").write_bytes(b"kernel")
    (root / "old").write_bytes(b"old")
    (root / "boot" / "dtb").write_bytes(b"tree")
    return root


@pytest.fixture
def root(folder: Path) -> Iterator[Root]:
    root = open_root(folder)
    yield root
    root.close()


@posix_only
@pytest.mark.parametrize("links", ["links", "no links"])
def test_a_run_may_be_killed_at_any_moment(folder: Path, links: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILL_AT_EACH_STEP, str(folder), links],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    results = json.loads(done.stdout)
    assert len(results) > 30, done.stderr
    for result in results:
        assert result["after"] == result["before"], result
        assert len(result["warnings"]) <= 1, result
    told = [result["warnings"][0] for result in results if result["warnings"]]
    assert any(
        "Put back as they were: 'boot/dtb', 'old', 'zImage'. Removed what it had added: "
        "'moved/here'. Cleared unfinished uploads: 1." in warning
        for warning in told
    )


def killed(folder: Path) -> None:
    """Serves and changes the folder, and goes without putting it back."""
    served = Folder(folder, MemoryStore(), originals=Originals())
    write(served, b"zImage", b"ours", OVERWRITING)
    write(served, b"made/new", b"ours")
    served.open_write(b"made/log", BOARD, OVERWRITING, None).write([b"half"])
    leave(served)


def leave(served: Folder) -> None:
    """Releases the lock as the system does when a process ends."""
    (ground,) = served._holding.estate.grounds  # type: ignore[union-attr]  # noqa: SLF001
    ground._ledger.close()  # type: ignore[union-attr]  # noqa: SLF001


def test_the_next_run_puts_the_folder_back_and_names_the_files(folder: Path) -> None:
    before = snapshot(folder)
    killed(folder)
    assert Originals().look(folder) == [
        f"An earlier run, process {os.getpid()} (robot), was killed while it changed '{folder}'. "
        "Put back as they were: 'zImage'. Removed what it had added: 'made/new'. "
        "Cleared unfinished uploads: 1."
    ]
    assert snapshot(folder) == before
    assert Originals().look(folder) == []


def test_what_somebody_changed_meanwhile_is_never_overwritten(folder: Path) -> None:
    killed(folder)
    (kept,) = (name for name in names_in(folder) if "kept" in name)
    (folder / "zImage").write_bytes(b"repaired by hand")
    (folder / "made" / "new").write_bytes(b"repaired by hand")
    (folder / "made" / "more").write_bytes(b"x")
    assert [*Originals().look(folder)[1:]] == [
        "'made/new' was changed by another program: left as it is.",
        "'zImage' was changed by another program: left as it is. "
        f"Its original is kept beside it as '{kept}'.",
        "The folder 'made' is not empty: left.",
    ]
    assert (folder / "zImage").read_bytes() == b"repaired by hand"
    assert (folder / kept).read_bytes() == b"kernel"
    assert LEDGER not in names_in(folder)


def test_a_run_that_is_killed_while_another_serves_is_noticed_at_the_first_change(
    folder: Path,
) -> None:
    before = snapshot(folder)
    served = Folder(folder, MemoryStore(), originals=Originals())
    killed(folder)
    assert read(served, b"zImage") == b"ours"
    write(served, b"zImage", b"this run's", OVERWRITING)
    (warning,) = served.close()
    assert "was killed" in warning
    assert snapshot(folder) == before


def ledger_of(root: Root, *entries: object) -> Ledger:
    """Writes a ledger as a killed run leaves it."""
    lines = [{"process": 4711, "program": "robot"}, *entries]
    (root.path / LEDGER).write_text("\n".join(map(json.dumps, lines)) + "\n{torn", "ascii")
    ledger = take(root, create=False)
    assert ledger
    return ledger


def test_an_original_whose_folder_is_gone_is_told(root: Root) -> None:
    ledger = ledger_of(
        root,
        {"name": ["gone", "x"], "kept": KEPT, "ours": []},
        {"name": ["gone", "y"], "kept": "", "ours": []},
    )
    assert recover(root, ledger) == ["'gone/x' cannot be put back: its folder is gone."]
    ledger.remove()


@posix_only
def test_nothing_is_done_through_a_link_out_of_the_root(root: Root, folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    for name in ("x", KEPT, LEAVES):
        (outside / name).write_bytes(b"not ours")
    (folder / "link").symlink_to("../outside")
    before = snapshot(outside)
    ledger = ledger_of(
        root,
        {"name": ["link", "x"], "kept": KEPT, "ours": []},
        {"upload": ["link", LEAVES], "made": [["link"]]},
    )
    assert recover(root, ledger) == [
        "'link/x' cannot be put back: a link leads out of the root.",
        "The folder 'link' is not empty: left.",
    ]
    assert snapshot(outside) == before
    ledger.remove()


@pytest.mark.parametrize(
    "entry",
    [
        {"name": ["..", "secret"], "kept": KEPT, "ours": []},
        {"name": ["zImage"], "kept": "old", "ours": []},
        {"name": ["zImage"], "kept": f"{HIDDEN_PREFIX}x/../old", "ours": []},
        {"name": "zImage", "kept": KEPT},
        {"name": [], "kept": KEPT},
        {"name": [1], "kept": KEPT},
        {"name": ["zImage"], "kept": 1},
        {"name": ["zImage"], "kept": KEPT, "ours": [1, [1, 2], ["a", "b", "c"]]},
        {"upload": ["zImage"]},
        {"upload": ["..", LEAVES]},
        {"upload": [f"{HIDDEN_PREFIX}/../zImage"]},
        {"made": [["..", "empty"], "empty", [[]]]},
        {"made": 5, "upload": 5},
        ["no entry"],
    ],
)
def test_a_ledger_that_others_wrote_reaches_nothing_but_what_is_the_stores(
    root: Root, folder: Path, entry: object
) -> None:
    (folder.parent / "secret").write_bytes(b"secret")
    (folder.parent / "empty").mkdir()
    (folder.parent / LEAVES).write_bytes(b"x")
    before = snapshot(folder.parent)
    ledger = ledger_of(root, entry)
    assert recover(root, ledger) == []
    ledger.remove()
    assert snapshot(folder.parent) == before


def test_a_long_list_of_names_is_cut(root: Root, folder: Path) -> None:
    entries = []
    for number in range(SHOWN + 5):
        (folder / f"{number:02}").write_bytes(b"x")
        info = (folder / f"{number:02}").stat()
        stamp = [info.st_ino, info.st_size, info.st_mtime_ns]
        entries.append({"name": [f"{number:02}"], "kept": "", "ours": [stamp]})
    ledger = ledger_of(root, *entries)
    (warning,) = recover(root, ledger)
    assert "process 4711 (robot)" in warning
    assert warning.endswith("'18', '19' and 5 more.")
    ledger.remove()


@ordinary_user
def test_what_the_system_forbids_is_told(folder: Path) -> None:
    killed(folder)
    (folder / "made").chmod(0o555)
    folder.chmod(0o555)
    warnings = Originals().look(folder)
    folder.chmod(0o755)
    (folder / "made").chmod(0o755)
    assert "'zImage' cannot be put back: Permission denied." in warnings
    # The next run, with permission, does it.
    assert "Put back as they were: 'zImage'" in Originals().look(folder)[0]
