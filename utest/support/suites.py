"""Runs Robot Framework suites inside a test, and returns their results."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from robot.api import ExecutionResult, ResultVisitor, TestSuite
from robot.result import Result
from robot.result.model import Message


def run_suites(folder: Path, suites: Mapping[str, str], **options: Any) -> Result:
    """Writes suite files into a folder, runs it, and returns the result in output.xml.

    Args:
        folder: where the suites and their results go.
        suites: the text of each file by its path below the folder.
        options: of the run, such as `dryrun`.
    """
    root = folder / "suites"
    for path, text in suites.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    output = folder / "output.xml"
    TestSuite.from_file_system(root).run(
        output=output, outputdir=folder, stdout=io.StringIO(), stderr=io.StringIO(), **options
    )
    return ExecutionResult(output)


def run_suite(folder: Path, text: str, **options: Any) -> Result:
    """Runs one suite, as `run_suites` does."""
    return run_suites(folder, {"suite.robot": text}, **options)


def failures(result: Result) -> dict[str, str]:
    """Returns the messages of the tests that failed, by name."""
    return {test.name: test.message for test in result.suite.all_tests if test.failed}


def messages(result: Result) -> list[Message]:
    """Returns the messages in the log in their order, and then those about the run itself."""
    collector = _Messages()
    result.visit(collector)
    return collector.found


class _Messages(ResultVisitor):
    """Collects messages."""

    def __init__(self) -> None:
        self.found: list[Message] = []

    def visit_message(self, message: Message) -> None:
        self.found.append(message)
