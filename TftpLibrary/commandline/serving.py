"""The command `serve`: a TFTP server that prints each transfer to standard error."""

from __future__ import annotations

import argparse
import time
from collections import deque

from TftpLibrary.commandline.arguments import settings
from TftpLibrary.commandline.lines import Totals, progress_line, transfer_line
from TftpLibrary.commandline.output import Output, errors, output
from TftpLibrary.commandline.stopping import StopFlag
from TftpLibrary.recording.recorder import SLICE, Recorder
from TftpLibrary.server import TftpServer
from TftpLibrary.settings import ServerSettings

RECORD_LIMIT = 1000
"""Ended transfers that are kept until they are printed."""

BATCH_TIME = 0.05
"""Seconds between two prints: waking for each transfer that ends would cost speed."""

PROGRESS_TIME = 0.5
"""Seconds between two live lines on a terminal."""


def run(options: argparse.Namespace) -> int:
    """Serves a folder until a signal arrives, and returns the exit status.

    Raises:
        UsageError: the server cannot start; the text says what to do.
    """
    recorder = Recorder(RECORD_LIMIT)
    server = TftpServer(
        options.root,
        settings(ServerSettings, options, keep_files=True),
        recorder=recorder,
    )
    report = Report(recorder, errors(), is_quiet=options.quiet)
    started = time.monotonic()
    with StopFlag() as stop, server:
        output().line(f"serving {options.root} at {server.url()}")
        for warning in server.warnings:
            errors().line(warning)
        while not stop.is_set:
            recorder.wait_for_change(report.position, SLICE)
            report.update()
            time.sleep(BATCH_TIME)
    report.finish(time.monotonic() - started)
    return 0


class Report:
    """Prints each transfer that ended, once, and counts them."""

    def __init__(self, recorder: Recorder, errors: Output, *, is_quiet: bool) -> None:
        self.position = 0
        self._recorder = recorder
        self._errors = errors
        self._is_quiet = is_quiet
        self._totals = Totals()
        self._printed = 0
        self._next_progress = 0.0
        # Lines that wait for a reader. There are no new ones before these are printed.
        self._lines: deque[str] = deque()

    def update(self) -> None:
        """Prints the news, as far as somebody reads them."""
        self._collect()
        self._print()
        if self._errors.is_terminal and not self._is_quiet and not self._lines:
            self._print_progress()

    def finish(self, seconds: float) -> None:
        """Prints the transfers that ended since, and the summary."""
        self._errors.progress("")
        self._print()
        self._collect()
        self._lines.append(self._totals.summary(seconds))
        self._print()

    def _print(self) -> None:
        while self._lines and self._errors.is_ready():
            self._errors.line(self._lines.popleft())

    def _collect(self) -> None:
        if self._lines:
            return
        # The position first: a transfer that ends while this reads is news again, never lost.
        self.position, before = self._recorder.position, self._printed
        self._printed, ended = self._recorder.ends(before)
        for transfer in ended:
            self._totals.add(transfer)
            if not self._is_quiet:
                self._lines.append(transfer_line(transfer))
        unseen = self._printed - before - len(ended)
        self._totals.unseen += unseen
        if unseen and not self._is_quiet:
            self._lines.append(f"{unseen} transfers are not shown: nobody read the lines in time")
        self._lines.extend(f"unexpected: {text}" for text in self._recorder.take_defects())

    def _print_progress(self) -> None:
        now = time.monotonic()
        if now >= self._next_progress:
            self._next_progress = now + PROGRESS_TIME
            running = [transfer for transfer in self._recorder.transfers() if transfer.is_running]
            self._errors.progress(progress_line(running))
