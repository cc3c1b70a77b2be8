"""The wheel that pip installs: built from the source distribution, without the clone."""

from __future__ import annotations

import json
import os
import re
import site
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SUITE = """\
*** Settings ***
Library     TftpLibrary    host=127.0.0.1    port=0
Resource    TftpBoard/board.resource

*** Test Cases ***
The Board Loads Its Kernel
    Start TFTP Server
    Create Test File    zImage    1 MiB
    Switch Board On    zImage
    Wait Until File Is Downloaded    zImage    timeout=10s
    Board Should Hold File    zImage
"""
WHERE = """\
import json, TftpBoard, TftpLibrary
print(json.dumps([TftpBoard.__file__, TftpLibrary.__file__]))
"""

pytest.importorskip("hatchling")
pytest.importorskip("hatch_fancy_pypi_readme")


def run(*command: str | Path, cwd: Path) -> str:
    """Runs a program; it finds nothing of the clone by way of this environment."""
    words = [str(word) for word in command]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from an unpacked source distribution, as pip would where no wheel fits."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(folder, filter="data")
    (unpacked,) = (path for path in folder.iterdir() if path.is_dir())
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=unpacked)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_wheel_has_the_library_and_the_board_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    folders = {name.split("/")[0] for name in names}
    assert {folder for folder in folders if not folder.endswith(".dist-info")} == {
        "TftpLibrary",
        "TftpBoard",
    }
    assert {
        "TftpBoard/board.resource",
        "TftpBoard/py.typed",
        "TftpLibrary/quickstart.robot",
    } <= names


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def test_readme_of_the_wheel_has_no_link_that_leads_nowhere(wheel: Path) -> None:
    """Beside it there is no clone: pages are named, and only addresses are links."""
    readme = str(metadata(wheel).get_payload())
    assert "# TftpLibrary" in readme
    assert "docs/guides/first_board_test.robot.md" in readme
    assert "`tftplibrary guides`" in readme
    links = re.findall(r"\]\(([^)]*)\)", readme)
    assert links
    assert [link for link in links if not link.startswith("https://")] == []


def test_readme_names_the_lowest_robot_framework(wheel: Path) -> None:
    (needed,) = (
        line
        for line in metadata(wheel).get_all("Requires-Dist", [])
        if line[:15] == "robotframework<" and "extra" not in line
    )
    lowest = re.search(r">=([\d.]+)", needed)
    assert lowest
    readme = str(metadata(wheel).get_payload())
    assert f"Robot Framework {lowest[1]} or newer" in readme
    assert "`libdoc TftpLibrary keywords.html`" in readme


def test_no_address_of_the_project_is_made_up(wheel: Path) -> None:
    assert metadata(wheel).get_all("Project-URL", []) == []


def test_guides_are_in_the_wheel_and_lead_only_to_each_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        guides = {
            name.removeprefix("TftpLibrary/guides/"): archive.read(name).decode()
            for name in archive.namelist()
            if name.startswith("TftpLibrary/guides/")
        }
    assert set(guides) == {path.name for path in (ROOT / "docs" / "guides").iterdir()}
    links = {link for page in guides.values() for link in re.findall(r"\]\(([^)#:]+)\)", page)}
    assert links <= set(guides)


def test_suite_with_the_board_runs_from_an_installation(wheel: Path, tmp_path: Path) -> None:
    """In a new environment, which has what the library needs and not the clone."""
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    python = tmp_path / "venv" / scripts / Path(sys.executable).name
    report = "import json, sysconfig; print(json.dumps(sysconfig.get_path('purelib')))"
    packages = Path(json.loads(run(python, "-c", report, cwd=tmp_path)))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # Folders that a .pth file names are searched, but their own .pth files are not read.
    (packages / "needed.pth").write_text("\n".join(site.getsitepackages()), "utf-8")
    found = json.loads(run(python, "-c", WHERE, cwd=tmp_path))
    guide = packages / "TftpLibrary" / "guides" / "first_board_test.robot.md"
    assert str(guide) in run(python, "-m", "TftpLibrary", "guides", cwd=tmp_path)
    assert [Path(name).parents[1] for name in found] == [packages, packages]
    (tmp_path / "suite.robot").write_text(SUITE, "utf-8")
    quiet = ("--log", "NONE", "--report", "NONE", "--output", "NONE")
    assert "1 passed" in run(python, "-m", "robot", *quiet, "suite.robot", cwd=tmp_path)
