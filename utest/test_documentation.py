"""Documentation for users: every keyword explains itself, and every example that is shown runs."""

from __future__ import annotations

import ast
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from robot.libdocpkg import LibraryDocumentation
from robot.libdocpkg.model import LibraryDoc

from TftpLibrary import Download, ServerSettings, TftpServer
from TftpLibrary.errors import ExpectationError
from utest.support.bench import linux_only
from utest.support.examples import FILES, Example, examples_in, suite_of

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

TAGS = {
    "Server",
    "File Store",
    "Transfers",
    "Waiting",
    "Assertion",
    "Boot",
    "Capture",
    "Client",
    "Faults",
}
# Anchors of the page that Libdoc itself makes.
SECTIONS = {"Importing", "Keywords", "Data types"}
FOREIGN = {"AssertionOperator"}
RESULTS = {"StoredFile", "TftpFault", "TftpServerInfo", "Transfer"}


@pytest.fixture(scope="module")
def library() -> LibraryDoc:
    return LibraryDocumentation("TftpLibrary")


def links(documentation: str) -> set[str]:
    """Returns the names between single backticks; double ones are code."""
    return set(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", documentation))


def all_examples(library: LibraryDoc) -> list[Example]:
    places = [("Introduction", library.doc), *((kw.name, kw.doc) for kw in library.keywords)]
    places += [("Importing", init.doc) for init in library.inits]
    return [example for place, doc in places for example in examples_in(place, doc)]


def failures_of_robot(folder: Path, *options: str) -> dict[str, str]:
    """Runs the suites of a folder, and returns the message of each test that did not pass."""
    report = folder / "output.xml"
    command = [sys.executable, "-m", "robot", *options, "--pythonpath", str(ROOT)]
    command += ["--outputdir", str(folder), "--log", "NONE", "--report", "NONE", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert report.exists(), done.stdout + done.stderr
    tests = [*ElementTree.parse(report).iter("test")]
    assert tests, done.stdout + done.stderr
    statuses = {test.get("name", ""): test.find("status") for test in tests}
    return {
        name: status.text or "no message"
        for name, status in statuses.items()
        if status is not None and status.get("status") != "PASS"
    }


def test_suite_of_the_readme_is_the_packaged_one() -> None:
    blocks = re.findall(r"^```robotframework\n(.*?)^```$", PAGES[0].read_text("utf-8"), re.M | re.S)
    assert blocks == [(ROOT / "TftpLibrary" / "quickstart.robot").read_text("utf-8")]


def test_bad_day_of_the_readme_happens_with_the_board_of_its_suite(tmp_path: Path) -> None:
    (test,) = re.findall(
        r"^```\n(\*{3} Test Cases.*?)^```$", PAGES[0].read_text("utf-8"), re.M | re.S
    )
    suite = (ROOT / "TftpLibrary" / "quickstart.robot").read_text("utf-8")
    settings, _, keywords = re.split(r"(?=^\*{3} (?:Test Cases|Keywords))", suite, flags=re.M)
    (tmp_path / "suite.robot").write_text(f"{settings}{test}\n{keywords}", "utf-8")
    assert failures_of_robot(tmp_path) == {}


def test_python_of_the_readme_runs(tmp_path: Path) -> None:
    """As pytest runs it: the examples are tests."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGES[0].read_text("utf-8"), re.M | re.S)
    for number, block in enumerate(blocks):
        (tmp_path / f"test_{number}.py").write_text(block, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # No test at all is a failure of pytest, 5.
    assert done.returncode == 0, done.stdout
    tests = sum(block.count("def test_") for block in blocks)
    assert f"{tests} passed" in done.stdout


@pytest.mark.parametrize("name", ["server", "client"])
def test_example_at_the_head_of_a_module_runs(name: str, tmp_path: Path) -> None:
    tree = ast.parse((ROOT / "TftpLibrary" / f"{name}.py").read_text("utf-8"))
    lines = (ast.get_docstring(tree) or "").splitlines()
    example = "\n".join(line[4:] for line in lines if not line or line.startswith("    "))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "bytes" in done.stdout


def test_each_link_of_a_page_leads_somewhere() -> None:
    lost = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not lost


@linux_only
@pytest.mark.parametrize(
    ("host", "quoted"),
    [
        ("0.0.0.0", "sent to a broadcast address, which is ignored without broadcast=True"),
        ("127.0.0.1", "nothing was requested"),
    ],
)
def test_guide_of_network_gear_quotes_a_wait_for_a_request_to_a_broadcast_address(
    host: str, quoted: str
) -> None:
    assert f"`{quoted}`" in (ROOT / "docs/guides/network_gear.robot.md").read_text("utf-8")
    with (
        TftpServer(settings=ServerSettings(host=host)) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as switch,
    ):
        switch.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        switch.sendto(b"\0\1network-confg\0octet\0", ("127.255.255.255", server.port))
        server.recorder.mark()  # The engine reads its socket first.
        with pytest.raises(ExpectationError, match=quoted):
            server.wait_until(Download("network-confg"), timeout=0)


def test_each_keyword_begins_with_a_sentence_about_what_it_does(library: LibraryDoc) -> None:
    """In the third person, and useful alone: Libdoc and editors show it so."""
    odd = [
        f"{keyword.name}: {keyword.short_doc}"
        for keyword in library.keywords
        if not re.fullmatch(r"[A-Z][a-z]+s .*\.", keyword.short_doc)
    ]
    assert not odd


def test_each_keyword_has_an_example(library: LibraryDoc) -> None:
    assert not [kw.name for kw in library.keywords if not [*examples_in(kw.name, kw.doc)]]


def test_each_argument_is_explained(library: LibraryDoc) -> None:
    missing = [
        f"{keyword.name}: {argument.name}"
        for keyword in [*library.inits, *library.keywords]
        for argument in keyword.args
        if not argument.is_marker and not argument.doc
    ]
    assert not missing


def test_each_keyword_is_in_a_group(library: LibraryDoc) -> None:
    odd = {
        keyword.name: keyword.tags for keyword in library.keywords if not set(keyword.tags) & TAGS
    }
    assert not odd
    assert {tag for keyword in library.keywords for tag in keyword.tags} <= TAGS


def test_each_link_of_the_keywords_leads_to_a_keyword_or_a_section(library: LibraryDoc) -> None:
    sections = set(re.findall(r"^= (.+) =$", library.doc, re.M))
    known = {keyword.name for keyword in library.keywords} | sections | SECTIONS
    docs = [("Introduction", library.doc), *((kw.name, kw.doc) for kw in library.keywords)]
    docs += [(kw.name, arg.doc) for kw in library.keywords for arg in kw.args]
    lost = [f"{place}: {link}" for place, doc in docs for link in links(doc) if link not in known]
    assert not lost


def test_words_of_the_protocol_stay_in_the_pages_about_the_protocol(library: LibraryDoc) -> None:
    """People say read request, write request and bytes; `octet` is a mode too."""
    pages = [ROOT / "README.md", *(ROOT / "docs" / "guides").iterdir()]
    texts = {str(page): page.read_text(encoding="utf-8") for page in pages if page.is_file()}
    texts |= {keyword.name: keyword.doc for keyword in library.keywords}
    texts |= {data_type.name: data_type.doc for data_type in library.type_docs}
    texts["introduction"] = library.doc
    names = re.compile(r"`octet`|``[RW]RQ``|\.octets|-octets|\| ``octets`` |\boctets:")
    found = {
        place: words
        for place, text in texts.items()
        if (words := re.findall(r"\b(?:RRQ|WRQ|[Oo]ctets?)\b", names.sub("", text)))
    }
    assert not found


def test_introduction_is_read_in_one_sitting(library: LibraryDoc) -> None:
    assert 10 < len(library.doc.splitlines()) <= 210


def test_results_are_among_the_data_types(library: LibraryDoc) -> None:
    assert {kind.name for kind in library.type_docs} >= RESULTS


def test_each_member_of_an_enum_is_explained(library: LibraryDoc) -> None:
    """Libdoc shows the documentation of the enum, not that of its members."""
    enums = [kind for kind in library.type_docs if kind.members and kind.name not in FOREIGN]
    assert {"Outcome", "TestContent", "Retransmission", "Mode"} <= {kind.name for kind in enums}
    missing = [
        f"{kind.name}.{member.name}"
        for kind in enums
        for member in kind.members
        if f"``{member.name}``" not in kind.doc
    ]
    assert not missing


def test_page_of_the_keywords_is_written_without_a_warning(
    library: LibraryDoc, tmp_path: Path
) -> None:
    page = tmp_path / "keywords.html"
    command = [sys.executable, "-m", "robot.libdoc", "--pythonpath", str(ROOT), "TftpLibrary"]
    done = subprocess.run([*command, str(page)], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (str(page), "")
    text = page.read_text("utf-8")
    assert [kw.name for kw in library.keywords if f'"name": "{kw.name}"' not in text] == []


def test_each_example_has_known_keywords_and_fitting_arguments(
    library: LibraryDoc, tmp_path: Path
) -> None:
    examples = all_examples(library)
    (tmp_path / "steps.robot").write_text(suite_of(examples), "utf-8")
    test = "*** Test Cases ***\nImport\n    No Operation\n"
    for number, example in enumerate(examples):
        if example.is_import:
            text = f"*** Settings ***\n{example.text}\n\n{test}"
            (tmp_path / f"import_{number}.robot").write_text(text, "utf-8")
    assert failures_of_robot(tmp_path, "--dryrun") == {}


def test_each_example_of_a_keyword_does_what_it_says(library: LibraryDoc, tmp_path: Path) -> None:
    """In a run of its own, with the files beside it that it names."""
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    examples = [example for kw in library.keywords for example in examples_in(kw.name, kw.doc)]
    (tmp_path / "steps.robot").write_text(suite_of(examples), "utf-8")
    suites = [example for example in examples_in("Introduction", library.doc) if example.is_suite]
    assert suites, "The introduction begins with a suite."
    for number, suite in enumerate(suites):
        text = suite.text.replace("TftpLibrary ", "TftpLibrary    host=127.0.0.1 ")
        (tmp_path / f"suite_{number}.robot").write_text(text, "utf-8")
    assert failures_of_robot(tmp_path) == {}
