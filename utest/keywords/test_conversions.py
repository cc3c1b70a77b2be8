from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from inspect import getdoc
from pathlib import Path

import pytest
from robot.api.types import Secret

from TftpLibrary.errors import UsageError
from TftpLibrary.keywords.conversions import (
    FailureKeyword,
    OnFailure,
    given,
    record_type,
    required,
    seconds,
    to_on_failure,
    to_packets,
    to_path,
    to_rate,
    to_share,
    to_size,
    to_source,
)


@pytest.mark.parametrize("value", ["1 KiB", " 1024 ", 1024])
def test_a_size_is_a_text_or_a_number(value: str | int) -> None:
    assert to_size(value) == 1024


def test_a_path_starts_where_its_keyword_says_or_at_the_home_folder() -> None:
    assert to_path("images/zImage") == Path("images/zImage")
    assert given(to_path("images/zImage")) == Path.cwd() / "images" / "zImage"
    assert to_path("~/zImage") == Path.home() / "zImage"
    assert to_path("~nobody-has-this-name/x") == Path("~nobody-has-this-name/x")


def test_an_empty_path_counts_as_not_given_and_the_current_folder_does_not() -> None:
    assert given(to_path("")) is None
    assert given(None) is None
    assert given(to_path(".")) == Path.cwd()


def test_an_empty_path_is_refused_where_one_is_required() -> None:
    with pytest.raises(UsageError, match="destination must be a path, got an empty text."):
        required(to_path(""), "destination")


def test_a_source_is_a_url_or_a_path() -> None:
    assert to_source("https://example.com/zImage") == "https://example.com/zImage"
    assert to_source("zImage") == Path.cwd() / "zImage"
    with pytest.raises(UsageError, match="source must be a path"):
        to_source("")


def test_a_negative_time_is_refused() -> None:
    assert seconds(timedelta(milliseconds=1500), "timeout") == 1.5
    with pytest.raises(UsageError, match="timeout must be a time of 0 s or more, got -2 s."):
        seconds(timedelta(seconds=-2), "timeout")


@dataclass
class Sample:
    """A sample with `code`.

    It is short.

    Attributes:
        name: what it is called,
            over two lines.
        size: in ``octets``.
    """

    name: str
    size: int

    @property
    def half(self) -> int:
        """Half of the size."""
        return self.size // 2


def test_libdoc_gets_the_attributes_of_a_record_as_a_table() -> None:
    converter = record_type(Sample)
    sample = Sample("a", 2)
    assert converter(sample) is sample
    assert getdoc(converter) == (
        "A sample with ``code``.\n"
        "\n"
        "It is short.\n"
        "\n"
        "| =Attribute= | =Meaning= |\n"
        "| ``name`` | what it is called, over two lines. |\n"
        "| ``size`` | in ``octets``. |\n"
        "| ``half`` | half of the size. |"
    )


@pytest.mark.parametrize(
    ("text", "octets"),
    [("5 MB/s", 5_000_000), ("500 kB", 500_000), (1468, 1468), ("1MiB/s", 2**20)],
)
def test_a_rate_is_a_size_in_a_second(text: str | int, octets: int) -> None:
    assert to_rate(text) == octets


@pytest.mark.parametrize("text", ["fast", "5 MB/min", "/s"])
def test_what_is_no_rate_tells_how_to_write_one(text: str) -> None:
    with pytest.raises(
        UsageError, match="Expected a rate such as 5 MB/s, 500 kB or 10 Mbit/s, got '"
    ):
        to_rate(text)


def test_a_secret_source_is_taken_and_a_hidden_one_refused() -> None:
    url = "https://me:password@host/x"
    assert to_source(Secret(url)) == to_source(url) == url
    with pytest.raises(UsageError, match=r"^source has '<secret>' in the place of a secret var"):
        to_source(f"https://me:{Secret('password')}@host/x")


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("LOG_TRANSFERS", OnFailure.log_transfers),
        ("log transfers", OnFailure.log_transfers),
        ("Nothing", OnFailure.nothing),
        ("", OnFailure.nothing),
        (OnFailure.nothing, OnFailure.nothing),
        ("Read Console", FailureKeyword("Read Console")),
        ("Read Console  ttyUSB0    a b", FailureKeyword("Read Console", ("ttyUSB0", "a b"))),
        ("Log Transfers  zImage", FailureKeyword("Log Transfers", ("zImage",))),
    ],
)
def test_a_failure_is_followed_by_a_member_or_a_keyword(
    text: OnFailure | str, action: OnFailure | FailureKeyword
) -> None:
    assert to_on_failure(text) == action


def test_a_misspelled_member_is_no_keyword() -> None:
    with pytest.raises(
        UsageError, match=r"^on_failure='NOTHNG' is unknown\. Did you mean NOTHING\?"
    ):
        to_on_failure("NOTHNG")


@pytest.mark.parametrize(
    ("text", "octets"), [("10 Mbit/s", 1_250_000), ("100kbit/s", 12_500), ("1 Gbit/s", 125_000_000)]
)
def test_a_rate_may_be_in_bits(text: str, octets: int) -> None:
    assert to_rate(text) == octets


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [("2 %", 0.02, "2 %"), ("0.5%", 0.005, "0.5 %"), (" 100 % ", 1.0, "100 %"), ("0%", 0.0, "0 %")],
)
def test_a_share_is_written_in_per_cent(text: str, value: float, shown: str) -> None:
    share = to_share(text)
    assert share.value == pytest.approx(value)
    assert str(share) == shown


@pytest.mark.parametrize("text", ["2", "0.02", "%", "-1 %", "two %", "2 % %", ""])
def test_what_is_no_share_tells_how_to_write_one(text: str) -> None:
    with pytest.raises(UsageError, match="Expected a share with its %, such as 2 %, got '"):
        to_share(text)


def test_packets_are_read_as_the_core_reads_them_and_its_forms_are_in_libdoc() -> None:
    assert str(to_packets("data 3-6, 9")) == "DATA 3-6, 9"
    with pytest.raises(UsageError, match="Did you mean DATA"):
        to_packets("DATTA 3")
    assert "``DATA 100-``" in (to_packets.__doc__ or "")
    assert "Attributes" not in (to_packets.__doc__ or "")
