"""The examples in the documentation of the library and its keywords, as Robot Framework data.

An example is a block of lines that begin with `| `, as Robot Framework's documentation format has
it. The names of keywords in it are links, between backticks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from textwrap import indent

# The files that the examples expect beside their suite.
FILES = {
    "zImage": b"kernel" * 1000,
    "startup-config": b"hostname switch-1\n",
    "firmware.bin": bytes(range(256)),
    "images/bcm2711-rpi-4-b.dtb": b"device tree",
    "images/notes.txt": b"no device tree",
}
SETTINGS = """\
*** Settings ***
Library    OperatingSystem
Library    TftpLibrary    host=127.0.0.1    port=0
"""


@dataclass(frozen=True)
class Example:
    """One block of an example.

    Attributes:
        place: the keyword, or the section of the introduction, that shows it.
        text: its lines without the marks of the documentation format.
    """

    place: str
    text: str

    @property
    def is_suite(self) -> bool:
        """Whether it is a whole suite, and not the steps of a test."""
        return self.text.startswith("***")

    @property
    def is_import(self) -> bool:
        """Whether it shows how to import the library."""
        return self.text.startswith("Library ")

    def as_test(self, number: int) -> str:
        """Returns the steps as a test case."""
        return f"{number} {self.place}\n{indent(self.text, '    ')}\n"


def examples_in(place: str, documentation: str) -> Iterator[Example]:
    """Yields the examples of a documentation; a block without any keyword is none."""
    lines = documentation.splitlines()
    for is_example, block in groupby(lines, lambda line: line.startswith("|")):
        text = "\n".join(line[2:] for line in block)
        if is_example and ("`" in text or text.startswith("Library ")):
            yield Example(place, re.sub(r"`+([^`]+)`+", r"\1", text))


def suite_of(examples: list[Example]) -> str:
    """Returns a suite with a test for each example that consists of steps."""
    steps = [example for example in examples if not example.is_suite and not example.is_import]
    tests = (example.as_test(number) for number, example in enumerate(steps, 1))
    return f"{SETTINGS}\n*** Test Cases ***\n" + "\n".join(tests)
