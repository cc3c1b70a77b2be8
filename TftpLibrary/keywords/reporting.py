"""What the keywords write into Robot's log. Only Robot's own thread can do that.

Names that a peer chose are untrusted: they are printable when they come here, and `markup` escapes
them before they become part of HTML.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

from TftpLibrary.faults.reports import TftpFault
from TftpLibrary.keywords import outgoing
from TftpLibrary.keywords.base import log_address
from TftpLibrary.keywords.capture_files import Keep, Settled
from TftpLibrary.keywords.injected import Ended
from TftpLibrary.keywords.log.markup import peer_text, text
from TftpLibrary.keywords.log.timeline import transfers_table
from TftpLibrary.keywords.state import Stopped
from TftpLibrary.protocol.packets import Mode
from TftpLibrary.recording.capture import Captured
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import View
from TftpLibrary.recording.wording import (
    duration_text,
    faults_text,
    kind_text,
    outcome_text,
    peer_words,
    remarks_text,
    running_text,
)
from TftpLibrary.sizes import percent_text, rate_text, size_text
from TftpLibrary.station import Station
from TftpLibrary.store.base import StoredFile

PROGRESS_PAUSE = 5.0
"""Seconds between two lines about a long copy."""

MOST_RETURNED = 50
"""Transfers that are logged, of those that a keyword returns."""

WAIT_PAUSE = 3.0
"""Seconds between two lines on a terminal about a wait."""

_TFTP_PORT = 69
_MOST_SHOWN = 3


class _Pace:
    """Tells when the next line about something long is due."""

    def __init__(self, pause: float = PROGRESS_PAUSE) -> None:
        self._pause = pause
        self._last = time.monotonic()

    def is_due(self) -> bool:
        now = time.monotonic()
        if now - self._last < self._pause:
            return False
        self._last = now
        return True


def copy_progress(name: str) -> Callable[[int, int | None], None]:
    """Returns what logs how far the copy of a file is, at most once in five seconds.

    It takes the bytes that are copied, and how many there will be if that is known.
    """
    pace = _Pace()

    def report(done: int, total: int | None) -> None:
        if pace.is_due():
            of_total = f", {percent_text(done, total)} of {size_text(total)}" if total else ""
            outgoing.info(f"Copying '{name}': {size_text(done)}{of_total}")

    return report


def transfer_progress(wait: float = 0.0) -> Callable[[Transfer], None]:
    """Returns a function that logs how far a transfer is, at most once in five seconds.

    On a terminal it also prints that, and before there is an answer how long it waits.

    Args:
        wait: seconds that the client waits at least for a first answer.
    """
    pace, printing = _Pace(), _Pace(WAIT_PAUSE)
    terminal = _terminal()
    # The first line must not stand behind the name of the test.
    lines = iter(("\n",))

    def report(transfer: Transfer) -> None:
        if pace.is_due():
            log_transfer(transfer)
        if terminal and transfer.is_running and printing.is_due():
            outgoing.console(f"{next(lines, '')}{asking_text(transfer, wait)}", stream=terminal)

    return report


def asking_text(transfer: Transfer, wait: float) -> str:
    """Returns a line about a running transfer of our client, or about its wait for an answer."""
    if transfer.answered_by:
        return running_text(transfer, 40)
    waited = duration_text(round(transfer.duration))
    of_wait = f" of {duration_text(wait)}" if wait else ""
    return f"Waiting for an answer from {transfer.server}, {waited}{of_wait}"


def log_started(server: Station) -> None:
    """Logs where a server is and what it serves, and warns of what is odd in its folder."""
    log_server(server)
    for warning in server.warnings:
        outgoing.warn(warning)


def warn_running(server: Station) -> None:
    """Warns that nothing was started, since the server runs already."""
    outgoing.warn(f"TFTP server '{server.alias}' is running already at {server.url()}.")


def warn_not_running(text: str) -> None:
    """Warns that there was nothing to stop."""
    outgoing.warn(f"Nothing to stop: {text}")


def log_stopped(stopped: Iterable[Stopped]) -> None:
    """Logs the servers that were stopped, what that cut short, and what could not be cleaned up."""
    for server in stopped:
        outgoing.info(f"Stopped TFTP server '{server.alias}' at {server.url}.")
        for transfer in server.transfers:
            outgoing.info(f"Cut short: {transfer_text(transfer)}")
        for warning in server.warnings:
            outgoing.warn(warning)
        log_ended(server.faults)


def log_injected(what: str, text: str, seed: int | None = None) -> None:
    """Logs what happens on purpose from now on, and the seed of its chance, which repeats it."""
    again = "" if seed is None else f"; seed {seed}; give seed={seed} to see this day again"
    outgoing.info(f"{what}: {text}{again}")


def warn_doubt(doubt: str) -> None:
    """Warns of a fault that can hardly happen."""
    if doubt:
        outgoing.warn(doubt)


def log_faults(faults: Sequence[TftpFault]) -> None:
    """Logs faults that a keyword returns, a line for each."""
    outgoing.info("\n".join([_count(len(faults), "fault"), *map(fault_line, faults)]))


def log_ended(ended: Iterable[Ended]) -> None:
    """Logs the faults that ended, and warns of those that should have happened."""
    for each in ended:
        if each.miss:
            outgoing.warn(each.miss)
        else:
            outgoing.info(fault_line(each.fault))


def fault_line(fault: TftpFault) -> str:
    """Returns what a fault did, in one line."""
    if not fault.hits:
        return f"Fault {fault.id} did not happen: {fault.text}"
    times = "once" if fault.hits == 1 else f"{fault.hits:,} times"
    whom = ", ".join(f"{client} {count:,}" for client, count in fault.clients.items() if client)
    return f"Fault {fault.id} happened {times}{f' ({whom})' if whom else ''}: {fault.text}"


def log_stored(files: Sequence[StoredFile]) -> None:
    """Logs files that were put into the store."""
    for file in files:
        done = "Stored" if file.uploaded else "Already there, with the same content:"
        outgoing.info(f"{done} '{file.name}', {size_text(file.size)}, sha256 {file.sha256}")


def log_file(file: StoredFile) -> None:
    """Logs the description of a file."""
    outgoing.info(
        f"'{file.name}': {size_text(file.size)}, crc32 {file.crc32}, sha256 {file.sha256}"
    )


def log_server(server: Station) -> None:
    """Logs the description of a server."""
    access = "boards may write" if server.settings.writable else "read-only"
    outgoing.info(
        f"TFTP server '{server.alias}' serves {server.root} at {server.url()} ({access})."
    )


def log_names(what: str, names: Sequence[str]) -> None:
    """Logs names of files."""
    outgoing.info("\n".join([f"{what}: {_count(len(names), 'file')}", *names]))


def log_found(transfers: Sequence[Transfer]) -> None:
    """Logs transfers that a keyword returns, a line for each of the latest."""
    hidden = len(transfers) - MOST_RETURNED
    earlier = [f"... {hidden} earlier ones"] if hidden > 0 else []
    lines = map(transfer_text, transfers[-MOST_RETURNED:])
    outgoing.info("\n".join([_count(len(transfers), "transfer"), *earlier, *lines]))


def log_transfer(transfer: Transfer) -> None:
    """Logs one transfer in one line, and warns where more came than was announced."""
    outgoing.info(transfer_text(transfer))
    _warn_excess(transfer)


def log_fetched(transfer: Transfer, path: Path) -> None:
    """Logs one transfer in one line, and where its file is now."""
    outgoing.info(f"{transfer_text(transfer)}, stored as {path}")
    _warn_excess(transfer)


def log_capturing(server: Station, path: Path, keep: Keep) -> None:
    """Logs that the packets of a server are captured from now on."""
    stays = {
        Keep.failed: "The file stays only if the test fails.",
        Keep.always: "The file stays.",
        Keep.never: "The file is removed when the test ends.",
    }
    log_html(f"Capturing the packets of '{text(server.alias)}' to {_link(path)}. {stays[keep]}")


def log_captured(captured: Captured, port: int) -> None:
    """Logs what a capture has, and how to open it; warns where it ended early."""
    packets = _count(captured.packets, "packet")
    log_html(f"Captured {packets}, {size_text(captured.octets)}: {_link(captured.path)}")
    if port != _TFTP_PORT:
        outgoing.info(
            f"At port {port} Wireshark has to be told that it is TFTP: "
            f"wireshark -d udp.port=={port},tftp {captured.path.name}"
        )
    if captured.warning:
        outgoing.warn(captured.warning)


def log_settled(settled: Iterable[Settled]) -> None:
    """Logs what became of the captures of a test or a suite that ends."""
    for capture in settled:
        path = capture.captured.path
        if capture.was_open:
            log_captured(capture.captured, capture.port)
        if capture.trouble:
            outgoing.warn(f"Cannot remove the capture '{path}': {capture.trouble}.")
        elif not capture.is_kept:
            outgoing.info(f"Removed the capture '{path.name}' (keep={capture.keep.value}).")


def wait_progress(what: str, timeout: float) -> Callable[[View], None]:
    """Returns what tells on a terminal, every few seconds, how far a wait is.

    It takes what was seen. Where nobody looks, in CI for instance, it does nothing.

    Args:
        what: what is waited for.
        timeout: seconds that the wait lasts at most.
    """
    terminal = _terminal()
    pace = _Pace(WAIT_PAUSE)
    begun = time.monotonic()
    # The first line must not stand behind the name of the test.
    lines = iter(("\n",))

    def report(view: View) -> None:
        if terminal and pace.is_due():
            waited = time.monotonic() - begun
            text = waiting_text(view.transfers, what, waited, timeout)
            outgoing.console(f"{next(lines, '')}{text}", stream=terminal)

    return report


def waiting_text(transfers: Sequence[Transfer], what: str, waited: float, timeout: float) -> str:
    """Returns a line about what runs during a wait, or that nothing does."""
    running = [transfer for transfer in transfers if transfer.is_running]
    if not running:
        times = f"{duration_text(round(waited))} of {duration_text(timeout)}"
        return f"Waiting for {what}, {times}: {_count(len(transfers), 'request')}, none is running"
    more = f"; and {len(running) - _MOST_SHOWN} more" if len(running) > _MOST_SHOWN else ""
    return "; ".join(running_text(transfer, 40) for transfer in running[-_MOST_SHOWN:]) + more


def log_html(html: str) -> None:
    """Logs a piece of HTML, in which everything from a peer is escaped."""
    outgoing.info(html, html=True)


def log_more(outcomes: Mapping[str, int], unseen: int) -> None:
    """Logs how many transfers ended for which there is no card.

    Args:
        outcomes: how many of each outcome.
        unseen: how many were dropped from the record before anyone looked.
    """
    parts = [f"{count:,} {outcome}" for outcome, count in outcomes.items()]
    parts += [f"{unseen:,} dropped from the record"] if unseen else []
    count = sum(outcomes.values()) + unseen
    told = _count(count, "more transfer")
    outgoing.info(f"{told} ended: {', '.join(parts)}. `Log Transfers` shows the latest.")


def log_transfers(view: View) -> None:
    """Logs transfers as a table."""
    if not view.transfers:
        outgoing.info("No transfers since the mark.")
    else:
        _log_table("", view)


def log_requests(view: View) -> None:
    """Logs the requests of a test that failed as a table."""
    if not view.transfers:
        outgoing.info("No request was seen in this test.")
    else:
        _log_table("<b>Requests of this test:</b>\n", view)


def transfer_text(transfer: Transfer) -> str:
    """Returns one transfer in one line."""
    options = f", {_options_text(transfer)}" if transfer.granted else ""
    resent = f", {transfer.retransmits} retransmits" if transfer.retransmits else ""
    peer = peer_words(transfer) if transfer.is_ours else f"from {peer_text(transfer)}"
    return (
        f"{kind_text(transfer)} for '{transfer.filename}' {peer}: "
        f"{outcome_text(transfer)} in {duration_text(transfer.duration)} "
        f"({rate_text(transfer.rate)}){options}{resent}"
        f"{faults_text(transfer)}{remarks_text(transfer)}"
    )


def _warn_excess(transfer: Transfer) -> None:
    if transfer.size and transfer.octets > transfer.size and transfer.mode == Mode.octet.value:
        outgoing.warn(
            f"'{transfer.filename}' has {transfer.octets:,} bytes, but {transfer.size:,} were "
            "announced."
        )


def _log_table(head: str, view: View) -> None:
    log_html(f"{head}{transfers_table(view.transfers)}")
    if not view.is_complete:
        outgoing.info("Older transfers were dropped: the record was full.")


def _options_text(transfer: Transfer) -> str:
    return " ".join(f"{name}={value}" for name, value in transfer.granted.items())


def _link(path: Path) -> str:
    return f'<a href="{text(log_address(path))}">{text(path.name)}</a>'


def _count(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _terminal() -> Literal["stdout", "stderr"] | None:
    """Returns the stream on which a person sees a line at once; None where there is none."""
    if os.environ.get("CI"):
        return None
    streams = {"stdout": sys.__stdout__, "stderr": sys.__stderr__}
    for name, stream in streams.items():
        # A program without a console, and a test that closed it, have none.
        if stream is not None and not stream.closed and stream.isatty():
            return cast("Literal['stdout', 'stderr']", name)
    return None
