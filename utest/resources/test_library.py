"""The steps of `board.resource`, as a suite takes them."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest
from robot.libdocpkg import LibraryDocumentation

from TftpBoard.habits import Habits
from TftpBoard.library import BoardLibrary, sort_habits
from TftpBoard.packets import BoardError
from utest.support.examples import examples_in
from utest.support.suites import failures, run_suite

RESOURCE = Path(__file__).parents[2] / "resources" / "TftpBoard" / "board.resource"
SETTINGS = """\
*** Settings ***
Library         TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource        TftpBoard/board.resource
Suite Setup     Start Server

*** Keywords ***
Start Server
    Start TFTP Server    writable=True
    Create Test File    zImage    100 kB
    Upload Text    echo    boot.scr
    Upload Text    device tree    board.dtb
    Upload Text    loader    pxelinux.0
    Upload Text    KERNEL zImage    pxelinux.cfg/default

*** Test Cases ***
"""


@pytest.fixture(scope="module")
def documentation() -> dict[str, str]:
    """The documentation of each step."""
    resource = LibraryDocumentation(str(RESOURCE))
    return {keyword.name: keyword.doc for keyword in resource.keywords}


def test_each_example_runs(documentation: dict[str, str], tmp_path: Path) -> None:
    assert len(documentation) == 7
    tests = []
    for name, doc in documentation.items():
        examples = [*examples_in(name, doc)]
        assert examples, f"'{name}' has no example."
        tests += [f"{name}\n{indent(example.text, '    ')}\n" for example in examples]
    assert failures(run_suite(tmp_path, SETTINGS + "".join(tests))) == {}


def test_suite_of_the_introduction_runs(tmp_path: Path) -> None:
    (suite,) = examples_in("Introduction", LibraryDocumentation(str(RESOURCE)).doc)
    assert suite.is_suite
    assert failures(run_suite(tmp_path, suite.text)) == {}


def test_links_lead_to_steps(documentation: dict[str, str]) -> None:
    links = {
        link
        for doc in documentation.values()
        for link in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", doc)
    }
    assert links
    assert links <= set(documentation)


def test_failures_show_the_console(tmp_path: Path) -> None:
    suite = """\
No File
    Switch Board On    no-such-file
    Wait Until Board Has Booted
No Board
    Get Board Console    left
Another Image
    Switch Board On    zImage
    Wait Until Board Has Booted
    Board Should Hold File    zImage    boot.scr
Never Loaded
    Switch Board On    zImage
    Wait Until Board Has Booted
    Board Should Hold File    boot.scr
"""
    assert failures(run_suite(tmp_path, SETTINGS + suite)) == {
        "No File": "The board has not booted. Its console:\n"
        "  get 'no-such-file': ERROR 1 'File not found'\n"
        "  boot failed",
        "No Board": "No board 'left' was switched on.",
        "Another Image": "The board holds another 'zImage' than the store.",
        "Never Loaded": "The board has not loaded 'boot.scr', but zImage.",
    }


def test_board_lives_as_long_as_what_switched_it_on(tmp_path: Path) -> None:
    suite = """\
First
    Switch Board On    zImage    board=of the test
    Get Board Console    board=of the suite
Second
    Get Board Console    board=of the suite
    Run Keyword And Expect Error    No board 'of the test' was switched on.
    ...    Get Board Console    board=of the test
"""
    settings = SETTINGS.replace(
        "    Start TFTP Server    writable=True",
        "    Start TFTP Server    writable=True\n    Switch Board On    board=of the suite",
    )
    assert failures(run_suite(tmp_path, settings + suite)) == {}


def test_board_that_is_not_on_the_bench_may_be_switched_off() -> None:
    BoardLibrary().power_off("none")


def test_named_arguments_are_options_or_habits() -> None:
    habits, options = sort_habits(
        {"blksize": "512", "retry_after": "500ms", "retries": "2", "no_rollover": "True"}
    )
    assert habits == Habits(retry_after=0.5, retries=2, no_rollover=True)
    assert options == {"blksize": "512"}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("is_lazy", "True", "The board has no habit 'is_lazy'. It has: retry_after, retries, "),
        (
            "trusts_oack",
            "perhaps",
            "Habit 'trusts_oack' got value 'perhaps' that cannot be converted to boolean.",
        ),
        ("retries", "x", "Habit 'retries' got value 'x' that cannot be converted to integer."),
    ],
)
def test_habit_that_cannot_be_is_refused(name: str, value: str, message: str) -> None:
    with pytest.raises((BoardError, ValueError), match=re.escape(message)):
        sort_habits({name: value})
