"""Bad days of other programs: one transfer under one fault, and how it ended.

A cell of the tables in `docs/faults.md`: a program downloads a file from a server of its own, or
uploads one, while faults of that server strike it. Then the octets are compared, since a program
may end with success and another file.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from atest.equipment.other_programs import Place, run_client
from TftpLibrary import (
    ClientSettings,
    Retransmission,
    Scenario,
    ServerSettings,
    TftpClient,
    TftpError,
    TftpServer,
)
from TftpLibrary.errors import UsageError

PATIENCE = 20.0
"""Seconds that a program has to end."""
_PATIENCE_FOR_MANY = 90.0
OURS: Mapping[str, ClientSettings] = {
    "TFTP Get": ClientSettings(),
    "TFTP Get plain": ClientSettings(blksize=512, windowsize=1, tsize=False),
}
"""Our own client: the words for it, and its settings."""

_BLOCKS = 60
_SMALLEST, _LARGEST_BLOCK = 512, 1428
_QUIET_FOR = 7.0
# Without the option timeout: curl asks for 6 seconds, so it would decide how quiet the server is.
_SETTINGS = ServerSettings(writable=True, overwrite=True, refuse_options=frozenset({"timeout"}))
_FILE = "image.bin"
_ARRIVES = 3.0
"""Seconds after which an upload must be in the store whose client has ended well."""


class Outcome(str, Enum):
    """How a transfer ended."""

    ok = "ok"  # The file is right, and the program says so.
    refuses = "refuses"  # The program says that it failed.
    wrong = "**WRONG**"  # The program ends with success, and the file is another one.
    hangs = "hangs"  # The program still waited after `PATIENCE`.
    none = "-"  # The fault had nothing to strike.

    __str__ = str.__str__


class Day(NamedTuple):
    """Faults, and the server that has them.

    Attributes:
        kind: a kind of fault, or the name of a scenario.
        packet: the packets that a kind strikes; empty for a scenario.
        how: the arguments of the fault.
        is_quiet: whether the server sends nothing again for 7 seconds, so that the program has
            to ask.
        blocks: size of the file.
        shift: days of a later shift run when those before have ended, since they need the
            processor and would disturb timers.
    """

    kind: str
    packet: str = ""
    how: Mapping[str, object] = {}
    is_quiet: bool = False
    blocks: int = _BLOCKS
    shift: int = 0

    @property
    def words(self) -> str:
        """The day in the words of the table."""
        given = {name: value for name, value in self.how.items() if value is not None}
        arguments = " ".join(f"{name}={value}" for name, value in given.items())
        words = f"`{' '.join(filter(None, (self.kind, self.packet, arguments)))}`"
        return f"{words}, quiet server" if self.is_quiet else words

    @property
    def is_large(self) -> bool:
        """Whether its file has more blocks than there are numbers."""
        return self.blocks > _BLOCKS

    @property
    def patience(self) -> float:
        """Seconds that a program has to end."""
        return _PATIENCE_FOR_MANY if self.is_large else PATIENCE

    def settings(self) -> Mapping[str, object]:
        """Returns the settings of its server that differ from the usual ones."""
        if self.is_quiet:
            return {"retransmission": Retransmission.fixed, "timeout": _QUIET_FOR}
        return {"max_blksize": _SMALLEST} if self.is_large else {}

    def begin(self, server: TftpServer) -> None:
        """Injects the faults into a server."""
        if self.packet:
            server.faults.inject(self.kind, self.packet, **self.how)
        else:
            server.faults.use(self.kind)


_SPECIAL = {
    # Each copy makes another one in some programs: the traffic grows without bounds.
    Scenario.sorcerers_apprentice: Day("sorcerers_apprentice", shift=1),
    # As many blocks as there are numbers, and 64 more.
    Scenario.rollover: Day("rollover", blocks=65_600, shift=2),
}
_NAMED = tuple(_SPECIAL.get(each) or Day(each.value) for each in Scenario)
_QUIET = tuple(Day(kind, is_quiet=True) for kind in ("lost_block", "lost_ack", "lost_first_answer"))
_SINGLE: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("delay", {"delay": 0.5}),
    ("reorder", {}),
    ("corrupt", {}),
    ("short_block", {}),
    ("long_block", {}),
    ("runt", {}),
    ("wrong_block", {"number": "+1"}),
    ("wrong_tid", {}),
    ("stray", {}),
    ("bad_opcode", {}),
    ("error", {"code": 3}),
    ("stall", {}),
    ("vanish", {}),
)
_ALWAYS: Mapping[str, object] = {"times": None}
_ONLY_DATA = ("corrupt", "short_block", "long_block")
_OF_ANSWERS = (
    Day("duplicate", "OACK"),
    Day("unterminated", "OACK", _ALWAYS),
    *(
        Day("wrong_oack", "OACK", {"options": options, **_ALWAYS})
        for options in ("blksize=9000", "tsize=1", "blksize=-")
    ),
)
_STORM = Day("duplicate", "ACK 3", {"copies": 20})
DOWNLOADS = (
    *_NAMED,
    *_QUIET,
    *(Day(kind, "DATA 3", how) for kind, how in _SINGLE),
    *_OF_ANSWERS,
)
UPLOADS = (
    *(day for day in _NAMED if day.kind != "missing_then_there"),
    *_QUIET,
    *(Day(kind, "ACK 3", how) for kind, how in _SINGLE if kind not in _ONLY_DATA),
    _STORM,
    *_OF_ANSWERS,
)


class Cell(NamedTuple):
    """One program on one day."""

    day: Day
    client: str
    is_download: bool

    def run(self) -> Outcome:
        """Lets the program do its work, and returns how it ended."""
        # Each day has its own file, so that no wrong file is taken for a right one.
        octets = random.Random(self.day.words).randbytes(self._size())
        content = {_FILE: octets} if self.is_download else {}
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = stack.enter_context(
                TftpServer(content=content, settings=_SETTINGS.changed(self.day.settings()))
            )
            self.day.begin(server)
            outcome = self._ended(server, folder / _FILE, octets)
            is_struck = bool(server.faults.links) or any(each.hits for each in server.faults.all())
            return outcome if is_struck or outcome is not Outcome.ok else Outcome.none

    def _size(self) -> int:
        block = self.day.settings().get("max_blksize", _LARGEST_BLOCK)
        return self.day.blocks * int(str(block)) + 77

    def _ended(self, server: TftpServer, local: Path, octets: bytes) -> Outcome:
        if not self.is_download:
            local.write_bytes(octets)
        if self.client in OURS:
            problem = self._run_ours(server, local)
        else:
            problem = self._run_other(server, local)
        if problem:
            return problem
        is_right = local.exists() and local.read_bytes() == octets
        if not self.is_download:
            is_right = _arrives(server, octets)
        return Outcome.ok if is_right else Outcome.wrong

    def _run_ours(self, server: TftpServer, local: Path) -> Outcome | None:
        with TftpClient(server.host, server.port, OURS[self.client]) as client:
            try:
                if self.is_download:
                    client.get(_FILE, local)
                else:
                    client.put(local, _FILE)
            except TftpError:
                return Outcome.refuses
        return None

    def _run_other(self, server: TftpServer, local: Path) -> Outcome | None:
        at = Place(server.host, server.port)
        ended = run_client(
            self.client, at, local, _FILE, is_get=self.is_download, patience=self.day.patience
        )
        if ended.status is None:
            return Outcome.hangs
        # tftp-hpa ends with status 0 even then; it prints something only where it failed.
        has_complained = self.client == "tftp-hpa" and len(ended.printed.splitlines()) > 1
        return Outcome.refuses if ended.status or has_complained else None


def _arrives(server: TftpServer, octets: bytes) -> bool:
    until = time.monotonic() + _ARRIVES
    while time.monotonic() < until:
        try:
            if server.files.read_bytes(_FILE) == octets:
                return True
        except (OSError, UsageError):
            pass
        time.sleep(0.05)
    return False
