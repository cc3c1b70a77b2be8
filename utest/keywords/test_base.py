from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from assertionengine import AssertionOperator
from robot.libraries.BuiltIn import BuiltIn

from TftpLibrary.errors import UsageError
from TftpLibrary.keywords.base import (
    log_address,
    output_folder,
    scope_name,
    verify_checksum,
    verify_names,
    verify_number,
    verify_size,
    verify_text,
)

EQUAL, UNEQUAL, CONTAINS, LACKS, GREATER, THEN, MATCHES = (
    AssertionOperator[sign]
    for sign in ("==", "!=", "contains", "not contains", ">", "then", "matches")
)
NAMES = ["a.bin", "b.bin"]


def test_without_an_operator_the_value_comes_back() -> None:
    assert verify_text("a", None, None, "Name", "") == "a"
    assert verify_number(1, None, None, "Port", "") == 1
    assert verify_size(1, None, None, "Size", "") == 1
    assert verify_names(NAMES, None, None, "Files", "") == NAMES


def test_the_message_begins_with_what_was_checked() -> None:
    with pytest.raises(AssertionError, match=r"^Host '127.0.0.1' \(str\) should be '::1' \(str\)"):
        verify_text("127.0.0.1", EQUAL, "::1", "Host", "")


def test_the_message_of_the_test_takes_its_place() -> None:
    with pytest.raises(AssertionError, match="^Wrong host '127.0.0.1'$"):
        verify_text("127.0.0.1", EQUAL, "::1", "Host", "Wrong host {value}")


def test_numbers_compare_with_the_text_of_numbers() -> None:
    assert verify_number(69, EQUAL, "69", "Port", "") == 69
    with pytest.raises(AssertionError, match="Port '69' .* should be greater than '1023"):
        verify_number(69, GREATER, "1023", "Port", "")


def test_sizes_compare_with_units() -> None:
    assert verify_size(4 * 1024**2, EQUAL, "4 MiB", "Size", "") == 4 * 1024**2
    assert verify_size(5000, GREATER, "4 kB", "Size", "") == 5000
    assert verify_size(5000, EQUAL, 5000, "Size", "") == 5000
    with pytest.raises(UsageError, match="such as 1468, 512 kB or 4 MiB"):
        verify_size(1, EQUAL, "much", "Size", "")


def test_whole_numbers_are_shown_as_whole_numbers() -> None:
    with pytest.raises(
        AssertionError, match=r"'5' \(int\) should be greater than '4 MiB' \(size\)"
    ):
        verify_size(5, GREATER, "4 MiB", "Size of 'a':", "")
    with pytest.raises(AssertionError, match=r"should be '1.5' \(float\)"):
        verify_number(1, EQUAL, "1.5", "Port", "")


@pytest.mark.parametrize(
    ("operator", "expected", "text"),
    [
        (EQUAL, "abc", "Transfers: expected a number to compare with, got 'abc'."),
        (EQUAL, ["1"], "Transfers: expected a number to compare with, got a list."),
        (EQUAL, None, "Transfers: the expected value is missing after the operator."),
        (
            CONTAINS,
            "5",
            "Transfers: a number has no operator 'contains'. Operators: ==, !=, <, <=, >, >=, "
            "validate, then.",
        ),
    ],
)
def test_a_comparison_of_numbers_that_cannot_be_is_explained(
    operator: AssertionOperator, expected: Any, text: str
) -> None:
    with pytest.raises(UsageError) as error:
        verify_number(69, operator, expected, "Transfers:", "")
    assert str(error.value) == text


def test_a_comparison_of_texts_that_cannot_be_is_explained() -> None:
    with pytest.raises(UsageError, match="^Host: the expected value is missing after the operator"):
        verify_text("a", EQUAL, None, "Host", "")
    with pytest.raises(UsageError) as error:
        verify_text("a", MATCHES, "(", "Text of 'a':", "")
    assert str(error.value).startswith("Text of 'a': '(' is no regular expression: missing ), ")


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        (EQUAL, ["b.bin", "a.bin"]),
        (EQUAL, ("a.bin", "b.bin")),
        (UNEQUAL, ["a.bin"]),
        (UNEQUAL, "a.bin"),
        (UNEQUAL, None),
        (CONTAINS, "a.bin"),
        (CONTAINS, ["b.bin", "a.bin"]),
        (LACKS, "c.bin"),
        (LACKS, ["c.bin", "d.bin"]),
        (CONTAINS, "/b.*"),
        (LACKS, "*.dtb"),
    ],
)
def test_names_hold(operator: AssertionOperator, expected: Any) -> None:
    assert verify_names(NAMES, operator, expected, "Files", "") == NAMES


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        (EQUAL, ["a.bin"]),
        (EQUAL, ""),
        (UNEQUAL, ["b.bin", "a.bin"]),
        (CONTAINS, ["a.bin", "c.bin"]),
        (CONTAINS, "a"),
        (LACKS, ["c.bin", "a.bin"]),
        (LACKS, "*.bin"),
        (CONTAINS, ["*.bin", "*.dtb"]),
    ],
)
def test_names_do_not_hold(operator: AssertionOperator, expected: Any) -> None:
    with pytest.raises(AssertionError, match=r"^Files '\['a.bin', 'b.bin'\]' \(list\) should"):
        verify_names(NAMES, operator, expected, "Files", "")


@pytest.mark.parametrize("operator", [CONTAINS, LACKS])
@pytest.mark.parametrize("expected", ["", [], None])
def test_no_name_is_nothing_to_look_for(operator: AssertionOperator, expected: Any) -> None:
    with pytest.raises(UsageError, match=r"^Files: expected a name to look for, got none\.$"):
        verify_names(NAMES, operator, expected, "Files", "")


@pytest.mark.parametrize("sign", ["*=", "not contains", "^=", "$=", "matches"])
def test_empty_text_is_no_part_to_look_for(sign: str) -> None:
    with pytest.raises(UsageError) as error:
        verify_text("a", AssertionOperator[sign], "", "Text:", "")
    assert str(error.value) == (
        "Text: expected a text to look for, got ''. Every text contains that."
    )
    assert verify_text("", EQUAL, "", "Text:", "") == ""


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
def test_texts_have_no_order(sign: str) -> None:
    with pytest.raises(UsageError) as error:
        verify_text("10", AssertionOperator[sign], "9", "Text:", "")
    assert str(error.value) == (
        f"Text: a text has no operator '{AssertionOperator[sign].name}'. Operators: ==, !=, "
        "contains, not contains, starts, ends, matches, validate, then."
    )


@pytest.mark.parametrize("sign", ["validate", "then"])
@pytest.mark.parametrize("expected", ["'a'", "True", 1, "values"])
def test_condition_that_does_not_look_at_the_value_is_none(sign: str, expected: Any) -> None:
    with pytest.raises(UsageError, match="Expected an expression with 'value' in it"):
        verify_text("a", AssertionOperator[sign], expected, "Text:", "")


@pytest.mark.parametrize("digits", ["3610a686", "3610A686", "0x3610A686", " 3610a686 "])
def test_checksums_are_compared_whatever_the_case_of_their_digits(digits: str) -> None:
    assert verify_checksum("3610a686", EQUAL, digits, "crc32", "") == "3610a686"
    with pytest.raises(AssertionError, match="crc32 '3610a686' .* should not be '3610a686'"):
        verify_checksum("3610a686", UNEQUAL, digits, "crc32", "")


@pytest.mark.parametrize("digits", ["", "3610a68", "3610a6861", "3610a68g", "zImage"])
@pytest.mark.parametrize("operator", [EQUAL, UNEQUAL])
def test_checksum_of_another_kind_is_refused(operator: AssertionOperator, digits: str) -> None:
    with pytest.raises(UsageError) as error:
        verify_checksum("3610a686", operator, digits, "crc32 of 'a':", "")
    assert str(error.value) == (
        f"crc32 of 'a': expected 8 hexadecimal digits to compare with, got '{digits}'."
    )


def test_no_names_equal_an_empty_text() -> None:
    assert verify_names([], EQUAL, "", "Files", "") == []


def test_outside_of_a_run_results_go_to_the_current_folder() -> None:
    assert output_folder() == Path.cwd()


def test_outside_of_a_run_a_capture_is_named_so() -> None:
    assert scope_name() == "capture"


def test_a_link_in_the_log_begins_at_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert log_address(tmp_path / "a b#1.pcapng") == "a%20b%231.pcapng"
    assert log_address(tmp_path.parent / "x.pcapng") == "../x.pcapng"


def test_a_link_to_another_drive_is_a_whole_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_way(*_: object) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr("os.path.relpath", no_way)
    assert log_address(tmp_path / "a b") == (tmp_path / "a b").as_uri()


def test_a_link_in_a_process_of_pabot_begins_at_the_merged_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes `../../` away as it merges."""
    inside = tmp_path / "pabot_results" / "0"
    monkeypatch.setattr(BuiltIn, "get_variable_value", lambda *_: str(inside))
    assert log_address(inside / "a b.pcapng") == "../../pabot_results/0/a%20b%2Epcapng"
    assert log_address(tmp_path / "x.txt") == "../../x.txt"
    assert log_address(tmp_path.parent / "x.txt") == "../../../x.txt"


def test_a_link_begins_at_the_log_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or at the output folder, where no log is written."""
    variables = {"${OUTPUT DIR}": str(tmp_path), "${LOG FILE}": "NONE", "${SUITE NAME}": "Boot"}
    monkeypatch.setattr(BuiltIn, "get_variable_value", lambda _, name: variables.get(name))
    assert log_address(tmp_path / "x.pcapng") == "x.pcapng"
    variables["${LOG FILE}"] = str(tmp_path / "logs" / "log.html")
    assert log_address(tmp_path / "x.pcapng") == "../x.pcapng"
    assert scope_name() == "Boot"
    variables["${TEST NAME}"] = "Board Boots"
    assert scope_name() == "Board Boots"
