"""The command line: `python -m TftpLibrary serve | get | put | lab | quickstart | guides`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from TftpLibrary.commandline.arguments import as_options, parser
from TftpLibrary.commandline.output import errors
from TftpLibrary.errors import TftpError, UsageError

# Each command is imported when it is called: `get` needs no server.
COMMANDS = {
    "serve": ("TftpLibrary.commandline.serving", "run"),
    "get": ("TftpLibrary.commandline.copying", "get"),
    "put": ("TftpLibrary.commandline.copying", "put"),
    "quickstart": ("TftpLibrary.commandline.quickstart", "run"),
    "lab": ("TftpLibrary.commandline.labs", "run"),
    "guides": ("TftpLibrary.commandline.guides", "run"),
}

FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130
"""The exit status that a shell expects after Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 done, 1 failed, 2 wrong use."""
    options = parser().parse_args(arguments)
    module, function = COMMANDS[options.command]
    try:
        status: int = getattr(import_module(module), function)(options)
    except TftpError as error:
        errors().line(f"tftplibrary {options.command}: {as_options(str(error))}")
        return WRONG_USE if isinstance(error, UsageError) else FAILED
    except KeyboardInterrupt:
        errors().line(f"tftplibrary {options.command}: interrupted")
        return INTERRUPTED
    return status


if __name__ == "__main__":
    sys.exit(main())
