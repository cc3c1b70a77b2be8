from __future__ import annotations

import json

import pytest

from TftpLibrary.errors import (
    ExpectationError,
    LabError,
    PacketError,
    PeerError,
    TftpError,
    UsageError,
)
from TftpLibrary.lab.failures import error_of, failure
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import StoreError


@pytest.mark.parametrize(
    "error",
    [
        UsageError("no"),
        ExpectationError("not downloaded"),
        LabError("lost"),
        PeerError("File not found (TFTP error 1)", 1, "nix"),
        StoreError(ErrorCode.disk_full, "Disk full", "it needs 5 bytes", Cause.disk_full),
    ],
)
def test_errors_come_with_their_class_and_their_attributes(error: TftpError) -> None:
    came = error_of(json.loads(json.dumps(failure(error))))
    assert type(came) is type(error)
    assert str(came) == str(error)
    assert vars(came) == vars(error)


def test_an_error_of_another_class_comes_as_the_next_above() -> None:
    assert type(error_of(failure(PacketError("odd")))) is TftpError


@pytest.mark.parametrize("odd", [None, [], ["PeerError", ["text"]], ["StoreError", [1, 2, 3, 4]]])
def test_what_is_no_error_is_refused(odd: object) -> None:
    with pytest.raises(UsageError):
        error_of(odd)


def test_a_class_that_is_not_in_the_table_is_not_made() -> None:
    assert type(error_of(["SystemExit", ["0"]])) is LabError
