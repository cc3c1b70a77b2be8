"""`run.py`: what people and CI start, on a machine that has only Python."""

from __future__ import annotations

import ast
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from utest.support.small_project import (
    RUN_PY,
    SmallProject,
    make_small_project,
    make_venv_quick,
    replace_venv,
)

COMMANDS = ("quickstart", "test", "utest", "atest", "check", "docs", "benchmark")
REPORT = '<testsuites><testsuite tests="9" failures="0" errors="0" skipped="2"/></testsuites>'
FAILING_REPORT = '<testsuite tests="9" failures="2" errors="1" skipped="0"/>'


# venv in a new Debian, where ensurepip is in another package. A folder is left.
DEBIAN = """\
import pathlib, sys
(pathlib.Path(sys.argv[-1]) / "bin").mkdir(parents=True, exist_ok=True)
print('''The virtual environment was not created successfully because ensurepip is not
available.  On Debian/Ubuntu systems, you need to install the python3-venv
package using the following command.''')
sys.exit(1)
"""
# In two, so that the spell checker does not find it here.
MISSPELT = "t" + "eh"
NEED_VENV = "On Debian and Ubuntu: sudo apt install python3-venv"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A project whose path has a space, installed once."""
    project = make_small_project(tmp_path_factory.mktemp("run") / "a project")
    ran = project.run("docs")
    assert ran.status == 0, ran.out + ran.err
    assert ran.out.startswith("Installing TftpLibrary and its tools into .venv")
    assert len(ran.out.splitlines()) == 2, "One line about the installation, one of the tool."
    return project


@pytest.fixture(scope="module")
def quick(project: SmallProject, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The PYTHONPATH for environments after the first, which is made as anywhere."""
    return make_venv_quick(tmp_path_factory.mktemp("quick") / "venv", project)


@pytest.mark.parametrize("arguments", [(), ("tests",), ("--help",)])
def test_usage_has_a_line_for_each_command(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = make_small_project(tmp_path / "project").run(*arguments)
    assert ran.status == 2
    assert [line.split()[0] for line in ran.out.splitlines()[2:] if line] == [*COMMANDS]
    assert not (tmp_path / "project" / ".venv").exists()


def test_old_python_is_told_what_is_needed() -> None:
    code = f"import runpy, sys; sys.version_info = (3, 9, 1); runpy.run_path({str(RUN_PY)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == "TftpLibrary needs Python 3.10 or newer; this is 3.9.\n"
    assert done.returncode == 1


def test_only_the_standard_library_is_needed() -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(RUN_PY.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    assert "subprocess" in imported
    assert imported <= sys.stdlib_module_names


def test_what_is_installed_is_not_installed_again(project: SmallProject) -> None:
    assert project.run("docs").out.startswith("libdoc TftpLibrary docs/keywords.html in ")


def test_changed_pyproject_is_installed_again(project: SmallProject) -> None:
    path = project.root / "pyproject.toml"
    path.write_text(path.read_text("utf-8") + "# changed\n", "utf-8")
    assert project.run("docs").out.startswith("Installing")
    assert not project.run("docs").out.startswith("Installing")


def test_failed_installation_shows_why_and_is_tried_again(
    project: SmallProject, quick: str
) -> None:
    path = project.root / "pyproject.toml"
    good = path.read_text("utf-8")
    path.write_text(good.replace('"backend"', '"no_such_backend"'), "utf-8")
    ran = project.run("docs")
    assert ran.status == 1
    assert "no_such_backend" in ran.out + ran.err
    assert ran.err.endswith("The installation failed: the lines above tell why.\n")
    path.write_text(good, "utf-8")
    ran = project.run("docs", PYTHONPATH=quick)
    assert ran.out.startswith("Installing"), "A failure leaves no stamp."
    assert ran.status == 0, ran.out + ran.err


def test_python_without_venv_is_told_what_to_install_in_a_line_of_its_own(
    tmp_path: Path, quick: str
) -> None:
    project = make_small_project(tmp_path / "project")
    without = replace_venv(tmp_path / "debian", DEBIAN)
    for _ in range(2):
        ran = project.run("docs", PYTHONPATH=without)
        assert ran.status == 1
        assert ran.err.splitlines()[-1] == NEED_VENV
    assert project.run("docs", PYTHONPATH=quick).status == 0, "It works once the package is there."


def test_failed_tool_of_a_complete_venv_says_nothing_of_it(
    project: SmallProject, quick: str
) -> None:
    path = project.root / "pyproject.toml"
    good = path.read_text("utf-8")
    path.write_text("nothing of a project", "utf-8")
    ran = project.run("docs")
    path.write_text(good, "utf-8")
    assert ran.status == 1
    assert NEED_VENV not in ran.err
    assert project.run("docs", PYTHONPATH=quick).status == 0


def test_readme_names_what_python_alone_lacks() -> None:
    assert "`sudo apt install python3-venv`" in (RUN_PY.parent / "README.md").read_text("utf-8")


def test_tools_run_in_the_project_from_any_folder(project: SmallProject, tmp_path: Path) -> None:
    ran = project.run("utest", cwd=tmp_path)
    call, folder = ran.out.split(" in ", 1)
    assert call.split()[0] == "pytest"
    assert call.endswith(" --junitxml=results/utest/xunit.xml utest")
    assert folder == f"{project.root}\n"


def test_arguments_go_before_what_the_tool_is_for(project: SmallProject) -> None:
    assert "--include smoke atest README.md in" in project.run("atest", "--include", "smoke").out


def test_named_file_takes_the_place_of_what_the_tool_is_for(project: SmallProject) -> None:
    (project.root / "atest" / "boot.robot").touch()
    ran = project.run("atest", "--dryrun", "atest/boot.robot")
    assert ran.out.split(" in ")[0].endswith("-x xunit.xml --dryrun atest/boot.robot")


def test_stories_pass_through_a_lab_where_that_was_asked(project: SmallProject) -> None:
    call = project.run("atest", "--lab", "unix", "--include", "smoke").out.split(" in ")[0]
    assert "-d results/atest-unix -x xunit.xml --listener" in call
    assert "ThroughLab:unix --exclude local --include smoke atest README.md" in call


def test_stories_that_are_marked_run_over_ssh(project: SmallProject) -> None:
    call = project.run("atest", "--lab", "ssh").out.split(" in ")[0]
    assert "ThroughLab:ssh --exclude local --include smoke atest README.md" in call


def test_exit_status_is_that_of_the_tool(project: SmallProject) -> None:
    assert project.run("atest", TOOL_STATUS="robot=7").status == 7
    assert project.run("utest", TOOL_STATUS="pytest=5").status == 5


@pytest.mark.parametrize("status", [0, 3])
def test_quickstart_ends_with_the_path_of_its_log(project: SmallProject, status: int) -> None:
    ran = project.run("quickstart", TOOL_STATUS=f"robot={status}")
    assert ran.status == status
    assert ran.out.endswith(f"{project.root / 'results' / 'quickstart' / 'log.html'}\n")


def test_check_shows_what_fails_and_only_that(project: SmallProject) -> None:
    ran = project.run("check", TOOL_STATUS="lint-imports=1 codespell=65")
    assert ran.status == 2
    mypy = "mypy --platform {0} --cache-dir .mypy_cache/{0}"
    assert ran.out.splitlines() == [
        "ok      ruff format --check --diff .",
        "ok      ruff check .",
        "FAILED  lint-imports",
        f"lint-imports in {project.root}",
        "",
        "FAILED  codespell",
        f"codespell in {project.root}",
        "",
        "ok      robocop format --check --diff .",
        "ok      robocop check .",
        *(f"ok      {mypy.format(system)}" for system in ("linux", "darwin", "win32")),
    ]


def test_spell_checker_reads_nothing_that_git_ignores(tmp_path: Path) -> None:
    """Files that tools write, such as the page of the keywords, are not ours to spell."""
    root = RUN_PY.parent
    shutil.copy(root / "pyproject.toml", tmp_path)
    for line in (root / ".gitignore").read_text("utf-8").split():
        path = tmp_path / line.strip("/").replace("*", "some")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".html" or line == ".coverage":
            path.write_text(MISSPELT, "utf-8")
        else:
            path.mkdir()
            (path / "page.txt").write_text(MISSPELT, "utf-8")

    def findings() -> str:
        command = [sys.executable, "-m", "codespell_lib", "."]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    assert findings() == ""
    (tmp_path / "README.md").write_text(MISSPELT, "utf-8")
    assert "README.md" in findings()


def test_test_ends_with_the_sum_of_all(project: SmallProject) -> None:
    ran = project.run("test", REPORT=REPORT)
    assert ran.status == 0
    assert ran.out.splitlines()[-1] == "37 passed, 0 failed, 8 skipped"


def test_test_fails_with_whatever_failed(project: SmallProject) -> None:
    ran = project.run("test", REPORT=FAILING_REPORT, TOOL_STATUS="pytest=1 robot=3 codespell=1")
    assert ran.status == 1
    assert ran.out.splitlines()[-1] == "32 passed, 13 failed, 0 skipped"
    assert not project.run("check", TOOL_STATUS="mypy=0").status


def test_run_that_broke_off_has_failed(project: SmallProject) -> None:
    """A tool that leaves no report, and the old one is gone."""
    project.run("test", REPORT=REPORT)
    ran = project.run("test", TOOL_STATUS="robot=252")
    assert ran.status == 1
    assert ran.out.splitlines()[-1] == "9 passed, 3 failed, 0 skipped"


def test_real_reports_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "def test_one(): pass\n"
        "def test_two(): assert False\n"
        "def test_three(): pytest.skip()\n"
        "@pytest.fixture\ndef broken(): assert False\n"
        "def test_four(broken): pass\n",
        "utf-8",
    )
    (tmp_path / "some.robot").write_text(
        "*** Test Cases ***\nOne\n    No Operation\nTwo\n    Fail\nThree\n    Skip\n", "utf-8"
    )
    reports = {name: tmp_path / "results" / name / "xunit.xml" for name in ("utest", "atest")}
    for words in (
        ["pytest", "-p", "no:cacheprovider", f"--junitxml={reports['utest']}", "test_some.py"],
        [
            "robot",
            "--outputdir",
            str(reports["atest"].parent),
            "--xunit",
            "xunit.xml",
            "some.robot",
        ],
    ):
        command = [sys.executable, "-m", *words]
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    run_py = runpy.run_path(str(RUN_PY))
    monkeypatch.setitem(run_py["tally"].__globals__, "ROOT", tmp_path)
    assert run_py["tally"]("utest", 1) == [1, 2, 1]
    assert run_py["tally"]("atest", 1) == [1, 1, 1]
