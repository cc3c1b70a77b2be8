"""The page that tells where each obligation of the RFCs is met names only what exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "protocol-coverage.md"
MODULE = re.compile(r"`([\w/]+\.py)`")
TEST = re.compile(r"`([\w/]+\.(?:py|robot))::([^`]+)`")


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Yields obligation, source, modules and tests of each row of a table of four columns."""
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 4 and cells[0] not in ("obligation", "---"):
            yield cells[0], cells[1], cells[2], cells[3]


@cache
def names_in(file: str) -> set[str]:
    """Returns the names of the tests of a file below `utest/` or `atest/`."""
    if file.endswith(".robot"):
        section = (ROOT / "atest" / file).read_text("utf-8").split("*** Test Cases ***")[1]
        lines = section.split("\n***")[0].splitlines()
        return {line.strip() for line in lines if line and not line[0].isspace()}
    tree = ast.parse((ROOT / "utest" / file).read_text("utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {function.name for function in functions if function.name.startswith("test_")}


ROWS = list(rows())


def test_every_obligation_stands_once() -> None:
    obligations = [obligation for obligation, *_ in ROWS]
    assert len(obligations) > 50
    assert len(obligations) == len(set(obligations))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_modules_of_a_row_exist(row: tuple[str, str, str, str]) -> None:
    obligation, _, modules, _ = row
    named = MODULE.findall(modules)
    assert named, f"Name the module that meets this: {obligation}"
    missing = [module for module in named if not (ROOT / "TftpLibrary" / module).is_file()]
    assert not missing


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_tests_of_a_row_exist(row: tuple[str, str, str, str]) -> None:
    obligation, _, _, tests = row
    named = TEST.findall(tests)
    assert named, f"Name a test that shows this: {obligation}"
    missing = [f"{file}::{test}" for file, test in named if test not in names_in(file)]
    assert not missing
