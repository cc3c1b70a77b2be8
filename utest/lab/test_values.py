from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from TftpLibrary.errors import UsageError
from TftpLibrary.faults.files import Damage, Damaging, Denial
from TftpLibrary.faults.link import LinkQuality
from TftpLibrary.faults.rules import Rule, Way, make_rule
from TftpLibrary.faults.wording import Fault
from TftpLibrary.lab.values import from_json, to_json
from TftpLibrary.protocol.outcome import Cause, Outcome
from TftpLibrary.protocol.packets import Direction
from TftpLibrary.recording.records import FaultMark, OptionValues, Sample, Transfer
from TftpLibrary.settings import ClientSettings, Retransmission, ServerSettings
from TftpLibrary.store.base import StoredFile

EPOCH = datetime.fromtimestamp(0, timezone.utc)
TRANSFER = Transfer(
    1,
    "dut",
    Direction.read,
    "zImage\\xff",
    "192.168.1.50",
    1024,
    EPOCH,
    requested=OptionValues((("blksize", "1428"), ("tsize", "0"))),
    size=5_000_000_000,
    outcome=Outcome.refused,
    cause=Cause.missing,
    samples=(Sample(0.5, 10, 1), Sample(1.0, 20, 1)),
    remarks=("odd",),
    faults=(FaultMark(0.1, "drop-1", "dropped DATA 3"),),
)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Transfer, TRANSFER),
        (StoredFile, StoredFile("a", 1, "b", "c", None)),
        (Path, Path("/srv/images")),
        (Fault, make_rule("drop", "DATA 3, 7-9", file="zImage", probability=0.5)),
        (Fault, Damage("zImage", Damaging.truncate, size=3)),
        (Fault, Denial("zImage", times=1)),
        (LinkQuality, LinkQuality(loss=0.1, rate=1000.0, direction=Way.sent)),
        (
            ServerSettings,
            ServerSettings(
                port=69,
                clients=("192.168.1.0/24",),
                port_range=(6000, 6100),
                refuse_options=frozenset(["tsize"]),
                retransmission=Retransmission.fixed,
            ),
        ),
        (ClientSettings, ClientSettings(tsize=False, blksize=512)),
        (Mapping[Way, int], {Way.sent: 3}),
        (tuple[int, str], (1, "a")),
        (list[str], ["a", "caf\udcff"]),
        (float | None, None),
    ],
)
def test_values_come_back_through_json(kind: Any, value: object) -> None:
    assert from_json(kind, json.loads(json.dumps(to_json(value)))) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, True),
        (int, "1"),
        (bool, 1),
        (str, None),
        (float, "1"),
        (Path, 5),
        (list[str], "abc"),
        (list[str], [1]),
        (tuple[int, str], [1]),
        (Way, "sideways"),
        (Rule, {"kind": "drop", "__class__": "x"}),
        (Rule, {}),
        (Fault, {"is": "Popen", "args": "true"}),
        (ServerSettings, {"port": 70_000}),
        (ServerSettings, {"no_such": 1}),
        (StoredFile, {"name": "a"}),
    ],
)
def test_what_does_not_have_its_type_is_refused(kind: Any, value: object) -> None:
    with pytest.raises(UsageError):
        from_json(kind, value)
