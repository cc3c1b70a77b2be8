"""The arguments of the command line, and its help."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from TftpLibrary.errors import UsageError
from TftpLibrary.protocol.packets import Mode
from TftpLibrary.settings import ClientSettings, ServerSettings
from TftpLibrary.sizes import parse_size
from TftpLibrary.version import VERSION

T = TypeVar("T", ServerSettings, ClientSettings)

TFTP_PORT = 69

DESCRIPTION = """\
A TFTP server and client for tests of boards and network gear.
For suites there are keywords: see `quickstart`."""

EXAMPLES = """\
examples:
  tftplibrary serve images --host 0.0.0.0 --port 69
  tftplibrary get 192.168.1.1 startup-config
  tftplibrary put firmware.bin 192.168.1.20 --wait 30
  tftplibrary quickstart

`tftplibrary COMMAND --help` tells the options of one command. Where the script is not on the
path, `python -m TftpLibrary` does the same."""

SERVE_EXAMPLES = """\
examples:
  tftplibrary serve images --port 0
      on a free port of this machine only
  tftplibrary serve images --host auto
      on port 69, for the boards in the network of the default route
  tftplibrary serve uploads --host 0.0.0.0 --writable --max-upload-size 64MiB
      boards may store files too
  tftplibrary serve images --host 0.0.0.0 --client 192.168.1.0/24 --single-port
      one network only, and a single port for a router between

Ctrl-C or SIGTERM ends it. The line on standard output tells the URL, the lines on standard error
tell every transfer that ended and every request that was refused."""

GET_EXAMPLES = """\
examples:
  tftplibrary get 192.168.1.1 startup-config
  tftplibrary get 192.168.1.1 images/kernel.img /tmp/kernel.img --windowsize 64
  tftplibrary get 192.168.1.1 kernel.img --blksize 512 --windowsize 1
      as RFC 1350 has it

exit status: 0 done, 1 refused or failed, 2 wrong use"""

PUT_EXAMPLES = """\
examples:
  tftplibrary put firmware.bin 192.168.1.20
  tftplibrary put firmware.bin 192.168.1.20 image.bin --wait 30
      a boot loader that listens for a few seconds only
  tftplibrary put notes.txt 192.168.1.1 --mode netascii

exit status: 0 done, 1 refused or failed, 2 wrong use"""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole command line."""
    main = _parser("tftplibrary", DESCRIPTION, EXAMPLES)
    main.add_argument("--version", action="version", version=f"tftplibrary {VERSION}")
    commands = main.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_serve(_command(commands, "serve", "serve a folder to boards", SERVE_EXAMPLES))
    get = _command(commands, "get", "get a file from a TFTP server", GET_EXAMPLES)
    get.add_argument("host", metavar="HOST", help="address or name of the server")
    get.add_argument("name", metavar="NAME", help="name of the file there")
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
    put.add_argument("host", metavar="HOST", help="address or name of the server")
    put.add_argument(
        "name", metavar="NAME", nargs="?", default="", help="name there (default: that of FILE)"
    )
    _add_client(put)
    quickstart = _command(commands, "quickstart", "run the first suite: a board boots", "")
    quickstart.add_argument(
        "--outputdir",
        metavar="DIR",
        default="tftplibrary-quickstart",
        help="folder for log.html (default: %(default)s)",
    )
    return main


def settings(cls: type[T], options: argparse.Namespace) -> T:
    """Returns settings from the options of the same names.

    Raises:
        UsageError: a value that cannot be.
    """
    names = {field.name for field in fields(cls)}
    return cls(**{name: value for name, value in vars(options).items() if name in names})


def _add_serve(command: argparse.ArgumentParser) -> None:
    defaults = ServerSettings()
    command.add_argument("root", metavar="ROOT", help="folder to serve")
    add = command.add_argument
    add(
        "--host",
        default=defaults.host,
        help="address to bind: 0.0.0.0 or :: for all, auto for the one with the default route "
        "(default: %(default)s, this machine only)",
    )
    add(
        "--port",
        type=int,
        default=TFTP_PORT,
        metavar="P",
        help="UDP port, 0 for a free one (default: %(default)s)",
    )
    add("--writable", action="store_true", help="let boards store files")
    add("--overwrite", action="store_true", help="let boards replace files")
    add(
        "--max-upload-size",
        type=_type(parse_size),
        metavar="SIZE",
        help="octets that a board may store in one file, such as 64MiB",
    )
    _add_timer(command, defaults)
    add(
        "--max-blksize",
        type=int,
        default=defaults.max_blksize,
        metavar="N",
        help="largest blksize to grant (default: %(default)s)",
    )
    add(
        "--max-windowsize",
        type=int,
        default=defaults.max_windowsize,
        metavar="N",
        help="largest windowsize to grant (default: %(default)s)",
    )
    add("--single-port", action="store_true", help="answer from the request port, for NAT")
    add("--port-range", type=_type(_port_range), metavar="A-B", help="answer from these ports only")
    add(
        "--client",
        action=_Collect,
        dest="clients",
        default=(),
        metavar="CIDR",
        help="serve this address or network only; may be given several times",
    )
    add("--follow-symlinks", action="store_true", help="serve what links in ROOT point to")
    add(
        "--rollover",
        type=int,
        choices=(0, 1),
        default=defaults.rollover,
        help="block number after 65535 (default: %(default)s)",
    )
    add("--quiet", action="store_true", help="tell no single transfers")


def _add_client(command: argparse.ArgumentParser) -> None:
    defaults = ClientSettings()
    add = command.add_argument
    add(
        "--port",
        type=int,
        default=TFTP_PORT,
        metavar="P",
        help="UDP port of the server (default: %(default)s)",
    )
    add(
        "--blksize",
        type=int,
        default=defaults.blksize,
        metavar="N",
        help="octets of a block to ask for (default: %(default)s)",
    )
    add(
        "--windowsize",
        type=int,
        default=defaults.windowsize,
        metavar="N",
        help="blocks of a window to ask for (default: %(default)s)",
    )
    add(
        "--mode",
        type=Mode,
        choices=list(Mode),
        default=defaults.mode,
        help="octet, or netascii for text (default: %(default)s)",
    )
    _add_timer(command, defaults)
    add(
        "--wait",
        type=float,
        default=defaults.wait,
        metavar="S",
        help="seconds to keep asking until the server answers (default: %(default)s)",
    )


def _add_timer(command: argparse.ArgumentParser, defaults: ServerSettings | ClientSettings) -> None:
    command.add_argument(
        "--timeout",
        type=float,
        default=defaults.timeout,
        metavar="S",
        help="seconds before a packet is sent again, at most (default: %(default)s)",
    )
    command.add_argument(
        "--retries",
        type=int,
        default=defaults.retries,
        metavar="N",
        help="how often to send again before giving up (default: %(default)s)",
    )


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
    """Collects the values of an option that may be given several times in a tuple."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - the signature is that of argparse.
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        setattr(namespace, self.dest, (*getattr(namespace, self.dest), values))


def _type(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """A converter whose `UsageError` argparse shows as it is."""

    def checked(text: str) -> Any:  # as argparse takes it.
        try:
            return convert(text)
        except UsageError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _port_range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    if not (low.isdecimal() and high.isdecimal()):
        raise UsageError(f"Expected two ports such as 6000-6100, got '{text}'.")
    return int(low), int(high)
