"""Waiting for an answer, and one look for it."""

from __future__ import annotations

import re
import threading
import time

import pytest

from TftpLibrary.errors import ExpectationError, TftpError
from TftpLibrary.messages.answers import expect, wait_until
from TftpLibrary.messages.questions import Download, Request
from TftpLibrary.messages.words import PYTHON
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording.recorder import Recorder
from TftpLibrary.recording.view import View, Watch
from utest.support.records import completed, ended, partial, refused, write_record
from utest.support.views import not_downloaded, seen
from utest.support.waiting import seconds

WORDS = PYTHON._replace(since=" since the mark")


def test_an_answer_that_is_there_is_returned_at_once() -> None:
    recorder = Recorder()
    write_record(recorder, completed())
    assert wait_until(Download("zImage"), Watch(recorder), 0.0).outcome is Outcome.completed
    assert expect(Download("zImage"), Watch(recorder).look()).id == 1


def test_a_wait_ends_with_its_answer() -> None:
    recorder = Recorder()
    board = threading.Timer(0.05, write_record, [recorder, completed()])
    board.start()
    try:
        assert wait_until(Download("zImage"), Watch(recorder), seconds(20)).id == 1
    finally:
        board.join()


def test_what_a_wait_did_not_find_is_explained_by_the_question() -> None:
    recorder = Recorder()
    write_record(recorder, refused())
    watch, question = Watch(recorder), Download("zImage")
    with pytest.raises(ExpectationError) as caught:
        wait_until(question, watch, 0.01, WORDS)
    assert str(caught.value) == question.explain(watch.look(), 0.01, WORDS)
    with pytest.raises(ExpectationError) as caught:
        expect(question, watch.look(), WORDS)
    assert str(caught.value) == question.explain(watch.look(), words=WORDS)


def test_a_refusal_is_explained_at_once_where_a_question_is_fast_to_fail() -> None:
    recorder = Recorder()
    board = threading.Timer(0.05, write_record, [recorder, refused()])
    question = Download("zImage", fail_fast=True)
    begun = time.monotonic()
    board.start()
    try:
        with pytest.raises(ExpectationError) as caught:
            wait_until(question, Watch(recorder), 60.0)
    finally:
        board.join()
    assert time.monotonic() - begun < 30
    assert re.match(r"'zImage' was not downloaded in \d+ ms: it was requested", str(caught.value))
    assert str(caught.value).endswith("\nWith fail_fast=True the wait ended at once.")
    with pytest.raises(ExpectationError, match="^'zImage' was not downloaded: it was requested"):
        expect(question, Watch(recorder).look())


def test_progress_gets_each_look_without_an_answer() -> None:
    recorder = Recorder()
    write_record(recorder, partial())
    looks: list[View] = []
    with pytest.raises(ExpectationError):
        wait_until(Download("zImage"), Watch(recorder), 0.0, progress=looks.append)
    assert [view.transfers for view in looks] == [recorder.transfers()]
    assert wait_until(Request("zImage"), Watch(recorder), 0.0, progress=looks.append)
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("alias", "name"), [("dut", "TFTP server 'dut'"), ("", "The TFTP server"), (None, "The TFTP s")]
)
def test_nobody_waits_for_a_server_that_is_stopped(alias: str | None, name: str) -> None:
    watch = Watch(Recorder(), alias, is_live=False)
    begun = time.monotonic()
    with pytest.raises(ExpectationError) as caught:
        wait_until(Download("zImage"), watch, 60.0)
    assert time.monotonic() - begun < 30
    text = str(caught.value)
    assert text.startswith(f"{not_downloaded('zImage')} in 0 ms: ")
    assert f"\n{name}" in text
    assert text.endswith(" is stopped, so there was no wait.")


def test_an_exception_of_our_own_ends_the_wait() -> None:
    recorder = Recorder()
    write_record(recorder, ended("zImage", Outcome.failed, traceback="Traceback: oops"))
    with pytest.raises(TftpError, match="Traceback: oops"):
        wait_until(Download("zImage"), Watch(recorder), 60.0)


def test_a_question_without_an_answer_in_a_view_fails() -> None:
    with pytest.raises(AssertionError, match="No request was seen."):
        expect(Download("zImage"), seen())
