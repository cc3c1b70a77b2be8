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


def not_downloaded(name: str, client: str = "") -> str:
    """How the message begins that a file was not downloaded; `test_questions.py` has it all."""
    return f"'{name}' was not downloaded{f' by {client}' if client else ''}"


def why(question: Question[Any], *transfers: Transfer, waited: float | None = 60.0) -> str:
    """What a message says after its head and before the list of requests."""
    text = question.explain(seen(*transfers), waited)
    return text.partition(": ")[2].partition("\n")[0]
