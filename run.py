"""Makes .venv if need be, and runs there `python3 run.py COMMAND [ARGS]` (Windows: `py run.py`).

quickstart  run the first suite of README.md: a board boots from a TFTP server
test        run everything that CI runs: check, utest and atest
utest       run the unit tests; ARGS go to pytest
atest       run the stories; ARGS go to robot: --include smoke; --lab unix|ssh: in a lab
check       run the linters: format, lint, types, layers, robot files, spelling
docs        write the page of the keywords, docs/keywords.html
benchmark   measure how fast it is beside others; ARGS as in atest/performance/README.md
"""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

if sys.version_info < (3, 10):  # noqa: UP036 - this is for those who have less.
    sys.exit("TftpLibrary needs Python 3.10 or newer; this is {}.{}.".format(*sys.version_info))

ROOT = Path(__file__).resolve().parent
BIN = ROOT / ".venv" / ("Scripts" if sys.platform == "win32" else "bin")
GUIDES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.robot.md"))
# What stands before ARGS, and what stands after them unless they name files of their own.
TOOLS = {
    "quickstart": ("robot -d results/quickstart -r NONE", ["README.md"]),
    "utest": ("pytest -n auto --dist loadfile --junitxml=results/utest/xunit.xml", ["utest"]),
    "atest": ("robot -N Stories -d results/atest -x xunit.xml", ["atest", "README.md", *GUIDES]),
    "docs": ("libdoc", ["TftpLibrary", "docs/keywords.html"]),
    "benchmark": ("python atest/performance/benchmark.py", []),
}
THROUGH_LAB = " --listener atest.equipment.through_lab.ThroughLab:{} --exclude local"
FOR_CARRIER = {"ssh": " --include smoke"}
CHECKS = ["ruff format --check --diff .", "ruff check .", "lint-imports", "codespell"]
CHECKS += ["robocop format --check --diff .", "robocop check ."]
SYSTEMS = ("linux", "darwin", "win32")  # What is for another system, mypy reads only as that one.
CHECKS += [f"mypy --platform {name} --cache-dir .mypy_cache/{name}" for name in SYSTEMS]


def run(name: str, *words: str, quiet: bool = False) -> subprocess.CompletedProcess[bytes]:
    """Runs a program of .venv in the project's folder."""
    return subprocess.run([str(BIN / name), *words], cwd=ROOT, capture_output=quiet, check=False)


def tool(name: str, *arguments: str, quiet: bool = False) -> subprocess.CompletedProcess[bytes]:
    """Runs a tool, on ARGS where they name a file and else on what it is for."""
    words, usual = TOOLS[name]
    if name == "atest" and arguments[:1] == ("--lab",) and len(arguments) > 1:
        words = words.replace(name, f"{name}-{arguments[1]}") + THROUGH_LAB.format(arguments[1])
        words += FOR_CARRIER.get(arguments[1], "")
        arguments = arguments[2:]
    files = [] if any((ROOT / argument).exists() for argument in arguments) else usual
    return run(*words.split(), *arguments, *files, quiet=quiet)


def check() -> int:
    """Runs the linters and returns how many of them found something."""
    failed = 0
    for words in CHECKS:
        done = run(*words.split(), quiet=True)
        output = (done.stdout + done.stderr).decode("utf-8", "replace")
        print(f"FAILED  {words}\n{output}" if done.returncode else f"ok      {words}", flush=True)
        failed += done.returncode != 0
    return failed


def tally(name: str, status: int) -> list[int]:
    """Returns how many passed, failed and were skipped; a run that broke off has failed."""
    if name == "check":
        return [len(CHECKS) - status, status, 0]
    report = ROOT / "results" / name / "xunit.xml"
    suite = next(ElementTree.parse(report).iter("testsuite")).attrib if report.exists() else {}
    tests, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    return [tests - failed - skipped, max(failed, int(status != 0)), skipped]


def test() -> int:
    """Runs everything, tells how it went, and returns an exit status."""
    form, total, lines = "{} passed, {} failed, {} skipped", [0, 0, 0], []
    pool = ThreadPoolExecutor()
    names = ("check", "utest", "atest-ssh", "atest", "atest-unix")
    for name in names:
        (ROOT / "results" / name / "xunit.xml").unlink(missing_ok=True)
    for name in names:
        print(f"\n--- {name} ---", flush=True)
        started = time.monotonic()
        if name == "atest":  # Both passes at once: most of their time they wait.
            words = ["--lab", "unix", "--exclude", "slow"]
            in_lab = pool.submit(tool, "atest", *words, quiet=True)
        if name == "atest-unix":
            sys.stdout.buffer.write(in_lab.result().stdout)
            status = in_lab.result().returncode
        elif name == "atest-ssh":
            status = tool("atest", "--lab", "ssh").returncode
        else:
            words = ["--exclude", "long"] if name == "atest" else []
            status = check() if name == "check" else tool(name, *words).returncode
        counts = tally(name, status)
        lines.append(f"{name:12}{form.format(*counts)} in {time.monotonic() - started:.0f} s")
        total = [sum(pair) for pair in zip(total, counts, strict=True)]
    print("\n--- summary ---", *lines, "", form.format(*total), sep="\n", flush=True)
    return 1 if total[1] else 0


def install() -> None:
    """Makes .venv and installs the project, unless that was done for this pyproject.toml."""
    stamp = BIN.parent / "installed-for"
    old = stamp.read_text("utf-8") if stamp.exists() else ""
    place = f"Python {sys.version_info[0]}.{sys.version_info[1]} in {ROOT}\n"
    wanted = place + (ROOT / "pyproject.toml").read_text("utf-8")
    if old == wanted:
        return
    print("Installing TftpLibrary and its tools into .venv, about a minute ...", flush=True)
    stamp.unlink(missing_ok=True)
    venv = [sys.executable, "-m", "venv", "--clear", str(BIN.parent)]
    made = old.startswith(place) or subprocess.run(venv, check=False).returncode == 0
    pip = "python -m pip -qq --disable-pip-version-check install --editable .[test]"
    if not made or run(*pip.split()).returncode:
        hint = "" if made else "\nOn Debian and Ubuntu: sudo apt install python3-venv"
        sys.exit(f"The installation failed: the lines above tell why.{hint}")
    stamp.write_text(wanted, "utf-8")


def main(command: str = "", *arguments: str) -> int:
    """Runs one command and returns its exit status."""
    if command not in ("test", "check", *TOOLS):
        print(__doc__)
        return 2
    install()
    own = {"test": test, "check": check}
    status = own[command]() if command in own else tool(command, *arguments).returncode
    if command == "quickstart":
        print(f"\nEvery step of it, to read in a browser: {ROOT / 'results/quickstart/log.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
