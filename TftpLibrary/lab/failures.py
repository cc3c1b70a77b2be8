"""Errors on their way from the lab half to the runner: the class, and what it is made of."""

from __future__ import annotations

from typing import Any

from TftpLibrary.errors import (
    ExpectationError,
    LabError,
    NegotiationError,
    PeerError,
    TftpError,
    TransferAborted,
    TransferTimeout,
    UsageError,
)
from TftpLibrary.lab.values import from_json, to_json
from TftpLibrary.protocol.outcome import Cause
from TftpLibrary.protocol.packets import ErrorCode
from TftpLibrary.store.base import StoreError

_TEXT = tuple[str]
_PARTS: dict[type[TftpError], Any] = {
    TftpError: _TEXT,
    UsageError: _TEXT,
    LabError: _TEXT,
    NegotiationError: _TEXT,
    TransferTimeout: _TEXT,
    TransferAborted: _TEXT,
    ExpectationError: _TEXT,
    PeerError: tuple[str, int, str],
    StoreError: tuple[ErrorCode, str, str, Cause | None],
}
"""The classes, with the types of their arguments."""
_NAMED = {kind.__name__: kind for kind in _PARTS}


def failure(error: TftpError) -> Any:
    """Returns an error as JSON."""
    parts: tuple[Any, ...] = (str(error),)
    if isinstance(error, PeerError):
        parts = (str(error), error.code, error.text)
    if isinstance(error, StoreError):
        parts = (error.code, error.public, str(error), error.cause)
    kind = next(each for each in type(error).__mro__ if each in _PARTS)
    return [kind.__name__, to_json(parts)]


def error_of(failure: Any) -> TftpError:
    """Returns the error of its JSON.

    Raises:
        UsageError: it is none.
    """
    name, parts = from_json(tuple[str, object], failure, "error")
    kind = _NAMED.get(name, LabError)
    made: TftpError = kind(*from_json(_PARTS[kind], parts, name))
    return made
