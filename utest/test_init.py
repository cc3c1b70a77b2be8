from __future__ import annotations

import subprocess
import sys

import pytest

import TftpLibrary
from TftpLibrary.library import TftpLibrary as Library
from TftpLibrary.version import VERSION


def test_a_python_program_does_not_load_robot_framework() -> None:
    program = (
        "import sys, TftpLibrary\n"
        "TftpLibrary.TftpServer, TftpLibrary.TftpClient, TftpLibrary.errors.TftpError\n"
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('robot', 'robotlibcore', 'assertionengine')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert run.stdout.strip() == "[]"


def test_robot_framework_gets_its_library_under_the_name_of_the_package() -> None:
    assert TftpLibrary.TftpLibrary is Library


def test_every_public_name_is_there() -> None:
    assert all(hasattr(TftpLibrary, name) for name in TftpLibrary.__all__)
    assert TftpLibrary.__version__ == VERSION


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'TftpLibrary' has no attribute 'Tftp'"):
        TftpLibrary.Tftp  # noqa: B018
