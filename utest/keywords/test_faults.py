from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from TftpLibrary.client import TftpClient
from TftpLibrary.errors import PeerError, UsageError
from TftpLibrary.faults.files import Damaging
from TftpLibrary.faults.kinds import FaultKind
from TftpLibrary.faults.packets import parse_packets
from TftpLibrary.faults.pauses import Pause
from TftpLibrary.faults.scenarios import Scenario
from TftpLibrary.keywords.conversions import Rate, Share, Size
from TftpLibrary.keywords.faults import FaultKeywords
from TftpLibrary.keywords.state import LibraryState
from TftpLibrary.protocol.roles import Role
from utest.support.robot_calls import RobotCalls

DATA_3 = parse_packets("DATA 3")


@pytest.fixture
def keywords(started: LibraryState) -> FaultKeywords:
    started.server().files.upload_bytes(bytes(range(256)) * 20, "zImage")
    return FaultKeywords(started)


@pytest.fixture
def board(keywords: FaultKeywords) -> Iterator[TftpClient]:
    server = keywords.state.server()
    with TftpClient(server.host, server.port, blksize=512, windowsize=1) as client:
        yield client


@pytest.fixture
def robot() -> Iterator[RobotCalls]:
    with RobotCalls("host=127.0.0.1", "port=0", "timeout=0s") as calls:
        calls.call("Start TFTP Server", "alias=dut")
        yield calls


def hits(keywords: FaultKeywords) -> list[int]:
    return [report.fault.hits for report in keywords.state.server().faults.reports()]


def test_fault_happens_and_is_logged_as_it_was_asked_for(
    keywords: FaultKeywords, board: TftpClient, log: pytest.LogCaptureFixture
) -> None:
    fault = keywords.inject_tftp_fault(FaultKind.drop, DATA_3, file="zImage")
    assert log.messages == [f"Fault {fault}: drop DATA 3 of 'zImage', once for each client"]
    assert board.get_bytes("zImage") == bytes(range(256)) * 20
    assert hits(keywords) == [1]


def test_packets_are_by_default_those_of_the_kind(keywords: FaultKeywords) -> None:
    keywords.inject_tftp_fault(FaultKind.drop)
    keywords.inject_tftp_fault(FaultKind.ignore_options)
    faults = keywords.state.server().faults.reports()
    assert [report.fault.packet for report in faults] == ["DATA", "request"]


@pytest.mark.parametrize(
    ("times", "kept"), [(None, 1), (3, 3), ("unlimited", None)], ids=["default", "3", "unlimited"]
)
def test_times_are_a_number_or_without_end(
    keywords: FaultKeywords, times: Any, kept: int | None
) -> None:
    keywords.inject_tftp_fault(FaultKind.drop, times=times)
    assert keywords.state.server().faults.reports()[0].fault.times == kept


@pytest.mark.parametrize("inject", ["Inject TFTP Fault", "Damage TFTP File", "Deny File"])
def test_a_fault_that_never_happens_is_refused(robot: RobotCalls, inject: str) -> None:
    first = "drop" if inject.startswith("Inject") else "zImage"
    more = ["flip_bit"] if inject.startswith("Damage") else []
    with pytest.raises(UsageError, match=r"times= must be 1 or more, or unlimited, got 0\."):
        robot.call(inject, first, *more, "times=0")


def test_a_fault_for_one_file_needs_its_name(robot: RobotCalls) -> None:
    """An empty variable would stand for every file."""
    with pytest.raises(UsageError, match=r"The name of a file is expected, or \* for every file"):
        robot.call("Inject TFTP Fault", "drop", "file=")


def test_chance_is_logged_with_the_seed_that_repeats_it(
    keywords: FaultKeywords, log: pytest.LogCaptureFixture
) -> None:
    keywords.inject_tftp_fault(FaultKind.drop, probability=Share(0.02), seed=7)
    keywords.inject_tftp_fault(FaultKind.drop, probability=Share(0.02), seed="random")
    keywords.inject_tftp_fault(FaultKind.drop)
    told = "drop 2 % of DATA; seed {0}; give seed={0} to see this day again"
    assert log.messages[0].endswith(told.format(7))
    seed = re.search(r"seed=(\d+)", log.messages[1])
    assert seed is not None
    assert log.messages[1].endswith(told.format(seed[1]))
    assert "seed" not in log.messages[2]


def test_times_and_sizes_reach_the_fault(robot: RobotCalls) -> None:
    for line, text in {
        "delay    ACK 2    delay=500 ms": "delay ACK 2 (delay=500 ms)",
        "stall    DATA 5    duration=2 min": "stall DATA 5 (duration=120 s)",
        "short_block    DATA 3    size=1 kB": "short_block DATA 3 (size=1000)",
        "wrong_oack    options=tsize=1 blksize=9000": (
            "wrong_oack OACK (options=tsize=1 blksize=9000)"
        ),
        "error    code=3    message=No room": "error DATA (code=3, message=No room)",
        "drop    data 100-    every=5    after=2": "drop every 5th DATA 100-, after the first 2",
        "drop    direction=sent    client=10.0.0.0/8": "drop DATA sent for 10.0.0.0/8",
    }.items():
        fault = robot.call("Inject TFTP Fault", *line.split("    "))
        (found,) = [each for each in robot.call("Get TFTP Faults") if each.id == fault]
        assert found.text == text


def test_a_name_is_given_once_at_all_servers(robot: RobotCalls) -> None:
    assert robot.call("Inject TFTP Fault", "drop", "name=lost") == "lost"
    robot.call("Start TFTP Server", "alias=other")
    with pytest.raises(UsageError, match="There is a fault 'lost' already. Choose another name="):
        robot.call("Inject TFTP Fault", "drop", "name=lost", "server=other")


# One message for each mistake, as a suite makes it.
MISTAKES = {
    "dropp": "There is no fault 'dropp'. Did you mean 'drop'? Faults: drop, duplicate,",
    "latency": "There is no fault 'latency'. One packet is late with 'delay'; all are with Set",
    "truncate": "There is no fault 'truncate'. 'short_block' makes one block shorter; a whole",
    "drop DATA 3": "There is no fault 'drop DATA 3'. The packet is an argument of its own: drop",
    "DATA 3    drop": "There is no fault 'DATA 3'. First comes what happens, then the packet: drop",
    "drop    DATTA 3": "packet: there is no packet 'DATTA 3'. Did you mean DATA? Expected DATA,",
    "drop    OACK 3": "packet: only DATA and ACK have blocks, got 'OACK 3'.",
    "drop    DATA 6-3": "packet: the blocks '6-3' end before they begin.",
    "drop    probability=2": "probability: expected a share with its %, such as 2 %, got '2'.",
    "drop    probability=200 %": "probability= must be from 0 % to 100 %, got 200 %.",
    "drop    code=3": "drop takes no code=; it takes only what every fault takes, such as file=",
    "duplicate    number=3": "duplicate takes no number=; it takes copies=, delay=.",
    "delay": "delay needs a time above 0, such as delay=500 ms.",
    "delay    delay=-1s": "delay must be a time of 0 s or more, got -1 s.",
    "corrupt    ACK": "corrupt strikes DATA only, got ACK. To change the number of an ACK use",
    "corrupt    direction=received": "corrupt changes packets that this library sends:",
    "drop    every=2    probability=5 %": "every= and probability= cannot be given together:",
    "drop    times=many": "times: expected a whole number or unlimited, got 'many'.",
    "drop    tmes=3": "There is no argument 'tmes'. Did you mean times=?",
    "drop    client=board": "client='board' is neither an address nor a network.",
    "drop    role=board": "role: expected client or server, got 'board'.",
    "drop    role=client    server=dut": "server= names a server: it does not go with role=client",
    "drop    seed=rand": "seed: expected a whole number or random, got 'rand'.",
    "drop    server=dtu": "No TFTP server 'dtu'. Running: dut.",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistake_is_told_at_the_injection(robot: RobotCalls, line: str) -> None:
    with pytest.raises(UsageError) as error:
        robot.call("Inject TFTP Fault", *line.split("    "))
    assert str(error.value).startswith(MISTAKES[line])
    assert robot.call("Get TFTP Faults") == []


def test_number_is_no_packet(robot: RobotCalls) -> None:
    with pytest.raises(UsageError) as error:
        robot.call("Inject TFTP Fault", kind="drop", packet=3)
    assert str(error.value) == (
        "packet: expected packets such as DATA 3, ACK last or answer, got 3."
    )


def test_without_a_server_the_failure_says_how_to_start_one() -> None:
    with RobotCalls("port=0") as calls:
        for call in (["Inject TFTP Fault", "drop"], ["Deny File", "f"], ["Set TFTP Link Quality"]):
            with pytest.raises(UsageError, match="Start one with `Start TFTP Server`"):
                calls.call(*call)
        assert calls.call("Get TFTP Faults") == []
        assert calls.call("Clear TFTP Faults") == 0


def test_fault_of_our_client_needs_no_server(log: pytest.LogCaptureFixture) -> None:
    state = LibraryState()
    fault = FaultKeywords(state).inject_tftp_fault(FaultKind.drop, role=Role.client)
    assert log.messages == [f"Fault {fault}: drop DATA, once"]
    assert [report.fault.server for report in state.client_faults.reports()] == [""]


def test_faults_of_our_client_happen_in_tftp_get_and_put(robot: RobotCalls, tmp_path: Path) -> None:
    server = robot.call("Start TFTP Server", "writable=True", "alias=board")
    robot.call("Create Test File", "config.txt", "2000")
    lost = robot.call("Inject TFTP Fault", "drop", "ACK last", "role=client", "file=config.txt")
    twice = robot.call("Inject TFTP Fault", "duplicate", "DATA 1", "role=client", "file=back.txt")
    copy = tmp_path / "copy"
    robot.call("TFTP Get", f"{server.url}config.txt", str(copy))
    robot.call("TFTP Put", str(copy), f"{server.url}back.txt")
    for fault in (lost, twice):
        assert robot.call("TFTP Fault Should Have Happened", fault, times=1).server == ""
    assert robot.call("Get TFTP Faults", server="board") == []
    robot.call("Use TFTP Scenario", "lost_ack", "role=client")
    robot.call("Set TFTP Link Quality", "delay=1 ms", "role=client")
    with pytest.raises(UsageError, match="it does not go with role=client"):
        robot.call("Set TFTP Link Quality", "delay=1 ms", "role=client", "server=board")
    assert robot.call("Clear TFTP Faults") == 3


def test_refused_file_is_there_for_the_second_try(
    keywords: FaultKeywords, board: TftpClient
) -> None:
    keywords.deny_file("zImage", code=1, times=1)
    with pytest.raises(PeerError, match="File not found"):
        board.get_bytes("zImage")
    assert len(board.get_bytes("zImage")) == 5120


def test_damaged_file_differs_and_the_good_one_stays(
    keywords: FaultKeywords, board: TftpClient
) -> None:
    keywords.damage_tftp_file("zImage", Damaging.truncate, size=Size(1000))
    assert len(board.get_bytes("zImage")) == 1000
    assert keywords.state.server().files.get("zImage").size == 5120


def test_quality_of_a_link_gives_back_the_one_before(
    keywords: FaultKeywords, board: TftpClient, log: pytest.LogCaptureFixture
) -> None:
    perfect = keywords.set_tftp_link_quality(
        loss=Share(0.02), delay=timedelta(milliseconds=1), rate=Rate(2_000_000), seed=3
    )
    assert log.messages == [
        "Link: loss 2 %, delay 1 ms, rate 2.0 MB/s, queue 1000; seed 3; give seed=3 to see this "
        "day again"
    ]
    assert len(board.get_bytes("zImage")) == 5120
    poor = keywords.set_tftp_link_quality(**perfect)
    assert log.messages[-1] == "Link: perfect"
    assert keywords.state.server().faults.links == ()
    assert keywords.set_tftp_link_quality(**poor) == perfect
    assert keywords.set_tftp_link_quality() == poor


def test_values_of_a_link_are_taken_as_they_were_given_back(robot: RobotCalls) -> None:
    before = robot.call("Set TFTP Link Quality", "loss=2 %", "client=10.0.0.1", "direction=sent")
    poor = robot.call("Set TFTP Link Quality", **before)
    assert (str(poor["loss"]), poor["client"], str(poor["direction"])) == (
        "2 %",
        "10.0.0.1",
        "sent",
    )


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("loss=2", "loss: expected a share with its %, such as 2 %, got '2'."),
        ("loss=101 %", "loss= must be from 0 % to 100 %, got 101 %."),
        ("rate=5 apples", "rate: expected a rate such as 5 MB/s, 500 kB or 10 Mbit/s, got"),
        ("rate=0", "rate= must be above 0 bytes per second, got 0."),
        ("queue=0", "queue= must be from 1 to 100000, got 0."),
        ("latency=5ms", "There is no argument 'latency'."),
    ],
)
def test_impossible_quality_of_a_link_is_refused(
    robot: RobotCalls, argument: str, message: str
) -> None:
    with pytest.raises(UsageError) as error:
        robot.call("Set TFTP Link Quality", argument)
    assert str(error.value).startswith(message)


def test_scenario_injects_its_faults_and_logs_each(
    keywords: FaultKeywords, board: TftpClient, log: pytest.LogCaptureFixture
) -> None:
    first, last = keywords.use_tftp_scenario(Scenario.lost_block, "zImage")
    assert log.messages == [
        f"Fault {first}: drop DATA 3 of 'zImage'",
        f"Fault {last}: drop DATA last of 'zImage'",
    ]
    board.get_bytes("zImage")
    assert hits(keywords) == [1, 1]


def test_scenario_of_a_link_has_no_faults(
    keywords: FaultKeywords, log: pytest.LogCaptureFixture
) -> None:
    assert keywords.use_tftp_scenario(Scenario.slow_link) == []
    assert log.messages == ["Link: delay 20 ms, rate 100.0 kB/s, queue 64"]


def test_misspelled_scenario_gets_the_nearest_name(robot: RobotCalls) -> None:
    with pytest.raises(UsageError, match="no scenario 'lost_blok'. Did you mean 'lost_block'"):
        robot.call("Use TFTP Scenario", "lost_blok")


def test_doubt_is_a_warning_at_the_injection(
    started: LibraryState, log: pytest.LogCaptureFixture
) -> None:
    started.server().change(writable=False)
    started.server().files.upload_bytes(bytes(5120), "zImage")
    FaultKeywords(started).inject_tftp_fault(
        FaultKind.drop, parse_packets("DATA 20"), file="zImage"
    )
    assert [record.levelname for record in log.records] == ["INFO", "WARNING"]
    assert "can only happen if the board asks for blocks of 269 bytes or less" in log.messages[1]


def test_paused_server_comes_back_when_it_is_told(
    keywords: FaultKeywords, board: TftpClient, log: pytest.LogCaptureFixture
) -> None:
    keywords.pause_tftp_server(Pause.busy)
    with pytest.raises(PeerError, match="Server busy"):
        board.get_bytes("zImage")
    keywords.resume_tftp_server()
    keywords.resume_tftp_server()
    assert len(board.get_bytes("zImage")) == 5120
    assert log.messages == [
        "TFTP server 'dut' is away: busy on purpose.",
        *["TFTP server 'dut' is back."] * 2,
    ]


def test_paused_server_comes_back_by_itself(
    keywords: FaultKeywords, log: pytest.LogCaptureFixture
) -> None:
    keywords.pause_tftp_server(Pause.power_cut, duration=timedelta(milliseconds=100))
    server = keywords.state.server()
    with TftpClient(server.host, server.port, wait=10.0) as board:
        assert len(board.get_bytes("zImage")) == 5120
    assert log.messages == ["TFTP server 'dut' is away: power cut on purpose, for 100 ms."]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("crsh", "mode: expected silent, busy, power_cut or crash, got 'crsh'."),
        ("duration=-1s", "duration must be a time of 0 s or more, got -1 s."),
    ],
)
def test_impossible_pause_is_refused(robot: RobotCalls, argument: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        robot.call("Pause TFTP Server", argument)
    assert str(error.value).startswith(message)
