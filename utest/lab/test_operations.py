from __future__ import annotations

from zlib import crc32

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.lab.operations import OPERATIONS, VERSION_OF_WIRE, name_of
from TftpLibrary.recording.records import Transfer
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


def test_the_version_of_the_wire_changes_with_the_table() -> None:
    """Two machines of different versions would otherwise misunderstand each other."""
    rows = {name: sorted(row.arguments) for name, row in sorted(OPERATIONS.items())}
    digest = f"{crc32(repr((rows, Transfer._fields)).encode()):08x}"
    assert (VERSION_OF_WIRE, digest) == (1, "b3b0bf51"), "Raise VERSION_OF_WIRE, in a release."
