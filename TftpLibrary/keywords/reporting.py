"""What the keywords write into Robot's log. Only Robot's own thread can do that.

Names that a peer chose are untrusted: they are printable when they come here, and they are
escaped before they become part of HTML.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path

from robot.api import logger

from TftpLibrary.keywords.state import Stopped
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.wording import (
    duration_text,
    outcome_text,
    percent_text,
    rate_text,
    size_text,
)
from TftpLibrary.server import TftpServer
from TftpLibrary.store.base import StoredFile

PROGRESS_PAUSE = 5.0
"""Seconds between two lines about a long copy."""

_COLUMNS = (
    "No.",
    "Time",
    "Server",
    "Client",
    "Request",
    "File",
    "Outcome",
    "Octets",
    "Duration",
    "Rate",
    "Options",
)


class _Pace:
    """Tells when the next line about something long is due."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def is_due(self) -> bool:
        now = time.monotonic()
        if now - self._last < PROGRESS_PAUSE:
            return False
        self._last = now
        return True


def copy_progress(name: str) -> Callable[[int, int | None], None]:
    """Returns what logs how far a copy is, at most once in five seconds.

    It takes the octets that are copied, and how many there will be if that is known.
    """
    pace = _Pace()

    def report(done: int, total: int | None) -> None:
        if pace.is_due():
            of_total = f", {percent_text(done, total)} of {size_text(total)}" if total else ""
            logger.info(f"Copying '{name}': {size_text(done)}{of_total}")

    return report


def transfer_progress() -> Callable[[Transfer], None]:
    """Returns what logs how far a transfer is, at most once in five seconds."""
    pace = _Pace()

    def report(transfer: Transfer) -> None:
        if pace.is_due():
            log_transfer(transfer)

    return report


def log_started(server: TftpServer) -> None:
    """Logs where a server is and what it serves."""
    access = "boards may write" if server.settings.writable else "read-only"
    logger.info(f"TFTP server '{server.alias}' serves {server.root} at {server.url()} ({access}).")


def warn_running(server: TftpServer) -> None:
    """Warns that nothing was started, since the server runs already."""
    logger.warn(f"TFTP server '{server.alias}' is running already at {server.url()}.")


def warn_not_running(text: str) -> None:
    """Warns that there was nothing to stop."""
    logger.warn(f"Nothing to stop: {text}")


def log_stopped(stopped: Iterable[Stopped]) -> None:
    """Logs the servers that were stopped, what that cut short, and what could not be cleaned up."""
    for server in stopped:
        logger.info(f"Stopped TFTP server '{server.alias}' at {server.url}.")
        for transfer in server.transfers:
            logger.info(f"Cut short: {transfer_text(transfer)}")
        for warning in server.warnings:
            logger.warn(warning)


def log_stored(files: Sequence[StoredFile]) -> None:
    """Logs files that were put into the store."""
    for file in files:
        done = "Stored" if file.uploaded else "Already there, with the same content:"
        logger.info(f"{done} '{file.name}', {size_text(file.size)}, sha256 {file.sha256}")


def log_transfer(transfer: Transfer) -> None:
    """Logs one transfer in one line."""
    logger.info(transfer_text(transfer))


def log_fetched(transfer: Transfer, path: Path) -> None:
    """Logs one transfer in one line, and where its file is now."""
    logger.info(f"{transfer_text(transfer)}, stored as {path}")


def log_transfers(transfers: Sequence[Transfer]) -> None:
    """Logs transfers as a table."""
    if transfers:
        logger.info(transfers_table(transfers), html=True)
    else:
        logger.info("No transfers since the mark.")


def transfer_text(transfer: Transfer) -> str:
    """Returns one transfer in one line."""
    packet = "RRQ" if transfer.direction is Direction.read else "WRQ"
    options = f", {_options_text(transfer)}" if transfer.granted else ""
    resent = f", {transfer.retransmits} retransmits" if transfer.retransmits else ""
    return (
        f"{packet} '{transfer.filename}', {_peer_text(transfer)}: "
        f"{outcome_text(transfer)} in {duration_text(transfer.duration)} "
        f"({rate_text(transfer.rate)}){options}{resent}"
    )


def transfers_table(transfers: Sequence[Transfer]) -> str:
    """Returns an HTML table with one line of text for each transfer."""
    head = _row("th", _COLUMNS)
    rows = [_row("td", _cells(transfer)) for transfer in transfers]
    return "\n".join(["<table>", head, *rows, "</table>"])


def _cells(transfer: Transfer) -> tuple[str, ...]:
    return (
        str(transfer.id),
        transfer.started.strftime("%H:%M:%S.%f")[:-3],
        transfer.server,
        _peer_text(transfer),
        "RRQ" if transfer.direction is Direction.read else "WRQ",
        transfer.filename,
        outcome_text(transfer),
        f"{transfer.octets:,}",
        duration_text(transfer.duration),
        rate_text(transfer.rate) if transfer.octets else "",
        _options_text(transfer),
    )


def _row(cell: str, texts: Iterable[str]) -> str:
    # A space between the cells keeps the row readable where the tags are not rendered.
    cells = " ".join(f"<{cell}>{escape(text)}</{cell}>" for text in texts)
    return f"<tr>{cells}</tr>"


def _options_text(transfer: Transfer) -> str:
    return " ".join(f"{name}={value}" for name, value in transfer.granted.items())


def _peer_text(transfer: Transfer) -> str:
    host = f"[{transfer.client}]" if ":" in transfer.client else transfer.client
    return f"{host}:{transfer.client_port}"
