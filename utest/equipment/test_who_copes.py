"""The tables of who copes with which fault: read from the page, compared with a run, kept."""

from __future__ import annotations

from atest.equipment.days import DOWNLOADS, UPLOADS, Cell, Day, Outcome
from atest.equipment.who_copes import (
    PAGE,
    PROGRAMS,
    Table,
    differences,
    documented,
    is_italic,
    merged,
)

TEXT = """
<!-- downloads -->
| day | curl | atftp | U-Boot |
| --- | --- | --- | --- |
| `lost_block` | ok | *hangs* | ok |
| `stranger` | **WRONG** | ok | refuses |

More.
"""
COLUMNS = ("curl", "atftp")


def run(**cells: str) -> Table:
    stranger = {"curl": "**WRONG**", "atftp": "ok", **cells}
    return Table(
        COLUMNS,
        {
            "`lost_block`": {"curl": "ok", "atftp": "ok"},
            "`stranger`": stranger,
            "`early_end`": {"curl": "-", "atftp": "-"},
        },
    )


def test_table_is_read_from_the_page() -> None:
    table = documented(TEXT, "downloads")
    assert table.columns == ("curl", "atftp", "U-Boot")
    assert table.rows["`stranger`"] == {"curl": "**WRONG**", "atftp": "ok", "U-Boot": "refuses"}
    assert str(table) in TEXT
    assert documented(TEXT, "uploads").rows == {}


def test_run_that_is_as_documented_makes_the_same_table_again() -> None:
    """Boards and cells in italics stay, and a day that strikes nobody has no row."""
    page = documented(TEXT, "downloads")
    assert str(merged(run(), page)) == str(page)
    assert differences(merged(run(), page), page, COLUMNS) == []


def test_cell_that_is_not_as_documented_is_named() -> None:
    page = documented(TEXT, "downloads")
    made = merged(run(atftp="hangs"), page)
    assert differences(made, page, COLUMNS) == ["atftp, `stranger`: expected ok, got hangs"]
    assert differences(made, page, ("curl",)) == []


def test_row_that_is_missing_in_the_run_is_named() -> None:
    page = documented(TEXT, "downloads")
    made = merged(run()._replace(rows={"`lost_block`": run().rows["`lost_block`"]}), page)
    assert differences(made, page, COLUMNS) == [
        "curl, `stranger`: expected **WRONG**, got -",
        "atftp, `stranger`: expected ok, got -",
    ]


def test_italics_are_no_bold_type() -> None:
    assert [is_italic(cell) for cell in ("*ok*", "**WRONG**", "ok", "-")] == [True, *[False] * 3]


def test_page_has_a_row_for_each_day_that_strikes_somebody() -> None:
    text = PAGE.read_text("utf-8")
    for title, days in (("downloads", DOWNLOADS), ("uploads", UPLOADS)):
        page = documented(text, title)
        assert set(PROGRAMS) <= set(page.columns)
        assert set(page.rows) <= {day.words for day in days}
        assert {cell.strip("*") for row in page.rows.values() for cell in row.values()} <= {
            outcome.value.strip("*") for outcome in Outcome
        }


def test_wrong_file_is_seen_though_the_program_is_content() -> None:
    """Our own client cannot see a bit that changed on the way."""
    assert Cell(Day("flipped_bit"), "TFTP Get", True).run() is Outcome.wrong


def test_fault_that_strikes_nothing_says_nothing_about_a_program() -> None:
    assert Cell(Day("drop", "DATA 5000"), "TFTP Get", True).run() is Outcome.none


def test_failure_that_a_program_reports_is_a_refusal() -> None:
    assert Cell(Day("error_in_the_middle"), "TFTP Get", True).run() is Outcome.refuses


def test_upload_is_compared_in_the_store() -> None:
    assert Cell(Day("lost_block"), "TFTP Get plain", False).run() is Outcome.ok
