"""Other programs: found, or the test is skipped and says how to install them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from robot.api import ExecutionResult, Failure, SkipExecution

from atest.equipment.peers import PACKAGES, find_program, peers
from utest.support.peers import require

ROOT = Path(__file__).parent.parent.parent
TEXT = "'no-such-program' is not installed. On Debian: apt-get install some-package"
SUITE = """
*** Settings ***
Library    atest/equipment/peers.py

*** Test Cases ***
Found
    ${path}=    Require Program    found
    Should Contain    ${path}    found
Missing
    Require Program    no-such-program    apt=some-package
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the program `found`, and an environment that promises no program."""
    program = tmp_path / ("found.bat" if sys.platform == "win32" else "found")
    program.write_text("", "utf-8")
    program.chmod(0o755)
    monkeypatch.delenv("TFTP_LIBRARY_REQUIRE_PEERS", raising=False)
    monkeypatch.delenv("TFTP_LIBRARY_PEERS", raising=False)
    return tmp_path


@pytest.mark.parametrize("variable", ["PATH", "TFTP_LIBRARY_PEERS"])
def test_program_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    assert find_program("found") is None
    monkeypatch.setenv(variable, str(folder))
    assert Path(find_program("found") or "").parent == folder
    assert require("found") == peers().require_program("found") == find_program("found")


@pytest.mark.skipif(sys.platform == "win32", reason="packages of Debian")
def test_unpacked_package_has_its_programs_deep_below(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = folder / "usr" / "sbin" / "deep"
    deep.parent.mkdir(parents=True)
    (folder / "found").rename(deep)
    monkeypatch.setenv("TFTP_LIBRARY_PEERS", str(folder))
    assert find_program("deep") == str(deep)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission there")
def test_another_program_under_the_name_is_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian's atftpd calls itself in.tftpd too."""
    (folder / "found").rename(folder / "atftpd")
    (folder / "in.tftpd").symlink_to("atftpd")
    monkeypatch.setenv("TFTP_LIBRARY_PEERS", str(folder))
    assert find_program("atftpd") == str(folder / "atftpd")
    assert find_program("in.tftpd") != str(folder / "in.tftpd")


@pytest.mark.usefixtures("folder")
def test_missing_program_skips_the_test() -> None:
    with pytest.raises(pytest.skip.Exception, match=TEXT):
        require("no-such-program", "some-package")
    with pytest.raises(SkipExecution, match=TEXT):
        peers().require_program("no-such-program", apt="some-package")


@pytest.mark.usefixtures("folder")
def test_missing_program_that_was_promised_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFTP_LIBRARY_REQUIRE_PEERS", "1")
    with pytest.raises(pytest.fail.Exception, match=TEXT):
        require("no-such-program", "some-package")
    with pytest.raises(Failure, match=TEXT):
        peers().require_program("no-such-program", apt="some-package")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("program", PACKAGES)
def test_package_of_a_known_program_is_told(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr("atest.equipment.peers.find_program", lambda _: None)
    with pytest.raises(SkipExecution, match=f"apt-get install {PACKAGES[program]}$"):
        peers().require_program(program)


def test_keyword_skips_and_finds_in_a_suite(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFTP_LIBRARY_PEERS", str(folder))
    (folder / "some.robot").write_text(SUITE, "utf-8")
    command = [sys.executable, "-m", "robot", "--pythonpath", str(ROOT), "--log", "NONE"]
    command += ["--report", "NONE", "--outputdir", str(folder), str(folder / "some.robot")]
    subprocess.run(command, capture_output=True, check=False)
    tests = ExecutionResult(str(folder / "output.xml")).suite.tests
    assert [(test.name, test.status) for test in tests] == [("Found", "PASS"), ("Missing", "SKIP")]
    assert tests[1].message == TEXT
