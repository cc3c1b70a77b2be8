"""A project that `run.py` installs in seconds, without a network: its tools only print their call.

Its build backend lies in the project itself and needs nothing. The tools have the names of ours,
print their arguments, write the report that they are asked for, and end as `TOOL_STATUS` says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

RUN_PY = Path(__file__).parent.parent.parent / "run.py"

PYPROJECT = """
[project]
name = "small"
version = "1"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

BACKEND = """
import zipfile

TOOLS = ["codespell", "libdoc", "lint-imports", "mypy", "pytest", "robocop", "robot", "ruff"]
METADATA = "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\nProvides-Extra: test\\n"
WHEEL = "Wheel-Version: 1.0\\nGenerator: small\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"


def build_editable(folder, config_settings=None, metadata_directory=None):
    scripts = "".join(f"{name} = small_tools:main\\n" for name in TOOLS)
    with zipfile.ZipFile(f"{folder}/small-1-py3-none-any.whl", "w") as wheel:
        wheel.write("small_tools.py")
        wheel.writestr("small-1.dist-info/METADATA", METADATA)
        wheel.writestr("small-1.dist-info/WHEEL", WHEEL)
        wheel.writestr("small-1.dist-info/entry_points.txt", "[console_scripts]\\n" + scripts)
        wheel.writestr("small-1.dist-info/RECORD", "")
    return "small-1-py3-none-any.whl"
"""

TOOLS = """
import os
import pathlib
import sys



def main():
    name = pathlib.Path(sys.argv[0]).stem
    print(name, *sys.argv[1:], "in", os.getcwd(), flush=True)
    folders = [word for word in sys.argv if word.startswith("results/atest")]
    folders += ["results/utest"] if name == "pytest" else []
    if folders and "REPORT" in os.environ:
        report = pathlib.Path(folders[0], "xunit.xml")
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(os.environ["REPORT"])
    statuses = dict(pair.split("=") for pair in os.environ.get("TOOL_STATUS", "").split())
    return int(statuses.get(name, 0))
"""


QUICK_VENV = """
import pathlib
import sys

sys.path.remove(str(pathlib.Path(__file__).parent))
import venv

venv.main(["--without-pip", *sys.argv[1:]])
"""


@dataclass(frozen=True)
class SmallProject:
    """A folder with `run.py` and everything that it needs."""

    root: Path

    def run(self, *arguments: str, cwd: Path | None = None, **env: str) -> Ran:
        """Runs `run.py` and returns what it printed, and its exit status."""
        done = subprocess.run(
            [sys.executable, self.root / "run.py", *arguments],
            cwd=cwd or self.root,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Ran:
    """The result of a run of `run.py`."""

    status: int
    out: str
    err: str


def make_small_project(root: Path) -> SmallProject:
    """Makes the project in a folder that does not exist yet."""
    (root / "atest").mkdir(parents=True)
    (root / "utest").mkdir()
    shutil.copy(RUN_PY, root)
    (root / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    (root / "backend.py").write_text(BACKEND, "utf-8")
    (root / "small_tools.py").write_text(TOOLS, "utf-8")
    return SmallProject(root)


def replace_venv(folder: Path, code: str) -> str:
    """Returns a value of PYTHONPATH with which `python -m venv` runs this code."""
    folder.mkdir()
    (folder / "venv.py").write_text(code, "utf-8")
    return str(folder)


def make_venv_quick(folder: Path, installed: SmallProject) -> str:
    """Returns a value of PYTHONPATH with which a new environment takes no seconds to unpack pip.

    It finds a copy of the pip of a project that is installed: the folder is on the path of all.
    """
    path = replace_venv(folder, QUICK_VENV)
    shutil.copytree(next(installed.root.glob(".venv/**/site-packages/pip")), folder / "pip")
    return path
