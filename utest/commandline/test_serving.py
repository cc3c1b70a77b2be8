"""The command `serve`, in this process: the loop, its report, and its signals."""

from __future__ import annotations

import argparse
import io
import os
import re
import signal
import sys
import threading
from pathlib import Path

import pytest

from TftpLibrary.client import TftpClient
from TftpLibrary.commandline import serving
from TftpLibrary.commandline.arguments import parser
from TftpLibrary.commandline.output import Output
from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.outcome import Outcome
from TftpLibrary.recording.recorder import Recorder
from utest.support.records import open_record, partial, transfer, write_record
from utest.support.waiting import wait_until


class Stream(io.StringIO):
    """Standard error whose reader may pause, and that may be a terminal."""

    def __init__(self, *, is_terminal: bool = False) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


class PausedOutput(Output):
    """An output whose reader reads only while it is told to."""

    is_read = False

    def is_ready(self) -> bool:
        return self.is_read


def options(folder: Path, *arguments: str) -> argparse.Namespace:
    return parser().parse_args(["serve", str(folder), "--port", "0", *arguments])


def end(recorder: Recorder, filename: str = "zImage") -> None:
    write_record(recorder, transfer(filename, outcome=Outcome.completed, octets=1000))


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill() ends the tests themselves there")
def test_serves_until_a_signal_comes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "zImage").write_bytes(b"image")

    def be_the_board() -> None:
        ready = wait_until(lambda: capsys.readouterr().out)
        with TftpClient("127.0.0.1", int(re.findall(r":(\d+)/", ready)[0])) as client:
            client.get("zImage", tmp_path / "copy")
        os.kill(os.getpid(), signal.SIGTERM)

    handler = signal.getsignal(signal.SIGTERM)
    board = threading.Thread(target=be_the_board)
    board.start()
    assert serving.run(options(tmp_path)) == 0
    board.join()
    assert (tmp_path / "copy").read_bytes() == b"image"
    assert "1 transfer (1 completed), 5 bytes sent" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is handler


def test_server_that_cannot_start_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError):
        serving.run(options(tmp_path / "missing"))
    assert capsys.readouterr() == ("", "")


def test_report_tells_each_end_once() -> None:
    recorder, stream = Recorder(), Stream()
    report = serving.Report(recorder, Output(stream), is_quiet=False)
    for name in "abc":
        end(recorder, name)
        report.update()
        report.update()
    assert re.findall(r"'(.)'", stream.getvalue()) == ["a", "b", "c"]


def test_report_waits_for_its_reader_and_counts_what_it_could_not_show() -> None:
    recorder, stream = Recorder(limit=3), Stream()
    output = PausedOutput(stream)
    report = serving.Report(recorder, output, is_quiet=False)
    end(recorder, "first")
    report.update()
    for number in range(10):
        end(recorder, str(number))
        report.update()
    assert stream.getvalue() == ""
    output.is_read = True
    report.finish(1.0)
    lines = stream.getvalue().splitlines()
    assert [re.findall(r"'(\w+)'", line) for line in lines[:4]] == [["first"], ["7"], ["8"], ["9"]]
    assert lines[4] == "7 transfers are not shown: nobody read the lines in time"
    assert lines[5].startswith("stopped after 1 s: 11 transfers (4 completed, 7 not shown), ")


def test_quiet_report_tells_the_summary_only() -> None:
    recorder, stream = Recorder(limit=1), Stream(is_terminal=True)
    report = serving.Report(recorder, Output(stream), is_quiet=True)
    open_record(recorder, partial())
    end(recorder)
    end(recorder)
    report.update()
    report.finish(1.0)
    assert stream.getvalue() == (
        "stopped after 1 s: 2 transfers (1 completed, 1 not shown), 1.0 kB sent, 0 bytes received\n"
    )


def test_unexpected_exception_of_the_engine_is_told() -> None:
    recorder, stream = Recorder(), Stream()
    recorder.defect("ZeroDivisionError")
    serving.Report(recorder, Output(stream), is_quiet=False).update()
    assert stream.getvalue() == "unexpected: ZeroDivisionError\n"


def test_live_line_goes_when_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "PROGRESS_TIME", 0.0)
    recorder, stream = Recorder(), Stream(is_terminal=True)
    report = serving.Report(recorder, Output(stream), is_quiet=False)
    running = open_record(recorder, partial())
    report.update()
    live = "zImage 41 % 3.2 of 7.8 MB 67.6 kB/s from 192.168.1.50"
    assert stream.getvalue() == live
    recorder.ended(running._replace(outcome=Outcome.timed_out))
    report.update()
    cleared = f"{live}\r{' ' * len(live)}\r"
    assert stream.getvalue().startswith(cleared)
    assert stream.getvalue().endswith("no reason was given\n")


def test_live_line_is_not_renewed_too_often() -> None:
    recorder, stream = Recorder(), Stream(is_terminal=True)
    report = serving.Report(recorder, Output(stream), is_quiet=False)
    open_record(recorder, partial())
    report.update()
    shown = stream.getvalue()
    report.update()
    assert stream.getvalue() == shown
