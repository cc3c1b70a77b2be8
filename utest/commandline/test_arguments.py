"""The arguments of the command line become settings, and mistakes are named."""

from __future__ import annotations

from typing import Any

import pytest

from TftpLibrary.commandline.arguments import as_options, parser, settings
from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.packets import Mode
from TftpLibrary.settings import ClientSettings, Retransmission, ServerSettings
from TftpLibrary.version import VERSION


def server(*arguments: str) -> ServerSettings:
    return settings(ServerSettings, parser().parse_args(["serve", "images", *arguments]))


def client(*arguments: str) -> ClientSettings:
    return settings(ClientSettings, parser().parse_args(["get", "host", "name", *arguments]))


def wrong(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The last line that a wrong command line gives."""
    with pytest.raises(SystemExit) as stop:
        parser().parse_args(arguments)
    assert stop.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_server_without_options_has_the_defaults_on_the_port_of_boards() -> None:
    assert server() == ServerSettings(port=69)


def test_client_without_options_has_the_defaults() -> None:
    assert client() == ClientSettings()
    options = parser().parse_args(["put", "a/file", "host"])
    assert (options.file, options.host, options.name, options.port) == ("a/file", "host", "", 69)


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        ("--host ::", "host", "::"),
        ("--port 0", "port", 0),
        ("--writable", "writable", True),
        ("--no-create", "create", False),
        ("--overwrite", "overwrite", True),
        ("--timeout 0.5", "timeout", 0.5),
        ("--retries 9", "retries", 9),
        ("--max-blksize 1400", "max_blksize", 1400),
        ("--max-blksize 1KiB", "max_blksize", 1024),
        ("--max-windowsize 4", "max_windowsize", 4),
        ("--single-port", "single_port", True),
        ("--port-range 6000-6100", "port_range", (6000, 6100)),
        ("--client 10.0.0.0/8 --client ::1", "clients", ("10.0.0.0/8", "::1")),
        ("--client 10.0.0.0/8,::1", "clients", ("10.0.0.0/8", "::1")),
        ("--refuse-option tsize", "refuse_options", frozenset({"tsize"})),
        (
            "--refuse-option TSize --refuse-option blksize",
            "refuse_options",
            frozenset({"tsize", "blksize"}),
        ),
        ("--follow-symlinks", "follow_symlinks", True),
        ("--ignore-case", "ignore_case", True),
        ("--max-transfers 3", "max_transfers", 3),
        ("--max-transfers-per-client 1", "max_transfers_per_client", 1),
        ("--max-half-open 20", "max_half_open", 20),
        ("--max-duration 60", "max_duration", 60.0),
        ("--retransmission fixed", "retransmission", Retransmission.fixed),
        ("--no-offload", "offload", False),
        ("--max-upload-size 64MiB", "max_upload_size", 64 * 1024**2),
        ("--rollover 1", "rollover", 1),
    ],
)
def test_option_of_serve_is_the_setting_of_that_name(
    arguments: str, field: str, value: Any
) -> None:
    assert getattr(server(*arguments.split()), field) == value
    assert getattr(server(), field) != value


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        ("--blksize 512", "blksize", 512),
        ("--windowsize 1", "windowsize", 1),
        ("--mode netascii", "mode", Mode.netascii),
        ("--timeout 0.5", "timeout", 0.5),
        ("--retries 0", "retries", 0),
        ("--wait 30", "wait", 30.0),
        ("--no-tsize", "tsize", False),
        ("--rollover 1", "rollover", 1),
        ("--local-address 192.168.1.2", "local_address", "192.168.1.2"),
    ],
)
def test_option_of_get_is_the_setting_of_that_name(arguments: str, field: str, value: Any) -> None:
    assert getattr(client(*arguments.split()), field) == value


def test_options_of_serve_that_are_no_settings() -> None:
    options = parser().parse_args(["serve", "images", "--quiet"])
    assert (options.root, options.quiet) == ("images", True)


def test_a_setting_can_be_fixed_by_the_command() -> None:
    options = parser().parse_args(["serve", "images"])
    assert settings(ServerSettings, options, keep_files=True).keep_files


def test_no_limit_is_written_unlimited() -> None:
    assert server("--max-upload-size", "unlimited").max_upload_size is None


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("", "tftplibrary: error: the following arguments are required: COMMAND"),
        ("serve", "tftplibrary serve: error: the following arguments are required: ROOT"),
        (
            "serve x --max-upload-size many",
            "tftplibrary serve: error: argument --max-upload-size: "
            "Expected a size in whole bytes, such as 1468, 512 kB or 4 MiB, got 'many'.",
        ),
        (
            "serve x --port-range 6000",
            "tftplibrary serve: error: argument --port-range: "
            "A-B must be two ports such as 6000-6100, got '6000'.",
        ),
        (
            "serve x --retries many",
            "tftplibrary serve: error: argument --retries: Expected a whole number, got 'many'.",
        ),
        (
            "get host name --wait long",
            "tftplibrary get: error: argument --wait: "
            "Expected a number of seconds such as 0.5, got 'long'.",
        ),
        ("get", "tftplibrary get: error: the following arguments are required: HOST"),
    ],
)
def test_wrong_use_says_what_was_expected(
    capsys: pytest.CaptureFixture[str], arguments: str, line: str
) -> None:
    # argparse lists DEST among what is required in some versions of Python.
    assert wrong(capsys, *arguments.split()).replace(", DEST", "") == line


def test_value_out_of_bounds_is_named_by_the_settings() -> None:
    with pytest.raises(UsageError, match="port must be from 0 to 65535, got 99999"):
        server("--port", "99999")
    with pytest.raises(UsageError, match="is neither an address, a network nor"):
        server("--client", "board")


@pytest.mark.parametrize(
    "text",
    [
        "--port N UDP port to bind, 0 for a free one (default: 69)",
        "--writable let boards upload files --no-create refuse uploads of files",
        "--max-upload-size SIZE largest file in bytes that a board may upload (default: no limit)",
        "--timeout SECONDS longest wait for an answer before a packet is sent again (default: 1)",
        "--client CIDR addresses, networks and MAC addresses that are served, such as "
        "192.168.1.0/24; may be given several times (default: everyone)",
        "(default: adaptive) --no-offload send each packet by itself",
    ],
)
def test_help_says_what_an_option_does_and_what_happens_without_it(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["serve", "--help"])
    assert text in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("command", ["", "serve", "get", "put"])
def test_help_has_examples(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as stop:
        parser().parse_args([*command.split(), "--help"])
    assert stop.value.code == 0
    assert "\nexamples:\n  tftplibrary " in capsys.readouterr().out


@pytest.mark.parametrize("command", ["", "serve", "get", "put"])
def test_every_example_of_the_help_is_a_command_line(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args([*command.split(), "--help"])
    lines = capsys.readouterr().out.splitlines()
    examples = [line.split()[1:] for line in lines if line.startswith("  tftplibrary ")]
    assert len(examples) >= 3
    for example in examples:
        assert parser().parse_args(example).command == example[0]


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--version"])
    assert capsys.readouterr().out == f"tftplibrary {VERSION}\n"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("raise timeout= or retries=, or wait= for", "raise --timeout or --retries, or --wait for"),
        ("Expected in local_address= an address.", "Expected in --local-address an address."),
        ("(the port is given by port=).", "(the port is given by --port)."),
        ("Raise blksize=.", "Raise --blksize."),
        ("clients= names them", "--client names them"),
        ("granted blksize=1428, timeout=5", "granted blksize=1428, timeout=5"),
        ("Use port=0 or more", "Use --port 0 or more"),
        ("Start with writable=True.", "Start with --writable."),
        ("clients='board' is no network", "--client 'board' is no network"),
        ("my_timeout= x= timeout", "my_timeout= x= timeout"),
    ],
)
def test_a_message_names_the_options_of_the_command_line(message: str, shown: str) -> None:
    assert as_options(message) == shown
