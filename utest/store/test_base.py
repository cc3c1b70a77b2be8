from __future__ import annotations

from TftpLibrary.errors import TftpError
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import StoredFile, StoreError, WritePolicy


def test_refusal_tells_the_peer_less_than_the_test() -> None:
    error = StoreError(ErrorCode.disk_full, "Disk full", "no space left in /srv/tftp")
    assert (error.code, error.public) == (ErrorCode.disk_full, "Disk full")
    assert str(error) == "no space left in /srv/tftp"
    assert isinstance(error, TftpError)


def test_refusal_without_detail_says_the_same_to_both() -> None:
    assert str(StoreError(ErrorCode.file_exists, "File already exists")) == "File already exists"


def test_nothing_may_be_written_unless_the_test_says_so() -> None:
    assert not WritePolicy().writable
    assert not WritePolicy(writable=True).overwrite


def test_a_stored_file_was_uploaded_unless_told_otherwise() -> None:
    assert StoredFile("a", 0, "", "", None).uploaded
