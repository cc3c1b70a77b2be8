"""How a question gets its answer: by waiting for it, or by one look."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from TftpLibrary.errors import ExpectationError
from TftpLibrary.messages.questions import HopelessError, Question
from TftpLibrary.messages.words import PYTHON, Words
from TftpLibrary.recording.view import View, Watch

T = TypeVar("T")

_ENDED_FAST = "With fail_fast=True the wait ended at once."


def wait_until(
    question: Question[T],
    watch: Watch,
    timeout: float,
    words: Words = PYTHON,
    progress: Callable[[View], None] | None = None,
) -> T:
    """Waits until a question finds its answer.

    Args:
        question: the question.
        watch: the record; it is read only once if no more transfers can come.
        timeout: seconds; with 0 there is one look.
        words: how the message names things for its reader.
        progress: gets each view in which there is no answer yet.

    Returns:
        The answer.

    Raises:
        ExpectationError: there was none in time, or the request was refused and the question is
            `fail_fast`; the text is the question's explanation.
        TftpError: an unexpected exception of our own came first.
    """
    view, begun = View(), time.monotonic()

    def look(seen: View) -> T | None:
        nonlocal view
        view = seen
        answer = question.find(seen)
        if answer is None and progress is not None:
            progress(seen)
        return answer

    try:
        return watch.wait_for(look, timeout)
    except HopelessError:
        explained = question.explain(view, time.monotonic() - begun, words)
        raise ExpectationError(f"{explained}\n{_ENDED_FAST}") from None
    except TimeoutError:
        if view.is_live:
            raise ExpectationError(question.explain(view, timeout, words)) from None
        server = f"TFTP server '{view.server}'" if view.server else "The TFTP server"
        stopped = f"{server} is stopped, so there was no wait."
        raise ExpectationError(f"{question.explain(view, 0.0, words)}\n{stopped}") from None


def expect(question: Question[T], view: View, words: Words = PYTHON) -> T:
    """Returns the answer to a question in a view.

    Raises:
        ExpectationError: there is none; the text is the question's explanation.
    """
    try:
        answer = question.find(view)
    except HopelessError:
        answer = None
    if answer is None:
        raise ExpectationError(question.explain(view, words=words))
    return answer
