from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from atest.equipment.three_hosts import LAB_HOST, RUNNER, ThreeHosts
from utest.support.hosts import three_hosts


@pytest.fixture(scope="module")
def hosts() -> Iterator[ThreeHosts]:
    with three_hosts() as hosts:
        yield hosts


def test_a_runner_reaches_a_lab_host_by_ssh(hosts: ThreeHosts) -> None:
    ssh = ["ssh", "-o", "BatchMode=yes", "lab", "echo", "$SSH_CONNECTION"]
    done = subprocess.run(
        [*hosts.inside(hosts.run), *ssh],
        env=hosts.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[::2] == [RUNNER, LAB_HOST]


@pytest.mark.parametrize(("start", "end"), [("run", "10.0.0.1"), ("board", RUNNER)])
def test_runner_and_board_have_no_way_to_each_other(
    hosts: ThreeHosts, start: str, end: str
) -> None:
    namespace: str = getattr(hosts, start)
    asked = ["ip", "-n", namespace, "route", "get", end]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert "Network is unreachable" in done.stderr


def test_nothing_stays() -> None:
    with three_hosts() as hosts:
        folder = hosts.folder
        assert Path("/run/netns", hosts.lab).exists()
    assert not folder.exists()
    assert not Path("/run/netns", hosts.lab).exists()
