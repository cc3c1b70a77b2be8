"""Sizes: read, and put into words."""

from __future__ import annotations

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.sizes import parse_size, part_text, percent_text, rate_text, size_text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (7_800_000, "7.8 MB"),
        (40 * 10**9, "40.0 GB"),
        (2 * 10**16, "20000.0 TB"),
    ],
)
def test_size_is_told_in_the_largest_decimal_unit(octets: int, text: str) -> None:
    assert size_text(octets) == text


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("0", 0),
        ("1468", 1468),
        ("65_464", 65_464),
        ("1468 B", 1468),
        ("64 kB", 64_000),
        ("64k", 64_000),
        ("4 MiB", 4 * 1024**2),
        ("1.5GB", 1_500_000_000),
        ("4.35 kB", 4350),
        ("0.5 KiB", 512),
        (" 2 tib ", 2 * 1024**4),
    ],
)
def test_size_is_read_with_decimal_and_binary_units(text: str, octets: int) -> None:
    assert parse_size(text) == octets


@pytest.mark.parametrize(
    "text",
    ["", "-1", "1 XB", "4 iB", "MiB", "many", "1 000", "1e3", "_", "1.5.2 kB", "1.5", "0.3 KiB"],
)
def test_text_that_is_no_size_in_whole_octets_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_size(text)
    assert str(error.value) == (
        f"Expected a size in whole bytes, such as 1468, 512 kB or 4 MiB, got '{text}'."
    )


def test_part_of_a_size_has_the_unit_of_the_whole() -> None:
    assert part_text(3_244_280, 7_800_000) == "3.2 of 7.8 MB"
    assert part_text(512, 7_800_000) == "0.0 of 7.8 MB"
    assert part_text(100, 512) == "100 of 512 bytes"


def test_per_cent_is_a_hundred_only_for_the_whole() -> None:
    assert percent_text(7_799_999, 7_800_000) == "99 %"
    assert percent_text(7_800_000, 7_800_000) == "100 %"
    assert percent_text(0, 0) == "100 %"


def test_rate_is_a_size_per_second() -> None:
    assert rate_text(5_140_000.4) == "5.1 MB/s"
    assert rate_text(0.0) == "0 bytes/s"
