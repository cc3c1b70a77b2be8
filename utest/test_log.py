"""The log of a run: the messages in output.xml, and log.html in a browser."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from robot.api import ResultVisitor, ResultWriter
from robot.result import Result

from utest.support.browser import opened
from utest.support.html import Page
from utest.support.log_board import NAMES
from utest.support.suites import failures, messages, run_suite

IMPORT = """\
*** Settings ***
Library     TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Library     utest.support.log_board
Resource    atest/equipment/board.resource
"""
TABLE = "Requests of this test:"


class Places(ResultVisitor):
    """The first line of each message, by the name of the keyword or the test that it is in."""

    def __init__(self, result: Result) -> None:
        self.found: dict[str, list[str]] = {}
        self._path: list[str] = []
        result.visit(self)

    def start_test(self, test: Any) -> None:
        self._path.append(test.name)

    def end_test(self, test: Any) -> None:  # noqa: ARG002
        self._path.pop()

    def start_keyword(self, keyword: Any) -> None:
        self._path.append(keyword.name)

    def end_keyword(self, keyword: Any) -> None:  # noqa: ARG002
        self._path.pop()

    def visit_message(self, message: Any) -> None:
        if self._path:
            self.found.setdefault(self._path[-1], []).append(first_line(message))


def first_line(message: Any) -> str:
    return Page(message.message).lines[0] if message.html else str(message.message)


def cards(result: Result) -> list[str]:
    """Returns the first line of each card."""
    return [first_line(m) for m in messages(result) if m.html and "<details" in m.message]


def tables(result: Result) -> list[str]:
    """Returns the requests of failed tests."""
    return [Page(m.message).text for m in messages(result) if m.html and TABLE in m.message]


def test_a_card_is_in_the_keyword_during_which_its_transfer_ended(tmp_path: Path) -> None:
    """Whichever library the keyword is of, and once."""
    result = run_suite(
        tmp_path,
        f"""{IMPORT}
*** Test Cases ***
Boots
    ${{server}}=    Start TFTP Server
    Ask Soon    ${{server.port}}    during-sleep
    Sleep    500ms
    Board Is Done
    Board Cannot Read File    in-a-keyword-of-another-library    1
    TFTP Server Should Be Running
""",
    )
    assert failures(result) == {}
    found = Places(result).found
    assert (
        "1 refused read request for 'during-sleep' from 127.0.0.1: file not found" in found["Sleep"]
    )
    assert any("another-library" in line for line in found["Read In Vain As Board"])
    assert len(cards(result)) == 2


def test_what_a_test_leaves_running_has_a_card_too(tmp_path: Path) -> None:
    result = run_suite(
        tmp_path,
        f"""{IMPORT}
*** Test Cases ***
Leaves It
    Start TFTP Server
    Create Test File    a.bin    100 kB
    Board Starts Reading File    a.bin    pause_after=3
    Board Has Paused
""",
    )
    assert failures(result) == {}
    (line,) = cards(result)
    assert line.startswith("1 aborted read request for 'a.bin' from 127.0.0.1: at ")
    assert line in Places(result).found["Leaves It"]


FAILING = """
*** Test Cases ***
Passes
    Board Cannot Read File    one    1

Fails
    Board Cannot Read File    two    1
    Mark Transfers
    Fail    On purpose

Fails Without A Request
    Fail    On purpose
"""


def test_a_failed_test_has_its_own_requests_in_the_log(tmp_path: Path) -> None:
    """Also what was before the mark, if that was moved; and only its own."""
    result = run_suite(tmp_path, f"{IMPORT}Suite Setup    Start TFTP Server\n{FAILING}")
    found = Places(result).found
    assert "Passes" not in found
    assert found["Fails"] == [TABLE]
    assert found["Fails Without A Request"] == ["No request was seen in this test."]
    (table,) = tables(result)
    assert "'two'" in table
    assert "'one'" not in table


def test_a_failure_in_a_suite_setup_has_its_requests_in_the_log(tmp_path: Path) -> None:
    result = run_suite(
        tmp_path,
        f"""{IMPORT}Suite Setup    Boot

*** Test Cases ***
Is Not Run
    No Operation

*** Keywords ***
Boot
    Start TFTP Server
    Board Cannot Read File    one    1
    Fail    On purpose
""",
    )
    assert Places(result).found["Boot"] == [TABLE]
    assert "Is Not Run" not in Places(result).found


def test_the_requests_of_failed_tests_can_be_switched_off(tmp_path: Path) -> None:
    off = IMPORT.replace("port=0", "port=0    on_failure=Nothing")
    result = run_suite(tmp_path, f"{off}Suite Setup    Start TFTP Server\n{FAILING}")
    assert len(cards(result)) == 2
    assert tables(result) == []


def test_a_keyword_of_the_user_runs_when_a_test_fails_while_its_servers_run(
    tmp_path: Path,
) -> None:
    given = r"port=0    on_failure=Look At It \ dut \ \${TEST NAME}"
    result = run_suite(
        tmp_path,
        f"""{IMPORT.replace("port=0", given)}
*** Test Cases ***
Passes
    Start TFTP Server    alias=dut

Fails
    Start TFTP Server    alias=dut
    Fail    On purpose

*** Keywords ***
Look At It
    [Arguments]    ${{alias}}    ${{test}}
    ${{server}}=    Get TFTP Server    ${{alias}}
    Log    ${{test}} has ${{server.alias}}
    Fail    Not this, too
""",
    )
    assert failures(result) == {"Fails": "On purpose"}
    said = [message.message for message in result.errors]
    assert said == ["The keyword 'Look At It' of on_failure= failed: Not this, too"]
    assert "Fails has dut" in (tmp_path / "output.xml").read_text("utf-8")
    assert tables(result) == []


@pytest.mark.parametrize("when", ["Setup", "Teardown"])
def test_a_keyword_of_the_user_runs_when_a_suite_setup_or_teardown_fails_while_its_servers_run(
    tmp_path: Path, when: str
) -> None:
    """A test of that suite, which fails with it, has nothing to look at itself."""
    given = r"port=0    on_failure=Look At It \ dut \ \${SUITE NAME}"
    inner = f"""{IMPORT.replace("port=0", given)}
Suite {when}    Boot

*** Test Cases ***
Fails With Its Suite
    No Operation

*** Keywords ***
Boot
    Start TFTP Server    alias=dut
    Run Keyword And Ignore Error    Fail    In between
    Fail    On purpose

Look At It
    [Arguments]    ${{alias}}    ${{suite}}
    ${{server}}=    Get TFTP Server    ${{alias}}
    Log    ${{suite}} has ${{server.alias}}
    Fail    Not this, too
"""
    result = run_suite(tmp_path, inner)
    said = [message.message for message in result.errors]
    assert said == ["The keyword 'Look At It' of on_failure= failed: Not this, too"]
    looked = [line.message for line in messages(result) if " has dut" in line.message]
    assert looked == ["Suites.Suite has dut"]
    (message,) = failures(result).values()
    assert message.endswith(f" {when.lower()} failed:\nOn purpose")


# The log in a browser.

HOSTILE = """
*** Test Cases ***
Asks For Hostile Names
    ${server}=    Start TFTP Server
    Create Test File    here    100 kB
    Inject TFTP Fault    delay    answer    delay=300 ms    name=<img src\\=x onerror\\=alert(1)>
    Fail To Boot    ${server.port}
"""

# At the end of the page: opens all cards, and tells what lies beside the window, and the contrast.
MEASURE = """
<script>
const luminance = color => {
  const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map(value => value / 255)
    .map(value => value <= 0.03928 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
window.addEventListener("load", () => setTimeout(() => {
  const paper = getComputedStyle(document.body).backgroundColor;
  document.querySelectorAll(".message details").forEach(card => { card.open = true; });
  const items = [...document.querySelectorAll(".message *")];
  const colours = items.flatMap(item => {
    const style = getComputedStyle(item);
    const isDrawn = ["path", "rect"].includes(item.tagName);
    const inks = isDrawn ? [style.fill, style.stroke] : item.closest("svg") ? [] : [style.color];
    return inks.filter(colour => colour.startsWith("rgb("));
  });
  const told = document.createElement("pre");
  told.id = "measured";
  told.textContent = JSON.stringify({
    paper: paper,
    contrast: Math.min(...colours.map(colour => contrast(colour, paper))),
    beside: items.filter(item => item.getBoundingClientRect().right > innerWidth)
      .map(item => item.outerHTML.slice(0, 120)),
  });
  document.body.append(told);
}, 1000));
</script>
"""


def write_log(folder: Path) -> Path:
    """Writes log.html of the run in a folder."""
    page = folder / "log.html"
    ResultWriter(str(folder / "output.xml")).write_results(log=str(page), report=None)
    return page


def title(dom: str) -> list[str]:
    return re.findall(r"<title>([^<]*)</title>", dom.partition("<body")[0])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """log.html of a test in which a board asks for hostile names."""
    folder = tmp_path_factory.mktemp("hostile")
    result = run_suite(folder, f"{IMPORT}{HOSTILE}")
    assert failures(result) == {"Asks For Hostile Names": "The board did not boot."}
    return write_log(folder)


def test_hostile_names_are_shown_and_run_no_script(hostile: Path, tmp_path: Path) -> None:
    dom = opened(hostile, tmp_path)
    cards = re.findall(r"<details.*?</details>", dom, re.S)
    text = " ".join(Page(card).text for card in cards)
    assert len(cards) == len(NAMES) + 1
    assert [name for name in NAMES if name not in text] == []
    assert "failed read request for 'here'" in text
    assert "On purpose: <img src=x onerror=alert(1)> delayed DATA 1 by 300 ms" in text
    assert "ticks: faults on purpose" in text
    assert TABLE in dom
    assert title(dom) == ["Suites Log"]
    assert not {"script", "img", "style"} & set(Page(" ".join(cards)).tags)


def test_a_script_in_the_log_would_be_noticed(tmp_path: Path) -> None:
    """The test above can fail."""
    run_suite(
        tmp_path,
        "*** Test Cases ***\nUnescaped\n"
        "    Log    <script>document.title='owned'</script>    html=True\n"
        "    Fail    *HTML*<img src=x onerror=document.title='owned'>\n",
    )
    assert title(opened(write_log(tmp_path), tmp_path / "profile")) == ["owned"]


@pytest.mark.parametrize("width", [680, 1280])
@pytest.mark.parametrize(("theme", "paper"), [("light", "255"), ("dark", "28")])
def test_cards_and_tables_can_be_read(
    hostile: Path, tmp_path: Path, theme: str, paper: str, width: int
) -> None:
    """In both themes with the contrast that WCAG asks of text, and within the window."""
    page = hostile.with_name(f"{theme}-{width}.html")
    text = hostile.read_text("utf-8")
    page.write_text(text.replace("</body>", f"{MEASURE}</body>"), "utf-8")
    dom = opened(page, tmp_path, theme=theme, width=width)
    (told,) = re.findall(r'<pre id="measured">(.*?)</pre>', dom, re.S)
    measured = json.loads(unescape(told))
    assert measured["paper"].startswith(f"rgb({paper},")
    assert measured["contrast"] > 4.5
    assert measured["beside"] == []
