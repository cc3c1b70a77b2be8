from __future__ import annotations

from xml.etree import ElementTree

import pytest

from atest.performance.picture import Scale, draw
from atest.performance.report import Row, at_least, judged

SVG = "{http://www.w3.org/2000/svg}"


def rows() -> list[Row]:
    return [
        at_least("S1 <one>", "x", [17.0, 18.0, 19.0], (1.0, 2.0)),
        at_least("S1 <one>", "y", [0.3], None),
        judged("memory", "", 1.0, (1.0, 1.0)),
    ]


def test_it_is_well_formed_and_has_what_is_a_ratio_of_speeds() -> None:
    picture = ElementTree.fromstring(draw(rows(), "today & here"))
    words = [element.text for element in picture.iter(f"{SVG}text")]
    assert words.count("S1 <one>") == 1
    assert {"x", "y", "18.00", "0.30", "today & here"} <= set(words)
    assert "memory" not in words


def test_nothing_is_drawn_beside_the_scale() -> None:
    scale = Scale([0.3, 18.0])
    assert scale.ticks() == [0.25, 0.5, 1, 2, 4, 8, 16, 32]
    assert scale.at(0.25) < scale.at(0.3) < scale.at(1) < scale.at(18) < scale.at(32)


def test_twice_as_fast_is_as_long_as_half_as_fast() -> None:
    scale = Scale([])
    assert scale.at(2) - scale.at(1) == pytest.approx(scale.at(1) - scale.at(0.5))


def test_without_a_ratio_it_has_the_scale_alone() -> None:
    no_ratio = judged("memory", "", 1.0, (1.0, 1.0))
    assert draw([no_ratio], "") == draw([], "")
    ticks = [e.text for e in ElementTree.fromstring(draw([], "")).iter(f"{SVG}text")][-6:]
    assert ticks == ["0.5", "0.5", "1", "1", "2", "2"]
