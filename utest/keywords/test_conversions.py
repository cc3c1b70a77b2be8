from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from inspect import getdoc
from pathlib import Path

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.keywords.conversions import (
    NO_PATH,
    UNLIMITED,
    given,
    record_type,
    required,
    seconds,
    to_arguments,
    to_path,
    to_rate,
    to_settings,
    to_size,
    to_source,
    words,
)
from TftpLibrary.settings import ServerSettings


@pytest.mark.parametrize("value", ["1 KiB", " 1024 ", 1024])
def test_a_size_is_a_text_or_a_number(value: str | int) -> None:
    assert to_size(value) == 1024


def test_a_path_starts_at_the_current_folder_or_at_the_home_folder() -> None:
    assert to_path("images/zImage") == Path.cwd() / "images" / "zImage"
    assert to_path("~/zImage") == Path.home() / "zImage"


def test_an_empty_path_counts_as_not_given_and_the_current_folder_does_not() -> None:
    assert given(to_path("")) is None
    assert given(None) is None
    assert given(to_path(".")) == Path.cwd()


def test_an_empty_path_is_refused_where_one_is_required() -> None:
    with pytest.raises(UsageError, match="Expected destination to be a path, got an empty text."):
        required(NO_PATH, "destination")


def test_a_source_is_a_url_or_a_path() -> None:
    assert to_source("https://example.com/zImage") == "https://example.com/zImage"
    assert to_source("zImage") == Path.cwd() / "zImage"
    with pytest.raises(UsageError, match="Expected source to be a path"):
        to_source("")


def test_a_negative_time_is_refused() -> None:
    assert seconds(timedelta(milliseconds=1500), "timeout") == 1.5
    with pytest.raises(UsageError, match="Expected timeout to be a time of 0 s or more, got -2 s."):
        seconds(timedelta(seconds=-2), "timeout")


def test_words_are_a_list_or_separated_by_commas() -> None:
    assert words("10.0.0.1, 10.0.1.0/24,") == ("10.0.0.1", "10.0.1.0/24")
    assert words(["10.0.0.1", " 10.0.1.0/24"]) == ("10.0.0.1", "10.0.1.0/24")
    assert words("") == ()


def test_arguments_become_settings() -> None:
    settings = ServerSettings(
        **to_settings(
            port=0,
            timeout=timedelta(seconds=2),
            max_upload_size=UNLIMITED,
            max_blksize=to_size("1 KiB"),
            refuse_options="Blksize, windowsize",
            clients="10.0.0.0/8",
            port_range="6000 - 6100",
            retries=None,
        )
    )
    assert settings == ServerSettings(
        timeout=2.0,
        max_blksize=1024,
        refuse_options=frozenset({"blksize", "windowsize"}),
        clients=("10.0.0.0/8",),
        port_range=(6000, 6100),
    )


def test_settings_become_arguments_that_give_the_same_settings() -> None:
    settings = ServerSettings(
        timeout=2.5, clients=("::1",), port_range=(6000, 6100), refuse_options=frozenset({"tsize"})
    )
    names = ("timeout", "clients", "port_range", "refuse_options", "max_upload_size", "retries")
    arguments = to_arguments(settings, names)
    assert arguments["max_upload_size"] == "unlimited"
    assert arguments["port_range"] == "6000-6100"
    assert arguments["timeout"] == timedelta(seconds=2.5)
    assert ServerSettings(**to_settings(**arguments)) == settings


def test_no_limit_and_no_range_can_be_given_back() -> None:
    arguments = to_arguments(ServerSettings(), ("max_upload_size", "port_range"))
    assert to_settings(**arguments) == {"max_upload_size": None, "port_range": None}


def test_a_limit_becomes_a_size() -> None:
    assert to_arguments(ServerSettings(max_upload_size=5), ("max_upload_size",)) == {
        "max_upload_size": 5
    }


def test_a_port_range_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match="Expected port_range to be like 6000-6100, got 'many'."):
        to_settings(port_range="many")


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
    with pytest.raises(UsageError, match="Expected a rate such as 5 MB/s or 500 kB, got '"):
        to_rate(text)
