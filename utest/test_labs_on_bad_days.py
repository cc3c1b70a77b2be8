"""Labs on bad days: a link that is cut, halves that are killed, hosts that are not what they seem.

Runner, lab host and board are three hosts, and the carrier is ssh, where the day is about them.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from atest.equipment.three_hosts import LAB_HOST, ThreeHosts
from TftpLibrary import Download, Lab
from TftpLibrary.errors import LabError, TftpError
from TftpLibrary.lab.limits import Limits
from TftpLibrary.lab.servers import LabServer
from utest.support.hosts import inside, three_hosts
from utest.support.labs import running_service
from utest.support.programs import ROOT
from utest.support.suites import failures, run_suite
from utest.support.waiting import seconds, wait_until

T = TypeVar("T")

READ = b"\0\1zImage\0octet\0"
SMALL = 300
"""Octets of a file that is one DATA packet."""
LOST = 35.0
"""Seconds after which both halves know that the other one is lost."""
AS_RUNNER = """
import sys
from TftpLibrary import Lab
with Lab(sys.argv[1]) as lab, lab.server(*sys.argv[2:], host="127.0.0.1", writable=True) as server:
    server.files.upload_bytes(b"new" * 5000, "zImage")
    print(server.port, server.root, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def hosts() -> Iterator[ThreeHosts]:
    with three_hosts() as hosts:
        yield hosts


@pytest.fixture
def runner(hosts: ThreeHosts, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lets the test be at the runner's host."""
    monkeypatch.setenv("PATH", hosts.environment["PATH"])
    with inside(hosts.run):
        yield


@pytest.fixture
def lab(runner: None) -> Iterator[Lab]:  # noqa: ARG001
    with Lab("ssh://lab") as lab:
        yield lab


def started(lab: Lab) -> LabServer:
    server = lab.server(host="127.0.0.1").start()
    server.files.create("zImage", SMALL)
    return server


def answer_to_board(hosts: ThreeHosts, port: int, wait: float = 5.0) -> bytes:
    """Has a board ask for zImage and take one packet; returns the answer, empty without one."""
    with inside(hosts.board), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as board:
        board.settimeout(wait)
        board.sendto(READ, ("127.0.0.1", port))
        try:
            octets, peer = board.recvfrom(600)
        except OSError:
            return b""
        board.sendto(b"\0\4\0\1", peer)
        return octets


def later(work: Callable[[], T]) -> Callable[[], T]:
    """Does something on a thread, and returns what waits for its result."""
    results: list[T | BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def result() -> T:
        thread.join()
        if isinstance(results[0], BaseException):
            raise results[0]
        return results[0]

    return result


def cut(hosts: ThreeHosts, *, is_cut: bool = True) -> None:
    """Takes the cable between runner and lab host out, or puts it in."""
    state = "down" if is_cut else "up"
    command = ["ip", "-n", hosts.lab, "link", "set", "to_runner", state]
    subprocess.run(command, check=True)


def halves(hosts: ThreeHosts) -> list[int]:
    """Returns the processes at the lab host that are lab halves."""
    listed = subprocess.run(["ip", "netns", "pids", hosts.lab], capture_output=True, check=True)
    found = []
    for pid in map(int, listed.stdout.split()):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--stdio" in words and b"lab" in words:
            found.append(pid)
    return found


# The link -----------------------------------------------------------------------------------------


def test_a_wait_goes_on_over_a_cut_and_finds_what_happened_meanwhile(
    hosts: ThreeHosts, lab: Lab
) -> None:
    server = started(lab)
    waited = later(lambda: server.wait_until(Download("zImage"), timeout=60))
    cut(hosts)
    try:
        begun = time.monotonic()
        assert len(answer_to_board(hosts, server.port)) == SMALL + 4
        # The length of the cut is what is tested.
        time.sleep(6 - (time.monotonic() - begun))
    finally:
        cut(hosts, is_cut=False)
    assert waited().octets == SMALL


def test_both_halves_know_that_the_link_is_cut_for_good(hosts: ThreeHosts, lab: Lab) -> None:
    server = started(lab)
    port, root = server.port, server.root
    waited = later(lambda: server.wait_until(Download("zImage"), timeout=120))
    cut(hosts)
    try:
        begun = time.monotonic()
        with pytest.raises(LabError, match="'ssh://lab' was lost: it has not answered for 30 s"):
            waited()
        assert time.monotonic() - begun < LOST
        wait_until(lambda: not root.exists() and not halves(hosts), LOST)
        assert time.monotonic() - begun < LOST + 1
        assert answer_to_board(hosts, port, 0.3) == b""
    finally:
        cut(hosts, is_cut=False)
    with started(lab) as server:
        assert len(answer_to_board(hosts, server.port)) == SMALL + 4


# Halves that are killed ---------------------------------------------------------------------------


def test_a_killed_runner_leaves_no_port_and_no_folder_and_its_board_is_told(
    hosts: ThreeHosts,
) -> None:
    words = [*hosts.inside(hosts.run), sys.executable, "-c", AS_RUNNER, "ssh://lab"]
    pipe = subprocess.PIPE
    runner = subprocess.Popen(
        words, env=hosts.environment, cwd=ROOT, stdin=pipe, stdout=pipe, text=True
    )
    assert runner.stdout is not None
    port, root = runner.stdout.readline().split()
    with inside(hosts.board), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as board:
        board.settimeout(seconds(5))
        board.sendto(READ, ("127.0.0.1", int(port)))
        assert board.recv(600)[:4] == b"\0\3\0\1"
        runner.kill()
        runner.communicate()
        begun = time.monotonic()
        told = board.recv(600)
        while told[:2] != b"\0\5":
            told = board.recv(600)
    wait_until(lambda: not Path(root).exists() and not halves(hosts))
    assert time.monotonic() - begun < seconds(1)
    assert answer_to_board(hosts, int(port), 0.3) == b""


def test_a_wait_ends_with_a_killed_lab_half_and_the_next_server_starts(
    hosts: ThreeHosts, lab: Lab
) -> None:
    server = started(lab)
    root = server.root
    waited = later(lambda: server.wait_until(Download("zImage"), timeout=60))
    begun = time.monotonic()
    subprocess.run(["kill", "-9", *map(str, halves(hosts))], check=True)
    with pytest.raises(LabError) as failure:
        waited()
    assert time.monotonic() - begun < seconds(1)
    text = str(failure.value)
    assert "The lab 'ssh://lab' was lost" in text
    assert "`Start TFTP Server` connects anew" in text
    assert "Traceback" not in text
    assert "report" not in text
    with started(lab) as again:
        assert len(answer_to_board(hosts, again.port)) == SMALL + 4
        assert not root.exists(), "What a killed half left, the next one removes."


def test_a_folder_of_the_lab_host_is_put_back_where_the_runner_was_killed(tmp_path: Path) -> None:
    (tmp_path / "zImage").write_text("old")
    with running_service(Limits(roots=(tmp_path,))) as (_, url):
        words = [sys.executable, "-c", AS_RUNNER, url, str(tmp_path)]
        pipe = subprocess.PIPE
        runner = subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        assert runner.stdout is not None
        assert runner.stdout.readline()
        assert (tmp_path / "zImage").read_text() == "new" * 5000
        runner.kill()
        runner.communicate()
        wait_until(lambda: (tmp_path / "zImage").read_text() == "old")
    assert [path.name for path in tmp_path.iterdir()] == ["zImage"]


# Hosts that are not what they seem ----------------------------------------------------------------


def failure_of(url: str) -> str:
    """Returns why there is no lab, and expects one sentence or two about it, soon."""
    begun = time.monotonic()
    with pytest.raises(LabError) as failure, Lab(url) as lab:
        lab.server()
    assert time.monotonic() - begun < 15
    text = str(failure.value)
    assert "\n" not in text
    assert text.startswith(f"No lab at '{url}': ")
    return text


@pytest.mark.usefixtures("runner")
def test_a_lab_host_without_the_program_says_how_to_install_it() -> None:
    text = failure_of("ssh://lab/no/such/tftplibrary")
    assert "not found on lab. Install it there: pipx install robotframework-tftp" in text


@pytest.mark.usefixtures("runner")
def test_another_program_at_the_lab_host_is_no_lab() -> None:
    assert "expected messages of a lab, got" in failure_of("ssh://lab/bin/echo")


@pytest.mark.usefixtures("runner")
def test_a_host_key_that_is_another_one_is_refused(hosts: ThreeHosts) -> None:
    known = hosts.folder / "known_hosts"
    right = known.read_text("ascii")
    other = (hosts.folder / "user_key.pub").read_text("ascii")
    known.write_text(f"{LAB_HOST} {other}", "ascii")
    try:
        assert "Host key verification failed" in failure_of("ssh://lab")
    finally:
        known.write_text(right, "ascii")


@pytest.mark.usefixtures("runner")
def test_a_user_whom_the_lab_host_does_not_know_is_refused() -> None:
    assert "Permission denied" in failure_of("ssh://nobody@lab")


@pytest.mark.usefixtures("runner")
@pytest.mark.parametrize(
    ("host", "reason"),
    [("10.255.0.1", "unreachable"), (f"{LAB_HOST}:2", "refused"), ("no.such.host", "resolve")],
)
def test_a_host_without_a_way_to_it_is_named(host: str, reason: str) -> None:
    text = failure_of(f"ssh://{host}")
    assert reason in text
    assert host.partition(":")[0] in text


def test_a_lab_half_whose_clock_is_off_by_a_day_changes_nothing(
    hosts: ThreeHosts,
    runner: None,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    program = tmp_path / "tftplibrary"
    program.write_text(
        f"#!{sys.executable}\n"
        "import datetime, time\n"
        "DAY, wall, steady, when = 86400, time.time, time.monotonic, datetime.datetime\n"
        "class Clock(when):\n"
        "    @classmethod\n"
        "    def now(cls, tz=None):\n"
        "        return super().now(tz) + datetime.timedelta(seconds=DAY)\n"
        "datetime.datetime = Clock\n"
        "time.time, time.monotonic = (lambda: wall() + DAY), (lambda: steady() + DAY)\n"
        "from TftpLibrary.__main__ import main\n"
        "raise SystemExit(main())\n"
    )
    program.chmod(0o755)
    with Lab(f"ssh://lab{program}") as lab, started(lab) as server:
        before = datetime.now().astimezone()
        assert len(answer_to_board(hosts, server.port)) == SMALL + 4
        transfer = server.wait_until(Download("zImage"), timeout=10)
        after = datetime.now().astimezone()
        assert before - timedelta(seconds=0.1) < transfer.started
        assert transfer.ended is not None
        assert transfer.started <= transfer.ended < after + timedelta(seconds=0.1)


# Uploads ------------------------------------------------------------------------------------------


def test_a_timeout_of_robot_ends_an_upload_and_leaves_no_part_of_it(tmp_path: Path) -> None:
    image = tmp_path / "image.bin"
    with image.open("wb") as file:
        file.truncate(4 << 30)
    with running_service() as (_, url):
        result = run_suite(
            tmp_path / "run",
            f"""
*** Settings ***
Library    TftpLibrary    host=127.0.0.1    port=0    lab={url}
Suite Setup    Start TFTP Server
*** Test Cases ***
Too Late
    [Timeout]    1s
    Upload File    {image}
Next
    List Files    *    ==    ${{{{ [] }}}}
    Upload Text    next    next.txt
    Get TFTP File Text    next.txt    ==    next
""",
        )
    assert failures(result) == {"Too Late": "Test timeout 1 second exceeded."}
    elapsed = {test.name: test.elapsed_time.total_seconds() for test in result.suite.all_tests}
    assert elapsed["Too Late"] < seconds(2)


def test_a_full_disk_at_the_lab_refuses_an_upload_and_the_next_call_works(
    tmp_path: Path,
) -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small disk needs Linux and root")
    url = f"unix:{tmp_path}/lab.sock"
    start = (
        'mount -t tmpfs -o size=2m none "$0" && cd "$1" && exec "$2" -m TftpLibrary lab "$3" "$4"'
    )
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["unshare", "--mount", "sh", "-c", start, str(disk), str(ROOT), sys.executable]
    half = subprocess.Popen(
        [*words, "--listen", url], env={**os.environ, "TMPDIR": str(disk)}, stdout=subprocess.PIPE
    )
    try:
        assert half.stdout is not None
        assert half.stdout.readline()
        with Lab(url) as lab, lab.server() as server:
            with pytest.raises(TftpError, match="it needs 5.0 MB, and .* are free"):
                server.files.upload_bytes(bytes(5_000_000), "image.bin")
            assert server.files.list() == []
            assert server.files.upload_bytes(b"next", "next").size == 4
    finally:
        half.terminate()
        half.communicate()


def test_one_runner_waits_while_the_calls_of_another_stay_short() -> None:
    with (
        running_service() as (_, url),
        closing(Lab(url)) as one,
        closing(Lab(url)) as other,
        one.server() as waiting,
        other.server() as busy,
    ):
        waited = later(lambda: waiting.wait_until(Download("zImage"), timeout=2))
        took = []
        for _ in range(100):
            begun = time.perf_counter()
            busy.files.list()
            took.append(time.perf_counter() - begun)
        assert sorted(took)[50] < seconds(0.02)
        with pytest.raises(TftpError, match="was not downloaded"):
            waited()
