"""The rules of the house that no linter knows; `docs/developing.md` gives their reasons."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import TftpLibrary

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "TftpLibrary"
MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "utest").rglob("test_*.py"))

MOST_LINES = 280
NO_CODE = {
    tokenize.ENCODING,
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
LOCKS = {"Barrier", "BoundedSemaphore", "Condition", "Event", "Lock", "RLock", "Semaphore"}
HAVE_LOCKS = {
    "engine/commands.py",
    "engine/engine.py",
    "engine/shared.py",
    "lab/connection.py",
    "lab/service.py",
    "recording/recorder.py",
    "store/originals.py",
}
CROSS_THREADS = ("engine/", "lab/", "commandline/labs.py")
# Robot Framework calls the methods of a listener, engines those of their drivers.
CALLED_BY_OTHERS = {
    "keywords/scopes.py",
    "lab/jumpstarter.py",
    "lab/jumpstarter_client.py",
    "lab/labgrid.py",
}
# Tests of what is no module, each with its subject.
TESTS_WITHOUT_MODULE = {
    "test_architecture.py": "the rules of the house",
    "test_border.py": "what every keyword promises to Robot Framework",
    "test_contract.py": "what every store promises",
    "test_documentation.py": "the pages, and the examples of the keywords",
    "test_guides.py": "the lines for a DHCP server in docs/guides/",
    "test_protocol_coverage.py": "docs/protocol-coverage.md",
    "test_properties.py": "what every plan of faults promises",
    "test_labs_on_bad_days.py": "what a lost link, a killed half or a wrong host does to a lab",
    "test_log.py": "output.xml and log.html",
    "test_interface.py": "the keywords as a suite sees them",
    "test_pabot.py": "docs/guides/parallel_runs.md",
    "test_packaging.py": "the wheel and the source distribution",
    "test_run.py": "run.py",
    "test_suites_through_labs.py": "suites whose servers are at a lab",
}
OUR_FOLDERS = ("TftpLibrary", "utest", "atest", "resources", "docs", ".ci")
# Written at the root by tools; in a worktree of git `.git` is a file.
NOT_OURS = {".git", ".coverage"}
# A home folder, or a folder that only one machine has.
MACHINE_PATH = re.compile(
    r"(?<![\w.])(?:/(?:home|Users)/\w|/(?:root|work|workspace)/|[A-Z]:\\Users)"
)


def name_of(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def partner_of(module: Path) -> Path:
    folder = ROOT / "utest" / module.relative_to(PACKAGE).parent
    return folder / f"test_{module.stem.strip('_')}.py"


@cache
def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text("utf-8"))


def lines_of_code(module: Path) -> set[int]:
    """Returns the numbers of the lines that are neither blank, comment nor docstring."""
    with module.open("rb") as file:
        tokens = [token for token in tokenize.tokenize(file.readline) if token.type not in NO_CODE]
    lines = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def defined_in(module: Path) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Yields the functions, classes and methods of a module that need a caller of ours.

    Python calls special methods, Robot Framework calls keywords, and users the methods of public
    classes.
    """
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.ClassDef) and node.name in TftpLibrary.__all__:
            continue
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.FunctionDef | ast.ClassDef):
                is_keyword = any("keyword" in ast.unparse(each) for each in inner.decorator_list)
                if not is_keyword and not inner.name.startswith("__"):
                    yield inner


def used_in(module: Path) -> Iterator[str]:
    """Yields the names that a module uses, also those that are written as text."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def modules_that(breaks_the_rule: Callable[[Path], bool]) -> list[str]:
    return [name_of(module) for module in MODULES if breaks_the_rule(module)]


def threading_names(module: Path) -> Iterator[str]:
    """Yields what a module takes from `threading`."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.ImportFrom) and node.module == "threading":
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "threading":
            yield node.attr


def dotted(module: Path) -> str:
    name = ".".join(module.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports_of(module: Path, known: set[str]) -> set[str]:
    """Returns the modules of the package that a module imports, wherever in its text."""
    found = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (inner & known) or {node.module}
    return found & known


def imports(module: Path, package: str) -> bool:
    """Whether a module imports a package, or something of it."""
    return any(
        isinstance(node, ast.Import | ast.ImportFrom)
        and re.search(rf"\b{package}\b", ast.unparse(node))
        for node in ast.walk(tree_of(module))
    )


def our_files() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.name not in NOT_OURS)
    for folder in OUR_FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix not in {".pyc", ".html"}:
                yield path


def test_each_module_has_a_test_of_the_same_name() -> None:
    # A package that says only what it is for has nothing to be tested.
    assert not modules_that(
        lambda module: len(tree_of(module).body) > 1 and not partner_of(module).is_file()
    )


def test_each_test_has_a_module_of_the_same_name() -> None:
    partners = {partner_of(module) for module in MODULES}
    partners |= {
        ROOT / "utest" / "resources" / f"test_{path.stem}.py"
        for path in (ROOT / "resources" / "TftpBoard").glob("*.py")
    }
    partners |= {
        ROOT / "utest" / "equipment" / f"test_{path.stem}.py"
        for path in (ROOT / "atest" / "equipment").glob("*.py")
    }
    partners |= {
        ROOT / "utest" / "boards" / f"test_{path.stem}.py"
        for path in (ROOT / "atest" / "boards" / "emulator").glob("*.py")
    }
    partners |= {
        ROOT / "utest" / "performance" / f"test_{path.stem}.py"
        for path in (ROOT / "atest" / "performance").glob("*.py")
    }
    lost = {test.name for test in TESTS if test not in partners} - set(TESTS_WITHOUT_MODULE)
    assert not lost, "Rename them with their module, or tell above what they test."


def test_each_module_is_read_in_one_sitting() -> None:
    """Lines of code count: a docstring is a help to the reader, and no reason to split a topic."""
    assert not modules_that(lambda module: len(lines_of_code(module)) > MOST_LINES)


def test_docstrings_comments_and_blank_lines_are_no_code(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""A sentence.\n\nMore."""\n\n# Why.\nx = [\n    1,  # one\n]\n"""About x."""\n'
    )
    assert lines_of_code(module) == {6, 7, 8}


def test_each_module_says_in_its_first_sentence_what_it_is_for() -> None:
    def says_nothing(module: Path) -> bool:
        text = ast.get_docstring(tree_of(module)) or ""
        return not text.split("\n\n")[0].endswith((".", ":"))

    assert not modules_that(says_nothing)


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = {dotted(module) for module in MODULES}
    graph = {dotted(module): imports_of(module, known) for module in MODULES}
    # CycleError names the modules of a circle.
    assert set(TopologicalSorter(graph).static_order()) == known


def test_each_name_has_a_user_that_is_no_test() -> None:
    used = {name for module in MODULES for name in used_in(module)} | set(TftpLibrary.__all__)
    unused = [
        f"{name_of(module)}: {node.name}"
        for module in MODULES
        if name_of(module) not in CALLED_BY_OTHERS
        for node in defined_in(module)
        if node.name not in used
    ]
    assert not unused, "Delete them; tests go through what a user calls."


def test_locks_are_in_few_modules_only() -> None:
    """Commands, records and messages cross threads; the others own what threads share."""
    assert not modules_that(
        lambda module: (
            name_of(module) not in HAVE_LOCKS and not LOCKS.isdisjoint(threading_names(module))
        )
    )


def test_only_an_entry_and_its_mirror_write_records() -> None:
    """The life of a record is written once, for every kind of transfer and of end.

    What an entry writes at a lab, the mirror writes here, and the lab half tells on.
    """
    writing = {"reserve", "opened", "progressed", "ended"}

    def calls_one(module: Path) -> bool:
        return any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in writing
            for node in ast.walk(tree_of(module))
        )

    assert modules_that(calls_one) == ["lab/half.py", "lab/mirror.py", "recording/entry.py"]


def test_only_the_engine_and_a_lab_start_threads() -> None:
    assert not modules_that(
        lambda module: (
            not name_of(module).startswith(CROSS_THREADS) and "Thread" in threading_names(module)
        )
    )


def test_only_the_engine_and_a_lab_open_sockets() -> None:
    assert not modules_that(
        lambda module: (
            not name_of(module).startswith(("engine/", "lab/")) and imports(module, "socket")
        )
    )


def test_below_the_engine_only_those_who_wait_read_a_clock() -> None:
    """All else gets its time as an argument, so that a test can say what time it is."""
    timeless = ("protocol/", "faults/", "store/", "recording/")
    found = modules_that(
        lambda module: name_of(module).startswith(timeless) and imports(module, "time")
    )
    assert set(found) == {"recording/recorder.py", "recording/view.py"}


def test_no_file_names_a_path_of_one_machine() -> None:
    found = {
        str(path.relative_to(ROOT)): match[0]
        for path in our_files()
        if (match := MACHINE_PATH.search(path.read_text("utf-8", errors="replace")))
    }
    assert not found


def test_board_and_library_share_no_code() -> None:
    """A mistake of the one would otherwise cancel itself out in the other."""
    resources = ROOT / "resources"
    assert not [path.name for path in resources.rglob("*.py") if imports(path, "TftpLibrary")]
    assert not modules_that(lambda module: imports(module, "TftpBoard"))


def test_run_py_stays_short() -> None:
    assert len((ROOT / "run.py").read_text("utf-8").splitlines()) <= 140


def test_decisions_are_numbered_without_gap_or_double() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in pages] == [*range(1, len(pages) + 1)]
    assert all(page.read_text("utf-8").startswith(f"# {page.name[:4]} ") for page in pages)
