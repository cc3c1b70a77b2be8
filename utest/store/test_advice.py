from __future__ import annotations

from pathlib import Path

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.advice import SHOWN, existing_folder, explained, missing
from TftpLibrary.store.base import StoreError
from utest.support.stores import ordinary_user


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            ErrorCode.file_exists,
            "File 'a/b' exists already. Use overwrite=True to replace it, or another name.",
        ),
        (ErrorCode.file_not_found, "No file 'a/b': because."),
        (ErrorCode.access_violation, "Cannot use 'a/b': because."),
    ],
)
def test_a_refusal_is_told_with_the_name(code: ErrorCode, message: str) -> None:
    with pytest.raises(UsageError) as caught, explained(("a", "b")):
        raise StoreError(code, "public", "because")
    assert str(caught.value) == message


def test_a_full_disk_stays_a_store_error_with_the_name() -> None:
    with pytest.raises(StoreError) as caught, explained(("a", "b")):
        raise StoreError(ErrorCode.disk_full, "Disk full", "No space left on device")
    assert str(caught.value) == ("Cannot use 'a/b': No space left on device. Nothing was changed.")
    assert (caught.value.code, caught.value.public) == (ErrorCode.disk_full, "Disk full")


def test_a_missing_file_is_told_with_those_that_are_there() -> None:
    assert str(missing("x", ["b", "a"])) == "No file 'x'. Files: a, b."
    assert str(missing("x", [])) == "No file 'x'. There are no files."
    str(missing("\ud800", [])).encode()


def test_the_nearest_names_come_first_in_a_long_list() -> None:
    names = [f"file-{number:02}" for number in range(50)] + ["zImage-5.10"]
    message = str(missing("zImage", names))
    assert message.startswith("No file 'zImage'. Files: zImage-5.10, file-00, ")
    assert message.endswith(f" and {51 - SHOWN} more.")


def test_a_folder_is_returned_with_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "srv").mkdir()
    monkeypatch.chdir(tmp_path)
    assert existing_folder(Path("srv"), "The root") == tmp_path / "srv"


def test_what_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match=r"The root '.*x' does not exist. Expected a folder"):
        existing_folder(tmp_path / "x", "The root")
    with pytest.raises(UsageError, match=r"The root '.*file' is a file. Expected a folder."):
        existing_folder(tmp_path / "file", "The root")


@ordinary_user
def test_a_folder_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    with pytest.raises(UsageError, match="cannot be read: permission denied"):
        existing_folder(tmp_path, "The root")
    tmp_path.chmod(0o700)
