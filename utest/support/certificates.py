"""Certificates for a test, made by the program `openssl`: an authority's, and one for loopback."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

from utest.support.peers import require


class Certificate(NamedTuple):
    """A certificate for 127.0.0.1, signed by itself.

    Attributes:
        cert: file with the certificate; also that of the authority.
        key: file with the key.
    """

    cert: str
    key: str


def make_certificate(folder: Path, name: str = "lab") -> Certificate:
    """Makes a certificate in a folder."""
    made = Certificate(str(folder / f"{name}.crt"), str(folder / f"{name}.key"))
    words = "req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    names = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command = [require("openssl"), *words.split(), *names]
    command += ["-keyout", made.key, "-out", made.cert]
    subprocess.run(command, check=True, capture_output=True)
    return made
