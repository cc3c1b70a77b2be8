"""The command `quickstart`: the packaged suite passes, and log.html is where it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from TftpLibrary.commandline import quickstart
from TftpLibrary.commandline.arguments import parser
from utest.support.programs import run_program


def test_quickstart_passes_and_tells_where_the_log_is(tmp_path: Path) -> None:
    done = run_program("quickstart", "--outputdir", tmp_path / "results", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 test, 1 passed, 0 failed" in done.stdout
    log = tmp_path / "results" / "log.html"
    assert log.is_file()
    assert done.stdout.splitlines()[-1] == f"To see every step, open in a browser: {log}"
    assert re.search(
        rf"^The first suite passed: {re.escape(str(quickstart.SUITE))}$", done.stdout, re.MULTILINE
    )
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_suite_that_fails_gives_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    suite = tmp_path / "failing.robot"
    suite.write_text("*** Test Cases ***\nFails\n    Fail    as it should\n", "utf-8")
    monkeypatch.setattr(quickstart, "SUITE", suite)
    options = parser().parse_args(["quickstart", "--outputdir", str(tmp_path)])
    assert quickstart.run(options) == 1
    assert f"The first suite failed: {suite}" in capfd.readouterr().out
