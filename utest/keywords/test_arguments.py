"""The settings as arguments of keywords."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.fields import UNLIMITED, Kind, Setting
from TftpLibrary.keywords.arguments import takes_settings, to_arguments, to_settings
from TftpLibrary.keywords.conversions import Size, to_size
from TftpLibrary.settings import Retransmission, ServerSettings

ROWS = (
    Setting("own", Kind.address, "", "It is not taken."),
    Setting("hidden", Kind.address, "", "It is for Python.", is_argument=False),
    Setting("flag", Kind.flag, False, "Whether `x` is."),
    Setting("clients", Kind.networks, (), "Who is served.", default_words="everyone"),
    Setting("limit", Kind.limit, None, "How many.", default_words="as many as `most`"),
    Setting("size", Kind.size_limit, None, "How large."),
    Setting("wait", Kind.seconds, 1.5, "How long.", default_words="not long"),
    Setting("way", Kind.choice, Retransmission.fixed, "How.", choices=Retransmission),
    Setting("digit", Kind.choice, 0, "Which.", choices=(0, 1)),
)


@takes_settings(ROWS)
def begin(own: str, *, alias: str = "", **settings: Any) -> dict[str, Any]:
    """Begins.

    Args:
        own: Its own.
        alias: Another of its own.
        **settings: In one line
            or two.

    Returns:
        What it got.
    """
    return {"own": own, "alias": alias, **settings}


@takes_settings(ROWS, all_optional=True)
def change(*, server: str = "", **settings: Any) -> dict[str, Any]:
    """Changes.

    Args:
        **settings: What to change.
        server: Whose.

    Returns:
        What it got:
        alias: no argument.
    """
    return {"server": server, **settings}


def test_settings_become_arguments_with_types_and_defaults_after_those_of_the_keyword() -> None:
    parameters = inspect.signature(begin).parameters
    names = ["own", "alias", "hidden", "flag", "clients", "limit", "size", "wait", "way", "digit"]
    assert list(parameters) == [name for name in names if name != "hidden"]
    found = {name: (each.annotation, each.default) for name, each in parameters.items()}
    assert found["flag"] == (bool, False)
    assert found["clients"] == (str | Sequence[str], "")
    assert found["limit"] == (int | Literal["unlimited"], "unlimited")
    assert found["size"] == (Size | Literal["unlimited"], "unlimited")
    assert found["wait"] == (timedelta, timedelta(seconds=1.5))
    assert found["way"] == (Retransmission, Retransmission.fixed)
    assert found["digit"] == (Literal[0, 1], 0)
    assert begin.__annotations__["flag"] is bool


def test_settings_to_be_changed_are_all_optional_and_stand_where_the_documentation_has_them() -> (
    None
):
    parameters = inspect.signature(change).parameters
    assert list(parameters)[-2:] == ["digit", "server"]
    assert {each.default for name, each in parameters.items() if name != "server"} == {None}
    assert parameters["wait"].annotation == timedelta | None
    assert parameters["digit"].annotation == Literal[0, 1] | None


def test_settings_are_documented_in_the_place_of_the_settings() -> None:
    assert (
        inspect.getdoc(begin)
        == """Begins.

Args:
    own: Its own.
    alias: Another of its own.
    flag: Whether ``x`` is.
    clients: Who is served. A list, or a text with commas. Default: everyone.
    limit: How many. ``unlimited``: as many as ``most``.
    size: How large.
    wait: How long. Default: not long.
    way: How.
    digit: Which.

Returns:
    What it got."""
    )


def test_a_change_has_no_defaults_to_document_but_says_how_a_limit_is_lifted() -> None:
    doc = inspect.getdoc(change) or ""
    assert (
        "    clients: Who is served. A list, or a text with commas. An empty text: everyone.\n"
        in doc
    )
    assert "    limit: How many. ``unlimited``: as many as ``most``.\n" in doc
    assert "    wait: How long.\n" in doc


def test_the_keyword_gets_what_is_given() -> None:
    assert begin("x", flag=True) == {"own": "x", "alias": "", "flag": True}


def test_arguments_become_settings() -> None:
    settings = ServerSettings(
        **to_settings(
            ServerSettings,
            {
                "port": 0,
                "timeout": timedelta(seconds=2),
                "max_upload_size": UNLIMITED,
                "max_blksize": to_size("1 KiB"),
                "refuse_options": "Blksize, windowsize",
                "clients": "10.0.0.0/8",
                "port_range": "6000 - 6100",
                "retries": None,
            },
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
    assert ServerSettings(**to_settings(ServerSettings, arguments)) == settings


def test_no_limit_and_no_range_can_be_given_back() -> None:
    arguments = to_arguments(ServerSettings(), ("max_upload_size", "port_range"))
    assert to_settings(ServerSettings, arguments) == {"max_upload_size": None, "port_range": None}


def test_a_limit_becomes_a_size() -> None:
    assert to_arguments(ServerSettings(max_upload_size=5), ("max_upload_size",)) == {
        "max_upload_size": 5
    }


def test_a_value_that_cannot_be_converted_is_refused() -> None:
    with pytest.raises(
        UsageError, match="port_range must be two ports such as 6000-6100, got 'many'."
    ):
        to_settings(ServerSettings, {"port_range": "many"})
    with pytest.raises(UsageError, match="timeout must be a time of 0 s or more, got -2 s."):
        to_settings(ServerSettings, {"timeout": timedelta(seconds=-2)})
