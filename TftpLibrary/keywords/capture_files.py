"""The captures of a run: their servers, their files, and which files stay when a test ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from TftpLibrary.keywords.conversions import AutoStop
from TftpLibrary.recording.capture import Captured
from TftpLibrary.recording.records import Transfer
from TftpLibrary.station import Station

SUFFIX = ".pcapng"

_LONGEST_NAME = 100
"""Most octets of a text in a file name; systems allow about 250 for the whole name."""
_UNSAFE = r"[^\w.-]+"


class Keep(Enum):
    """Whether a capture stays when the test, or the suite, that started it ends.

    | ``failed`` | It stays if the test failed, and is removed otherwise. |
    | ``always`` | It stays. |
    | ``never``  | It is removed. |
    """

    failed = "failed"
    always = "always"
    never = "never"


class Settled(NamedTuple):
    """The result of a capture when its test, or suite, ended.

    Attributes:
        alias: the server that was captured.
        port: its port.
        captured: the file, and its content.
        keep: as given at its start.
        is_kept: whether the file stays.
        was_open: whether nobody had stopped the capture before.
        trouble: why a file could not be removed; empty otherwise.
    """

    alias: str
    port: int
    captured: Captured
    keep: Keep
    is_kept: bool
    was_open: bool
    trouble: str = ""


@dataclass(slots=True)
class _Started:
    """A capture: of which server, in which scope, and since when."""

    server: Station
    port: int
    path: Path
    keep: Keep
    scope: str
    begun: datetime
    ended: datetime | None = None
    captured: Captured | None = None

    @property
    def is_open(self) -> bool:
        return self.captured is None

    def note_end(self) -> Captured:
        """The capture has ended, by a keyword or with its server."""
        if self.captured is None:
            self.captured = self.server.capture or Captured(self.path, 0, 0)
            self.ended = datetime.now().astimezone()
        return self.captured


class CaptureFiles:
    """The captures of one import of the library.

    Args:
        auto_stop: with `manual` no capture ends with a scope, and those that were started stay.
    """

    def __init__(self, auto_stop: AutoStop = AutoStop.auto) -> None:
        self._auto_stop = auto_stop
        self._started: list[_Started] = []
        self._names: set[Path] = set()

    def start(self, server: Station, path: Path, keep: Keep, scope: str) -> Path:
        """Starts the capture of a server.

        Args:
            server: a running server.
            path: the file to write.
            keep: whether the file stays when the scope ends.
            scope: key of the scope that the capture belongs to.

        Raises:
            UsageError: the path cannot be written, or a capture of this server runs.
        """
        begun = datetime.now().astimezone()
        server.start_capture(path)
        self._started.append(_Started(server, server.port, path, keep, scope, begun))
        return path

    def stop(self, server: Station) -> Captured | None:
        """Ends the capture of a server. Returns None when none was running."""
        if not server.is_capturing:
            return None
        captured = server.stop_capture()
        for started in self._started:
            if started.server is server:
                started.note_end()
        return captured

    def leave(self, scope: str, *, has_failed: bool) -> list[Settled]:
        """A scope ends, and its captures with it: they stay or are removed.

        The servers of the scope were stopped before. A capture that began outside of any scope ends
        with the first one.
        """
        if self._auto_stop is AutoStop.manual:
            return []
        leaving = [started for started in self._started if is_within(started.scope, scope)]
        self._started = [started for started in self._started if started not in leaving]
        return [_settle(started, has_failed=has_failed) for started in leaving]

    def close(self) -> list[Settled]:
        """The run ends: the captures left stay, except those with `keep=never`."""
        leaving, self._started = self._started, []
        return [_settle(started, has_failed=True) for started in leaving]

    def path_of(self, transfer: Transfer) -> Path | None:
        """Returns the capture that has packets of a transfer, or None."""
        for started in reversed(self._started):
            if started.is_open and not started.server.is_capturing:
                started.note_end()
            is_before = transfer.ended is not None and transfer.ended < started.begun
            is_after = started.ended is not None and transfer.started > started.ended
            if started.server.alias == transfer.server and not is_before and not is_after:
                return started.path
        return None

    def free_path(self, folder: Path, *parts: str) -> Path:
        """Returns a path in a folder that no capture of this run has, named after some texts."""
        name = "-".join(_safe(part) for part in parts)
        path, count = folder / f"{name}{SUFFIX}", 1
        while path in self._names:
            count += 1
            path = folder / f"{name}-{count}{SUFFIX}"
        self._names.add(path)
        return path


def is_within(scope: str, outer: str) -> bool:
    """Whether a scope is another one, or within it; they are Robot's ids.

    The test `s1-s2-t3` is within the suite `s1-s2`. A capture that began outside of any
    scope ends with the first one.
    """
    return scope in ("", outer) or scope.startswith(f"{outer}-")


def _settle(started: _Started, *, has_failed: bool) -> Settled:
    was_open = started.is_open
    if started.server.is_capturing and was_open:
        started.server.stop_capture()
    captured = started.note_end()
    is_kept = started.keep is Keep.always or (started.keep is Keep.failed and has_failed)
    trouble = "" if is_kept else _removed(started.path)
    return Settled(
        started.server.alias, started.port, captured, started.keep, is_kept, was_open, trouble
    )


def _removed(path: Path) -> str:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _safe(text: str) -> str:
    """A text as a part of a file name, on every system."""
    octets = re.sub(_UNSAFE, "_", text).encode()[:_LONGEST_NAME]
    return octets.decode("utf-8", "ignore").strip("._") or "capture"
