"""The carrier of Jumpstarter where there is no way: no lease, or no Jumpstarter."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from TftpLibrary.errors import TftpError
from TftpLibrary.lab.carriers import open_carrier
from utest.support.engines import bench

OPEN = "from TftpLibrary.lab.carriers import open_carrier; open_carrier('jumpstarter:tftp')"


@pytest.mark.parametrize("variables", [{}, {"JUMPSTARTER_HOST": ""}])
def test_without_a_lease_the_failure_says_how_to_get_one(variables: dict[str, str]) -> None:
    with bench("jumpstarter") as lab:
        said = lab.run("python", "-c", OPEN, **variables)
    assert (
        "LabError: lab='jumpstarter:tftp' needs a lease of Jumpstarter, and there is none here. "
        "Run robot in the shell of one: jmp shell --selector board=left -- robot suite.robot"
    ) in said


def test_exporter_that_is_gone_is_told_with_what_jumpstarter_says() -> None:
    with bench("jumpstarter") as lab:
        said = lab.run("python", "-c", OPEN, JUMPSTARTER_HOST="/nowhere")
    assert (
        "LabError: lab='jumpstarter:tftp': Jumpstarter said: Exporter did not respond to initial "
        "connection\n"
    ) in said


@pytest.mark.skipif(find_spec("jumpstarter") is not None, reason="Jumpstarter is installed here")
def test_without_jumpstarter_the_failure_says_how_to_install_it() -> None:
    with pytest.raises(TftpError) as caught:
        open_carrier("jumpstarter:tftp")
    assert str(caught.value) == (
        "lab='jumpstarter:tftp' needs 'anyio', which is not installed. Install it: "
        "pip install 'robotframework-tftp[jumpstarter]'"
    )
