from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store import confined
from TftpLibrary.store.base import StoreError
from TftpLibrary.store.confined import DescriptorRoot, open_root
from TftpLibrary.store.names import HIDDEN_PREFIX
from TftpLibrary.store.resolved import ResolvedRoot
from TftpLibrary.store.root import Root
from utest.support.stores import descriptors, posix_only, refused

pytestmark = posix_only

SECRET = b"secret"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A root with files, and beside it what must never be read."""
    root = tmp_path / "srv"
    (root / "boot" / "arm").mkdir(parents=True)
    (root / "zImage").write_bytes(b"kernel")
    (root / "boot" / "arm" / "dtb").write_bytes(b"tree")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_bytes(SECRET)
    (tmp_path / "secret").write_bytes(SECRET)
    return root


@pytest.fixture
def root(folder: Path) -> Iterator[DescriptorRoot]:
    before = descriptors()
    root = DescriptorRoot(folder)
    yield root
    root.close()
    assert descriptors() <= before


def read(root: Root, *parts: str) -> bytes:
    fd = root.open_file(parts)
    try:
        return os.read(fd, 1000)
    finally:
        os.close(fd)


def test_files_are_opened_in_the_root_and_in_folders(root: DescriptorRoot) -> None:
    assert read(root, "zImage") == b"kernel"
    assert read(root, "boot", "arm", "dtb") == b"tree"


@pytest.mark.parametrize("parts", [("x",), ("boot", "x"), ("x", "y"), ("boot", "x", "y")])
def test_what_is_missing_is_not_found(root: DescriptorRoot, parts: tuple[str, ...]) -> None:
    with pytest.raises(FileNotFoundError):
        root.open_file(parts)


def test_a_file_is_no_folder(root: DescriptorRoot) -> None:
    with pytest.raises(NotADirectoryError):
        root.open_file(("zImage", "x"))
    with pytest.raises(NotADirectoryError), root.parent(("zImage", "x")):
        pass


@pytest.mark.parametrize(
    ("link", "target", "parts"),
    [
        ("link", "zImage", ("link",)),
        ("link", "./zImage", ("link",)),
        ("link", "boot/arm/dtb", ("link",)),
        ("link", "boot", ("link", "arm", "dtb")),
        ("boot/link", "../zImage", ("boot", "link")),
        ("boot/link", "..", ("boot", "link", "zImage")),
        ("link", ".", ("link", "zImage")),
        ("boot/arm/link", "../../boot/arm", ("boot", "arm", "link", "dtb")),
    ],
)
def test_a_link_that_stays_below_the_root_is_followed(
    root: DescriptorRoot, folder: Path, link: str, target: str, parts: tuple[str, ...]
) -> None:
    (folder / link).symlink_to(target)
    assert read(root, *parts) in {b"kernel", b"tree"}


def test_an_absolute_link_into_the_root_is_followed(root: DescriptorRoot, folder: Path) -> None:
    (folder / "link").symlink_to(folder / "zImage")
    (folder / "again").symlink_to(folder / "boot")
    assert read(root, "link") == b"kernel"
    assert read(root, "again", "arm", "dtb") == b"tree"


def test_links_to_links_are_followed(root: DescriptorRoot, folder: Path) -> None:
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("boot/three")
    (folder / "boot" / "three").symlink_to("arm/dtb")
    assert read(root, "one") == b"tree"


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("../secret", ("link",)),
        ("../outside", ("link", "file")),
        ("../outside/file", ("link",)),
        ("../srv/zImage", ("link",)),
        ("boot/../../secret", ("link",)),
        ("/etc/passwd", ("link",)),
        ("/", ("link", "etc", "passwd")),
        ("..", ("link", "secret")),
        ("link", ("link",)),
        (".", ("link",)),
    ],
)
def test_a_link_out_of_the_root_is_forbidden(
    root: DescriptorRoot, folder: Path, target: str, parts: tuple[str, ...]
) -> None:
    (folder / "link").symlink_to(target)
    with refused(ErrorCode.access_violation, "link"):
        root.open_file(parts)


def test_an_absolute_link_that_only_looks_like_the_root_is_forbidden(
    root: DescriptorRoot, folder: Path
) -> None:
    beside = folder.with_name("srv-other")
    beside.mkdir()
    (beside / "file").write_bytes(SECRET)
    (folder / "one").symlink_to(beside / "file")
    (folder / "two").symlink_to(f"{folder}/../secret")
    for name in ("one", "two"):
        with refused(ErrorCode.access_violation, "out of the root"):
            root.open_file((name,))


def test_a_link_to_what_the_store_keeps_is_not_found(root: DescriptorRoot, folder: Path) -> None:
    (folder / f"{HIDDEN_PREFIX}kept-1").write_bytes(SECRET)
    (folder / "link").symlink_to(f"{HIDDEN_PREFIX}kept-1")
    with refused(ErrorCode.file_not_found, "belongs to the store"):
        root.open_file(("link",))


def test_a_dangling_link_is_not_found(root: DescriptorRoot, folder: Path) -> None:
    (folder / "link").symlink_to("missing")
    with pytest.raises(FileNotFoundError):
        root.open_file(("link",))


def test_links_lead_anywhere_when_the_test_chose_so(folder: Path) -> None:
    (folder / "link").symlink_to("../secret")
    (folder / "out").symlink_to("../outside")
    root = DescriptorRoot(folder, follow_symlinks=True)
    assert read(root, "link") == SECRET
    assert read(root, "out", "file") == SECRET
    assert read(root, "boot", "arm", "dtb") == b"tree"
    with root.parent(("out", "new")) as place:
        os.close(place.create())
    assert (folder.parent / "outside" / "new").exists()
    (folder / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        root.open_file(("loop",))
    root.close()


def test_the_folder_of_a_name_is_opened(root: DescriptorRoot, folder: Path) -> None:
    with root.parent(("boot", "arm", "new")) as place:
        assert place.made == ()
        os.close(place.create())
    assert (folder / "boot" / "arm" / "new").exists()
    with root.parent(("new",)) as place:
        os.close(place.create())
    assert (folder / "new").exists()


def test_missing_folders_are_made_on_demand_only(root: DescriptorRoot, folder: Path) -> None:
    with pytest.raises(FileNotFoundError), root.parent(("boot", "x", "y", "file")):
        pass
    with root.parent(("boot", "x", "y", "file"), create=True) as place:
        assert place.made == (("boot", "x"), ("boot", "x", "y"))
    assert (folder / "boot" / "x" / "y").is_dir()
    with root.parent(("boot", "x", "y", "file"), create=True) as place:
        assert place.made == ()


def test_no_folder_is_made_through_a_link_out_of_the_root(
    root: DescriptorRoot, folder: Path
) -> None:
    (folder / "out").symlink_to("../outside")
    with refused(ErrorCode.access_violation), root.parent(("out", "x", "file"), create=True):
        pass
    assert not (folder.parent / "outside" / "x").exists()


def test_folders_are_made_through_a_link_inside(root: DescriptorRoot, folder: Path) -> None:
    (folder / "link").symlink_to("boot")
    with root.parent(("link", "x", "file"), create=True) as place:
        assert place.made == (("boot", "x"),)
    assert (folder / "boot" / "x").is_dir()


def test_folders_made_in_vain_are_removed(root: DescriptorRoot, folder: Path) -> None:
    with (
        pytest.raises(OSError, match="too long"),
        root.parent(("new", "newer", "x" * 300, "file"), create=True),
    ):
        pass
    assert not (folder / "new").exists()


def test_a_folder_that_comes_meanwhile_is_not_ours(
    root: DescriptorRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = os.mkdir

    def come_second(name: str, *, dir_fd: int) -> None:
        mkdir(name, dir_fd=dir_fd)
        mkdir(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "mkdir", come_second)
    with root.parent(("new", "file"), create=True) as place:
        assert place.made == ()


def test_a_root_that_was_made_anew_is_noticed(root: DescriptorRoot, folder: Path) -> None:
    old = folder.rename(folder.with_name("old"))
    folder.mkdir()
    (folder / "new").write_bytes(b"new")
    assert read(root, "new") == b"new"
    with pytest.raises(FileNotFoundError):
        read(root, "zImage")
    assert (old / "zImage").exists()
    assert not root.refresh()


def test_a_root_that_is_gone_stays_what_it_was(root: DescriptorRoot, folder: Path) -> None:
    folder.rename(folder.with_name("old"))
    assert not root.refresh()
    assert read(root, "zImage") == b"kernel"


def test_a_closed_root_opens_nothing(folder: Path) -> None:
    root = DescriptorRoot(folder)
    root.close()
    root.close()
    assert not root.refresh()
    with pytest.raises(OSError, match="Bad file descriptor"):
        root.open_file(("zImage",))


def test_a_root_may_be_reached_through_a_link(folder: Path) -> None:
    link = folder.with_name("link")
    link.symlink_to(folder)
    (folder / "absolute").symlink_to(folder / "zImage")
    root = open_root(link)
    assert read(root, "zImage") == b"kernel"
    assert read(root, "absolute") == b"kernel"
    root.close()


def test_a_root_that_is_a_file_is_refused(folder: Path) -> None:
    with pytest.raises(NotADirectoryError):
        open_root(folder / "zImage")


def test_the_fall_back_is_taken_where_folders_have_no_descriptors(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined, "HAS_DESCRIPTORS", False)
    assert isinstance(open_root(folder), ResolvedRoot)


@contextmanager
def again_and_again(action: Callable[[], None]) -> Iterator[None]:
    """Repeats an action on another thread until the block ends."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            action()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def outcomes(attempt: Callable[[], bytes]) -> set[bytes]:
    """Attempts thousands of times, and on until both a success and a refusal were seen."""
    seen: set[bytes] = set()
    deadline = time.monotonic() + 10
    attempts = 0
    while attempts < 3000 or (len(seen) < 2 and time.monotonic() < deadline):
        attempts += 1
        try:
            seen.add(attempt())
        except (OSError, StoreError):
            seen.add(b"")
    return seen


@pytest.mark.parametrize("parts", [("link",), ("link", "file")])
def test_a_link_that_is_swapped_between_check_and_open_gains_nothing(
    root: DescriptorRoot, folder: Path, parts: tuple[str, ...]
) -> None:
    """Whatever the moment: the file inside, or a refusal; never a byte of the file outside."""
    inside, outside = folder / "inside", folder.parent / "outside"
    inside.mkdir()
    (inside / "file").write_bytes(b"public")
    fresh = folder / "fresh"

    def swap() -> None:
        for target in (inside, outside):
            fresh.symlink_to(target if len(parts) == 2 else target / "file")
            fresh.replace(folder / "link")

    with again_and_again(swap):
        assert outcomes(lambda: read(root, *parts)) == {b"public", b""}


def test_a_folder_that_is_swapped_for_a_link_gains_nothing(
    root: DescriptorRoot, folder: Path
) -> None:
    """A real folder and a link to the outside change places while files are read and written."""
    real, link = folder / "real", folder / "link"
    real.mkdir()
    (real / "file").write_bytes(b"public")
    link.symlink_to("../outside")
    numbers = count()

    def swap() -> None:
        real.rename(folder / "away")
        link.rename(real)
        real.rename(link)
        (folder / "away").rename(real)

    def read_and_write() -> bytes:
        data = read(root, "real", "file")
        with root.parent(("real", f"new-{next(numbers)}")) as place:
            os.close(place.create())
        return data

    with again_and_again(swap):
        assert outcomes(read_and_write) == {b"public", b""}
    assert [path.name for path in (folder.parent / "outside").iterdir()] == ["file"]
