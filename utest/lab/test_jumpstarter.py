"""The exporter and the suite of docs/guides/jumpstarter.md, with the real Jumpstarter."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from utest.support.engines import Bench, bench, blocks_of
from utest.support.peers import require
from utest.support.waiting import wait_until

GUIDE = "jumpstarter.md"
SHELL = ("jmp", "shell", "--tls-grpc", "localhost:8082", "--passphrase", "sesame", "--")
CERTIFICATE = (
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem "
    "-out cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
)
ENDS_IN = 20.0
"""Seconds, less than those after which a lab half ends by itself."""
POWER = "usbrelay BOARD_1=0; sleep 2; usbrelay BOARD_1=1"
SOCKET = "/run/tftplibrary/tftplibrary-lab.sock"
TRUST = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": "cert.pem"}
WAITING = """
*** Settings ***
Library    TftpLibrary    lab=jumpstarter:tftp    host=192.168.77.1

*** Test Cases ***
Waits
    Start TFTP Server
    Upload Text    kernel    zImage
    Log    The server runs.    console=True
    Wait Until File Is Downloaded    zImage    timeout=5 min
"""
FROZEN = """
import os, signal, subprocess, sys, threading, time
from TftpLibrary.lab.carriers import open_carrier

def send():
    try:
        while True:
            stream.send(bytes(65536))
            sent.append(1)
    except OSError:
        print("send has ended")

def receive():
    try:
        stream.receive()
    except OSError:
        print("receive has ended")

found = subprocess.run(["pgrep", "--parent", sys.argv[1]], capture_output=True, text=True)
stream, sent, before = open_carrier("jumpstarter:tftp"), [], -1
os.kill(int(found.stdout), signal.SIGSTOP)
threads = [threading.Thread(target=each, daemon=True) for each in (send, receive)]
for thread in threads:
    thread.start()
while before != len(sent):
    before = len(sent)
    time.sleep(0.5)
stream.close()
for thread in threads:
    thread.join(10)
os.kill(int(found.stdout), signal.SIGCONT)
print("close has returned")
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Bench]:
    """A bench with the suites, and the configuration and certificate of its exporter."""
    require("curl")
    with bench("jumpstarter") as made:
        command = [require("openssl"), *CERTIFICATE.split()]
        subprocess.run(command, cwd=made.folder, check=True, capture_output=True)
        exporter, service = blocks_of(GUIDE, "yaml")
        for printed, here in (
            (POWER, made.download("zImage")),
            (SOCKET, made.folder / Path(SOCKET).name),
        ):
            assert printed in exporter + service
            exporter, service = (text.replace(printed, str(here)) for text in (exporter, service))
        (made.folder / "left.yaml").write_text(exporter + service)
        (suite,) = blocks_of(GUIDE, "robotframework")
        (made.folder / "suite.robot").write_text(suite)
        (made.folder / "waiting.robot").write_text(WAITING)
        yield made


@pytest.fixture
def exporter(lab: Bench) -> subprocess.Popen[bytes]:
    """The exporter, which is started anew where a test ended it."""
    command = "jmp run --exporter-config left.yaml --tls-grpc-listener 8082 --tls-cert cert.pem"
    words = [*command.split(), "--tls-key", "key.pem", "--passphrase", "sesame"]
    return lab.keep("exporter.log", "Session server started", *words)


@pytest.fixture
def service(lab: Bench) -> Iterator[None]:
    """A lab half that runs at the lab host, as a service of systemd does."""
    process = lab.keep("lab.log", "lab at", "tftplibrary", "lab")
    yield
    process.terminate()
    lab.wait_for_end(process, "lab.log")


def run_suite(lab: Bench, *options: str) -> str:
    """Runs the suite of the guide in a lease, and returns what it printed."""
    command = (*SHELL, "robot", "--outputdir", "results", *options, "suite.robot")
    return lab.run(*command, **TRUST)


def start_waiting(lab: Bench) -> subprocess.Popen[bytes]:
    """Starts a suite whose server runs and whose test waits, in a lease."""
    command = (*SHELL, "robot", "--outputdir", "waiting", "waiting.robot")
    process = lab.start(*command, log="waiting.log", **TRUST)
    lab.wait_for("waiting.log", "The server runs.", process)
    assert not lab.is_free()
    assert uploads(lab)
    return process


def uploads(lab: Bench) -> list[str]:
    return [name for name in lab.files() if name.endswith("zImage")]


@pytest.mark.usefixtures("exporter")
def test_suite_of_the_guide_runs_through_tls_and_a_passphrase(lab: Bench) -> None:
    assert "1 test, 1 passed" in run_suite(lab)
    assert lab.is_free()
    assert not uploads(lab)


@pytest.mark.usefixtures("exporter", "service")
def test_driver_of_jumpstarter_carries_to_a_lab_half_that_runs(lab: Bench) -> None:
    assert "1 test, 1 passed" in run_suite(lab, "--variable", "LAB:jumpstarter:service")


@pytest.mark.usefixtures("exporter", "service")
def test_exporter_joins_a_lab_half_that_runs(lab: Bench) -> None:
    start_waiting(lab)
    assert " at 192.168.77.1:69" in lab.run("tftplibrary", "lab", "status")
    lab.kill("waiting.robot")
    wait_until(lambda: lab.is_free() and not uploads(lab), ENDS_IN)


@pytest.mark.usefixtures("exporter")
def test_name_that_the_lease_does_not_have_is_told_with_those_that_it_has(lab: Bench) -> None:
    said = run_suite(lab, "--variable", "LAB:jumpstarter:tfpt")
    assert (
        "The lease has no driver 'tfpt' for lab='jumpstarter:tfpt'. It has: power, service, tftp."
    ) in said


@pytest.mark.usefixtures("exporter")
def test_runner_that_is_killed_leaves_no_port_and_no_file(lab: Bench) -> None:
    start_waiting(lab)
    lab.kill("waiting.robot")
    wait_until(lambda: lab.is_free() and not uploads(lab), ENDS_IN)


def test_close_waits_for_no_exporter_that_is_frozen(
    lab: Bench, exporter: subprocess.Popen[bytes]
) -> None:
    said = lab.run(*SHELL, "python", "-c", FROZEN, str(exporter.pid), **TRUST)
    ends = ("receive has ended", "send has ended", "close has returned")
    assert all(end in said for end in ends), said


def test_suite_learns_that_its_lease_has_ended_which_leaves_no_port_and_no_file(
    lab: Bench, exporter: subprocess.Popen[bytes]
) -> None:
    waiting = start_waiting(lab)
    exporter.terminate()
    lab.wait_for_end(exporter, "exporter.log")
    wait_until(lambda: lab.is_free() and not uploads(lab), ENDS_IN)
    lab.wait_for_end(waiting, "waiting.log")
    assert "The lab 'jumpstarter:tftp' was lost" in lab.said("waiting.log")


def test_driver_is_an_entry_point_of_jumpstarter(lab: Bench) -> None:
    program = "from importlib.metadata import entry_points as e; print(e(name='TftpLab'))"
    said = lab.run("python", "-c", program)
    assert "TftpLibrary.lab.jumpstarter:TftpLab" in said
    assert "group='jumpstarter.drivers'" in said
