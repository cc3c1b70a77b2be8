"""What a wait says when it found nothing: each message with its full text."""

from __future__ import annotations

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.query import (
    describe_requests,
    explain_missing_download,
    explain_missing_request,
    explain_missing_upload,
)
from utest.support.records import BOARD, completed, ended, partial, refused, transfer

OTHER = "192.168.1.51"


def test_no_request_is_said_so() -> None:
    assert describe_requests(()) == "No request was seen since the mark."


def test_requests_are_listed_oldest_first() -> None:
    text = describe_requests((refused(), completed("uImage"), partial()))
    assert text == (
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: file not found; "
        "2 RRQ 'uImage' from 192.168.1.50: completed, 7.8 MB; "
        "3 RRQ 'zImage' from 192.168.1.50: running, 41 % (3.2 of 7.8 MB)."
    )


def test_long_list_has_near_names_first_with_their_numbers() -> None:
    seen = (*(refused(f"pxelinux.cfg/{n}") for n in "0123"), refused("/boot/zimage"), refused())
    text = describe_requests(seen, near="zImage", limit=3)
    assert text == (
        "Requests seen: 5 RRQ '/boot/zimage' from 192.168.1.50: file not found; "
        "6 RRQ 'zImage' from 192.168.1.50: file not found; "
        "1 RRQ 'pxelinux.cfg/0' from 192.168.1.50: file not found; and 3 more."
    )


def test_long_list_without_a_name_has_the_oldest() -> None:
    text = describe_requests((refused("a"), refused("b"), refused("c")), limit=1)
    assert text == "Requests seen: 1 RRQ 'a' from 192.168.1.50: file not found; and 2 more."


def test_dropped_records_are_told() -> None:
    assert describe_requests((), is_complete=False) == (
        "No request was seen since the mark. Older ones were dropped: the record was full."
    )


def test_long_name_is_cut_in_the_list() -> None:
    text = describe_requests((refused("a" * 500),))
    assert len(text) < 200
    assert "aaa...aaa" in text


def test_missing_file() -> None:
    assert explain_missing_download((refused(),), "zImage", BOARD, 60) == (
        "'zImage' was not downloaded from 192.168.1.50 in 60 s: it was requested and refused: "
        "file not found. Upload the file under the name that the board asks for.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: file not found."
    )


def test_missing_file_with_a_near_one_in_the_store() -> None:
    text = explain_missing_download((refused(),), "zImage", timeout=5, files=["zimage", "x.dtb"])
    assert text == (
        "'zImage' was not downloaded in 5 s: it was requested and refused: file not found. "
        "The store has 'zimage'. Upload the file under the name that the board asks for.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: file not found."
    )


def test_wrong_name_with_near_names() -> None:
    seen = (refused("zimage"), completed("boot/zImage"), refused("default"))
    assert explain_missing_download(seen, "zImage", BOARD, 60) == (
        "'zImage' was not downloaded from 192.168.1.50 in 60 s: no such name was requested, the "
        "nearest: 'zimage' (file not found), 'boot/zImage' (completed, 7.8 MB). "
        "Names match exactly, with case and folders, or as a glob such as '*/zImage'.\n"
        "Requests seen: 1 RRQ 'zimage' from 192.168.1.50: file not found; "
        "2 RRQ 'boot/zImage' from 192.168.1.50: completed, 7.8 MB; "
        "3 RRQ 'default' from 192.168.1.50: file not found."
    )


def test_other_names_only() -> None:
    assert explain_missing_download((refused("pxelinux.0"),), "zImage", "", 60) == (
        "'zImage' was not downloaded in 60 s: no such name was requested, and none like it. "
        "Look at what the board is set to load or to send, and at its console.\n"
        "Requests seen: 1 RRQ 'pxelinux.0' from 192.168.1.50: file not found."
    )


def test_half_a_download_that_went_idle() -> None:
    assert explain_missing_download((partial(idle=12.3),), "zImage", BOARD, 60) == (
        "'zImage' was not downloaded from 192.168.1.50 in 60 s: 41 % (3.2 of 7.8 MB), "
        "block 2210, idle for 12 s. "
        "The board went silent: look at its console, its power and its cable.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: running, 41 % (3.2 of 7.8 MB)."
    )


def test_half_a_download_that_goes_on() -> None:
    assert explain_missing_download((partial(idle=0.02),), "zImage", BOARD, 60) == (
        "'zImage' was not downloaded from 192.168.1.50 in 60 s: 41 % (3.2 of 7.8 MB), "
        "block 2210, still running. It needs about 67 s more: raise timeout=.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: running, 41 % (3.2 of 7.8 MB)."
    )


def test_half_a_download_of_unknown_size() -> None:
    assert explain_missing_download((partial(size=None),), "zImage", "", 60) == (
        "'zImage' was not downloaded in 60 s: 3.2 MB, block 2210, still running. "
        "Give it more time: timeout=.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: running, 3.2 MB."
    )


def test_half_a_download_that_timed_out() -> None:
    seen = (partial(outcome=Outcome.timed_out, error_message="No answer"),)
    assert explain_missing_download(seen, "zImage", "", 60) == (
        "'zImage' was not downloaded in 60 s: 41 % (3.2 of 7.8 MB), block 2210, "
        "then the board stopped answering. "
        "The board went silent: look at its console, its power and its cable.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: timed out at 41 % (3.2 of 7.8 MB)."
    )


def test_half_a_download_that_the_board_cut() -> None:
    seen = (partial(outcome=Outcome.failed, error_code=3, error_message="Disk full"),)
    assert explain_missing_download(seen, "zImage", "", 60) == (
        "'zImage' was not downloaded in 60 s: 41 % (3.2 of 7.8 MB), block 2210, "
        "then it failed: disk full. Look at the board's console for what went wrong there.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: "
        "failed at 41 % (3.2 of 7.8 MB): disk full."
    )


def test_half_a_download_that_this_end_stopped() -> None:
    seen = (partial(outcome=Outcome.aborted, error_message="Server stopped"),)
    assert explain_missing_download(seen, "zImage", "", 60) == (
        "'zImage' was not downloaded in 60 s: 41 % (3.2 of 7.8 MB), block 2210, "
        "then it was stopped: server stopped. "
        "This machine ended it: was the server stopped too early?\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: "
        "stopped at 41 % (3.2 of 7.8 MB): server stopped."
    )


def test_size_probe_only() -> None:
    seen = (ended("zImage", Outcome.probed, size=7_800_000, error_code=8),)
    assert explain_missing_download(seen, "zImage", BOARD, 60) == (
        "'zImage' was not downloaded from 192.168.1.50 in 60 s: only its size was asked. "
        "The board took the size and did not come back for the content: look at its console, "
        "the file may be too large for it.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: only its size was asked."
    )


def test_what_followed_a_size_probe_is_nearer_than_the_probe() -> None:
    seen = (partial(idle=3.0), ended("zImage", Outcome.probed))
    text = explain_missing_download(seen, "zImage", "", 60)
    assert text.startswith(
        "'zImage' was not downloaded in 60 s: 41 % (3.2 of 7.8 MB), block 2210, idle for 3 s. "
    )


def test_other_client() -> None:
    seen = (completed(client=OTHER), refused("pxelinux.0"))
    assert explain_missing_download(seen, "zImage", BOARD, 60) == (
        "'zImage' was not downloaded from 192.168.1.50 in 60 s: only other clients asked for it: "
        "192.168.1.51 (completed, 7.8 MB). "
        "Check client= and the board's address; behind NAT it is that of the router.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.51: completed, 7.8 MB; "
        "2 RRQ 'pxelinux.0' from 192.168.1.50: file not found."
    )


def test_other_client_and_other_name() -> None:
    assert explain_missing_download((refused("x", client=OTHER),), "zImage", BOARD, 60) == (
        "'zImage' was not downloaded from 192.168.1.50 in 60 s: 192.168.1.50 asked for nothing, "
        "only 192.168.1.51 did. "
        "Check client= and the board's address; behind NAT it is that of the router.\n"
        "Requests seen: 1 RRQ 'x' from 192.168.1.51: file not found."
    )


def test_nothing_asked() -> None:
    assert explain_missing_download((), "zImage", BOARD, 60) == (
        "'zImage' was not downloaded from 192.168.1.50 in 60 s: nothing was requested. "
        "Check the server address and port that the board uses, its cable, and the firewall of "
        "this machine.\n"
        "No request was seen since the mark."
    )


def test_glob_names_the_file_that_came_nearest() -> None:
    text = explain_missing_download((partial("kernel.img", idle=5),), "*.img", "", 60)
    assert text.startswith(
        "'*.img' was not downloaded in 60 s: 'kernel.img' 41 % (3.2 of 7.8 MB), block 2210, "
    )
    text = explain_missing_download((refused("kernel.img"),), "*.img", "", 60)
    assert text.startswith(
        "'*.img' was not downloaded in 60 s: 'kernel.img' was requested and refused: "
    )
    text = explain_missing_download((ended("kernel.img", Outcome.probed),), "*.img", "", 60)
    assert text.startswith(
        "'*.img' was not downloaded in 60 s: only the size of 'kernel.img' was asked. "
    )


def test_too_few_downloads() -> None:
    seen = (completed(), refused("default"))
    assert explain_missing_download(seen, "zImage", "", 60, times=2) == (
        "'zImage' was not downloaded in 60 s: only 1 of 2 times. "
        "Let the board ask again, or lower times=.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: completed, 7.8 MB; "
        "2 RRQ 'default' from 192.168.1.50: file not found."
    )


def test_too_few_downloads_and_half_a_one() -> None:
    text = explain_missing_download((completed(), partial(idle=3)), "zImage", "", 60, times=2)
    assert text.startswith(
        "'zImage' was not downloaded in 60 s: only 1 of 2 times; the last time "
        "41 % (3.2 of 7.8 MB), block 2210, idle for 3 s. The board went silent"
    )


def test_download_that_came_just_too_late() -> None:
    assert explain_missing_download((completed(),), "zImage", "", 60) == (
        "'zImage' was not downloaded in 60 s: it came just too late (completed, 7.8 MB). "
        "Raise timeout=.\n"
        "Requests seen: 1 RRQ 'zImage' from 192.168.1.50: completed, 7.8 MB."
    )


def test_board_that_sends_instead_of_asking() -> None:
    assert explain_missing_download((completed(direction=Direction.write),), "zImage", "", 60) == (
        "'zImage' was not downloaded in 60 s: the board sent it (WRQ) instead of asking for it "
        "(RRQ). `Wait Until File Is Received` waits for what a board sends.\n"
        "Requests seen: 1 WRQ 'zImage' from 192.168.1.50: completed, 7.8 MB."
    )


def test_board_that_asks_instead_of_sending() -> None:
    assert explain_missing_upload((refused("core"),), "core", "", 60) == (
        "'core' was not received in 60 s: the board asked for it (RRQ) instead of sending it "
        "(WRQ). `Wait Until File Is Downloaded` waits for what a board asks for.\n"
        "Requests seen: 1 RRQ 'core' from 192.168.1.50: file not found."
    )


@pytest.mark.parametrize(
    ("code", "reason", "hint"),
    [
        (1, "File not found", "The server was started with create=False: only files that exist."),
        (2, "Access violation", "Start the server with writable=True to let boards send files."),
        (3, "Disk full", "The file is larger than max_upload_size=, or the disk is full."),
        (4, "Illegal operation", "The request is not one that TFTP knows."),
        (6, "File exists", "Start the server with overwrite=True, or delete the file before."),
        (0, "Busy", "The ERROR packet tells the reason."),
    ],
)
def test_refused_upload_says_what_allows_it(code: int, reason: str, hint: str) -> None:
    error = {"error_code": code, "error_message": reason}
    seen = (refused("core", direction=Direction.write, **error),)
    assert explain_missing_upload(seen, "core", BOARD, 60) == (
        "'core' was not received from 192.168.1.50 in 60 s: it was requested and refused: "
        f"{reason.lower()}. {hint}\n"
        f"Requests seen: 1 WRQ 'core' from 192.168.1.50: {reason.lower()}."
    )


def test_refused_download_says_what_is_served() -> None:
    seen = (refused("../x", error_code=2, error_message="Access violation"),)
    assert explain_missing_download(seen, "../x", "", 60) == (
        "'../x' was not downloaded in 60 s: it was requested and refused: access violation. "
        "Only regular files that can be read, below the root, are served, to the clients that the "
        "server allows.\n"
        "Requests seen: 1 RRQ '../x' from 192.168.1.50: access violation."
    )


def test_upload_that_is_too_short() -> None:
    seen = (completed("core", 100, direction=Direction.write),)
    assert explain_missing_upload(seen, "core", "", 60, min_size=2000) == (
        "'core' was not received in 60 s: it came with 100 octets only, of at least 2.0 kB. "
        "The board sent less than expected: look at its console, or lower min_size=.\n"
        "Requests seen: 1 WRQ 'core' from 192.168.1.50: completed, 100 octets."
    )


def test_upload_under_another_name() -> None:
    seen = (completed("CORE", 100, direction=Direction.write),)
    assert explain_missing_upload(seen, "core", "", 60).startswith(
        "'core' was not received in 60 s: no such name was sent, the nearest: "
        "'CORE' (completed, 100 octets). "
    )


def test_upload_of_other_names_or_clients() -> None:
    seen = (completed("log", 100, direction=Direction.write, client=OTHER),)
    assert explain_missing_upload(seen, "log", BOARD, 60).startswith(
        "'log' was not received from 192.168.1.50 in 60 s: only other clients sent it: "
        "192.168.1.51 (completed, 100 octets). "
    )
    assert explain_missing_upload(seen, "core.bin", "", 60).startswith(
        "'core.bin' was not received in 60 s: no such name was sent, and none like it. "
    )


def test_missing_request() -> None:
    assert explain_missing_request((refused("zimage"),), "zImage", BOARD, 60) == (
        "'zImage' was not requested from 192.168.1.50 in 60 s: no such name was requested, the "
        "nearest: 'zimage' (file not found). "
        "Names match exactly, with case and folders, or as a glob such as '*/zImage'.\n"
        "Requests seen: 1 RRQ 'zimage' from 192.168.1.50: file not found."
    )


def test_request_that_came_just_too_late() -> None:
    text = explain_missing_request((refused(),), "zImage", "", 0.25)
    assert text.startswith(
        "'zImage' was not requested in 250 ms: it came just too late (file not found). "
    )


def test_bad_client_is_the_fault_of_the_caller() -> None:
    with pytest.raises(UsageError, match="client='board'"):
        explain_missing_download((transfer(),), "zImage", "board", 60)
