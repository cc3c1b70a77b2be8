"""Suites side by side in processes of pabot: those of docs/guides/parallel_runs.md."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from atest.equipment.daemons import free_port
from utest.support.labs import running_service
from utest.support.waiting import seconds

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "guides" / "parallel_runs.md"

pytest.importorskip("pabot")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the suites of the guide, each one twice, and images that they serve."""
    folder = tmp_path_factory.mktemp("pabot")
    blocks = re.findall(r"^```robotframework\n(.*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S)
    assert len(blocks) == 3
    for kind, block in zip(("reads", "boards", "changes"), blocks, strict=True):
        for number in (1, 2):
            suite = folder / kind / f"{kind}_{number}.robot"
            suite.parent.mkdir(exist_ok=True)
            suite.write_text(block, "utf-8")
    (folder / "images").mkdir()
    (folder / "images" / "zImage").write_bytes(b"kernel" * 1000)
    (folder / "images" / "board.cfg").write_text("hostname original", "utf-8")
    return folder


def pabot(folder: Path, suites: str, *options: str, processes: int = 2) -> Path:
    """Runs suites, each in a process, and returns the folder with the merged log."""
    output = folder / f"output of {suites.partition('.')[0]} {len(options)}"
    command = [sys.executable, "-m", "pabot.pabot", "--processes", str(processes), *options]
    command += ["--command", sys.executable, "-m", "robot", "--end-command"]
    command += ["--pythonpath", str(ROOT), "--outputdir", str(output)]
    command += ["--variable", f"IMAGES:{folder / 'images'}", "--variable", f"PORT:{free_port()}"]
    done = subprocess.run(
        [*command, str(folder / suites)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=seconds(60),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{processes} tests, {processes} passed" in done.stdout
    return output


def captures_of(output: Path) -> set[Path]:
    """Returns the captures to which the merged log links, if each is there."""
    page = html.unescape((output / "output.xml").read_text("utf-8"))
    links = {unquote(link) for link in re.findall(r'href="([^"]+pcapng)"', page)}
    assert [link for link in links if not (output / link).is_file()] == []
    return {output / link for link in links}


@pytest.mark.parametrize("options", [(), ("--artifacts", "png,pcapng")])
def test_links_to_captures_lead_somewhere_in_the_merged_log(
    folder: Path, options: tuple[str, ...]
) -> None:
    assert len(captures_of(pabot(folder, "reads", *options))) == 2, "One for each process."


def test_four_runs_share_a_port_through_a_lab(folder: Path) -> None:
    with running_service() as (service, url):
        options = ["--variable", f"LAB:{url}"]
        for number in (1, 2, 3, 4):
            arguments = folder / f"board{number}.txt"
            arguments.write_text(f"--variable BOARD:127.0.0.{number}", "utf-8")
            options += [f"--argumentfile{number}", str(arguments)]
        output = pabot(folder, "boards/boards_1.robot", *options, processes=4)
        assert service.visitors() == []
    captures = captures_of(output)
    assert len(captures) == 4
    for number in (1, 2, 3, 4):
        board = f"for 127.0.0.{number}".encode()
        assert len([path for path in captures if board in path.read_bytes()]) == 1


def test_one_port_and_one_folder_that_changes_go_round_with_a_lock(folder: Path) -> None:
    pabot(folder, "changes", "--pabotlib")
    assert {path.name for path in (folder / "images").iterdir()} == {"zImage", "board.cfg"}
    assert (folder / "images" / "board.cfg").read_text("utf-8") == "hostname original"
