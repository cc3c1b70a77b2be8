"""The version that the distribution, the library and the command line tell is one."""

from __future__ import annotations

from packaging.version import Version

import TftpLibrary
from TftpLibrary.library import TftpLibrary as Library
from TftpLibrary.version import VERSION


def test_version_is_one_that_an_index_takes() -> None:
    assert str(Version(VERSION)) == VERSION


def test_everyone_tells_the_same_version() -> None:
    assert TftpLibrary.__version__ == VERSION
    assert Library.ROBOT_LIBRARY_VERSION == VERSION
