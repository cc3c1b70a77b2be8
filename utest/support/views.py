"""Views for tests of questions, and the head of a failure that many tests meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from TftpLibrary.messages.questions import Question
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import View


def seen(*transfers: Transfer, names: Sequence[str] = (), **values: Any) -> View:
    """A look at these transfers of a server with these names in its store."""
    return View(transfers, names=lambda: names, **values)


def numbered(*transfers: Transfer, **values: Any) -> View:
    """The same, where each transfer has the number that a record gives it: by its place."""
    return seen(*(t._replace(id=place) for place, t in enumerate(transfers, 1)), **values)


def not_downloaded(name: str, client: str = "") -> str:
    """The head of the message that a file was not downloaded; `test_questions.py` has all of it."""
    return f"'{name}' was not downloaded{f' by {client}' if client else ''}"


def why(question: Question[Any], *transfers: Transfer, waited: float | None = 60.0) -> str:
    """The part of a message between its head and the list of requests."""
    text = question.explain(seen(*transfers), waited)
    return text.partition(": ")[2].partition("\n")[0]
