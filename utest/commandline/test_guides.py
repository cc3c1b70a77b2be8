"""The command `guides`: each guide is where it says."""

from __future__ import annotations

from pathlib import Path

from utest.support.programs import ROOT, run_program


def test_each_guide_is_shown_with_its_title_and_path(tmp_path: Path) -> None:
    done = run_program("guides", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    titles, paths = done.stdout.splitlines()[::2], done.stdout.splitlines()[1::2]
    guides = sorted((ROOT / "docs" / "guides").glob("*.md"))
    assert [path.strip() for path in paths] == [
        *map(str, guides),
        "libdoc TftpLibrary keywords.html",
    ]
    assert "Several runs at once, with pabot" in titles
    assert not [title for title in titles if title.startswith(("#", " "))]
