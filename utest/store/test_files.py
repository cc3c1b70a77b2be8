from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from TftpLibrary import space
from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import StoreError
from TftpLibrary.store.content import TestContent
from TftpLibrary.store.digests import MOST_HASHED
from TftpLibrary.store.files import FileStore
from TftpLibrary.store.ledger import LEDGER
from TftpLibrary.store.names import HIDDEN_PREFIX
from utest.support.stores import (
    BOARD,
    OVERWRITING,
    WRITABLE,
    descriptors,
    make_fifo,
    names_in,
    ordinary_user,
    posix_only,
    read,
    refused,
    small_disk,
    snapshot,
    write,
)


@pytest.fixture
def files() -> Iterator[FileStore]:
    """Files in a private folder."""
    before = descriptors()
    with FileStore() as files:
        yield files
    assert descriptors() <= before


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "build" / "zImage"
    path.parent.mkdir()
    path.write_bytes(b"kernel" * 1000)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that was there before."""
    root = tmp_path / "srv"
    (root / "boot").mkdir(parents=True)
    (root / "zImage").write_bytes(b"old kernel")
    (root / "boot" / "dtb").write_bytes(b"tree")
    return root


# The folder


def test_a_private_folder_comes_and_goes_with_the_store(image: Path) -> None:
    files = FileStore()
    assert files.open() is files
    root = files.open().root
    assert root.is_dir()
    files.upload(image, only_for=BOARD)
    files.upload(image, "a/b/c")
    write(files, b"from/board", b"x")
    assert files.close() == []
    assert not root.exists()
    assert files.close() == []
    assert files.open().root != root
    files.close()


def test_a_given_folder_is_as_before_when_the_store_is_closed(folder: Path, image: Path) -> None:
    before = snapshot(folder)
    files = FileStore(folder).open()
    assert files.root == folder
    files.upload(image)
    files.upload(image, "new/folder/zImage")
    write(files, b"boot/dtb", b"from a board", OVERWRITING)
    write(files, b"logs/1", b"from a board")
    files.rename("new/folder/zImage", "moved/zImage")
    files.copy("zImage", "boot/copy")
    files.delete("boot/dtb")
    files.create("boot/dtb", 100)
    assert files.close() == []
    assert snapshot(folder) == before


def test_every_file_can_be_deleted_and_returns(folder: Path) -> None:
    before = snapshot(folder)
    files = FileStore(folder, content={"memory": b""}).open()
    files.upload_bytes(b"x", "added")
    files.upload_bytes(b"x", "private", only_for=BOARD)
    assert files.delete_all() == ["added", "boot/dtb", "memory", "private", "zImage"]
    assert files.list() == []
    files.close()
    assert snapshot(folder) == before


def test_what_others_changed_is_left_and_told(folder: Path, image: Path) -> None:
    files = FileStore(folder).open()
    files.upload(image, "new")
    (folder / "new").write_bytes(b"somebody else's")
    (folder / "others").write_bytes(b"somebody else's")
    assert files.close() == ["'new' was changed by another program: left as it is."]
    assert names_in(folder) == {"zImage", "boot", "boot/dtb", "new", "others"}


def test_files_are_kept_when_the_test_wants_that(folder: Path, image: Path) -> None:
    files = FileStore(folder, keep_files=True).open()
    files.upload(image)
    files.delete("boot/dtb")
    assert files.close() == []
    assert names_in(folder) == {"zImage", "boot"}
    assert (folder / "zImage").read_bytes() == image.read_bytes()


def test_a_private_folder_is_kept_when_the_test_wants_that(image: Path) -> None:
    files = FileStore(keep_files=True).open()
    root = files.root
    files.upload(image)
    files.close()
    assert (root / "zImage").exists()
    (root / "zImage").unlink()
    root.rmdir()


def test_a_private_folder_that_cannot_be_removed_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = FileStore().open()
    root = files.root
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)
    assert files.close() == [f"The private folder '{root}' cannot be removed."]
    monkeypatch.undo()
    root.rmdir()


def test_a_root_that_is_none_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match="The root '.*missing' does not exist"):
        FileStore(folder / "missing").open()
    with pytest.raises(UsageError, match="The root '.*zImage' is a file"):
        FileStore(folder / "zImage").open()


def test_a_root_that_goes_while_it_is_opened_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("TftpLibrary.store.served.existing_folder", lambda path, _: path)
    with pytest.raises(UsageError, match="cannot be opened: No such file or directory"):
        FileStore(folder / "missing").open()


def test_nothing_is_made_before_the_store_is_opened() -> None:
    files = FileStore()
    with pytest.raises(UsageError, match="The files are not open. Start the server"):
        _ = files.root
    with refused(ErrorCode.file_not_found):
        files.open_read(b"x", BOARD)
    with refused(ErrorCode.access_violation):
        files.open_write(b"x", BOARD, WRITABLE, None)
    assert files.close() == []


def test_a_bad_name_of_given_content_is_told_at_once() -> None:
    with pytest.raises(UsageError, match="cannot be the name of a file"):
        FileStore(content={"../x": b""})


def test_content_in_memory_is_served_beside_the_folder(folder: Path) -> None:
    before = snapshot(folder)
    with FileStore(folder, content={"zImage": b"memory", "a/b": b"more"}) as files:
        assert read(files, b"zImage") == b"memory"
        assert files.list() == ["a/b", "boot/dtb", "zImage"]
        assert files.get("a/b").path is None
        assert files.read_bytes("a/b") == b"more"
        assert snapshot(folder) == before
    with FileStore(folder) as files:
        assert read(files, b"zImage") == b"old kernel"


@posix_only
def test_links_out_of_the_folder_are_a_choice_of_the_test(folder: Path, image: Path) -> None:
    (folder / "link").symlink_to(image)
    with FileStore(folder) as files:
        assert not files.exists("link")
        with refused(ErrorCode.access_violation):
            files.open_read(b"link", BOARD)
    with FileStore(folder, follow_symlinks=True) as files:
        assert "link" in files.list()
        assert read(files, b"link") == image.read_bytes()


# Uploading


def test_a_file_is_uploaded_under_its_own_or_another_name(files: FileStore, image: Path) -> None:
    file = files.upload(image)
    assert file.name == "zImage"
    assert file.size == 6000
    assert file.sha256 == hashlib.sha256(image.read_bytes()).hexdigest()
    assert file.path == files.root / "zImage"
    assert file.uploaded
    assert files.upload(str(image), "/boot\\kernel").name == "boot/kernel"
    assert read(files, b"\\boot/kernel") == image.read_bytes()
    assert files.upload(image.as_uri(), "url").size == 6000


def test_identical_content_is_not_copied_again(files: FileStore, image: Path) -> None:
    first = files.upload(image)
    before = snapshot(files.root)
    copied: list[int] = []
    again = files.upload(image, progress=lambda octets, _: copied.append(octets))
    assert not again.uploaded
    assert copied == []
    assert again.sha256 == first.sha256
    assert not files.upload_bytes(image.read_bytes(), "zImage", overwrite=False).uploaded
    assert snapshot(files.root) == before
    image.write_bytes(b"KERNEL" * 1000)
    assert files.upload(image).uploaded
    assert read(files, b"zImage") == b"KERNEL" * 1000


def test_identical_content_from_a_stream_is_not_replaced(files: FileStore) -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://identical/x", "wb") as stream:
        stream.write(b"content")
    assert files.upload("memory://identical/x").uploaded
    before = snapshot(files.root)
    assert not files.upload("memory://identical/x").uploaded
    assert snapshot(files.root) == before


def test_a_file_is_replaced_unless_the_test_says_no(files: FileStore, image: Path) -> None:
    files.upload_bytes(b"old", "zImage")
    with pytest.raises(UsageError, match="File 'zImage' exists already. Use overwrite=True"):
        files.upload(image, overwrite=False)
    assert read(files, b"zImage") == b"old"
    files.upload(image)
    assert read(files, b"zImage") == image.read_bytes()


def test_progress_is_told(files: FileStore, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(2_500_000))
    seen: list[tuple[int, int | None]] = []
    files.upload(big, progress=lambda *progress: seen.append(progress))
    assert seen == [(1 << 20, 2_500_000), (1 << 21, 2_500_000), (2_500_000, 2_500_000)]


def test_a_source_that_cannot_be_had_changes_nothing(files: FileStore, tmp_path: Path) -> None:
    files.upload_bytes(b"old", "x")
    before = snapshot(files.root)
    for source, message in (
        (tmp_path / "missing", "No file"),
        (tmp_path, "is a folder"),
        ("file://host/x", "names the host"),
        ("http://127.0.0.1:9/x", "cannot be read"),
    ):
        with pytest.raises(UsageError, match=message):
            files.upload(source, "x")
    assert snapshot(files.root) == before


def test_a_source_without_a_name_needs_one(files: FileStore) -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://noname/", "wb") as stream:
        stream.write(b"content")
    with pytest.raises(UsageError, match="memory://noname/ has no file name. Give a name."):
        files.upload("memory://noname/")
    assert files.upload("memory://noname/", "x").size == 7


@pytest.mark.parametrize("name", ["../x", "a/", "C:\\x", HIDDEN_PREFIX + "x"])
def test_a_bad_name_is_told(files: FileStore, image: Path, name: str) -> None:
    with pytest.raises(UsageError, match="Expected a name below the root"):
        files.upload(image, name)
    with pytest.raises(UsageError, match="Expected a name below the root"):
        files.upload_bytes(b"", name)
    with pytest.raises(UsageError, match="Expected a name below the root"):
        files.get(name)
    assert names_in(files.root) == set()


def test_a_folder_in_the_way_is_told(files: FileStore) -> None:
    files.upload_bytes(b"x", "a/b")
    with pytest.raises(UsageError, match="Cannot use 'a': what lies there is not a regular file."):
        files.upload_bytes(b"x", "a")
    with pytest.raises(UsageError, match="No file 'a/b/c': Not a directory."):
        files.upload_bytes(b"x", "a/b/c")


def test_a_full_disk_is_told_and_nothing_is_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quota, for instance, shows only when the octets are written."""
    monkeypatch.setattr(space, "free_octets", lambda _: None)
    with small_disk(tmp_path / "disk") as disk:
        (disk / "a").write_bytes(b"old")
        big = tmp_path / "big"
        big.write_bytes(bytes(1024 * 1024))
        files = FileStore(disk).open()
        for name in ("a", "new/folder/b"):
            with pytest.raises(StoreError) as caught:
                files.upload(big, name)
            assert caught.value.code is ErrorCode.disk_full
            assert str(caught.value) == (
                f"Cannot use '{name}': No space left on device. Nothing was changed."
            )
        assert names_in(disk) == {"a", LEDGER}
        assert read(files, b"a") == b"old"
        files.close()
        assert names_in(disk) == {"a"}


def test_a_folder_is_uploaded_with_its_folders(files: FileStore, folder: Path) -> None:
    uploaded = files.upload_folder(folder)
    assert [file.name for file in uploaded] == ["boot/dtb", "zImage"]
    assert files.list() == ["boot/dtb", "zImage"]
    assert [file.name for file in files.upload_folder(folder, "v2", pattern="*dtb")] == [
        "v2/boot/dtb"
    ]
    assert not files.upload_folder(folder)[0].uploaded


def test_a_folder_without_a_match_is_told(files: FileStore, folder: Path, image: Path) -> None:
    with pytest.raises(UsageError, match=r"matches '\*.bin'. Files there: 2."):
        files.upload_folder(folder, pattern="*.bin")
    with pytest.raises(UsageError, match="The source '.*' is a file"):
        files.upload_folder(image)


@pytest.mark.parametrize("kind", TestContent)
def test_test_files_are_made_of_any_kind(files: FileStore, kind: TestContent) -> None:
    for size in (0, 1, 512, 1_500_000):
        assert files.create("x", size, content=kind).size == size
        assert len(read(files, b"x")) == size
    assert files.create("y", 100, seed=1).sha256 != files.create("z", 100, seed=2).sha256
    with pytest.raises(UsageError, match="0 or more bytes"):
        files.create("x", -1)


# For single boards


def test_a_private_file_is_for_its_board_only(files: FileStore) -> None:
    files.upload_bytes(b"everyone", "zImage")
    files.upload_bytes(b"network", "zImage", only_for="192.168.1.0/24")
    file = files.upload_bytes(b"board", "zImage", only_for="192.168.1.50")
    assert read(files, b"zImage", "192.168.1.50") == b"board"
    assert read(files, b"zImage", "192.168.1.51") == b"network"
    assert read(files, b"zImage", "10.0.0.1") == b"everyone"
    assert files.read_bytes("zImage") == b"everyone"
    assert file.path
    assert files.root not in file.path.parents


def test_private_files_of_one_board_lie_together(files: FileStore) -> None:
    first = files.upload_bytes(b"x", "a", only_for=BOARD)
    second = files.upload_bytes(b"y", "b", only_for=BOARD)
    assert first.path
    assert second.path
    assert first.path.parent == second.path.parent


def test_a_private_file_is_not_found_by_others(files: FileStore) -> None:
    files.upload_bytes(b"board", "secret.cfg", only_for="192.168.1.50")
    with refused(ErrorCode.file_not_found):
        files.open_read(b"secret.cfg", "192.168.1.51")
    assert files.list() == ["secret.cfg"]
    assert files.exists("secret.cfg")
    assert files.rename("secret.cfg", "other.cfg").name == "other.cfg"
    with refused(ErrorCode.file_not_found):
        files.open_read(b"other.cfg", "192.168.1.51")
    assert read(files, b"other.cfg", "192.168.1.50") == b"board"
    files.delete("other.cfg")
    assert files.list() == []


def test_a_bad_client_is_told(files: FileStore) -> None:
    with pytest.raises(UsageError, match="only_for='dut1' is neither an address nor a network"):
        files.upload_bytes(b"", "x", only_for="dut1")


# Looking


def test_a_file_is_described(files: FileStore, image: Path) -> None:
    files.upload(image, "boot/zImage")
    file = files.get("\\boot\\zImage")
    assert (file.name, file.size) == ("boot/zImage", 6000)
    assert files.checksum("boot/zImage") == file.sha256
    assert files.checksum("boot/zImage", "crc32") == file.crc32
    assert files.checksum("boot/zImage", "md5") == hashlib.md5(image.read_bytes()).hexdigest()
    assert files.read_bytes("boot/zImage") == image.read_bytes()


def test_a_file_of_several_pieces_is_read_whole(files: FileStore, tmp_path: Path) -> None:
    """The buffer of a piece serves the next one too."""
    data = b"".join(number.to_bytes(4, "big") for number in range(700_000))
    files.upload_bytes(data, "image")
    assert files.read_bytes("image") == data
    assert files.download("image", tmp_path).read_bytes() == data
    assert files.copy("image", "copy").sha256 == hashlib.sha256(data).hexdigest()


def test_a_missing_file_is_told_with_those_that_are_there(files: FileStore, tmp_path: Path) -> None:
    files.upload_bytes(b"", "b")
    files.upload_bytes(b"", "a")
    for look in (
        lambda: files.get("x"),
        lambda: files.checksum("x"),
        lambda: files.read_bytes("x"),
        lambda: files.download("x", tmp_path),
        lambda: files.delete("x"),
        lambda: files.copy("x", "y"),
        lambda: files.rename("x", "y"),
    ):
        with pytest.raises(UsageError) as caught:
            look()
        assert str(caught.value) == "No file 'x'. Files: a, b."


def test_names_are_listed_sorted_and_by_pattern(files: FileStore) -> None:
    for name in ("zImage", "boot/b.bin", "boot/a.bin", "c.bin"):
        files.upload_bytes(b"", name)
    sink = files.open_write(b"unfinished", BOARD, WRITABLE, None)
    assert files.list() == ["boot/a.bin", "boot/b.bin", "c.bin", "zImage"]
    assert files.list("*.bin") == ["boot/a.bin", "boot/b.bin", "c.bin"]
    assert files.list("/boot/*") == files.list("\\boot\\*") == ["boot/a.bin", "boot/b.bin"]
    assert files.list("zimage") == []
    sink.discard()


def test_a_name_that_is_no_text_is_listed_and_found_with_escapes(files: FileStore) -> None:
    try:
        write(files, b"caf\xe9\n.bin", b"x")
    except StoreError:
        pytest.skip("this file system knows no names but Unicode")
    assert files.list() == ["caf\\xe9\\x0a.bin"]
    assert files.list("caf\\xe9*") == ["caf\\xe9\\x0a.bin"]
    assert files.get("caf\\xe9\\x0a.bin").size == 1
    assert not files.exists("caf\\xe8\\x0a.bin")
    files.delete("caf\\xe9\\x0a.bin")
    assert files.list() == []


@ordinary_user
def test_a_file_that_may_not_be_read_is_told(files: FileStore) -> None:
    files.upload_bytes(b"x", "a")
    (files.root / "a").chmod(0)
    assert files.exists("a")
    for look in (files.get, files.read_bytes, files.checksum):
        with pytest.raises(UsageError, match="Cannot use 'a': Permission denied."):
            look("a")


def test_a_file_is_downloaded_to_a_path_or_into_a_folder(files: FileStore, tmp_path: Path) -> None:
    write(files, b"logs/board.txt", b"from the board")
    target = tmp_path / "new" / "folder" / "log"
    assert files.download("logs/board.txt", str(target)) == target
    assert target.read_bytes() == b"from the board"
    assert files.download("logs/board.txt", tmp_path) == tmp_path / "board.txt"
    write(files, b"logs/board.txt", b"newer", OVERWRITING)
    assert files.download("logs/board.txt", target).read_bytes() == b"newer"
    assert names_in(tmp_path) == {"new", "new/folder", "new/folder/log", "board.txt"}


def test_what_has_no_room_is_refused_before_it_is_written(
    tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = descriptors()
    lack = r"it needs 6.0 kB, and 5.0 kB are free in '.*'"
    with FileStore() as files:
        files.upload(image, "there")
        monkeypatch.setattr(space, "free_octets", lambda _: 5000)
        ways: list[Callable[[], object]] = [
            lambda: files.upload(image),
            lambda: files.upload(image, "there2", only_for=BOARD),
            lambda: files.upload(image.as_uri(), "new/folder/file"),
            lambda: files.upload_bytes(bytes(6000), "bytes"),
            lambda: files.upload_folder(image.parent),
            lambda: files.create("test", 6000),
            lambda: files.copy("there", "copy"),
        ]
        for way in ways:
            with pytest.raises(StoreError, match=rf"^Cannot use '.*': {lack}\. No") as caught:
                way()
            assert caught.value.code is ErrorCode.disk_full
        with pytest.raises(StoreError, match=lack) as caught:
            files.open_write(b"upload", BOARD, WRITABLE, 6000)
        assert (caught.value.code, caught.value.public) == (
            ErrorCode.disk_full,
            "Disk full or allocation exceeded",
        )
        with pytest.raises(UsageError, match=rf"^Cannot write '.*copy': {lack}\.$"):
            files.download("there", tmp_path / "copy")
        assert names_in(files.root) == {"there"}
        assert names_in(tmp_path) == {"build", "build/zImage"}
        # What fits exactly has room, and the same content needs none.
        assert not files.upload(image, "there").uploaded
        monkeypatch.setattr(space, "free_octets", lambda _: 6000)
        files.create("test", 6000)
    assert descriptors() <= before


def test_more_than_any_disk_holds_is_refused_at_once(files: FileStore) -> None:
    with pytest.raises(StoreError, match=r"it needs 10000\.0 TB, and .* are free in"):
        files.create("x", 10**16)


def test_a_download_that_cannot_be_written_leaves_nothing(
    files: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "free_octets", lambda _: None)
    files.upload_bytes(b"x", "a")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="Cannot write '.*x': (File exists|Not a directory)"):
        files.download("a", tmp_path / "file" / "x")
    with small_disk(tmp_path / "disk") as disk:
        files.create("big", 1 << 20)
        with pytest.raises(UsageError, match="Cannot write '.*big': No space left on device."):
            files.download("big", disk / "big")
        assert names_in(disk) == set()


@posix_only
def test_a_file_is_not_copied_over_a_device_or_fifo(files: FileStore, tmp_path: Path) -> None:
    make_fifo(tmp_path / "fifo")
    files.upload_bytes(b"x", "a")
    for target in (tmp_path / "fifo", Path("/dev/null")):
        with pytest.raises(UsageError, match=f"Cannot write '{target}': it is a device, FIFO or"):
            files.download("a", target)
    assert names_in(tmp_path) == {"fifo"}


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="Linux")
def test_a_file_whose_size_says_0_is_read_to_its_end_in_every_way(tmp_path: Path) -> None:
    content = Path("/proc/version").read_bytes()
    with FileStore(Path("/proc/sys"), keep_files=True) as served:
        name = "kernel/ostype"
        ostype = Path("/proc/sys/kernel/ostype").read_bytes()
        assert served.read_bytes(name) == read(served, name.encode()) == ostype
        assert served.get(name).size == len(ostype) > 0
        assert served.checksum(name, "md5") == hashlib.md5(ostype).hexdigest()
        assert served.download(name, tmp_path / "ostype").read_bytes() == ostype
    with FileStore() as files:
        assert files.upload("/proc/version").size == len(content)
        assert files.read_bytes("version") == content
        (files.root / "empty").touch()
        assert files.read_bytes("empty") == b""


# Changing


def test_a_file_is_copied(files: FileStore) -> None:
    files.upload_bytes(b"x", "a")
    assert files.copy("a", "b/c").name == "b/c"
    assert files.read_bytes("b/c") == files.read_bytes("a") == b"x"
    files.upload_bytes(b"y", "b/c")
    with pytest.raises(UsageError, match="File 'b/c' exists already"):
        files.copy("a", "b/c")
    files.copy("a", "b/c", overwrite=True)
    assert files.read_bytes("b/c") == b"x"
    assert not files.copy("a", "a").uploaded


def test_a_file_is_renamed(files: FileStore) -> None:
    files.upload_bytes(b"x", "a")
    assert files.rename("a", "b/c").name == "b/c"
    assert files.list() == ["b/c"]
    assert files.rename("b/c", "b/c").name == "b/c"
    files.upload_bytes(b"y", "a")
    with pytest.raises(UsageError, match="File 'b/c' exists already"):
        files.rename("a", "b/c")
    files.rename("a", "b/c", overwrite=True)
    assert files.list() == ["b/c"]
    assert files.read_bytes("b/c") == b"y"


def test_a_file_is_deleted_for_everyone(files: FileStore) -> None:
    files.upload_bytes(b"x", "a")
    files.upload_bytes(b"y", "a", only_for=BOARD)
    assert files.delete("a")
    with refused(ErrorCode.file_not_found):
        files.open_read(b"a", BOARD)
    assert not files.delete("a", missing_ok=True)
    with pytest.raises(UsageError, match="No file 'a'. There are no files."):
        files.delete("a")


def test_a_board_reads_the_old_file_or_the_new_one_and_never_a_mix(files: FileStore) -> None:
    contents = [bytes([number]) * 300_000 for number in range(4)]
    files.upload_bytes(contents[0], "image")
    stop = threading.Event()
    torn: list[bytes] = []
    reads = 0

    def board() -> None:
        nonlocal reads
        while not stop.is_set():
            data = read(files, b"image")
            reads += 1
            if data not in contents:
                torn.append(data)

    thread = threading.Thread(target=board)
    thread.start()
    try:
        for round_ in range(60):
            files.upload_bytes(contents[round_ % 4], "image")
            write(files, b"image", contents[(round_ + 1) % 4], OVERWRITING)

    finally:
        stop.set()
        thread.join()
    assert reads > 0
    assert torn == []


# The checksum for the log


def test_checksum_is_that_of_the_file_for_a_board(files: FileStore) -> None:
    files.upload_bytes(b"for all", "name")
    files.upload_bytes(b"for one", "name", only_for=BOARD)
    assert files.sha256_for("name", BOARD) == hashlib.sha256(b"for one").hexdigest()
    assert files.sha256_for("name", "192.0.2.77") == hashlib.sha256(b"for all").hexdigest()


def test_what_cannot_be_read_has_no_checksum(files: FileStore) -> None:
    assert files.sha256_for("gone", BOARD) == ""
    assert files.sha256_for("..\\odd", BOARD) == ""


def test_a_large_file_has_a_checksum_only_where_it_is_known(files: FileStore) -> None:
    """A card of the log must not make a test wait for gigabytes."""
    files.create("known", MOST_HASHED + 1, content=TestContent.zeros)
    with (files.root / "unknown").open("wb") as stream:
        stream.truncate(MOST_HASHED + 1)
    known = hashlib.sha256(bytes(MOST_HASHED + 1)).hexdigest()
    assert files.sha256_for("known", BOARD) == known
    assert files.sha256_for("unknown", BOARD) == ""


# Names without case


@pytest.fixture
def windows(tmp_path: Path) -> Iterator[FileStore]:
    root = tmp_path / "pe"
    for name in ("Boot/BCD", "boot.wim", "BOOT.WIM", "Boot.wim", "a/B/c", "A/b/C"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    with FileStore(root, content={"Held.txt": b"held"}, ignore_case=True) as files:
        yield files


@posix_only
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (rb"\boot\bcd", b"Boot/BCD"),
        (rb"\Boot\BCD", b"Boot/BCD"),
        (b"boot.wim", b"boot.wim"),
        (b"Boot.wim", b"Boot.wim"),
        (b"bOOT.wim", b"BOOT.WIM"),
        (b"a/b/c", b"a/B/c"),
        (b"A/B/C", b"A/b/C"),
        (b"HELD.TXT", b"held"),
    ],
)
def test_a_board_finds_a_name_in_another_case_the_exact_one_first(
    windows: FileStore, asked: bytes, found: bytes
) -> None:
    assert read(windows, asked) == found


def test_a_name_that_is_not_there_in_any_case_is_not_found(windows: FileStore) -> None:
    for name in (b"bcd", b"boot/bcd/x", b"boot", b"Boot", HIDDEN_PREFIX.upper().encode() + b"x"):
        with pytest.raises(StoreError) as caught:
            windows.open_read(name, BOARD)
        # A folder that is named exactly is no file.
        forbidden = name == b"Boot"
        assert (caught.value.code is ErrorCode.access_violation) is forbidden


@posix_only
def test_a_board_finds_its_own_file_first_in_another_case_too(windows: FileStore) -> None:
    windows.upload_bytes(b"for one", "BOOT/bcd", only_for=BOARD)
    assert read(windows, b"boot/BCD") == b"for one"
    assert read(windows, b"Boot/BCD") == b"Boot/BCD"


@posix_only
def test_an_upload_in_another_case_replaces_the_file(windows: FileStore) -> None:
    with pytest.raises(StoreError) as caught:
        windows.open_write(b"BOOT/bcd", BOARD, WRITABLE, None)
    assert caught.value.code is ErrorCode.file_exists
    write(windows, b"BOOT/bcd", b"new", OVERWRITING)
    assert windows.read_bytes("Boot/BCD") == b"new"
    write(windows, b"new.txt", b"new", OVERWRITING)
    assert "new.txt" in windows.list()


@posix_only
def test_names_are_exact_by_default(folder: Path) -> None:
    with FileStore(folder, keep_files=True) as files, refused(ErrorCode.file_not_found):
        files.open_read(b"ZIMAGE", BOARD)


# One set of files


@posix_only
def test_a_folder_a_list_and_a_board_show_the_same_files_through_links(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    (folder / "v1").mkdir()
    (folder / "v1" / "image").write_bytes(b"one")
    (folder / "current").symlink_to("v1")
    (folder / "v1" / "round").symlink_to("../current")
    (folder / "loop").symlink_to(".")
    (folder / "out").symlink_to("../outside")
    (folder / "gone").symlink_to("nowhere")
    (folder / "kernel").symlink_to("boot/dtb")
    seen = ["boot/dtb", "current/image", "kernel", "v1/image", "zImage"]
    with FileStore(folder, keep_files=True) as files:
        assert files.list() == seen
        for name in seen:
            assert read(files, name.encode()) == files.read_bytes(name)
        with refused(ErrorCode.access_violation):
            files.open_read(b"out/secret", BOARD)
    (folder / "out").unlink()
    with FileStore() as copy:
        assert [file.name for file in copy.upload_folder(folder)] == seen
    (folder / "out").symlink_to("../outside")
    with FileStore(folder, keep_files=True, follow_symlinks=True) as files:
        assert files.list() == [*seen[:3], "out/secret", *seen[3:]]
        assert read(files, b"out/secret") == b"secret"


@posix_only
def test_a_board_gets_what_the_path_of_the_root_says_now(tmp_path: Path) -> None:
    for build in ("build-1", "build-2"):
        (tmp_path / build).mkdir()
        (tmp_path / build / "zImage").write_text(build)
    current = tmp_path / "current"
    current.symlink_to("build-1")
    with FileStore(current, keep_files=True) as files:
        assert read(files, b"zImage") == b"build-1"
        (tmp_path / "new").symlink_to("build-2")
        (tmp_path / "new").replace(current)
        assert read(files, b"zImage") == b"build-2"
        assert files.read_bytes("zImage") == b"build-2"
    with FileStore(tmp_path / "build-1", keep_files=True) as files:
        (tmp_path / "build-1").rename(tmp_path / "old")
        (tmp_path / "build-1").mkdir()
        (tmp_path / "build-1" / "zImage").write_text("build-3")
        assert read(files, b"zImage") == b"build-3"


# Files for single boards


def test_the_file_of_a_board_is_looked_at_changed_and_deleted(tmp_path: Path) -> None:
    with FileStore() as files:
        files.upload_bytes(b"all", "zImage")
        files.upload_bytes(b"board", "zImage", only_for=BOARD)
        files.upload_bytes(b"secret", "key", only_for=BOARD)
        assert files.read_bytes("zImage") == b"all"
        assert files.read_bytes("zImage", client=BOARD) == b"board"
        assert files.get("zImage", client=BOARD).size == 5
        assert files.checksum("zImage", "md5", client=BOARD) == hashlib.md5(b"board").hexdigest()
        assert files.download("zImage", tmp_path, client=BOARD).read_bytes() == b"board"
        assert files.list(client="10.0.0.1") == ["zImage"]
        assert files.list(client=BOARD) == ["key", "zImage"]
        assert files.exists("key", client=BOARD)
        assert not files.exists("key", client="10.0.0.1")
        files.copy("key", "copy", client=BOARD)
        files.rename("zImage", "kernel", client=BOARD)
        assert files.list(client="10.0.0.1") == ["zImage"]
        assert files.list(client=BOARD) == ["copy", "kernel", "key", "zImage"]
        assert files.read_bytes("zImage", client=BOARD) == b"all"
        assert files.delete("kernel", client=BOARD)
        assert not files.delete("kernel", client=BOARD, missing_ok=True)
        for change in (
            lambda: files.delete("zImage", client=BOARD),
            lambda: files.rename("zImage", "x", client=BOARD),
        ):
            with pytest.raises(UsageError, match="for all boards: leave client= out"):
                change()
        assert files.list() == ["copy", "key", "zImage"]
