"""The nearest miss, and what to do: each text in full, as a question gives it."""

from __future__ import annotations

from typing import Any

import pytest

from TftpLibrary.messages.misses import last_attempt
from TftpLibrary.messages.questions import Download, Request, Upload
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import FaultMark, Transfer
from utest.support.records import BOARD, DROPPED, completed, ended, partial, refused, struck
from utest.support.views import seen, why

OTHER = "192.168.1.51"
WRITE = Direction.write
UPLOADED = completed("core", 100, direction=WRITE)


def test_missing_file_with_a_near_one_in_the_store() -> None:
    view = seen(refused(), names=["zimage", "x.dtb"])
    assert (
        ": it was requested and refused: file not found. The store has 'zimage'. Upload the file "
        "under the name that the board asks for.\n"
    ) in Download("zImage").explain(view)


def test_request_to_a_broadcast_address_is_named_and_how_to_answer_it() -> None:
    text = "sent to a broadcast address, ignored"
    ignored = refused(error_code=None, error_message=text, cause=Cause.broadcast)
    assert why(Download("zImage"), ignored) == (
        "it was requested and refused: sent to a broadcast address, ignored. Start the server with "
        "ServerSettings(broadcast=True) to answer such requests."
    )


def test_the_store_is_not_listed_for_nothing() -> None:
    def names() -> list[str]:
        raise AssertionError("Nobody needs them.")

    view = seen(partial(), refused("core", direction=WRITE))
    for question in (Download("zImage"), Upload("core"), Request("x")):
        question.explain(type(view)(view.transfers, names=names))


def test_wrong_name_with_near_names() -> None:
    transfers = (refused("zimage"), completed("boot/zImage"), refused("default"))
    assert why(Download("zImage", BOARD), *transfers) == (
        "no such name was requested, the nearest: 'zimage' (file not found), "
        "'boot/zImage' (completed, 7.8 MB). "
        "Names match exactly, with case and folders, or as a glob such as '*/zImage'."
    )


def test_other_names_only() -> None:
    assert why(Download("zImage"), refused("pxelinux.0")) == (
        "no such name was requested, and none like it. "
        "Look at what the board is set to load or to send, and at its console."
    )


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            {"idle": 12.3},
            "silent for 12 s. Look at the board's console, its power and its cable.",
        ),
        (
            {"idle": 1.0},
            "silent for 1 s. Look at the board's console, its power and its cable.",
        ),
        ({"idle": 0.02}, "still running. It needs about 67 s more: raise timeout=."),
        (
            {"outcome": Outcome.timed_out, "error_message": "No answer"},
            "then the board stopped answering. "
            "Look at the board's console, its power and its cable.",
        ),
        (
            {"outcome": Outcome.failed, "error_code": 3, "error_message": "Disk full"},
            "then it failed: disk full. Look at the board's console for what went wrong there.",
        ),
        (
            {"outcome": Outcome.aborted, "error_message": "Server stopped"},
            "then it was stopped: server stopped. "
            "This machine ended it: was the server stopped too early?",
        ),
    ],
)
def test_half_a_download(values: dict[str, Any], text: str) -> None:
    half = partial(**values)
    assert why(Download("zImage"), half) == f"41 % (3.2 of 7.8 MB), block 2210, {text}"


def test_half_a_download_of_unknown_size() -> None:
    assert why(Download("zImage"), partial(size=None)) == (
        "3.2 MB, block 2210, still running. Give it more time: raise timeout=."
    )


def test_who_did_not_wait_is_told_how_to_wait() -> None:
    assert why(Download("zImage"), partial(), waited=None) == (
        "41 % (3.2 of 7.8 MB), block 2210, still running. It needs about 67 s more: "
        "wait for it with `wait_until(Download(...))`."
    )
    assert why(Upload("core"), partial("core", size=None, direction=WRITE), waited=None) == (
        "3.2 MB, block 2210, still running. Wait for it with `wait_until(Upload(...))`."
    )


def test_size_probe_only() -> None:
    probe = ended("zImage", Outcome.probed, size=7_800_000, error_code=8)
    assert why(Download("zImage", BOARD), probe) == (
        "only its size was asked. The board took the size and did not come back for the content: "
        "look at its console, the file may be too large for it."
    )


def test_what_followed_a_size_probe_is_nearer_than_the_probe() -> None:
    transfers = (partial(idle=3.0), ended("zImage", Outcome.probed))
    assert why(Download("zImage"), *transfers).startswith(
        "41 % (3.2 of 7.8 MB), block 2210, silent for 3 s. "
    )
    probes = tuple(ended("zImage", Outcome.probed, id=number) for number in (1, 2))
    assert last_attempt(probes).id == 2


def test_other_client() -> None:
    transfers = (completed(client=OTHER), refused("pxelinux.0"))
    assert why(Download("zImage", BOARD), *transfers) == (
        "only other clients asked for it: 192.168.1.51 (completed, 7.8 MB). "
        "Check client= and the board's address; behind NAT it is that of the router."
    )


def test_other_client_and_other_name() -> None:
    assert why(Download("zImage", BOARD), refused("x", client=OTHER)) == (
        "192.168.1.50 asked for nothing, only 192.168.1.51 did. "
        "Check client= and the board's address; behind NAT it is that of the router."
    )


def test_of_many_other_clients_three_are_named() -> None:
    transfers = [refused(client=f"10.0.0.{number}") for number in range(5)]
    text = why(Download("zImage", BOARD), *transfers)
    assert [f"10.0.0.{number}" in text for number in range(5)] == [True] * 3 + [False] * 2
    text = why(Download("x", BOARD), *transfers)
    assert text.startswith(f"{BOARD} asked for nothing, only 10.0.0.0, 10.0.0.1, 10.0.0.2 did. ")


def test_nothing_asked() -> None:
    assert why(Download("zImage", BOARD)) == (
        "nothing was requested. Check the server address and port that the board uses, its cable, "
        "and the firewall of this machine."
    )


@pytest.mark.parametrize(
    ("near", "text"),
    [
        (partial("kernel.img", idle=5), "'kernel.img' 41 % (3.2 of 7.8 MB), block 2210, "),
        (refused("kernel.img"), "'kernel.img' was requested and refused: "),
        (ended("kernel.img", Outcome.probed), "only the size of 'kernel.img' was asked. "),
    ],
)
def test_glob_names_the_file_that_came_nearest(near: Transfer, text: str) -> None:
    assert why(Download("*.img"), near).startswith(text)


def test_board_that_sends_instead_of_asking() -> None:
    assert why(Download("zImage"), completed(direction=WRITE)) == (
        "the board sent it (write request) instead of asking for it (read request). "
        "`wait_until(Upload(...))` waits for what a board sends."
    )


def test_board_that_asks_instead_of_sending() -> None:
    assert why(Upload("core"), refused("core")) == (
        "the board asked for it (read request) instead of sending it (write request). "
        "`wait_until(Download(...))` waits for what a board asks for."
    )


@pytest.mark.parametrize(
    ("cause", "hint"),
    [
        (Cause.missing, "Its folder is not there: upload a file there first."),
        (Cause.no_creation, "Start the server with ServerSettings(create=True), or upload a file"),
        (Cause.read_only, "Start the server with ServerSettings(writable=True) to let boards"),
        (Cause.client, "Name the board in clients=, or leave clients= out."),
        (Cause.exists, "Start the server with ServerSettings(overwrite=True), or delete the file"),
        (Cause.too_large, "Raise max_upload_size=."),
        (Cause.disk_full, "Make room on the disk with the folder that is served."),
        (None, "The ERROR packet gives the reason."),
    ],
)
def test_a_refused_upload_has_the_one_hint_that_fits(cause: Cause | None, hint: str) -> None:
    """The error code does not tell: 2 is a read-only server, an unserved client, a link."""
    error = {"error_code": 2, "error_message": "Access violation", "cause": cause}
    told = why(Upload("core"), refused("core", direction=WRITE, **error))
    assert told.startswith(f"it was requested and refused: access violation. {hint}")


def test_a_file_for_others_is_named_with_those_who_get_it() -> None:
    error = "it is there for 192.168.1.5 only"
    request = refused(error_message=error, cause=Cause.for_others)
    assert why(Download("zImage"), request) == (
        f"it was requested and refused: {error}. Check only_for=, and the address of the board."
    )


@pytest.mark.parametrize(
    "cause",
    [each for each in Cause if each not in (Cause.missing, Cause.no_listener, Cause.no_way)],
)
def test_every_cause_has_a_hint_of_its_own(cause: Cause) -> None:
    request = refused("../x", error_code=0, error_message="no", cause=cause)
    hint = why(Download("../x"), request).removeprefix("it was requested and refused: no. ")
    assert hint != "The ERROR packet gives the reason."
    assert hint.endswith(".")
    assert "{" not in hint


def test_where_only_the_last_ack_is_missing_power_and_cable_are_not_blamed() -> None:
    record = partial(outcome=Outcome.unconfirmed)
    assert why(Download("zImage"), record) == (
        "41 % (3.2 of 7.8 MB), block 2210: everything was sent, but the last acknowledgement did "
        "not come. The board may have the whole file: look at its console."
    )


def test_where_nothing_came_the_address_that_is_bound_is_named() -> None:
    text = Download("zImage").explain(seen(at="10.0.0.5:69"))
    assert ": nothing was requested at 10.0.0.5:69. Check the server address and port" in text


@pytest.mark.parametrize("at", ["127.0.0.1:69", "[::1]:69"])
def test_loopback_is_named_as_what_no_board_reaches(at: str) -> None:
    text = Download("zImage").explain(seen(at=at))
    assert f"nothing was requested at {at}. Only this machine reaches that address" in text


def test_an_upload_that_is_shorter_than_announced_is_told_with_both_numbers() -> None:
    error = "only 700 of the 1,200 announced bytes came"
    short = partial("core", outcome=Outcome.failed, error_message=error, direction=WRITE)
    assert f", then it failed: {error}. Look at the board's console" in why(Upload("core"), short)


def elsewhere(others: list[Transfer], whole: list[Transfer], *own: Transfer) -> str:
    view = seen(*own, server="left", others=lambda: (*others,), whole=lambda: (*whole,))
    return Download("zImage").explain(view).partition(": ")[2].partition("\n")[0]


def test_download_before_the_mark_is_named_instead_of_a_cable() -> None:
    earlier = [completed(server="left"), refused(server="right")]
    assert elsewhere([], earlier) == (
        "it was requested before the mark only (completed, 7.8 MB). If that one counts, take the "
        "mark for since= earlier; if not, look at the board's power and console."
    )


def test_download_from_another_server_is_named_with_that_server() -> None:
    assert elsewhere([refused(server="right")], [completed(server="left")]) == (
        "another server was asked, 'right' (file not found). For that one give server=right."
    )


def test_name_that_is_near_comes_before_what_happened_elsewhere() -> None:
    others, earlier = [completed(server="right")], [completed(server="left")]
    assert "the nearest: 'zimage'" in elsewhere(others, earlier, refused("zimage"))


def test_what_our_client_did_elsewhere_is_no_miss() -> None:
    ours = completed(server="10.0.0.1:69", is_ours=True)
    assert elsewhere([ours, completed("x", server="right")], [ours]).startswith("nothing was")


def test_upload_under_another_name_or_from_another_client() -> None:
    assert why(Upload("CORE"), UPLOADED).startswith(
        "no such name was sent, the nearest: 'core' (completed, 100 bytes). "
    )
    assert why(Upload("core", OTHER), UPLOADED).startswith(
        "only other clients sent it: 192.168.1.50 (completed, 100 bytes). "
    )
    assert why(Upload("boot.log"), UPLOADED).startswith("no such name was sent, and none like it. ")


def test_missing_request() -> None:
    assert why(Request("zImage", BOARD), refused("zimage")) == (
        "no such name was requested, the nearest: 'zimage' (file not found). "
        "Names match exactly, with case and folders, or as a glob such as '*/zImage'."
    )


# Faults on purpose

AFTER = ", after fault drop-1 (dropped DATA 3 on purpose, 2 times). "
ON_PURPOSE = (
    "The test did that on purpose: if the board should get over it, look at its console, not at "
    "its cable."
)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"idle": 12.3}, f"silent for 12 s{AFTER}{ON_PURPOSE}"),
        (
            {"outcome": Outcome.timed_out, "error_message": "No answer"},
            f"then the board stopped answering{AFTER}{ON_PURPOSE}",
        ),
        (
            {"outcome": Outcome.failed, "error_message": "Disk full"},
            f"then it failed: disk full{AFTER}{ON_PURPOSE}",
        ),
        ({"idle": 0.02}, f"still running{AFTER}It needs about 67 s more: raise timeout=."),
        (
            {"outcome": Outcome.aborted, "error_message": "Server stopped"},
            f"then it was stopped: server stopped{AFTER}"
            "This machine ended it: was the server stopped too early?",
        ),
    ],
)
def test_fault_that_struck_is_named_instead_of_cable_and_firewall(
    values: dict[str, Any], text: str
) -> None:
    half = partial(**values, **struck(DROPPED))
    assert why(Download("zImage"), half) == f"41 % (3.2 of 7.8 MB), block 2210, {text}"


def test_fault_that_ended_a_transfer_is_named_once() -> None:
    reason = "closed the port at DATA 50, on purpose (fault vanish-1)"
    ended_by = struck(FaultMark(0.1, "vanish-1", "closed the port at DATA 50"))
    half = partial(outcome=Outcome.aborted, error_message=reason, **ended_by)
    assert why(Download("zImage"), half) == (
        f"41 % (3.2 of 7.8 MB), block 2210, then it was stopped: {reason}. {ON_PURPOSE}"
    )


def test_request_that_was_dropped_on_purpose_is_named_instead_of_cable_and_firewall() -> None:
    reason = "the request was dropped on purpose (fault drop-1)"
    lost = refused(error_code=None, error_message=reason, cause=Cause.on_purpose)
    assert why(Download("zImage"), lost) == f"{reason}. {ON_PURPOSE}"
    assert why(Download("z*"), lost) == f"'zImage' {reason}. {ON_PURPOSE}"


def test_file_that_was_denied_on_purpose_is_not_said_to_be_missing() -> None:
    reason = "File not found, on purpose (fault deny-1)"
    denied = refused(error_message=reason, cause=Cause.on_purpose)
    assert why(Download("zImage"), denied) == (
        f"it was requested and refused: file not found, on purpose (fault deny-1). {ON_PURPOSE}"
    )
