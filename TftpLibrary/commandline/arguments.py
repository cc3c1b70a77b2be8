"""The arguments of the command line, and its help."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from TftpLibrary.errors import UsageError
from TftpLibrary.fields import Kind, Setting, Settings, limit_of, option_names, parse_ports, words
from TftpLibrary.locations import TFTP_PORT
from TftpLibrary.settings import ClientSettings, ServerSettings
from TftpLibrary.sizes import parse_size
from TftpLibrary.version import VERSION

T = TypeVar("T", ServerSettings, ClientSettings)

DESCRIPTION = """\
A TFTP server and client for tests of boards and network gear.
For suites there are keywords: see `quickstart` and `guides`."""

EXAMPLES = """\
examples:
  tftplibrary serve images --host 0.0.0.0 --port 69
  tftplibrary get 192.168.1.1 startup-config
  tftplibrary put firmware.bin 192.168.1.20 --wait 30
  tftplibrary quickstart

`tftplibrary COMMAND --help` shows the options of a command. Where the script is not on the path,
`python -m TftpLibrary` does the same."""

SERVE_EXAMPLES = """\
examples:
  tftplibrary serve images --port 0
      on a free port of this machine only
  tftplibrary serve images --host auto
      on port 69, for the boards in the network of the default route
  tftplibrary serve uploads --host 0.0.0.0 --writable --max-upload-size 64MiB
      boards may upload files, too
  tftplibrary serve images --host 0.0.0.0 --client 192.168.1.0/24 --single-port
      for boards of one network, through a router that lets a single port pass

Ctrl-C or SIGTERM ends it. Standard output shows the URL, standard error each transfer that ended
and each request that was refused."""

GET_EXAMPLES = """\
examples:
  tftplibrary get 192.168.1.1 startup-config
  tftplibrary get 192.168.1.1 images/kernel.img /tmp/kernel.img --windowsize 64
  tftplibrary get tftp://192.168.1.1:6969/kernel.img
  tftplibrary get 192.168.1.1 kernel.img --blksize 512 --windowsize 1
      as RFC 1350 has it, without options

exit status: 0 done, 1 refused or failed, 2 wrong use"""

PUT_EXAMPLES = """\
examples:
  tftplibrary put firmware.bin 192.168.1.20
  tftplibrary put firmware.bin 192.168.1.20 image.bin --wait 30
      to a boot loader that listens for a few seconds only
  tftplibrary put notes.txt 192.168.1.1 --mode netascii

exit status: 0 done, 1 refused or failed, 2 wrong use"""


_OF_TFTP = frozenset(("blksize", "windowsize", "tsize", "timeout", "rollover"))
"""Settings that are named like an option of TFTP."""

LAB_EXAMPLES = """\
examples:
  tftplibrary lab
      for suites that come by ssh; as the user whom they use, or as a service
  tftplibrary lab --allow-root /srv/images --max-space 20GiB --clients 192.168.77.0/24
      within limits
  tftplibrary lab --listen wss://0.0.0.0:8276 --cert lab.crt --key lab.key --token-file token
      for suites that cannot use ssh
  tftplibrary lab status
      who uses it, since when, with which servers

Ctrl-C or SIGTERM ends it, and with it every server; boards get an ERROR packet."""

_HOST = "address or name of the server, or a URL such as tftp://192.168.1.1/NAME"


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole command line."""
    main = _parser("tftplibrary", DESCRIPTION, EXAMPLES)
    main.add_argument("--version", action="version", version=f"tftplibrary {VERSION}")
    commands = main.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_serve(_command(commands, "serve", "serve a folder to boards", SERVE_EXAMPLES))
    get = _command(commands, "get", "get a file from a TFTP server", GET_EXAMPLES)
    get.add_argument("host", metavar="HOST", help=_HOST)
    get.add_argument("name", metavar="NAME", nargs="?", default="", help="name of the file there")
    get.add_argument(
        "destination",
        metavar="DEST",
        nargs="?",
        default="",
        help="file or folder here (default: the last part of NAME, in this folder)",
    )
    _add_client(get)
    put = _command(commands, "put", "put a file to a TFTP server", PUT_EXAMPLES)
    put.add_argument("file", metavar="FILE", help="file here")
    put.add_argument("host", metavar="HOST", help=_HOST)
    put.add_argument(
        "name", metavar="NAME", nargs="?", default="", help="name there (default: that of FILE)"
    )
    _add_client(put)
    _add_lab(_command(commands, "lab", "let suites elsewhere use the boards here", LAB_EXAMPLES))
    quickstart = _command(commands, "quickstart", "run the first suite: a board boots", "")
    quickstart.add_argument(
        "--outputdir",
        metavar="DIR",
        default="tftplibrary-quickstart",
        help="folder for log.html (default: %(default)s)",
    )
    _command(commands, "guides", "show where the guides to boards and suites are", "")
    return main


# Fixed values are values of settings, which are of many types, hence Any.
def settings(cls: type[T], options: argparse.Namespace, **fixed: Any) -> T:
    """Returns settings from the options of the same names, and from fixed values.

    Raises:
        UsageError: a value is out of bounds.
    """
    names = {row.name for row in cls.rows if row.option is not None}
    return cls(**{name: getattr(options, name) for name in names}, **fixed)


def as_options(message: str) -> str:
    """Returns a message with the options of the command line in the place of arguments.

    Messages are written for suites and programs: `raise timeout=` becomes `raise --timeout`, and
    `port=0` becomes `--port 0`. An option of TFTP with its value, such as `blksize=1428`, stays.
    """
    rows = {row.name: row for row in (*ServerSettings.rows, *ClientSettings.rows)}

    def spell(match: re.Match[str]) -> str:
        row, value = rows[match[1]], match[2]
        if value and row.name in _OF_TFTP:
            return match[0]
        return _option_name(row) + (f" {value}" if value and row.kind is not Kind.flag else "")

    return re.sub(rf"\b({'|'.join(rows)})=([\w-]+|'[^']*'|(?=[\s,.;:)]|$))", spell, message)


def _add_serve(command: argparse.ArgumentParser) -> None:
    command.add_argument("root", metavar="ROOT", help="folder to serve")
    _add_settings(command, ServerSettings, port=TFTP_PORT)
    command.add_argument("--quiet", action="store_true", help="do not print each transfer")


def _add_lab(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "action",
        metavar="status",
        nargs="?",
        choices=("status",),
        help="show who uses the lab, with which servers",
    )
    command.add_argument(
        "url",
        metavar="URL",
        nargs="?",
        default="",
        help="the lab for status (default: the one here)",
    )
    command.add_argument(
        "--stdio", action="store_true", help="serve one runner through standard input and output"
    )
    command.add_argument(
        "--listen",
        metavar="URL",
        help="unix:/path, or wss://address:port (default: the socket that ssh sessions join)",
    )
    for name, what in (("cert", "certificate"), ("key", "key"), ("token-file", "token")):
        command.add_argument(f"--{name}", metavar="FILE", help=f"file with the {what}, for wss://")
    command.add_argument(
        "--allow-root",
        metavar="DIR",
        action="append",
        default=[],
        help="folder that runners may serve; may be given several times (default: none, so they "
        "have private folders only)",
    )
    command.add_argument(
        "--max-space",
        metavar="SIZE",
        type=_type(parse_size),
        help="most bytes in the private folders of all runners (default: no limit)",
    )
    command.add_argument(
        "--clients",
        metavar="CIDR",
        action="append",
        default=[],
        help="boards that runners may serve and ask; may be given several times (default: all)",
    )


def _add_client(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--port",
        type=int,
        default=TFTP_PORT,
        metavar="N",
        help="UDP port of the server (default: %(default)s)",
    )
    _add_settings(command, ClientSettings)


# The defaults are values of settings, which are of many types, hence Any.
def _add_settings(
    command: argparse.ArgumentParser, settings: type[Settings], **defaults: Any
) -> None:
    """Adds an option for each row of the table that has one."""
    for row in settings.rows:
        if row.option is not None:
            default = defaults.get(row.name, row.default)
            _add_option(command, row._replace(default=default))


def _add_option(command: argparse.ArgumentParser, row: Setting) -> None:
    command.add_argument(
        _option_name(row), dest=row.name, default=row.default, help=_help(row), **_how(row)
    )


def _option_name(row: Setting) -> str:
    is_off = row.kind is Kind.flag and row.default
    return row.option or f"--{'no-' if is_off else ''}{row.name.replace('_', '-')}"


def _how(row: Setting) -> dict[str, Any]:
    """Returns the arguments by which argparse takes the values of a kind."""
    if row.kind is Kind.flag:
        return {"action": "store_false" if row.default else "store_true"}
    if row.kind is Kind.maybe:
        return {"action": argparse.BooleanOptionalAction}
    if row.kind is Kind.choice:
        return {"type": type(row.default), "choices": tuple(row.choices)}
    if row.kind in {Kind.options, Kind.networks}:
        return {"action": _Collect, "type": _LISTS[row.kind], "metavar": _METAVARS[row.kind]}
    return {"type": _type(_PARSERS[row.kind]), "metavar": _METAVARS[row.kind]}


def _help(row: Setting) -> str:
    """Returns the help of an option, made of the documentation of the setting."""
    text = row.help or row.doc.rstrip(".")
    if text[1].islower():  # "UDP port" keeps its capitals.
        text = text[0].lower() + text[1:]
    if row.kind in _LISTS:
        text = f"{text}; may be given several times"
    if row.kind is not Kind.flag:
        text = f"{text} (default: {_default(row)})"
    return text.replace("`", "").replace("%", "%%")


def _default(row: Setting) -> str:
    if row.kind.has_none:
        return row.default_words or "no limit"
    value = f"{row.default:g}" if isinstance(row.default, float) else str(row.default)
    return ", ".join(filter(None, (value, row.default_words)))


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"Expected a whole number, got '{text}'.") from None


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"Expected a number of seconds such as 0.5, got '{text}'.") from None


_PORTS = "A-B"
_PARSERS: dict[Kind, Callable[[str], Any]] = {
    Kind.address: str,
    Kind.number: _number,
    Kind.limit: partial(limit_of, _number),
    Kind.size: parse_size,
    Kind.size_limit: partial(limit_of, parse_size),
    Kind.seconds: _seconds,
    Kind.ports: partial(parse_ports, argument=_PORTS),
}
_LISTS: dict[Kind, Callable[[str], Any]] = {
    Kind.options: option_names,
    Kind.networks: words,
}
_METAVARS = {
    Kind.address: "ADDRESS",
    Kind.number: "N",
    Kind.limit: "N",
    Kind.size: "SIZE",
    Kind.size_limit: "SIZE",
    Kind.seconds: "SECONDS",
    Kind.ports: _PORTS,
    Kind.options: "NAME",
    Kind.networks: "CIDR",
}


# argparse keeps the class of its sub-commands private, hence Any.
def _command(commands: Any, name: str, purpose: str, examples: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=purpose,
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return command


def _parser(program: str, description: str, examples: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


class _Collect(argparse.Action):
    """Collects the values of an option that may be given several times."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - the signature is that of argparse.
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, type(before)([*before, *values]))


def _type(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """A converter whose `UsageError` argparse shows as it is."""

    def checked(text: str) -> Any:  # as argparse takes it.
        try:
            return convert(text)
        except UsageError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked
