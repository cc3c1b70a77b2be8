"""The interface that suites rely on: names, arguments and types of the keywords."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from robot.libdocpkg import LibraryDocumentation
from robot.libdocpkg.model import KeywordDoc, LibraryDoc

APPROVED = Path(__file__).with_name("interface.txt")
RECEIVED = Path("results") / "interface.txt"
NEIGHBOURS = ("BuiltIn", "Collections", "OperatingSystem", "Process", "String", "SSHLibrary")
# Browser needs Node.js, so its names that come near to ours stand here.
BROWSER = {"Upload File By Selector", "Wait For Download", "Get File Checksum", "Download"}


@pytest.fixture(scope="module")
def library() -> LibraryDoc:
    return LibraryDocumentation("TftpLibrary")


def signature(keyword: KeywordDoc) -> str:
    """Returns a keyword's name, its tags, its arguments one a line, and the type of its result."""
    tags = ", ".join(keyword.tags)
    # Python 3.10 adds None to the type of an argument whose default it is.
    arguments = [
        f"    {argument}".rstrip().replace("Any | None", "Any") for argument in keyword.args
    ]
    result = f"    -> {keyword.args.return_type}".rstrip()
    return "\n".join([f"{keyword.name} [{tags}]", *arguments, result])


def plain(name: str) -> str:
    return name.lower().replace(" ", "").replace("_", "")


def test_every_change_of_the_interface_is_seen(library: LibraryDoc) -> None:
    received = "\n\n".join(signature(kw) for kw in [*library.inits, *library.keywords]) + "\n"
    approved = APPROVED.read_text("utf-8")
    if received != approved:
        RECEIVED.parent.mkdir(exist_ok=True)
        RECEIVED.write_text(received, "utf-8")
        changes = difflib.unified_diff(approved.splitlines(), received.splitlines(), n=2)
        pytest.fail(
            "The interface changed. If that is meant, tell it in CHANGELOG.md and copy "
            f"{RECEIVED} to {APPROVED.name}:\n" + "\n".join(changes)
        )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("other", NEIGHBOURS)
def test_no_keyword_has_the_name_of_a_keyword_of_another_library(
    library: LibraryDoc, other: str
) -> None:
    """Suites import them side by side."""
    ours = {plain(keyword.name) for keyword in library.keywords}
    theirs = {plain(keyword.name) for keyword in LibraryDocumentation(other).keywords}
    assert theirs
    assert not ours & theirs


def test_no_keyword_has_the_name_of_a_keyword_of_browser(library: LibraryDoc) -> None:
    assert not {keyword.name for keyword in library.keywords} & BROWSER


def test_few_arguments_are_positional(library: LibraryDoc) -> None:
    """Those of the assertion engine do not count, nor the place of a file on another host."""
    for keyword in library.keywords:
        positional = set(keyword.args.positional)
        own = positional - {"assertion_operator", "assertion_expected", "message"}
        most = 3 if "Client" in keyword.tags else 2
        assert len(own) <= most, keyword.name
