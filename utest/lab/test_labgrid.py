"""The exporter, the environment and the suite of docs/guides/labgrid.md, with the real labgrid."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from utest.support.engines import BOARDS, Bench, bench, blocks_of
from utest.support.peers import require

GUIDE = "labgrid.md"
PEOPLE = dict(zip(("left", "right"), BOARDS, strict=True))
MEETING = """
*** Settings ***
Library    OperatingSystem
Library    Process
Library    TftpLibrary    lab=%{LG__TFTPLABDRIVER_LAB}    host=192.168.77.1

*** Test Cases ***
The Other Server Runs Too
    Start TFTP Server    clients=%{LG__TFTPLABDRIVER_CLIENT}
    Upload Text    kernel of ${NAME}    zImage
    Create File    ${NAME}.up
    Wait Until Created    ${OTHER}.up    timeout=30s
    Run Process    labgrid-client    power    on
    Wait Until File Is Downloaded    zImage    timeout=1 min
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Bench]:
    """A bench with the coordinator, the exporter, a lab half, and what each person has."""
    require("curl")
    exporter, environment = blocks_of(GUIDE, "yaml")
    places, session = blocks_of(GUIDE, "sh")
    with bench("labgrid") as made:
        url = f"unix:{made.folder}/lab.sock"
        (made.folder / "exporter.yaml").write_text(exporter.replace("ssh://pi@lab1", url))
        for name, board in PEOPLE.items():
            own = environment.replace("left", name)
            on = made.download("zImage", board).replace("/dev/null", f"{name}.got")
            assert "usbrelay BOARD_1=1" in own
            (made.folder / f"{name}.yaml").write_text(own.replace("usbrelay BOARD_1=1", on))
            (made.folder / f"{name}.session").write_text(session.replace("left", name))
            (made.folder / f"{name}.places").write_text(places.replace("left", name))
        (suite,) = blocks_of(GUIDE, "robotframework")
        (made.folder / "suite.robot").write_text(suite)
        for name, other in (("left", "right"), ("right", "left")):
            text = MEETING.replace("${NAME}", name).replace("${OTHER}", other)
            (made.folder / f"meeting_of_{name}.robot").write_text(text)
        made.keep("lab.log", "lab at", "tftplibrary", "lab", "--listen", url)
        made.keep("coordinator.log", "Coordinator ready", "labgrid-coordinator")
        started = made.keep("exporter.log", "Exporter ready", "labgrid-exporter", "exporter.yaml")
        made.wait_for("coordinator.log", "right-bench", started)
        for name in PEOPLE:
            made.run("sh", f"{name}.places")
        yield made


def test_suite_of_the_guide_runs_with_the_variables_of_a_place(lab: Bench) -> None:
    said = lab.run("sh", "left.session")
    assert "1 test, 1 passed" in said
    assert "released place left" in said
    variables = lab.said("left.sh").splitlines()
    assert f"export LG__TFTPLABDRIVER_LAB=unix:{lab.folder}/lab.sock" in variables
    assert f"export LG__TFTPLABDRIVER_CLIENT={PEOPLE['left']}" in variables
    assert lab.is_free()


def test_two_people_share_a_lab_host_and_its_port(lab: Bench) -> None:
    sessions = {}
    for name in PEOPLE:
        text = lab.said(f"{name}.session").replace("suite.robot", f"meeting_of_{name}.robot")
        text = text.replace("robot ", f"robot --outputdir {name} ", 1)
        (lab.folder / f"{name}.meeting").write_text(text)
        sessions[name] = lab.start("sh", f"{name}.meeting", log=f"{name}.log")
    for name, session in sessions.items():
        lab.wait_for_end(session, f"{name}.log")
        assert "1 test, 1 passed" in lab.said(f"{name}.log")
        assert lab.said(f"{name}.got") == f"kernel of {name}"
    assert lab.is_free()
