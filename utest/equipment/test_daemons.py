from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from atest.equipment.daemons import HOST, end, free_port, wait_for_answer
from TftpLibrary import ServerSettings, TftpServer

SILENT = "import time; print(flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SILENT}"


@pytest.fixture
def silent() -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers nothing."""
    with subprocess.Popen([sys.executable, "-c", SILENT], stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_server_that_answers_is_there(silent: subprocess.Popen[bytes]) -> None:
    with TftpServer(settings=ServerSettings(host=HOST, port=free_port())) as server:
        assert wait_for_answer(silent, server.port)


def test_process_that_ends_does_not_answer(
    silent: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    silent.kill()
    monkeypatch.setattr("atest.equipment.daemons._START", 60.0)
    begun = time.monotonic()
    assert not wait_for_answer(silent, free_port())
    assert time.monotonic() - begun < 30


def test_silence_is_no_answer(
    silent: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atest.equipment.daemons._START", 0.3)
    assert not wait_for_answer(silent, free_port())


def test_process_is_ended_once_and_again(silent: subprocess.Popen[bytes]) -> None:
    end(silent)
    end(silent)
    assert silent.poll() is not None


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is stubborn there")
def test_process_that_does_not_go_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        wait = process.wait
        monkeypatch.setattr(process, "wait", lambda timeout=None: wait(timeout and 0.2))
        end(process)
        assert process.returncode == -9
