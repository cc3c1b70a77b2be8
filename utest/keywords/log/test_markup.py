from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from TftpLibrary.keywords.log import markup
from TftpLibrary.protocol.outcome import Outcome
from utest.support.html import Page
from utest.support.records import transfer


@pytest.mark.parametrize(
    ("value", "html"),
    [
        ("zImage", "zImage"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('a" onload="x', "a&quot; onload=&quot;x"),
        ("it's & that's", "it&#x27;s &amp; that&#x27;s"),
        ("a\x00\x1b\u202eb\udcff\U000e0001c", "a\\x00\\x1b\\u202eb\\udcff\\U000e0001c"),
        ("Zürich 起動", "Zürich 起動"),
    ],
)
def test_text_of_a_peer_is_only_text(value: str, html: str) -> None:
    assert markup.text(value) == html


@given(st.text(st.characters(), max_size=600))
def test_text_has_no_more_octets_than_it_may(value: str) -> None:
    html = markup.text(value, 100)
    assert len(html.encode()) <= 100
    assert html == markup.text(value) or "..." in html
    assert Page(html).tags == []
    assert html.isprintable()


def test_long_text_keeps_both_its_ends() -> None:
    html = markup.text("boot/" + "<" * 500 + "/zImage", 100)
    assert html.startswith("boot/&lt;")
    assert html.endswith("&lt;/zImage")


def test_a_name_cannot_turn_the_direction_of_what_follows() -> None:
    assert markup.name("אבג.bin") == "<bdi>אבג.bin</bdi>"


@pytest.mark.parametrize("outcome", [*Outcome, None])
def test_each_outcome_has_a_word_and_a_colour_of_the_theme(outcome: Outcome | None) -> None:
    html = markup.badge(outcome)
    assert Page(html).text == (outcome.value.replace("_", " ") if outcome else "running")
    assert "currentColor" in html
    assert "#" not in html


def test_rows_leave_out_what_has_no_value() -> None:
    page = Page(markup.rows([("Board", "<b>here</b>"), ("Packets", ""), ("<i>", "x")]))
    assert page.lines == ["Board: here", "<i>: x"]
    assert not page.odd


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert markup.peer_text(transfer()) == "192.168.1.50:50312"
    assert markup.peer_text(transfer(client="::1")) == "[::1]:50312"


def test_the_time_of_day_has_milliseconds() -> None:
    assert markup.clock_text(transfer()) == "10:30:00.000"
