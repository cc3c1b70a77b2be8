from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from TftpLibrary.__main__ import main
from TftpLibrary.commandline import labs
from TftpLibrary.commandline.arguments import parser
from TftpLibrary.lab.lab import Lab
from utest.support.waiting import seconds


@contextmanager
def lab_process(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with TemporaryDirectory(prefix="lab-") as folder:
        url = f"unix:{folder}/lab.sock"
        command = [sys.executable, "-m", "TftpLibrary", "lab", "--listen", url, *options]
        env = os.environ | {"TMPDIR": folder}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == f"lab at {url}\n"
                yield process, url
            finally:
                process.kill()


def test_status_tells_who_uses_the_lab(capsys: pytest.CaptureFixture[str]) -> None:
    with lab_process() as (_, url), Lab(url) as lab:
        assert main(["lab", "status", url]) == 0
        assert capsys.readouterr().out == "nobody uses it\n"
        with lab.server(alias="dut", clients=("127.0.0.1",)) as server:
            assert main(["lab", "status", url]) == 0
            who, held = capsys.readouterr().out.splitlines()
            assert ", since 20" in who
            assert held == f"    dut at {server.bound}, for 127.0.0.1"


def test_a_signal_ends_the_lab_and_nothing_is_left() -> None:
    with lab_process() as (process, url), Lab(url) as lab:
        server = lab.server().start()
        root = server.root
        process.send_signal(signal.SIGTERM)
        assert process.wait(seconds(10)) == 0
        assert not root.exists()
        assert not Path(url.removeprefix("unix:")).exists()


def test_a_killed_lab_is_cleaned_up_by_the_next() -> None:
    with TemporaryDirectory(prefix="lab-") as folder:
        env = os.environ | {"TMPDIR": folder}
        roots = []
        for _ in range(2):
            url = f"unix:{folder}/lab.sock"
            command = [sys.executable, "-m", "TftpLibrary", "lab", "--listen", url]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
                assert process.stdout is not None
                process.stdout.readline()
                with Lab(url) as lab:
                    roots.append(lab.server().start().root)
                    process.kill()
                    process.wait()
        assert not roots[0].exists()


def test_the_service_of_the_guide_has_options_that_there_are() -> None:
    guide = Path(__file__).parents[2] / "docs/guides/your_suite_here_your_board_there.robot.md"
    start = re.search(r"^ *ExecStart=\S+ (.*)$", guide.read_text("utf-8"), re.M)
    assert start is not None
    options = parser().parse_args(start[1].split())
    assert (options.max_space, options.clients) == (20 << 30, ["192.168.77.0/24"])


def test_a_lab_without_a_place_listens_where_those_who_come_by_ssh_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    assert labs.usual_socket() == tmp_path / "tftplibrary-lab.sock"
    monkeypatch.delenv("RUNTIME_DIRECTORY")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if not Path("/run/tftplibrary").is_dir():
        found = labs.usual_socket()
        assert found == tmp_path / f"tftplibrary-{tmp_path.stat().st_uid}" / "tftplibrary-lab.sock"
        assert found.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--allow-root", "/no/such"], "The folder '/no/such' does not exist."),
        (["--clients", "300.1.1.1"], "--client '300.1.1.1' is neither"),
        (["--listen", "unix:/no/such/lab.sock"], "Cannot listen at '/no/such/lab.sock'"),
    ],
)
def test_what_cannot_be_is_told_at_the_start(
    capsys: pytest.CaptureFixture[str], options: list[str], text: str
) -> None:
    assert main(["lab", *options]) != 0
    assert text in capsys.readouterr().err
