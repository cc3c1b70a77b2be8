from __future__ import annotations

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.lab.operations import OPERATIONS, name_of
from TftpLibrary.station import StationFiles
from TftpLibrary.store.base import StoredFile
from TftpLibrary.store.content import TestContent


def test_a_row_has_the_types_of_the_interface() -> None:
    row = OPERATIONS[name_of(StationFiles.create)]
    assert row.arguments == {"name": str, "size": int, "content": TestContent, "seed": int}
    assert row.result is StoredFile
    assert row.read({"name": "a", "size": 5, "content": "zeros"})["content"] is TestContent.zeros


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"name": "a"}, "size: expected NoneType, got 'missing'"),
        ({"name": "a", "size": 1, "path": "/"}, "path: expected NoneType, got 'unknown'"),
        ({"name": "a", "size": "1"}, "size: expected int, got '1'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(given: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        OPERATIONS["files.create"].read(given)
