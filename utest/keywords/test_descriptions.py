from __future__ import annotations

import pytest
from robot.utils import html_format

from TftpLibrary import TftpLibrary
from TftpLibrary.keywords.descriptions import with_list

BEFORE = """\
Waits.

Args:
    name: Name of a file.
        Note: it may be a glob.
    timeout: Time to wait. Default: that
        of the import.

Returns:
    record: of the transfer.
"""
AFTER = """\
Waits.

Args:
    - `name`: Name of a file.
        Note: it may be a glob.
    - `timeout`: Time to wait. Default: that
        of the import.

Returns:
    record: of the transfer.
"""
LIBRARY = TftpLibrary()


def test_arguments_become_a_list_and_nothing_else_changes() -> None:
    assert with_list(BEFORE) == AFTER
    assert with_list("Waits.\n\nExample:\n    name: x\n") == "Waits.\n\nExample:\n    name: x\n"
    assert with_list("Waits.\n\nArgs:\n    name: x\n") == "Waits.\n\nArgs:\n    - `name`: x\n"


@pytest.mark.parametrize("keyword", ["__init__", *LIBRARY.get_keyword_names()])
def test_each_argument_has_a_line_of_its_own_where_sections_are_text(keyword: str) -> None:
    """As in Robot Framework 7.4, which shows the whole documentation in its own markup."""
    page = html_format(LIBRARY.get_keyword_documentation(keyword))
    arguments = LIBRARY.get_keyword_arguments(keyword)
    names = [each[0] if isinstance(each, tuple) else each for each in arguments]
    for name in names:
        if name != "*":  # Those that follow are given by name.
            assert page.count(f"<li>`{name.lstrip(chr(42))}`: ") == 1, name


def test_introduction_begins_with_a_table_of_contents() -> None:
    introduction = LIBRARY.get_keyword_documentation("__intro__")
    head, _, rest = introduction.partition("%TOC%")
    assert "\n= " not in head
    assert rest.lstrip().startswith("= A first suite =")
