"""How long no transfer has run, and the message when that was not long enough.

Pure functions over the tuple that `Recorder.transfers` returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from TftpLibrary.recording.query import describe_requests
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.wording import duration_text, outcome_text, request_text


def idle_time(transfers: Sequence[Transfer], now: datetime) -> float:
    """Returns the seconds since the last transfer ended.

    It is 0 while one runs, and without end where there was none.
    """
    if any(transfer.is_running for transfer in transfers):
        return 0.0
    ends = [transfer.ended for transfer in transfers if transfer.ended is not None]
    return (now - max(ends)) / timedelta(seconds=1) if ends else float("inf")


def explain_activity(
    transfers: Sequence[Transfer],
    idle: float,
    timeout: float,
    client: str = "",
    *,
    is_complete: bool = True,
) -> str:
    """Returns why a wait for silence was in vain: what runs, or what came last.

    Args:
        transfers: what was seen since the mark, of that client.
        idle: seconds without a transfer that were waited for.
        timeout: seconds that were waited.
        client: the address or network; empty for any.
        is_complete: False when the recorder dropped some of the transfers.
    """
    source = f" from {client}" if client else ""
    head = f"Transfers{source} were not idle for {duration_text(idle)} in {duration_text(timeout)}"
    requests = describe_requests(transfers, is_complete=is_complete)
    return f"{head}: {_reason(transfers)}\n{requests}"


def _reason(transfers: Sequence[Transfer]) -> str:
    running = [transfer for transfer in transfers if transfer.is_running]
    if running:
        last = running[-1]
        others = f" and {len(running) - 1} more" if len(running) > 1 else ""
        silent = f", silent for {duration_text(last.idle)}" if last.idle >= 1 else ""
        return (
            f"{request_text(last)} is {outcome_text(last)}{silent}{others}. Raise timeout=, or "
            "look at the board's console."
        )
    if transfers:
        last = max(transfers, key=lambda transfer: transfer.ended or transfer.started)
        return (
            f"the last one was {request_text(last)}: {outcome_text(last)}. The board keeps asking: "
            "raise timeout=, or lower idle=."
        )
    return "there was none, but the wait was shorter than that. Raise timeout= above idle=."
