from __future__ import annotations

import re
from typing import Any

import pytest
from robot.libdocpkg import LibraryDocumentation
from robot.libdocpkg.model import KeywordDoc

from TftpLibrary.commandline.arguments import parser
from TftpLibrary.errors import UsageError
from TftpLibrary.fields import Kind, Setting
from TftpLibrary.protocol.options import Bounds
from TftpLibrary.protocol.packets import Mode
from TftpLibrary.protocol.roles import Timing
from TftpLibrary.settings import ClientSettings, Retransmission, ServerSettings
from TftpLibrary.store.base import WritePolicy


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"port": 99999}, "port must be from 0 to 65535, got 99999 (0 takes a free one)."),
        ({"port": -1}, "port must be from 0 to 65535, got -1 (0 takes a free one)."),
        ({"max_blksize": 7}, "max_blksize must be from 8 to 65464, got 7 (RFC 2348)."),
        ({"max_blksize": 65465}, "max_blksize must be from 8 to 65464, got 65465 (RFC 2348)."),
        ({"max_windowsize": 0}, "max_windowsize must be from 1 to 65535, got 0 (RFC 7440)."),
        ({"timeout": 0}, "timeout must be above 0 and at most 255 seconds, got 0."),
        ({"timeout": 255.5}, "timeout must be above 0 and at most 255 seconds, got 255.5."),
        ({"retries": -1}, "retries must be from 0 to 1000, got -1."),
        ({"rollover": 2}, "rollover must be 0 or 1, got 2."),
        ({"max_transfers": 0}, "max_transfers must be 1 or more, got 0."),
        ({"max_transfers_per_client": 0}, "max_transfers_per_client must be 1 or more, got 0."),
        ({"max_half_open": 0}, "max_half_open must be 1 or more, got 0."),
        (
            {"retransmission": "fixed"},
            "retransmission must be Retransmission.adaptive or Retransmission.fixed, got 'fixed'.",
        ),
        ({"writable": "yes"}, "writable must be True or False, got 'yes'."),
        (
            {"host": None},
            "host must be an address or a name, without a port, got None "
            "(the port is given by port=).",
        ),
        ({"timeout": "1 s"}, "timeout must be a number of seconds, got '1 s'."),
        ({"timeout": float("nan")}, "timeout must be above 0 and at most 255 seconds, got nan."),
        (
            {"clients": "10.0.0.1"},
            "clients must be several addresses, networks or MAC addresses, got '10.0.0.1'.",
        ),
        ({"max_upload_size": -1}, "max_upload_size must be 0 or more, got -1."),
        ({"max_duration": 0}, "max_duration must be above 0 seconds, got 0."),
        (
            {"port_range": (0, 10)},
            "port_range must be two ports from 1 to 65535, the lower one first, got 0-10.",
        ),
        (
            {"port_range": (20, 10)},
            "port_range must be two ports from 1 to 65535, the lower one first, got 20-10.",
        ),
        (
            {"clients": ("10.0.0.0/33",)},
            "clients='10.0.0.0/33' is neither an address, a network nor a MAC address. Expected "
            "for example 192.168.1.50, 192.168.1.0/24, fe80::/10 or 52:54:00:ab:cd:07.",
        ),
    ],
)
def test_a_server_setting_that_cannot_be_is_refused_when_it_is_made(
    settings: dict[str, Any], text: str
) -> None:
    with pytest.raises(UsageError) as error:
        ServerSettings(**settings)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"mode": "octet"}, "mode must be Mode.octet or Mode.netascii, got 'octet'."),
        ({"blksize": 7}, "blksize must be from 8 to 65464, got 7 (RFC 2348)."),
        ({"windowsize": 65536}, "windowsize must be from 1 to 65535, got 65536 (RFC 7440)."),
        ({"timeout": -1}, "timeout must be above 0 and at most 255 seconds, got -1."),
        ({"retries": 1001}, "retries must be from 0 to 1000, got 1001."),
        ({"rollover": -1}, "rollover must be 0 or 1, got -1."),
        ({"wait": -0.5}, "wait must be 0 seconds or more, got -0.5."),
    ],
)
def test_a_client_setting_that_cannot_be_is_refused_when_it_is_made(
    settings: dict[str, Any], text: str
) -> None:
    with pytest.raises(UsageError) as error:
        ClientSettings(**settings)
    assert str(error.value) == text


def test_the_bounds_themselves_are_possible() -> None:
    ServerSettings(
        port=65535,
        max_blksize=8,
        max_windowsize=65535,
        timeout=255,
        retries=0,
        max_upload_size=0,
        port_range=(1, 65535),
    )
    ClientSettings(blksize=65464, windowsize=1, timeout=0.001, retries=1000, wait=0)


def test_the_negotiation_gets_its_part() -> None:
    settings = ServerSettings(
        max_blksize=1468,
        max_windowsize=8,
        refuse_options=frozenset(("tsize", "WindowSize")),
        rollover=1,
    )
    expected = Bounds(
        max_blksize=1468,
        max_windowsize=8,
        ignored=frozenset(("tsize", "windowsize")),
        rollover=1,
    )
    assert settings.bounds() == expected


def test_the_store_gets_its_part() -> None:
    settings = ServerSettings(writable=True, create=False, overwrite=True, max_upload_size=10)
    assert settings.write_policy() == WritePolicy(True, False, True, 10)
    assert ServerSettings().write_policy().writable is False


@pytest.mark.parametrize("retransmission", Retransmission)
def test_the_timing_of_a_server_follows_the_round_trip_unless_it_is_fixed(
    retransmission: Retransmission,
) -> None:
    """RFC 1123, section 4.2.3.2: an adaptive timeout."""
    settings = ServerSettings(timeout=3.0, retries=7, retransmission=retransmission)
    is_adaptive = retransmission is Retransmission.adaptive
    assert settings.timing() == Timing(3.0, 7, is_adaptive=is_adaptive)


def test_the_timing_of_a_client_follows_the_round_trip() -> None:
    assert ClientSettings(timeout=3.0, retries=7).timing() == Timing(3.0, 7, is_adaptive=True)


def test_a_choice_is_written_as_its_name() -> None:
    assert [str(choice) for choice in Retransmission] == ["adaptive", "fixed"]


def test_settings_are_changed_by_name() -> None:
    settings = ServerSettings().changed({"writable": True, "retries": 1}, is_running=True)
    assert settings == ServerSettings(writable=True, retries=1)


def test_a_change_is_checked() -> None:
    with pytest.raises(UsageError, match="There is no setting nope, port_. Settings: broadcast, "):
        ServerSettings().changed({"port_": 1, "nope": 1}, is_running=False)
    with pytest.raises(UsageError, match="retries must be from 0 to 1000, got -1"):
        ServerSettings().changed({"retries": -1}, is_running=False)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"port": 6000}, "its port is bound"),
        ({"single_port": True}, "its port is bound"),
        ({"keep_files": True}, "its folder is open"),
    ],
)
def test_settings_that_hold_while_the_server_runs_can_be_given_but_not_changed(
    values: dict[str, Any], reason: str
) -> None:
    (name,) = values
    settings = ServerSettings(**values)
    assert settings.changed(values, is_running=True) == settings
    assert ServerSettings().changed(values, is_running=False) == settings
    with pytest.raises(UsageError) as error:
        ServerSettings().changed(values, is_running=True)
    assert str(error.value) == (
        f"{name} cannot change while the server runs: {reason}. Stop the server and start it with "
        "the other value."
    )


# One table


SERVER_ROWS = [pytest.param(row, id=row.name) for row in ServerSettings.rows]
CLIENT_ROWS = [pytest.param(row, id=row.name) for row in ClientSettings.rows]
NOT_OPTIONS = {"keep_files"}
"""`serve` always keeps the files."""
PYTHON_ONLY = {"offload"}
"""Settings of the client that nobody has missed in a suite."""


@pytest.fixture(scope="module")
def keywords() -> dict[str, KeywordDoc]:
    return {keyword.name: keyword for keyword in LibraryDocumentation("TftpLibrary").keywords}


def libdoc_line(row: Setting) -> str:
    return re.sub(r"`([^`]+)`", r"``\1``", row.doc)


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        parser().parse_args([command, "--help"])
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("row", SERVER_ROWS)
def test_each_setting_of_a_server_is_everywhere(
    row: Setting, keywords: dict[str, KeywordDoc], capsys: pytest.CaptureFixture[str]
) -> None:
    """A new setting is written in the table, and nowhere else."""
    start = {argument.name: argument for argument in keywords["Start TFTP Server"].args}
    change = {argument.name: argument for argument in keywords["Set TFTP Server Options"].args}
    assert libdoc_line(row) in start[row.name].doc.replace("\n", " ")
    assert start[row.name].type
    assert (row.name in change) is (not row.fixed)
    assert (row.option is not None) is (row.name not in NOT_OPTIONS)
    if row.option is not None:
        name = row.option or f"--{'no-' if row.default is True else ''}{row.name}"
        assert f" {name.replace('_', '-')} " in help_of("serve", capsys)
    assert f"\n    {row.name}: {row.doc}" in (ServerSettings.__doc__ or "")


@pytest.mark.parametrize("row", CLIENT_ROWS)
def test_each_setting_of_a_client_is_everywhere(
    row: Setting, keywords: dict[str, KeywordDoc], capsys: pytest.CaptureFixture[str]
) -> None:
    is_shown = row.name not in PYTHON_ONLY
    for name in ("TFTP Get", "TFTP Put"):
        arguments = {argument.name: argument for argument in keywords[name].args}
        assert (row.name in arguments) is is_shown
        if is_shown:
            assert libdoc_line(row) in arguments[row.name].doc
    option = f"--{'no-' if row.default is True else ''}{row.name}".replace("_", "-")
    for command in ("get", "put"):
        assert (f" {option}" in help_of(command, capsys)) is is_shown
    assert f"\n    {row.name}: {row.doc}" in (ClientSettings.__doc__ or "")


@pytest.mark.parametrize("row", [*SERVER_ROWS, *CLIENT_ROWS])
def test_a_value_that_cannot_be_is_refused_with_its_name_what_is_expected_and_what_came(
    row: Setting,
) -> None:
    with pytest.raises(UsageError, match=rf"^{row.name} must be .+, got Ellipsis( \(.+\))?\.$"):
        row.check(...)


@pytest.mark.parametrize("row", [*SERVER_ROWS, *CLIENT_ROWS])
def test_a_default_is_a_value_that_can_be(row: Setting) -> None:
    """It is not checked each time."""
    row.check(row.default)


@pytest.mark.parametrize("row", [*SERVER_ROWS, *CLIENT_ROWS])
def test_a_row_says_in_sentences_what_its_setting_does(row: Setting) -> None:
    assert re.fullmatch(r"[A-Z`].+\.", row.doc)
    if row.kind is Kind.flag and row.option is not None:
        assert row.help, "Whether ... is no help for an option that has no value."


@pytest.mark.parametrize("host", ["127.0.0.1:69", "[::1]:69", "tftp://127.0.0.1"])
def test_a_host_has_no_port_behind_it(host: str) -> None:
    with pytest.raises(UsageError) as caught:
        ServerSettings(host=host)
    assert str(caught.value) == (
        f"host must be an address or a name, without a port, got '{host}' "
        "(the port is given by port=)."
    )
    with pytest.raises(UsageError, match="^local_address must be an address or a name, without a"):
        ClientSettings(local_address=host)


def test_a_url_may_ask_for_a_mode() -> None:
    asking = ClientSettings(blksize=512)
    assert asking.with_mode("") is asking
    assert asking.with_mode("netascii") == ClientSettings(blksize=512, mode=Mode.netascii)
    with pytest.raises(UsageError, match=r"There is no mode 'mail'\. Modes: octet, netascii\."):
        asking.with_mode("mail")
