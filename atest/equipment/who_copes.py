"""The tables of `docs/faults.md`: who copes with which fault, made by a run and compared with it.

A cell in italics depends on how fast the machine is: the run keeps it as it is.
"""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from robot.api import logger
from robot.api.deco import keyword, library
from robot.libraries.BuiltIn import BuiltIn

from atest.equipment.days import DOWNLOADS, OURS, UPLOADS, Cell, Outcome
from atest.equipment.peers import peers

PAGE = Path(__file__).parent.parent.parent / "docs" / "faults.md"
PROGRAMS = (
    "curl",
    "curl without options",
    "tftp-hpa",
    "atftp",
    "atftp with options",
    "atftp with windows",
    "busybox",
    "busybox with options",
    *OURS,
)
_DAYS = {"downloads": DOWNLOADS, "uploads": UPLOADS}
_AT_ONCE = 64
"""Programs at work at once: most of them wait."""
_FEW_AT_ONCE = 8
_MORE_RUNS = 2
_SHOW_VERSION = {
    "curl": ("curl", "--version"),
    "tftp-hpa": ("tftp", "-V"),
    "atftp": ("atftp", "--version"),
    "busybox": ("busybox",),
}


class Table(NamedTuple):
    """A table of outcomes.

    Attributes:
        columns: names of the programs.
        rows: the outcomes of each day, by the words of the day and the name of the program.
    """

    columns: tuple[str, ...]
    rows: dict[str, dict[str, str]]

    def __str__(self) -> str:
        """The table as it stands on the page."""
        head = [("day", *self.columns), ("---",) * (1 + len(self.columns))]
        rows = [(day, *(row[name] for name in self.columns)) for day, row in self.rows.items()]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in (*head, *rows))


def documented(text: str, title: str) -> Table:
    """Returns the table of a page that follows the comment `<!-- TITLE -->`."""
    found = re.search(rf"^<!-- {title} -->\n((?:\|.*\n)+)", text, re.M)
    if not found:
        return Table((), {})
    lines = [[cell.strip() for cell in line[1:-1].split("|")] for line in found[1].splitlines()]
    columns = tuple(lines[0][1:])
    rows = {day: dict(zip(columns, cells, strict=True)) for day, *cells in lines[2:]}
    return Table(columns, rows)


def merged(run: Table, page: Table) -> Table:
    """Returns the table of a run as it should stand on the page.

    Cells that the run has no word about stay: columns of boards, and cells in italics.
    """
    columns = (*run.columns, *(name for name in page.columns if name not in run.columns))
    rows = {}
    for day, row in run.rows.items():
        old = page.rows.get(day, {})
        cells = {name: row.get(name) or old.get(name, Outcome.none.value) for name in columns}
        kept = {name: cell for name, cell in old.items() if is_italic(cell)}
        rows[day] = {**cells, **kept}
    return Table(columns, {day: row for day, row in rows.items() if set(row.values()) != {"-"}})


def is_italic(cell: str) -> bool:
    """Returns whether a cell depends on how fast the machine is."""
    return bool(re.fullmatch(r"\*[^*]+\*", cell))


def differences(made: Table, page: Table, columns: tuple[str, ...]) -> list[str]:
    """Returns in words which cells of a page are not as the run has them."""
    days = [*made.rows, *(day for day in page.rows if day not in made.rows)]
    return [
        f"{name}, {day}: expected {_cell(page, day, name)}, got {_cell(made, day, name)}"
        for day in days
        for name in columns
        if _cell(made, day, name) != _cell(page, day, name)
    ]


def run_all(title: str) -> Table:
    """Lets every program meet every day, and returns how it ended."""
    days = _DAYS[title]
    cells = [Cell(day, name, title == "downloads") for day in days for name in PROGRAMS]
    outcomes: dict[tuple[str, str], str] = {}
    for shift in sorted({day.shift for day in days}):
        outcomes |= _outcomes([cell for cell in cells if cell.day.shift == shift], _AT_ONCE)
    rows = {day.words: {name: outcomes[day.words, name] for name in PROGRAMS} for day in days}
    return Table(PROGRAMS, rows)


def run_again(title: str, made: Table, page: Table, columns: tuple[str, ...]) -> None:
    """Gives each cell that differs from the page another run, with little beside it.

    On a busy machine a packet comes twice, or too late, without any fault on purpose.
    """
    different = [
        Cell(day, name, title == "downloads")
        for day in _DAYS[title]
        for name in columns
        if _cell(merged(made, page), day.words, name) != _cell(page, day.words, name)
    ]
    for (day, name), outcome in _outcomes(different, _FEW_AT_ONCE).items():
        made.rows[day][name] = outcome


def _outcomes(cells: list[Cell], at_once: int) -> dict[tuple[str, str], str]:
    places = [(cell.day.words, cell.client) for cell in cells]
    with ThreadPoolExecutor(at_once) as pool:
        return dict(zip(places, map(str, pool.map(Cell.run, cells)), strict=True))


def _cell(table: Table, day: str, name: str) -> str:
    return table.rows.get(day, {}).get(name, Outcome.none.value)


def version_of(client: str) -> str:
    """Returns the version of a client's program; empty for our own."""
    words = _SHOW_VERSION.get(client.partition(" ")[0])
    if not words:
        return ""
    program = peers().require_program(words[0])
    done = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found[0] if found else "?"


def comparable(text: str) -> tuple[str, ...]:
    """Returns the columns whose programs have the versions that the page names."""
    chosen = []
    for client in PROGRAMS:
        version = version_of(client)
        name = client.partition(" ")[0]
        if version and f"{name} {version}" not in text:
            logger.warn(f"{client} is not compared: {PAGE.name} has no {name} {version}.")
        else:
            chosen.append(client)
    return tuple(chosen)


@library(scope="GLOBAL", doc_format="ROBOT")
class who_copes:  # noqa: N801 - Robot Framework looks for the class by the name of the file.
    """Compares how programs and boards cope with faults with what `docs/faults.md` says."""

    @keyword
    def programs_should_cope_as_documented(self, title: str) -> None:
        """Runs every program under every fault.

        Args:
            title: ``downloads`` or ``uploads``.
        """
        text = PAGE.read_text("utf-8")
        columns = comparable(text)
        page = documented(text, title)
        run = run_all(title)
        for _ in range(_MORE_RUNS if page.rows else 0):
            run_again(title, run, page, columns)
        made = merged(run, page)
        path = Path(BuiltIn().get_variable_value("${OUTPUT DIR}")) / f"who_copes_{title}.md"
        path.write_text(f"{made}\n", "utf-8")
        logger.info(str(made))
        if wrong := differences(made, page, columns):
            raise AssertionError(
                f"The table of {title} in {PAGE.name} is not what the programs did:\n"
                + "\n".join(wrong)
                + f"\nIf this is right, put the table of '{path}' into the page."
            )

    @keyword
    def board_should_cope_as_documented(self, board: str, day: str, outcome: Outcome) -> None:
        """Compares how a board's download ended.

        Args:
            board: Name of the column.
            day: Words of the row, without the quotes.
            outcome: How it ended.
        """
        page = documented(PAGE.read_text("utf-8"), "downloads")
        expected = page.rows.get(f"`{day}`", {}).get(board, "nothing")
        if not is_italic(expected) and expected != str(outcome):
            raise AssertionError(
                f"{board} on the day {day}: {PAGE.name} has {expected}, got {outcome}."
            )
