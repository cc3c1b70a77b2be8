from __future__ import annotations

import TftpLibrary
from TftpLibrary import ServerSettings, TftpServer
from TftpLibrary.messages.words import PYTHON


def test_what_a_program_is_told_to_use_is_there() -> None:
    assert hasattr(TftpServer, "wait_until")
    for text in (PYTHON.download, PYTHON.upload, PYTHON.setting.format("writable=True")):
        name = text.removeprefix("wait_until(").partition("(")[0]
        assert name in TftpLibrary.__all__
    names = {row.name for row in ServerSettings.rows}
    assert {"writable", "create", "overwrite", "max_upload_size"} <= names
