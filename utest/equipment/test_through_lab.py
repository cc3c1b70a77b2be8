from __future__ import annotations

import os
from pathlib import Path

import pytest

from atest.equipment.through_lab import ThroughLab
from TftpLibrary import Lab


def test_a_run_through_a_lab_has_it_from_its_beginning_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFTPLIBRARY_LAB", "")
    listener = ThroughLab("unix", str(tmp_path))
    url = os.environ["TFTPLIBRARY_LAB"]
    with Lab(url) as lab, lab.server(tmp_path) as server:
        assert server.root == tmp_path
    listener.close()
    assert not Path(url.removeprefix("unix:")).parent.exists()


def test_another_carrier_is_refused() -> None:
    with pytest.raises(ValueError, match="--lab ssh, got --lab pigeon"):
        ThroughLab("pigeon")
