"""The form in which every Libdoc shows the arguments of a keyword: a list.

Robot Framework 7.5 reads the section `Args:` of a docstring and shows a table. Before, it is text
like any other, whose lines become one paragraph. List items are read alike by both.
"""

from __future__ import annotations

import re

_SECTION = re.compile(r"^Args:\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)
_ARGUMENT = re.compile(r"^ {4}\*{0,2}(\w+): ", re.MULTILINE)


def with_list(documentation: str) -> str:
    """Returns the documentation of a keyword with its arguments as a list.

    Args:
        documentation: dedented, with `Args:` as the Google style has it.
    """
    return _SECTION.sub(lambda found: _ARGUMENT.sub(r"    - `\1`: ", found[0]), documentation)
