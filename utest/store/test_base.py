from __future__ import annotations

import errno

import pytest

from TftpLibrary.errors import TftpError
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import StoreError, refusal, too_large


def test_refusal_tells_the_peer_less_than_the_test() -> None:
    error = StoreError(ErrorCode.disk_full, "Disk full", "no space left in /srv/tftp")
    assert (error.code, error.public) == (ErrorCode.disk_full, "Disk full")
    assert str(error) == "no space left in /srv/tftp"
    assert isinstance(error, TftpError)


def test_refusal_without_detail_says_the_same_to_both() -> None:
    assert str(StoreError(ErrorCode.file_exists, "File already exists")) == "File already exists"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOENT, ErrorCode.file_not_found),
        (errno.EACCES, ErrorCode.access_violation),
        (errno.EISDIR, ErrorCode.access_violation),
        (errno.EROFS, ErrorCode.access_violation),
        (errno.EEXIST, ErrorCode.file_exists),
        (errno.ENOSPC, ErrorCode.disk_full),
        (errno.EIO, ErrorCode.not_defined),
        (None, ErrorCode.not_defined),
    ],
)
def test_the_code_fits_what_the_system_said(number: int | None, code: ErrorCode) -> None:
    error = OSError(number, "/srv/tftp/secret") if number else OSError("/srv/tftp/secret")
    answer = refusal(error)
    assert answer.code is code
    assert "secret" not in answer.public + str(answer)


def test_the_peer_learns_that_the_upload_is_too_large() -> None:
    assert too_large(5).public == "Upload too large"
