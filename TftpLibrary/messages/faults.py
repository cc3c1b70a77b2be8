"""The questions of a test about faults on purpose, and the texts that explain the answers."""

from __future__ import annotations

from TftpLibrary.errors import ExpectationError
from TftpLibrary.faults.placed import Stage
from TftpLibrary.faults.reports import FaultReport, TftpFault
from TftpLibrary.matching import client_test
from TftpLibrary.messages.likeness import nearest_names
from TftpLibrary.recording.records import Transfer
from TftpLibrary.recording.view import View
from TftpLibrary.recording.wording import duration_text, outcome_text, request_text

_SHOWN = 3
_HITS_SHOWN = 5
_OF_NO_OACK = {Stage.file, Stage.client, Stage.way, Stage.packet}
"""Why a fault left packets alone, where none was the option answer that it waits for."""


def expect_happened(
    report: FaultReport, view: View, times: int | None = None, client: str = ""
) -> TftpFault:
    """Returns a fault that happened.

    Args:
        report: what is known of it.
        view: the transfers since it was injected.
        times: how often it must have happened; None for at least once.
        client: the address whom it must have struck; empty for anybody.

    Raises:
        ExpectationError: it did not happen, or not so often; the text explains why.
    """
    hits = count_of(report, client)
    if hits == times or (times is None and hits):
        return report.fault
    if hits == 0:
        raise ExpectationError(explain_miss(report, view, client))
    raise ExpectationError(_explain_count(report, hits, times, client))


def count_of(report: FaultReport, client: str = "") -> int:
    """Returns how often a fault happened, to the clients of an address or a network, or to all."""
    fits = client_test(client)
    return sum(count for address, count in report.fault.clients.items() if fits(address))


def explain_miss(report: FaultReport, view: View, client: str = "") -> str:
    """Returns why a fault did not happen: the nearest miss."""
    fault = report.fault
    whom = f" to {client}" if client else ""
    head = f"Fault {fault.id} did not happen{whom}: {fault.text}."
    if client and fault.hits:
        others = ", ".join(f"{each} ({count})" for each, count in fault.clients.items())
        return f"{head}\nIt happened to {others}."
    if not report.requests and not fault.passed_by:
        return f"{head}\n{_no_request(report, view)}"
    transfers = view.select(fault.file, fault.client)
    return "\n".join([head, _passed_by(report, transfers), _left_alone(report, transfers)]).rstrip()


def _explain_count(report: FaultReport, hits: int, times: int | None, client: str) -> str:
    fault = report.fault
    fits = client_test(client)
    shown = [hit for hit in report.hits if fits(hit.client)]
    lines = "; ".join(
        f"{hit.seconds:.2f} s {hit.client or 'our client'} {hit.words}"
        for hit in shown[:_HITS_SHOWN]
    )
    more = f" and {hits - _HITS_SHOWN} more" if hits > _HITS_SHOWN else ""
    advice = (
        ""
        if client or len(fault.clients) < 2
        else (" Counts are kept for each client: client= narrows a fault to one.")
    )
    return (
        f"Fault {fault.id} happened {_times(hits)}, expected {times}: {fault.text}.\n"
        f"{lines}{more}.{advice}"
    )


def _no_request(report: FaultReport, view: View) -> str:
    fault = report.fault
    text = f"No request for it came in {duration_text(report.age)}."
    if named := view.select(fault.file):
        is_other = not client_test(fault.client)(named[-1].client)
        why = "came from another client" if is_other else "had come before the fault"
        return f"{text} The {request_text(named[-1])} {why}."
    near = nearest_names(fault.file, [transfer.filename for transfer in view.transfers], 1)
    if not near:
        return text
    return (
        f"{text} Nearest: '{near[0]}' ({outcome_text(view.select(near[0])[-1])}). Names match "
        "exactly, with case and folders."
    )


def _passed_by(report: FaultReport, transfers: tuple[Transfer, ...]) -> str:
    count = len(transfers)
    noun = "transfer" if count == 1 else "transfers"
    parts = [f"{request_text(each)}, {_blocks(each)}" for each in transfers[-_SHOWN:]]
    listed = f": {'; '.join(parts)}" if parts else ""
    return f"In {duration_text(report.age)} {count} {noun} passed by it{listed}."


def _blocks(transfer: Transfer) -> str:
    blksize = transfer.granted.get("blksize", "512")
    noun = "block" if transfer.blocks == 1 else "blocks"
    return f"{transfer.blocks} {noun} of {blksize}"


def _left_alone(report: FaultReport, transfers: tuple[Transfer, ...]) -> str:
    fault = report.fault
    if not fault.packet:
        if report.left_alone.get(Stage.content):
            return "It was left alone: the file is too short to be changed so."
        return "It was left alone: it was not its turn yet (after=)."
    if not fault.passed_by:
        return "No packet passed by it: it came when these transfers were over."
    name = fault.packet.split()[0]
    low, high = report.lowest, report.highest
    blocks = "" if low is None else str(low) if low == high else f"{low}-{high}"
    words = {
        Stage.way: "went the other way",
        Stage.packet: f"were no {name}",
        Stage.block: f"were {name} {blocks}".rstrip(),
        Stage.content: "had no content",
        Stage.count: "were not its turn",
        Stage.chance: "were spared by chance",
    }
    parts = [
        f"{report.left_alone[stage]} {words[stage]}"
        for stage in words
        if report.left_alone.get(stage)
    ]
    text = f"It was left alone {_times(fault.passed_by)}: {', '.join(parts)}."
    return f"{text}{_advice(report, transfers)}"


def _advice(report: FaultReport, transfers: tuple[Transfer, ...]) -> str:
    """The one thing to do, where the last stage says it."""
    name, _, blocks = report.fault.packet.partition(" ")
    if Stage.block in report.left_alone and blocks and blocks[0].isdigit():
        first = int(blocks.replace(",", "-").split("-")[0])
        is_beyond = report.highest is not None and report.highest < first
        if name == "ACK":
            return (
                " In windows not every block has an ACK: ACK without a number strikes the next one."
            )
        if is_beyond and any(each.outcome is not None for each in transfers):
            return f" The file has no block {first}: use a smaller blksize, or {name} last."
    if name == "OACK" and not report.left_alone.keys() - _OF_NO_OACK:
        return " There was no option answer: the board asked for no option."
    return ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
