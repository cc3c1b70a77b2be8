"""Calls keywords as Robot Framework does: arguments are texts, which it resolves and converts."""

from __future__ import annotations

from typing import Any

from robot.running import TestLibrary

from TftpLibrary.keywords.argument_types import explain_refusals

# Models of Robot Framework, results and arguments are of any type.


class RobotCalls:
    """The library as a suite imports it.

    Args:
        arguments: those of the import.
    """

    def __init__(self, *arguments: str) -> None:
        self._library = TestLibrary.from_name("TftpLibrary", args=arguments)

    def __enter__(self) -> RobotCalls:
        return self

    def __exit__(self, *_: object) -> None:
        self.call("Stop All TFTP Servers")

    @property
    def keywords(self) -> list[Any]:
        """The keywords, with the specification of their arguments as `args`."""
        return list(self._library.keywords)

    def call(self, keyword_name: str, /, *positional: object, **named: object) -> Any:
        """Runs a keyword. Without `named`, texts like `name=value` are named arguments."""
        (found_keyword,) = self._library.find_keywords(keyword_name)
        keyword = found_keyword.copy()
        explain_refusals(keyword)  # As the listener does in a run.
        found, by_name = keyword.resolve_arguments(positional, named or None)
        return keyword.method(*found, **dict(by_name))
