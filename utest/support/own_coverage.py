"""Shows how far each module is covered by the test of its own name, and by that alone.

    .venv/bin/python -m utest.support.own_coverage [FOLDER OR MODULE]...

It takes a second for each module, so it is run by hand: `protocol` for one folder, nothing for
all. Modules below their goal are listed with the missing lines.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "TftpLibrary"
DATA = ROOT / "results" / "own_coverage"
STRICT = {"protocol", "faults"}
STRICT_GOAL, GOAL = 100.0, 95.0


def partner_of(module: Path) -> Path:
    """Returns the test of the same name."""
    folder = ROOT / "utest" / module.relative_to(PACKAGE).parent
    return folder / f"test_{module.stem.strip('_')}.py"


def tests_of(module: Path) -> list[str]:
    """Returns the test of the same name, and the contract of the package if it has one."""
    partner = partner_of(module)
    contract = partner.with_name("test_contract.py")
    return [str(partner), *([str(contract)] if contract.is_file() else [])]


def measure(module: Path) -> tuple[float, str]:
    """Returns the per cent of lines and branches that its own tests run, and the missing ones."""
    options = [f"--data-file={DATA}", f"--include={module}"]
    coverage = [sys.executable, "-m", "coverage"]
    test = [*coverage, "run", *options, "-m", "pytest", *tests_of(module)]
    subprocess.run(test, cwd=ROOT, capture_output=True, check=False)
    report = [*coverage, "json", *options, "-q", "-o", "-"]
    done = subprocess.run(report, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return 0.0, "its test runs nothing of it"
    (found,) = json.loads(done.stdout)["files"].values()
    branches = [f"{start}->{end}" for start, end in found["missing_branches"]]
    missing = [str(line) for line in found["missing_lines"]]
    return found["summary"]["percent_covered"], " ".join(missing + branches)


def main(places: list[str]) -> int:
    """Measures the modules below the places, and returns how many do not reach their goal."""
    DATA.parent.mkdir(exist_ok=True)
    below = 0
    for place in places or ["."]:
        path = PACKAGE / place
        for module in [path] if path.is_file() else sorted(path.rglob("*.py")):
            name = module.relative_to(PACKAGE)
            if not partner_of(module).is_file():
                continue
            percent, missing = measure(module)
            goal = STRICT_GOAL if name.parts[0] in STRICT else GOAL
            is_below = percent < goal
            below += is_below
            print(f"{percent:6.1f} %  {name.as_posix()}{'  ' + missing if is_below else ''}")
    return below


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
