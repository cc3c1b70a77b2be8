"""Other programs that the tests meet, curl for instance: found, or the test is skipped.

With `TFTP_LIBRARY_REQUIRE_PEERS` in the environment a program that is missing fails the test, so
that a run that promises to have them all cannot pass without them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from robot.api import Failure, SkipExecution
from robot.api.deco import keyword, library

PACKAGES = {
    "atftp": "atftp",
    "atftpd": "atftpd",
    "busybox": "busybox-static",
    "curl": "curl",
    "in.tftpd": "tftpd-hpa",
    "ip": "iproute2",
    "tftp": "tftp-hpa",
    "tshark": "tshark",
}
"""Debian's package of each program."""

# Daemons lie in folders that an ordinary user's PATH leaves out.
_MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")


def find_program(program: str) -> str | None:
    """Returns the path of a program, or None.

    It is looked for in `TFTP_LIBRARY_PEERS`, in PATH, and in the folders of daemons.
    """
    own = os.environ.get("TFTP_LIBRARY_PEERS", "")
    # Packages that cannot be installed side by side can be unpacked there with `dpkg -x`.
    folders = [own, *sorted(map(str, Path(own).glob("**/*bin")))] if own else []
    folders += [*os.environ.get("PATH", "").split(os.pathsep), *_MORE_FOLDERS]
    for folder in filter(None, folders):
        found = shutil.which(program, path=folder)
        # Another program may be there under this name: Debian's atftpd is in.tftpd too.
        if found and Path(found).resolve().name not in PACKAGES.keys() - {program}:
            return str(Path(found).absolute())
    return None


def missing_text(program: str, package: str = "") -> str:
    """Returns the message about a program that is missing."""
    package = package or PACKAGES.get(program, program)
    return f"'{program}' is not installed. On Debian: apt-get install {package}"


def are_required() -> bool:
    """Returns whether this run promises to have every program."""
    return bool(os.environ.get("TFTP_LIBRARY_REQUIRE_PEERS"))


@library(scope="GLOBAL", version="1")
class peers:  # noqa: N801 - Robot Framework looks for the class by the name of the file.
    """Finds the other programs that a story needs."""

    @keyword
    def require_program(self, program: str, apt: str = "") -> str:
        """Returns the path of a program, and skips the test where it is missing.

        Args:
            program: the name of the program.
            apt: Debian's package; by default the one that is known for the program.

        Example:
        | ${curl} =    Require Program    curl
        """
        path = find_program(program)
        if path:
            return path
        refuse = Failure if are_required() else SkipExecution
        raise refuse(missing_text(program, apt))
