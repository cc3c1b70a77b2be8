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
from utest.support.waiting import seconds

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "guides" / "parallel_runs.md"

pytest.importorskip("pabot")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the suites of the guide, each one twice, and images that they serve."""
    folder = tmp_path_factory.mktemp("pabot")
    blocks = re.findall(r"^```robotframework\n(.*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S)
    assert len(blocks) == 2
    for kind, block in zip(("reads", "changes"), blocks, strict=True):
        for number in (1, 2):
            suite = folder / kind / f"{kind}_{number}.robot"
            suite.parent.mkdir(exist_ok=True)
            suite.write_text(block, "utf-8")
    (folder / "images").mkdir()
    (folder / "images" / "zImage").write_bytes(b"kernel" * 1000)
    (folder / "images" / "board.cfg").write_text("hostname original", "utf-8")
    return folder


def pabot(folder: Path, suites: str, *options: str) -> Path:
    """Runs suites, each in a process, and returns the folder with the merged log."""
    output = folder / f"output of {suites} {' '.join(options)}"
    command = [sys.executable, "-m", "pabot.pabot", "--processes", "2", *options]
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
    assert "2 tests, 2 passed" in done.stdout
    return output


@pytest.mark.parametrize("options", [(), ("--artifacts", "png,pcapng")])
def test_links_to_captures_lead_somewhere_in_the_merged_log(
    folder: Path, options: tuple[str, ...]
) -> None:
    output = pabot(folder, "reads", *options)
    page = html.unescape((output / "output.xml").read_text("utf-8"))
    links = {unquote(link) for link in re.findall(r'href="([^"]+pcapng)"', page)}
    assert len(links) == 2, "One for each process."
    assert [link for link in links if not (output / link).is_file()] == []


def test_one_port_and_one_folder_that_changes_go_round_with_a_lock(folder: Path) -> None:
    pabot(folder, "changes", "--pabotlib")
    assert {path.name for path in (folder / "images").iterdir()} == {"zImage", "board.cfg"}
    assert (folder / "images" / "board.cfg").read_text("utf-8") == "hostname original"
