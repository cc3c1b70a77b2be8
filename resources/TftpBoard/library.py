"""The moves of the simulated board for Robot Framework; `board.resource` makes steps from them.

A board that a test switched on is switched off when the test ends; one that a suite setup
switched on, when the suite ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

from robot.api import TypeInfo, logger
from robot.api.deco import keyword, library

from TftpBoard.board import MAC, Board
from TftpBoard.habits import Habits
from TftpBoard.packets import BoardError


class _Scope(Protocol):
    """A test or a suite, as Robot Framework hands it to a listener."""

    @property
    def id(self) -> str:
        """Its unique id."""


class _Placed(NamedTuple):
    """A board on the bench, and the test or the suite that it belongs to."""

    board: Board
    scope: str


@library(scope="GLOBAL", listener="SELF", doc_format="ROBOT")
class BoardLibrary:
    """The moves from which ``board.resource`` makes its steps. Suites use that file instead."""

    def __init__(self) -> None:
        self._boards: dict[str, _Placed] = {}
        self._scopes = [""]

    @keyword
    def power_on(
        self,
        name: str,
        host: str,
        port: int,
        *files: str,
        loader: str = "u-boot",
        address: str = "",
        mac: str = MAC,
        **how: str,
    ) -> None:
        """Puts a board of this name on the bench and switches it on.

        Args:
            name: The name of the board.
            host: The address of the server.
            port: The port of the server.
            files: The files that it loads, in this order.
            loader: How it asks: ``u-boot``, ``pxelinux`` or ``uefi``.
            address: The local address that it asks from.
            mac: Its MAC address.
            how: Options of its requests, and habits.
        """
        habits, options = sort_habits(how)
        self._remove(name)
        board = Board(
            host, port, loader=loader, address=address, mac=mac, options=options, habits=habits
        )
        self._boards[name] = _Placed(board, self._scopes[-1])
        board.switch_on(*files)

    @keyword
    def power_off(self, name: str) -> None:
        """Switches a board off, and logs its console. The board may be off already."""
        if name in self._boards:
            board = self._boards[name].board
            board.switch_off()
            logger.info("\n".join(board.console))

    @keyword
    def wait_for_boot(self, name: str, timeout: timedelta) -> None:
        """Waits until a board has loaded everything, and fails with its console otherwise."""
        board = self._board(name)
        board.wait_until_booted(timeout.total_seconds())
        logger.info("\n".join(board.console))

    @keyword
    def load_file(self, name: str, file: str) -> bytes:
        """Lets a board load one more file, and returns the content."""
        return self._board(name).load(file)

    @keyword
    def store_file(self, name: str, file: str, content: str | bytes) -> None:
        """Lets a board write a file to the server; text is UTF-8."""
        self._board(name).store(file, content.encode() if isinstance(content, str) else content)

    @keyword
    def read_memory(self, name: str, file: str) -> bytes:
        """Returns a file that a board has loaded."""
        return self._board(name).recall(file)

    @keyword
    def read_console(self, name: str) -> str:
        """Returns what a board has printed since it was switched on."""
        return "\n".join(self._board(name).console)

    def _start_suite(self, data: _Scope, _: object) -> None:
        self._scopes.append(data.id)

    def _start_test(self, data: _Scope, _: object) -> None:
        self._scopes.append(data.id)

    def _end_test(self, data: _Scope, _: object) -> None:
        self._end(data)

    def _end_suite(self, data: _Scope, _: object) -> None:
        self._end(data)

    def _close(self) -> None:
        for name in list(self._boards):
            self._remove(name)

    def _end(self, scope: _Scope) -> None:
        """Takes the boards of a test or a suite off the bench."""
        self._scopes.remove(scope.id)
        for name in [name for name, placed in self._boards.items() if placed.scope == scope.id]:
            self._remove(name)

    def _board(self, name: str) -> Board:
        if name not in self._boards:
            raise BoardError(f"No board '{name}' was switched on.")
        return self._boards[name].board

    def _remove(self, name: str) -> None:
        if name in self._boards:
            self._boards.pop(name).board.close()


_TYPES: dict[str, type] = {"float": timedelta, "int": int, "bool": bool}
"""The type that Robot Framework converts to, by that of a habit."""


def sort_habits(how: Mapping[str, str]) -> tuple[Habits, dict[str, str]]:
    """Sorts named arguments into habits and the options to ask for, which keep their order.

    Raises:
        BoardError: a name with an underscore that is no habit; no TFTP option has one.
    """
    kinds = {field.name: field.type for field in fields(Habits)}
    options = {name: value for name, value in how.items() if name not in kinds}
    unknown = [name for name in options if "_" in name]
    if unknown:
        raise BoardError(f"The board has no habit '{unknown[0]}'. It has: {', '.join(kinds)}.")
    # Any: each habit has its own type.
    habits: dict[str, Any] = {
        name: _habit(name, value, _TYPES[str(kinds[name])])
        for name, value in how.items()
        if name in kinds
    }
    return Habits(**habits), options


def _habit(name: str, value: str, kind: type) -> float | int:
    converted = TypeInfo.from_type_hint(kind).convert(value, name, kind="Habit")
    if isinstance(converted, timedelta):
        return converted.total_seconds()
    if kind is bool and not isinstance(converted, bool):
        # Robot Framework hands on what is no Boolean.
        raise ValueError(f"Habit '{name}' got value '{value}' that cannot be converted to boolean.")
    return converted if isinstance(converted, bool) else int(str(converted))
