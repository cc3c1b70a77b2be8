from __future__ import annotations

from robot.libdocpkg import LibraryDocumentation

from TftpLibrary.keywords.words import IN_A_SUITE
from TftpLibrary.messages.questions import Download, Upload
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import Direction
from utest.support.records import partial, refused
from utest.support.views import seen


def test_what_a_suite_is_told_to_use_is_there() -> None:
    keywords = {keyword.name: keyword for keyword in LibraryDocumentation("TftpLibrary").keywords}
    assert {IN_A_SUITE.download, IN_A_SUITE.upload} <= set(keywords)
    settings = {argument.name for argument in keywords["Start TFTP Server"].args}
    assert {"writable", "create", "overwrite", "max_upload_size"} <= settings


def test_a_suite_reads_of_keywords_and_their_arguments() -> None:
    assert "wait for it with `Wait Until File Is Downloaded`.\n" in Download("zImage").explain(
        seen(partial()), words=IN_A_SUITE
    )
    view = seen(refused("core", direction=Direction.write, error_code=2, cause=Cause.read_only))
    assert "Start the server with writable=True to let boards send files.\n" in Upload(
        "core"
    ).explain(view, words=IN_A_SUITE)
    text = Download("zImage").explain(seen(), words=IN_A_SUITE)
    assert text.endswith("\nNo request was seen since the mark.")
